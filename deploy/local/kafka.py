"""A real Apache Kafka on this machine: KRaft, one broker or three, on Java.

What always holds: each node is broker and controller in one, reachable on the loopback interface
only, with its files below the run's directory; a node that was killed comes back with the same
ports and data. What it needs, Maven and Java 17 or newer, has to be on PATH.
"""

import asyncio
import base64
import uuid
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

from deploy.local.broker import answers
from deploy.local.kafka_jars import kafka_jars
from deploy.local.process import Child, find_program, free_ports

FORMAT_SECONDS = 60.0
READY_SECONDS = 90.0
GRACE_SECONDS = 15.0
HEAP = "512m"
MAX_MESSAGE_BYTES = 8 * 1024 * 1024

# Warnings only, to standard output, which is the node's log file.
LOGGING = """\
appender.out.type = Console
appender.out.name = out
appender.out.layout.type = PatternLayout
appender.out.layout.pattern = %d %p %c %m%n
rootLogger.level = warn
rootLogger.appenderRef.out.ref = out
"""


@dataclass
class KafkaCluster:
    """A running cluster. `nodes` may be killed or signalled; `restart` brings one back."""

    bootstrap: str
    nodes: list[Child]
    _plans: list["_NodePlan"] = field(repr=False)

    async def restart(self, i: int) -> None:
        """Start node `i` again, stopping it first if it runs; returns once it knows its peers."""
        await self.nodes[i].stop(GRACE_SECONDS)
        self.nodes[i] = self._plans[i].start()
        alive = sum(node.returncode is None for node in self.nodes)
        await self._plans[i].ready(self.nodes[i], peers=alive)


@asynccontextmanager
async def apache_kafka(directory: Path, *, brokers: int = 1) -> AsyncIterator[KafkaCluster]:
    """Yields a cluster without topics, which never creates any by itself.

    With three brokers topics are replicated three times and need two in-sync replicas by default.
    The first call on a machine downloads the jars. Raises PartError when Maven or Java is missing
    or a node does not start.
    """
    if brokers not in (1, 3):
        raise ValueError(f"brokers is 1 or 3, not {brokers}")
    java = find_program("java")
    jars = await kafka_jars(directory)
    plans = _plan(directory, f"{jars}/*", java, brokers)
    nodes: list[Child] = []
    try:
        await _format(plans)
        nodes += [plan.start() for plan in plans]
        # All side by side: no node of three is ready before it has found another.
        async with asyncio.TaskGroup() as group:
            for plan, node in zip(plans, nodes, strict=True):
                group.create_task(plan.ready(node, peers=brokers))
        bootstrap = ",".join(f"127.0.0.1:{plan.port}" for plan in plans)
        yield KafkaCluster(bootstrap, nodes, plans)
    finally:
        # Side by side too: a node that leaves in good order waits for a controller to let it go.
        await asyncio.gather(*(node.stop(GRACE_SECONDS) for node in nodes))


@dataclass(frozen=True)
class _NodePlan:
    """What it takes to start one node, again and again."""

    name: str
    port: int
    directory: Path
    java: tuple[str, ...]

    @property
    def properties(self) -> Path:
        return self.directory / "server.properties"

    def start(self) -> Child:
        command = (*self.java, "kafka.Kafka", str(self.properties))
        return Child(self.name, command, log=self.directory / "kafka.log")

    def format(self, cluster_id: str) -> Child:
        command = (*self.java, "kafka.tools.StorageTool", "format")
        command += ("--cluster-id", cluster_id, "--config", str(self.properties))
        return Child(f"{self.name} storage tool", command, log=self.directory / "format.log")

    async def ready(self, node: Child, *, peers: int) -> None:
        await node.ready(lambda: answers(self.port, brokers=peers), READY_SECONDS)


def _plan(directory: Path, classpath: str, java: str, brokers: int) -> list[_NodePlan]:
    ports = free_ports(2 * brokers)
    voters = ",".join(f"{i}@127.0.0.1:{ports[brokers + i]}" for i in range(brokers))
    plans = []
    for i in range(brokers):
        home = directory / f"kafka-{i}"
        home.mkdir(parents=True, exist_ok=True)
        logging = home / "log4j2.properties"
        logging.write_text(LOGGING)
        command = (
            java,
            f"-Xmx{HEAP}",
            # Smaller than the default collector, and with two cores to share no slower.
            "-XX:+UseSerialGC",
            f"-Dlog4j2.configurationFile={logging}",
            "-cp",
            classpath,
        )
        plan = _NodePlan(f"kafka-{i}", ports[i], home, command)
        properties = _properties(i, ports[i], ports[brokers + i], voters, home, brokers)
        plan.properties.write_text("".join(f"{k}={v}\n" for k, v in properties.items()))
        plans.append(plan)
    return plans


def _properties(
    node: int, port: int, controller_port: int, voters: str, home: Path, brokers: int
) -> dict[str, object]:
    listeners = f"CLIENT://127.0.0.1:{port},CONTROLLER://127.0.0.1:{controller_port}"
    in_sync = 2 if brokers == 3 else 1
    return {
        "process.roles": "broker,controller",
        "node.id": node,
        "controller.quorum.voters": voters,
        "controller.listener.names": "CONTROLLER",
        "listeners": listeners,
        "advertised.listeners": f"CLIENT://127.0.0.1:{port}",
        "inter.broker.listener.name": "CLIENT",
        "listener.security.protocol.map": "CLIENT:PLAINTEXT,CONTROLLER:PLAINTEXT",
        "log.dirs": home / "data",
        "auto.create.topics.enable": "false",
        "default.replication.factor": brokers,
        "min.insync.replicas": in_sync,
        "offsets.topic.replication.factor": brokers,
        "transaction.state.log.replication.factor": brokers,
        "transaction.state.log.min.isr": in_sync,
        "share.coordinator.state.topic.replication.factor": brokers,
        "share.coordinator.state.topic.min.isr": in_sync,
        # The defaults are fifty each, and take seconds to create.
        "offsets.topic.num.partitions": 6,
        "transaction.state.log.num.partitions": 6,
        # So that a group forms at once, and a member that died is missed soon.
        "group.initial.rebalance.delay.ms": 0,
        "group.min.session.timeout.ms": 1000,
        # A node that was killed is not let back in before its former self is given up.
        "broker.session.timeout.ms": 3000,
        "broker.heartbeat.interval.ms": 500,
        "message.max.bytes": MAX_MESSAGE_BYTES,
        "replica.fetch.max.bytes": MAX_MESSAGE_BYTES,
        # By default a quarter of the heap goes to this.
        "log.cleaner.dedupe.buffer.size": 16 * 1024 * 1024,
    }


async def _format(plans: list[_NodePlan]) -> None:
    # As Kafka writes them: 22 characters, and the leading dash of an option avoided.
    cluster_id = "k" + base64.urlsafe_b64encode(uuid.uuid4().bytes).decode()[1:22]
    async with asyncio.TaskGroup() as group:
        for plan in plans:
            group.create_task(plan.format(cluster_id).succeed(FORMAT_SECONDS))
