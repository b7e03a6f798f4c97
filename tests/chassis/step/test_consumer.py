"""What the owner of partitions does on a broker: rebalances, places, and resets (G7)."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from typing import Any, cast

import pytest
from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.admin import RecordsToDelete
from aiokafka.coordinator.assignors.range import RangePartitionAssignor
from pymongo.errors import AutoReconnect

from schemas.base import Message
from schemas.envelope import Record, attributes, encode
from schemas.topics import TOPICS, partition_of
from services.chassis.clock import Clock
from services.chassis.documents import ParkedRecord
from services.chassis.http.health import Health
from services.chassis.log.broker import ReadingBroker
from services.chassis.log.contract import Received
from services.chassis.log.kafka import KafkaLog
from services.chassis.log.opening import ZSTD
from services.chassis.log.topic_ids import topic_ids
from services.chassis.runtime import nature_of
from services.chassis.step.consumer import Consumer, Pace
from services.chassis.step.own_journal import DatabaseOutdated
from services.chassis.step.ports import Ports
from services.chassis.step.resets import LogReset
from services.chassis.step.stepper import Stepper
from services.chassis.store.contract import Commit, Store
from services.chassis.store.mongo import MongoStore
from services.chassis.watch.metrics import Metrics
from tests.chassis.faults import Trip, Tripping
from tests.chassis.log.foreign import batch_of, send_batch, transactional, write
from tests.chassis.toy import (
    COMMANDS,
    KINDS,
    MATCHING,
    PRIVATE,
    READ,
    TOY,
    Tally,
    cohort_on,
    confirm,
    formed,
    metric,
)
from tests.conftest import PATIENCE, admin_of, delete_topics, eventually, new_topic, table_of_topics

TWO = 2  # partitions
ZERO, ONE = cohort_on(0, TWO), cohort_on(1, TWO)
SESSION_MS = 1000


@dataclass
class Member:
    """One process of the service."""

    stepper: Stepper
    broker: ReadingBroker
    consumer: Consumer
    faults: list[Exception] = field(default_factory=list)

    async def fault(self) -> Exception:
        async def failed() -> Exception | None:
            return self.faults[0] if self.faults else None

        return await eventually(failed)


@dataclass
class Site:
    """What members share."""

    bootstrap: str
    store: MongoStore
    log: KafkaLog
    sequences: dict[int, int] = field(default_factory=dict)

    @asynccontextmanager
    async def member(self, store: Store | None = None) -> AsyncIterator[Member]:
        """A member of the group, for as long as the block lasts."""
        ports = Ports(store or self.store, self.log, Clock(), Metrics("scheduling"), nature_of)
        stepper = Stepper(TOY, ports, TWO)
        broker = ReadingBroker(self.bootstrap, allow_auto_create_topics=False, logger=None)
        faults: list[Exception] = []
        consumer = Consumer(
            broker,
            READ,
            stepper,
            self.log,
            faults.append,
            Pace(batch=100, gather_ms=50, session_timeout_ms=SESSION_MS, fetch_wait_ms=50),
        )
        await broker.start()
        try:
            yield Member(stepper, broker, consumer, faults)
        finally:
            await broker.stop()

    async def publish(self, *messages: Message) -> None:
        await self.log.publish([self.record(message) for message in messages])

    def record(self, message: Message) -> Record:
        partition = partition_of(message.cohort_id, TWO)
        topic = COMMANDS if type(message) in TOPICS[COMMANDS].types else MATCHING
        sequence = None
        if topic == MATCHING:
            sequence = self.sequences[partition] = self.sequences.get(partition, 0) + 1
        source = f"/mentoring/matching/events/{partition}"
        now = Clock().now()
        return encode(message, topic, partition, id="1", source=source, time=now, sequence=sequence)

    async def tallies(self) -> dict[str, int]:
        return {tally.key: tally.count for tally in await self.store.page(Tally, limit=1000)}

    def counts(self, expected: dict[str, int]) -> Callable[[], Awaitable[bool]]:
        async def reached() -> bool:
            return await self.tallies() == expected

        return reached

    async def committed(self) -> dict[TopicPartition, int | None]:
        """The group's offsets, as the broker remembers them."""
        asking = AIOKafkaConsumer(
            bootstrap_servers=self.bootstrap,
            group_id="mentoring.scheduling",
            enable_auto_commit=False,
        )
        await asking.start()
        try:
            places = [TopicPartition(topic, p) for topic in READ for p in range(TWO)]
            return {place: await asking.committed(place) for place in places}
        finally:
            await asking.stop()


@pytest.fixture
async def site(
    fresh_kafka: str, mongodb_uri: str, database: str, kafka_idempotent: bool
) -> AsyncIterator[Site]:
    await table_of_topics(fresh_kafka, TWO)
    async with AsyncExitStack() as stack:
        store = MongoStore(mongodb_uri, database, KINDS)
        stack.push_async_callback(store.close)
        await store.open()
        log = KafkaLog({"bootstrap_servers": fresh_kafka}, idempotent=kafka_idempotent)
        stack.push_async_callback(log.stop)
        await log.start()
        found = Site(fresh_kafka, store, log)

        async def nothing_committed() -> bool:
            return not any((await found.committed()).values())

        await eventually(nothing_committed)
        yield found


def owns(member: Member, *partitions: int) -> Callable[[], Awaitable[bool]]:
    async def is_so() -> bool:
        assert member.faults == []
        return set(member.stepper.owned) == set(partitions)

    return is_so


async def test_two_members_share_the_partitions_and_who_loses_one_writes_to_it_no_more(
    site: Site,
) -> None:
    async with site.member() as first:
        await eventually(owns(first, 0, 1))
        await site.publish(formed("m~g", ZERO), formed("m~g", ONE))
        await eventually(site.counts({f"{ZERO}/m~g": 0, f"{ONE}/m~g": 0}))

        async with site.member() as second:

            async def shared() -> bool:
                one, two = set(first.stepper.owned), set(second.stepper.owned)
                return len(one) == len(two) == 1 and one | two == {0, 1}

            await eventually(shared)
            await site.publish(*(confirm("m~g", n, c) for n in (1, 2) for c in (ZERO, ONE)))
            await eventually(site.counts({f"{ZERO}/m~g": 2, f"{ONE}/m~g": 2}))

            lost = next(iter(second.stepper.owned))
            before = (await site.store.places([lost]))[lost]
            late = [row async for rows in site.log.read(COMMANDS, lost) for row in rows]
            assert await first.stepper.handle(late) == {}
            assert (await site.store.places([lost]))[lost] == before
            assert first.faults == second.faults == []

        await eventually(owns(first, 0, 1))
        await site.publish(confirm("m~g", 3, ZERO), confirm("m~g", 3, ONE))
        await eventually(site.counts({f"{ZERO}/m~g": 3, f"{ONE}/m~g": 3}))


async def test_the_lag_is_what_the_broker_has_and_no_step_has_made_however_long_one_takes(
    site: Site,
) -> None:
    async with site.member() as first:
        await eventually(owns(first, 0, 1))
        assert set(await first.consumer.lags()) == {(t, p) for t in READ for p in range(TWO)}
        async with first.stepper._turn:  # a step that does not come to its end
            await site.publish(formed("m~g", ZERO))
            await site.publish(*(confirm("m~g", n, ZERO) for n in (1, 2, 3)))
            waiting = await first.consumer.lags()
            assert waiting[MATCHING, 0] == 1
            assert waiting[COMMANDS, 0] > 0
            assert {lag for (_, p), lag in waiting.items() if p == 1} == {0}

        async def none_waits() -> bool:
            return not any((await first.consumer.lags()).values())

        await eventually(none_waits)

        async with site.member() as second:

            async def counted_once() -> bool:
                one, two = await first.consumer.lags(), await second.consumer.lags()
                return len(one) == len(two) == len(READ) and not one.keys() & two.keys()

            await eventually(counted_once)


async def test_work_begins_where_the_database_says_and_not_where_the_broker_remembers(
    site: Site,
) -> None:
    # given a broker that remembers more than what was handled
    async with site.member() as first:
        await eventually(owns(first, 0, 1))
        await site.publish(formed("m~g", ZERO))
        await eventually(site.counts({f"{ZERO}/m~g": 0}))
        await site.publish(confirm("m~g", 1, ZERO))
        await eventually(site.counts({f"{ZERO}/m~g": 1}))
    await site.publish(confirm("m~g", 2, ZERO), confirm("m~g", 3, ZERO))
    forward = AIOKafkaConsumer(
        *READ,
        bootstrap_servers=site.bootstrap,
        group_id="mentoring.scheduling",
        enable_auto_commit=False,
        session_timeout_ms=SESSION_MS,
        heartbeat_interval_ms=SESSION_MS // 4,
        partition_assignment_strategy=(RangePartitionAssignor,),
    )
    place = TopicPartition(COMMANDS, 0)
    await forward.start()
    try:
        await forward.commit({place: 2})
    finally:
        await forward.stop()
    assert (await site.committed())[place] == 2

    async with site.member():
        await eventually(site.counts({f"{ZERO}/m~g": 3}))

    found = [row async for rows in site.log.read(PRIVATE, 0) for row in rows]
    # Whoever ended before hearing that it had published leaves it to be published again: same id.
    read = {read.id: read.type for read in (attributes(row.headers) for row in found)}
    names = list(read.values())
    assert sum("PairFormed" in name for name in names) == 1
    assert sum("PlanningBegan" in name for name in names) == 3


class Stubborn:
    """A store that commits nothing for as long as it is `away`. `tried`: how often it was asked."""

    def __init__(self, inner: MongoStore) -> None:
        self.inner = inner
        self.away = False
        self.tried = 0

    def __getattr__(self, name: str) -> Any:
        return getattr(self.inner, name)

    async def commit(self, commit: Commit) -> None:
        self.tried += 1
        if self.away:
            raise AutoReconnect("away")
        await self.inner.commit(commit)


async def test_what_follows_an_abandoned_step_is_not_handled_before_it(site: Site) -> None:
    store = Stubborn(site.store)
    spot = MATCHING, 0
    async with site.member(cast(Store, store)) as first:
        await eventually(owns(first, 0, 1))
        await site.publish(formed("m~g", ZERO))
        await eventually(site.counts({f"{ZERO}/m~g": 0}))

        # given that it lets go of its partitions while a letter is still being handed over
        store.away, store.tried = True, 0
        await site.publish(formed("m~h", ZERO))
        await eventually(lambda: _is(store.tried > 0))
        async with first.stepper._deciding:
            letting_go = asyncio.create_task(first.stepper.leave([0, 1]))
            await eventually(lambda: _is(not first.stepper._turn.locked()))  # it was abandoned
            store.away = False
            # when more comes meanwhile
            await site.publish(formed("m~i", ZERO))
            await eventually(lambda: _is(first.consumer._handed[spot] == 3))
        await letting_go
        assert first.faults == []

    # then whoever owns it next handles all of it, and nothing stands aside
    async with site.member():
        await eventually(site.counts({f"{ZERO}/m~{g}": 0 for g in "ghi"}))
    assert await site.store.page(ParkedRecord, limit=9) == []


async def test_what_was_not_handled_for_a_fault_comes_again_before_what_follows_it(
    site: Site,
) -> None:
    async with site.member() as first:
        await eventually(owns(first, 0, 1))
        await site.publish(formed("m~g", ZERO))
        await eventually(site.counts({f"{ZERO}/m~g": 0}))

        handle = first.stepper.handle

        async def once(records: Sequence[Received]) -> dict[tuple[str, int], int]:
            first.stepper.handle = handle  # type: ignore[method-assign]
            raise RuntimeError("here")

        first.stepper.handle = once  # type: ignore[method-assign]
        await site.publish(formed("m~h", ZERO))
        await first.fault()
        await site.publish(formed("m~i", ZERO))
        await eventually(site.counts({f"{ZERO}/m~{g}": 0 for g in "ghi"}))
    assert await site.store.page(ParkedRecord, limit=9) == []


async def _is(so: bool) -> bool:
    return so


async def test_a_member_that_ends_while_it_takes_over_calls_nothing_a_fault(site: Site) -> None:
    asked, answered = asyncio.Event(), asyncio.Event()

    async def slowly() -> None:
        asked.set()
        await answered.wait()

    site.store = Tripping(site.store, Trip(1, "after", slowly, "places"))  # type: ignore[assignment]
    async with site.member() as member:
        async with asyncio.timeout(PATIENCE):
            await asked.wait()
    others = asyncio.all_tasks() - {asyncio.current_task()}

    answered.set()
    await asyncio.wait(others, timeout=1)

    assert member.faults == []


async def _worked(site: Site) -> None:
    """The service has handled something of every topic, and stopped."""
    async with site.member() as member:
        await eventually(owns(member, 0, 1))
        await site.publish(formed("m~g", ZERO), formed("m~h", ZERO), formed("m~g", ONE))
        await eventually(site.counts({f"{ZERO}/m~g": 0, f"{ZERO}/m~h": 0, f"{ONE}/m~g": 0}))
        await site.publish(confirm("m~g", 1, ZERO), confirm("m~g", 1, ONE))
        await eventually(site.counts({f"{ZERO}/m~g": 1, f"{ZERO}/m~h": 0, f"{ONE}/m~g": 1}))

        async def remembered() -> bool:
            return (await site.committed())[TopicPartition(MATCHING, 0)] == 2

        await eventually(remembered)


@pytest.mark.parametrize("records", [0, 1, 5])
async def test_a_topic_that_was_made_again_stops_the_service_however_long_it_has_become(
    site: Site, records: int
) -> None:
    await _worked(site)
    before = await site.tallies()
    await delete_topics(site.bootstrap, [MATCHING])
    await new_topic(site.bootstrap, MATCHING, TWO)
    site.sequences.clear()
    await site.publish(*(formed(f"n~{number}", ZERO) for number in range(records)))

    async with site.member() as member:
        fault = await member.fault()

    assert isinstance(fault, LogReset)
    assert f"{MATCHING} was deleted and made again" in str(fault)
    assert await site.tallies() == before


async def test_a_topic_that_was_made_again_shorter_is_noticed_without_its_id_too(
    site: Site,
) -> None:
    await _worked(site)
    await delete_topics(site.bootstrap, [MATCHING])
    await new_topic(site.bootstrap, MATCHING, TWO)
    await site.store.database["topics"].delete_many({})

    async with site.member() as member:
        fault = await member.fault()

    assert isinstance(fault, LogReset)
    assert f"{MATCHING}/" in str(fault)
    assert "before the stored position" in str(fault)


async def test_a_database_restored_from_an_older_copy_stops_the_service_and_nothing_is_published(
    site: Site,
) -> None:
    await _worked(site)
    database = site.store.database
    copied = {n: await database[n].find().to_list(None) for n in await _collections(site)}
    async with site.member() as member:
        for number in (2, 3, 4):
            await site.publish(confirm("m~g", number, ZERO))
            count = {f"{ZERO}/m~g": number, f"{ZERO}/m~h": 0, f"{ONE}/m~g": 1}
            await eventually(site.counts(count))
        assert member.faults == []
    published = [row async for rows in site.log.read(PRIVATE, 0) for row in rows]
    for name in await _collections(site):
        await database[name].delete_many({})
        if copied[name]:
            await database[name].insert_many(copied[name])

    async with site.member() as member:
        fault = await member.fault()

    assert isinstance(fault, DatabaseOutdated)
    assert "/0 has event" in str(fault)
    assert "connecte rebuild scheduling" in str(fault)
    assert [row async for rows in site.log.read(PRIVATE, 0) for row in rows] == published
    assert (await site.tallies())[f"{ZERO}/m~g"] == 1


async def _collections(site: Site) -> list[str]:
    return sorted(await site.store.database.list_collection_names())


async def test_a_database_that_was_dropped_stops_the_service_and_names_the_way_back(
    site: Site,
) -> None:
    await _worked(site)
    await site.store.wipe()

    async with site.member() as member:
        fault = await member.fault()

    assert isinstance(fault, LogReset)
    assert "connecte rebuild scheduling" in str(fault)
    assert await site.tallies() == {}


@pytest.mark.kafka
async def test_records_deleted_before_they_were_handled_stop_the_service(
    site: Site, kafka_idempotent: bool
) -> None:
    if not kafka_idempotent:
        pytest.skip("the embedded broker deletes no records: CONNECTE_TEST_KAFKA=apache")
    await _worked(site)
    await site.publish(*(confirm("m~g", 1, ZERO) for _ in range(5)))
    async with admin_of(site.bootstrap) as admin:
        await admin.delete_records({TopicPartition(COMMANDS, 0): RecordsToDelete(before_offset=4)})

    async with site.member() as member:
        fault = await member.fault()

    assert isinstance(fault, LogReset)
    assert f"{COMMANDS}/0 begins at 4, after the stored position 1" in str(fault)


@pytest.mark.kafka
async def test_what_was_aborted_is_never_handled_and_the_markers_of_others_hold_up_nothing(
    site: Site, kafka_idempotent: bool
) -> None:
    if not kafka_idempotent:
        pytest.skip("the embedded broker knows no transactions: CONNECTE_TEST_KAFKA=apache")
    await site.publish(formed("m~g", ZERO))
    async with transactional(site.bootstrap, "stranger") as producer:
        # given a log of causes and one of commands that both end with a marker
        for record in (site.record(formed("n~g", ZERO)), site.record(confirm("m~g", 1, ZERO))):
            await producer.begin_transaction()
            await write(producer, [record])
            await producer.abort_transaction()
        site.sequences[0] -= 1
        async with producer.transaction():
            await write(producer, [site.record(confirm("m~g", 2, ZERO))])

    async with site.member() as member:
        await eventually(site.counts({f"{ZERO}/m~g": 1}))

        async def none_waits() -> bool:
            lags = await member.consumer.lags()
            return bool(lags) and not any(lags.values())

        await eventually(none_waits)
        assert not member.consumer.waits
        await site.publish(formed("m~h", ZERO))
        await eventually(site.counts({f"{ZERO}/m~g": 1, f"{ZERO}/m~h": 0}))
        assert member.faults == []


async def test_a_batch_that_cannot_be_opened_is_parked_and_what_follows_is_handled(
    site: Site, kafka_idempotent: bool
) -> None:
    if kafka_idempotent:
        pytest.skip("a real broker refuses a batch that cannot be opened: the embedded one not")
    rows = [(b"k", b"v", [])] * 3
    broken = batch_of(rows, ZSTD, stream=b"nonsense")

    async with site.member() as member:
        await eventually(owns(member, 0, 1))
        await site.publish(formed("m~g", ZERO))
        await eventually(site.counts({f"{ZERO}/m~g": 0}))
        await send_batch(site.bootstrap, COMMANDS, 0, broken)
        await site.publish(confirm("m~g", 1, ZERO))
        await eventually(site.counts({f"{ZERO}/m~g": 1}))

        [parked] = await site.store.page(ParkedRecord, limit=10)
        assert (parked.reason, parked.id) == ("bad-data", f"{COMMANDS}/0/2")
        assert parked.value == broken
        assert "the batch cannot be opened: its zstd cannot be read" in parked.detail
        assert Health(member.stepper, member.consumer).wrong == []
        assert member.faults == []


async def test_a_partition_that_the_broker_gives_corrupt_stands_alone_and_health_names_it(
    site: Site, kafka_idempotent: bool
) -> None:
    if kafka_idempotent:
        pytest.skip("a real broker looks at checksums when it takes a batch: the embedded one not")
    async with site.member() as member:
        await eventually(owns(member, 0, 1))
        await site.publish(formed("m~g", ZERO), formed("m~g", ONE))
        await eventually(site.counts({f"{ZERO}/m~g": 0, f"{ONE}/m~g": 0}))
        health = Health(member.stepper, member.consumer)
        assert health.ready
        corrupt = batch_of([(b"k", b"v", [])], checksum=12345)
        await send_batch(site.bootstrap, COMMANDS, 0, corrupt)
        await site.publish(*(confirm("m~g", n, c) for n in (1, 2, 3) for c in (ZERO, ONE)))
        await eventually(site.counts({f"{ZERO}/m~g": 0, f"{ONE}/m~g": 3}))

        async def named() -> bool:
            return bool(health.wrong)

        await eventually(named)
        [said] = health.wrong
        assert said == (
            f"{COMMANDS}/0 is not read on from offset 0: what the broker gives there is corrupt: "
            "its checksum is wrong"
        )
        assert health.ready, "the other partition works"
        assert health.alive, "a restart would mend nothing"
        assert member.consumer.errors() == {(COMMANDS, 0): "CorruptRecordException"}
        errors = metric(
            member.stepper, "mentoring_fetch_errors_total", error="CorruptRecordException"
        )
        assert errors >= 1
        assert member.faults == []


async def test_a_topic_keeps_its_id_until_it_is_made_again(fresh_kafka: str) -> None:
    connection = {"bootstrap_servers": fresh_kafka}
    for name in ("one", "two"):
        await new_topic(fresh_kafka, name, 1)

    first, again = [await topic_ids(connection, ["one", "two", "missing"]) for _ in range(2)]
    await delete_topics(fresh_kafka, ["one"])
    await new_topic(fresh_kafka, "one", 1)
    after = await topic_ids(connection, ["one", "two"])
    await delete_topics(fresh_kafka, ["one", "two"])

    assert first == again
    assert set(first) == {"one", "two"}
    assert len(set(first.values())) == 2
    assert after["one"] != first["one"]
    assert after["two"] == first["two"]


async def test_a_broker_too_old_to_tell_ids_is_no_error(caplog: pytest.LogCaptureFixture) -> None:
    # given a broker that knows Metadata up to version 5 only, and nothing else
    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while True:
                size = int.from_bytes(await reader.readexactly(4), "big")
                request = await reader.readexactly(size)
                key, version = request[:2], int.from_bytes(request[2:4], "big")
                writer.write(_framed(request[4:8], _old_answer(key, version, port)))
        except asyncio.IncompleteReadError:
            writer.close()

    server = await asyncio.start_server(answer, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]

    async with asyncio.timeout(PATIENCE), server:
        assert await topic_ids({"bootstrap_servers": f"127.0.0.1:{port}"}, ["one"]) == {}

    assert "the broker tells no topic ids" in caplog.text


def _framed(correlation: bytes, body: bytes) -> bytes:
    return (len(body) + 4).to_bytes(4, "big") + correlation + body


def _old_answer(key: bytes, version: int, port: int) -> bytes:
    """ApiVersions v0, or Metadata v0 to v5, of a cluster of one without topics."""
    if key == b"\x00\x12":
        if version:
            return b"\x00\x23" + b"\x00" * 4  # UNSUPPORTED_VERSION: ask with v0
        known = [(3, 0, 5), (18, 0, 0), (0, 0, 3), (1, 0, 4)]
        rows = b"".join(number.to_bytes(2, "big") for row in known for number in row)
        return b"\x00\x00" + len(known).to_bytes(4, "big") + rows
    host = b"127.0.0.1"
    broker = (0).to_bytes(4, "big") + len(host).to_bytes(2, "big") + host + port.to_bytes(4, "big")
    throttle = b"\x00" * 4 if version >= 3 else b""
    rack = b"\xff\xff" if version >= 1 else b""
    cluster = b"\xff\xff" if version >= 2 else b""
    controller = b"\x00" * 4 if version >= 1 else b""
    brokers = b"\x00\x00\x00\x01" + broker + rack
    return throttle + brokers + cluster + controller + b"\x00" * 4
