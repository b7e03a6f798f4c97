"""A rebuild against a bare loop that reads the same topics and writes the same documents.

The work: the journal of `count` volunteers is read, and their documents are written, with their
indexes. Only the first checks, orders, decodes and folds.
"""

import time
from collections.abc import Sequence
from typing import Any

from aiokafka import AIOKafkaConsumer, TopicPartition
from pymongo import AsyncMongoClient, ReplaceOne

from schemas.topics import stream_topic
from services.chassis.documents import CHASSIS_DOCUMENTS
from services.chassis.domain import Change
from services.chassis.log.kafka import KafkaLog
from services.chassis.step.rebuild import Fold
from services.chassis.store.contract import Place
from services.chassis.store.mongo import MongoStore
from services.chassis.store.rows import row_of
from services.matching.handlers import DOMAIN
from tests.bench.steps import DURABLE, PARTITIONS

DOCUMENTS = (*DOMAIN.documents, *CHASSIS_DOCUMENTS)
TOPICS = [stream_topic("matching", stream) for stream in ("events", "private", "parked")]

Written = list[dict[str, list[dict[str, Any]]]]
"""The bulk writes of a rebuild, in order: collection to rows."""


class _Noting(MongoStore):
    """A database that also notes what is written to it."""

    written: Written

    async def fill(self, place: Place, changes: Sequence[Change]) -> None:
        rows: dict[str, list[dict[str, Any]]] = {}
        for change in changes:
            assert not isinstance(change, tuple)
            rows.setdefault(change.collection, []).append(row_of(place.partition, change))  # type: ignore[union-attr,arg-type]
        self.written.append(rows)
        await super().fill(place, changes)


async def ours(kafka: str, mongodb: str, prefix: str) -> tuple[float, int]:
    """Seconds of a rebuild as it is, and how many events it folds."""
    store = MongoStore(mongodb, f"{prefix}ours", DOCUMENTS)
    return await _folded(kafka, store)


async def noted(kafka: str, mongodb: str, prefix: str) -> Written:
    """What a rebuild writes."""
    store = _Noting(mongodb, f"{prefix}noted", DOCUMENTS)
    store.written = []
    await _folded(kafka, store)
    return store.written


async def _folded(kafka: str, store: MongoStore) -> tuple[float, int]:
    await store.open()
    log = KafkaLog({"bootstrap_servers": kafka}, idempotent=False)
    started = time.perf_counter()
    count = await Fold(DOMAIN, store, log, PARTITIONS).catch_up()
    seconds = time.perf_counter() - started
    await log.stop()
    await store.client.drop_database(store.database.name)
    await store.close()
    return seconds, count


async def bare(kafka: str, mongodb: str, prefix: str, written: Written) -> float:
    """Seconds of a loop that reads every record of the topics, and makes the same bulk writes."""
    client: AsyncMongoClient[dict[str, Any]] = AsyncMongoClient(mongodb, tz_aware=True)
    store = MongoStore(mongodb, f"{prefix}bare", DOCUMENTS)
    await store.open()  # the same collections and indexes
    db = client.get_database(store.database.name, write_concern=DURABLE)
    consumer = AIOKafkaConsumer(bootstrap_servers=kafka, enable_auto_commit=False)
    await consumer.start()
    places = [TopicPartition(topic, p) for topic in TOPICS for p in range(PARTITIONS)]
    consumer.assign(places)
    await consumer.seek_to_beginning()
    total = sum((await consumer.end_offsets(places)).values())
    waiting = iter(written)
    started, read = time.perf_counter(), 0
    try:
        while True:
            found = await consumer.getmany(timeout_ms=100, max_records=1000)
            read += sum(map(len, found.values()))
            if not found and read >= total - len(places):  # the embedded broker's ends are odd
                break
            await _write(db, next(waiting, {}))
        for rows in waiting:
            await _write(db, rows)
        return time.perf_counter() - started
    finally:
        await consumer.stop()
        await client.drop_database(db.name)
        await client.close()
        await store.close()


async def _write(db: Any, rows: dict[str, list[dict[str, Any]]]) -> None:
    for name, documents in rows.items():
        replaced = [ReplaceOne({"_id": d["_id"]}, d, upsert=True) for d in documents]
        await db[name].bulk_write(replaced, ordered=False)
    await db["places"].replace_one({"_id": 0}, {"_id": 0, "step": 1}, upsert=True)
