"""What producers do that are none of ours: transactions, compressed batches, long commands."""

import asyncio
import random
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

from aiokafka import AIOKafkaProducer
from aiokafka.errors import KafkaError

from deploy.trial.chaos.faults.kinds import Scene, kind
from deploy.trial.chaos.population import brimful
from schemas.envelope import Record
from services.chassis.log.starting import nothing_left_open

CODECS = ("gzip", "snappy", "lz4", "zstd")
OPEN_SECONDS = 8.0
"""After which the broker ends a transaction that its producer has left open."""
TRY_SECONDS = 20.0


def _wishes(scene: Scene, draw: random.Random, most: int) -> list[tuple[str, Record]]:
    """What people of the bulk cohorts ask for, with the ids."""
    if not scene.bulk.cohorts:
        return []
    cohorts = scene.bulk.cohorts
    return [scene.sender.record(draw.choice(cohorts).wish()) for _ in range(draw.randint(1, most))]


@asynccontextmanager
async def _producer(scene: Scene, **settings: Any) -> AsyncIterator[Any]:
    producer = AIOKafkaProducer(bootstrap_servers=scene.stage.cluster.bootstrap, **settings)
    try:
        with nothing_left_open():
            await producer.start()
        yield producer
    finally:
        await producer.stop()


async def _write(producer: Any, records: list[tuple[str, Record]]) -> None:
    sent = [
        await producer.send(
            *(record.topic, record.value, record.key, record.partition),
            headers=list(record.headers),
        )
        for _, record in records
    ]
    await asyncio.gather(*sent)


async def _tried(scene: Scene, deed: Callable[[], Awaitable[None]]) -> bool:
    """Whether it came to its end; a broker may be away in the other lane."""
    try:
        async with asyncio.timeout(TRY_SECONDS):
            await deed()
    except (KafkaError, OSError, TimeoutError):
        scene.note("the broker did not let it come to its end")
        return False
    return True


@kind("foreign-transactions", "edges", (0.5, 2), mend=1.0, weight=2)
async def foreign_transactions(scene: Scene, draw: random.Random, seconds: float) -> None:
    """Another producer's transactions: one committed, one aborted, one that nobody ends."""
    name = f"foreign-{draw.getrandbits(48):012x}"
    kept, taken_back, left = (_wishes(scene, draw, 30) for _ in range(3))
    # Whatever becomes of this producer, it never commits these.
    scene.ledger.aborted.update(command_id for command_id, _ in taken_back + left)

    async def whole() -> None:
        settings = {"transactional_id": name, "transaction_timeout_ms": int(OPEN_SECONDS * 1000)}
        async with _producer(scene, **settings) as producer:
            async with producer.transaction():
                await _write(producer, kept)
            scene.ledger.acknowledged([command_id for command_id, _ in kept])
            await producer.begin_transaction()
            await _write(producer, taken_back)
            await asyncio.sleep(seconds)
            await producer.abort_transaction()
            await producer.begin_transaction()
            await _write(producer, left)

    scene.note(f"{len(kept)} kept, {len(taken_back)} taken back, {len(left)} left open")
    await _tried(scene, whole)


@kind("compressed", "edges", (0, 0.5), weight=2)
async def compressed(scene: Scene, draw: random.Random, _: float) -> None:
    """Commands in batches of some codec, on a topic that keeps them so and on others."""
    codec, records = draw.choice(CODECS), _wishes(scene, draw, 200)
    scene.note(f"{len(records)} by {codec}")

    async def whole() -> None:
        async with _producer(scene, compression_type=codec, acks="all", linger_ms=50) as producer:
            await _write(producer, records)

    if await _tried(scene, whole):
        scene.ledger.acknowledged([command_id for command_id, _ in records])


@kind("brimful", "edges", (0, 0.5))
async def brim(scene: Scene, draw: random.Random, _: float) -> None:
    """A cohort and people of whom everything is told that may be: longest texts, longest lists."""
    cohort = f"brim-{draw.getrandbits(48):012x}"
    scene.note(cohort)
    await scene.sender.send(brimful(cohort))
