"""What a run stands on: three brokers, three databases, a mailbox, two processes of each service.

Always holds: whatever ends the block, every process has ended; a service that dies is started
again, as an orchestrator would, and one that ends itself with a fault is started again and noted.
"""

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import MappingProxyType

from deploy.local.kafka import KafkaCluster, apache_kafka
from deploy.local.mail import Mailbox
from deploy.local.process import PartError, free_ports
from deploy.local.replica_set import ReplicaSet, replica_set
from deploy.local.small_disk import can_mount
from deploy.local.stack import SERVICES, ServiceProcess, Terms, environment
from deploy.operating.topics import alter_settings, create_topics
from schemas.topics import Service, commands_topic
from services.chassis.clock import Clock

BROKERS = 3
NONE: Mapping[str, str] = MappingProxyType({})
AS_SENT = commands_topic("matching")
"""The topic that keeps batches as they were sent, as if somebody had altered it."""
SMALL_DISK = 1536 * 1024 * 1024
"""Of one database: several times what a run of ten minutes writes, in bytes of memory."""


@dataclass(slots=True)
class Stage:
    """A running platform. `services` are those that letters lead to, `instances` all that stay.

    `guests` were there for a while. `inbound`: the port of the first notify to which a mail server
    brings what people's calendar programs answer; while it is down, it is brought again.
    """

    directory: Path
    terms: Terms
    origin: datetime
    cluster: KafkaCluster
    database: ReplicaSet
    mailbox: Mailbox
    instances: dict[Service, list[ServiceProcess]]
    failed: asyncio.Future[None]
    keepers: set[asyncio.Task[None]]
    env: dict[str, str]
    guests: list[ServiceProcess] = field(default_factory=list)
    inbound: int | None = None

    @property
    def mongodb(self) -> str:
        """The address of the database."""
        return self.database.uri

    @property
    def services(self) -> dict[Service, ServiceProcess]:
        return {name: instances[0] for name, instances in self.instances.items()}

    @property
    def everyone(self) -> Sequence[ServiceProcess]:
        return [process for instances in self.instances.values() for process in instances]

    @property
    def clock(self) -> Clock:
        """The time that the services tell."""
        return Clock(self.terms.rate, self.terms.start, self.origin)

    def urls(self, service: Service) -> list[str]:
        """Where the processes of a service answer."""
        return [process.url for process in self.instances[service]]

    def add(
        self, service: Service, label: str, port: int, settings: Mapping[str, str] = NONE
    ) -> ServiceProcess:
        """Start one more process of a service, with settings of its own, and keep it running."""
        process = ServiceProcess(
            service, self.directory, self.env, port, label=label, forgiving=True
        )
        process.settings.update(settings)
        process.start()
        task = asyncio.create_task(self._keep(process))
        self.keepers.add(task)
        task.add_done_callback(self.keepers.discard)
        return process

    async def _keep(self, process: ServiceProcess) -> None:
        try:
            await process.keep()
        except PartError as error:
            if not self.failed.done():
                self.failed.set_exception(error)

    async def stop_services(self) -> None:
        """Let every process end in good order."""
        await asyncio.gather(*(process.stop() for process in self.everyone))

    async def end(self) -> None:
        """Every process of a service has ended, and nobody starts one."""
        tasks = list(self.keepers)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await self.stop_services()


@asynccontextmanager
async def running_stage(directory: Path, terms: Terms, copies: int = 2) -> AsyncIterator[Stage]:
    """Start everything in `directory`, wait until every service is ready, and end it after."""
    async with AsyncExitStack() as stack:
        cluster = await stack.enter_async_context(
            apache_kafka(directory, brokers=BROKERS, proxied=True)
        )
        small = SMALL_DISK if can_mount() else None
        database = await stack.enter_async_context(replica_set(directory, small_disk=small))
        mailbox = await stack.enter_async_context(Mailbox(directory / "mail"))
        await create_topics(
            {"bootstrap_servers": cluster.bootstrap}, partitions=terms.partitions, replication=3
        )
        await alter_settings(
            {"bootstrap_servers": cluster.bootstrap}, {AS_SENT: {"compression.type": "producer"}}
        )
        free = free_ports(copies * (len(SERVICES) + 1))
        inbound, ports = free[:copies], free[copies:]
        first = dict(zip(SERVICES, ports, strict=False))
        # A moment ahead: the programme's time begins once the services run.
        origin = datetime.now(UTC) + timedelta(seconds=1)
        env = environment(terms, cluster.bootstrap, database.uri, mailbox.port, first, origin)
        instances: dict[Service, list[ServiceProcess]] = {name: [] for name in SERVICES}
        stage = Stage(
            *(directory, terms, origin, cluster, database, mailbox, instances),
            failed=asyncio.get_running_loop().create_future(),
            keepers=set(),
            env=env,
            inbound=inbound[0],
        )
        stack.push_async_callback(stage.end)
        for number, port in enumerate(ports):
            name, copy = SERVICES[number % len(SERVICES)], number // len(SERVICES)
            # Each of them says the same of answers in its invitations.
            own = {"CONNECTE_INBOUND_PORT": str(inbound[copy])} if name == "notify" else NONE
            instances[name].append(stage.add(name, f"{name}-{copy}", port, own))
        await asyncio.gather(*(p.ready() for p in stage.everyone))
        yield stage
