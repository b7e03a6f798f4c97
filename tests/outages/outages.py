"""The outages: what is done to a site, what heals it, and what somebody has to hear of it."""

import asyncio
import random
import signal
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass

from deploy.local.process import Child
from deploy.local.stack import SERVICES
from deploy.trial.chaos.faults.poison import poisoned
from schemas.topics import commands_topic, stream_topic
from services.chassis.log.kafka import KafkaLog
from tests.deploy.operating.commands import connecte
from tests.outages.site import PARTITIONS, Site

ACLS = "org.apache.kafka.tools.AclCommand"
Made = Callable[[Site], AbstractAsyncContextManager[None]]


@dataclass(frozen=True, slots=True)
class Outage:
    """`expected`: alerts, each with its service. `allowed`: what may fire beside, as it is true."""

    name: str
    about: str
    made: Made
    expected: frozenset[tuple[str, str]]
    allowed: frozenset[str] = frozenset()


def _of_each(alert: str) -> frozenset[tuple[str, str]]:
    return frozenset((alert, service) for service in SERVICES)


@asynccontextmanager
async def _without_database(site: Site) -> AsyncIterator[None]:
    site.mongod.child.kill()
    await site.mongod.child.wait()
    try:
        yield
    finally:
        await site.mongod.start()


@asynccontextmanager
async def _restarts_without_database(site: Site) -> AsyncIterator[None]:
    async with _without_database(site):
        await asyncio.sleep(60)
        # Both of one service at once, and those of another half a minute apart.
        for pod in (*site.pods["matching"], site.pods["notify"][0]):
            _kill(pod.process.child)
        await asyncio.sleep(30)
        _kill(site.pods["notify"][1].process.child)
        yield


def _kill(child: Child | None) -> None:
    assert child is not None
    child.kill()


@asynccontextmanager
async def _without_broker(site: Site) -> AsyncIterator[None]:
    await site.cluster.kill(0)
    try:
        yield
    finally:
        await site.cluster.restart(0)


@asynccontextmanager
async def _most_letters_put_off(site: Site) -> AsyncIterator[None]:
    chance = random.Random(1)
    site.mailbox.refuse = lambda _: "451 4.2.1 busy" if chance.random() < 0.7 else None
    try:
        yield
    finally:
        site.mailbox.refuse = None


@asynccontextmanager
async def _process_stuck(site: Site) -> AsyncIterator[None]:
    child = site.pods["matching"][0].process.child
    assert child is not None
    child.send(signal.SIGSTOP)
    yield


@asynccontextmanager
async def _denied(site: Site, operation: str, topic: str) -> AsyncIterator[None]:
    """Nobody may do this with a topic any more; no process is ended for it."""
    tool, of = site.cluster.tool, ("--topic", topic)
    anybody = ("--allow-principal", "User:*", "--operation", "All")
    await tool(ACLS, "--add", *of, *anybody)
    await tool(ACLS, "--add", *of, "--deny-principal", "User:*", "--operation", operation)
    try:
        yield
    finally:
        await tool(ACLS, "--remove", "--force", *of)


@asynccontextmanager
async def _reading_denied(site: Site) -> AsyncIterator[None]:
    """A process that is started and never handles a record: nobody lets it read."""
    async with _denied(site, "Read", commands_topic("scheduling")):
        for pod in site.pods["scheduling"]:
            _kill(pod.process.child)
        yield


@asynccontextmanager
async def _poison(site: Site) -> AsyncIterator[None]:
    """Records that nobody can read, which an operator then drops."""
    log = KafkaLog({"bootstrap_servers": site.cluster.bootstrap})
    await log.start()
    try:
        made = [poisoned(str(n), random.Random(n), PARTITIONS)[1] for n in range(200)]
        await log.publish([r for r in made if r.topic == commands_topic("matching")][:20])
    finally:
        await log.stop()
    yield
    await _dropped(site)


async def _dropped(site: Site) -> None:
    settings = {
        "KAFKA_BOOTSTRAP_SERVERS": site.cluster.bootstrap,
        "MONGODB_URI": site.mongod.uri,
        "CONNECTE_PARTITIONS": str(PARTITIONS),
    }
    done = await connecte(
        "parked", "drop", "matching", "--all", "--because", "made for an outage", **settings
    )
    assert done.code == 0, done.err


OUTAGES = (
    Outage(
        "database",
        "The database is away.",
        _without_database,
        _of_each("MentoringServiceNotReady"),
        frozenset(
            {
                *("MentoringStepsFailing", "MentoringDatabaseFailing", "MentoringFiguresStale"),
                *("MentoringNotReady", "MentoringProjectionStale", "MentoringLagRising"),
            }
        ),
    ),
    Outage(
        "database-at-start",
        "The database is away; processes are killed meanwhile, at once and half a minute apart.",
        _restarts_without_database,
        _of_each("MentoringServiceNotReady"),
        frozenset(
            {
                *("MentoringStepsFailing", "MentoringDatabaseFailing", "MentoringFiguresStale"),
                *("MentoringNotReady", "MentoringProjectionStale", "MentoringLagRising"),
                "MentoringPartitionsUnassigned",
            }
        ),
    ),
    Outage(
        "broker",
        "The broker is away.",
        _without_broker,
        _of_each("MentoringServiceNotReady"),
        frozenset(
            {
                *("MentoringReadingStopped", "MentoringNotReady", "MentoringStepsFailing"),
                *("MentoringFiguresStale", "MentoringOutboxAgeing"),
                *("MentoringPartitionsStopped", "MentoringPartitionsUnassigned"),
            }
        ),
    ),
    Outage(
        "letters",
        "Seven of ten letters are put off by the mail server.",
        _most_letters_put_off,
        frozenset({("MentoringLettersFailing", "")}),
    ),
    Outage("stuck", "One of two processes stands still.", _process_stuck, frozenset()),
    Outage(
        "denied",
        "A service may not read its commands, and its processes are started again.",
        _reading_denied,
        frozenset({("MentoringReadingStopped", "scheduling")}),
        frozenset({"MentoringTrouble", "MentoringServiceNotReady", "MentoringNotReady"}),
    ),
    Outage(
        "no-commands",
        "Nobody may write the commands of matching: what people send is answered by a fault.",
        lambda site: _denied(site, "Write", commands_topic("matching")),
        frozenset({("MentoringHttpFailing", "matching")}),
        frozenset({"MentoringHttpBudgetBurn"}),
    ),
    Outage(
        "no-events",
        "Matching may not publish what it has decided.",
        lambda site: _denied(site, "Write", stream_topic("matching", "events")),
        frozenset({("MentoringTrouble", "matching")}),
        frozenset(
            {
                *("MentoringOutboxAgeing", "MentoringPartitionsStopped", "MentoringLagRising"),
                *("MentoringServiceNotReady", "MentoringNotReady", "MentoringStepsFailing"),
                *("MentoringProjectionStale", "MentoringLatencyBudgetBurn"),
            }
        ),
    ),
    Outage(
        "poison",
        "Twenty records that nobody can read; then they are dropped.",
        _poison,
        frozenset({("MentoringRecordsParked", "matching")}),
        frozenset({"MentoringParkedBudgetBurn"}),
    ),
)
