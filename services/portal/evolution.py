"""How the portal's documents follow from what it learned. A fold: no time, no rules, no I/O.

Always holds: what a contact changes of a participant and what an event changes of them are other
fields, so that it does not matter which of the two came first (a rebuild reads contacts last).
"""

from collections.abc import Iterable

from schemas.base import PairEvent, recast
from schemas.feedback import CohortMeasured, RolloutRecommended, RolloutWithheld
from schemas.matching import (
    AvailabilityChanged,
    CohortOpened,
    ManagerEnrolled,
    ManagerWaitlisted,
    ManagerWithdrew,
    MentorPaused,
    MentorResumed,
    MentorVolunteered,
    MentorWithdrew,
    PairDissolved,
    PairFormed,
    PairProposed,
    PairsSimulated,
    ProposalAccepted,
    ProposalDeclined,
    ProposalExpired,
    RoundCompleted,
    RoundRequested,
    RoundSimulated,
)
from schemas.notify import LetterDeferred, LetterFailed
from schemas.people import PersonContact, PersonErased
from schemas.scheduling import (
    AttendanceCorrected,
    GraduationWithdrawn,
    PairGraduated,
    PairStalled,
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
from services.chassis.domain import Change, Evolution, Gone, State
from services.portal.meetings import MEETINGS
from services.portal.spelling import folded, words_of
from services.portal.views import (
    Cohort,
    Dispute,
    FailedLetter,
    Figures,
    Pair,
    Participant,
    Proposal,
    Round,
    Session,
    Simulation,
    dispute_of,
)

# --- cohorts ----------------------------------------------------------------------------------


def _cohort_opened(_: State, event: CohortOpened) -> Iterable[Change]:
    cohort_id = event.cohort_id
    yield Cohort(id=cohort_id, cohort_id=cohort_id, name=event.name, policy=event.policy)


def _measured(state: State, event: CohortMeasured) -> Iterable[Change]:
    if (cohort := state.get(Cohort, event.cohort_id, event.cohort_id)) is not None:
        yield cohort.model_copy(update={"figures": recast(Figures, event)})


def _judged(state: State, event: RolloutRecommended | RolloutWithheld) -> Iterable[Change]:
    if (cohort := state.get(Cohort, event.cohort_id, event.cohort_id)) is not None:
        ready = isinstance(event, RolloutRecommended)
        yield cohort.model_copy(update={"criteria": event.criteria, "ready": ready})


# --- people -----------------------------------------------------------------------------------


def _contact(state: State, contact: PersonContact) -> Iterable[Change]:
    fields = {
        "name": contact.name,
        "email": contact.email,
        "address": contact.email.casefold(),
        "language": contact.language,
        "order": f"{folded(contact.name)} {contact.person_id}",
        "words": words_of(contact.name),
    }
    yield _participant(state, contact.cohort_id, contact.person_id).model_copy(update=fields)


def _erased(state: State, event: PersonErased) -> Iterable[Change]:
    person = state.get(Participant, event.cohort_id, event.person_id)
    if person is None:
        return
    if not person.sides:
        yield Gone(person)
        return
    nobody = Participant(id=person.id, cohort_id=person.cohort_id, order=_nameless(person.id))
    contact = ("name", "email", "address", "language", "order", "words")
    yield person.model_copy(update={field: getattr(nobody, field) for field in contact})


def _mentor_volunteered(state: State, event: MentorVolunteered) -> Iterable[Change]:
    fields = {
        "mentor_state": "available",
        "directorate": event.directorate,
        "site": event.site,
        "availability": event.availability,
        "skills": event.skills,
        "capacity": event.capacity,
    }
    yield _participant(state, event.cohort_id, event.mentor_id).model_copy(update=fields)


def _mentor_changed(
    state: State, event: MentorPaused | MentorResumed | MentorWithdrew
) -> Iterable[Change]:
    after = {MentorPaused: "paused", MentorResumed: "available", MentorWithdrew: "withdrawn"}
    mentor = _participant(state, event.cohort_id, event.mentor_id)
    yield mentor.model_copy(update={"mentor_state": after[type(event)]})


def _manager_enrolled(state: State, event: ManagerEnrolled) -> Iterable[Change]:
    fields = {
        "manager_state": "waiting",
        "directorate": event.directorate,
        "site": event.site,
        "availability": event.availability,
        "job_family": event.job_family,
        "needs": event.needs,
        "waiting": None,
    }
    yield _participant(state, event.cohort_id, event.manager_id).model_copy(update=fields)


def _manager_waitlisted(state: State, event: ManagerWaitlisted) -> Iterable[Change]:
    manager = _participant(state, event.cohort_id, event.manager_id)
    yield manager.model_copy(update={"waiting": event.waiting})


def _manager_withdrew(state: State, event: ManagerWithdrew) -> Iterable[Change]:
    manager = _participant(state, event.cohort_id, event.manager_id)
    yield manager.model_copy(update={"manager_state": "withdrawn"})


def _availability_changed(state: State, event: AvailabilityChanged) -> Iterable[Change]:
    person = _participant(state, event.cohort_id, event.person_id)
    yield person.model_copy(update={"availability": event.availability})


def _participant(state: State, cohort_id: str, person_id: str) -> Participant:
    """The person, or one of whom nothing is known yet."""
    found = state.get(Participant, cohort_id, person_id)
    return found or Participant(id=person_id, cohort_id=cohort_id, order=_nameless(person_id))


def _nameless(person_id: str) -> str:
    return f"~ {person_id}"  # behind all names


# --- pairs ------------------------------------------------------------------------------------


def _pair_proposed(state: State, event: PairProposed) -> Iterable[Change]:
    yield recast(Pair, event, id=event.pair_id, state="proposed")
    yield from _manager_becomes(state, event, "proposed")


def _proposal_accepted(state: State, event: ProposalAccepted) -> Iterable[Change]:
    if (pair := _pair(state, event)) is not None:
        yield pair.model_copy(update={"accepted": (*pair.accepted, event.by)})


def _proposal_ended(state: State, event: ProposalDeclined | ProposalExpired) -> Iterable[Change]:
    if (pair := _pair(state, event)) is not None:
        ended = "declined" if isinstance(event, ProposalDeclined) else "expired"
        yield pair.model_copy(update={"state": ended})
    yield from _manager_becomes(state, event, "waiting")


def _pair_formed(state: State, event: PairFormed) -> Iterable[Change]:
    if (pair := _pair(state, event)) is not None:
        yield pair.model_copy(update={"state": "formed"})
    yield from _manager_becomes(state, event, "paired")


def _pair_ended(state: State, event: PairDissolved | PairGraduated) -> Iterable[Change]:
    graduated = isinstance(event, PairGraduated)
    if (pair := _pair(state, event)) is not None:
        fields = {"stalled": False, "undated": (), "without_date": False}
        yield pair.model_copy(update={**fields, "state": "graduated" if graduated else "dissolved"})
    yield from _manager_becomes(state, event, "graduated" if graduated else "waiting")


def _goes_on(state: State, event: GraduationWithdrawn) -> Iterable[Change]:
    if (pair := _pair(state, event)) is not None:
        yield pair.model_copy(update={"state": "formed", "completed": event.completed})
    yield from _manager_becomes(state, event, "paired")


def _pair_stalled(state: State, event: PairStalled) -> Iterable[Change]:
    if (pair := _pair(state, event)) is not None:
        yield pair.model_copy(update={"stalled": True})


def _planning_postponed(state: State, event: PlanningPostponed) -> Iterable[Change]:
    if (pair := _pair(state, event)) is not None and pair.state == "formed":
        yield pair.model_copy(update={"undated": event.numbers, "without_date": True})


def _manager_becomes(state: State, event: PairEvent, became: str) -> Iterable[Change]:
    """Whoever has left stays so: what ends with them ends later."""
    manager = _participant(state, event.cohort_id, event.manager_id)
    if manager.manager_state != "withdrawn":
        place = {} if became == "waiting" else {"waiting": None}
        yield manager.model_copy(update={"manager_state": became, **place})


def _pair(state: State, event: PairEvent) -> Pair | None:
    return state.get(Pair, event.cohort_id, event.pair_id)


# --- sessions ---------------------------------------------------------------------------------


def _session_planned(state: State, event: SessionPlanned) -> Iterable[Change]:
    yield recast(Session, event, id=event.session_id, state="planned")
    yield from _pair_after(state, event, waits=False)


def _session_moved(_: State, event: SessionRescheduled | SessionShifted) -> Iterable[Change]:
    yield recast(Session, event, id=event.session_id, state="planned")


def _session_postponed(state: State, event: SessionPostponed) -> Iterable[Change]:
    yield recast(Session, event, id=event.session_id, state="postponed")
    yield from _pair_after(state, event, waits=True)


def _pair_after(
    state: State, event: SessionEvent, *, waits: bool, **change: object
) -> Iterable[Change]:
    """The pair, once one of its sessions waits for a date, or does not any more."""
    pair = state.get(Pair, event.cohort_id, event.pair_id)
    if pair is not None:
        others = (number for number in pair.undated if number != event.number)
        undated = tuple(sorted((*others, event.number) if waits else others))
        fields = {"undated": undated, "without_date": bool(undated)}
        yield pair.model_copy(update={**fields, **change})


def _move_proposed(state: State, event: SessionMoveProposed) -> Iterable[Change]:
    session = state.get(Session, event.cohort_id, event.session_id)
    if session is not None:
        yield session.model_copy(update={"proposal": recast(Proposal, event)})


def _move_answered(
    state: State, event: SessionMoveAccepted | SessionMoveDeclined
) -> Iterable[Change]:
    session = state.get(Session, event.cohort_id, event.session_id)
    if session is not None:
        yield session.model_copy(update={"proposal": None})


def _session_confirmed(state: State, event: SessionConfirmed) -> Iterable[Change]:
    session = state.get(Session, event.cohort_id, event.session_id)
    if session is not None:
        yield session.model_copy(update={"confirmed_by": (*session.confirmed_by, event.by)})


def _session_ended(
    _: State, event: SessionCancelled | SessionMissed | SessionWithdrawn
) -> Iterable[Change]:
    ended = "missed" if isinstance(event, SessionMissed) else "cancelled"
    yield recast(Session, event, id=event.session_id, state=ended)


def _session_completed(state: State, event: SessionCompleted) -> Iterable[Change]:
    yield recast(Session, event, id=event.session_id, state="completed")
    more = {"completed": event.completed, "stalled": False}
    yield from _pair_after(state, event, waits=False, **more)


def _session_disputed(_: State, event: SessionDisputed) -> Iterable[Change]:
    yield recast(Dispute, event, id=dispute_of(event.session_id, event.attempt))


def _attendance_corrected(state: State, event: AttendanceCorrected) -> Iterable[Change]:
    """What an attempt came to; it is the session's, unless nothing but a dispute was settled."""
    dispute = state.get(Dispute, event.cohort_id, dispute_of(event.session_id, event.attempt))
    if dispute is not None:
        yield Gone(dispute)
    session = state.get(Session, event.cohort_id, event.session_id)
    if event.held != event.was_held:
        came_to = "completed" if event.held else "missed"
        yield recast(Session, event, id=event.session_id, state=came_to)
    elif session is not None and session.attempt == event.attempt:
        yield session.model_copy(update={"presumed": False})
    if event.held:
        more = {"completed": event.completed, "stalled": False}
        yield from _pair_after(state, event, waits=False, **more)
    elif (pair := state.get(Pair, event.cohort_id, event.pair_id)) is not None:
        yield pair.model_copy(update={"completed": event.completed})


# --- rounds and letters -----------------------------------------------------------------------


def _round_requested(_: State, event: RoundRequested) -> Iterable[Change]:
    yield recast(Round, event, id=event.round_id, state="requested")


def _round_ended(state: State, event: RoundCompleted | RoundSimulated) -> Iterable[Change]:
    known = state.get(Round, event.cohort_id, event.round_id)
    at = known.requested_at if known else None
    ended, mode = ("completed", "publish") if isinstance(event, RoundCompleted) else _SIMULATED
    yield recast(Round, event, id=event.round_id, state=ended, mode=mode, requested_at=at)


_SIMULATED = ("simulated", "simulate")


def _pairs_simulated(_: State, event: PairsSimulated) -> Iterable[Change]:
    yield recast(Simulation, event, id=f"{event.round_id}.{event.part}")


def _letter_failed(_: State, event: LetterFailed) -> Iterable[Change]:
    yield recast(FailedLetter, event, id=event.letter_id)


def _letter_tried_again(state: State, event: LetterDeferred) -> Iterable[Change]:
    letter = state.get(FailedLetter, event.cohort_id, event.letter_id)
    if letter is not None:
        yield Gone(letter)


EVOLUTION: Evolution = {
    **MEETINGS,
    CohortOpened: _cohort_opened,
    CohortMeasured: _measured,
    RolloutRecommended: _judged,
    RolloutWithheld: _judged,
    PersonContact: _contact,
    PersonErased: _erased,
    MentorVolunteered: _mentor_volunteered,
    MentorPaused: _mentor_changed,
    MentorResumed: _mentor_changed,
    MentorWithdrew: _mentor_changed,
    ManagerEnrolled: _manager_enrolled,
    ManagerWaitlisted: _manager_waitlisted,
    ManagerWithdrew: _manager_withdrew,
    AvailabilityChanged: _availability_changed,
    PairProposed: _pair_proposed,
    ProposalAccepted: _proposal_accepted,
    ProposalDeclined: _proposal_ended,
    ProposalExpired: _proposal_ended,
    PairFormed: _pair_formed,
    PairDissolved: _pair_ended,
    PairGraduated: _pair_ended,
    GraduationWithdrawn: _goes_on,
    PairStalled: _pair_stalled,
    PlanningPostponed: _planning_postponed,
    SessionPlanned: _session_planned,
    SessionRescheduled: _session_moved,
    SessionShifted: _session_moved,
    SessionPostponed: _session_postponed,
    SessionMoveProposed: _move_proposed,
    SessionMoveAccepted: _move_answered,
    SessionMoveDeclined: _move_answered,
    SessionConfirmed: _session_confirmed,
    SessionCancelled: _session_ended,
    SessionMissed: _session_ended,
    SessionWithdrawn: _session_ended,
    SessionCompleted: _session_completed,
    SessionDisputed: _session_disputed,
    AttendanceCorrected: _attendance_corrected,
    RoundRequested: _round_requested,
    RoundCompleted: _round_ended,
    RoundSimulated: _round_ended,
    PairsSimulated: _pairs_simulated,
    LetterFailed: _letter_failed,
    LetterDeferred: _letter_tried_again,
}
"""Event, or record of the people topic, to the documents that it changes."""
