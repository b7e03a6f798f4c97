"""What is read first after a pause: causes before effects.

Topics know no order among each other. Who catches up after having been away could read that a
session took place before reading that its cohort exists. Always holds: at an assignment, a topic
is held back until every topic that it follows has been read to where it ended then.
"""

import heapq
from collections.abc import Iterable, Mapping, Sequence

from services.chassis.inputs import Input
from services.chassis.log.contract import Spot


class UpstreamFirst:
    """`topics` in the order of cause and effect, as a service names what it reads."""

    def __init__(self, topics: Sequence[str]) -> None:
        self.topics = topics
        self._ends: dict[Spot, int] = {}

    def begin(self) -> None:
        """Forget what was assigned before."""
        self._ends = {}

    def add(self, begins: Mapping[Spot, int], ends: Mapping[Spot, int]) -> None:
        """Note where partitions end as they are taken over. One that is empty has been read."""
        self._ends |= {spot: end for spot, end in ends.items() if end > begins[spot]}

    def held(self, positions: Mapping[int, Mapping[str, int]]) -> set[Spot]:
        """What has to wait, from partition to topic to next offset."""
        return {spot for partition, at in positions.items() for spot in self._held(partition, at)}

    def _held(self, partition: int, at: Mapping[str, int]) -> Iterable[Spot]:
        behind = False
        for topic in self.topics:
            if behind:
                yield topic, partition
            behind = behind or at.get(topic, 0) < self._ends.get((topic, partition), 0)


def in_time(inputs: Sequence[Input]) -> list[Input]:
    """The same inputs, merged over their topics by time; each topic keeps its own order.

    Topics know no order among each other. This lets what was caused come after its cause when
    both wait in one batch, as after a pause.
    """
    topics: dict[tuple[str, int], list[Input]] = {}
    for item in inputs:
        assert item.received is not None
        topics.setdefault((item.received.topic, item.partition), []).append(item)
    if len(topics) == 1:
        return list(inputs)
    return list(heapq.merge(*topics.values(), key=_time))


def _time(item: Input) -> float:
    # What has no readable time goes first: nothing can depend on it.
    return item.attributes.time.timestamp() if item.attributes else 0.0
