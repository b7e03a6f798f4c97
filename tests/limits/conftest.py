"""One service as a process, for tests of what it bears; and what it says of itself meanwhile."""

import threading
import time
from collections import Counter
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest

from deploy.local.process import Child, free_port
from deploy.local.stack import ServiceProcess
from schemas.base import Command
from schemas.envelope import encode
from schemas.matching import OpenCohort, PauseMentor
from schemas.topics import partition_of
from services.chassis.clock import Clock
from services.chassis.http.links import generate_keys
from services.chassis.log.kafka import KafkaLog
from tests.conftest import table_of_topics

PARTITIONS = 4
TOPIC = "mentoring.matching.commands"


@dataclass
class Matching:
    """A process of matching."""

    process: ServiceProcess
    kafka: str

    @property
    def url(self) -> str:
        return self.process.url

    @property
    def port(self) -> int:
        return int(self.url.rpartition(":")[2])

    @property
    def child(self) -> Child:
        assert self.process.child is not None
        return self.process.child

    @property
    def memory(self) -> float:
        """Resident memory of the process now, in MB."""
        status = Path(f"/proc/{self.child.pid}/status").read_text()
        [line] = [line for line in status.splitlines() if line.startswith("VmRSS:")]
        return int(line.split()[1]) / 1024

    async def metric(self, name: str) -> float:
        """The sum of a metric over its labels."""
        async with httpx.AsyncClient() as client:
            lines = (await client.get(f"{self.url}/metrics", timeout=10)).text.splitlines()
        return sum(
            float(line.split()[-1]) for line in lines if line.startswith((f"{name} ", f"{name}{{"))
        )


WEEK = [{"day": "mon", "start": "09:00", "end": "12:00"}]


def volunteer(cohort: str, number: int) -> dict[str, object]:
    return {
        "cohort_id": cohort,
        "mentor_id": f"m-{number}",
        "directorate": "DGFiP",
        "site": "Bercy",
        "skills": {"linkedin": 3},
        "availability": WEEK,
    }


def cohort_on(partition: int, prefix: str = "c") -> str:
    names = (f"{prefix}{number}" for number in range(1000))
    return next(name for name in names if partition_of(name, PARTITIONS) == partition)


class Watch(threading.Thread):
    """How long health, metrics and projections take to answer meanwhile, at worst; and memory.

    A thread of its own: the test's loop is busy with what it does to the service.
    """

    def __init__(self, service: Matching) -> None:
        super().__init__()
        self.service = service
        self.before = self.memory = service.memory
        self.worst = 0.0
        self.statuses: Counter[int] = Counter()
        self.over = threading.Event()

    def __enter__(self) -> "Watch":
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.over.set()
        self.join()
        assert set(self.statuses) == {200}, self.statuses

    def run(self) -> None:
        with httpx.Client(base_url=self.service.url, timeout=60) as client:
            while not self.over.is_set():
                for path in ("/health/live", "/health/ready", "/metrics", "/parked"):
                    start = time.monotonic()
                    self.statuses[client.get(path).status_code] += 1
                    self.worst = max(self.worst, time.monotonic() - start)
                self.memory = max(self.memory, self.service.memory)
                self.over.wait(0.05)

    @property
    def figures(self) -> dict[str, float]:
        """What is published in docs/limits.md."""
        return {
            "memory before, MB": round(self.before),
            "memory at most, MB": round(self.memory),
            "slowest other answer, s": round(self.worst, 2),
        }


async def open_cohort(client: httpx.AsyncClient, cohort: str) -> None:
    body = {"cohort_id": cohort, "name": cohort}
    answer = await client.post("/commands/OpenCohort?wait=20", json=body)
    assert answer.status_code == 200, answer.text


async def fill(kafka: str, idempotent: bool, cohort: str, count: int) -> None:
    """Commands that change nothing much, as another client may have sent them."""
    pauses = (PauseMentor(cohort_id=cohort, mentor_id=f"m-{number}") for number in range(1, count))
    await send_all(kafka, idempotent, [OpenCohort(cohort_id=cohort, name="A cohort"), *pauses])


async def send_all(kafka: str, idempotent: bool, commands: Sequence[Command]) -> None:
    """Send commands of one cohort past the service."""
    log = KafkaLog({"bootstrap_servers": kafka}, idempotent=idempotent)
    await log.start()
    now = Clock().now()
    records = [
        encode(
            command,
            TOPIC,
            partition_of(command.cohort_id, PARTITIONS),
            id=f"{number}",
            source="/test",
            time=now,
        )
        for number, command in enumerate(commands)
    ]
    for start in range(0, len(records), 5000):
        await log.publish(records[start : start + 5000])
    await log.stop()


Run = Callable[..., AbstractAsyncContextManager[Matching]]


@pytest.fixture
def matching(
    tmp_path: Path, fresh_kafka: str, mongodb_uri: str, database: str, kafka_idempotent: bool
) -> Run:
    """Runs matching with these settings, on topics that are there."""

    @asynccontextmanager
    async def run(kafka: str = fresh_kafka, **settings: str) -> AsyncIterator[Matching]:
        await table_of_topics(fresh_kafka, PARTITIONS)
        env: Mapping[str, str] = {
            "PATH": "/usr/bin:/bin",
            "KAFKA_BOOTSTRAP_SERVERS": kafka,
            "MONGODB_URI": mongodb_uri,
            "CONNECTE_DATABASE_PREFIX": f"{database}_",
            "CONNECTE_PARTITIONS": str(PARTITIONS),
            "CONNECTE_KAFKA_IDEMPOTENT": str(kafka_idempotent).lower(),
            "CONNECTE_SESSION_TIMEOUT_MS": "6000",
            "CONNECTE_LINK_VERIFY_KEY": generate_keys()[1],
            **settings,
        }
        process = ServiceProcess("matching", tmp_path, env, free_port())
        process.start()
        try:
            await process.ready()
            yield Matching(process, fresh_kafka)
        finally:
            await process.stop()
        assert "Traceback" not in (tmp_path / "matching.log").read_text()

    return run
