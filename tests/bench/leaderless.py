"""Commands of eleven partitions while the twelfth has no leader, and while it has one.

Three real brokers; the service's events of one partition are kept by one of them alone, which is
stopped: what is decided there can be published to nobody.
"""

import asyncio
import json
import signal
import statistics
import tempfile
from datetime import UTC, datetime
from pathlib import Path

from deploy.local.kafka import apache_kafka
from deploy.local.mongodb import mongod
from deploy.local.process import free_ports
from deploy.local.stack import SERVICES, ServiceProcess, Terms, environment
from deploy.operating.topics import create_topics
from schemas.topics import stream_topic
from services.chassis.log.kafka import KafkaLog
from services.chassis.store.mongo import MongoStore
from tests.bench.commands import Commands

PARTITIONS = 12
COMMANDS = 200
SETTLE_SECONDS = 15.0  # until the partitions that the stopped broker led have another leader
SETTLED = 60  # rounds of commands in a row that are handled promptly: nobody changes over any more
PROMPTLY = 1.0
REASSIGN = "org.apache.kafka.tools.reassign.ReassignPartitionsCommand"
OUT = stream_topic("matching", "events")


async def latencies() -> tuple[list[float], list[float]]:
    """Seconds from a command to its effect, sorted: with all leaders, and with one missing."""
    with tempfile.TemporaryDirectory(prefix="connecte-bench-") as name:
        directory = Path(name)
        async with apache_kafka(directory, brokers=3) as cluster, mongod(directory) as server:
            connection = {"bootstrap_servers": cluster.bootstrap}
            await create_topics(connection, partitions=PARTITIONS, replication=3)
            alone = {"topic": OUT, "partition": 0, "replicas": [2]}
            plan = directory / "plan.json"
            plan.write_text(json.dumps({"version": 1, "partitions": [alone]}))
            await cluster.tool(REASSIGN, "--reassignment-json-file", plan, "--execute")
            terms = Terms(partitions=PARTITIONS, session_timeout_ms=6000, kafka="apache")
            ports = dict(zip(SERVICES, free_ports(len(SERVICES)), strict=True))
            env = environment(terms, cluster.bootstrap, server.uri, 25, ports, datetime.now(UTC))
            process = ServiceProcess("matching", directory, env, ports["matching"])
            log, store = KafkaLog(connection), MongoStore(server.uri, "connecte_matching", ())
            commands = Commands(log, store, PARTITIONS)
            try:
                process.start()
                await process.ready()
                await commands.handled("first")
                whole = await _measured(commands, "whole")
                cluster.nodes[2].send(signal.SIGSTOP)
                try:
                    await asyncio.sleep(SETTLE_SECONDS)
                    await _settled(commands)
                    sending = asyncio.create_task(_to_nobody(commands))
                    without = await _measured(commands, "without")
                    sending.cancel()
                finally:
                    cluster.nodes[2].send(signal.SIGCONT)
                return whole, without
            finally:
                await process.stop()
                await log.stop()
                await store.close()


async def _settled(commands: Commands) -> None:
    """Wait until the group, too, has gone over to another broker."""
    rounds = prompt = 0
    while prompt < SETTLED:
        seconds = await commands.handled(f"settled-{rounds}", range(1, PARTITIONS))
        prompt = prompt + 1 if seconds < PROMPTLY else 0
        rounds += 1
        await asyncio.sleep(PROMPTLY / 4)


async def _measured(commands: Commands, name: str) -> list[float]:
    """One command after the other, to the eleven in turn."""
    return sorted(
        [
            await commands.handled(f"{name}-{number}", [1 + number % (PARTITIONS - 1)])
            for number in range(COMMANDS)
        ]
    )


async def _to_nobody(commands: Commands) -> None:
    """A command to the partition whose events nobody takes."""
    await commands.handled("to-nobody", [0])


def p99(latencies: list[float]) -> float:
    """Of at least a hundred."""
    return statistics.quantiles(latencies, n=100)[-1]
