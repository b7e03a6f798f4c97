"""How soon work goes on after `kill -9` of one of two processes of a service, on a real Kafka.

From the kill until a command on every partition has been handled by the one that is left; whose
partitions it had to take over is part of it.
"""

import asyncio
import tempfile
import time
from datetime import UTC, datetime
from pathlib import Path

from deploy.local.kafka import apache_kafka
from deploy.local.mongodb import mongod
from deploy.local.process import free_ports
from deploy.local.stack import SERVICES, ServiceProcess, Terms, environment
from deploy.operating.topics import create_topics
from services.chassis.log.kafka import KafkaLog
from services.chassis.store.mongo import MongoStore
from tests.bench.commands import Commands

SESSION_TIMEOUT_MS = 3000
ROUNDS = 3


async def seconds(partitions: int) -> list[float]:
    """One figure for each round, the session time-out included."""
    with tempfile.TemporaryDirectory(prefix="connecte-bench-") as name:
        directory = Path(name)
        async with apache_kafka(directory) as cluster, mongod(directory) as server:
            connection = {"bootstrap_servers": cluster.bootstrap}
            await create_topics(connection, partitions=partitions)
            terms = Terms(
                partitions=partitions, session_timeout_ms=SESSION_TIMEOUT_MS, kafka="apache"
            )
            ports = dict(zip(SERVICES, free_ports(len(SERVICES)), strict=True))
            now = datetime.now(UTC)
            env = environment(terms, cluster.bootstrap, server.uri, 25, ports, now)
            pair = [
                ServiceProcess("matching", directory, env, port, label=f"matching-{port}")
                for port in free_ports(2)
            ]
            log = KafkaLog(connection)
            store = MongoStore(server.uri, "connecte_matching", ())
            try:
                commands = Commands(log, store, partitions)
                return [await _round(number, pair, commands) for number in range(ROUNDS)]
            finally:
                await asyncio.gather(*(process.stop() for process in pair))
                await log.stop()
                await store.close()


async def _round(number: int, pair: list[ServiceProcess], commands: Commands) -> float:
    for process in pair:
        if process.child is None or process.child.returncode is not None:
            process.start()
            await process.ready()
    await commands.handled(f"before-{number}")
    victim = pair[number % 2].child
    assert victim is not None
    killed = time.perf_counter()
    victim.kill()
    await victim.wait()
    await commands.handled(f"after-{number}")
    return time.perf_counter() - killed
