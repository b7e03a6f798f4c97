"""What every service notes for itself, and the documents that this keeps: refusals and parking.

Always holds: a service's database is a fold of its journal (`fold`), live and in a rebuild alike.
"""

import hashlib
from collections.abc import Iterable

from schemas.base import Message
from schemas.journal import (
    CommandRefused,
    DropParked,
    Heartbeat,
    RecordDropped,
    RecordParked,
    RecordRetried,
    RetryParked,
)
from services.chassis.documents import (
    PARKED_BYTES,
    Beat,
    BlockedSubject,
    DroppedRecord,
    ParkedRecord,
    RefusedCommand,
)
from services.chassis.domain import Change, Domain, Due, Gone, Need, One, State
from services.chassis.log.contract import Received


def blocked_id(topic: str, partition: int, key: bytes) -> str:
    """The id of the queue in which records of this key wait."""
    return f"{topic}/{partition}/{key.decode('latin-1')}"


def queue_of(received: Received) -> str | None:
    """The queue that a record belongs to; one without a key belongs to none."""
    if received.key is None:
        return None
    return blocked_id(received.topic, received.partition, received.key)


def origin_of(received: Received) -> str:
    """Where a record lies: `topic/partition/offset`."""
    return f"{received.topic}/{received.partition}/{received.offset}"


def park(
    received: Received, service: str, reason: str, detail: str, *, number: int, attempts: int = 1
) -> RecordParked:
    """The event that sets a record aside."""
    value = received.value
    return RecordParked.model_construct(
        cohort_id=service,
        origin=origin_of(received),
        topic=received.topic,
        offset=received.offset,
        key=received.key,
        headers=tuple((name, raw) for name, raw in received.headers),
        value=None if value is None else value[:PARKED_BYTES],
        size=len(value or b""),
        sha256=hashlib.sha256(value or b"").hexdigest(),
        reason=reason,
        detail=detail,
        attempts=attempts,
        number=number,
    )


def needs(domain: Domain, message: Message) -> Iterable[Need]:
    """What a message's decision and its fold will touch, as far as the message tells."""
    service = domain.name
    match message:
        case Due() if message.collection == Beat.collection:
            yield One(Beat, service, message.id)
        case RetryParked() | DropParked():
            yield from (One(ParkedRecord, service, origin) for origin in message.origins)
        case RecordRetried() | RecordDropped():
            yield One(ParkedRecord, service, message.origin)
        case Heartbeat():
            yield One(Beat, service, message.source.rpartition(".")[2])
        case RecordParked():
            yield One(ParkedRecord, service, message.origin)
            if (queue := _queue(message)) is not None:
                yield One(BlockedSubject, service, queue)
        case _:
            yield from domain.needs(message)


def fold(domain: Domain, state: State, event: Message) -> Iterable[Change]:
    """The documents that an event changes: the chassis' own, else the domain's."""
    match event:
        case CommandRefused():
            yield RefusedCommand(
                id=event.command_id,
                cohort_id=event.cohort_id,
                command=event.command,
                rule=event.rule,
                detail=event.detail,
                kind=event.kind,
            )
        case RecordParked():
            yield from _set_aside(state, event)
        case RecordRetried():
            yield from _taken_back(state, event.cohort_id, event.origin)
        case RecordDropped():
            yield from _taken_back(state, event.cohort_id, event.origin)
            yield DroppedRecord(id=event.origin, cohort_id=event.cohort_id, because=event.because)
        case Heartbeat():
            partition = event.source.rpartition(".")[2]
            yield Beat(id=partition, cohort_id=event.cohort_id, due_at=event.next_at)
        case _:
            yield from domain.evolve(state, event)


def _set_aside(state: State, event: RecordParked) -> Iterable[Change]:
    yield ParkedRecord(
        id=event.origin,
        cohort_id=event.cohort_id,
        topic=event.topic,
        offset=event.offset,
        record_key=event.key,
        headers=event.headers,
        value=event.value,
        size=event.size,
        sha256=event.sha256,
        reason=event.reason,
        detail=event.detail,
        attempts=event.attempts,
        number=event.number,
    )
    if (queue := _queue(event)) is not None:
        present = state.get(BlockedSubject, event.cohort_id, queue)
        origins = present.origins if present else ()
        if event.origin not in origins:
            origins = (*origins, event.origin)
        yield BlockedSubject(id=queue, cohort_id=event.cohort_id, origins=origins)


def _taken_back(state: State, service: str, origin: str) -> Iterable[Change]:
    parked = state.get(ParkedRecord, service, origin)
    if parked is None:
        return
    yield Gone(parked)
    queue = queue_of(parked.received())
    blocked = state.get(BlockedSubject, service, queue) if queue is not None else None
    if blocked is not None:
        origins = tuple(other for other in blocked.origins if other != origin)
        changed = blocked.model_copy(update={"origins": origins})
        yield changed if origins else Gone(changed)


def _queue(event: RecordParked) -> str | None:
    if event.key is None:
        return None
    return blocked_id(event.topic, int(event.origin.split("/")[-2]), event.key)
