"""The processes of a service: how they come by their partitions and records, live, and die.

What a consumer group does is simulated; the stepper, the domain and the due_workers are the real
ones. Always holds: a process is handed the records of a partition of a topic in their order, from
where its place says; who is thought dead and is not goes on with what it has.
"""

import asyncio
import contextlib
import random
from collections.abc import Coroutine, Mapping, Sequence
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from schemas.topics import commands_topic
from services.chassis.clock import Clock
from services.chassis.documents import Beat
from services.chassis.domain import Document, Domain
from services.chassis.log.contract import Received
from services.chassis.step.catching_up import Spot, UpstreamFirst
from services.chassis.step.deadlines import DueWorker
from services.chassis.step.ports import Limits, Ports
from services.chassis.step.retrying import Abandoned
from services.chassis.step.stepper import Stepper
from services.chassis.store.contract import Commit, Store
from services.chassis.store.memory import MemoryStore
from services.chassis.watch.metrics import Metrics
from tests.chassis.faults import Crash
from tests.simulation.faults import Fault, Passing
from tests.simulation.wires import PHASE, WiredLog, WiredStore

if TYPE_CHECKING:
    from tests.simulation.world import World

SESSION_TIMEOUT = 10.0  # after which the group goes on without who is silent
REBALANCE_TIMEOUT = 60.0
BEAT = timedelta(days=1)  # it wakes nobody here: it comes with the next deadline
LIMITS = Limits(0.05, 5.0)
NEVER_DECIDED = 50
LOOK_AGAIN = 30.0


class Group:
    """One service: its database, and the processes that share its partitions."""

    def __init__(
        self, world: "World", domain: Domain, metrics: Metrics, processes: int, salt: int
    ) -> None:
        self.world = world
        self.domain = domain
        self.name = domain.name
        self.metrics = metrics
        self.store = MemoryStore()
        self.topics = (commands_topic(domain.name), *domain.reads, *domain.tables)
        self.timed = [kind for kind in domain.documents if kind.timed]
        self.members: list[Process] = []
        self.wanted = processes
        self.started = 0
        self.down_until = 0.0
        self.held_back: dict[str, float] = {}
        self.chance = random.Random(salt)
        self._turn = asyncio.Lock()
        self._alarm: asyncio.TimerHandle | None = None

    # --- members --------------------------------------------------------------------------

    def start(self) -> None:
        while len(self.members) < self.wanted:
            self.members.append(Process(self, self.started))
            self.started += 1
        self.rebalance_soon(0)

    def gone(self, process: "Process") -> None:
        """A process has died: the others take over, and it is started again some time."""
        if process in self.members:
            self.members.remove(process)
        moment = self.world.loop.time()
        wait = self.chance.choice((0.1, 1.0, 30.0, 600.0))
        at = max(moment + wait, self.down_until)
        self.world.loop.call_at(at, self.restart)
        if self.members:
            self.rebalance_soon(SESSION_TIMEOUT)

    def restart(self) -> None:
        if len(self.members) < self.wanted and self.world.loop.time() >= self.down_until:
            self.start()

    def outage(self, seconds: float) -> None:
        """Every process dies, and none comes up for a while."""
        self.down_until = self.world.loop.time() + seconds
        for process in list(self.members):
            process.die()

    def rebalance_soon(self, seconds: float) -> None:
        self.world.loop.call_later(seconds, lambda: self.world.spawn(self.rebalance()))

    async def rebalance(self) -> None:
        """Everybody lets go of everything, and gets his share of it again."""
        async with self._turn:
            for process in self.members:
                process.assigned = {}
            silent = [p for p in self.members if p.paused]
            present = [p for p in self.members if not p.paused]
            leaving = [asyncio.ensure_future(p.revoke()) for p in present]
            if leaving:
                await asyncio.wait(leaving, timeout=REBALANCE_TIMEOUT)
            silent += [p for p, left in zip(present, leaving, strict=True) if not left.done()]
            for process in silent:
                process.fenced = True
                process.news.set()
                if process in self.members:
                    self.members.remove(process)
            present = [p for p in self.members if p not in silent]
            self.chance.shuffle(present)
            share = -(-self.world.partitions // len(present)) if present else 0
            for number, process in enumerate(present):
                mine = range(number * share, min((number + 1) * share, self.world.partitions))
                process.assign(list(mine))

    async def overtake(self, slow: "Process") -> None:
        """Somebody else takes over what a process has, and does a little before it goes on."""
        rival = Process(self, self.started, fenced=True)
        self.started += 1
        partitions = list(slow.stepper.owned)
        await asyncio.wait([asyncio.ensure_future(rival.overtake(partitions))])

    # --- what wakes processes ---------------------------------------------------------------

    def news(self) -> None:
        for process in self.members:
            process.news.set()

    def committed(self, commit: Commit) -> None:
        """Documents have changed: the next deadline may be another one."""
        if any(type(change).timed for _, change in commit.changes if isinstance(change, Document)):
            self.set_alarm()

    def set_alarm(self, not_before: float = 0.0) -> None:
        """Wake everybody at the tick after the next deadline; `not_before` so many seconds."""
        due, tick = self.store.first_due(Beat), self.world.tick
        if due is None:
            return
        moment = max(self.world.seconds_of(due), self.world.loop.time() + not_before)
        at = (moment // tick + 1) * tick + tick / 2
        if self._alarm is not None:
            if self._alarm.when() <= at:
                return
            self._alarm.cancel()
        self._alarm = self.world.loop.call_at(at, self._wake)

    def has_done_all(self) -> bool:
        """Whether all is read and published that there is."""
        return not self.store.outbox and all(
            self._position(topic, partition)
            >= len(self.world.log.records.get((topic, partition), ()))
            for topic in self.topics
            for partition in range(self.world.partitions)
        )

    def _position(self, topic: str, partition: int) -> int:
        place = self.store.place.get(partition)
        return place.positions.get(topic, 0) if place else 0

    def overdue(self) -> bool:
        """Whether there is a deadline that nobody has decided on."""
        due = self.store.first_due(Beat)
        return due is not None and due <= self.world.now()

    def _wake(self) -> None:
        self._alarm = None
        for process in self.members:
            process.alarm.set()


class Process:
    """One process of a service."""

    def __init__(self, group: Group, number: int, *, fenced: bool = False) -> None:
        self.group = group
        self.world = world = group.world
        self.name = f"{group.name}-{number}"
        self.dead = False
        self.paused = False
        self.fenced = fenced
        self.resumed = asyncio.Event()
        self.news = asyncio.Event()
        self.alarm = asyncio.Event()
        self.assigned: dict[Spot, int] = {}
        store = WiredStore(self, group.store)
        skew = group.chance.uniform(-1, 1) * world.skew
        self.stepper = Stepper(
            group.domain,
            Ports(
                store,
                WiredLog(self),
                Clock(1.0, world.start, world.origin, wall=lambda: world.loop.time() + skew),
                group.metrics,
                lambda error: "passing" if isinstance(error, Passing) else "permanent",
            ),
            world.partitions,
            due_workers=self._due_workers(store),
            limits=LIMITS,
            beat=BEAT,
        )
        self._order = UpstreamFirst(group.domain.reads)
        self._held: set[Spot] = set()
        self._taking: asyncio.Future[Any] | None = None
        self._tasks: list[asyncio.Future[Any]] = []
        if not fenced:
            self._tasks += [
                asyncio.ensure_future(self._guarded(self._consume(), "step")),
                asyncio.ensure_future(self._guarded(self._deadlines(), "deadline")),
            ]

    def _due_workers(self, store: Store) -> Mapping[type[Document], DueWorker]:
        return self.world.due_workers(self, store)

    # --- life and death ---------------------------------------------------------------------

    async def _guarded(self, life: Coroutine[Any, Any, None], phase: str) -> None:
        PHASE.set(phase)
        try:
            await life
        except Crash:
            self.die()
        except Abandoned:
            pass
        except Exception as error:  # noqa: BLE001  # no fault may end a process but a crash
            if not self.dead:
                self.world.find(f"{self.name} ended: {type(error).__name__}: {error}")
                self.die()

    def die(self) -> None:
        """At this instant: nothing that is under way comes to its end."""
        if self.dead:
            return
        self.dead = True
        self.resume()
        for task in self._tasks:
            if task is not asyncio.current_task():
                task.cancel()
        self.group.gone(self)

    def pause(self) -> None:
        """Stop where it is; after a time-out the group goes on without it."""
        if self.paused or self.dead:
            return
        self.paused = True
        self.resumed.clear()
        seconds = self.group.chance.choice((1.0, 20.0, 120.0, 3600.0))
        self.world.loop.call_later(seconds, self.resume)
        if seconds > SESSION_TIMEOUT:
            self.group.rebalance_soon(SESSION_TIMEOUT)

    def resume(self) -> None:
        self.paused = False
        self.resumed.set()
        self.news.set()
        self.alarm.set()

    # --- partitions ---------------------------------------------------------------------------

    async def revoke(self) -> None:
        if self._taking is not None:
            await asyncio.wait([self._taking])
        await self.stepper.leave(list(self.stepper.owned))

    def assign(self, partitions: Sequence[int]) -> None:
        self._taking = asyncio.ensure_future(self._guarded(self._take(partitions), "take-over"))
        self._tasks = [task for task in self._tasks if not task.done()]
        self._tasks.append(self._taking)

    async def _take(self, partitions: Sequence[int]) -> None:
        places = await self.stepper.take(partitions)
        log = self.world.log
        spots = [(topic, p) for p in partitions for topic in self.group.topics]
        self._order.begin()
        self._order.add(
            dict.fromkeys(spots, 0), {spot: len(log.records.get(spot, ())) for spot in spots}
        )
        self._held = set(spots)
        self._let_go()
        self.assigned = {(t, p): places[p].positions.get(t, 0) for t, p in spots}
        self.news.set()
        self.alarm.set()

    async def overtake(self, partitions: Sequence[int]) -> None:
        """Take over for a moment: handle one record of each topic, or what is due, and be gone."""
        await self._guarded(self._take(partitions), "take-over")
        if not self.dead and self.group.chance.random() < 0.3:
            await self._guarded(self._decide_once(), "deadline")
        records = [
            row
            for spot, position in self.assigned.items()
            for row in self.world.log.records.get(spot, ())[position : position + 1]
        ]
        if not self.dead and records:
            await self._guarded(self._handle_once(records), "step")
        self.dead = True

    async def _decide_once(self) -> None:
        await self.stepper.decide_due()

    async def _handle_once(self, records: Sequence[Received]) -> None:
        await self.stepper.handle(records)

    def _let_go(self) -> None:
        if self._held:
            at = {p: place.positions for p, place in self.stepper.owned.items()}
            self._held &= self._order.held(at)

    async def _rejoin(self) -> None:
        """It has learned that the group went on without it."""
        self.assigned = {}
        await self.stepper.leave(list(self.stepper.owned))
        self.fenced = False
        if len(self.group.members) < self.group.wanted:
            self.group.members.append(self)
            self.group.rebalance_soon(0)
        else:
            raise Crash(self.name)  # its place was taken

    # --- records ------------------------------------------------------------------------------

    async def _consume(self) -> None:
        while True:
            while self.paused:
                await self.resumed.wait()
            if self.fenced and self.world.chance.random() < 0.7:
                await self._rejoin()
            self.news.clear()
            self._take_up()
            records = self._fetch()
            if not records:
                if self.fenced:
                    continue
                if self.stepper.passed.is_set():
                    with contextlib.suppress(Abandoned):
                        await self.stepper.write_passed()
                with contextlib.suppress(TimeoutError):
                    # Nobody tells of a partition that may go on: the client asks again and again.
                    within = LOOK_AGAIN if self.stepper.stopped else None
                    async with asyncio.timeout(within):
                        await self.news.wait()
                await self._linger()
                continue
            self.world.handed += len(records)
            PHASE.set("step")
            try:
                await self.stepper.handle(records)
                self._let_go()
            except Abandoned:
                for partition in self.stepper.owned.keys() - self.stepper.stopped.keys():
                    self._read_from_place(partition)

    def _take_up(self) -> None:
        """Read partitions that may go on from where their places say."""
        for partition in self.stepper.returning:
            self._read_from_place(partition)
            self.stepper.go_on(partition)

    def _read_from_place(self, partition: int) -> None:
        positions = self.stepper.owned[partition].positions
        for topic in self.group.topics:
            self.assigned[topic, partition] = positions.get(topic, 0)

    async def _linger(self) -> None:
        """Until the tick: what comes in the meantime is handed over together."""
        tick = self.world.tick
        await asyncio.sleep(tick - self.world.loop.time() % tick + self.world.jitter())

    def _fetch(self) -> list[Received]:
        """What a consumer would be handed next."""
        found: list[Received] = []
        most, log, now = self.world.batch, self.world.log, self.world.loop.time()
        for spot, position in self.assigned.items():
            if spot in self._held or self.group.held_back.get(spot[0], 0.0) > now:
                continue
            rows = log.records.get(spot)
            if rows is None or position >= len(rows):
                continue
            if most < 100 and self.world.chance.random() < 0.3:
                continue  # this topic comes with the next batch
            taken = rows[position : position + most]
            found += taken
            self.assigned[spot] = position + len(taken)
        if not found and most < 100 and self._waiting():
            self.news.set()
        return found

    def _waiting(self) -> bool:
        return any(
            position < len(self.world.log.records.get(spot, ()))
            for spot, position in self.assigned.items()
            if spot not in self._held
        )

    def redeliver(self, fault: Fault) -> None:
        """The consumer goes back, as one does that has lost its offsets."""
        chance = fault.chance()
        for spot, position in self.assigned.items():
            self.assigned[spot] = max(0, position - chance.randrange(20))
        self.news.set()

    # --- deadlines ----------------------------------------------------------------------------

    async def _deadlines(self) -> None:
        tries, overdue = 0, False
        while True:
            self.alarm.clear()
            PHASE.set("deadline")
            try:
                if overdue:  # as is done every ten seconds: somebody else may have written it
                    await self.stepper.publish_left()
                decided = await self.stepper.decide_due()
            except Abandoned:
                continue
            if self.stepper.stopped:
                self.news.set()  # the client asks again and again, whoever has stopped it
            if decided:
                tries += 1
                if tries > NEVER_DECIDED:
                    self.world.find(f"{self.name}: a deadline stays due, whatever is decided")
                    tries = 0
                    await self.alarm.wait()
                continue
            tries, overdue = 0, self.group.overdue()
            self.group.set_alarm(LOOK_AGAIN)
            await self.alarm.wait()
