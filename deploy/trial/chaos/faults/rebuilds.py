"""What operators do to a running platform: databases are rebuilt under it."""

import asyncio
import contextlib
import os
import random
import sys
from pathlib import Path

from deploy.local.process import Child
from deploy.local.stack import SERVICES
from deploy.trial.chaos.faults.kinds import Scene, kind

ROOT = Path(__file__).parents[4]
LONGEST = 90.0


@kind("rebuild", "edges", (2, 6), mend=1.0)
async def rebuild(scene: Scene, draw: random.Random, seconds: float) -> None:
    """A service's database is rebuilt while it works, or the rebuild is killed half-way."""
    service, killed = draw.choice(SERVICES), draw.random() < 0.4
    stage = scene.stage
    scene.note(service)
    child = Child(
        "rebuild",
        [sys.executable, "-m", "deploy.cli", "rebuild", service, "--json"],
        log=stage.directory / "rebuilds.log",
        cwd=ROOT,
        env={
            **os.environ,
            "KAFKA_BOOTSTRAP_SERVERS": stage.cluster.bootstrap,
            "MONGODB_URI": stage.mongodb,
            "CONNECTE_PARTITIONS": str(stage.terms.partitions),
        },
    )
    try:
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds if killed else LONGEST):
                await child.wait()
    finally:
        child.kill()
        code = await child.wait()
    # It may have failed because a broker or the database was away: then nothing has changed.
    scene.note(f"{service}: {'changed over' if code == 0 else 'killed' if code < 0 else 'failed'}")
