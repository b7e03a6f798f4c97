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
from schemas.envelope import encode
from schemas.matching import OpenCohort
from schemas.topics import commands_topic, partition_of
from services.chassis.log.kafka import KafkaLog
from services.chassis.store.mongo import MongoStore

SESSION_TIMEOUT_MS = 3000
PARTITIONS = 4
ROUNDS = 3
LOOK_EVERY = 0.02
PATIENCE = 60.0
TOPIC = commands_topic("matching")


async def seconds() -> list[float]:
    """One figure for each round, the session time-out included."""
    with tempfile.TemporaryDirectory(prefix="connecte-bench-") as name:
        directory = Path(name)
        async with apache_kafka(directory) as cluster, mongod(directory) as server:
            connection = {"bootstrap_servers": cluster.bootstrap}
            await create_topics(connection, partitions=PARTITIONS)
            terms = Terms(
                partitions=PARTITIONS, session_timeout_ms=SESSION_TIMEOUT_MS, kafka="apache"
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
                return [await _round(number, pair, log, store) for number in range(ROUNDS)]
            finally:
                await asyncio.gather(*(process.stop() for process in pair))
                await log.stop()
                await store.close()


async def _round(
    number: int, pair: list[ServiceProcess], log: KafkaLog, store: MongoStore
) -> float:
    for process in pair:
        if process.child is None or process.child.returncode is not None:
            process.start()
            await process.ready()
    await _handled(f"before-{number}", log, store)
    victim = pair[number % 2].child
    assert victim is not None
    killed = time.perf_counter()
    victim.kill()
    await victim.wait()
    await _handled(f"after-{number}", log, store)
    return time.perf_counter() - killed


async def _handled(name: str, log: KafkaLog, store: MongoStore) -> None:
    """Send a command to each partition, and wait until all of them have been handled."""
    cohorts = {}
    number = 0
    while len(cohorts) < PARTITIONS:
        cohort = f"{name}-{number}"
        cohorts.setdefault(partition_of(cohort, PARTITIONS), cohort)
        number += 1
    now = datetime.now(UTC)
    records = [
        encode(
            OpenCohort(cohort_id=cohort, name=cohort),
            *(TOPIC, partition),
            id=cohort,
            source="/bench",
            time=now,
        )
        for partition, cohort in cohorts.items()
    ]
    offsets = dict(zip(cohorts, await log.publish(records), strict=True))
    deadline = time.monotonic() + PATIENCE
    while True:
        places = await store.places(offsets)
        if all(p in places and places[p].positions.get(TOPIC, 0) > o for p, o in offsets.items()):
            return
        assert time.monotonic() < deadline, "nobody has taken the partitions over"
        await asyncio.sleep(LOOK_EVERY)
