"""What every service notes for itself, beside its own events: refusals, heartbeats, what is parked.

Always holds: a service's database is a fold of its journal (`fold`), live and in a rebuild alike.
"""

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
from services.chassis.documents import Beat, BlockedSubject, ParkedRecord, RefusedCommand
from services.chassis.domain import Change, Domain, Due, Need, One, State
from services.chassis.step.parking import parked_queue, set_aside, taken_back


def needs(domain: Domain, message: Message) -> Iterable[Need]:
    """What a message's decision and its fold will touch, as far as the message tells.

    What the domain gives is handed on as it is: to pass it on one by one is dear, at every message.
    """
    service = domain.name
    match message:
        case Due() if message.collection == Beat.collection:
            return (One(Beat, service, message.id),)
        case RetryParked() | DropParked():
            return (One(ParkedRecord, service, origin) for origin in message.origins)
        case RecordRetried() | RecordDropped():
            return (One(ParkedRecord, service, message.origin),)
        case Heartbeat():
            return (One(Beat, service, message.source.rpartition(".")[2]),)
        case RecordParked():
            parked = One(ParkedRecord, service, message.origin)
            queue = parked_queue(message)
            return (parked,) if queue is None else (parked, One(BlockedSubject, service, queue))
        case _:
            return domain.needs(message)


def fold(domain: Domain, state: State, event: Message) -> Iterable[Change]:
    """The documents that an event changes: the chassis' own, else the domain's."""
    match event:
        case CommandRefused():
            refused = RefusedCommand(
                id=event.command_id,
                cohort_id=event.cohort_id,
                command=event.command,
                rule=event.rule,
                detail=event.detail,
                kind=event.kind,
            )
            return (refused,)
        case RecordParked():
            return set_aside(state, event)
        case RecordRetried() | RecordDropped():
            return taken_back(state, event)
        case Heartbeat():
            partition = event.source.rpartition(".")[2]
            return (Beat(id=partition, cohort_id=event.cohort_id, due_at=event.next_at),)
        case _:
            return domain.evolve(state, event)
