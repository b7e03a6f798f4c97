"""What administrators do to the services' permissions on the broker."""

import asyncio
import random

from deploy.trial.chaos.faults.kinds import Scene, kind
from deploy.trial.chaos.faults.poison import READ

ACLS = "org.apache.kafka.tools.AclCommand"
ANYBODY = ("--allow-principal", "User:*", "--operation", "All")


@kind("withdraw-permission", "parts", (2, 8), mend=12.0)
async def withdraw_permission(scene: Scene, draw: random.Random, seconds: float) -> None:
    """Nobody may write to a topic any more, or nobody may read it; then it is given back."""
    topic, operation = draw.choice(READ), draw.choice(("Read", "Write"))
    scene.note(f"{operation} {topic}")
    tool, where = scene.stage.cluster.tool, ("--topic", topic)
    denied = ("--deny-principal", "User:*", "--operation", operation)
    try:
        # A topic with a rule is closed to all whom none lets in.
        await tool(ACLS, "--add", *where, *ANYBODY)
        await tool(ACLS, "--add", *where, *denied)
        await asyncio.sleep(seconds)
    finally:
        await tool(ACLS, "--remove", "--force", *where)
