"""A real Apache Kafka on this machine: KRaft, one broker or three, on Java.

What always holds: each node is broker and controller in one, reachable on the loopback interface
only, with its files below the run's directory; a node that was killed comes back with the same
ports and data. A secured one takes clients over TLS with SCRAM only, and refuses what no rule
allows. What it needs, Maven and Java 17 or newer, has to be on PATH.
"""

import asyncio
import time
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

from deploy.local.broker import known_brokers
from deploy.local.kafka_jars import kafka_jars
from deploy.local.kafka_kept import Blank, Classes, new_id
from deploy.local.kafka_quorum import led_by
from deploy.local.process import POLL_SECONDS, Child, PartError, find_program, free_ports
from deploy.local.proxy import TcpProxy

FORMAT_SECONDS = 60.0
READY_SECONDS = 90.0
GRACE_SECONDS = 15.0
ARCHIVING_SECONDS = 90.0  # once per machine
CONTROLLER_SECONDS = 60.0
TOOL_SECONDS = 120.0
HEAP = {1: "512m", 3: "384m"}  # by the number of brokers
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


AUTHORIZER = "org.apache.kafka.metadata.authorizer.StandardAuthorizer"
NODE = "node"
# Whoever comes may do everything that no rule is about, so that a rule can take it away. The nodes
# have a name of their own among themselves: they elect their leader before they know any rule.
OPEN: Mapping[str, object] = {
    "listener.security.protocol.map": (
        "CLIENT:PLAINTEXT,INTERNAL:PLAINTEXT,CONTROLLER:SASL_PLAINTEXT"
    ),
    "sasl.mechanism.controller.protocol": "PLAIN",
    "listener.name.controller.sasl.enabled.mechanisms": "PLAIN",
    "listener.name.controller.plain.sasl.jaas.config": (
        "org.apache.kafka.common.security.plain.PlainLoginModule required "
        f'username="{NODE}" password="{NODE}" user_{NODE}="{NODE}";'
    ),
    "authorizer.class.name": AUTHORIZER,
    "allow.everyone.if.no.acl.found": "true",
    "super.users": f"User:{NODE}",
}

SCRAM = "SCRAM-SHA-256", "SCRAM-SHA-512"
ADMINISTRATOR = "administrator"


@dataclass(frozen=True, slots=True)
class Secured:
    """How clients are let in: over TLS, by their passwords, and to what rules allow.

    `keystore`: the broker's key (PKCS 8) and certificates in one PEM file. `passwords`: of every
    user; the one called ADMINISTRATOR may do everything.
    """

    keystore: Path
    passwords: Mapping[str, str] = field(repr=False)


@dataclass
class KafkaCluster:
    """A running cluster. `nodes` may be killed or signalled; `restart` brings one back.

    Where it is proxied, clients reach node `i` through `proxies[i]` only, at every address that
    they are ever told. The nodes speak with each other past the proxies.
    """

    bootstrap: str
    nodes: list[Child]
    proxies: list[TcpProxy]
    _plans: list["_NodePlan"] = field(repr=False)

    async def kill(self, i: int) -> None:
        """End node `i` with no chance to tidy up."""
        self.nodes[i].kill()
        await self.nodes[i].wait()

    async def restart(self, i: int) -> None:
        """Start node `i` again, stopping it first if it runs; returns once it serves again."""
        await self.nodes[i].stop(GRACE_SECONDS)
        self.nodes[i] = self._plans[i].start()
        await self._plans[i].ready(self.nodes[i], peers={i})

    async def tool(self, name: str, *arguments: str | Path) -> None:
        """Have one of Kafka's own commands done, by its class; past the proxies.

        Raises PartError with what it said, if it fails.
        """
        addresses = ",".join(f"127.0.0.1:{plan.internal_port}" for plan in self._plans)
        command = (*self._plans[0].java, name, "--bootstrap-server", addresses, *arguments)
        log = self._plans[0].directory / "tools.log"
        await Child(name.rpartition(".")[2], command, log=log).succeed(TOOL_SECONDS)

    @property
    def data(self) -> list[Path]:
        """The folder of each node in which the topics lie."""
        return [plan.data for plan in self._plans]

    async def controller(self) -> int:
        """The index of the node that is the active controller, once there is one."""
        deadline = time.monotonic() + CONTROLLER_SECONDS
        while True:
            answers = await asyncio.gather(*(led_by(plan.internal_port) for plan in self._plans))
            # Of two that think that they are, the one of the later election counts.
            if leaders := [answer for answer in answers if answer is not None]:
                return max(leaders)[1]
            if time.monotonic() > deadline:
                raise PartError(f"no controller within {CONTROLLER_SECONDS:g} s")
            await asyncio.sleep(POLL_SECONDS)


@asynccontextmanager
async def apache_kafka(
    directory: Path, *, brokers: int = 1, proxied: bool = False, secured: Secured | None = None
) -> AsyncIterator[KafkaCluster]:
    """Yields a cluster without topics, which never creates any by itself.

    With three brokers topics are replicated three times and need two in-sync replicas by default.
    The first call on a machine downloads the jars. Raises PartError when Maven or Java is missing
    or a node does not start.
    """
    if brokers not in (1, 3):
        raise ValueError(f"brokers is 1 or 3, not {brokers}")
    java = find_program("java")
    jars = await kafka_jars(directory)
    classes = Classes.of(jars, java)
    plans = _plan(directory, f"{jars}/*", java, brokers, proxied, secured, classes)
    nodes: list[Child] = []
    async with AsyncExitStack() as stack:
        proxies = [TcpProxy(plan.port, plan.advertised) for plan in plans] if proxied else []
        for proxy in proxies:
            await stack.enter_async_context(proxy)
        stack.push_async_callback(_stop, nodes, classes)
        await _format(plans, secured, Blank.of(jars))
        nodes += [plan.start() for plan in plans]
        # All side by side: no node of three is ready before it has found another.
        async with asyncio.TaskGroup() as group:
            for plan, node in zip(plans, nodes, strict=True):
                group.create_task(plan.ready(node, peers=set(range(brokers))))
        bootstrap = ",".join(f"127.0.0.1:{plan.advertised}" for plan in plans)
        yield KafkaCluster(bootstrap, nodes, proxies, plans)


async def _stop(nodes: list[Child], classes: Classes) -> None:
    # Side by side too: a node that leaves in good order waits for a controller to let it go.
    grace = GRACE_SECONDS if classes.archive.exists() else ARCHIVING_SECONDS
    await asyncio.gather(*(node.stop(grace) for node in nodes))
    for node in nodes[:1]:
        classes.keep(node)


@dataclass(frozen=True)
class _NodePlan:
    """What it takes to start one node, again and again."""

    name: str
    port: int
    advertised: int
    internal_port: int
    controller_port: int
    directory: Path
    java: tuple[str, ...]
    classes: Classes

    @property
    def properties(self) -> Path:
        return self.directory / "server.properties"

    @property
    def data(self) -> Path:
        return self.directory / "data"

    def start(self) -> Child:
        shared = self.classes.options(first=self.name == "kafka-0")
        command = (self.java[0], *shared, *self.java[1:], "kafka.Kafka", str(self.properties))
        return Child(self.name, command, log=self.directory / "kafka.log")

    def format(self, cluster_id: str, users: tuple[str, ...]) -> Child:
        command = (*self.java, "kafka.tools.StorageTool", "format")
        command += ("--cluster-id", cluster_id, "--config", str(self.properties), *users)
        return Child(f"{self.name} storage tool", command, log=self.directory / "format.log")

    async def ready(self, node: Child, *, peers: set[int]) -> None:
        """A broker that serves is in its own list."""

        async def knows() -> bool:
            return peers <= await known_brokers(self.internal_port)

        await node.ready(knows, READY_SECONDS)


def _plan(
    directory: Path,
    classpath: str,
    java: str,
    brokers: int,
    proxied: bool,
    secured: Secured | None,
    classes: Classes,
) -> list[_NodePlan]:
    ports = free_ports(4 * brokers)
    plans = []
    for i in range(brokers):
        home = directory / f"kafka-{i}"
        home.mkdir(parents=True, exist_ok=True)
        logging = home / "log4j2.properties"
        logging.write_text(LOGGING)
        command = (
            java,
            f"-Xmx{HEAP[brokers]}",
            # Smaller than the default collector, and with two cores to share no slower.
            "-XX:+UseSerialGC",
            # Compile fast rather than well: less time to start, and a third less in a short run.
            "-XX:TieredStopAtLevel=1",
            f"-Dlog4j2.configurationFile={logging}",
            "-cp",
            classpath,
        )
        port, proxy, internal, controller = ports[4 * i : 4 * i + 4]
        advertised = proxy if proxied else port
        name = f"kafka-{i}"
        plan = _NodePlan(name, port, advertised, internal, controller, home, command, classes)
        plans.append(plan)
    voters = ",".join(f"{i}@127.0.0.1:{plan.controller_port}" for i, plan in enumerate(plans))
    for i, plan in enumerate(plans):
        properties = _addresses(plan) | _rules(brokers)
        properties |= {"node.id": i, "controller.quorum.voters": voters}
        properties |= OPEN if secured is None else _security(secured)
        plan.properties.write_text("".join(f"{k}={v}\n" for k, v in properties.items()))
    return plans


def _addresses(plan: _NodePlan) -> dict[str, object]:
    internal = f"INTERNAL://127.0.0.1:{plan.internal_port}"
    controller = f"CONTROLLER://127.0.0.1:{plan.controller_port}"
    return {
        "listeners": f"CLIENT://127.0.0.1:{plan.port},{internal},{controller}",
        "advertised.listeners": f"CLIENT://127.0.0.1:{plan.advertised},{internal}",
        "inter.broker.listener.name": "INTERNAL",
        "controller.listener.names": "CONTROLLER",
        "log.dirs": plan.data,
    }


def _rules(brokers: int) -> dict[str, object]:
    in_sync = 2 if brokers == 3 else 1
    return {
        "process.roles": "broker,controller",
        "auto.create.topics.enable": "false",
        "default.replication.factor": brokers,
        "min.insync.replicas": in_sync,
        # A replica that has missed acknowledged records never leads.
        "unclean.leader.election.enable": "false",
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


def _security(secured: Secured) -> dict[str, object]:
    protocols = "CLIENT:SASL_SSL,INTERNAL:PLAINTEXT,CONTROLLER:PLAINTEXT"
    login = "org.apache.kafka.common.security.scram.ScramLoginModule required;"
    return {
        "listener.security.protocol.map": protocols,
        "sasl.enabled.mechanisms": ",".join(SCRAM),
        **{f"listener.name.client.{m.lower()}.sasl.jaas.config": login for m in SCRAM},
        "listener.name.client.ssl.keystore.type": "PEM",
        "listener.name.client.ssl.keystore.location": secured.keystore,
        "authorizer.class.name": AUTHORIZER,
        "allow.everyone.if.no.acl.found": "false",
        # The nodes among themselves have no names: only where nobody else reaches their ports.
        "super.users": f"User:{ADMINISTRATOR};User:ANONYMOUS",
    }


async def _format(plans: list[_NodePlan], secured: Secured | None, blank: Blank) -> None:
    cluster_id = new_id()
    if secured is None and all(
        blank.copy(plan.data, cluster_id, i) for i, plan in enumerate(plans)
    ):
        return
    users: list[str] = []
    for name, password in secured.passwords.items() if secured else ():
        for mechanism in SCRAM:
            users += ["--add-scram", f"{mechanism}=[name={name},password={password}]"]
    async with asyncio.TaskGroup() as group:
        for plan in plans:
            group.create_task(plan.format(cluster_id, tuple(users)).succeed(FORMAT_SECONDS))
    if secured is None:
        blank.keep(plans[0].data)
