"""Which message leads to which decision. Translation only."""

from collections.abc import Callable, Iterable
from datetime import datetime
from typing import Any

from schemas.base import Event, Message, PairEvent, pair_of, people_of
from schemas.cohorts import ChangePolicy, CloseCohort
from schemas.community import StandInDirectory
from schemas.lines import NameLineManager
from schemas.links import LinksRevoked, RevokeLinks
from schemas.matching import (
    AcceptProposal,
    AvailabilityChanged,
    ChangeAvailability,
    DeclineProposal,
    DissolvePair,
    EnrolManager,
    KeepApart,
    OpenCohort,
    PairProposed,
    PauseMentor,
    ProposePair,
    ResumeMentor,
    RoundEvent,
    RunRound,
    VolunteerAsMentor,
    WithdrawManager,
    WithdrawMentor,
)
from schemas.rounds import CallOffRound
from schemas.scheduling import GraduationWithdrawn, PairGraduated
from schemas.sheets import SheetEvent, TakeSheetBack, WriteSheet
from schemas.taking_part import (
    AskForAnotherPartner,
    KeepPartner,
    ReturnManager,
    ReturnMentor,
)
from services.chassis.documents import RevokedLinks
from services.chassis.domain import Columns, Decision, Domain, Due, Handlers, Need, One, State
from services.matching import (
    cohorts,
    community,
    lines,
    overrides,
    pairs,
    people,
    rounds,
    taking_part,
)
from services.matching.couple import Couple, couple_of, line_in, standing_in
from services.matching.evolution import EVOLUTION
from services.matching.handlers_of_community import COMMUNITY, needs_of_sheet
from services.matching.handlers_of_taking_part import TAKING_PART
from services.matching.messages import PairsFound, PlacesFound, SearchEnded, SearchReport
from services.matching.views import (
    MEASURES,
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

Handler = Callable[[State, Any, datetime], Decision]


def needs(message: Message) -> Iterable[Need]:
    """What a message will touch."""
    cohort_id = message.cohort_id
    match message:
        case RunRound() | CallOffRound() | RoundEvent() | SearchReport():
            yield One(Cohort, cohort_id, cohort_id)
            yield One(Round, cohort_id, message.round_id)
            yield from _needs_of_search(cohort_id, message)
        case ProposePair() | KeepApart():
            yield One(Cohort, cohort_id, cohort_id)
            yield One(Override, cohort_id, message.pair_id)
            yield from _needs_of_pair(cohort_id, message.pair_id)
        case PairProposed():
            yield One(Round, cohort_id, message.round_id)
            yield from _needs_of_pair(cohort_id, message.pair_id)
        case AskForAnotherPartner() | KeepPartner():
            yield One(Pair, cohort_id, message.pair_id)
        case AcceptProposal() | DeclineProposal() | DissolvePair() | PairEvent():
            yield from _needs_of_pair(cohort_id, message.pair_id)
        case Due() if message.collection == Cohort.collection:
            yield One(Cohort, cohort_id, cohort_id)
            yield from standing_in(cohort_id)
        case Due():
            yield from _needs_of_pair(cohort_id, message.id)
        case WriteSheet() | TakeSheetBack() | SheetEvent():
            yield from needs_of_sheet(message)
        case NameLineManager():
            yield One(Cohort, cohort_id, cohort_id)
            yield One(Line, cohort_id, message.person_id)
        case ChangeAvailability() | AvailabilityChanged() | RevokeLinks() | LinksRevoked():
            if isinstance(message, RevokeLinks | LinksRevoked):
                yield One(RevokedLinks, cohort_id, message.person_id)
            yield One(Mentor, cohort_id, message.person_id)
            yield One(Manager, cohort_id, message.person_id)
        case _:
            yield One(Cohort, cohort_id, cohort_id)
            for field, kind in (("mentor_id", Mentor), ("manager_id", Manager)):
                if (person := getattr(message, field, None)) is not None:
                    yield One(kind, cohort_id, person)


def _needs_of_search(cohort_id: str, message: Message) -> Iterable[Need]:
    match message:
        case PairsFound():
            yield One(Simulation, cohort_id, f"{message.round_id}.{message.part}")
            for mentor_id, manager_id in message.pairs:
                yield One(Override, cohort_id, pair_of(mentor_id, manager_id))
                yield from _needs_of_pair(cohort_id, pair_of(mentor_id, manager_id))
        case PlacesFound():
            yield One(Simulation, cohort_id, f"{message.round_id}.{message.part}")
            for manager_id, _ in message.waiting:
                yield One(Manager, cohort_id, manager_id)
        case SearchEnded():
            yield _still_waiting(cohort_id)
            yield _still_free(cohort_id)


def _still_waiting(cohort_id: str) -> Columns:
    return Columns(Manager, cohort_id, (), (("state", "waiting"),))


def _still_free(cohort_id: str) -> Columns:
    return Columns(Mentor, cohort_id, ("capacity", "engaged"), (("state", "available"),))


def _needs_of_pair(cohort_id: str, pair_id: str) -> Iterable[Need]:
    mentor_id, manager_id = people_of(pair_id)
    yield One(Pair, cohort_id, pair_id)
    yield One(Mentor, cohort_id, mentor_id)
    yield One(Manager, cohort_id, manager_id)


def _open_cohort(state: State, command: OpenCohort, _: datetime) -> Decision:
    return people.open_cohort(_cohort(state, command), command)


def _change_policy(state: State, command: ChangePolicy, _: datetime) -> Decision:
    return cohorts.change_policy(_cohort(state, command), command)


def _close_cohort(state: State, command: CloseCohort, now: datetime) -> Decision:
    return cohorts.close(_cohort(state, command), command, now)


def _unless_closed(
    decide: Callable[[State, Any, datetime], Decision],
) -> Callable[[State, Message, datetime], Decision]:
    """Of a cohort that is closed, nobody joins and no round is asked for."""

    def decided(state: State, command: Message, now: datetime) -> Decision:
        cohort = _cohort(state, command)
        if cohort is not None and cohort.closed:
            return cohorts.closed(cohort.id)
        return decide(state, command, now)

    return decided


def _of_mentor(decide: Callable[[Mentor | None, Any], Decision]) -> Handler:
    return lambda state, command, _: decide(_mentor(state, command, command.mentor_id), command)


def _of_pair(decide: Callable[[Pair | None, Any], Decision]) -> Handler:
    return lambda state, command, _: decide(_pair(state, command, command.pair_id), command)


def _volunteer(state: State, command: VolunteerAsMentor, _: datetime) -> Decision:
    return people.volunteer(
        _cohort(state, command), _mentor(state, command, command.mentor_id), command
    )


def _enrol(state: State, command: EnrolManager, now: datetime) -> Decision:
    return people.enrol(
        _cohort(state, command), _manager(state, command, command.manager_id), command, now
    )


def _resume(state: State, command: ResumeMentor, _: datetime) -> Decision:
    return people.resume(_mentor(state, command, command.mentor_id), command.mentor_id)


def _return_manager(state: State, command: ReturnManager, now: datetime) -> Decision:
    return taking_part.return_manager(_manager(state, command, command.manager_id), command, now)


def _change_availability(state: State, command: ChangeAvailability, _: datetime) -> Decision:
    mentor = _mentor(state, command, command.person_id)
    manager = _manager(state, command, command.person_id)
    return people.change_availability(mentor, manager, command)


def _withdraw_mentor(state: State, command: WithdrawMentor, _: datetime) -> Decision:
    mentor = _mentor(state, command, command.mentor_id)
    engaged = [_pair(state, command, pair_id) for pair_id in (mentor.engaged if mentor else ())]
    return people.withdraw_mentor(mentor, [pair for pair in engaged if pair], command)


def _withdraw_manager(state: State, command: WithdrawManager, _: datetime) -> Decision:
    manager = _manager(state, command, command.manager_id)
    standing = manager is not None and manager.state in ("proposed", "paired")
    pair = _pair(state, command, manager.pair_id) if manager and standing else None
    return people.withdraw_manager(manager, pair, command)


def _run_round(state: State, command: RunRound, now: datetime) -> Decision:
    past = state.get(Round, command.cohort_id, command.round_id)
    return rounds.request(_cohort(state, command), past, command, now)


def _call_off(state: State, command: CallOffRound, now: datetime) -> Decision:
    return rounds.call_off(state.get(Round, command.cohort_id, command.round_id), command, now)


def _accept(state: State, command: AcceptProposal, now: datetime) -> Decision:
    return pairs.accept(couple_of(state, command.cohort_id, command.pair_id), command, now)


def _decline(state: State, command: DeclineProposal, now: datetime) -> Decision:
    return pairs.decline(couple_of(state, command.cohort_id, command.pair_id), command, now)


def _due(state: State, due: Due, now: datetime) -> Decision:
    if due.collection != Cohort.collection:
        return pairs.expire(_pair(state, due, due.id), now)
    ids = [row[0] for need in standing_in(due.cohort_id) for row in state.columns(need)]
    standing = [_pair(state, due, pair_id) for pair_id in ids[: cohorts.ENDED_AT_ONCE]]
    return cohorts.end_retention(_cohort(state, due), standing, len(ids), now)


def _graduate(state: State, event: PairGraduated, _: datetime) -> Decision:
    return pairs.graduate(couple_of(state, event.cohort_id, event.pair_id), event)


def _reopen(state: State, event: GraduationWithdrawn, _: datetime) -> Decision:
    return pairs.reopen(couple_of(state, event.cohort_id, event.pair_id), event)


def _pairs_found(state: State, report: PairsFound, now: datetime) -> Decision:
    requested = _requested(state, report)
    if requested is None:
        return []
    cohort, round_ = requested
    shown = state.get(Simulation, report.cohort_id, f"{round_.id}.{report.part}")
    couples = [] if cohort.closed else list(_couples(state, round_, report))
    return rounds.propose(cohort, round_, couples, shown, report, now)


def _places_found(state: State, report: PlacesFound, _: datetime) -> Decision:
    requested = _requested(state, report)
    if requested is None:
        return []
    shown = state.get(Simulation, report.cohort_id, f"{report.round_id}.{report.part}")
    known = [(_manager(state, report, who), place) for who, place in report.waiting]
    waiting = [(who, place) for who, place in known if who is not None]
    return rounds.tell_places(requested[1], shown, report.part, waiting)


def _search_ended(state: State, report: SearchEnded, _: datetime) -> Decision:
    requested = _requested(state, report)
    if requested is None:
        return []
    waiting = len(state.columns(_still_waiting(report.cohort_id)))
    free = state.columns(_still_free(report.cohort_id))
    places = sum(capacity - len(engaged) for capacity, engaged in free)
    return rounds.complete(requested[1], waiting, places, report)


def _requested(state: State, report: SearchReport) -> tuple[Cohort, Round] | None:
    """The round that a search is for; None if somebody else has ended it."""
    cohort, round_ = _cohort(state, report), state.get(Round, report.cohort_id, report.round_id)
    if cohort is None or round_ is None or round_.state != "requested":
        return None
    return cohort, round_


def _couples(state: State, round_: Round, report: PairsFound) -> Iterable[Couple]:
    """The two people of every pair that has not been one, and is not ruled out."""
    for mentor_id, manager_id in report.pairs:
        pair_id = pair_of(mentor_id, manager_id)
        couple = couple_of(state, report.cohort_id, pair_id)
        override = state.get(Override, report.cohort_id, pair_id)
        apart = override is not None and override.decision == "kept_apart"
        ruled_out = apart or pair_id in round_.besides
        if couple is not None and couple.pair is None and not ruled_out:
            yield couple


def _name_line_manager(state: State, command: NameLineManager, _: datetime) -> Decision:
    known = state.get(Line, command.cohort_id, command.person_id)
    return lines.name(_cohort(state, command), known, command)


def _propose_pair(state: State, command: ProposePair, now: datetime) -> Decision:
    line_of = line_in(state, command.cohort_id)
    cohort, named = _cohort(state, command), _named(state, command, command.pair_id)
    return overrides.propose(cohort, *named, line_of, command, now)


def _keep_apart(state: State, command: KeepApart, _: datetime) -> Decision:
    return overrides.keep_apart(*_named(state, command, command.pair_id), command)


def _named(
    state: State, message: Message, pair_id: str
) -> tuple[Mentor | None, Manager | None, Pair | None, Override | None]:
    """Everything that a pair's id names."""
    mentor_id, manager_id = people_of(pair_id)
    return (
        _mentor(state, message, mentor_id),
        _manager(state, message, manager_id),
        _pair(state, message, pair_id),
        state.get(Override, message.cohort_id, pair_id),
    )


HANDLERS: Handlers = {
    OpenCohort: _open_cohort,
    ChangePolicy: _change_policy,
    CloseCohort: _close_cohort,
    VolunteerAsMentor: _unless_closed(_volunteer),
    EnrolManager: _unless_closed(_enrol),
    PauseMentor: _of_mentor(people.pause),
    ResumeMentor: _resume,
    ChangeAvailability: _change_availability,
    NameLineManager: _name_line_manager,
    StandInDirectory: _of_mentor(community.stand_in_directory),
    **COMMUNITY,
    **TAKING_PART,
    ReturnMentor: _unless_closed(_of_mentor(taking_part.return_mentor)),
    ReturnManager: _unless_closed(_return_manager),
    AskForAnotherPartner: _of_pair(pairs.ask_for_another),
    KeepPartner: _of_pair(pairs.keep),
    WithdrawMentor: _withdraw_mentor,
    WithdrawManager: _withdraw_manager,
    RunRound: _unless_closed(_run_round),
    CallOffRound: _call_off,
    PairsFound: _pairs_found,
    PlacesFound: _places_found,
    SearchEnded: _search_ended,
    ProposePair: _unless_closed(_propose_pair),
    KeepApart: _keep_apart,
    AcceptProposal: _accept,
    DeclineProposal: _decline,
    DissolvePair: _of_pair(pairs.dissolve),
    PairGraduated: _graduate,
    GraduationWithdrawn: _reopen,
    Due: _due,
}
"""Message to decision."""


def _cohort(state: State, message: Message) -> Cohort | None:
    return state.get(Cohort, message.cohort_id, message.cohort_id)


def _mentor(state: State, message: Message, mentor_id: str) -> Mentor | None:
    return state.get(Mentor, message.cohort_id, mentor_id)


def _manager(state: State, message: Message, manager_id: str) -> Manager | None:
    return state.get(Manager, message.cohort_id, manager_id)


def _pair(state: State, message: Message, pair_id: str | None) -> Pair | None:
    return None if pair_id is None else state.get(Pair, message.cohort_id, pair_id)


LEARNS: frozenset[type[Event]] = frozenset((PairGraduated, GraduationWithdrawn))
"""What scheduling tells and matching keeps."""

DOMAIN = Domain(
    name="matching",
    reads=("mentoring.scheduling.events",),
    documents=(
        *(Cohort, Mentor, Manager, Pair, Round, Simulation, Override, Line, Sheet, RevokedLinks),
    ),
    learns=LEARNS,
    handlers=HANDLERS,
    evolution=EVOLUTION,
    needs=needs,
    counts=MEASURES,
)
