"""Where a service keeps what it knows: what the step asks of a database.

Always holds: `commit` is all or nothing, and nothing when a partition has moved on since it was
read (`Outpaced`): whoever lost a partition cannot write to it any more.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol

from schemas.envelope import Record
from services.chassis.domain import Change, D, Document, Need


@dataclass(frozen=True, slots=True)
class Place:
    """How far a service has got in one partition: the partition's own document.

    `step` counts the commits. `positions` is topic to next offset, `seen` is source to the last
    sequence, `sequences` is own stream to the next sequence, `order` the next place in the
    service's journal, `parked` how many records stand aside.
    """

    partition: int
    step: int = 0
    positions: Mapping[str, int] = field(default_factory=dict)
    seen: Mapping[str, int] = field(default_factory=dict)
    sequences: Mapping[str, int] = field(default_factory=dict)
    order: int = 0
    parked: int = 0


@dataclass(frozen=True, slots=True)
class Outgoing:
    """What one step of one partition has to publish, in order."""

    partition: int
    step: int
    records: Sequence[Record]


@dataclass(frozen=True, slots=True)
class Commit:
    """One step: the places as they will be, the documents that change, what is to be published."""

    places: Sequence[Place]
    changes: Sequence[tuple[int, Change]]
    outgoing: Sequence[Outgoing]


class Outpaced(Exception):
    """Somebody else has written to these partitions since they were read."""


class Store(Protocol):
    """A service's own database."""

    async def places(self, partitions: Iterable[int]) -> dict[int, Place]:
        """The places that are known; a partition never worked on is absent."""

    async def load(self, needs: Iterable[Need]) -> list[Document]:
        """The documents asked for that exist: one query per kind."""

    async def commit(self, commit: Commit) -> None:
        """Make a step durable, or raise `Outpaced` and change nothing."""

    async def outgoing(self, partitions: Iterable[int]) -> list[Outgoing]:
        """What has been committed and not yet published, in order."""

    async def published(self, outgoing: Sequence[Outgoing]) -> None:
        """These have been published; forget them."""

    async def due(
        self, kind: type[D], partitions: Iterable[int], now: datetime, limit: int
    ) -> list[tuple[int, D]]:
        """Timed documents of these partitions whose moment has come, earliest first."""

    async def claim(self) -> None:
        """End what processes before us have left open, so that it stands in nobody's way."""

    async def changed_topics(self, present: Mapping[str, str]) -> list[str]:
        """Of topics and their ids: those that had another id. An id seen first is remembered."""

    async def fill(self, place: Place, changes: Sequence[Change]) -> None:
        """Write what a rebuild found in one partition, without any guard."""

    async def wipe(self) -> None:
        """Forget everything."""
