"""What operators do to stored data while the services work: rebuilds, and records set aside."""

import asyncio
import shutil
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from deploy.local.broker import embedded_broker
from deploy.local.mongodb import mongod
from deploy.operating.topics import create_topics
from schemas.envelope import Record, encode
from schemas.journal import StepCompleted
from schemas.topics import partition_of
from services.chassis.log.kafka import KafkaLog
from services.chassis.store.contract import Commit, Outgoing, Place
from services.chassis.store.mongo import MongoStore
from tests.conftest import PATIENCE
from tests.deploy.operating.commands import ROOT, connecte
from tests.deploy.operating.ministry import PARTITIONS, Ministry, ministry, volunteer

COMMANDS = "mentoring.matching.commands"


@pytest.fixture(autouse=True)
def no_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("MONGODB_URI", raising=False)


def step_of(order: int) -> Record:
    """A record of the journal of matching, in partition 0."""
    return encode(
        StepCompleted(cohort_id="matching", source="matching.0", step=1, positions={}, seen={}),
        "mentoring.matching.private",
        0,
        id=f"x.{order}",
        source="/mentoring/matching/private/0",
        time=datetime(2017, 3, 6, tzinfo=UTC),
        sequence=order + 1,
        order=order,
    )


async def test_what_is_owed_is_published_first_and_a_broken_journal_changes_nothing(
    tmp_path: Path,
) -> None:
    async with embedded_broker(tmp_path) as kafka, mongod(tmp_path) as database:
        here = {"KAFKA_BOOTSTRAP_SERVERS": kafka, "MONGODB_URI": database.uri}
        here |= {"CONNECTE_PARTITIONS": "1", "CONNECTE_KAFKA_IDEMPOTENT": "false"}
        await create_topics({"bootstrap_servers": kafka}, partitions=1)
        store = MongoStore(database.uri, "connecte_matching", ())
        await store.open()
        place = Place(0, step=1, sequences={"private": 1}, order=1)
        await store.commit(Commit([place], [], [Outgoing(0, 1, [step_of(0)])]))
        done = await connecte("rebuild", "matching", "--json", **here)
        assert done.code == 0, done.err
        assert (done.document["published"], done.document["events"]) == (1, 1)
        assert await store.places([0]) == {0: place}
        assert await store.outgoing([0]) == []

        log = KafkaLog({"bootstrap_servers": kafka}, idempotent=False)
        await log.publish([step_of(2)])
        await log.stop()
        done = await connecte("rebuild", "matching", **here)
        assert done.code == 1
        assert "the journal is not whole: matching/0: entry 1 is missing" in done.err
        assert await store.places([0]) == {0: place}, "and nothing is fenced"
        await store.close()


# --- beside a running service -----------------------------------------------------------------


@pytest.mark.journey
async def test_a_database_is_rebuilt_and_compared_while_its_service_works(tmp_path: Path) -> None:
    async with ministry(tmp_path, ("matching",)) as here:
        busy = True

        async def traffic(first: int) -> None:
            number = first
            while busy:
                await here.volunteer(number)
                number += 3
                await asyncio.sleep(0.05)  # at once, they would take the machine

        working = [asyncio.create_task(traffic(number)) for number in range(3)]
        for _ in range(2):
            rebuilt = await here.connecte("rebuild", "matching", "--json")
            assert rebuilt.code == 0, rebuilt.err
            assert rebuilt.document["pause"] < 5
            same = await here.connecte("rebuild", "matching", "--verify", "--json")
            assert same.code == 0, same.err + same.out
        at_work = here.accepted
        busy = False
        await asyncio.gather(*working)

        await here.all_seen()
        assert at_work > 50, "there was traffic meanwhile"
        same = await here.connecte("rebuild", "matching", "--verify", "--json")
        assert (same.code, same.document["differences"]) == (0, []), same.err
        assert here.stack.services["matching"].starts == 1
        gone = await here.connecte("rebuild", "matching", "--forget-old", "--json")
        assert len(gone.document["dropped"]) == 2


BUG = """

from dataclasses import replace as _replace


def _wrong(state, message, now):
    raise KeyError("a bad deployment")


DOMAIN = _replace(DOMAIN, handlers={**DOMAIN.handlers, VolunteerAsMentor: _wrong})
"""


def broken_copy(directory: Path) -> Path:
    """The code of the services with a bug in matching."""
    for name in ("schemas", "services"):
        shutil.copytree(ROOT / name, directory / name)
    with (directory / "services/matching/handlers.py").open("a") as handlers:
        handlers.write(BUG)
    return directory


async def redeployed(here: Ministry, **settings: str) -> None:
    """Matching ends, and comes back with other settings."""
    process = here.stack.services["matching"]
    process.settings.clear()
    process.settings.update(settings)
    assert process.child is not None
    await process.child.stop()
    async with asyncio.timeout(PATIENCE):
        while process.child.returncode is not None:  # it is kept running
            await asyncio.sleep(0.05)
    await process.ready()


@pytest.mark.journey
async def test_all_records_that_a_bad_deployment_set_aside_are_handled_by_one_command(
    tmp_path: Path,
) -> None:
    many = 2_000  # more than one batch and one command can hold; ten thousand: test_parked.py
    async with ministry(tmp_path, ("matching",)) as here:
        wrong = str(broken_copy(tmp_path / "wrong"))
        await redeployed(here, PYTHONSAFEPATH="1", PYTHONPATH=wrong, LOG_LEVEL="ERROR")
        log = KafkaLog({"bootstrap_servers": here.stack.kafka}, idempotent=False)
        await log.publish([_volunteered(here.cohorts[n % PARTITIONS], n) for n in range(many)])
        await log.stop()
        async with asyncio.timeout(PATIENCE):
            while await _aside(here) < many:
                await asyncio.sleep(0.2)
        assert (await _listed(here, "--limit", "1"))["items"][0]["reason"] == "fault"

        await redeployed(here)
        retried = await here.connecte("parked", "retry", "matching", "--all", "--json")

        assert (retried.code, retried.document["handled"]) == (0, many), retried.err
        here.accepted = many
        await here.all_seen()
        same = await here.connecte("rebuild", "matching", "--verify", "--json")
        assert (same.code, same.document["differences"]) == (0, []), same.err


@pytest.mark.journey
async def test_records_are_shown_retried_in_vain_and_dropped(tmp_path: Path) -> None:
    async with ministry(tmp_path, ("matching",)) as here:
        log = KafkaLog({"bootstrap_servers": here.stack.kafka}, idempotent=False)
        await log.publish([_of_the_future(here.cohorts[n % PARTITIONS], n) for n in range(60)])
        await log.stop()
        async with asyncio.timeout(PATIENCE):
            while await _aside(here) < 60:
                await asyncio.sleep(0.1)

        shown = await _listed(here, "--limit", "1")
        origin = shown["items"][0]["origin"]
        assert shown["items"][0]["reason"] == "unknown-type"
        one = await here.connecte("parked", "show", "matching", origin, "--bytes", "--json")
        assert "m-" in one.document["value"]
        hidden = await here.connecte("parked", "show", "matching", origin)
        assert "availability" not in hidden.out

        early = await here.connecte("parked", "retry", "matching", "--all", "--json")
        assert (early.code, early.document["left"]) == (1, 60), "the cause is not mended yet"
        assert (await _listed(here, "--limit", "1"))["items"][0]["attempts"] == 2

        because = ("--because", "sent again by their sender")
        few = await here.connecte("parked", "drop", "matching", origin, *because, "--json")
        assert (few.code, few.document["handled"]) == (0, 1), few.err
        rest = ("--reason", "unknown-type", *because)
        dropped = await here.connecte("parked", "drop", "matching", *rest, "--json")
        assert (dropped.code, dropped.document["handled"]) == (0, 59), dropped.err
        assert (await _listed(here))["total"] == 0
        await here.volunteer(1)
        await here.all_seen()
        same = await here.connecte("rebuild", "matching", "--verify", "--json")
        assert same.code == 0, same.out


async def _aside(here: Ministry) -> int:
    """How many records stand aside, as the service says."""
    answer = await here.client.get(f"{here.url}/parked", params={"limit": 1})
    return int(answer.json()["total"])


async def _listed(here: Ministry, *options: str) -> Any:
    done = await here.connecte("parked", "list", "--service", "matching", "--json", *options)
    assert done.code == 0, done.err
    return done.document


def _volunteered(cohort: str, number: int) -> Record:
    return encode(
        volunteer(cohort, number),
        COMMANDS,
        partition_of(cohort, PARTITIONS),
        id=f"somebody-{number}",
        source="/somebody",
        time=datetime.now(UTC),
    )


def _of_the_future(cohort: str, number: int) -> Record:
    """A client's that is a version ahead of the service."""
    record = _volunteered(cohort, number)
    headers = dict(record.headers) | {"ce_type": b"fr.gouv.mentoring.VolunteerAsMentor.v2"}
    return Record(record.topic, record.partition, record.key, record.value, [*headers.items()])
