"""How matching's documents follow from its events. A fold: no time, no rules, no I/O."""

from collections.abc import Iterable
from typing import assert_never

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
from services.chassis.domain import Change, D, State
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


def evolve(state: State, event: Message) -> Iterable[Change]:
    """The documents that an event changes."""
    cohort_id = event.cohort_id
    match event:
        case CohortOpened():
            yield Cohort(id=cohort_id, cohort_id=cohort_id, name=event.name, policy=event.policy)
        case MentorVolunteered():
            yield recast(Mentor, event, id=event.mentor_id)
        case ManagerEnrolled():
            yield recast(Manager, event, id=event.manager_id)
        case MentorPaused() | MentorWithdrew():
            mentor = _the(state, Mentor, cohort_id, event.mentor_id)
            new = "paused" if isinstance(event, MentorPaused) else "withdrawn"
            yield mentor.model_copy(update={"state": new})
        case MentorResumed():
            mentor = _the(state, Mentor, cohort_id, event.mentor_id)
            yield _engaged(mentor.model_copy(update={"state": "available"}), mentor.engaged)
        case ManagerWithdrew():
            manager = _the(state, Manager, cohort_id, event.manager_id)
            yield manager.model_copy(update={"state": "withdrawn"})
        case AvailabilityChanged():
            for kind in (Mentor, Manager):
                person = state.get(kind, cohort_id, event.person_id)
                if person is not None:
                    yield person.model_copy(update={"availability": event.availability})
        case RoundRequested() | RoundCompleted() | RoundSimulated():
            yield _round(event)
        case PairsSimulated():
            yield recast(Simulation, event, id=f"{event.round_id}.{event.part}")
        case ManagerWaitlisted():
            manager = _the(state, Manager, cohort_id, event.manager_id)
            yield manager.model_copy(update={"waiting": event.waiting})
        case PairChosenByHand() | PairKeptApart():
            made = "proposed" if isinstance(event, PairChosenByHand) else "kept_apart"
            yield recast(Override, event, id=event.pair_id, decision=made)
        case PairEvent():
            yield from _pair(state, event)


def _round(event: RoundRequested | RoundCompleted | RoundSimulated) -> Round:
    match event:
        case RoundRequested():
            due = event.requested_at
            return recast(Round, event, id=event.round_id, state="requested", due_at=due)
        case RoundCompleted():
            return recast(Round, event, id=event.round_id, state="completed", mode="publish")
        case RoundSimulated():
            return recast(Round, event, id=event.round_id, state="simulated", mode="simulate")
        case _:
            assert_never(event)


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


def _engaged(mentor: Mentor, pairs: tuple[str, ...]) -> Mentor:
    state = mentor.state
    if state in ("available", "engaged"):
        state = "engaged" if len(pairs) >= mentor.capacity else "available"
    return mentor.model_copy(update={"engaged": pairs, "state": state})


def _the(state: State, kind: type[D], cohort_id: str, id: str) -> D:
    document = state.get(kind, cohort_id, id)
    assert document is not None, f"no {kind.__name__} {id}: its first event is missing"
    return document
