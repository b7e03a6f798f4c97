"""Each service's step for its most frequent message, beside a bare loop that does the same.

What a message has read, written and published is noted first, over the twins in memory. The bare
loop consumes the same records, and makes the same reads, writes and publications for each batch: it
parses nothing, decides nothing and folds nothing. Beside events a second there is the processor
time for each event, of the process alone: it tells more where others work on the same machine.
"""

import asyncio
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any
from uuid import uuid4

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from aiokafka.structs import OffsetAndMetadata
from pymongo import AsyncMongoClient, ReplaceOne, WriteConcern

from schemas.envelope import Record
from services.chassis.documents import CHASSIS_DOCUMENTS
from services.chassis.domain import Document, One
from services.chassis.log.contract import Received
from services.chassis.parts import Parts
from services.chassis.runtime import Service
from services.chassis.store.contract import Commit, Place
from services.chassis.store.memory import MemoryStore
from services.chassis.store.mongo import MongoStore
from services.chassis.store.rows import row_of
from tests.bench.steps import BATCH, DURABLE, publish, settings_of
from tests.limits.test_steps import PARTITIONS, Case, Stage

Key = tuple[str, int, int]
"""Topic, partition, offset."""


@dataclass(frozen=True, slots=True)
class Rate:
    """Events a second, and microseconds of the process's processor time for each."""

    events: float
    microseconds: float


@dataclass
class Work:
    """What one message takes: documents read and rows written by collection, records published."""

    reads: list[tuple[str, str]] = field(default_factory=list)
    rows: list[tuple[str, dict[str, Any]]] = field(default_factory=list)
    records: Sequence[Record] = ()


@dataclass
class Script:
    """All that comes to a service, and what each of the frequent messages takes.

    `before`: what comes first; `documents`: what there is then.
    """

    case: Case
    before: list[Record]
    documents: list[tuple[int, Document]]
    frequent: list[Record]
    works: dict[Key, Work]


class _Noting(MemoryStore):
    """A twin of the database that notes what the message at hand takes."""

    work: Work

    async def load(self, needs: Iterable[One]) -> list[Document]:
        wanted = list(needs)
        self.work.reads += [(n.kind.collection, f"{n.cohort_id}/{n.id}") for n in wanted]
        return await super().load(wanted)

    async def commit(self, commit: Commit) -> None:
        changed = [(p, d) for p, d in commit.changes if isinstance(d, Document)]
        self.work.rows += [(d.collection, row_of(p, d)) for p, d in changed]
        # The last says how far the step got: one of a batch, not of a message.
        self.work.records = [r for o in commit.outgoing for r in o.records[:-1]]
        await super().commit(commit)


async def script(case: Case, count: int) -> Script:
    """What comes to this service, and what it does about it."""
    store = _Noting()
    store.work = Work()
    stage = Stage(case, store)
    frequent = await stage.begun(count)
    later = set(map(_place, frequent))
    everything = (r for rows in stage.log.records.values() for r in rows)
    before = [r for r in everything if _place(r) not in later]
    documents = [row for rows in store.rows.values() for row in rows.values()]
    works: dict[Key, Work] = {}
    for received in frequent:
        works[_place(received)] = store.work = Work()
        await stage.stepper.handle([received])
    read = (stage.case.domain.reads, frequent[0].topic)
    asked = [r for r in before if r.topic in read[0] or r.topic == read[1]]
    return Script(case, _sent(asked), documents, _sent(frequent), works)


def _place(received: Received) -> Key:
    return received.topic, received.partition, received.offset


def _sent(rows: Iterable[Received]) -> list[Record]:
    return [Record(r.topic, r.partition, r.key, r.value, r.headers) for r in rows]


async def ours(kafka: str, mongodb: str, play: Script) -> Rate:
    """The service as it runs, without its HTTP."""
    domain = play.case.domain
    service = Service(settings_of(kafka, mongodb, PARTITIONS), Parts(domain, {}))
    async with service._open():
        while len(service.stepper.owned) < PARTITIONS:
            await asyncio.sleep(0.01)
        await publish(kafka, play.before)
        while _handled(service) < len(play.before):
            await asyncio.sleep(0.01)
        await publish(kafka, play.frequent)
        first = len(play.before)
        while _handled(service) <= first:
            await asyncio.sleep(0.001)
        begun, used, first = time.perf_counter(), time.process_time(), _handled(service)
        total = len(play.before) + len(play.frequent)
        while _handled(service) < total:
            await asyncio.sleep(0.005)
        rate = _rate(total - first, begun, used)
        await service.broker.stop()
    return rate


def _handled(service: Service) -> int:
    return sum(sum(place.positions.values()) for place in service.stepper.owned.values())


def _rate(events: int, begun: float, used: float) -> Rate:
    seconds, processor = time.perf_counter() - begun, time.process_time() - used
    return Rate(events / seconds, processor / events * 1e6)


async def bare(kafka: str, mongodb: str, play: Script) -> Rate:
    """A loop over aiokafka and bulk writes: the same reads and writes."""
    store = MongoStore(
        mongodb, f"bare{uuid4().hex[:8]}", (*play.case.domain.documents, *CHASSIS_DOCUMENTS)
    )
    await store.open()  # the same collections and indexes
    for partition in range(PARTITIONS):
        documents = [document for p, document in play.documents if p == partition]
        for begin in range(0, len(documents), 1000):
            await store.fill(Place(partition), documents[begin : begin + 1000])
    client: AsyncMongoClient[dict[str, Any]] = AsyncMongoClient(mongodb, tz_aware=True)
    db = client.get_database(store.database.name, write_concern=DURABLE)
    topic, total = play.frequent[0].topic, len(play.frequent)
    consumer = AIOKafkaConsumer(
        bootstrap_servers=kafka,
        auto_offset_reset="earliest",
        enable_auto_commit=False,
        fetch_max_wait_ms=40,
        group_id=f"bare-{uuid4().hex[:8]}",
    )
    producer = AIOKafkaProducer(
        bootstrap_servers=kafka, acks="all", enable_idempotence=False, linger_ms=5
    )
    await consumer.start()
    await producer.start()
    consumer.assign([TopicPartition(topic, p) for p in range(PARTITIONS)])
    await consumer.seek_to_beginning()
    await publish(kafka, [record for record in play.before if record.topic == topic])
    await publish(kafka, play.frequent)
    begun = used = 0.0
    done = first = 0
    try:
        while done < total:
            found = await consumer.getmany(timeout_ms=50, max_records=BATCH)
            rows = [row for rows in found.values() for row in rows]
            works = [play.works.get((row.topic, row.partition, row.offset)) for row in rows]
            if mine := [work for work in works if work is not None]:
                await _bare_step(client, db, producer, mine, {row.partition for row in rows})
                at = {tp: OffsetAndMetadata(some[-1].offset + 1, "") for tp, some in found.items()}
                await consumer.commit(at)
            done += len(mine)
            if not begun and done:  # counted from the end of the first step, as ours is
                begun, used, first = time.perf_counter(), time.process_time(), done
        return _rate(total - first, begun, used)
    finally:
        await consumer.stop()
        await producer.stop()
        await client.drop_database(db.name)
        await client.close()
        await store.close()


async def _bare_step(
    client: Any, db: Any, producer: Any, works: Sequence[Work], partitions: set[int]
) -> None:
    keys: dict[str, set[str]] = {}
    rows: dict[str, dict[str, dict[str, Any]]] = {}
    outgoing: dict[int, list[Record]] = {partition: [] for partition in partitions}
    for work in works:
        for collection, key in work.reads:
            keys.setdefault(collection, set()).add(key)
        for collection, row in work.rows:
            rows.setdefault(collection, {})[row["_id"]] = row
        for record in work.records:
            outgoing[record.partition].append(record)
    finds = (db[name].find({"_id": {"$in": list(some)}}) for name, some in keys.items())
    await asyncio.gather(*(found.to_list(None) for found in finds))
    async with (
        client.start_session() as session,
        await session.start_transaction(write_concern=DURABLE),
    ):
        at = [ReplaceOne({"_id": p}, {"_id": p, "n": 1}, upsert=True) for p in outgoing]
        await db.places.bulk_write(at, session=session)
        for name, some in rows.items():
            replaced = [ReplaceOne({"_id": key}, row, upsert=True) for key, row in some.items()]
            await db[name].bulk_write(replaced, ordered=False, session=session)
        chunks = [
            {
                "_id": uuid4().hex,
                "partition": p,
                "records": [[r.topic, p, r.key, r.value, dict(r.headers)] for r in records],
            }
            for p, records in outgoing.items()
        ]
        await db.outbox.insert_many(chunks, session=session)
    sent = []
    for partition, records in outgoing.items():
        by_topic: dict[str, Any] = {}
        for record in records:
            batch = by_topic.setdefault(record.topic, producer.create_batch())
            if (
                batch.append(
                    key=record.key, value=record.value, timestamp=None, headers=list(record.headers)
                )
                is None
            ):
                batch.close()
                sent.append(await producer.send_batch(batch, record.topic, partition=partition))
                batch = by_topic[record.topic] = producer.create_batch()
                batch.append(
                    key=record.key, value=record.value, timestamp=None, headers=list(record.headers)
                )
        for topic, batch in by_topic.items():
            batch.close()
            sent.append(await producer.send_batch(batch, topic, partition=partition))
    await asyncio.gather(*sent)
    forgotten = {"_id": {"$in": [chunk["_id"] for chunk in chunks]}}
    await db.outbox.with_options(write_concern=WriteConcern(w=1)).delete_many(forgotten)
