"""What other clients write: batches of any codec, sound or broken, and transactions."""

import gzip
import struct
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from functools import partial
from typing import Any

import cramjam
from aiokafka import AIOKafkaProducer
from aiokafka.codec import lz4_encode, snappy_encode
from aiokafka.record.default_records import _DefaultRecordBatchBuilderPy
from aiokafka.record.util import calc_crc32c

from schemas.envelope import Record
from services.chassis.log.opening import GZIP, HEAD_BYTES, LZ4, SNAPPY, ZSTD

COMPRESS = {
    GZIP: partial(gzip.compress, mtime=0),  # the same bytes whenever it is
    SNAPPY: snappy_encode,
    LZ4: lz4_encode,
    ZSTD: lambda data: bytes(cramjam.zstd.compress(data)),
}

Row = tuple[bytes | None, bytes | None, Sequence[tuple[str, bytes | None]]]


def batch_of(
    rows: Sequence[Row],
    codec: int = 0,
    *,
    stream: bytes | None = None,
    checksum: int | None = None,
    base: int = 0,
) -> bytes:
    """One batch. `stream`: what stands in the place of its compressed records."""
    builder = _DefaultRecordBatchBuilderPy(2, 0, 0, -1, -1, 0, 1 << 30)
    for offset, (key, value, headers) in enumerate(rows):
        builder.append(offset, 1, key, value, list(headers))
    plain = bytes(builder.build())
    head, records = bytearray(plain[:HEAD_BYTES]), plain[HEAD_BYTES:]
    if codec in COMPRESS:
        records = COMPRESS[codec](records)
    found = head + (records if stream is None else stream)
    struct.pack_into(">q", found, 0, base)
    struct.pack_into(">i", found, 8, len(found) - 12)
    struct.pack_into(">h", found, 21, codec)
    crc = calc_crc32c(bytes(found[21:])) if checksum is None else checksum
    struct.pack_into(">I", found, 17, crc)
    return bytes(found)


async def send_batch(bootstrap: str, topic: str, partition: int, batch: bytes) -> int:
    """Send a batch as it is; the offset of its first record."""
    # What is answered for can be read: the leader alone would answer before it shows it.
    producer = AIOKafkaProducer(bootstrap_servers=bootstrap, acks="all", enable_idempotence=False)
    await producer.start()
    try:
        builder = producer.create_batch()
        count = struct.unpack_from(">i", batch, 57)[0]
        for _ in range(count):
            builder.append(key=None, value=None, timestamp=None)
        builder.close()
        builder._build()
        builder._buffer = bytearray(batch)
        return int((await (await producer.send_batch(builder, topic, partition=partition))).offset)
    finally:
        await producer.stop()


@asynccontextmanager
async def transactional(bootstrap: str, name: str) -> AsyncIterator[Any]:
    """A producer as those that write exactly once."""
    producer = AIOKafkaProducer(bootstrap_servers=bootstrap, transactional_id=name)
    await producer.start()
    try:
        yield producer
    finally:
        await producer.stop()


async def write(producer: Any, records: Sequence[Record]) -> None:
    for record in records:
        await producer.send_and_wait(
            record.topic,
            record.value,
            key=record.key,
            partition=record.partition,
            headers=list(record.headers),
        )
