"""How scheduling's documents follow from its events. A fold: no time, no rules, no I/O."""

from collections.abc import Iterable, Sequence
from typing import Any

from schemas.base import PairEvent, recast
from schemas.calendars import (
    AbsenceDeclared,
    AbsenceWithdrawn,
    CalendarEvent,
    HoursElsewhereNoted,
    HoursOffered,
)
from schemas.cohorts import PolicyChanged
from schemas.links import LinksRevoked
from schemas.matching import AvailabilityChanged, CohortOpened, PairDissolved, PairFormed
from schemas.meeting import MeetingPlaceSet, SessionMoveRefused, SessionRelocated
from schemas.scheduling import (
    AttendanceCorrected,
    AttendanceReminded,
    AttendanceRequested,
    GraduationWithdrawn,
    PairGraduated,
    PairStalled,
    PlanningBegan,
    PlanningPostponed,
    SessionCancelled,
    SessionCompleted,
    SessionConfirmed,
    SessionDisputed,
    SessionEvent,
    SessionMissed,
    SessionMoveAccepted,
    SessionMoveDeclined,
    SessionMoveProposed,
    SessionPlanned,
    SessionPostponed,
    SessionRescheduled,
    SessionShifted,
    SessionWithdrawn,
)
from schemas.values import Side
from services.chassis.documents import links_revoked
from services.chassis.domain import Change, Evolution, State
from services.scheduling import absences, elsewhere
from services.scheduling.agenda import Agenda, agenda_of, calendar_of, new_agenda
from services.scheduling.views import (
    SIDES,
    Cause,
    Cohort,
    Move,
    Outcome,
    Pair,
    Proposal,
    RefusedTime,
    Result,
    Session,
    SessionState,
    outcome_of,
)


def _cohort_opened(_: State, event: CohortOpened) -> Iterable[Change]:
    cohort_id = event.cohort_id
    yield Cohort(id=cohort_id, cohort_id=cohort_id, name=event.name, policy=event.policy)


def _policy_changed(state: State, event: PolicyChanged) -> Iterable[Change]:
    cohort = state.get(Cohort, event.cohort_id, event.cohort_id)
    if cohort is not None:
        yield cohort.model_copy(update={"policy": event.after})


def _availability_changed(state: State, event: AvailabilityChanged) -> Iterable[Change]:
    yield calendar_of(state, event.cohort_id, event.person_id, event.availability)


def _calendar_changed(state: State, event: CalendarEvent) -> Iterable[Change]:
    yield absences.after(calendar_of(state, event.cohort_id, event.person_id), event)


def _hours_noted(state: State, event: HoursElsewhereNoted) -> Iterable[Change]:
    yield elsewhere.after(calendar_of(state, event.cohort_id, event.person_id), event)


def _pair_formed(state: State, event: PairFormed) -> Iterable[Change]:
    # A pair is formed once in a cohort; what has begun is not begun again.
    if state.get(Pair, event.cohort_id, event.pair_id) is None:
        agenda = new_agenda(state, event)
        yield from (agenda.pair, agenda.mentor, agenda.manager) if agenda else ()


def _pair_changed(state: State, event: PairEvent) -> Iterable[Change]:
    before = agenda_of(state, event.cohort_id, event.pair_id)
    if before is not None:
        yield from _differences(before, before.after(event))


def _session_planned(
    state: State, event: SessionPlanned | SessionRescheduled | SessionShifted
) -> Iterable[Change]:
    """The session at its new time. Whoever had confirmed it has confirmed another time."""
    yield from _session_changed(state, event)
    by = event.confirmed_by
    moved = None
    if isinstance(event, SessionRescheduled) and event.may_object:
        moved = Move(by=event.by, previously_at=event.previously_at)
    more = {"confirmed_by": by, "moved": moved, "invited": event.revision}
    yield _session_as(event, _confirmed(by), due_at=event.ends_at, **more)


def _move_proposed(state: State, event: SessionMoveProposed) -> Iterable[Change]:
    proposal = recast(Proposal, event)
    due_at = min(event.answer_by, event.ends_at)
    yield from _session_kept(state, event, proposal=proposal, due_at=due_at)


def _move_answered(
    state: State, event: SessionMoveAccepted | SessionMoveDeclined
) -> Iterable[Change]:
    yield from _session_kept(state, event, proposal=None, due_at=event.ends_at)


def _move_refused(state: State, event: SessionMoveRefused) -> Iterable[Change]:
    yield from _session_kept(state, event, refused=recast(RefusedTime, event))


def _session_kept(state: State, event: SessionEvent, **change: Any) -> Iterable[Change]:
    """The session where it was, with one change more."""
    yield from _session_changed(state, event)
    session = state.get(Session, event.cohort_id, event.session_id)
    if session is not None:
        yield session.model_copy(update={"revision": event.revision, **change})


def _session_confirmed(state: State, event: SessionConfirmed) -> Iterable[Change]:
    yield from _session_changed(state, event)
    session = state.get(Session, event.cohort_id, event.session_id)
    by = (*(session.confirmed_by if session else ()), event.by)
    if session is not None:
        change = {"revision": event.revision, "confirmed_by": by, "state": _confirmed(by)}
        yield session.model_copy(update=change)


def _confirmed(by: Sequence[Side]) -> SessionState:
    return "confirmed" if len(set(by)) == len(SIDES) else "planned"


def _attendance_requested(state: State, event: AttendanceRequested) -> Iterable[Change]:
    session = state.get(Session, event.cohort_id, event.session_id)
    if session is not None:
        due_at = event.remind_at or event.report_by
        update = {"asked": True, "report_by": event.report_by, "due_at": due_at}
        yield session.model_copy(update=update)


def _attendance_reminded(state: State, event: AttendanceReminded) -> Iterable[Change]:
    session = state.get(Session, event.cohort_id, event.session_id)
    if session is not None:
        yield session.model_copy(update={"reminded": True, "due_at": event.report_by})


def _session_cancelled(state: State, event: SessionCancelled) -> Iterable[Change]:
    yield from _session_changed(state, event)
    yield _session_as(event, "cancelled")
    yield _outcome(event, "cancelled", event.cause, event.by, late=event.late)


def _session_postponed(state: State, event: SessionPostponed) -> Iterable[Change]:
    yield from _session_changed(state, event)
    yield _session_as(event, "cancelled")
    yield _outcome(event, "cancelled", "postponed", None)


def _session_missed(state: State, event: SessionMissed) -> Iterable[Change]:
    yield from _session_changed(state, event)
    yield _session_as(event, "missed")
    yield _outcome(event, "missed", event.cause, event.by, absent=event.absent)


def _session_completed(state: State, event: SessionCompleted) -> Iterable[Change]:
    yield from _session_changed(state, event)
    yield _session_as(event, "completed")
    cause: Cause = "presumed" if event.presumed else "reported"
    yield _outcome(event, "completed", cause, event.by)


def _session_withdrawn(state: State, event: SessionWithdrawn) -> Iterable[Change]:
    yield from _session_changed(state, event)
    yield _session_as(event, "cancelled")
    yield _outcome(event, "cancelled", "withdrawn", None)


def _attendance_corrected(state: State, event: AttendanceCorrected) -> Iterable[Change]:
    """What the attempt came to; and the session, if no later attempt stands in its place."""
    yield from _session_changed(state, event)
    result: Result = "completed" if event.held else "missed"
    session = state.get(Session, event.cohort_id, event.session_id)
    if event.held != event.was_held:
        yield _session_as(event, result)
    elif session is not None:
        yield session.model_copy(update={"revision": event.revision})
    cause: Cause = "corrected" if event.by else "settled"
    yield _outcome(event, result, cause, event.by, absent=event.absent)


def _session_disputed(state: State, event: SessionDisputed) -> Iterable[Change]:
    yield from _session_kept(state, event)
    attempt = outcome_of(event.session_id, event.attempt)
    outcome = state.get(Outcome, event.cohort_id, attempt)
    if outcome is not None:
        yield outcome.model_copy(update={"disputed": True})


EVOLUTION: Evolution = {
    CohortOpened: _cohort_opened,
    PolicyChanged: _policy_changed,
    LinksRevoked: links_revoked,
    AvailabilityChanged: _availability_changed,
    AbsenceDeclared: _calendar_changed,
    AbsenceWithdrawn: _calendar_changed,
    HoursOffered: _calendar_changed,
    HoursElsewhereNoted: _hours_noted,
    PairFormed: _pair_formed,
    PairDissolved: _pair_changed,
    PairStalled: _pair_changed,
    PairGraduated: _pair_changed,
    PlanningBegan: _pair_changed,
    PlanningPostponed: _pair_changed,
    MeetingPlaceSet: _pair_changed,
    SessionRelocated: _session_kept,
    SessionMoveRefused: _move_refused,
    SessionPlanned: _session_planned,
    SessionRescheduled: _session_planned,
    SessionShifted: _session_planned,
    SessionMoveProposed: _move_proposed,
    SessionMoveAccepted: _move_answered,
    SessionMoveDeclined: _move_answered,
    SessionPostponed: _session_postponed,
    SessionConfirmed: _session_confirmed,
    AttendanceRequested: _attendance_requested,
    AttendanceReminded: _attendance_reminded,
    AttendanceCorrected: _attendance_corrected,
    SessionDisputed: _session_disputed,
    SessionWithdrawn: _session_withdrawn,
    GraduationWithdrawn: _pair_changed,
    SessionCancelled: _session_cancelled,
    SessionMissed: _session_missed,
    SessionCompleted: _session_completed,
}
"""Event to the documents that it changes."""


def _session_changed(state: State, event: SessionEvent) -> Iterable[Change]:
    """What changes in the agenda of the session's pair."""
    before = agenda_of(state, event.cohort_id, event.pair_id)
    if before is None:
        raise LookupError(f"{type(event).__name__} of an unknown pair {event.pair_id}")
    return _differences(before, before.after(event))


def _differences(before: Agenda, after: Agenda) -> Iterable[Change]:
    if after.pair is not before.pair:
        yield after.pair
    if after.mentor is not before.mentor:
        yield after.mentor
    if after.manager is not before.manager:
        yield after.manager


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
    event: SessionEvent, result: Result, cause: Cause, by: Side | None, **more: Any
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
        by=by,
        **more,
    )
