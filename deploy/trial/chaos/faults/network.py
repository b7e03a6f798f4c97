"""What the network does between clients and brokers or databases: it goes through proxies."""

import asyncio
import random
from collections.abc import Callable, Sequence

from deploy.local.proxy import TcpProxy
from deploy.trial.chaos.faults.kinds import Scene, kind

LATE = (0.1, 1.0)


async def _worsened(
    scene: Scene,
    proxies: Sequence[TcpProxy],
    draw: random.Random,
    seconds: float,
    worsen: Callable[[TcpProxy], None],
) -> None:
    """Do it to the way to one of them, or to all, for a while."""
    number = draw.randrange(len(proxies))
    everywhere = draw.random() < 0.4
    chosen = proxies if everywhere else [proxies[number]]
    scene.note("all" if everywhere else str(number))
    for proxy in chosen:
        worsen(proxy)
    try:
        await asyncio.sleep(seconds)
    finally:
        for proxy in chosen:
            proxy.heal()


@kind("cut-kafka", "parts", (1, 4), weight=2)
async def cut_kafka(scene: Scene, draw: random.Random, seconds: float) -> None:
    """Connections to brokers are reset, and new ones refused."""
    await _worsened(scene, scene.stage.cluster.proxies, draw, seconds, TcpProxy.cut)


@kind("delay-kafka", "parts", (2, 5), weight=2)
async def delay_kafka(scene: Scene, draw: random.Random, seconds: float) -> None:
    """All that is sent to and from brokers comes late."""
    late = draw.uniform(*LATE)
    await _worsened(scene, scene.stage.cluster.proxies, draw, seconds, lambda p: p.delay(late))


@kind("halve-kafka", "parts", (1, 4), weight=2)
async def halve_kafka(scene: Scene, draw: random.Random, seconds: float) -> None:
    """Requests reach the brokers, and their answers come back only afterwards."""
    await _worsened(scene, scene.stage.cluster.proxies, draw, seconds, TcpProxy.halve)


@kind("tear-kafka", "parts", (0.5, 1), weight=2)
async def tear_kafka(scene: Scene, draw: random.Random, seconds: float) -> None:
    """Connections to brokers break in the middle of a message."""
    await _worsened(scene, scene.stage.cluster.proxies, draw, seconds, TcpProxy.tear)


@kind("cut-mongodb", "parts", (1, 4), weight=2)
async def cut_mongodb(scene: Scene, draw: random.Random, seconds: float) -> None:
    """Connections to the database are reset, and new ones refused."""
    await _worsened(scene, scene.stage.database.proxies, draw, seconds, TcpProxy.cut)


@kind("delay-mongodb", "parts", (2, 5), weight=2)
async def delay_mongodb(scene: Scene, draw: random.Random, seconds: float) -> None:
    """All that is sent to and from the database comes late."""
    late = draw.uniform(*LATE)
    await _worsened(scene, scene.stage.database.proxies, draw, seconds, lambda p: p.delay(late))


@kind("halve-mongodb", "parts", (1, 4), weight=2)
async def halve_mongodb(scene: Scene, draw: random.Random, seconds: float) -> None:
    """Requests reach the database, and its answers come back only afterwards."""
    await _worsened(scene, scene.stage.database.proxies, draw, seconds, TcpProxy.halve)


@kind("freeze-mongodb", "parts", (1, 4), weight=2)
async def freeze_mongodb(scene: Scene, draw: random.Random, seconds: float) -> None:
    """Nothing passes between services and database, either way."""
    await _worsened(scene, scene.stage.database.proxies, draw, seconds, TcpProxy.freeze)
