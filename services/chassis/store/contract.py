"""Where a service keeps what it knows: what the step asks of a database, and its twin in memory.

Always holds: `commit` is all or nothing, and nothing when a partition has moved on since it was
read (`Outpaced`): whoever lost a partition cannot write to it any more.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Protocol

from schemas.envelope import Record
from services.chassis.domain import Change, D, Document, Gone, Need, One, Timed


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


class MemoryStore:
    """The twin in memory: the same rules, nothing durable. Documents are frozen: it keeps them."""

    def __init__(self) -> None:
        self.place: dict[int, Place] = {}
        self.rows: dict[type[Document], dict[str, tuple[int, Document]]] = {}
        self._timed: dict[type[Document], dict[str, tuple[datetime, int]]] = {}
        self.outbox: dict[tuple[int, int], Outgoing] = {}
        self.topics: dict[str, str] = {}

    async def places(self, partitions: Iterable[int]) -> dict[int, Place]:
        return {p: self.place[p] for p in partitions if p in self.place}

    async def load(self, needs: Iterable[Need]) -> list[Document]:
        found: dict[tuple[type[Document], str], Document] = {}
        for need in needs:
            rows = self.rows.get(need.kind, {})
            if isinstance(need, One):
                keys = [f"{need.cohort_id}/{need.id}"]
            else:
                keys = [k for k, (_, row) in rows.items() if row.cohort_id == need.cohort_id]
            for key in keys:
                if key in rows:
                    found[need.kind, key] = rows[key][1]
        return list(found.values())

    async def commit(self, commit: Commit) -> None:
        for place in commit.places:
            if place.step != self.place.get(place.partition, Place(place.partition)).step + 1:
                raise Outpaced
        for place in commit.places:
            self.place[place.partition] = place
        self._write(commit.changes)
        for outgoing in commit.outgoing:
            self.outbox[outgoing.partition, outgoing.step] = outgoing

    def _write(self, changes: Sequence[tuple[int, Change]]) -> None:
        for partition, change in changes:
            document = change.document if isinstance(change, Gone) else change
            kind, key = type(document), document.key
            self._timed.setdefault(kind, {}).pop(key, None)
            if isinstance(change, Gone):
                self.rows.get(kind, {}).pop(key, None)
                continue
            self.rows.setdefault(kind, {})[key] = (partition, document)
            if isinstance(document, Timed) and document.due_at is not None:
                self._timed[kind][key] = (document.due_at, partition)

    async def outgoing(self, partitions: Iterable[int]) -> list[Outgoing]:
        wanted = set(partitions)
        return [o for (p, _), o in sorted(self.outbox.items(), key=_first) if p in wanted]

    async def published(self, outgoing: Sequence[Outgoing]) -> None:
        for item in outgoing:
            self.outbox.pop((item.partition, item.step), None)

    async def due(
        self, kind: type[D], partitions: Iterable[int], now: datetime, limit: int
    ) -> list[tuple[int, D]]:
        wanted = set(partitions)
        found = sorted(
            (due_at, key)
            for key, (due_at, partition) in self._timed.get(kind, {}).items()
            if partition in wanted and due_at <= now
        )
        return [self.rows[kind][key] for _, key in found[:limit]]  # type: ignore[misc]

    def next_due(self, *besides: type[Document]) -> datetime | None:
        """The earliest deadline of all documents, but for these kinds."""
        kinds = (rows for kind, rows in self._timed.items() if kind not in besides)
        moments = (due_at for rows in kinds for due_at, _ in rows.values())
        return min(moments, default=None)

    async def claim(self) -> None:
        pass

    async def changed_topics(self, present: Mapping[str, str]) -> list[str]:
        return sorted(t for t in present if self.topics.setdefault(t, present[t]) != present[t])

    async def fill(self, place: Place, changes: Sequence[Change]) -> None:
        if place.step:
            self.place[place.partition] = place
        self._write([(place.partition, change) for change in changes])

    async def wipe(self) -> None:
        self.place.clear()
        self.rows.clear()
        self.outbox.clear()
        self.topics.clear()
        self._timed.clear()


def _first(item: tuple[Any, Any]) -> Any:
    return item[0]
