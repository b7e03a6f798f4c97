"""What happens to records on their way: repeated, late, out of turn, or never fit to be read."""

import asyncio
import random
from collections.abc import Sequence

from aiokafka.errors import KafkaError

from deploy.trial.chaos.faults.kinds import Scene, kind
from deploy.trial.chaos.faults.poison import COMMANDS, READ, poisoned
from schemas.base import Command
from schemas.envelope import Record
from schemas.topics import TOPICS
from services.chassis.log.contract import Received

LONGEST_RUN = 40
READ_SECONDS = 15.0


async def _run_of(scene: Scene, draw: random.Random) -> list[Record]:
    """Some records that follow each other in the log, from anywhere in it."""
    ends = {spot: end for spot, end in scene.watch.ends.items() if end and spot[0] in TOPICS}
    if not ends:
        return []
    # Mostly where it matters: of events that services read, and of commands, which are fewer.
    mood = draw.random()
    wanted = READ if mood < 0.5 else COMMANDS if mood < 0.8 else tuple(TOPICS)
    spots = sorted(spot for spot in ends if spot[0] in wanted) or sorted(ends)
    topic, partition = draw.choice(spots)
    length = draw.randint(1, LONGEST_RUN)
    # Old ones, or the very last.
    end = ends[topic, partition]
    start = max(0, draw.randrange(end) if draw.random() < 0.6 else end - length)
    scene.note(f"{topic}/{partition} from {start}")
    try:
        async with asyncio.timeout(READ_SECONDS):
            async for rows in scene.sender.log.read(topic, partition, start):
                return [_again(row) for row in rows[:length]]
    except (KafkaError, OSError, TimeoutError):
        scene.note("the broker gives nothing to copy")
    return []


def _again(row: Received) -> Record:
    return Record(row.topic, row.partition, row.key, row.value, row.headers)


async def _put(scene: Scene, records: Sequence[Record]) -> None:
    if records:
        await scene.sender.publish(records)
        scene.ledger.copies[records[0].topic] += len(records)


@kind("duplicate", "edges", (0, 0.5), weight=3)
async def duplicate(scene: Scene, draw: random.Random, _: float) -> None:
    """A run of records, old or new, is published again by a stranger."""
    await _put(scene, await _run_of(scene, draw))


@kind("reorder", "edges", (0, 0.5), weight=2)
async def reorder(scene: Scene, draw: random.Random, _: float) -> None:
    """A run of records is published again, out of turn."""
    records = await _run_of(scene, draw)
    draw.shuffle(records)
    await _put(scene, records)


@kind("delay-delivery", "edges", (2, 5), weight=2)
async def delay_delivery(scene: Scene, draw: random.Random, seconds: float) -> None:
    """Commands that were written long ago arrive, in another order; and copies of events, late."""
    if not scene.bulk.cohorts:
        return
    wishes: list[Command] = [
        draw.choice(scene.bulk.cohorts).wish() for _ in range(draw.randint(5, 30))
    ]
    written = [scene.sender.record(wish) for wish in wishes]
    copies = await _run_of(scene, draw)
    await asyncio.sleep(seconds)
    draw.shuffle(written)
    await scene.sender.publish([record for _, record in written])
    scene.ledger.acknowledged([command_id for command_id, _ in written])
    await _put(scene, copies)


@kind("poison", "edges", (0, 0.5), weight=3)
async def poison(scene: Scene, draw: random.Random, _: float) -> None:
    """Records that nobody can read, of many kinds, among the others."""
    partitions = scene.stage.terms.partitions
    doses = [
        poisoned(f"{draw.getrandbits(48):012x}", draw, partitions)
        for _ in range(draw.randint(1, 6))
    ]
    scene.note(", ".join(name for name, _ in doses))
    await scene.sender.publish([record for _, record in doses])
    scene.ledger.poison.update(name for name, _ in doses)
