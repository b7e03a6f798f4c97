"""A partition's place while a step is being made: what moved, and what will be published."""

from dataclasses import replace
from datetime import datetime
from typing import NamedTuple

from schemas.actors import Actor
from schemas.base import Message
from schemas.envelope import Record, encode, is_doubled
from schemas.journal import RecordDropped, RecordParked, RecordRetried, StepCompleted
from schemas.sources import following, id_of, source_of
from schemas.topics import Service, Stream, stream_of, stream_topic
from services.chassis.log.sizes import SMALL, check_size
from services.chassis.step.passing import NOTHING, Passed
from services.chassis.store.contract import Outgoing, Place


def stands_aside(event: Message) -> int:
    """How many records more stand aside after an event: one, none, or one less."""
    match event:
        case RecordParked():
            return int(event.attempts == 1)
        case RecordRetried() | RecordDropped():
            return -1
        case _:
            return 0


class _Way(NamedTuple):
    """How messages of a kind are published, from one partition in one step."""

    stream: Stream
    topic: str
    source: str
    doubled: bool


class Draft:
    """The next place of one partition, and the records of the step, in order.

    `passed`: how far `place` is ahead of the database.
    """

    def __init__(
        self, service: Service, place: Place, now: datetime, passed: Passed = NOTHING
    ) -> None:
        self.service = service
        self.place = place
        self.now = now
        self.positions = dict(place.positions)
        self.seen = dict(place.seen)
        self.sequences = dict(place.sequences)
        self.order = place.order
        self.parked = place.parked
        self.records: list[Record] = []
        self.decided: list[Message] = []
        self._ways: dict[type[Message], _Way] = {}
        self._positions = dict(passed.positions)
        self._seen = dict(passed.seen)

    @property
    def moved(self) -> bool:
        """Whether there is anything to commit."""
        return bool(self.records or self._positions)

    def moved_to(self, topic: str, offset: int) -> None:
        self.positions[topic] = self._positions[topic] = offset

    def saw(self, topic: str, sequence: int) -> None:
        self.seen[topic] = self._seen[topic] = sequence

    @property
    def next_parked(self) -> int:
        """The number of the next record that is set aside."""
        return following(self.sequences.get("parked", 0))

    def add(
        self,
        event: Message,
        cause: str | None = None,
        traceparent: str | None = None,
        actor: Actor | None = None,
    ) -> None:
        """Put an event at the end of the service's journal.

        `cause` is the id of what led to it, `actor` who is behind that.

        Raises `RecordTooLarge` if the broker would not take it.
        """
        kind = type(event)
        if event.anonymous:
            cause = traceparent = actor = None
        if (way := self._ways.get(kind)) is None:
            way = self._ways[kind] = self._way_of(kind)
        if way.stream == "parked":
            self.parked += stands_aside(event)
        self.decided.append(event)
        if way.doubled:
            self._publish(event, way, cause, traceparent, actor, copy=True)
        self._publish(event, way, cause, traceparent, actor)

    def _way_of(self, kind: type[Message]) -> _Way:
        stream = stream_of(self.service, kind)
        return _Way(
            stream,
            stream_topic(self.service, stream),
            source_of(self.service, stream, self.place.partition),
            doubled=stream == "events" and is_doubled(kind, self.now),
        )

    def _publish(
        self,
        event: Message,
        way: _Way,
        cause: str | None,
        traceparent: str | None,
        actor: Actor | None,
        *,
        copy: bool = False,
    ) -> None:
        """One record; a copy in the older version is no entry of the journal, and has no order."""
        partition, stream = self.place.partition, way.stream
        sequence = following(self.sequences.get(stream, 0))
        self.sequences[stream] = sequence
        where = self.service, stream, partition
        record = encode(
            event,
            way.topic,
            partition,
            id=id_of(*where, sequence),
            source=way.source,
            time=self.now,
            sequence=sequence,
            order=None if copy else self.order,
            cause=cause,
            traceparent=traceparent,
            copy_of=id_of(*where, following(sequence)) if copy else None,
            actor=actor,
        )
        if len(record.value or b"") > SMALL:
            check_size(record)  # once it is committed, it can only be published
        self.records.append(record)
        if not copy:
            self.order += 1

    def pass_over(self) -> tuple[Place, Passed]:
        """The place without a step, and what the database does not know of it."""
        place = replace(self.place, positions=self.positions, seen=self.seen)
        return place, Passed(self._positions, self._seen)

    def finish(self) -> tuple[Place, Outgoing]:
        """The place and the outbox entry of the step; the last record says how far it got."""
        partition, step = self.place.partition, self.place.step + 1
        self.add(
            StepCompleted(
                cohort_id=self.service,
                source=f"{self.service}.{partition}",
                step=step,
                positions=self._positions,
                seen=self._seen,
            )
        )
        place = Place(
            partition, step, self.positions, self.seen, self.sequences, self.order, self.parked
        )
        return place, Outgoing(partition, step, self.records)
