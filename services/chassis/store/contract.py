"""Where a service keeps what it knows: what the step asks of a database, and what people see.

Always holds: `commit` is all or nothing, and nothing when a partition has moved on since it was
read (`Outpaced`): whoever lost a partition cannot write to it any more. Documents and plain values
go in and out, no database's own.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Protocol

from schemas.envelope import Record
from services.chassis.domain import Cells, Change, D, Document, One


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
    """One step: the places as they will be, the documents that change, what is to be published.

    `forgotten`: whose it is that is kept beside the documents, and is not from now on.
    """

    places: Sequence[Place]
    changes: Sequence[tuple[int, Change]]
    outgoing: Sequence[Outgoing]
    forgotten: Sequence[str] = ()


@dataclass(frozen=True, slots=True)
class DeadlineAside:
    """A deadline that could not be decided on, and is left alone until some moment of real time.

    `collection` and `key` are its document's; no key: the whole kind could not be read. Nothing of
    it is state: whoever owns the partition next finds out for itself.
    """

    collection: str
    key: str
    partition: int
    reason: str
    detail: str
    attempts: int
    until: datetime


class Outpaced(Exception):
    """Somebody else has written to these partitions since they were read."""


class Store(Protocol):
    """A service's own database."""

    async def places(self, partitions: Iterable[int]) -> dict[int, Place]:
        """The places that are known; a partition never worked on is absent."""

    async def load(self, needs: Iterable[One]) -> list[Document]:
        """The documents asked for that exist: by one query."""

    async def columns(
        self,
        kind: type[Document],
        cohort_id: str,
        fields: Sequence[str],
        equal: Mapping[str, Any],
    ) -> list[Cells]:
        """These fields of each document of a cohort that has these values, by its id: for what
        needs little of many."""

    async def alike(
        self, kind: type[Document], fields: Sequence[str], by: str, values: Collection[str]
    ) -> list[Cells]:
        """These fields of each document of any cohort of which `by` (it has an index) is one of
        these values, by cohort and id. Others may own them: no decision rests on it."""

    async def encoded(
        self, kind: type[Document], cohort_id: str, fields: Sequence[str]
    ) -> list[bytes]:
        """These fields of each document of a cohort, by its id, some together, as BSON: for whoever
        hands on many. Equal documents are equal bytes."""

    async def commit(self, commit: Commit) -> None:
        """Make a step durable, or raise `Outpaced` and change nothing.

        What cannot be written (a document above 16 MiB, a number of more than 64 bits, a NUL in
        the name of a field) raises something that does not pass, and changes nothing.
        """

    async def outgoing(self, partitions: Iterable[int]) -> list[Outgoing]:
        """What has been committed and not yet published, in order."""

    async def published(self, outgoing: Sequence[Outgoing]) -> None:
        """These have been published; forget them."""

    async def due(
        self,
        kind: type[D],
        partitions: Iterable[int],
        now: datetime,
        limit: int,
        besides: Sequence[str] = (),
    ) -> list[tuple[int, D]]:
        """Timed documents of these partitions whose moment has come, earliest first.

        Those with a key of `besides` are passed over, and do not count for `limit`.
        """

    async def next_due(self, kind: type[Document], partitions: Iterable[int]) -> datetime | None:
        """The earliest moment of all timed documents of these partitions; None: there are none."""

    async def note_aside(self, news: Mapping[tuple[str, str], DeadlineAside | None]) -> None:
        """For those who look: what is set aside by collection and key, or (None) no more."""

    async def claim(self) -> None:
        """End what processes before us have left open, so that it stands in nobody's way."""

    async def changed_topics(self, present: Mapping[str, str]) -> list[str]:
        """Of topics and their ids: those that had another id. An id seen first is remembered."""

    async def fill(self, place: Place, changes: Sequence[Change]) -> None:
        """Write what a rebuild found in one partition, without any guard."""

    async def wipe(self) -> None:
        """Forget everything."""


Row = dict[str, Any]
"""Some fields of a document by name, as plain values."""


@dataclass(frozen=True, slots=True)
class Where:
    """Which documents of a kind: those that are all of this. What is None is not asked.

    `equal` is field to value; `between` field to a moment at or after which it lies, and one before
    which; `partitions` are those to which the documents belong. `starting`:
    fields of text, or of several texts, with what one of these begins with. `among`: fields of text
    with the values that theirs is one of. `without`: fields with the values that none of theirs is.
    """

    cohort_id: str | None = None
    equal: Mapping[str, Any] = field(default_factory=dict)
    partitions: Collection[int] | None = None
    between: Mapping[str, tuple[datetime, datetime]] = field(default_factory=dict)
    starting: Sequence[tuple[str, str]] = ()
    without: Mapping[str, Collection[str]] = field(default_factory=dict)
    among: Mapping[str, Collection[str]] = field(default_factory=dict)


EVERYWHERE = Where()


class NoAnswer(Exception):
    """The database did not answer a question, or not in time; `__cause__` is what it came to."""


class Projections(Protocol):
    """What people and tools see of a service's database. No decision rests on it.

    Every method raises `NoAnswer`, and nothing else that a database can come to. With `within`
    (seconds) the database itself gives a question up after them, and works on for nobody.
    """

    async def one(self, kind: type[D], cohort_id: str, id: str) -> D | None:
        """One document, if there is one."""

    async def several(self, kind: type[D], cohort_id: str, ids: Collection[str]) -> list[D]:
        """Those of these documents that there are, in any order."""

    async def page(
        self,
        kind: type[D],
        where: Where = EVERYWHERE,
        limit: int = 1,
        after: str = "",
        by: str = "id",
    ) -> list[D]:
        """Documents by cohort and id, from the one behind the id `after`, `limit` at most.

        `by`: another field of text that is in the id's stead, and no two documents of a cohort
        have the same of.
        """

    async def extract(
        self,
        kind: type[Document],
        fields: Sequence[str],
        where: Where = EVERYWHERE,
        *,
        limit: int,
        within: float | None = None,
    ) -> list[Row]:
        """Some fields of each document, by cohort and id."""

    async def count(
        self, kind: type[Document], where: Where = EVERYWHERE, after: str = "", by: str = "id"
    ) -> int:
        """How many documents there are, from the one behind `after`, as in a page."""

    async def counts(self, asked: Sequence[tuple[type[Document], Where]]) -> list[int]:
        """How many documents there are of each of these, by one question."""

    async def tally(
        self,
        kind: type[Document],
        fields: Sequence[str],
        where: Where = EVERYWHERE,
        within: float | None = None,
    ) -> dict[tuple[str, ...], int]:
        """How many documents there are by the values (as text; none is "") of these fields."""

    async def deadlines_aside(self, limit: int) -> list[DeadlineAside]:
        """Deadlines that are set aside, `limit` at most, as far as services have noted it."""

    async def positions(self, partitions: Iterable[int]) -> dict[tuple[str, int], int]:
        """How far the service has read: topic and partition to the next offset."""

    async def refresh(self) -> None:
        """See the generation of the database that is live from now on."""
