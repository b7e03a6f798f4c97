"""Fold a service's database again from its own journal, and tell whether two databases are equal.

Always holds: what is built is what was there, byte for byte, the places in every topic included,
because a service's state is a fold of its own journal (and of the compacted topics it mirrors)
and of nothing else.
"""

import asyncio
from collections.abc import AsyncGenerator, Callable, Mapping, Sequence
from contextlib import AsyncExitStack, aclosing
from dataclasses import dataclass, field

from schemas.base import Message
from schemas.envelope import Attributes, Unreadable, attributes, decode, tombstone
from schemas.journal import RecordRetried, StepCompleted
from schemas.sources import source_of
from schemas.topics import PUBLIC_EVENTS, Stream, stream_topic
from services.chassis.documents import DroppedRecord, ParkedRecord
from services.chassis.domain import Change, Document, Domain, NotLoaded, One, State
from services.chassis.log.contract import Log, Received
from services.chassis.step.counting import Counting
from services.chassis.step.draft import stands_aside
from services.chassis.step.journal import fold, needs
from services.chassis.step.parking import origin_of
from services.chassis.store.contract import Place, Store

BATCH = 1000

Advance = Callable[[int], None]
"""Called with how many more records have been read."""


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
    domain: Domain, store: Store, log: Log, partitions: int, batch: int = BATCH
) -> int:
    """Build the database from the log, to its end; how many events were folded.

    Nobody may write to the log meanwhile, and `store` must be empty. Raises `JournalBroken`.
    `batch`: how many events are folded at once, or a few more; it does not show in what is built.
    """
    fold = Fold(domain, store, log, partitions, batch=batch)
    count = await fold.catch_up()
    fold.check_ended()
    return count


class Fold:
    """A database in the making: the journal folded so far, and from where to read on."""

    def __init__(
        self,
        domain: Domain,
        store: Store,
        log: Log,
        partitions: int,
        advance: Advance = lambda _: None,
        batch: int = BATCH,
    ) -> None:
        self.domain = domain
        self._parts = [_Partition(domain, store, log, p, advance, batch) for p in range(partitions)]

    @property
    def places(self) -> dict[int, Place]:
        """How far each partition has been folded."""
        return {part.partition: part.place for part in self._parts}

    async def catch_up(self, until: Mapping[int, int] | None = None) -> int:
        """Fold what the log has by now, whole steps only; how many events they were.

        With `until`, a partition is folded to this step at most. Raises `JournalBroken`.
        """
        counts = await asyncio.gather(
            *(part.fold(None if until is None else until[part.partition]) for part in self._parts)
        )
        return sum(counts)

    def behind(self, steps: Mapping[int, int]) -> list[int]:
        """The partitions that have not been folded up to these steps yet."""
        return [p for p, step in steps.items() if self.places[p].step < step]

    def check_ended(self) -> None:
        """Raise `JournalBroken` if the log ends within a step, or something is missing in it."""
        for part in self._parts:
            part.check_ended()


@dataclass(slots=True)
class _Partition:
    domain: Domain
    store: Store
    log: Log
    partition: int
    advance: Advance
    batch: int
    place: Place = field(init=False)
    pending: list[Entry] = field(default_factory=list)
    heads: dict[Stream, Entry] = field(default_factory=dict)
    offsets: dict[Stream, int] = field(default_factory=dict)
    mirrored: dict[str, int] = field(default_factory=dict)
    unread: dict[int, str] = field(default_factory=dict)
    """Of the service's own that cannot be read, by their order: what type they are."""
    counting: Counting = field(init=False)

    def __post_init__(self) -> None:
        self.counting = Counting(self.domain.counts)
        self.place = Place(self.partition)

    async def fold(self, until: int | None) -> int:
        count = 0
        if until is not None and self.place.step >= until:
            return count
        async with aclosing(self._journal()) as journal:
            async for entry in journal:
                self.pending.append(entry)
                if isinstance(entry.message, StepCompleted):
                    last = entry.message.step == until
                    if last or len(self.pending) >= self.batch:
                        count += await self._flush()
                    if last:
                        break
        count += await self._flush()
        await self._mirror()
        return count

    def check_ended(self) -> None:
        where = f"{self.domain.name}/{self.partition}"
        if self.heads:
            missing = self.place.order + len(self.pending)
            if kind := self.unread.get(missing):
                raise JournalBroken(
                    f"{where}: entry {missing} is a {kind}, which this version cannot read; "
                    f"rebuild with the version that wrote it, or a newer one"
                )
            raise JournalBroken(f"{where}: entry {missing} is missing from the log")
        if self.pending:
            raise JournalBroken(
                f"{where}: the log ends within a step; the outbox of the old database holds the "
                f"rest of it"
            )

    async def _flush(self) -> int:
        """Fold the whole steps that are pending, and write what they changed, each once."""
        steps = [isinstance(entry.message, StepCompleted) for entry in self.pending]
        end = len(steps) - steps[::-1].index(True) if any(steps) else 0
        whole, self.pending = self.pending[:end], self.pending[end:]
        if whole:
            changes = await self._changes(State(), [entry.message for entry in whole])
            self.place = _advanced(self.place, whole)
            await self.store.fill(self.place, changes)
            self._forget_mirrored(whole)
        return len(whole)

    async def _changes(self, state: State, messages: Sequence[Message]) -> list[Change]:
        """What the messages change, each document once, and the counts with them."""
        wanted = {need for message in messages for need in needs(self.domain, message)}
        await state.load(self.store, wanted)
        changes: dict[tuple[type[Document], str], Change] = {}
        for message in messages:
            for change in await self._folded(state, message):
                document = change if isinstance(change, Document) else change.document
                changes[type(document), document.key] = change
        counts = await self.counting.of(state, self.store)
        self.counting.committed(counts)  # nobody else writes here
        return [*changes.values(), *counts]

    async def _folded(self, state: State, message: Message) -> list[Change]:
        if isinstance(message, StepCompleted):
            return []
        while True:
            try:
                state.apply(fold(self.domain, state, message))
                return state.keep()
            except NotLoaded as missing:
                state.undo()
                await state.load(self.store, [missing.need])

    async def _mirror(self) -> None:
        """The compacted topics, up to where the service had read them; not what it set aside."""
        for topic in self.domain.tables:
            end, start = self.place.positions.get(topic, 0), self.mirrored.get(topic, 0)
            if start >= end:
                continue
            async for rows in self.log.read(topic, self.partition, start):
                seen = [row for row in rows if row.offset < end]
                if not seen:
                    break
                await self._mirror_rows(seen)
            self.mirrored[topic] = end

    async def _mirror_rows(self, rows: Sequence[Received]) -> None:
        state, service = State(), self.domain.name
        aside = (ParkedRecord, DroppedRecord)
        wanted = [One(kind, service, origin_of(row)) for row in rows for kind in aside]
        await state.load(self.store, wanted)
        messages = [
            message
            for row in rows
            if not any(state.get(kind, service, origin_of(row)) for kind in aside)
            and (message := _contact(row)) is not None
        ]
        await self.store.fill(self.place, await self._changes(state, messages))

    def _forget_mirrored(self, entries: Sequence[Entry]) -> None:
        """What was passed over because it stood aside is not any more: mirror the topic again."""
        for entry in entries:
            if isinstance(entry.message, RecordRetried):
                self.mirrored.pop(entry.message.origin.split("/", maxsplit=1)[0], None)

    async def _journal(self) -> AsyncGenerator[Entry, None]:
        """The service's next events of this partition, merged over its streams by their order.

        Ends where the log does; what of a stream comes too early waits among the heads.
        """
        streams: list[Stream] = ["private", "parked"]
        if PUBLIC_EVENTS[self.domain.name]:
            streams.append("events")
        async with AsyncExitStack() as stack:
            sources = {
                s: await stack.enter_async_context(aclosing(self._stream(s))) for s in streams
            }
            ended: set[Stream] = set()
            expected = self.place.order + len(self.pending)
            while True:
                for stream in set(streams) - ended - self.heads.keys():
                    entry = await anext(sources[stream], None)
                    while entry is not None and entry.order < expected:  # published twice
                        entry = await anext(sources[stream], None)
                    if entry is None:
                        ended.add(stream)
                    else:
                        self.heads[stream] = entry
                following = [s for s, head in self.heads.items() if head.order == expected]
                if not following:
                    if not ended:
                        self.check_ended()
                    return
                yield self.heads.pop(following[0])
                expected += 1

    async def _stream(self, stream: Stream) -> AsyncGenerator[Entry, None]:
        source = source_of(self.domain.name, stream, self.partition)
        topic = stream_topic(self.domain.name, stream)
        async for rows in self.log.read(topic, self.partition, self.offsets.get(stream, 0)):
            for row in rows:
                self.offsets[stream] = row.offset + 1
                found = _entry(row, stream, source)
                if isinstance(found, Entry):
                    yield found
                elif found is not None and found.order is not None:
                    self.unread[found.order] = found.type
            self.advance(len(rows))


def _entry(row: Received, stream: Stream, source: str) -> Entry | Attributes | None:
    """A record of the service's own, or None: somebody else's, or no message at all.

    Its attributes alone, if they say that it is the service's own and it cannot be read.
    """
    try:
        found = attributes(row.headers)
    except Unreadable:
        return None
    if found.source != source or found.order is None or found.sequence is None:
        return None
    try:
        return Entry(found.order, found.sequence, stream, decode(found, row.value, "taken-in"))
    except Unreadable:
        return found


def _contact(row: Received) -> Message | None:
    try:
        if row.value is None:
            return tombstone(row.key)
        return decode(attributes(row.headers), row.value, "taken-in")
    except Unreadable:
        return None  # it was parked when it came


def _advanced(place: Place, entries: Sequence[Entry]) -> Place:
    """The place after these entries of the journal."""
    step, parked = place.step, place.parked
    positions, seen = dict(place.positions), dict(place.seen)
    sequences = dict(place.sequences)
    for entry in entries:
        sequences[entry.stream] = entry.sequence
        if isinstance(entry.message, StepCompleted):
            step = entry.message.step
            positions |= entry.message.positions
            seen |= entry.message.seen
        else:
            parked += stands_aside(entry.message)
    order = entries[-1].order + 1
    return Place(place.partition, step, positions, seen, sequences, order, parked)
