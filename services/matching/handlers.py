"""Which message leads to which decision. Translation only."""

from collections.abc import Iterable
from datetime import datetime

from schemas.base import Message, PairEvent, pair_of, people_of
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
    RoundCompleted,
    RoundRequested,
    RoundSimulated,
    RunRound,
    VolunteerAsMentor,
    WithdrawManager,
    WithdrawMentor,
)
from schemas.scheduling import PairGraduated
from schemas.topics import COMMANDS
from services.chassis.domain import Decision, Domain, Due, Need, One, State, Whole
from services.matching import overrides, pairs, people, rounds
from services.matching.evolution import evolve
from services.matching.messages import PairsFound, PlacesFound, SearchEnded, SearchReport
from services.matching.views import (
    Cohort,
    Manager,
    Mentor,
    Override,
    Pair,
    Round,
    Simulation,
)


def needs(message: Message) -> Iterable[Need]:
    """What a message will touch."""
    cohort_id = message.cohort_id
    match message:
        case RunRound() | SearchReport() | RoundRequested() | RoundCompleted() | RoundSimulated():
            yield One(Cohort, cohort_id, cohort_id)
            yield One(Round, cohort_id, message.round_id)
            yield from _of_search(cohort_id, message)
        case ProposePair() | KeepApart():
            yield One(Cohort, cohort_id, cohort_id)
            yield One(Override, cohort_id, message.pair_id)
            yield from _pair(cohort_id, message.pair_id)
        case PairProposed():
            yield One(Round, cohort_id, message.round_id)
            yield from _pair(cohort_id, message.pair_id)
        case AcceptProposal() | DeclineProposal() | DissolvePair() | PairEvent():
            yield from _pair(cohort_id, message.pair_id)
        case Due():
            yield from _pair(cohort_id, message.id)
        case ChangeAvailability() | AvailabilityChanged():
            yield One(Mentor, cohort_id, message.person_id)
            yield One(Manager, cohort_id, message.person_id)
        case _:
            yield One(Cohort, cohort_id, cohort_id)
            for field, kind in (("mentor_id", Mentor), ("manager_id", Manager)):
                if (person := getattr(message, field, None)) is not None:
                    yield One(kind, cohort_id, person)


def _of_search(cohort_id: str, message: Message) -> Iterable[Need]:
    match message:
        case PairsFound():
            yield One(Simulation, cohort_id, f"{message.round_id}.{message.part}")
            for mentor_id, manager_id in message.pairs:
                yield One(Override, cohort_id, pair_of(mentor_id, manager_id))
                yield from _pair(cohort_id, pair_of(mentor_id, manager_id))
        case PlacesFound():
            for manager_id, _ in message.waiting:
                yield One(Manager, cohort_id, manager_id)
        case SearchEnded():
            yield Whole(Mentor, cohort_id)
            yield Whole(Manager, cohort_id)


def _pair(cohort_id: str, pair_id: str) -> Iterable[Need]:
    mentor_id, manager_id = people_of(pair_id)
    yield One(Pair, cohort_id, pair_id)
    yield One(Mentor, cohort_id, mentor_id)
    yield One(Manager, cohort_id, manager_id)


def decide(state: State, message: Message, now: datetime) -> Decision:
    """What follows from a message."""
    cohort_id = message.cohort_id

    def cohort() -> Cohort | None:
        return state.get(Cohort, cohort_id, cohort_id)

    def mentor(id: str) -> Mentor | None:
        return state.get(Mentor, cohort_id, id)

    def manager(id: str) -> Manager | None:
        return state.get(Manager, cohort_id, id)

    def pair(id: str) -> Pair | None:
        return state.get(Pair, cohort_id, id)

    match message:
        case OpenCohort():
            return people.open_cohort(cohort(), message)
        case VolunteerAsMentor():
            return people.volunteer(cohort(), mentor(message.mentor_id), message)
        case EnrolManager():
            return people.enrol(cohort(), manager(message.manager_id), message, now)
        case PauseMentor():
            return people.pause(mentor(message.mentor_id), message)
        case ResumeMentor():
            return people.resume(mentor(message.mentor_id), message.mentor_id)
        case ChangeAvailability():
            person = message.person_id
            return people.change_availability(mentor(person), manager(person), message)
        case WithdrawMentor():
            leaving = mentor(message.mentor_id)
            engaged = [pair(pair_id) for pair_id in (leaving.engaged if leaving else ())]
            return people.withdraw_mentor(leaving, [p for p in engaged if p], message)
        case WithdrawManager():
            gone = manager(message.manager_id)
            standing = gone is not None and gone.state in ("proposed", "paired")
            theirs = pair(gone.pair_id) if standing and gone and gone.pair_id else None
            return people.withdraw_manager(gone, theirs, message)
        case RunRound():
            past = state.get(Round, cohort_id, message.round_id)
            return rounds.request(cohort(), past, message, now)
        case SearchReport():
            return _of_round(state, message, now)
        case ProposePair() | KeepApart():
            return _by_hand(state, message, now)
        case AcceptProposal():
            mentor_id, manager_id = people_of(message.pair_id)
            both = mentor(mentor_id), manager(manager_id)
            return pairs.accept(pair(message.pair_id), *both, message, now)
        case DeclineProposal():
            return pairs.decline(pair(message.pair_id), message, now)
        case DissolvePair():
            return pairs.dissolve(pair(message.pair_id), message)
        case Due():
            return pairs.expire(pair(message.id), now)
        case PairGraduated():
            return []
        case _:
            raise AssertionError(f"matching does not handle {type(message).__name__}")


def _of_round(state: State, message: SearchReport, now: datetime) -> Decision:
    cohort_id = message.cohort_id
    cohort = state.get(Cohort, cohort_id, cohort_id)
    round_ = state.get(Round, cohort_id, message.round_id)
    if cohort is None or round_ is None or round_.state != "requested":
        return []  # of a search that somebody else has ended
    match message:
        case PairsFound():
            couples = [pair for pair in _couples(state, message) if pair is not None]
            shown = state.get(Simulation, cohort_id, f"{round_.id}.{message.part}")
            return rounds.propose(cohort, round_, couples, shown, message, now)
        case PlacesFound():
            known = [(state.get(Manager, cohort_id, who), at) for who, at in message.waiting]
            return rounds.tell_places([(m, at) for m, at in known if m is not None])
        case SearchEnded():
            mentors, managers = state.whole(Mentor, cohort_id), state.whole(Manager, cohort_id)
            return rounds.complete(round_, mentors, managers, message)
        case _:
            raise AssertionError(f"a search does not report a {type(message).__name__}")


def _couples(state: State, message: PairsFound) -> Iterable[rounds.Couple | None]:
    """The two people of every pair that has not been one, and is not ruled out."""
    for mentor_id, manager_id in message.pairs:
        mentor = state.get(Mentor, message.cohort_id, mentor_id)
        manager = state.get(Manager, message.cohort_id, manager_id)
        pair_id = pair_of(mentor_id, manager_id)
        override = state.get(Override, message.cohort_id, pair_id)
        new = state.get(Pair, message.cohort_id, pair_id) is None
        ruled_out = override is not None and override.decision == "kept_apart"
        yield (mentor, manager) if mentor and manager and new and not ruled_out else None


def _by_hand(state: State, message: ProposePair | KeepApart, now: datetime) -> Decision:
    cohort_id, pair_id = message.cohort_id, message.pair_id
    mentor_id, manager_id = people_of(pair_id)
    mentor, manager = (
        state.get(Mentor, cohort_id, mentor_id),
        state.get(Manager, cohort_id, manager_id),
    )
    pair, override = state.get(Pair, cohort_id, pair_id), state.get(Override, cohort_id, pair_id)
    if isinstance(message, KeepApart):
        return overrides.keep_apart(mentor, manager, pair, override, message)

    def line_of(person: str) -> str | None:
        known = state.get(Mentor, cohort_id, person) or state.get(Manager, cohort_id, person)
        return known.line_manager if known else None

    cohort = state.get(Cohort, cohort_id, cohort_id)
    return overrides.propose(cohort, mentor, manager, pair, override, line_of, message, now)


DOMAIN = Domain(
    name="matching",
    reads=("mentoring.scheduling.events",),
    documents=(Cohort, Mentor, Manager, Pair, Round, Simulation, Override),
    handles=frozenset(
        {*COMMANDS["matching"], PairGraduated, Due, PairsFound, PlacesFound, SearchEnded}
    ),
    learns=frozenset({PairGraduated}),
    needs=needs,
    decide=decide,
    evolve=evolve,
)
