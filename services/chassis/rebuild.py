"""Fold a service's database again from its own journal, and tell whether two databases are equal.

Always holds: what is built is what was there, byte for byte, the places in every topic included,
because a service's state is a fold of its own journal (and of the compacted topics it mirrors)
and of nothing else.
"""

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass, field, replace

from schemas.base import Message
from schemas.envelope import Unreadable, attributes, decode, tombstone
from schemas.journal import RecordParked, StepCompleted
from schemas.topics import PUBLIC_EVENTS, Stream, stream_topic
from services.chassis.domain import Change, Document, Domain, NotLoaded, One, State
from services.chassis.journal import ParkedRecord, fold
from services.chassis.log import Log, Received
from services.chassis.store import Place, Store

BATCH = 1000

Advance = Callable[[int], None]
"""Called with how many more events have been folded."""


class JournalBroken(Exception):
    """The journal in the log is not whole; the text names the place."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One event of a service's own journal, at its place in it."""

    order: int
    sequence: int
    stream: Stream
    message: Message


async def rebuild(
    domain: Domain, store: Store, log: Log, partitions: int, advance: Advance = lambda _: None
) -> int:
    """Build the database from the log; how many events were folded.

    The service must not run, and `store` must be empty. Raises `JournalBroken`.
    """
    counts = await asyncio.gather(
        *(_Partition(domain, store, log, p, advance).fold() for p in range(partitions))
    )
    return sum(counts)


@dataclass(slots=True)
class _Partition:
    domain: Domain
    store: Store
    log: Log
    partition: int
    advance: Advance
    place: Place = field(init=False)
    pending: list[Entry] = field(default_factory=list)

    async def fold(self) -> int:
        self.place = Place(self.partition)
        count = 0
        async for entry in self._journal():
            if entry.order < self.place.order + len(self.pending):
                continue  # published twice
            if entry.order > self.place.order + len(self.pending):
                raise JournalBroken(
                    f"{self.domain.name}/{self.partition}: entry "
                    f"{self.place.order + len(self.pending)} is missing from the log"
                )
            self.pending.append(entry)
            count += 1
            if len(self.pending) >= BATCH and isinstance(entry.message, StepCompleted):
                await self._flush()
        if self.pending and not isinstance(self.pending[-1].message, StepCompleted):
            raise JournalBroken(
                f"{self.domain.name}/{self.partition}: the log ends within a step; the outbox of "
                f"the old database holds the rest of it"
            )
        await self._flush()
        await self._mirror()
        return count

    async def _flush(self) -> None:
        """Fold what is pending and write the documents that it changed, each once."""
        if not self.pending:
            return
        changes = await self._changes(State(), [entry.message for entry in self.pending])
        for entry in self.pending:
            self.place = _advanced(self.place, entry)
        await self.store.fill(self.place, changes)
        self.advance(len(self.pending))
        self.pending.clear()

    async def _changes(self, state: State, messages: Sequence[Message]) -> list[Change]:
        """What the messages change, each document once."""
        needs = {need for message in messages for need in self.domain.needs(message)}
        await state.load(self.store.load, needs)
        changes: dict[tuple[type[Document], str], Change] = {}
        for message in messages:
            for change in await self._folded(state, message):
                document = change if isinstance(change, Document) else change.document
                changes[type(document), document.key] = change
        return list(changes.values())

    async def _folded(self, state: State, message: Message) -> list[Change]:
        if isinstance(message, StepCompleted):
            return []
        while True:
            try:
                state.apply(fold(self.domain, state, message))
                return state.keep()
            except NotLoaded as missing:
                state.undo()
                await state.load(self.store.load, [missing.need])

    async def _mirror(self) -> None:
        """The compacted topics, up to where the service had read them; not what it parked."""
        for topic in self.domain.tables:
            end = self.place.positions.get(topic, 0)
            async for rows in self.log.read(topic, self.partition):
                seen = [row for row in rows if row.offset < end]
                origins = [f"{topic}/{self.partition}/{row.offset}" for row in seen]
                state, service = State(), self.domain.name
                await state.load(
                    self.store.load, [One(ParkedRecord, service, origin) for origin in origins]
                )
                messages = [
                    message
                    for row, origin in zip(seen, origins, strict=True)
                    if state.get(ParkedRecord, service, origin) is None
                    and (message := _contact(row)) is not None
                ]
                await self.store.fill(self.place, await self._changes(state, messages))

    async def _journal(self) -> AsyncIterator[Entry]:
        """The service's own events of this partition, merged over its streams by their order."""
        streams: list[Stream] = ["private", "parked"]
        if PUBLIC_EVENTS[self.domain.name]:
            streams.append("events")
        sources = [self._stream(stream) for stream in streams]
        heads = [await anext(source, None) for source in sources]
        while any(heads):
            index = min((h.order, i) for i, h in enumerate(heads) if h is not None)[1]
            head = heads[index]
            assert head is not None
            yield head
            heads[index] = await anext(sources[index], None)

    async def _stream(self, stream: Stream) -> AsyncIterator[Entry]:
        source = f"/mentoring/{self.domain.name}/{stream}/{self.partition}"
        async for rows in self.log.read(stream_topic(self.domain.name, stream), self.partition):
            for row in rows:
                found = _entry(row, stream, source)
                if found is not None:
                    yield found


def _entry(row: Received, stream: Stream, source: str) -> Entry | None:
    """A record of the service's own, or None: somebody else's, or no message at all."""
    try:
        found = attributes(row.headers)
        if found.source != source or found.order is None or found.sequence is None:
            return None
        return Entry(found.order, found.sequence, stream, decode(found, row.value))
    except Unreadable:
        return None


def _contact(row: Received) -> Message | None:
    try:
        if row.value is None:
            return tombstone(row.key)
        return decode(attributes(row.headers), row.value)
    except Unreadable:
        return None  # it was parked when it came


def _advanced(place: Place, entry: Entry) -> Place:
    sequences = {**place.sequences, entry.stream: entry.sequence}
    place = replace(place, order=entry.order + 1, sequences=sequences)
    match entry.message:
        case StepCompleted() as step:
            return replace(
                place,
                step=step.step,
                positions={**place.positions, **step.positions},
                seen={**place.seen, **step.seen},
            )
        case RecordParked():
            return replace(place, parked=place.parked + 1)
        case _:
            return place
