"""How matching's documents follow from its events. A fold: no time, no rules, no I/O."""

from collections.abc import Iterable

from schemas.base import Message, PairEvent, recast
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
    PairChosenByHand,
    PairDissolved,
    PairFormed,
    PairKeptApart,
    PairProposed,
    PairsSimulated,
    ProposalAccepted,
    ProposalDeclined,
    ProposalExpired,
    RoundCompleted,
    RoundRequested,
    RoundSimulated,
)
from schemas.scheduling import PairGraduated
from services.chassis.domain import Change, D, Evolution, State
from services.matching.views import (
    Cohort,
    Manager,
    Mentor,
    Override,
    Pair,
    PairState,
    Round,
    Simulation,
)

_ENDS: dict[type[Message], PairState] = {
    ProposalDeclined: "declined",
    ProposalExpired: "expired",
    PairDissolved: "dissolved",
    PairGraduated: "graduated",
}


def _cohort_opened(_: State, event: CohortOpened) -> Iterable[Change]:
    cohort_id = event.cohort_id
    yield Cohort(id=cohort_id, cohort_id=cohort_id, name=event.name, policy=event.policy)


def _mentor_volunteered(_: State, event: MentorVolunteered) -> Iterable[Change]:
    yield recast(Mentor, event, id=event.mentor_id)


def _mentor_paused(state: State, event: MentorPaused) -> Iterable[Change]:
    mentor = _the(state, Mentor, event.cohort_id, event.mentor_id)
    yield mentor.model_copy(update={"state": "paused"})


def _mentor_resumed(state: State, event: MentorResumed) -> Iterable[Change]:
    mentor = _the(state, Mentor, event.cohort_id, event.mentor_id)
    yield _engaged(mentor.model_copy(update={"state": "available"}), mentor.engaged)


def _mentor_withdrew(state: State, event: MentorWithdrew) -> Iterable[Change]:
    mentor = _the(state, Mentor, event.cohort_id, event.mentor_id)
    yield mentor.model_copy(update={"state": "withdrawn"})


def _manager_enrolled(_: State, event: ManagerEnrolled) -> Iterable[Change]:
    yield recast(Manager, event, id=event.manager_id)


def _manager_waitlisted(state: State, event: ManagerWaitlisted) -> Iterable[Change]:
    manager = _the(state, Manager, event.cohort_id, event.manager_id)
    yield manager.model_copy(update={"waiting": event.waiting})


def _manager_withdrew(state: State, event: ManagerWithdrew) -> Iterable[Change]:
    manager = _the(state, Manager, event.cohort_id, event.manager_id)
    yield manager.model_copy(update={"state": "withdrawn"})


def _availability_changed(state: State, event: AvailabilityChanged) -> Iterable[Change]:
    for kind in (Mentor, Manager):
        person = state.get(kind, event.cohort_id, event.person_id)
        if person is not None:
            yield person.model_copy(update={"availability": event.availability})


def _chosen_by_hand(_: State, event: PairChosenByHand) -> Iterable[Change]:
    yield recast(Override, event, id=event.pair_id, decision="proposed")


def _kept_apart(_: State, event: PairKeptApart) -> Iterable[Change]:
    yield recast(Override, event, id=event.pair_id, decision="kept_apart")


def _round_requested(_: State, event: RoundRequested) -> Iterable[Change]:
    due = event.requested_at
    yield recast(Round, event, id=event.round_id, state="requested", due_at=due)


def _round_completed(_: State, event: RoundCompleted) -> Iterable[Change]:
    yield recast(Round, event, id=event.round_id, state="completed", mode="publish")


def _round_simulated(_: State, event: RoundSimulated) -> Iterable[Change]:
    yield recast(Round, event, id=event.round_id, state="simulated", mode="simulate")


def _pairs_simulated(_: State, event: PairsSimulated) -> Iterable[Change]:
    yield recast(Simulation, event, id=f"{event.round_id}.{event.part}")


def _pair(state: State, event: PairEvent) -> Iterable[Change]:
    mentor = _the(state, Mentor, event.cohort_id, event.mentor_id)
    manager = _the(state, Manager, event.cohort_id, event.manager_id)
    if isinstance(event, PairProposed):
        yield Pair(
            id=event.pair_id,
            cohort_id=event.cohort_id,
            due_at=event.expires_at,
            mentor_id=event.mentor_id,
            manager_id=event.manager_id,
            round_id=event.round_id,
            state="proposed",
            score=event.score,
            reasons=event.reasons,
            tools=event.tools,
            first_tools=event.first_tools,
        )
        yield _engaged(mentor, (*mentor.engaged, event.pair_id))
        asked = {"state": "proposed", "pair_id": event.pair_id, "waiting": None}
        yield manager.model_copy(update=asked)
        round_ = state.get(Round, event.cohort_id, event.round_id)
        if round_ is not None:  # none by hand, nor in the oldest records
            total = round(round_.score + event.score, 4)
            yield round_.model_copy(update={"proposed": round_.proposed + 1, "score": total})
        return
    pair = _the(state, Pair, event.cohort_id, event.pair_id)
    if isinstance(event, ProposalAccepted):
        yield pair.model_copy(update={"accepted": (*pair.accepted, event.by)})
    elif isinstance(event, PairFormed):
        yield pair.model_copy(update={"state": "formed", "due_at": None})
        yield manager.model_copy(update={"state": "paired"})
    elif type(event) in _ENDS and pair.state in ("proposed", "formed"):
        # A pair that was dissolved here while its last session was reported there stays dissolved.
        yield pair.model_copy(update={"state": _ENDS[type(event)], "due_at": None})
        yield _engaged(mentor, tuple(p for p in mentor.engaged if p != event.pair_id))
        if manager.state != "withdrawn":
            graduated = isinstance(event, PairGraduated)
            new = "graduated" if graduated else "waiting"
            kept = event.pair_id if graduated else None
            yield manager.model_copy(update={"state": new, "pair_id": kept})
        else:
            yield manager.model_copy(update={"pair_id": None})


EVOLUTION: Evolution = {
    CohortOpened: _cohort_opened,
    MentorVolunteered: _mentor_volunteered,
    MentorPaused: _mentor_paused,
    MentorResumed: _mentor_resumed,
    MentorWithdrew: _mentor_withdrew,
    ManagerEnrolled: _manager_enrolled,
    ManagerWaitlisted: _manager_waitlisted,
    ManagerWithdrew: _manager_withdrew,
    AvailabilityChanged: _availability_changed,
    PairChosenByHand: _chosen_by_hand,
    PairKeptApart: _kept_apart,
    RoundRequested: _round_requested,
    RoundCompleted: _round_completed,
    RoundSimulated: _round_simulated,
    PairsSimulated: _pairs_simulated,
    PairProposed: _pair,
    ProposalAccepted: _pair,
    ProposalDeclined: _pair,
    ProposalExpired: _pair,
    PairFormed: _pair,
    PairDissolved: _pair,
    PairGraduated: _pair,
}
"""Event to the documents that it changes."""


def _engaged(mentor: Mentor, pairs: tuple[str, ...]) -> Mentor:
    state = mentor.state
    if state in ("available", "engaged"):
        state = "engaged" if len(pairs) >= mentor.capacity else "available"
    return mentor.model_copy(update={"engaged": pairs, "state": state})


def _the(state: State, kind: type[D], cohort_id: str, id: str) -> D:
    document = state.get(kind, cohort_id, id)
    assert document is not None, f"no {kind.__name__} {id}: its first event is missing"
    return document
