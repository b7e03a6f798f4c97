"""How long it takes until something can be seen: a command's effect, an event's letter.

Open loop: what is sent has its moment by the plan, whether or not what came before has been
answered, and its latency counts from that moment. So a pause of the system under test is seen by
everything that should have been sent meanwhile. At 10, 50 and 80 % of the highest rate, which is
found first; beside the bare path at the same rates, in the same run: a record is produced,
consumed, written in a transaction and followed by another record, which is read.
"""

import asyncio
import contextlib
import statistics
import tempfile
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer
from pymongo import AsyncMongoClient

from deploy.local.stack import Service, Stack, Terms, running_stack
from schemas.base import Message
from schemas.envelope import Record, encode
from schemas.matching import CohortOpened, MentorVolunteered, OpenCohort, VolunteerAsMentor
from schemas.people import PersonContact
from schemas.topics import PEOPLE, commands_topic, partition_of, stream_topic
from schemas.values import CohortPolicy
from services.chassis.log.kafka import KafkaLog
from services.chassis.store.mongo import MongoStore
from tests.bench.steps import DURABLE, WEEK

MONDAY = datetime(2017, 3, 6, 9, 30, tzinfo=UTC)  # letters are sent at once
PARTITIONS = 4
LINKED = ("matching", "scheduling", "feedback", "portal")
"""Services to whose pages a letter's links lead; nobody opens them here."""
SHARES = (0.1, 0.5, 0.8)
BURST = 400
"""Of these, as many at a time as the door takes, is the highest rate found."""
AT_ONCE = 50
COUNT = 1_000
LONGEST = 120.0
"""Seconds for each share; at a low rate it is fewer than `COUNT` that are measured."""
PATIENCE = 60.0
IN, OUT = commands_topic("scheduling"), stream_topic("scheduling", "events")
"""Topics that nobody else reads here: the bare path's."""

Send = Callable[[int], Awaitable[None]]
"""Sends number n, and comes back when its effect can be seen."""


@dataclass(frozen=True, slots=True)
class Latency:
    """Milliseconds at some share of the highest rate (a second)."""

    share: float
    rate: float
    p50: float
    p99: float
    p999: float


async def latencies(count: int = COUNT) -> dict[str, tuple[list[Latency], list[Latency]]]:
    """Ours, and the bare path at the same rates: for a command, and for a letter."""
    found = {}
    async with _stack("matching") as stack, _bare(stack) as bare, _commands(stack) as send:
        found["command over HTTP to projection"] = await _both(send, bare, count)
    people = BURST + 2 * len(SHARES) * max(count, 100)
    async with _stack("notify") as stack, _bare(stack) as bare, _letters(stack, people) as send:
        found["event to letter in the mailbox"] = await _both(send, bare, count)
    return found


@contextlib.asynccontextmanager
async def _stack(service: Service) -> AsyncIterator[Stack]:
    with tempfile.TemporaryDirectory(prefix="connecte-bench-") as name:
        urls = {f"CONNECTE_{other.upper()}_URL": "http://127.0.0.1:1" for other in LINKED}
        terms = Terms(start=MONDAY, partitions=PARTITIONS, services=(service,), settings=urls)
        async with running_stack(Path(name), terms) as stack:
            yield stack


async def _both(send: Send, bare: Send, count: int) -> tuple[list[Latency], list[Latency]]:
    numbers = iter(range(10**9))
    highest = await _highest(send, numbers)
    ours, theirs = [], []
    for share in SHARES:
        ours.append(await _measured(send, numbers, share, highest * share, count))
        theirs.append(await _measured(bare, numbers, share, highest * share, count))
    return ours, theirs


async def _highest(send: Send, numbers: Any) -> float:
    """So many a second, while there are always some under way."""
    free = asyncio.Semaphore(AT_ONCE)

    async def one() -> None:
        async with free:
            await send(next(numbers))

    begun = time.perf_counter()
    await asyncio.gather(*(one() for _ in range(BURST)))
    return BURST / (time.perf_counter() - begun)


async def _measured(send: Send, numbers: Any, share: float, rate: float, count: int) -> Latency:
    clock = time.perf_counter
    begun = clock() + 0.1
    taken: list[float] = []

    async def one(planned: float) -> None:
        await send(next(numbers))
        taken.append(clock() - planned)

    async with asyncio.TaskGroup() as tasks:
        for number in range(min(count, max(int(LONGEST * rate), 100))):
            planned = begun + number / rate
            await asyncio.sleep(max(planned - clock(), 0))
            tasks.create_task(one(planned))
    cuts = statistics.quantiles(taken, n=1000, method="inclusive")
    return Latency(share, rate, *(cuts[at - 1] * 1000 for at in (500, 990, 999)))


# --- what is sent ---------------------------------------------------------------------------


def _cohorts() -> list[str]:
    """One for each partition."""
    found: dict[int, str] = {}
    for number in range(1000):
        found.setdefault(partition_of(f"c{number}", PARTITIONS), f"c{number}")
    return [found[partition] for partition in range(PARTITIONS)]


ABOUT: Mapping[str, Any] = {"directorate": "DGFiP", "site": "Bercy", "skills": {"linkedin": 4}}


@contextlib.asynccontextmanager
async def _commands(stack: Stack) -> AsyncIterator[Send]:
    """Commands over HTTP, each answered once the projection shows what came of it."""
    cohorts = _cohorts()
    limits = httpx.Limits(max_connections=None)
    url = stack.services["matching"].url
    async with httpx.AsyncClient(base_url=url, timeout=PATIENCE, limits=limits) as client:

        async def post(command: Message) -> None:
            path = f"/commands/{type(command).__name__}?wait=30"
            answer = await client.post(path, json=command.model_dump(mode="json"))
            assert answer.status_code == 200, answer.text
            assert answer.json()["done"], answer.text

        for cohort in cohorts:
            await post(OpenCohort(cohort_id=cohort, name=cohort))

        async def send(number: int) -> None:
            about = {**ABOUT, "mentor_id": f"m-{number}", "availability": WEEK}
            cohort = cohorts[number % PARTITIONS]
            await post(VolunteerAsMentor.model_validate({**about, "cohort_id": cohort}))

        yield send


@contextlib.asynccontextmanager
async def _letters(stack: Stack, people: int) -> AsyncIterator[Send]:
    """Events as matching would publish them, which does not run here; each is over when its letter
    lies in the mailbox. `people`: how many are known."""
    cohorts, topic = _cohorts(), stream_topic("matching", "events")
    at = {cohort: partition_of(cohort, PARTITIONS) for cohort in cohorts}
    counts = dict.fromkeys(cohorts, 0)
    arrived: dict[str, asyncio.Future[None]] = {}
    log = KafkaLog({"bootstrap_servers": stack.kafka}, idempotent=False)
    producer = AIOKafkaProducer(bootstrap_servers=stack.kafka, acks="all", enable_idempotence=False)
    turn = asyncio.Lock()

    def event(message: Message) -> Record:
        cohort = message.cohort_id
        number = counts[cohort] = counts[cohort] + 1
        source = f"/mentoring/matching/events/{at[cohort]}"
        given: dict[str, Any] = {"id": f"{source}/{number}", "source": source, "sequence": number}
        return encode(message, topic, at[cohort], **given, order=number, time=datetime.now(UTC))

    def contact(number: int) -> Record:
        cohort = cohorts[number % PARTITIONS]
        about = {"name": "Camille Roux", "email": f"m-{number}@bench.example"}
        told = PersonContact(cohort_id=cohort, person_id=f"m-{number}", **about)
        given: dict[str, Any] = {"id": f"p-{number}", "source": "/bench"}
        return encode(told, PEOPLE, at[cohort], **given, time=datetime.now(UTC))

    async def deliver() -> None:
        async for letter in stack.mailbox.letters():
            arrived.pop(str(letter["Delivered-To"]).partition("@")[0]).set_result(None)

    async def send(number: int) -> None:
        done = arrived[f"m-{number}"] = asyncio.get_running_loop().create_future()
        about = {**ABOUT, "mentor_id": f"m-{number}", "capacity": 1, "availability": WEEK}
        cohort = cohorts[number % PARTITIONS]
        async with turn:  # so that they stand in the log in their order
            record = event(MentorVolunteered.model_validate({**about, "cohort_id": cohort}))
            key, value, headers = record.key, record.value, list(record.headers)
            partition = record.partition
            await producer.send(topic, value, key, partition=partition, headers=headers)
        async with asyncio.timeout(PATIENCE):
            await done

    await log.start()
    await producer.start()
    delivering = asyncio.create_task(deliver())
    try:
        opened = (CohortOpened(cohort_id=c, name=c, policy=CohortPolicy()) for c in cohorts)
        await log.publish([*map(event, opened), *map(contact, range(people))])
        # A letter to somebody who is not known yet waits for them, which is not what is measured.
        while await _read_of(stack, PEOPLE) < people:
            await asyncio.sleep(0.1)
        yield send
    finally:
        delivering.cancel()
        await producer.stop()
        await log.stop()


async def _read_of(stack: Stack, topic: str) -> int:
    """How many records of a topic notify has read."""
    store = MongoStore(stack.mongodb, "connecte_notify", ())
    places = await store.places(range(PARTITIONS))
    await store.close()
    return sum(place.positions.get(topic, 0) for place in places.values())


@contextlib.asynccontextmanager
async def _bare(stack: Stack) -> AsyncIterator[Send]:
    """A record, a transaction that writes a document, and another record, which is read."""
    client: AsyncMongoClient[dict[str, Any]] = AsyncMongoClient(stack.mongodb)
    db = client.get_database("bare", write_concern=DURABLE)
    await db.create_collection("documents")
    producer = AIOKafkaProducer(bootstrap_servers=stack.kafka, acks="all", enable_idempotence=False)
    readers = [
        AIOKafkaConsumer(name, bootstrap_servers=stack.kafka, fetch_max_wait_ms=40)
        for name in (IN, OUT)
    ]
    seen: dict[bytes, asyncio.Future[None]] = {}

    async def work() -> None:
        while True:
            found = await readers[0].getmany(timeout_ms=1000, max_records=500)
            rows = [row for rows in found.values() for row in rows]
            if not rows:
                continue
            async with (
                client.start_session() as session,
                await session.start_transaction(write_concern=DURABLE),
            ):
                for row in rows:
                    document = {"_id": row.key.decode(), "value": row.value}
                    await db.documents.insert_one(document, session=session)
            for row in rows:
                await producer.send(OUT, row.value, row.key, partition=row.partition)

    async def look() -> None:
        async for row in readers[1]:
            seen.pop(row.key).set_result(None)

    async def send(number: int) -> None:
        key = f"n-{number}".encode()
        done = seen[key] = asyncio.get_running_loop().create_future()
        await producer.send(IN, b"x" * 500, key, partition=number % PARTITIONS)
        async with asyncio.timeout(PATIENCE):
            await done

    for part in (producer, *readers):
        await part.start()
    tasks = [asyncio.create_task(work()), asyncio.create_task(look())]
    try:
        await send(-1)
        yield send
    finally:
        for task in tasks:
            task.cancel()
        for part in (*readers, producer):
            await part.stop()
        await client.close()
