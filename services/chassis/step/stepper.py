"""Who makes steps, of what, and how often: one after the other, for the partitions that it owns.

Always holds: a step is made again until it is whole, unless its partitions are taken away; while
one is under way no partition is taken over or let go.
"""

import asyncio
import contextlib
import logging
import time
from collections.abc import Iterable, Mapping, Sequence
from datetime import timedelta
from functools import partial
from typing import Literal, get_args

from services.chassis.domain import Document, Domain
from services.chassis.inputs import Input
from services.chassis.log.contract import Received
from services.chassis.step.admission import read
from services.chassis.step.attempts import Attempts
from services.chassis.step.catching_up import in_time
from services.chassis.step.counting import Counting
from services.chassis.step.deadlines import Deadlines, DueWorker
from services.chassis.step.deciding import Decider
from services.chassis.step.horizon import Horizon
from services.chassis.step.ownership import Check, Ownership, Stopped, Taken
from services.chassis.step.parking import asked_again, portions
from services.chassis.step.ports import Limits, Ports
from services.chassis.step.publishing import Publisher
from services.chassis.step.retrying import Abandoned, Retry, Waiting
from services.chassis.step.step import Steps
from services.chassis.store.contract import Place

logger = logging.getLogger(__name__)

LEAVE_SECONDS = 20.0
"""How long partitions are kept for due workers to come to their end: below a rebalance's time."""

Trouble = Waiting | Stopped | Literal["late"]
"""Why a process is not well; `late`: the broker has not said for long that it took something."""
TROUBLES: tuple[Trouble, ...] = (*get_args(Waiting), *get_args(Stopped), "late")


def _unheard(_: Mapping[int, Place]) -> None:
    pass


class Stepper:
    """Makes the steps of one process. `progress`: when the last one was, on the monotonic clock."""

    def __init__(
        self,
        domain: Domain,
        ports: Ports,
        partitions: int,
        *,
        due_workers: Mapping[type[Document], DueWorker] | None = None,
        limits: Limits | None = None,
        beat: timedelta | None = None,
    ) -> None:
        """`beat`: the time from a partition's heartbeat to its next; none has no heartbeats."""
        limits = limits or Limits()
        self.domain = domain
        self.ports = ports
        self.partitions = partitions
        self.progress = time.monotonic()
        self._turn = asyncio.Lock()
        self._deciding = asyncio.Lock()
        self._retry = Retry(ports, limits)
        self._publisher = Publisher(ports, self._retry)
        self._horizon = Horizon()
        self._counting = Counting(domain.counts)
        self._ownership = Ownership(ports, self._publisher, self._retry, self._others_wrote)
        self._deadlines = Deadlines(
            *(domain, ports, self._retry, self._horizon), due_workers or {}, beats=beat is not None
        )
        decider = Decider(domain, ports, beat or timedelta())
        steps = Steps(
            *(domain, ports, partitions, decider, self._ownership, self._horizon, self._counting),
            limits.parked,
        )
        self._attempts = Attempts(
            steps, ports, self._ownership, self._retry, self._deadlines.set_aside
        )
        for reason in TROUBLES:
            ports.metrics.trouble.labels(reason).set_function(partial(self._suffers, reason))

    def _others_wrote(self) -> None:
        """Or may have: what is known beside the places has to be read again."""
        self._horizon.forget()
        self._counting.forget()

    @property
    def owned(self) -> dict[int, Place]:
        """The partitions that this process writes to, and its place in each."""
        return self._ownership.owned

    @property
    def left_due(self) -> asyncio.Event:
        """Set when a step leaves a document whose moment has already come."""
        return self._horizon.come

    @property
    def troubles(self) -> set[Trouble]:
        """Why it is not well: what its attempts wait for, what it has stopped, what is late."""
        found: set[Trouble] = {
            waiting
            for what, waiting in self._retry.put_off.items()
            if isinstance(what, str) or waiting != "away"  # of one partition, for which it stops
        }
        found |= set(self._ownership.stopped.values())
        return found | {"late"} if self._publisher.late else found

    def _suffers(self, reason: Trouble) -> float:
        return float(reason in self.troubles)

    @property
    def healthy(self) -> bool:
        """Whether the last attempts on database and broker worked, and what is owed is not late."""
        return not self.troubles

    async def take(
        self, partitions: Iterable[int], check: Check | None = None, taken: Taken = _unheard
    ) -> dict[int, Place]:
        """Become the writer of these: know the places, publish what the last owner left.

        Nothing is published, and no step is made, before `check` has passed. Steps of other
        partitions go on meanwhile, and of these as soon as `taken` has been told of them.
        """
        wanted = list(partitions)
        self._retry.go_on()
        await self._ownership.take(wanted, check, taken)
        self._deadlines.begin(wanted)
        return {p: at for p, at in self.owned.items() if p in wanted}

    async def leave(self, partitions: Iterable[int]) -> None:
        """Finish or abandon the step at hand, and write to these no more.

        No other records of them are handled: they would overtake those of an abandoned step.
        """
        gone = list(partitions)
        self._ownership.leaving.update(gone)
        self._retry.give_up()
        self._deadlines.give_up()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(LEAVE_SECONDS), self._deciding:
                pass  # letters that were handed over meanwhile are known to be
        async with self._turn:
            self._ownership.leave(gone)
        self._deadlines.leave(gone)
        self._deadlines.go_on()
        self._retry.go_on()

    @property
    def stopped(self) -> Mapping[int, Stopped]:
        """The partitions owned of which no steps are made, and why. Their records are let go."""
        return self._ownership.stopped

    @property
    def returning(self) -> list[int]:
        """Those of them that may go on, once they are read again from where their places say."""
        return self._ownership.returning

    def go_on(self, partition: int) -> None:
        """Make steps of it again; not while a step is being made of what it let go."""
        self._ownership.go_on(partition)

    async def publish_left(self) -> None:
        """See that the database is still the same; publish what stands in its outbox.

        That it was published is not written durably: a database that changes its primary may know
        of it again, long after. Published again, it has no second effect.
        """
        async with self._turn:
            if self.owned:
                await self._retry.until_done(self._ownership.catch_up)

    @property
    def passed(self) -> asyncio.Event:
        """Set while something was passed over that the database does not know of."""
        return self._ownership.passing.waits

    async def write_passed(self) -> None:
        """Let the database know what was passed over."""
        async with self._turn:
            await self._attempts.write_passed()

    async def handle(self, records: Sequence[Received]) -> dict[tuple[str, int], int]:
        """Make the steps of these records; (topic, partition) to the offset to commit.

        Records of partitions that are not owned, were stopped, or are about to be left, are left
        alone.
        """
        inputs = in_time([read(self.domain, self.partitions, record) for record in records])
        async with self._turn:
            leaving = self._ownership.leaving
            inputs = [item for item in inputs if item.partition not in leaving]
            for portion in portions(inputs):
                for part in await self._parts(portion):
                    await self._step(part)
            owned = self.owned
            return {
                (topic, partition): owned[partition].positions[topic]
                for topic, partition in {(r.topic, r.partition) for r in records}
                if partition in owned and topic in owned[partition].positions
            }

    async def decide_due(self) -> int:
        """Find the documents whose moment has come, and decide on them.

        How many decisions there were: what a due worker has to say of its documents may come later.
        """
        if not self._turn.locked():  # a step that hangs is not made up for by looking
            self.progress = time.monotonic()
        total = 0
        for kind in self._deadlines.kinds:
            async with self._deciding:
                async with self._turn:  # while a step is being published, its partitions are not
                    active = self._ownership.active
                if found := await self._deadlines.find(kind, active):
                    total += len(found)
                    async with self._turn:
                        await self._step(found)
                    self._deadlines.decided(found)
        await self._deadlines.note()
        return total

    async def _parts(self, portion: Sequence[Input]) -> Sequence[Sequence[Input]]:
        """A portion as it is; one that asks for many parked records again, some at a time."""
        if len(portion) != 1:
            return [portion]
        [item], load = portion, self.ports.store.load
        try:
            asked = await self._retry.until_done(lambda: asked_again(item, self.domain.name, load))
        except Abandoned:
            raise
        except Exception as error:  # noqa: BLE001  # the step meets it, too, and finds what it is of
            logger.warning("parked records are not read in parts: %s", type(error).__name__)
            return [portion]
        return [[part] for part in asked]

    async def _step(self, inputs: Sequence[Input]) -> None:
        await self._attempts.make(inputs)
        self.progress = time.monotonic()
