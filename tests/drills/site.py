"""A platform whose parts a drill replaces while a programme goes on, and the people in it.

Always holds: people, coordinator and mail know each service by one address, whichever process
answers there, as behind a balancer; what has ended is seen by the check, which uses no service's
code; a service that ends by itself is started again, as an orchestrator would.
"""

import asyncio
import signal
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

import httpx

from deploy.local.broker import embedded_broker
from deploy.local.mail import Mailbox
from deploy.local.mongodb import Mongod, mongod
from deploy.local.process import free_ports
from deploy.local.proxy import TcpProxy
from deploy.local.stack import SERVICES, ServiceProcess, Stack, Terms, environment
from deploy.operating.rosters import (
    MANAGER_COLUMNS,
    MENTOR_COLUMNS,
    Roster,
    read_rosters,
    write_roster,
)
from deploy.operating.topics import create_topics
from deploy.trial.chaos.watch import Watch
from deploy.trial.check import Findings, check, read_evidence
from deploy.trial.coordinator import START, Coordinator, Plan, Progress
from deploy.trial.people import People
from deploy.trial.pilot.generate import generate
from deploy.trial.programme_time import DAY, FlyingTime
from schemas.topics import Service, partition_of
from schemas.values import CohortPolicy
from services.chassis.clock import Clock
from tests.conftest import eventually
from tests.deploy.operating.commands import Done, connecte

PARTITIONS = 4
REST_SECONDS = 2.0
SESSION_MS = 6000  # a machine with much to do is silent now and then, and no drill is about that


@dataclass
class Site:
    """A running platform. `running` are the processes of each service; its last one is `front`."""

    stack: Stack
    server: Mongod
    env: Mapping[str, str]
    doors: Mapping[Service, TcpProxy]
    running: dict[Service, list[ServiceProcess]] = field(default_factory=dict)
    keepers: set[asyncio.Task[None]] = field(default_factory=set)
    _started: int = 0

    async def start(self, service: Service, **settings: str) -> ServiceProcess:
        """One process more, which the address of the service leads to once it is ready."""
        self._started += 1
        [port] = free_ports(1)
        process = ServiceProcess(
            *(service, self.stack.directory, self.env, port),
            label=f"{service}-{self._started}",
            forgiving=True,
        )
        process.settings = settings
        process.start()
        self.running.setdefault(service, []).append(process)
        await process.ready()
        task = asyncio.create_task(process.keep())
        self.keepers.add(task)
        task.add_done_callback(self.keepers.discard)
        self.doors[service].target_port = port
        return process

    async def stop(self, process: ServiceProcess) -> None:
        """Ask a process to end, once the address leads to another one, if there is one."""
        self._leave(process)
        await process.stop()

    async def kill(self, process: ServiceProcess) -> None:
        """End a process with no chance to tidy up."""
        self._leave(process)
        process.stopping = True
        assert process.child is not None
        process.child.kill()
        await process.child.wait()

    def _leave(self, process: ServiceProcess) -> None:
        others = self.running[process.name]
        others.remove(process)
        if others:
            self.doors[process.name].target_port = int(others[-1].url.rpartition(":")[2])

    def restart_all(self) -> None:
        """Ask every process to end; another one is started in its place."""
        for process in self.everyone:
            assert process.child is not None
            process.child.send(signal.SIGTERM)

    @property
    def everyone(self) -> list[ServiceProcess]:
        return [process for processes in self.running.values() for process in processes]

    async def ready(self) -> None:
        """Every process is ready."""
        await asyncio.gather(*(process.ready() for process in self.everyone))

    async def at_rest(self) -> None:
        """What was sent has been handled, and for a moment nothing more has come of it."""
        watch = Watch(self.stack.kafka, self.stack.mongodb, PARTITIONS)
        steps, since = -1, time.monotonic()

        async def resting() -> bool:
            nonlocal steps, since
            seen = await watch.look()
            if seen is None or seen.backlog or seen.outbox or seen.steps != steps:
                steps, since = seen.steps if seen else -1, time.monotonic()
            return time.monotonic() - since > REST_SECONDS

        try:
            await eventually(resting)
        finally:
            await watch.close()

    async def end(self) -> None:
        """Every process has ended."""
        await asyncio.gather(*(process.stop() for process in self.everyone))
        for task in list(self.keepers):
            task.cancel()
        await asyncio.gather(*self.keepers, return_exceptions=True)

    @property
    def access(self) -> dict[str, str]:
        """What operators set for `connecte`."""
        names = ("KAFKA_BOOTSTRAP_SERVERS", "MONGODB_URI", "CONNECTE_PARTITIONS")
        idempotent = {"CONNECTE_KAFKA_IDEMPOTENT": str(self.stack.terms.kafka is not None)}
        return {name: self.env[name] for name in names} | idempotent

    async def rebuild(self, service: Service, *options: str, **settings: str) -> Done:
        return await connecte("rebuild", service, "--json", *options, **self.access, **settings)

    async def rebuild_all(self, *options: str, **settings: str) -> dict[Service, Done]:
        jobs = (self.rebuild(service, *options, **settings) for service in self.doors)
        return dict(zip(self.doors, await asyncio.gather(*jobs), strict=True))

    async def check(self) -> Findings:
        """The independent check of a programme that has ended."""
        mailbox = self.stack.mailbox
        evidence = await read_evidence(
            {"bootstrap_servers": self.stack.kafka},
            self.stack.mongodb,
            mailbox.held,
            PARTITIONS,
            redelivered_letters=mailbox.redelivered,
        )
        return check(evidence)


@asynccontextmanager
async def running_site(
    directory: Path,
    kafka: str | None,
    days_per_second: float,
    services: tuple[Service, ...] = SERVICES,
    **settings: str,
) -> AsyncIterator[Site]:
    """Everything started in `directory`, with one process of each of `services`; ended after.

    `settings`: of these first processes, beside what all have.
    """
    terms = Terms(
        rate=days_per_second * DAY,
        start=START,
        partitions=PARTITIONS,
        session_timeout_ms=SESSION_MS,
        kafka=kafka,
        services=services,
    )
    async with AsyncExitStack() as parts:
        bootstrap = kafka or await parts.enter_async_context(embedded_broker(directory))
        server = await parts.enter_async_context(mongod(directory))
        mailbox = await parts.enter_async_context(Mailbox(directory / "mail"))
        await create_topics({"bootstrap_servers": bootstrap}, partitions=PARTITIONS)
        doors = {service: TcpProxy(port) for port, service in enumerate(services)}
        for door in doors.values():
            await parts.enter_async_context(door)
        ports = {service: door.port for service, door in doors.items()}
        origin = datetime.now(UTC)
        env = environment(terms, bootstrap, server.uri, mailbox.port, ports, origin)
        addresses = {n: ServiceProcess(n, directory, env, ports[n]) for n in services}
        failed = asyncio.get_running_loop().create_future()
        stack = Stack(directory, bootstrap, server.uri, mailbox, addresses, terms, origin, failed)
        site = Site(stack, server, env, doors)
        parts.push_async_callback(site.end)
        await asyncio.gather(*(site.start(service, **settings) for service in services))
        yield site


def rosters(directory: Path, mentors: int, managers: int) -> dict[str, Roster]:
    """As many people in a cohort on each partition, so that all processes have work."""
    found: dict[str, Roster] = {}
    for partition in range(PARTITIONS):
        cohort = next(
            name for n in range(1000) if partition_of(name := f"wave-{n}", PARTITIONS) == partition
        )
        rows = generate(mentors, managers, seed=partition + 1)
        columns = MENTOR_COLUMNS, MANAGER_COLUMNS
        paths = directory / f"{cohort}-mentors.csv", directory / f"{cohort}-managers.csv"
        for path, names, people in zip(paths, columns, rows, strict=True):
            write_roster(path, names, people)
        found[cohort] = read_rosters(*paths, cohort)
    return found


@dataclass
class Programme:
    """What goes on at a site. `conducted` ends when the programme has."""

    coordinator: Coordinator
    people: People
    conducted: asyncio.Task[None]

    async def until(self, holds: Callable[[Progress], bool]) -> None:
        """Wait until something can be seen of it, or it has ended, as on a slow machine it may."""
        while not (holds(self.coordinator.progress) or self.conducted.done()):
            await asyncio.sleep(0.1)
        if self.conducted.done():
            self.conducted.result()

    async def over(self, within: float) -> None:
        """Wait for its end."""
        async with asyncio.timeout(within):
            await asyncio.shield(self.conducted)
        assert not self.people.failed, dict(self.people.failed)


@asynccontextmanager
async def programme(
    site: Site, people: Mapping[str, Roster], sessions: int
) -> AsyncIterator[Programme]:
    """Begin one, and let it go on for as long as the block lasts."""
    policy = CohortPolicy(sessions=sessions, cadence_days=7, survey_days=10)
    plan = Plan(people, {cohort: cohort for cohort in people}, policy, seed=3)
    async with httpx.AsyncClient(timeout=30) as client:
        stack = site.stack
        time_ = FlyingTime(Clock(stack.terms.rate, stack.terms.start, stack.origin))
        coordinator = Coordinator(stack, plan, time_, client, lambda _: None)
        everybody = People(stack, plan.seed, time_)
        jobs: list[Awaitable[None]] = [everybody.live(), coordinator.conduct()]
        tasks = [asyncio.ensure_future(job) for job in jobs]
        try:
            yield Programme(coordinator, everybody, tasks[-1])
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            await coordinator.close()
