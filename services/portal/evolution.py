"""How the portal's documents follow from what it learned. A fold: no time, no rules, no I/O.

What concerns one person alone is in `participants.py`.
"""

from collections.abc import Iterable

from schemas.attention import AttentionEvent, AttentionSettled, AttentionWanted
from schemas.base import PairEvent, recast, session_of
from schemas.cohorts import CohortClosed, PolicyChanged
from schemas.community import CommunityTold
from schemas.feedback import CohortMeasured, RolloutRecommended, RolloutWithheld
from schemas.matching import (
    CohortOpened,
    PairDissolved,
    PairFormed,
    PairProposed,
    ProposalAccepted,
    ProposalDeclined,
    ProposalExpired,
)
from schemas.meeting import MeetingPlaceSet
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
from schemas.taking_part import AnotherPartnerAsked, PartnerKept
from services.chassis.domain import Change, Evolution, Gone, State
from services.portal.evolution_of_letters import EVOLUTION_OF_LETTERS
from services.portal.evolution_of_roles import ROLES
from services.portal.evolution_of_rounds import ROUNDS
from services.portal.evolution_of_sheets import SHEETS
from services.portal.participants import EVOLUTION_OF_PEOPLE, participant
from services.portal.views import (
    Asked,
    Cohort,
    Dispute,
    Figures,
    Pair,
    Proposal,
    Session,
    dispute_of,
    week_of,
)

OFTEN = 3
"""Missed sessions of a pair after which a coordinator should speak with it."""

# --- cohorts ----------------------------------------------------------------------------------


def _cohort_opened(_: State, event: CohortOpened) -> Iterable[Change]:
    cohort_id = event.cohort_id
    yield Cohort(id=cohort_id, cohort_id=cohort_id, name=event.name, policy=event.policy)


def _community_told(state: State, event: CommunityTold) -> Iterable[Change]:
    if (cohort := state.get(Cohort, event.cohort_id, event.cohort_id)) is not None:
        yield cohort.model_copy(update={"room": event.room, "meeting": event.meeting})


def _policy_changed(state: State, event: PolicyChanged) -> Iterable[Change]:
    if (cohort := state.get(Cohort, event.cohort_id, event.cohort_id)) is not None:
        yield cohort.model_copy(update={"policy": event.after, "changes": cohort.changes + 1})


def _cohort_closed(state: State, event: CohortClosed) -> Iterable[Change]:
    if (cohort := state.get(Cohort, event.cohort_id, event.cohort_id)) is not None:
        yield cohort.model_copy(update={"closed": True, "kept_until": event.kept_until})


def _measured(state: State, event: CohortMeasured) -> Iterable[Change]:
    if (cohort := state.get(Cohort, event.cohort_id, event.cohort_id)) is not None:
        yield cohort.model_copy(update={"figures": recast(Figures, event)})


def _judged(state: State, event: RolloutRecommended | RolloutWithheld) -> Iterable[Change]:
    if (cohort := state.get(Cohort, event.cohort_id, event.cohort_id)) is not None:
        ready = isinstance(event, RolloutRecommended)
        yield cohort.model_copy(update={"criteria": event.criteria, "ready": ready})


# --- pairs ------------------------------------------------------------------------------------


def _pair_proposed(state: State, event: PairProposed) -> Iterable[Change]:
    order = f"{event.expires_at.isoformat()} {event.pair_id}"
    yield recast(Pair, event, id=event.pair_id, state="proposed", order=order)
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
        nothing = {"stalled": False, "at_risk": False, "undated": (), "without_date": False}
        nothing |= {"asked_another": (), "wants_another": False}
        ended = "graduated" if graduated else "dissolved"
        yield pair.model_copy(update={**nothing, "state": ended})
    yield from _manager_becomes(state, event, "graduated" if graduated else "waiting")


def _place_set(state: State, event: MeetingPlaceSet) -> Iterable[Change]:
    if (pair := _pair(state, event)) is not None:
        yield pair.model_copy(update={"place": event.place})


def _goes_on(state: State, event: GraduationWithdrawn) -> Iterable[Change]:
    if (pair := _pair(state, event)) is not None:
        yield pair.model_copy(update={"state": "formed", "completed": event.completed})
    yield from _manager_becomes(state, event, "paired")


def _pair_stalled(state: State, event: PairStalled) -> Iterable[Change]:
    if (pair := _pair(state, event)) is not None:
        stalled = {"stalled": True, "stalled_since": event.since, "at_risk": False}
        yield pair.model_copy(update=stalled)


def _planning_postponed(state: State, event: PlanningPostponed) -> Iterable[Change]:
    """That a date was found since is told on another topic, which may have been read before."""
    if (pair := _pair(state, event)) is not None and pair.state == "formed":
        attempts = dict(zip(event.numbers, event.attempts, strict=False))  # before, there were none
        undated = tuple(n for n in event.numbers if not _dated(state, event, n, attempts.get(n)))
        yield pair.model_copy(update={"undated": undated, "without_date": bool(undated)})


def _dated(state: State, event: PairEvent, number: int, attempts: int | None) -> bool:
    """Whether a session has had a date since it had been given this many."""
    session = state.get(Session, event.cohort_id, session_of(event.pair_id, number))
    return attempts is not None and session is not None and session.attempt > attempts


def _manager_becomes(state: State, event: PairEvent, became: str) -> Iterable[Change]:
    """Whoever has left stays so: what ends with them ends later."""
    manager = participant(state, event.cohort_id, event.manager_id)
    if manager.manager_state != "withdrawn" and manager.pair_id in (None, event.pair_id):
        free = became == "waiting"
        place = (
            {"pair_id": None}
            if free
            else {"pair_id": event.pair_id, "waiting": None, "waiting_for": None}
        )
        rests = "paused" if free and manager.paused else became
        yield manager.model_copy(update={"manager_state": rests, **place})


def _another_asked(state: State, event: AnotherPartnerAsked) -> Iterable[Change]:
    """That a pair has ended is told on another topic, which may have been read before."""
    if (pair := _pair(state, event)) is not None and pair.state in ("proposed", "formed"):
        asked = (*pair.asked_another, recast(Asked, event))
        yield pair.model_copy(update={"asked_another": asked, "wants_another": True})


def _partner_kept(state: State, event: PartnerKept) -> Iterable[Change]:
    if (pair := _pair(state, event)) is not None:
        asked = tuple(one for one in pair.asked_another if one.by != event.by)
        yield pair.model_copy(update={"asked_another": asked, "wants_another": bool(asked)})


def _pair(state: State, event: PairEvent) -> Pair | None:
    return state.get(Pair, event.cohort_id, event.pair_id)


def _attention(state: State, event: AttentionEvent) -> Iterable[Change]:
    """Of what wants attention the pages find all by themselves but that a word may help a pair."""
    pair = state.get(Pair, event.cohort_id, event.about) if event.kind == "at-risk" else None
    if pair is not None and pair.state == "formed":
        said_already = pair.stalled or pair.often_missed
        wanted = isinstance(event, AttentionWanted) and not said_already
        yield pair.model_copy(update={"at_risk": wanted})


# --- sessions ---------------------------------------------------------------------------------


def _session(event: SessionEvent, state: str) -> Session:
    week = week_of(event.starts_at)
    return recast(Session, event, id=event.session_id, state=state, week=week)


def _session_planned(state: State, event: SessionPlanned) -> Iterable[Change]:
    yield _session(event, "planned")
    yield from _pair_after(state, event, waits=False)


def _session_moved(_: State, event: SessionRescheduled | SessionShifted) -> Iterable[Change]:
    yield _session(event, "planned")


def _session_postponed(state: State, event: SessionPostponed) -> Iterable[Change]:
    yield _session(event, "postponed")
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
    state: State, event: SessionCancelled | SessionMissed | SessionWithdrawn
) -> Iterable[Change]:
    missed = isinstance(event, SessionMissed)
    yield _session(event, "missed" if missed else "cancelled")
    pair = state.get(Pair, event.cohort_id, event.pair_id)
    if missed and pair is not None:
        yield pair.model_copy(update=_misses(pair, 1))


def _misses(pair: Pair, more: int) -> dict[str, object]:
    missed = max(0, pair.missed + more)
    often = pair.state == "formed" and missed >= OFTEN
    told = {"at_risk": False} if often else {}
    return {"missed": missed, "often_missed": often, **told}


def _session_completed(state: State, event: SessionCompleted) -> Iterable[Change]:
    yield _session(event, "completed")
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
        yield _session(event, came_to)
    elif session is not None and session.attempt == event.attempt:
        yield session.model_copy(update={"presumed": False})
    pair = state.get(Pair, event.cohort_id, event.pair_id)
    changed = event.held != event.was_held
    misses = _misses(pair, -1 if event.held else 1) if pair and changed else {}
    if event.held:
        more = {"completed": event.completed, "stalled": False, **misses}
        yield from _pair_after(state, event, waits=False, **more)
    elif pair is not None:
        yield pair.model_copy(update={"completed": event.completed, **misses})


# --- letters ------------------------------------------------------------------------------------


EVOLUTION: Evolution = {
    **ROLES,
    **ROUNDS,
    **SHEETS,
    CohortOpened: _cohort_opened,
    CommunityTold: _community_told,
    PolicyChanged: _policy_changed,
    CohortClosed: _cohort_closed,
    CohortMeasured: _measured,
    RolloutRecommended: _judged,
    RolloutWithheld: _judged,
    **EVOLUTION_OF_PEOPLE,
    PairProposed: _pair_proposed,
    ProposalAccepted: _proposal_accepted,
    ProposalDeclined: _proposal_ended,
    ProposalExpired: _proposal_ended,
    PairFormed: _pair_formed,
    PairDissolved: _pair_ended,
    PairGraduated: _pair_ended,
    GraduationWithdrawn: _goes_on,
    MeetingPlaceSet: _place_set,
    AnotherPartnerAsked: _another_asked,
    PartnerKept: _partner_kept,
    PairStalled: _pair_stalled,
    AttentionWanted: _attention,
    AttentionSettled: _attention,
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
    **EVOLUTION_OF_LETTERS,
}
"""Event, or record of the people topic, to the documents that it changes."""
