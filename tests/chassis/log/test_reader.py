"""A partition that cannot be read is in trouble alone, and says so; a poll takes what fits."""

import asyncio
import secrets
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from aiokafka import TopicPartition
from aiokafka.errors import CorruptRecordException, TopicAuthorizationFailedError

from deploy.local.broker import embedded_broker
from deploy.operating.topics import create_topics
from schemas.envelope import Record
from services.chassis.log import reader as reading
from services.chassis.log.contract import unopened
from services.chassis.log.kafka import KafkaLog
from services.chassis.log.opening import ZSTD
from services.chassis.log.reader import POLL_BYTES, Reader
from tests.chassis.log.foreign import batch_of, send_batch
from tests.chassis.toy import MATCHING
from tests.conftest import PATIENCE, eventually, new_topic

MIB = 1024 * 1024
FOR_EVER = 10 * PATIENCE


@pytest.fixture
async def log(kafka_bootstrap: str, kafka_idempotent: bool) -> AsyncIterator[KafkaLog]:
    found = KafkaLog({"bootstrap_servers": kafka_bootstrap}, idempotent=kafka_idempotent)
    await found.start()
    yield found
    await found.stop()


@pytest.fixture
async def topic(kafka_bootstrap: str) -> str:
    name = f"test.{secrets.token_hex(6)}"
    await new_topic(kafka_bootstrap, name, 3, **{"max.message.bytes": str(8 * MIB)})
    return name


@pytest.fixture
def corrupt(kafka_idempotent: bool) -> bytes:
    """A batch whose checksum is wrong, as after a fault of a disk."""
    if kafka_idempotent:
        pytest.skip("a real broker looks at checksums when it takes a batch: the embedded one not")
    return batch_of([(b"k", b"never", [])] * 2, checksum=12345)


class Reading:
    """A reader of all partitions, and what it was given."""

    def __init__(self, bootstrap: str, topic: str, gather: float = 0.0) -> None:
        self.errors: list[Exception] = []
        self.values: dict[int, list[Any]] = {0: [], 1: [], 2: []}
        self.places = [TopicPartition(topic, p) for p in self.values]
        self.reader = Reader(
            bootstrap_servers=bootstrap,
            enable_auto_commit=False,
            fetch_max_wait_ms=20,
            on_error=self.errors.append,
            gather=gather,
        )

    async def __aenter__(self) -> "Reading":
        await self.reader.start()
        self.reader.assign(self.places)
        for place in self.places:
            self.reader.seek(place, 0)
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.reader.stop()

    async def poll(self, most: int = 500) -> list[Any]:
        found = await self.reader.getmany(timeout_ms=50, max_records=most)
        for place, rows in found.items():
            self.values[place.partition] += rows
        return [row for rows in found.values() for row in rows]

    async def until(self, *counts: int) -> None:
        async def reached() -> bool:
            await self.poll()
            return [len(rows) for rows in self.values.values()] == list(counts)

        await eventually(reached)


def numbered(topic: str, partition: int, count: int) -> list[Record]:
    return [Record(topic, partition, b"k", b"%d" % number) for number in range(count)]


async def test_a_partition_that_cannot_be_read_holds_up_no_other_and_loses_nothing_of_any(
    kafka_bootstrap: str, log: KafkaLog, topic: str, corrupt: bytes
) -> None:
    await log.publish([r for p in (0, 1, 2) for r in numbered(topic, p, 100)])
    await send_batch(kafka_bootstrap, topic, 1, corrupt)
    await log.publish([r for p in (0, 1, 2) for r in numbered(topic, p, 100)])

    async with Reading(kafka_bootstrap, topic) as found:
        await found.until(200, 100, 200)

        async def in_trouble() -> bool:
            await found.poll()
            return bool(found.reader.troubles)

        await eventually(in_trouble)
        [(place, trouble)] = found.reader.troubles.items()
        assert (place.partition, trouble.offset) == (1, 100)
        assert "checksum" in trouble.words
        await log.publish([r for p in (0, 2) for r in numbered(topic, p, 50)])
        await found.until(250, 100, 250)
        for partition in (0, 2):
            assert [row.offset for row in found.values[partition]] == list(range(250))
        assert {type(error) for error in found.errors} == {CorruptRecordException}

    with pytest.raises(CorruptRecordException):
        [row async for rows in log.read(topic, 1) for row in rows]


async def test_what_could_not_be_read_is_asked_for_again_and_not_again_and_again(
    kafka_bootstrap: str, topic: str, corrupt: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    await send_batch(kafka_bootstrap, topic, 1, corrupt)
    async with Reading(kafka_bootstrap, topic) as found:

        async def told() -> bool:
            await found.poll()
            return bool(found.errors)

        await eventually(told)
        for _ in range(20):
            await found.poll()
        assert len(found.errors) == 1

        monkeypatch.setattr(reading, "REST_SECONDS", 0.0)
        [trouble] = found.reader.troubles.values()
        trouble.again = 0.0

        async def told_again() -> bool:
            await found.poll()
            return len(found.errors) > 2

        await eventually(told_again)

        # given that somebody decides to go on behind it
        found.reader.seek(found.places[1], 2)
        await send_batch(kafka_bootstrap, topic, 1, batch_of([(b"k", b"after", [])]))
        await found.until(0, 1, 0)
        assert found.reader.troubles == {}


async def test_a_partition_that_may_be_read_again_is_in_trouble_no_more_though_nothing_is_new(
    kafka_bootstrap: str, topic: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reading, "REST_SECONDS", 0.05)
    async with Reading(kafka_bootstrap, topic) as found:
        place = found.places[0]
        await found.poll()
        found.reader._fetcher._set_error(place, TopicAuthorizationFailedError(topic))
        await found.poll()
        assert found.reader.troubles.keys() == {place}

        async def well() -> bool:
            await found.poll()
            return not found.reader.troubles

        await eventually(well)
        assert len(found.errors) == 1


async def test_a_batch_that_nobody_can_open_is_one_record_and_what_follows_is_read(
    kafka_bootstrap: str, log: KafkaLog, topic: str
) -> None:
    await log.publish(numbered(topic, 0, 3))
    bomb = batch_of([(None, bytes(6 * MIB), [])] * 4, ZSTD)
    assert await send_batch(kafka_bootstrap, topic, 0, bomb) == 3
    await log.publish(numbered(topic, 0, 3))

    async with Reading(kafka_bootstrap, topic) as found:
        await found.until(7, 0, 0)
        rows = found.values[0]
        assert [row.offset for row in rows] == [0, 1, 2, 6, 7, 8, 9]
        assert unopened(rows[3].headers) == "its records are more than 8388608 bytes"
        assert len(rows[3].value) == len(bomb)
        assert found.reader.troubles == {}
    assert len([row async for rows in log.read(topic, 0) for row in rows]) == 7


async def test_a_poll_takes_no_more_than_its_bytes_and_one_record(
    kafka_bootstrap: str, topic: str
) -> None:
    batch = batch_of([(None, bytes(MIB), [("h", bytes(MIB // 2))])] * 5, ZSTD)
    assert len(batch) < 10_000
    for partition in range(3):
        for _ in range(2):
            await send_batch(kafka_bootstrap, topic, partition, batch)

    async with Reading(kafka_bootstrap, topic) as found:
        sizes = []
        while len(sizes) < 10:
            rows = await found.poll()
            if rows:
                sizes.append(len(rows))
        assert max(sizes) * 1.5 * MIB <= POLL_BYTES + 1.5 * MIB
        await found.until(10, 10, 10)


async def test_who_left_off_in_the_middle_of_a_batch_gets_the_rest_of_it(
    kafka_bootstrap: str, topic: str
) -> None:
    rows = [(b"k", b"%d" % number, []) for number in range(50)]
    await send_batch(kafka_bootstrap, topic, 2, batch_of(rows, ZSTD))
    async with Reading(kafka_bootstrap, topic) as found:
        while len(found.values[2]) < 50:
            assert len(await found.poll(most=7)) <= 7
        assert [row.value for row in found.values[2]] == [value for _, value, _ in rows]


async def test_what_comes_one_by_one_to_who_is_busy_is_handed_out_together(
    kafka_bootstrap: str, topic: str, log: KafkaLog
) -> None:
    async with Reading(kafka_bootstrap, topic, gather=FOR_EVER) as found:
        await log.publish(numbered(topic, 0, 1))
        await found.until(1, 0, 0)  # at once, for nothing was handed out before
        poll = asyncio.create_task(found.poll(most=6))
        for partition in (0, 1, 2, 0, 1, 2):
            await log.publish(numbered(topic, partition, 1))
        async with asyncio.timeout(PATIENCE):
            assert len(await poll) == 6


async def test_what_was_gathered_is_not_read_until_it_is_handed_out_nor_lost_with_a_poll(
    kafka_bootstrap: str, topic: str, log: KafkaLog
) -> None:
    async with Reading(kafka_bootstrap, topic, gather=FOR_EVER) as found:
        place, other = found.places[:2]
        await log.publish(numbered(topic, 0, 1))
        await found.until(1, 0, 0)
        await log.publish([*numbered(topic, 0, 2), *numbered(topic, 1, 1)])
        poll = asyncio.create_task(found.poll())

        async def gathered() -> bool:
            return found.reader.end(place) == 3 and found.reader.end(other) == 1

        await eventually(gathered)
        poll.cancel()
        await asyncio.wait([poll])
        assert (found.reader.at(place), found.reader.at(other)) == (1, 0)
        found.reader.seek(other, 0)  # as whoever takes over reads again
        async with asyncio.timeout(PATIENCE):
            rows = await found.poll(most=3)
        assert sorted((row.partition, row.offset) for row in rows) == [(0, 1), (0, 2), (1, 0)]


async def test_a_broker_that_is_away_is_silent_and_one_that_has_nothing_new_is_not(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reading, "SILENT_SECONDS", 0.5)
    async with AsyncExitStack() as broker:
        bootstrap = await broker.enter_async_context(embedded_broker(tmp_path))
        await create_topics({"bootstrap_servers": bootstrap}, partitions=3)
        async with Reading(bootstrap, MATCHING) as found:
            for _ in range(3):
                await eventually(partial(heard_since, found, found.reader.heard))
            found.reader.pause(*found.places)
            await broker.aclose()
            await found.poll()
            assert found.reader.heard == found.reader.polled  # nothing is asked for
            assert found.reader.silent is None
            found.reader.resume(*found.places)

            async def silent() -> Any:
                await found.poll()
                return found.reader.silent

            assert "does not answer" in (await eventually(silent)).words


async def heard_since(found: Reading, moment: float) -> bool:
    await found.poll()
    return found.reader.heard > moment


async def test_who_stops_a_reader_whose_broker_is_away_goes_on_and_nothing_is_left_of_it(
    tmp_path: Path,
) -> None:
    async with AsyncExitStack() as broker:
        bootstrap = await broker.enter_async_context(embedded_broker(tmp_path))
        await create_topics({"bootstrap_servers": bootstrap}, partitions=3)
        before = asyncio.all_tasks()
        async with Reading(bootstrap, MATCHING) as found:
            await eventually(partial(heard_since, found, found.reader.heard))
            await broker.aclose()

            async def waits() -> bool:
                """Whether a fetch waits for the broker to be there again."""
                await found.poll()
                return bool(found.reader._fetcher._pending_tasks)

            await eventually(waits)
    assert asyncio.all_tasks() <= before


async def test_who_is_idle_lets_the_broker_wait_for_longer_and_who_put_something_down_does_not(
    kafka_bootstrap: str, topic: str, log: KafkaLog, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reading, "IDLE_SECONDS", 0.0)
    places = [TopicPartition(topic, partition) for partition in range(3)]
    reader = Reader(
        topic,
        bootstrap_servers=kafka_bootstrap,
        group_id=secrets.token_hex(6),
        enable_auto_commit=False,
        auto_offset_reset="earliest",
        fetch_max_wait_ms=20,
    )
    await reader.start()
    try:

        async def waits(milliseconds: int) -> bool:
            await reader.getmany(timeout_ms=50)
            return reader._fetcher._fetch_max_wait_ms == milliseconds

        await eventually(partial(waits, 20 * reading.IDLE_TIMES))
        reader.pause(places[0])
        assert await waits(20)
        reader.resume(places[0])
        assert await waits(20 * reading.IDLE_TIMES)

        await log.publish(numbered(topic, 1, 1))

        async def handed_out() -> bool:
            return bool(await reader.getmany(timeout_ms=50))

        await eventually(handed_out)
        monkeypatch.setattr(reading, "IDLE_SECONDS", FOR_EVER)
        assert await waits(20)
    finally:
        await reader.stop()


async def test_who_waits_for_records_looks_round_again_soon_or_when_it_is_woken(
    kafka_bootstrap: str, topic: str
) -> None:
    looks = asyncio.Queue[None]()
    async with Reading(kafka_bootstrap, topic) as found:
        reader, soon = found.reader, True

        def look() -> bool:
            looks.put_nowait(None)
            return soon

        reader.on_poll = look
        assert await reader.getmany(timeout_ms=int(FOR_EVER * 1000)) == {}
        soon = False
        waiting = asyncio.create_task(reader.getmany(timeout_ms=int(FOR_EVER * 1000)))
        for _ in range(2):
            await looks.get()
        await asyncio.sleep(0)
        reader.wake()
        assert await waiting == {}
