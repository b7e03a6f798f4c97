"""The store's twin in memory: the same rules as the real one's, nothing durable."""

from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

import bson
from pymongo.errors import DocumentTooLarge

from services.chassis.domain import Cells, Change, D, Document, Gone, One, Timed, text_of
from services.chassis.store.contract import (
    EVERYWHERE,
    Commit,
    DeadlineAside,
    Outgoing,
    Outpaced,
    Place,
    Row,
    Where,
)
from services.chassis.store.kept import MemoryKept
from services.chassis.store.rows import LARGEST, chunks_of, place_row, row_of


class MemoryStore:
    """A service's own database, as a process's own memory. Documents are frozen: it keeps them.

    It takes what MongoDB takes, and raises what the driver raises of the rest.
    """

    def __init__(self) -> None:
        self.place: dict[int, Place] = {}
        self.rows: dict[type[Document], dict[str, tuple[int, Document]]] = {}
        self._timed: dict[type[Document], dict[str, tuple[datetime, int]]] = {}
        self.outbox: dict[tuple[int, int], Outgoing] = {}
        self.topics: dict[str, str] = {}
        self.aside: dict[tuple[str, str], DeadlineAside] = {}
        self.kept = MemoryKept()

    async def places(self, partitions: Iterable[int]) -> dict[int, Place]:
        return {p: self.place[p] for p in partitions if p in self.place}

    async def load(self, needs: Iterable[One]) -> list[Document]:
        found: dict[tuple[type[Document], str], Document] = {}
        for need in needs:
            key = f"{need.cohort_id}/{need.id}"
            if (row := self.rows.get(need.kind, {}).get(key)) is not None:
                found[need.kind, key] = row[1]
        return list(found.values())

    async def columns(
        self,
        kind: type[Document],
        cohort_id: str,
        fields: Sequence[str],
        equal: Mapping[str, Any],
    ) -> list[Cells]:
        chosen = self._chosen(kind, Where(cohort_id=cohort_id, equal=equal))
        return [tuple(getattr(document, field) for field in fields) for document in chosen]

    async def alike(
        self, kind: type[Document], fields: Sequence[str], by: str, values: Collection[str]
    ) -> list[Cells]:
        chosen = [one for one in self._chosen(kind, EVERYWHERE) if getattr(one, by) in values]
        return [tuple(getattr(document, field) for field in fields) for document in chosen]

    async def encoded(
        self, kind: type[Document], cohort_id: str, fields: Sequence[str]
    ) -> list[bytes]:
        rows = [d.model_dump(include=set(fields)) for d in self._chosen(kind, Where(cohort_id))]
        return [b"".join(map(bson.encode, rows))] if rows else []

    async def commit(self, commit: Commit) -> None:
        for place in commit.places:
            if place.step != self.place.get(place.partition, Place(place.partition)).step + 1:
                raise Outpaced
        _check_writable(commit)
        for place in commit.places:
            self.place[place.partition] = place
        self._write(commit.changes)
        for outgoing in commit.outgoing:
            self.outbox[outgoing.partition, outgoing.step] = outgoing
        self.kept.forget_owners(commit.forgotten)

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
        self,
        kind: type[D],
        partitions: Iterable[int],
        now: datetime,
        limit: int,
        besides: Sequence[str] = (),
    ) -> list[tuple[int, D]]:
        wanted, others = set(partitions), set(besides)
        found = sorted(
            (due_at, key)
            for key, (due_at, partition) in self._timed.get(kind, {}).items()
            if partition in wanted and due_at <= now and key not in others
        )
        return [self.rows[kind][key] for _, key in found[:limit]]  # type: ignore[misc]

    async def note_aside(self, news: Mapping[tuple[str, str], DeadlineAside | None]) -> None:
        for key, row in news.items():
            if row is None:
                self.aside.pop(key, None)
            else:
                self.aside[key] = row

    async def deadlines_aside(self, limit: int) -> list[DeadlineAside]:
        return [self.aside[key] for key in sorted(self.aside)][:limit]

    async def next_due(self, kind: type[Document], partitions: Iterable[int]) -> datetime | None:
        wanted = set(partitions)
        rows = self._timed.get(kind, {}).values()
        return min((due_at for due_at, partition in rows if partition in wanted), default=None)

    def first_due(self, *besides: type[Document]) -> datetime | None:
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

    # --- for people and tools ---------------------------------------------------------------

    def _kept(self, kind: type[D]) -> dict[str, tuple[int, D]]:
        return self.rows.get(kind, {})  # type: ignore[return-value]  # the key says the kind

    def _chosen(self, kind: type[D], where: Where) -> list[D]:
        """By cohort and id."""
        rows = self._kept(kind).values()
        found = [document for partition, document in rows if _is_meant(document, partition, where)]
        return sorted(found, key=lambda document: (document.cohort_id, document.id))

    async def one(self, kind: type[D], cohort_id: str, id: str) -> D | None:
        _, document = self._kept(kind).get(f"{cohort_id}/{id}", (0, None))
        return document

    async def several(self, kind: type[D], cohort_id: str, ids: Collection[str]) -> list[D]:
        rows = self._kept(kind)
        keys = [f"{cohort_id}/{one}" for one in set(ids)]
        return [rows[key][1] for key in keys if key in rows]

    async def page(
        self,
        kind: type[D],
        where: Where = EVERYWHERE,
        limit: int = 1,
        after: str = "",
        by: str = "id",
    ) -> list[D]:
        chosen = _behind(self._chosen(kind, where), after, by)
        return sorted(chosen, key=lambda d: (d.cohort_id, getattr(d, by)))[:limit]

    async def extract(
        self,
        kind: type[Document],
        fields: Sequence[str],
        where: Where = EVERYWHERE,
        *,
        limit: int,
        within: float | None = None,
    ) -> list[Row]:
        del within
        chosen = self._chosen(kind, where)[:limit]
        return [document.model_dump(include=set(fields)) for document in chosen]

    async def count(
        self, kind: type[Document], where: Where = EVERYWHERE, after: str = "", by: str = "id"
    ) -> int:
        return len(_behind(self._chosen(kind, where), after, by))

    async def counts(self, asked: Sequence[tuple[type[Document], Where]]) -> list[int]:
        return [len(self._chosen(kind, where)) for kind, where in asked]

    async def tally(
        self,
        kind: type[Document],
        fields: Sequence[str],
        where: Where = EVERYWHERE,
        within: float | None = None,
    ) -> dict[tuple[str, ...], int]:
        del within
        chosen = self._chosen(kind, where)
        return Counter(tuple(text_of(getattr(d, f, None)) for f in fields) for d in chosen)

    async def positions(self, partitions: Iterable[int]) -> dict[tuple[str, int], int]:
        places = await self.places(partitions)
        return {(t, p): at for p, place in places.items() for t, at in place.positions.items()}

    async def refresh(self) -> None:
        pass


def _behind(documents: list[D], after: str, by: str) -> list[D]:
    return [d for d in documents if not after or getattr(d, by) > after]


def _is_meant(document: Document, partition: int, where: Where) -> bool:
    return (
        where.cohort_id in (None, document.cohort_id)
        and (where.partitions is None or partition in where.partitions)
        and all(getattr(document, name) == value for name, value in where.equal.items())
        and all(_within(getattr(document, name), *span) for name, span in where.between.items())
        and all(_begins(getattr(document, name), text) for name, text in where.starting)
        and all(values.isdisjoint(_texts(document, name)) for name, values in _sets(where.without))
        and all(getattr(document, name) in values for name, values in _sets(where.among))
    )


def _sets(values: Mapping[str, Collection[str]]) -> Iterable[tuple[str, frozenset[str]]]:
    return ((name, frozenset(some)) for name, some in values.items())


def _texts(document: Document, name: str) -> Iterable[str]:
    """What a field has: one text, several, or none."""
    value = getattr(document, name)
    return [value] if isinstance(value, str) else value or ()


def _within(moment: datetime | None, start: datetime, end: datetime) -> bool:
    return moment is not None and start <= moment < end


def _begins(value: Any, text: str) -> bool:
    texts = [value] if isinstance(value, str) else value or ()
    return any(one.startswith(text) for one in texts)


def _check_writable(commit: Commit) -> None:
    rows = [place_row(place) for place in commit.places]
    rows += [row_of(at, c) for at, c in commit.changes if isinstance(c, Document)]
    rows += [row for outgoing in commit.outgoing for row in chunks_of(outgoing)]
    for row in rows:
        if len(written := bson.encode(row)) > LARGEST:
            raise DocumentTooLarge(f"BSON document too large ({len(written)} bytes)")


def _first(item: tuple[Any, Any]) -> Any:
    return item[0]
