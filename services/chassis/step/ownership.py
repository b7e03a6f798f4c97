"""Which partitions this process writes to, and how far it has got in each.

Always holds: whoever becomes the writer of a partition knows its place, and has published what was
committed before it goes on (G1, G3); no place is older than one that was known before (G7).
"""

from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from typing import Literal

from services.chassis.step.ports import Ports
from services.chassis.step.publishing import Publisher
from services.chassis.step.retrying import Retry
from services.chassis.store.contract import Place

Stopped = Literal["parked-limit"]

Check = Callable[[Mapping[int, Place]], Awaitable[None]]
"""Raises if going on from these places would be wrong."""


class StateLost(Exception):
    """The database forgot steps: it was dropped, or replaced by an older one, under the service."""


class Ownership:
    """`owned`: the partitions of one process, and its place in each. `stopped`: why it writes no
    more to some of them, until they are taken again: what it was handed meanwhile, it has let go.
    """

    def __init__(self, ports: Ports, publisher: Publisher, retry: Retry) -> None:
        self.owned: dict[int, Place] = {}
        self.stopped: dict[int, Stopped] = {}
        self._ports = ports
        self._publisher = publisher
        self._retry = retry

    async def take(self, partitions: Sequence[int], check: Check | None) -> dict[int, Place]:
        """Become the writer of these; nothing is published before `check` has passed."""
        await self._retry.until_done(self._ports.store.claim)
        found = await self._retry.until_done(lambda: self._adopt(partitions, check))
        self.owned |= found
        self._go_on(partitions)
        return found

    def leave(self, partitions: Sequence[int]) -> None:
        """Write to these no more."""
        for partition in partitions:
            self.owned.pop(partition, None)
        self._go_on(partitions)
        if not self.owned:
            self._publisher.owe_nothing()

    @property
    def active(self) -> list[int]:
        """The partitions that steps are made of."""
        return [partition for partition in self.owned if partition not in self.stopped]

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
        """Know the places again. Who moved them, even we ourselves, may not have published."""
        found = await self._adopt(list(self.owned), self._check_kept)
        self.owned |= found

    async def _adopt(self, partitions: Sequence[int], check: Check | None) -> dict[int, Place]:
        # In this order: whatever led to these places is published, or still in the outbox.
        known = await self._ports.store.places(partitions)
        left = await self._publisher.left(partitions)
        found = {p: known.get(p, Place(p)) for p in partitions}
        if check is not None:
            await check(found)
        self._publisher.begin()
        if left:
            await self._publisher.publish(left)
        return found

    async def _check_kept(self, found: Mapping[int, Place]) -> None:
        if gone := [p for p, at in self.owned.items() if found[p].step < at.step]:
            raise StateLost(f"the database forgot steps of partitions {gone}")
