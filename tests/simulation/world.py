"""A world: the four services over one log, people, and what goes wrong; from a seed to its rest.

Always holds: nothing in it asks for the real time or for chance that is not the seed's, so a
world of the same seed and the same faults leaves the same bytes behind.
"""

import asyncio
import random
from collections import Counter
from collections.abc import Coroutine, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any

from deploy.trial.check.wire import Log
from schemas.base import Command
from schemas.envelope import Record, encode
from schemas.topics import COMMANDS, PEOPLE, Service, commands_topic, partition_of
from services.chassis.documents import Beat
from services.chassis.domain import D, Document, Domain
from services.chassis.log.contract import Received
from services.chassis.log.memory import MemoryLog
from services.chassis.step.deadlines import DueWorker
from services.chassis.store.contract import Store
from services.chassis.watch.metrics import Metrics
from services.feedback.handlers import domain_by
from services.matching.handlers import DOMAIN as MATCHING
from services.matching.search.worker import RoundSearch, solve_here
from services.matching.views import Round
from services.notify.app import erasing, handing_over, telling_hours
from services.notify.handlers import with_secret
from services.notify.views import Elsewhere, Letter, Retention
from services.scheduling.handlers import DOMAIN as SCHEDULING
from tests.simulation.doubles import double_bookings
from tests.simulation.faults import DAY, SERVICES, CrashPoint, Fault, Trips, draw
from tests.simulation.loop import VirtualLoop
from tests.simulation.mail import PostOffice, SimulatedSender
from tests.simulation.people import GRID, SECRET, People
from tests.simulation.poison import flawed, poison
from tests.simulation.process import Group, Process
from tests.simulation.proof import SEAL, VERIFIER
from tests.simulation.wires import WiredLog

DOMAINS: dict[Service, Domain] = {
    "matching": flawed(MATCHING),
    "scheduling": SCHEDULING,
    "feedback": domain_by(VERIFIER, SEAL),
    "notify": with_secret(SECRET),
}
START = datetime(2017, 3, 6, 6, 0, tzinfo=UTC)  # a Monday
ORIGIN = datetime.fromtimestamp(0, UTC)
ENDLESS = 400 * DAY
QUIET = 30 * DAY  # by when nothing goes wrong any more

# They only count, so the worlds may share them: a registry takes longer than a step.
_METRICS = {name: Metrics(name) for name in DOMAINS}


@dataclass(frozen=True, slots=True)
class Plan:
    """What a world is like. `batch`: how many records of a topic's partition come at once."""

    seed: int
    partitions: int
    cohorts: tuple[str, ...]
    processes: Mapping[Service, int]
    batch: int
    tick: float
    latency: float
    skew: float
    faults: tuple[Fault, ...]

    def but(self, **changes: Any) -> "Plan":
        """The same world with other faults or cohorts."""
        return replace(self, **changes)


class WorldLog(MemoryLog):
    """The log, which tells whoever reads a topic that there is something new."""

    def __init__(self, readers: Mapping[str, Sequence[Group]]) -> None:
        super().__init__()
        self.readers = readers

    def _append(self, record: Record) -> int:
        offset = super()._append(record)
        for group in self.readers.get(record.topic, ()):
            group.news()
        return offset


class World:
    """One world; `live` runs it to its rest. `found` is what nobody should have seen."""

    start = START
    origin = ORIGIN

    def __init__(self, plan: Plan, loop: VirtualLoop, crashed: Counter[CrashPoint]) -> None:
        self.plan = plan
        self.seed = plan.seed
        self.loop = loop
        self.chance = random.Random(plan.seed)
        self.partitions = plan.partitions
        self.batch, self.tick, self.latency = plan.batch, plan.tick, plan.latency
        self.skew = plan.skew
        self.torn = False
        self.trips = Trips(crashed)
        self.calls = self.handed = self.happened = self.outpaced = 0
        self.found: list[str] = []
        self.said = Log()
        self.poisoned: dict[str, str] = {}
        self.sent: dict[str, tuple[Command, str]] = {}
        self._spawned: set[asyncio.Future[Any]] = set()
        self.groups = {
            name: Group(self, domain, _METRICS[name], plan.processes[name], plan.seed + number)
            for number, (name, domain) in enumerate(DOMAINS.items())
        }
        readers: dict[str, list[Group]] = {}
        for group in self.groups.values():
            for topic in group.topics:
                readers.setdefault(topic, []).append(group)
        self.log = WorldLog(readers)
        self.office = PostOffice(self)
        self.people = People(self)

    # --- what others ask of the world -----------------------------------------------------------

    def now(self) -> datetime:
        return START + timedelta(seconds=self.loop.time())

    def jitter(self) -> float:
        return self.latency * self.chance.random()

    def seconds_of(self, moment: datetime) -> float:
        return (moment - START).total_seconds()

    def find(self, what: str) -> None:
        self.found.append(what)

    def spawn(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.ensure_future(work)
        self._spawned.add(task)
        task.add_done_callback(self._spawned.discard)

    def due_workers(self, process: Process, store: Store) -> Mapping[type[Document], DueWorker]:
        if process.group.name == "matching":
            return {Round: RoundSearch(store, solve_here, patience=None)}
        if process.group.name != "notify":
            return {}
        log = WiredLog(process)
        return {
            Letter: handing_over(SimulatedSender(process, self.office), store),
            Retention: erasing(store, log, self.partitions),
            Elsewhere: telling_hours(store, log, self.partitions, SECRET),
        }

    def documents(self, service: Service, kind: type[D], cohort_id: str) -> list[D]:
        rows = self.groups[service].store.rows.get(kind, {})
        return [d for _, d in rows.values() if d.cohort_id == cohort_id]  # type: ignore[misc]

    def send(self, command: Command, topic: str | None = None) -> None:
        """Somebody sends a command, or says how a person can be reached."""
        if topic is None:
            topic = _TOPIC_OF[type(command)]
        partition = partition_of(command.cohort_id, self.partitions)
        name = f"cmd-{len(self.sent)}"
        record = encode(command, topic, partition, id=name, source="/simulation", time=self.now())
        offset = self.log._append(record)
        self.sent[name] = (command, f"{topic}/{partition}/{offset}")

    def erase(self, cohort_id: str, person_id: str) -> None:
        partition = partition_of(cohort_id, self.partitions)
        self.log._append(Record(PEOPLE, partition, f"{cohort_id}/{person_id}".encode(), None))

    # --- its course -----------------------------------------------------------------------------

    async def live(self) -> None:
        """To its rest: every deadline handled, every record read."""
        for group in self.groups.values():
            group.start()
        for number, cohort in enumerate(self.plan.cohorts):
            self.people.open(cohort, number % 2 / 2)
        for fault in self.plan.faults:
            self.loop.call_at(fault.at, self._strike, fault)
        await self._until_rest(QUIET)
        self._calm()
        for group in self.groups.values():
            group.outage(60.0)
        await asyncio.sleep(3600.0)
        await self._until_rest(0)
        for group in self.groups.values():
            for process in group.members:
                process.die()

    async def _until_rest(self, at_least: float) -> None:
        while self.loop.time() < at_least or not self._at_rest():
            if self.loop.time() > QUIET:
                self._calm()
            if self.loop.time() > ENDLESS:
                self.find("it never comes to rest")
                return
            if len(self.found) > 20:
                return
            self.found += double_bookings(self)
            await asyncio.sleep(GRID)

    def _calm(self) -> None:
        self.torn = False
        self.trips.disarm()
        for group in self.groups.values():
            group.held_back.clear()

    def _at_rest(self) -> bool:
        if self.people.busy or not all(c.over for c in self.people.cohorts.values()):
            return False
        groups = self.groups.values()
        return all(g.store.first_due(Beat) is None and g.has_done_all() for g in groups)

    def _strike(self, fault: Fault) -> None:
        """The fault happens, or waits for the process that it is to happen to."""
        group, chance = self.groups[fault.service], fault.chance()
        if fault.kind != "trip":
            self.happened += 1
        match fault.kind:
            case "trip":
                self.trips.arm(fault)
            case "rebalance":
                group.wanted = chance.choice((1, 2, 2, 3))
                group.start()
            case "redeliver":
                for process in group.members:
                    process.redeliver(fault)
            case "republish":
                self._republish(fault)
            case "poison":
                poison(self, fault)
            case "holdback":
                topic = chance.choice(group.topics)
                until = self.loop.time() + chance.choice((60.0, 7200.0, 20 * 3600.0))
                group.held_back[topic] = until
                self.loop.call_at(until, group.news)
            case "outage":
                group.outage(chance.choice((60.0, 7200.0, 1.5 * DAY)))
            case "mail":
                self.office.trouble(fault)
            case "torn":
                self.torn = not self.torn

    def _republish(self, fault: Fault) -> None:
        """A producer that was thought dead sends again what it had sent."""
        chance = fault.chance()
        spots = [spot for spot in self.log.records if not _asked(spot[0])]
        if not spots:
            return
        rows = self.log.records[chance.choice(spots)]
        begin = chance.randrange(len(rows))
        for row in rows[begin : begin + chance.randrange(1, 30)]:
            if _origin(row) not in self.poisoned:
                self.log._append(Record(row.topic, row.partition, row.key, row.value, row.headers))


_TOPIC_OF = {kind: commands_topic(name) for name, kinds in COMMANDS.items() for kind in kinds}


def _asked(topic: str) -> bool:
    return topic.endswith(".commands") or topic == PEOPLE


def _origin(row: Received) -> str:
    return f"{row.topic}/{row.partition}/{row.offset}"


def draw_plan(seed: int) -> Plan:
    """What the world of a seed is like."""
    chance = random.Random(f"plan {seed}")
    rough = chance.random()
    most = 0 if rough < 0.05 else 60 if rough > 0.85 else 25
    return Plan(
        seed=seed,
        partitions=chance.choice((1, 1, 2, 2, 3)),
        cohorts=tuple(f"c{number}" for number in range(chance.randint(24, 48))),
        processes={name: chance.choice((1, 1, 2, 3)) for name in SERVICES},
        batch=chance.choice((500, 500, 500, 500, 500, 20, 3)),
        tick=chance.choice((5.0, 60.0, 300.0, 300.0)),
        latency=chance.choice((0.04, 0.4, 2.0)),
        skew=chance.choice((0.0, 0.0, 0.5, 5.0)),
        faults=tuple(draw(chance, seed, most, 20)) if most else (),
    )
