"""A service's step against two other ways to do the same: a bare loop, and the tutorials' idiom.

The work: a command is consumed, the cohort and the mentor are read, the mentor is written, an
event is put into the outbox in the same transaction, published, and the offset is committed. All
three do these reads and writes against the same broker and database; only the first decides.
"""

import asyncio
import time
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from aiokafka.structs import OffsetAndMetadata
from bson import Binary
from faststream import AckPolicy, FastStream
from faststream.kafka import KafkaBroker, KafkaMessage
from pymongo import AsyncMongoClient, ReplaceOne, WriteConcern

from schemas.envelope import Record, encode
from schemas.matching import MentorVolunteered, OpenCohort, VolunteerAsMentor
from schemas.topics import commands_topic, partition_of, stream_topic
from schemas.values import CohortPolicy, Window
from services.chassis.http.links import generate_keys
from services.chassis.log.kafka import KafkaLog
from services.chassis.parts import Parts
from services.chassis.runtime import Service
from services.chassis.settings import Settings
from services.matching.handlers import DOMAIN

PARTITIONS = 4
COHORTS = [f"bench-{i}" for i in range(8)]
BATCH = 500
TOPIC = commands_topic("matching")
OUT = stream_topic("matching", "events")
DURABLE = WriteConcern(w="majority", j=True)
WEEK = (
    Window(day="mon", start="09:00", end="12:00"),
    Window(day="thu", start="14:00", end="17:00"),
)


def commands(count: int, trace: Callable[[], str] | None = None) -> list[Record]:
    """One command to open each cohort, then `count` volunteers, spread over the cohorts.

    `trace` gives each a trace context.
    """
    opened = [OpenCohort(cohort_id=c, name=c, policy=CohortPolicy()) for c in COHORTS]
    volunteers = [
        VolunteerAsMentor(
            cohort_id=COHORTS[i % len(COHORTS)],
            mentor_id=f"m-{i}",
            directorate="DGFiP",
            site="Paris Bercy",
            skills={"linkedin": 4, "twitter": 3, "video-calls": 5},
            availability=WEEK,
        )
        for i in range(count)
    ]
    return [_record(message, i, trace) for i, message in enumerate((*opened, *volunteers))]


def _record(
    message: OpenCohort | VolunteerAsMentor, number: int, trace: Callable[[], str] | None
) -> Record:
    partition = partition_of(message.cohort_id, PARTITIONS)
    given = {"id": f"b{number}", "source": "/bench", "time": datetime.now(UTC)}
    return encode(message, TOPIC, partition, **given, traceparent=trace() if trace else None)


def settings_of(kafka: str, mongodb: str, partitions: int) -> Settings:
    """Of a service on these parts, with a database of its own."""
    return Settings(
        KAFKA_BOOTSTRAP_SERVERS=kafka,
        CONNECTE_KAFKA_IDEMPOTENT=False,
        CONNECTE_FETCH_WAIT_MS=40,
        CONNECTE_SESSION_TIMEOUT_MS=1500,
        CONNECTE_PARTITIONS=partitions,
        CONNECTE_BATCH=BATCH,
        MONGODB_URI=mongodb,
        CONNECTE_DATABASE_PREFIX=f"b{uuid4().hex[:8]}_",
        CONNECTE_LINK_VERIFY_KEY=generate_keys()[1],
    )  # type: ignore[call-arg]


async def ours(
    kafka: str,
    mongodb: str,
    count: int,
    *,
    trace: Callable[[], str] | None = None,
    on_begun: Callable[[], None] = lambda: None,
) -> float:
    """Events per second of the matching service, as it runs: FastStream, step, outbox.

    `on_begun` is called when the first of them has been handled.
    """
    settings = settings_of(kafka, mongodb, PARTITIONS)
    service = Service(settings, Parts(DOMAIN, {}))
    async with service._open():  # the service without its HTTP
        while len(service.stepper.owned) < PARTITIONS:
            await asyncio.sleep(0.01)
        await publish(kafka, commands(count, trace))
        started = await _begun(service)
        on_begun()
        target = count + len(COHORTS)
        while _handled(service) < target:
            await asyncio.sleep(0.005)
        seconds = time.perf_counter() - started
        await service.broker.stop()
    return count / seconds


async def _begun(service: Service) -> float:
    while not _handled(service):
        await asyncio.sleep(0.001)
    return time.perf_counter()


def _handled(service: Service) -> int:
    return sum(place.positions.get(TOPIC, 0) for place in service.stepper.owned.values())


async def bare(kafka: str, mongodb: str, count: int) -> float:
    """Events per second of a loop over aiokafka and bulk writes: same reads, same writes."""
    client: AsyncMongoClient[dict[str, Any]] = AsyncMongoClient(mongodb, tz_aware=True)
    db = client.get_database(f"bare{uuid4().hex[:8]}", write_concern=DURABLE)
    for name in ("cohorts", "mentors", "outbox", "places"):
        await db.create_collection(name)
    await db.mentors.create_index([("cohort_id", 1), ("id", 1)])
    await db.mentors.create_index([("cohort_id", 1), ("state", 1), ("id", 1)])
    consumer = AIOKafkaConsumer(
        bootstrap_servers=kafka,
        auto_offset_reset="earliest",
        enable_auto_commit=False,
        fetch_max_wait_ms=40,
        group_id=f"bare-{uuid4().hex[:8]}",
    )
    producer = AIOKafkaProducer(
        bootstrap_servers=kafka,
        acks="all",
        enable_idempotence=False,
        linger_ms=5,
        max_batch_size=512 * 1024,
        max_request_size=8 * 1024 * 1024,
    )
    await consumer.start()
    await producer.start()
    consumer.assign([TopicPartition(TOPIC, p) for p in range(PARTITIONS)])
    await consumer.seek_to_beginning()
    await publish(kafka, commands(count))
    done, started = 0, 0.0
    try:
        while done < count + len(COHORTS):
            found = await consumer.getmany(timeout_ms=50, max_records=BATCH)
            rows = [row for rows in found.values() for row in rows]
            if not rows:
                continue
            started = started or time.perf_counter()
            await _bare_step(client, db, producer, rows)
            await consumer.commit(
                {tp: OffsetAndMetadata(batch[-1].offset + 1, "") for tp, batch in found.items()}
            )
            done += len(rows)
        return count / (time.perf_counter() - started)
    finally:
        await consumer.stop()
        await producer.stop()
        await client.drop_database(db.name)
        await client.close()


async def _bare_step(client: Any, db: Any, producer: Any, rows: Sequence[Any]) -> None:
    keys = [row.key.decode() for row in rows]
    await asyncio.gather(
        db.cohorts.find({"_id": {"$in": COHORTS}}).to_list(None),
        db.mentors.find({"_id": {"$in": keys}}).to_list(None),
    )
    outgoing: dict[int, list[Any]] = {}
    documents = []
    for row, key in zip(rows, keys, strict=True):
        documents.append(ReplaceOne({"_id": key}, _document(key, row), upsert=True))
        headers = dict(row.headers)
        outgoing.setdefault(row.partition, []).append(
            [OUT, row.partition, row.key, row.value, headers]
        )
    async with (
        client.start_session() as session,
        await session.start_transaction(write_concern=DURABLE),
    ):
        await db.places.bulk_write(
            [ReplaceOne({"_id": p}, {"_id": p, "n": 1}, upsert=True) for p in outgoing],
            session=session,
        )
        await db.mentors.bulk_write(documents, ordered=False, session=session)
        chunks = [{"_id": uuid4().hex, "partition": p, "records": r} for p, r in outgoing.items()]
        await db.outbox.insert_many(chunks, session=session)
    sent = []
    for partition, records in outgoing.items():
        batch = producer.create_batch()
        for _, _, key, value, headers in records:
            batch.append(key=key, value=value, timestamp=None, headers=list(headers.items()))
        batch.close()
        sent.append(await producer.send_batch(batch, OUT, partition=partition))
    await asyncio.gather(*sent)
    await db.outbox.with_options(write_concern=WriteConcern(w=1)).delete_many(
        {"_id": {"$in": [chunk["_id"] for chunk in chunks]}}
    )


def _document(key: str, row: Any) -> dict[str, Any]:
    """A document of the size of a mentor's, without having read the command."""
    window = [{"day": "mon", "start": "09:00", "end": "12:00"}] * 2
    cohort_id, _, person = key.partition("/")
    return {
        "_id": key,
        "partition": row.partition,
        "id": person,
        "cohort_id": cohort_id,
        "directorate": "DGFiP",
        "site": "Paris Bercy",
        "skills": {"linkedin": 4, "twitter": 3, "video-calls": 5},
        "capacity": 1,
        "availability": window,
        "line_manager": None,
        "excludes": [],
        "state": "available",
        "engaged": [],
    }


async def tutorial(kafka: str, mongodb: str, count: int) -> float:
    """Events per second of one handler call and one transaction per event, as tutorials show."""
    client: AsyncMongoClient[dict[str, Any]] = AsyncMongoClient(mongodb, tz_aware=True)
    db = client.get_database(f"tut{uuid4().hex[:8]}", write_concern=DURABLE)
    for name in ("cohorts", "mentors", "outbox"):
        await db.create_collection(name)
    broker = KafkaBroker(kafka)
    app = FastStream(broker)
    done = asyncio.Event()
    handled, started = 0, 0.0

    @broker.subscriber(
        TOPIC,
        group_id=f"tut-{uuid4().hex[:8]}",
        auto_offset_reset="earliest",
        ack_policy=AckPolicy.ACK,
        fetch_max_wait_ms=40,
        session_timeout_ms=1500,
    )
    async def handle(message: KafkaMessage) -> None:
        nonlocal handled, started
        started = started or time.perf_counter()
        row = message.raw_message
        key = row.key.decode()
        if b"VolunteerAsMentor" in dict(row.headers)["ce_type"]:
            command = VolunteerAsMentor.model_validate_json(row.value)
            async with (
                client.start_session() as session,
                await session.start_transaction(write_concern=DURABLE),
            ):
                await db.cohorts.find_one({"_id": command.cohort_id}, session=session)
                if await db.mentors.find_one({"_id": key}, session=session) is None:
                    await db.mentors.insert_one(_document(key, row), session=session)
                    event = MentorVolunteered(**command.model_dump())
                    body = event.model_dump_json().encode()
                    entry = {"_id": key, "value": Binary(body)}
                    await db.outbox.insert_one(entry, session=session)
            await broker.publish(body, OUT, key=row.key, partition=row.partition)
            await db.outbox.delete_one({"_id": key})
        handled += 1
        if handled == count:
            done.set()

    await publish(kafka, commands(count))
    await broker.start()
    try:
        await done.wait()
        return count / (time.perf_counter() - started)
    finally:
        await broker.stop()
        await client.drop_database(db.name)
        await client.close()
        del app


async def publish(kafka: str, records: Sequence[Record]) -> None:
    """Written as other systems write their commands."""
    log = KafkaLog({"bootstrap_servers": kafka}, idempotent=False)
    await log.start()
    await log.publish(records)
    await log.stop()
