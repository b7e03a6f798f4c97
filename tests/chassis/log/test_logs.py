"""What every log does, the one in memory as the one on a broker.

What other clients may do, transactions above all, takes a real Kafka (`CONNECTE_TEST_KAFKA=apache`)
beside the twin. What the twin cannot catch: brokers that are away or lose what they have taken, the
last bytes of a size, batches that are corrupt on a broker's disk (`test_reader.py`).
"""

import asyncio
import secrets
from collections.abc import AsyncIterator

import pytest
from aiokafka.errors import MessageSizeTooLargeError, UnknownError

from schemas.envelope import Record
from services.chassis.log.contract import Log, Received
from services.chassis.log.kafka import BATCH_BYTES, KafkaLog
from services.chassis.log.memory import MemoryLog
from services.chassis.log.opening import GZIP, LZ4, SNAPPY, ZSTD
from services.chassis.log.sizes import MAX_REQUEST
from tests.chassis.log.foreign import batch_of, send_batch, transactional, write
from tests.conftest import PATIENCE, eventually, new_topic


@pytest.fixture(params=["memory", "kafka"])
def bootstrap(request: pytest.FixtureRequest) -> str | None:
    """The address of a broker, or None for the log in memory."""
    return None if request.param == "memory" else request.getfixturevalue("kafka_bootstrap")


@pytest.fixture
async def log(bootstrap: str | None, kafka_idempotent: bool) -> AsyncIterator[Log]:
    if bootstrap is None:
        yield MemoryLog()
        return
    kafka = KafkaLog({"bootstrap_servers": bootstrap}, idempotent=kafka_idempotent)
    await kafka.start()
    yield kafka
    await kafka.stop()


@pytest.fixture
async def topic(bootstrap: str | None) -> str:
    """A topic of three partitions that is nobody else's."""
    name = f"test.{secrets.token_hex(6)}"
    if bootstrap is not None:
        limit = {"max.message.bytes": str(MAX_REQUEST), "compression.type": "uncompressed"}
        await new_topic(bootstrap, name, 3, **limit)
    return name


async def read(log: Log, topic: str, partition: int = 0, start: int = 0) -> list[Received]:
    async with asyncio.timeout(PATIENCE):
        return [row async for rows in log.read(topic, partition, start) for row in rows]


def numbered(topic: str, count: int, partition: int = 0) -> list[Record]:
    return [Record(topic, partition, b"k", b"%d" % number) for number in range(count)]


async def test_publishing_gives_each_record_its_offset_in_the_order_given(
    log: Log, topic: str
) -> None:
    mixed = [Record(topic, p, b"k", b"%d" % n) for n, p in enumerate([0, 1, 0, 2, 1, 0])]

    assert await log.publish(mixed) == [0, 0, 1, 0, 1, 2]
    assert await log.publish(mixed) == [3, 2, 4, 1, 3, 5]

    assert [row.value for row in await read(log, topic, 0)] == [b"0", b"2", b"5"] * 2
    assert [row.offset for row in await read(log, topic, 1)] == [0, 1, 2, 3]


async def test_publishing_nothing_is_nothing(log: Log) -> None:
    assert await log.publish([]) == []


async def test_more_than_a_batch_holds_stays_in_order(log: Log, topic: str) -> None:
    filling = secrets.token_bytes(20_000)
    count = 3 * BATCH_BYTES // len(filling)
    records = [Record(topic, 0, b"k", b"%05d" % number + filling) for number in range(count)]

    offsets = await log.publish(records)

    found = await read(log, topic)
    assert offsets == list(range(count))
    assert [int((row.value or b"")[:5]) for row in found] == list(range(count))


async def test_a_record_larger_than_a_batch_is_published_in_its_turn(log: Log, topic: str) -> None:
    large = secrets.token_bytes(4 * BATCH_BYTES)
    records = [Record(topic, 0, b"k", value) for value in (b"before", large, b"after")]

    assert await log.publish(records) == [0, 1, 2]

    assert [row.value for row in await read(log, topic)] == [b"before", large, b"after"]


async def test_a_record_comes_back_as_it_was_published(log: Log, topic: str) -> None:
    headers = [("ce_id", "é".encode()), ("odd", b"\xff\x00"), ("null", None), ("ce_id", b"again")]
    records = [
        Record(topic, 2, b"key", b"value", headers),
        Record(topic, 2, None, b"value"),
        Record(topic, 2, b"key", None),
        Record(topic, 2, b"", b""),
    ]

    await log.publish(records)

    found = await read(log, topic, 2)
    assert [(row.topic, row.partition, row.offset) for row in found] == [
        (topic, 2, n) for n in range(4)
    ]
    assert [(row.key, row.value) for row in found] == [(r.key, r.value) for r in records]
    assert [tuple(header) for header in found[0].headers] == headers


async def test_reading_begins_at_the_offset_asked_for_and_ends_with_the_log(
    log: Log, topic: str
) -> None:
    await log.publish(numbered(topic, 10))

    assert [row.offset for row in await read(log, topic, start=7)] == [7, 8, 9]
    assert await read(log, topic, start=10) == []


async def test_there_is_nothing_past_the_end(log: Log, topic: str) -> None:
    await log.publish(numbered(topic, 10))

    assert await read(log, topic, start=11) == []


async def test_reading_an_empty_partition_ends(log: Log, topic: str) -> None:
    assert await read(log, topic, 1) == []


async def test_reading_comes_in_pieces_that_leave_nothing_out(log: Log, topic: str) -> None:
    await log.publish(numbered(topic, 2500))

    pieces = [rows async for rows in log.read(topic, 0)]

    assert len(pieces) > 1
    assert [row.offset for rows in pieces for row in rows] == list(range(2500))


async def test_sending_gives_the_record_its_offset_at_the_end(log: Log, topic: str) -> None:
    await log.publish(numbered(topic, 3, partition=1))

    assert await log.send(Record(topic, 1, b"k", b"sent", [("ce_id", b"1")])) == 3

    [found] = await read(log, topic, 1, start=3)
    assert found.value == b"sent"
    assert [tuple(header) for header in found.headers] == [("ce_id", b"1")]


async def test_many_can_publish_and_send_at_once_and_each_keeps_its_own_order(
    log: Log, topic: str
) -> None:
    def mine(who: int) -> list[Record]:
        return [Record(topic, 0, b"%d" % who, b"%d" % number) for number in range(50)]

    await asyncio.gather(*(log.publish(mine(who)) for who in range(4)))

    found = await read(log, topic)
    for who in range(4):
        values = [int(row.value or b"") for row in found if row.key == b"%d" % who]
        assert values == list(range(50))


# What other clients do


@pytest.fixture
def strict(bootstrap: str | None, kafka_idempotent: bool) -> None:
    """Not over the embedded broker, which knows no transactions and takes whatever it is sent."""
    if bootstrap is not None and not kafka_idempotent:
        pytest.skip("the embedded broker takes everything: CONNECTE_TEST_KAFKA=apache")


async def taken(log: Log, bootstrap: str | None, topic: str, batch: bytes) -> int:
    if isinstance(log, MemoryLog):
        return log.take(topic, 0, batch)
    assert bootstrap is not None
    return await send_batch(bootstrap, topic, 0, batch)


@pytest.mark.parametrize("codec", [0, GZIP, SNAPPY, LZ4, ZSTD])
async def test_a_batch_of_any_codec_is_read(
    log: Log, bootstrap: str | None, topic: str, codec: int
) -> None:
    rows = [(b"k", b"%d" % number * 100, [("h", b"v")]) for number in range(30)]

    assert await taken(log, bootstrap, topic, batch_of(rows, codec)) == 0

    assert [(r.key, r.value) for r in await read(log, topic)] == [(k, v) for k, v, _ in rows]


@pytest.mark.usefixtures("strict")
async def test_a_record_that_is_larger_than_its_topic_takes_is_refused(
    log: Log, topic: str
) -> None:
    large = Record(topic, 0, None, secrets.token_bytes(MAX_REQUEST))

    with pytest.raises(MessageSizeTooLargeError):
        await log.publish([large])

    assert await log.publish(numbered(topic, 1)) == [0]


@pytest.mark.usefixtures("strict")
@pytest.mark.parametrize("codec", [GZIP, LZ4, ZSTD])
async def test_a_limit_holds_against_what_is_inside_a_batch(
    log: Log, bootstrap: str | None, topic: str, codec: int
) -> None:
    batch = batch_of([(None, bytes(MAX_REQUEST // 2), [])] * 3, codec)
    assert len(batch) < MAX_REQUEST // 8

    with pytest.raises((MessageSizeTooLargeError, UnknownError)):
        await taken(log, bootstrap, topic, batch)

    assert await read(log, topic) == []


@pytest.mark.usefixtures("strict")
@pytest.mark.parametrize(("codec", "stream"), [(ZSTD, b"nonsense"), (GZIP, b""), (5, b"x")])
async def test_a_batch_that_nobody_can_open_is_refused(
    log: Log, bootstrap: str | None, topic: str, codec: int, stream: bytes
) -> None:
    with pytest.raises(UnknownError):
        await taken(log, bootstrap, topic, batch_of([(b"k", b"v", [])], codec, stream=stream))

    assert await read(log, topic) == []


@pytest.mark.usefixtures("strict")
@pytest.mark.parametrize("commit", [True, False])
async def test_a_transaction_is_read_once_it_is_committed_and_what_was_aborted_never(
    log: Log, bootstrap: str | None, topic: str, commit: bool
) -> None:
    await log.publish(numbered(topic, 1))
    mine = [Record(topic, 0, b"t", b"one"), Record(topic, 0, b"t", b"two")]
    inside = [b"one", b"two"] if commit else []

    if isinstance(log, MemoryLog):
        transaction = log.begin(mine)
        await log.publish(numbered(topic, 1))
        opened = await read(log, topic)
        log.conclude(transaction, commit=commit)
    else:
        assert bootstrap is not None
        async with transactional(bootstrap, topic) as producer:
            await producer.begin_transaction()
            await write(producer, mine)
            await log.publish(numbered(topic, 1))
            opened = await read(log, topic)
            await (producer.commit_transaction() if commit else producer.abort_transaction())

    assert [row.value for row in opened] == [b"0"], "and nothing that came after it"

    async def concluded() -> bool:  # a broker says so before the markers are written
        return [row.value for row in await read(log, topic)] == [b"0", *inside, b"0"]

    await eventually(concluded)
    assert await read(log, topic, start=4) == [], "a marker is no record"
    assert await log.publish(numbered(topic, 1)) == [5]
    assert [row.offset for row in await read(log, topic, start=4)] == [5]
