"""What the mail server does instead of taking letters."""

import asyncio
import random

from deploy.trial.chaos.faults.kinds import Scene, kind

BUSY = "451 4.2.1 busy"


@kind("mail-hang", "edges", (3, 7))
async def mail_hang(scene: Scene, _: random.Random, seconds: float) -> None:
    """The mail server takes connections and says nothing."""
    scene.stage.mailbox.hang()
    try:
        await asyncio.sleep(seconds)
    finally:
        scene.stage.mailbox.heal()


@kind("mail-busy", "edges", (1, 4))
async def mail_busy(scene: Scene, draw: random.Random, seconds: float) -> None:
    """The mail server puts some of the letters off (451), or all."""
    share = draw.choice((0.3, 1.0))
    scene.note(f"{share:.0%} of the letters")
    scene.stage.mailbox.refuse = lambda _: BUSY if draw.random() < share else None
    try:
        await asyncio.sleep(seconds)
    finally:
        scene.stage.mailbox.refuse = None
