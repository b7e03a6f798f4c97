"""What happens to the brokers, each of which is a controller too."""

import asyncio
import json
import random
import signal

from deploy.local.process import PartError
from deploy.trial.chaos.faults.kinds import Scene, kind
from deploy.trial.chaos.stage import BROKERS
from schemas.topics import TOPICS

SESSION_SECONDS = 3.0  # of a broker, after which it leads nothing
TRIES = 5
REASSIGN = "org.apache.kafka.tools.reassign.ReassignPartitionsCommand"


@kind("kill-broker", "parts", (1, 4), mend=7.0, weight=2)
async def kill_broker(scene: Scene, draw: random.Random, seconds: float) -> None:
    """A broker is killed (-9) and comes back; two in-sync replicas remain."""
    await _killed(scene, [draw.randrange(BROKERS)], seconds)


@kind("kill-controller", "parts", (1, 4), mend=7.0)
async def kill_controller(scene: Scene, _: random.Random, seconds: float) -> None:
    """The broker that is the active controller is killed (-9) and comes back."""
    await _killed(scene, [await scene.stage.cluster.controller()], seconds)


@kind("kill-two-brokers", "parts", (1, 4), mend=10.0)
async def kill_two_brokers(scene: Scene, draw: random.Random, seconds: float) -> None:
    """Two of three brokers are killed (-9): nothing can be written until one is back."""
    await _killed(scene, draw.sample(range(BROKERS), 2), seconds)


async def _killed(scene: Scene, victims: list[int], seconds: float) -> None:
    scene.note(", ".join(f"broker {i}" for i in victims))
    cluster = scene.stage.cluster
    for i in victims:
        await cluster.kill(i)
    try:
        await asyncio.sleep(seconds)
    finally:
        await asyncio.gather(*(cluster.restart(i) for i in victims))


@kind("freeze-broker", "parts", (2, 6), mend=1.0, weight=2)
async def freeze_broker(scene: Scene, draw: random.Random, seconds: float) -> None:
    """A broker is stopped, for longer than its own session at times, and goes on."""
    i = draw.randrange(BROKERS)
    scene.note(f"broker {i}")
    node = scene.stage.cluster.nodes[i]
    node.send(signal.SIGSTOP)
    try:
        await asyncio.sleep(seconds)
    finally:
        node.send(signal.SIGCONT)


@kind("leaderless", "parts", (4, 10), mend=20.0)
async def leaderless(scene: Scene, draw: random.Random, seconds: float) -> None:
    """One partition has no leader: its only copy is on a broker that is stopped, and goes on."""
    topic = draw.choice(tuple(TOPICS))
    partition, i = draw.randrange(scene.stage.terms.partitions), draw.randrange(BROKERS)
    scene.note(f"{topic}/{partition}, on broker {i}")
    cluster = scene.stage.cluster
    try:
        await _reassigned(scene, topic, partition, [i])
        # Not killed: a copy that may lack something is not let lead again (KIP-966).
        cluster.nodes[i].send(signal.SIGSTOP)
        try:
            await asyncio.sleep(SESSION_SECONDS + seconds)
        finally:
            cluster.nodes[i].send(signal.SIGCONT)
    finally:
        others = [n for n in range(BROKERS) if n != i]
        await _reassigned(scene, topic, partition, [i, *others])


async def _reassigned(scene: Scene, topic: str, partition: int, copies: list[int]) -> None:
    """Have these brokers keep a partition, the first of them as its leader by choice."""
    wanted = {"topic": topic, "partition": partition, "replicas": copies}
    plan = scene.stage.directory / "reassignment.json"
    plan.write_text(json.dumps({"version": 1, "partitions": [wanted]}))
    for how in ("--execute", "--verify"):
        for left in reversed(range(TRIES)):
            try:
                await scene.stage.cluster.tool(REASSIGN, "--reassignment-json-file", plan, how)
            except PartError:  # while the controller changes, for one
                if not left:
                    raise
            else:
                break
