"""How scheduling's documents follow from its events. A fold: no time, no rules, no I/O."""

from collections.abc import Iterable
from typing import Any

from schemas.base import Message, PairEvent
from schemas.matching import AvailabilityChanged, CohortOpened, PairFormed
from schemas.scheduling import (
    AttendanceRequested,
    SessionCancelled,
    SessionCompleted,
    SessionConfirmed,
    SessionEvent,
    SessionMissed,
    SessionPlanned,
    SessionRescheduled,
)
from services.chassis.domain import Change, State
from services.scheduling.agenda import Agenda, agenda_of, calendar_of, new_agenda
from services.scheduling.views import (
    Cause,
    Cohort,
    Outcome,
    Pair,
    Result,
    Session,
    SessionState,
    outcome_of,
)


def evolve(state: State, event: Message) -> Iterable[Change]:
    """The documents that an event changes."""
    cohort_id = event.cohort_id
    match event:
        case CohortOpened():
            yield Cohort(id=cohort_id, cohort_id=cohort_id, name=event.name, policy=event.policy)
        case AvailabilityChanged():
            yield calendar_of(state, cohort_id, event.person_id, event.availability)
        case PairFormed():
            # A pair is formed once in a cohort; what has begun is not begun again.
            if state.get(Pair, cohort_id, event.pair_id) is None:
                agenda = new_agenda(state, event)
                yield from (agenda.pair, agenda.mentor, agenda.manager) if agenda else ()
        case PairEvent():
            before = agenda_of(state, cohort_id, event.pair_id)
            if before is not None:
                yield from _differences(before, before.after(event))
        case SessionEvent():
            before = agenda_of(state, cohort_id, event.pair_id)
            if before is None:
                raise LookupError(f"{type(event).__name__} of an unknown pair {event.pair_id}")
            yield from _differences(before, before.after(event))
            yield from _session(state, event)
        case _:
            return


def _differences(before: Agenda, after: Agenda) -> Iterable[Change]:
    if after.pair is not before.pair:
        yield after.pair
    if after.mentor is not before.mentor:
        yield after.mentor
    if after.manager is not before.manager:
        yield after.manager


def _session(state: State, event: SessionEvent) -> Iterable[Change]:
    match event:
        case SessionPlanned():
            yield _session_as(event, "planned", due_at=event.ends_at)
        case SessionRescheduled():
            # Whoever had confirmed has confirmed another time.
            yield _session_as(event, "planned", due_at=event.ends_at)
        case SessionConfirmed():
            session = state.get(Session, event.cohort_id, event.session_id)
            before = session.confirmed_by if session else ()
            by_both = bool(set(before) - {event.by})
            yield _session_as(
                event,
                "confirmed" if by_both else "planned",
                confirmed_by=(*before, event.by),
                due_at=event.ends_at,
            )
        case AttendanceRequested():
            session = state.get(Session, event.cohort_id, event.session_id)
            if session is not None:
                yield session.model_copy(update={"asked": True, "due_at": event.report_by})
        case SessionCancelled():
            yield _session_as(event, "cancelled")
            yield _outcome(event, "cancelled", event.cause)
        case SessionMissed():
            yield _session_as(event, "missed")
            yield _outcome(event, "missed", event.cause)
        case SessionCompleted():
            yield _session_as(event, "completed")
            yield _outcome(event, "completed", "reported")
        case _:
            return


def _session_as(event: SessionEvent, state: SessionState, **more: Any) -> Session:
    """The session as an event leaves it: the event tells nearly all, nothing has to be read."""
    return Session(
        id=event.session_id,
        cohort_id=event.cohort_id,
        pair_id=event.pair_id,
        mentor_id=event.mentor_id,
        manager_id=event.manager_id,
        number=event.number,
        attempt=event.attempt,
        revision=event.revision,
        starts_at=event.starts_at,
        ends_at=event.ends_at,
        state=state,
        **more,
    )


def _outcome(
    event: SessionCancelled | SessionMissed | SessionCompleted, result: Result, cause: Cause
) -> Outcome:
    return Outcome(
        id=outcome_of(event.session_id, event.attempt),
        cohort_id=event.cohort_id,
        pair_id=event.pair_id,
        session_id=event.session_id,
        attempt=event.attempt,
        starts_at=event.starts_at,
        outcome=result,
        cause=cause,
        by=event.by,
    )
