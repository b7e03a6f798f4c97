"""Which partitions this process writes to, and how far it has got in each.

Always holds: whoever becomes the writer of a partition knows its place, and has published what was
committed before it goes on (G1, G3); no place is older than one that was known before (G7).
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from typing import Literal

from services.chassis.step.passing import Passing
from services.chassis.step.ports import Ports
from services.chassis.step.publishing import Publisher
from services.chassis.step.retrying import Abandoned, Retry
from services.chassis.store.contract import Outgoing, Place

logger = logging.getLogger(__name__)

Stopped = Literal["parked-limit", "unpublished"]
"""Too much of it stands aside; or nobody takes what was committed of it."""

GROUP_SECONDS = 10.0
"""How long all that came in one assignment may take together, before each is taken alone."""

Check = Callable[[Mapping[int, Place]], Awaitable[None]]
"""Raises if going on from these places would be wrong."""

Taken = Callable[[Mapping[int, Place]], None]
"""Told of partitions that this process writes to from now on, and from where."""


class StateLost(Exception):
    """The database forgot steps: it was dropped, or replaced by an older one, under the service."""


class Ownership:
    """`owned`: the partitions of one process, and its place in each, of which the database knows
    all but what is `passing`. `stopped`: why it writes no more to some of them, until they are
    taken again, or let go on: what it was handed meanwhile, it has let go. `leaving`: those of
    which it takes no more records, and writes what is under way. `on_others` is called where
    others may have written: partitions come, go, or are looked at anew.
    """

    def __init__(
        self,
        ports: Ports,
        publisher: Publisher,
        retry: Retry,
        on_others: Callable[[], None] = lambda: None,
    ) -> None:
        self.owned: dict[int, Place] = {}
        self.passing = Passing()
        self.stopped: dict[int, Stopped] = {}
        self.leaving: set[int] = set()
        self._ports = ports
        self._publisher = publisher
        self._retry = retry
        self._on_others = on_others

    async def take(self, partitions: Sequence[int], check: Check | None, taken: Taken) -> None:
        """Become the writer of these; nothing is published before `check` has passed.

        All at once, or, where one of them is in trouble, each as soon as it can be.
        """
        await self._retry.until_done(self._ports.store.claim)
        try:
            async with asyncio.timeout(GROUP_SECONDS):
                self._begin(await self._adopt(partitions, check), taken)
        except Abandoned:
            raise
        except Exception as error:
            if not isinstance(error, TimeoutError) and self._ports.nature_of(error) == "permanent":
                raise
            async with asyncio.TaskGroup() as tasks:
                for partition in partitions:
                    tasks.create_task(self._take_alone(partition, check, taken))

    async def _take_alone(self, partition: int, check: Check | None, taken: Taken) -> None:
        what = ("taking", partition)
        try:
            found = await self._retry.until_done(lambda: self._adopt([partition], check), what)
        finally:
            self._retry.put_off.pop(what, None)
        self._begin(found, taken)

    def _begin(self, found: Mapping[int, Place], taken: Taken) -> None:
        self.owned |= found
        self.leaving.difference_update(found)
        self._on_others()
        self.passing.forget(found)
        self._go_on(found)
        self._stop_owing()
        taken(found)

    def leave(self, partitions: Sequence[int]) -> None:
        """Write to these no more."""
        for partition in partitions:
            self.owned.pop(partition, None)
        self.leaving.difference_update(partitions)
        self._on_others()
        self.passing.forget(partitions)
        self._publisher.leave(partitions)
        self._go_on(partitions)

    @property
    def active(self) -> list[int]:
        """The partitions that steps are made of."""
        idle = self.stopped.keys() | self._publisher.owing
        return [partition for partition in self.owned if partition not in idle]

    @property
    def returning(self) -> list[int]:
        """Those that may go on: what was owed of them has been taken."""
        owing = self._publisher.owing
        return [p for p, why in self.stopped.items() if why == "unpublished" and p not in owing]

    def go_on(self, partition: int) -> None:
        """Write to it again: it will be handed again what it let go."""
        self._go_on([partition])

    async def publish(self, outgoing: Sequence[Outgoing]) -> None:
        """Publish what was committed; partitions of which nobody takes it are stopped meanwhile."""
        try:
            await self._publisher.publish(outgoing)
        finally:
            self._stop_owing()

    def _stop_owing(self) -> None:
        for partition in self._publisher.owing & self.owned.keys() - self.stopped.keys():
            logger.warning("partition %d is stopped: nobody takes its events", partition)
            self.stop(partition, "unpublished")

    def stop(self, partition: int, why: Stopped) -> None:
        """Write to it no more, though nobody else does: going on would be wrong."""
        self.stopped[partition] = why
        self._ports.metrics.stopped.set(len(self.stopped))

    def _go_on(self, partitions: Iterable[int]) -> None:
        for partition in partitions:
            self.stopped.pop(partition, None)
        self._ports.metrics.stopped.set(len(self.stopped))
        self._ports.metrics.assigned.set(len(self.owned))

    async def catch_up(self) -> None:
        """Know the places again. Who moved them, even we ourselves, may not have published.

        What is owed then has to be taken first: what is handed over meanwhile is let go, and only
        of a partition that is stopped is it read again.
        """
        try:
            found = await self._adopt(self.active, self._check_kept)
        finally:
            self._stop_owing()
        self.owned |= {p: self.passing.past(at) for p, at in found.items() if p in self.owned}
        self._on_others()

    async def _adopt(self, partitions: Sequence[int], check: Check | None) -> dict[int, Place]:
        # In this order: whatever led to these places is published, or still in the outbox.
        known = await self._ports.store.places(partitions)
        left = await self._publisher.left(partitions)
        found = {p: known.get(p, Place(p)) for p in partitions}
        if check is not None:
            await check(found)
        if left:
            await self._publisher.publish(left)
        return found

    async def _check_kept(self, found: Mapping[int, Place]) -> None:
        known = {p: self.owned[p] for p in found if p in self.owned}
        if gone := [p for p, at in known.items() if found[p].step < at.step]:
            raise StateLost(f"the database forgot steps of partitions {gone}")
