"""A broker with the rehearsal on it, and the examples as their readers run them."""

import asyncio
import itertools
import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from aiokafka import AIOKafkaProducer

from deploy.local.broker import embedded_broker
from deploy.local.kafka_jars import kafka_jars
from deploy.operating.topics import create_topics
from docs.examples.python.fake_publisher import Record, records
from tests.conftest import PATIENCE, in_its_own_loop
from tests.examples.make_rehearsal import PLAN
from tests.examples.tools import BUILD, ROOT, installed, needed

EXAMPLES = ROOT / "docs" / "examples"
SCHEDULING = "mentoring.scheduling.events"
LONGEST = PATIENCE


def _shown(record: Record) -> str:
    ce = {name: raw.decode() for name, raw in record.headers}
    event = json.loads(record.value)
    return f"{ce['ce_time']} {ce['ce_subject']} completed={event['completed']}"


def _held(record: Record) -> bool:
    return ("ce_type", b"fr.gouv.mentoring.SessionCompleted.v1") in record.headers


HELD = tuple(dict.fromkeys(_shown(record) for record in records() if _held(record)))
"""What an example prints of the rehearsal."""
_groups = itertools.count()
MISSED = "000000000010"
"""What the log with a gap has not, of scheduling's events."""


@dataclass(frozen=True, slots=True)
class Rehearsed:
    """A broker with the rehearsal. At `between`, the first two sessions were there, and no more."""

    kafka: str
    between: datetime


@dataclass(frozen=True, slots=True)
class Example:
    """How an example is started. A `grouped` one reads in a consumer group, which is an option."""

    command: tuple[str, ...]
    cwd: Path
    grouped: bool = False

    def arguments(self, *options: str) -> list[str]:
        """The whole command, in a group that nobody has been in."""
        group = ("--group", f"subscriber-test.{next(_groups)}")
        return [*self.command, *(group if self.grouped else ()), *options]

    def run(self, kafka: str, *options: str) -> subprocess.CompletedProcess[str]:
        """Run it to its end."""
        return subprocess.run(
            self.arguments(*options),
            cwd=self.cwd,
            env=environment(kafka),
            capture_output=True,
            text=True,
            timeout=LONGEST,
            check=False,
        )


def environment(kafka: str) -> dict[str, str]:
    """What an example is told."""
    ours = {k: v for k, v in os.environ.items() if not k.startswith(("CONNECTE_", "KAFKA_"))}
    return {**ours, "KAFKA_BOOTSTRAP_SERVERS": kafka}


async def publish(kafka: str, rows: Iterable[Record]) -> None:
    """Put records where they belong."""
    async with AIOKafkaProducer(bootstrap_servers=kafka) as producer:
        for row in rows:
            await producer.send_and_wait(
                row.topic, row.value, key=row.key, partition=row.partition, headers=row.headers
            )


async def _rehearse(kafka: str) -> Rehearsed:
    await create_topics({"bootstrap_servers": kafka}, partitions=PLAN.partitions)
    whole = list(records())
    third = next(n for n, r in enumerate(whole) if r.key == b"rehearsal/m-1~g-1~2" and _held(r))
    await publish(kafka, whole[:third])
    between = datetime.now(UTC) + timedelta(milliseconds=20)
    await asyncio.sleep(0.05)  # so that what follows has a later time
    await publish(kafka, whole[third:])
    return Rehearsed(kafka, between)


async def _with_a_gap(kafka: str) -> None:
    await create_topics({"bootstrap_servers": kafka}, partitions=PLAN.partitions)
    missed = "ce_sequence", MISSED.encode()
    await publish(kafka, (r for r in records() if r.topic != SCHEDULING or missed not in r.headers))


@pytest.fixture(scope="session")
def rehearsed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Rehearsed]:
    with in_its_own_loop(embedded_broker(tmp_path_factory.mktemp("rehearsed"))) as kafka:
        yield asyncio.run(_rehearse(kafka))


@pytest.fixture(scope="session")
def with_a_gap(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with in_its_own_loop(embedded_broker(tmp_path_factory.mktemp("gap"))) as kafka:
        asyncio.run(_with_a_gap(kafka))
        yield kafka


# --- the examples -----------------------------------------------------------------------------


def python(name: str, *, grouped: bool = False) -> Example:
    return Example((sys.executable, name), EXAMPLES / "python", grouped)


def java() -> Example:
    """Compiled against the client of the Kafka that the project's own tests run."""
    needed("java", "javac", "mvn")
    classes = BUILD / "examples" / "java"
    classes.mkdir(parents=True, exist_ok=True)
    path = f"{asyncio.run(kafka_jars(BUILD))}/*"
    source = EXAMPLES / "java" / "SessionsCompleted.java"
    compiled = ("javac", "-Xlint:all", "-Werror", "-cp", path, "-d", str(classes), str(source))
    subprocess.run(compiled, check=True, timeout=120)
    path = os.pathsep.join((path, str(classes)))
    quick = ("-XX:TieredStopAtLevel=1", "-Xshare:auto")
    return Example(("java", *quick, "-cp", path, "SessionsCompleted"), EXAMPLES / "java")


def node() -> Example:
    """With the packages of its lock."""
    needed("node", "npm")
    there = installed(EXAMPLES / "node", BUILD / "examples" / "node")
    return Example(("node", "sessions.mjs"), there, grouped=True)


PRINTING: dict[str, Callable[[], Example]] = {
    "plain": lambda: python("plain.py"),
    "stream": lambda: python("stream.py", grouped=True),
    "java": java,
    "node": node,
}


@pytest.fixture(scope="session", params=PRINTING)
def printing(request: pytest.FixtureRequest) -> Example:
    """Each example that prints completed sessions."""
    return PRINTING[request.param]()
