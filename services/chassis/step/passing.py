"""What does not concern a service is passed over in memory, and written with the next step.

Always holds: nothing but the place moves for it, so whoever takes the partition meanwhile passes
it over again, to the same end; it is written before anything that comes of a later record.
"""

import asyncio
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace

from services.chassis.store.contract import Place


@dataclass(frozen=True, slots=True)
class Passed:
    """`positions` (topic to next offset) and `seen` (source to last sequence) that only memory
    knows of one partition."""

    positions: Mapping[str, int] = field(default_factory=dict)
    seen: Mapping[str, int] = field(default_factory=dict)


NOTHING = Passed()


class Passing:
    """What a process has passed over and not written. `waits` is set while there is any."""

    def __init__(self) -> None:
        self.waits = asyncio.Event()
        self._passed: dict[int, Passed] = {}

    @property
    def partitions(self) -> list[int]:
        """Those of which something is passed over."""
        return list(self._passed)

    def of(self, partition: int) -> Passed:
        """What is passed over of a partition."""
        return self._passed.get(partition, NOTHING)

    def past(self, place: Place) -> Place:
        """A place as it was read, moved on past what is passed over; what it has is no more."""
        passed = self.of(place.partition)
        positions = _beyond(passed.positions, place.positions)
        seen = _beyond(passed.seen, place.seen)
        self.over(place.partition, Passed(positions, seen))
        return replace(
            place, positions={**place.positions, **positions}, seen={**place.seen, **seen}
        )

    def over(self, partition: int, passed: Passed) -> None:
        """Note all that is passed over of a partition now."""
        if passed != NOTHING:
            self._passed[partition] = passed
            self.waits.set()
        else:
            self.forget([partition])

    def forget(self, partitions: Iterable[int]) -> None:
        """It is written, or somebody else will pass it over."""
        for partition in partitions:
            self._passed.pop(partition, None)
        if not self._passed:
            self.waits.clear()


def _beyond(one: Mapping[str, int], other: Mapping[str, int]) -> dict[str, int]:
    return {name: number for name, number in one.items() if number > other.get(name, 0)}
