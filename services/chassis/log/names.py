"""What topics and groups are called on the broker, and what they are called in here.

Several installations can share a broker, and shared platforms have rules for names: so a prefix is
put before every name on its way out, and taken off on its way in. Always holds: behind this edge
there is none, neither in documents nor in events.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from aiokafka import TopicPartition

from services.chassis.log.contract import Spot


@dataclass(frozen=True, slots=True)
class Names:
    """`prefix` stands before the names of all topics and groups; empty, there is none."""

    prefix: str = ""

    def there(self, name: str) -> str:
        """What a topic or group is called on the broker."""
        return self.prefix + name

    def here(self, name: str) -> str:
        """What a topic of this installation is called in here."""
        return name.removeprefix(self.prefix)

    def place(self, topic: str, partition: int) -> TopicPartition:
        """A partition of a topic, as the client knows it."""
        return TopicPartition(self.there(topic), partition)

    def spot(self, place: TopicPartition) -> Spot:
        """A partition of the client's, as it is known in here."""
        return self.here(place.topic), place.partition

    def spots(self, places: Iterable[TopicPartition]) -> set[Spot]:
        """Partitions of the client's, as they are known in here."""
        return {self.spot(place) for place in places}
