"""The real parts that tests share: each is started once, when the first test asks for it.

`CONNECTE_TEST_KAFKA=apache` puts one real Apache Kafka where the embedded broker is otherwise;
`later` leaves out the whole platforms that a run with `apache` plays afterwards.
"""

import asyncio
import contextlib
import gc
import os
import secrets
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager, contextmanager
from pathlib import Path
from typing import Any, TypeVar

import pytest
from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from hypothesis import settings
from pymongo import MongoClient

from deploy.local.broker import embedded_broker
from deploy.local.kafka import apache_kafka
from deploy.local.mongodb import mongodb
from deploy.operating.topics import admin_client, create_topics
from schemas.topics import TOPICS

T = TypeVar("T")

# How long an example takes says something of the machine alone.
settings.register_profile("unhurried", deadline=None)
settings.load_profile("unhurried")

PATIENCE = 120.0
"""Seconds in which something that has to come true does so on the slowest of machines."""

KAFKA, REAL, LATER = "CONNECTE_TEST_KAFKA", "apache", "later"
PLAYED_OVER_A_REAL_ONE = "kafka_if_real"
BROKERS = {"kafka_bootstrap", "fresh_kafka", PLAYED_OVER_A_REAL_ONE, "kafka_idempotent"}
"""The fixtures by which a test comes by a broker."""


@pytest.hookimpl(wrapper=True)
def pytest_collection() -> Iterator[None]:
    """Gather without the collector: twelve thousand tests and all their modules stay for good.

    Nor does it look at them again afterwards.
    """
    gc.disable()
    try:
        return (yield)
    finally:
        gc.freeze()
        gc.enable()


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Choose what this run is for; spread whole platforms among the rest."""
    if unlike := [item.nodeid for item in items if " at 0x" in item.nodeid]:
        # Another worker would call it by another name, and none of them would begin.
        raise pytest.UsageError(f"a test is called by an address in memory: {unlike[0]}")
    kafka = os.environ.get(KAFKA)
    config.hook.pytest_deselected(items=[item for item in items if not _is_for(kafka, item)])
    items[:] = [item for item in items if _is_for(kafka, item)]
    places = _places(list(dict.fromkeys(item.path for item in items)))
    items.sort(key=lambda item: places[item.path])


def _is_for(kafka: str | None, item: pytest.Item) -> bool:
    """What never meets a broker is the same over another one; what later will, need not now."""
    fixtures: set[str] = set(getattr(item, "fixturenames", ()))
    if kafka == REAL:
        return bool(fixtures & BROKERS) or item.get_closest_marker("kafka") is not None
    return kafka != LATER or PLAYED_OVER_A_REAL_ONE not in fixtures


def _places(files: list[Path]) -> dict[Path, float]:
    """Where each file stands: whole platforms, which wait much, are spread among what computes.

    So workers beyond the number of processors find something to do while others wait, and the last
    file is none that takes minutes.
    """
    running = [file for file in files if "pytest.mark.journey" in file.read_text(encoding="utf-8")]
    others = [file for file in files if file not in running]
    apart = len(others) / max(1, len(running))
    return {file: place * apart - 0.5 for place, file in enumerate(running)} | {
        file: float(place) for place, file in enumerate(others)
    }


@contextmanager
def in_its_own_loop(part: AbstractAsyncContextManager[T]) -> Iterator[T]:
    """An asynchronous part for synchronous fixtures, in this thread: children die with theirs."""
    with asyncio.Runner(loop_factory=asyncio.new_event_loop) as runner:
        value = runner.run(_entered(part))
        try:
            yield value
        finally:
            runner.run(_left(part))


async def _entered(part: AbstractAsyncContextManager[T]) -> T:
    return await part.__aenter__()


async def _left(part: AbstractAsyncContextManager[Any]) -> None:
    await part.__aexit__(None, None, None)


async def eventually(holds: Callable[[], Awaitable[T]], within: float = PATIENCE) -> T:
    """What `holds` gives, once that is true.

    The longer it takes, the more seldom it is asked: what is waited for needs the processor too.
    """
    begun = time.monotonic()
    while not (found := await holds()):
        waited = time.monotonic() - begun
        assert waited < within, f"it did not come true within {within:g} s"
        await asyncio.sleep(min(0.02 + waited / 20, 0.5))
    return found


# --- the database ---------------------------------------------------------------------------


@pytest.fixture(scope="session")
def mongodb_uri(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A MongoDB with transactions."""
    with in_its_own_loop(mongodb(tmp_path_factory.mktemp("mongodb"))) as uri:
        yield uri


@pytest.fixture
def database(mongodb_uri: str) -> Iterator[str]:
    """A name that no database of any other test begins with; what begins with it is dropped."""
    name = f"test_{secrets.token_hex(6)}"
    yield name
    with MongoClient[dict[str, Any]](mongodb_uri) as client:
        for found in client.list_database_names():
            if found.startswith(name):
                client.drop_database(found)


# --- the broker -----------------------------------------------------------------------------


def _real() -> bool:
    return os.environ.get(KAFKA) == REAL


@asynccontextmanager
async def _apache(directory: Path) -> AsyncIterator[str]:
    async with apache_kafka(directory) as cluster:
        yield cluster.bootstrap


@pytest.fixture(scope="session")
def kafka_bootstrap(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of a broker that all tests share; its topics are the test's own affair."""
    start = _apache if _real() else embedded_broker
    with in_its_own_loop(start(tmp_path_factory.mktemp("kafka"))) as bootstrap:
        yield bootstrap


@pytest.fixture(scope="session")
def kafka_idempotent() -> bool:
    """Whether the broker knows idempotent producers."""
    return _real()


@pytest.fixture
def fresh_kafka(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """The address of a broker on which nobody has used the platform's topics or groups.

    An embedded one is the test's own. On a real one, which takes seconds to start, the topics of
    earlier tests are deleted, and the offsets of their groups with them.
    """
    if _real():
        bootstrap = request.getfixturevalue("kafka_bootstrap")
        with asyncio.Runner() as runner:
            runner.run(delete_topics(bootstrap, list(TOPICS)))
        yield bootstrap
        return
    with in_its_own_loop(embedded_broker(tmp_path)) as bootstrap:
        yield bootstrap


@pytest.fixture
def kafka_if_real(request: pytest.FixtureRequest) -> str | None:
    """A real Kafka without topics where the connected tests use one; None: the embedded broker."""
    if not _real():
        return None
    bootstrap: str = request.getfixturevalue("fresh_kafka")
    return bootstrap


def admin_of(bootstrap: str) -> AbstractAsyncContextManager[AIOKafkaAdminClient]:
    return admin_client({"bootstrap_servers": bootstrap})


async def table_of_topics(bootstrap: str, partitions: int) -> None:
    """Create the platform's topics, and wait until they are there."""

    async def created() -> bool:
        # A real broker still refuses for a moment what has just been deleted.
        with contextlib.suppress(RuntimeError):
            await create_topics({"bootstrap_servers": bootstrap}, partitions=partitions)
            return True
        return False

    await eventually(created)
    await _until_listed(bootstrap, set(TOPICS), present=True)


async def new_topic(bootstrap: str, name: str, partitions: int, **config: str) -> None:
    """Create one topic, and wait until it is there."""
    topic = NewTopic(name, partitions, 1, topic_configs=config)

    async def created() -> bool:
        async with admin_of(bootstrap) as admin:
            answer = await admin.create_topics([topic])
        return bool(answer.topic_errors[0][1] == 0)

    await eventually(created)
    await _until_listed(bootstrap, {name}, present=True)


async def delete_topics(bootstrap: str, names: list[str]) -> None:
    """Delete those that exist, and wait until they are gone."""
    async with admin_of(bootstrap) as admin:
        there = set(await admin.list_topics()) & set(names)
        if there:
            await admin.delete_topics(sorted(there))
    await _until_listed(bootstrap, set(names), present=False)


async def _until_listed(bootstrap: str, names: set[str], *, present: bool) -> None:
    async def listed() -> bool:
        async with admin_of(bootstrap) as admin:
            there = names & set(await admin.list_topics())
        return there == (names if present else set())

    await eventually(listed)
