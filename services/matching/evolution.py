"""How matching's documents follow from its events. A fold: no time, no rules, no I/O."""

from collections.abc import Iterable

from schemas.base import Message, recast
from schemas.events import (
    AvailabilityChanged,
    CohortOpened,
    ManagerEnrolled,
    ManagerWithdrew,
    MentorPaused,
    MentorResumed,
    MentorVolunteered,
    MentorWithdrew,
    PairDissolved,
    PairEvent,
    PairFormed,
    PairGraduated,
    PairProposed,
    ProposalAccepted,
    ProposalDeclined,
    ProposalExpired,
    RoundCompleted,
)
from services.chassis.domain import Change, D, State
from services.matching.views import Cohort, Manager, Mentor, Pair, PairState, Round

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
        case RoundCompleted():
            yield recast(Round, event, id=event.round_id)
        case PairEvent():
            yield from _pair(state, event)


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
        )
        yield _engaged(mentor, (*mentor.engaged, event.pair_id))
        yield manager.model_copy(update={"state": "proposed", "pair_id": event.pair_id})
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
