"""How matching's documents follow from its events. A fold: no time, no rules, no I/O."""

from collections.abc import Iterable
from datetime import timedelta

from schemas.base import PairEvent, recast
from schemas.cohorts import CohortClosed, PolicyChanged, RetentionEnded
from schemas.community import CommunityTold, DirectoryChanged
from schemas.lines import LineManagerNamed
from schemas.links import LinksRevoked
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
    ProposalAccepted,
    ProposalDeclined,
    ProposalExpired,
    RoundCompleted,
)
from schemas.retention import TOLD_DAYS
from schemas.rounds import (
    PairsSimulated,
    RoundCalledOff,
    RoundRequested,
    RoundSimulated,
)
from schemas.scheduling import GraduationWithdrawn, PairGraduated
from schemas.sheets import SheetTakenBack, SheetWritten
from schemas.taking_part import (
    AnotherPartnerAsked,
    ManagerChanged,
    ManagerPaused,
    ManagerResumed,
    ManagerReturned,
    MentorChanged,
    MentorReturned,
    PartnerKept,
)
from services.chassis.documents import links_revoked
from services.chassis.domain import Change, D, Evolution, State
from services.matching.couple import couple_of, engaged
from services.matching.views import (
    Cohort,
    Line,
    Manager,
    Mentor,
    Override,
    Pair,
    Round,
    Sheet,
    Simulation,
)


def _cohort_opened(_: State, event: CohortOpened) -> Iterable[Change]:
    cohort_id = event.cohort_id
    yield Cohort(id=cohort_id, cohort_id=cohort_id, name=event.name, policy=event.policy)


def _policy_changed(state: State, event: PolicyChanged) -> Iterable[Change]:
    cohort = _the(state, Cohort, event.cohort_id, event.cohort_id)
    yield cohort.model_copy(update={"policy": event.after})


def _cohort_closed(state: State, event: CohortClosed) -> Iterable[Change]:
    cohort = _the(state, Cohort, event.cohort_id, event.cohort_id)
    until = event.kept_until
    due = None if until is None else until - timedelta(days=TOLD_DAYS)
    told = {"closed_at": event.closed_at, "kept_until": until, "due_at": due}
    yield cohort.model_copy(update={"closed": True, **told})


def _retention_ended(state: State, event: RetentionEnded) -> Iterable[Change]:
    cohort = _the(state, Cohort, event.cohort_id, event.cohort_id)
    yield cohort.model_copy(update={"due_at": event.next_at, "over": event.next_at is None})


def _mentor_volunteered(_: State, event: MentorVolunteered) -> Iterable[Change]:
    yield recast(Mentor, event, id=event.mentor_id)


def _mentor_paused(state: State, event: MentorPaused) -> Iterable[Change]:
    mentor = _the(state, Mentor, event.cohort_id, event.mentor_id)
    yield mentor.model_copy(update={"state": "paused"})


def _mentor_resumed(state: State, event: MentorResumed) -> Iterable[Change]:
    mentor = _the(state, Mentor, event.cohort_id, event.mentor_id)
    yield engaged(mentor.model_copy(update={"state": "available"}), mentor.engaged)


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


def _mentor_changed(state: State, event: MentorChanged) -> Iterable[Change]:
    mentor = _the(state, Mentor, event.cohort_id, event.mentor_id)
    yield engaged(_saying(mentor, event), mentor.engaged)


def _mentor_returned(state: State, event: MentorReturned) -> Iterable[Change]:
    mentor = _the(state, Mentor, event.cohort_id, event.mentor_id)
    back = mentor.model_copy(update={"state": "available", "returns": event.again})
    yield engaged(back, mentor.engaged)


def _manager_changed(state: State, event: ManagerChanged) -> Iterable[Change]:
    yield _saying(_the(state, Manager, event.cohort_id, event.manager_id), event)


def _manager_paused(state: State, event: ManagerPaused | ManagerResumed) -> Iterable[Change]:
    manager = _the(state, Manager, event.cohort_id, event.manager_id)
    now = manager.model_copy(update={"paused": isinstance(event, ManagerPaused)})
    yield now.free() if manager.state in ("waiting", "paused") else now


def _manager_returned(state: State, event: ManagerReturned) -> Iterable[Change]:
    manager = _the(state, Manager, event.cohort_id, event.manager_id)
    anew = {"paused": False, "waiting": None}
    told = {"returns": event.again, "enrolled_at": event.enrolled_at}
    yield manager.model_copy(update={**anew, **told}).free()


def _saying(person: D, event: MentorChanged | ManagerChanged) -> D:
    """The person with what they say now."""
    said = {
        name: value for name, value in event.__dict__.items() if name in type(person).model_fields
    }
    return person.model_copy(update=said)


def _another_asked(state: State, event: AnotherPartnerAsked) -> Iterable[Change]:
    pair = _the(state, Pair, event.cohort_id, event.pair_id)
    yield pair.model_copy(update={"asked_another": (*pair.asked_another, event.by)})


def _partner_kept(state: State, event: PartnerKept) -> Iterable[Change]:
    pair = _the(state, Pair, event.cohort_id, event.pair_id)
    others = tuple(side for side in pair.asked_another if side != event.by)
    yield pair.model_copy(update={"asked_another": others})


def _directory_changed(state: State, event: DirectoryChanged) -> Iterable[Change]:
    mentor = _the(state, Mentor, event.cohort_id, event.mentor_id)
    yield mentor.model_copy(update={"listed": event.listed})


def _community_told(state: State, event: CommunityTold) -> Iterable[Change]:
    cohort = _the(state, Cohort, event.cohort_id, event.cohort_id)
    yield cohort.model_copy(update={"room": event.room, "meeting": event.meeting})


def _sheet_written(_: State, event: SheetWritten) -> Iterable[Change]:
    yield recast(Sheet, event, id=event.sheet_id)


def _sheet_taken_back(state: State, event: SheetTakenBack) -> Iterable[Change]:
    sheet = _the(state, Sheet, event.cohort_id, event.sheet_id)
    yield sheet.model_copy(update={"edition": event.edition, "taken_back": True})


def _availability_changed(state: State, event: AvailabilityChanged) -> Iterable[Change]:
    for kind in (Mentor, Manager):
        person = state.get(kind, event.cohort_id, event.person_id)
        if person is not None:
            yield person.model_copy(update={"availability": event.availability})


def _chosen_by_hand(_: State, event: PairChosenByHand) -> Iterable[Change]:
    yield recast(Override, event, id=event.pair_id, decision="proposed")


def _kept_apart(_: State, event: PairKeptApart) -> Iterable[Change]:
    yield recast(Override, event, id=event.pair_id, decision="kept_apart")


def _line_manager_named(_: State, event: LineManagerNamed) -> Iterable[Change]:
    yield recast(Line, event, id=event.person_id)


def _round_requested(_: State, event: RoundRequested) -> Iterable[Change]:
    due = event.begins_at or event.requested_at
    yield recast(Round, event, id=event.round_id, state="requested", due_at=due)


def _round_called_off(state: State, event: RoundCalledOff) -> Iterable[Change]:
    round_ = _the(state, Round, event.cohort_id, event.round_id)
    yield round_.model_copy(update={"state": "called-off", "due_at": None})


def _round_ended(state: State, event: RoundCompleted | RoundSimulated) -> Iterable[Change]:
    known = state.get(Round, event.cohort_id, event.round_id)  # none in the oldest records
    simulated = isinstance(event, RoundSimulated)
    became = ("simulated", "simulate") if simulated else ("completed", "publish")
    besides = known.besides if known else ()
    ended = dict(zip(("state", "mode"), became, strict=True))
    yield recast(Round, event, id=event.round_id, besides=besides, **ended)


def _pairs_simulated(_: State, event: PairsSimulated) -> Iterable[Change]:
    yield recast(Simulation, event, id=f"{event.round_id}.{event.part}")


def _pair_proposed(state: State, event: PairProposed) -> Iterable[Change]:
    yield from _pair_changed(state, event)
    round_ = state.get(Round, event.cohort_id, event.round_id)
    if round_ is not None:  # none by hand, nor in the oldest records
        total = round(round_.score + event.score, 4)
        yield round_.model_copy(update={"proposed": round_.proposed + 1, "score": total})


def _pair_changed(state: State, event: PairEvent) -> Iterable[Change]:
    before = couple_of(state, event.cohort_id, event.pair_id)
    if before is None:
        raise LookupError(f"{type(event).__name__} of unknown people {event.pair_id}")
    after = before.after(event)
    if after.pair is not None and after.pair is not before.pair:
        yield after.pair
    if after.mentor is not before.mentor:
        yield after.mentor
    if after.manager is not before.manager:
        yield after.manager


EVOLUTION: Evolution = {
    CohortOpened: _cohort_opened,
    PolicyChanged: _policy_changed,
    CohortClosed: _cohort_closed,
    RetentionEnded: _retention_ended,
    MentorVolunteered: _mentor_volunteered,
    MentorPaused: _mentor_paused,
    MentorResumed: _mentor_resumed,
    MentorWithdrew: _mentor_withdrew,
    ManagerEnrolled: _manager_enrolled,
    ManagerWaitlisted: _manager_waitlisted,
    ManagerWithdrew: _manager_withdrew,
    MentorChanged: _mentor_changed,
    MentorReturned: _mentor_returned,
    ManagerChanged: _manager_changed,
    ManagerPaused: _manager_paused,
    ManagerResumed: _manager_paused,
    ManagerReturned: _manager_returned,
    AnotherPartnerAsked: _another_asked,
    PartnerKept: _partner_kept,
    DirectoryChanged: _directory_changed,
    CommunityTold: _community_told,
    SheetWritten: _sheet_written,
    SheetTakenBack: _sheet_taken_back,
    AvailabilityChanged: _availability_changed,
    PairChosenByHand: _chosen_by_hand,
    PairKeptApart: _kept_apart,
    LineManagerNamed: _line_manager_named,
    LinksRevoked: links_revoked,
    RoundRequested: _round_requested,
    RoundCalledOff: _round_called_off,
    RoundCompleted: _round_ended,
    RoundSimulated: _round_ended,
    PairsSimulated: _pairs_simulated,
    PairProposed: _pair_proposed,
    ProposalAccepted: _pair_changed,
    ProposalDeclined: _pair_changed,
    ProposalExpired: _pair_changed,
    PairFormed: _pair_changed,
    PairDissolved: _pair_changed,
    PairGraduated: _pair_changed,
    GraduationWithdrawn: _pair_changed,
}
"""Event to the documents that it changes."""


def _the(state: State, kind: type[D], cohort_id: str, id: str) -> D:
    document = state.get(kind, cohort_id, id)
    assert document is not None, f"no {kind.__name__} {id}: its first event is missing"
    return document
