"""What happens to the members of the replica set."""

import asyncio
import random

from deploy.trial.chaos.faults.kinds import Scene, kind


@kind("kill-mongod", "parts", (1, 4), mend=3.0, weight=2)
async def kill_mongod(scene: Scene, _: random.Random, seconds: float) -> None:
    """The primary is killed (-9), and comes back."""
    await _killed(scene, await scene.stage.database.primary(), seconds)


@kind("kill-mongod-secondary", "parts", (1, 4), mend=3.0)
async def kill_mongod_secondary(scene: Scene, draw: random.Random, seconds: float) -> None:
    """A secondary is killed (-9), and comes back."""
    await _killed(scene, await _secondary(scene, draw), seconds)


async def _secondary(scene: Scene, draw: random.Random) -> int:
    database = scene.stage.database
    primary = await database.primary()
    return draw.choice([i for i in range(len(database.members)) if i != primary])


async def _killed(scene: Scene, i: int, seconds: float) -> None:
    scene.note(f"mongod {i}")
    database = scene.stage.database
    await database.kill(i)
    try:
        await asyncio.sleep(seconds)
    finally:
        await database.restart(i)


@kind("step-down", "parts", (0.5, 2), mend=1.0, weight=2)
async def step_down(scene: Scene, _: random.Random, seconds: float) -> None:
    """The primary hands over in the middle of transactions."""
    scene.note(f"mongod {await scene.stage.database.step_down()}")
    await asyncio.sleep(seconds)


@kind("disk-full", "parts", (2, 5), mend=4.0)
async def disk_full(scene: Scene, _: random.Random, seconds: float) -> None:
    """The disk of one member is full, primary or not; it ends itself, and comes back with room."""
    database = scene.stage.database
    if not database.disks:
        scene.note("left out: nothing can be mounted here")
        return
    primary = await database.primary()
    for i in database.disks:
        scene.note(f"mongod {i}{', the primary' if i == primary else ''}")
        database.fill_disk(i)
    try:
        await asyncio.sleep(seconds)
    finally:
        for i in database.disks:
            database.free_disk(i)
            await database.restart(i)
