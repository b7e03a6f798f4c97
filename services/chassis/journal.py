"""What every service notes for itself, and the documents that this keeps: refusals and parking.

Always holds: a service's database is a fold of its journal (`fold`), live and in a rebuild alike.
"""

import hashlib
from collections.abc import Iterable
from typing import ClassVar

from schemas.base import Message
from schemas.journal import CommandRefused, RecordParked
from services.chassis.domain import Change, Document, Domain, State
from services.chassis.log import Received

PARKED_BYTES = 64 * 1024


class RefusedCommand(Document):
    """A command that was not carried out; `id` is the command's."""

    collection: ClassVar[str] = "refusals"

    command: str
    rule: str
    detail: str


class ParkedRecord(Document):
    """A record that stands aside; `id` is `topic/partition/offset`."""

    collection: ClassVar[str] = "parked"
    indexes: ClassVar[tuple[tuple[str, ...], ...]] = (("reason",),)

    topic: str
    offset: int
    record_key: bytes | None
    headers: tuple[tuple[str, bytes | None], ...]
    value: bytes | None
    size: int
    sha256: str
    reason: str
    detail: str
    attempts: int


class BlockedSubject(Document):
    """A subject with records aside: later ones queue behind them. `id` is `topic/partition/key`."""

    collection: ClassVar[str] = "blocked"

    waiting: int


CHASSIS_DOCUMENTS: tuple[type[Document], ...] = (RefusedCommand, ParkedRecord, BlockedSubject)


def blocked_id(topic: str, partition: int, key: bytes) -> str:
    """The id of the queue in which records of this key wait."""
    return f"{topic}/{partition}/{key.decode('latin-1')}"


def park(received: Received, service: str, reason: str, detail: str) -> RecordParked:
    """The event that sets a record aside."""
    value = received.value
    return RecordParked.model_construct(
        cohort_id=service,
        origin=f"{received.topic}/{received.partition}/{received.offset}",
        topic=received.topic,
        offset=received.offset,
        key=received.key,
        headers=tuple((name, raw) for name, raw in received.headers),
        value=None if value is None else value[:PARKED_BYTES],
        size=len(value or b""),
        sha256=hashlib.sha256(value or b"").hexdigest(),
        reason=reason,
        detail=detail,
        attempts=1,
    )


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
            )
        case RecordParked():
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
            )
            if event.key is not None:
                queue = blocked_id(event.topic, int(event.origin.split("/")[-2]), event.key)
                present = state.get(BlockedSubject, event.cohort_id, queue)
                waiting = present.waiting + 1 if present else 1
                yield BlockedSubject(id=queue, cohort_id=event.cohort_id, waiting=waiting)
        case _:
            yield from domain.evolve(state, event)
