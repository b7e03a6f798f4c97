"""Which message leads to which decision. Translation only."""

from collections.abc import Iterable
from datetime import datetime

from schemas import commands as c
from schemas.base import Message, people_of
from schemas.commands import COMMANDS
from schemas.events import AvailabilityChanged, PairEvent, PairGraduated
from services.chassis.domain import Decision, Domain, Due, Need, One, State, Whole
from services.matching import pairs, people, rounds
from services.matching.evolution import evolve
from services.matching.views import Cohort, Manager, Mentor, Pair, Round


def needs(message: Message) -> Iterable[Need]:
    """What a message will touch."""
    cohort_id = message.cohort_id
    match message:
        case c.RunRound():
            yield One(Cohort, cohort_id, cohort_id)
            yield One(Round, cohort_id, message.round_id)
            for kind in (Mentor, Manager, Pair):
                yield Whole(kind, cohort_id)
        case c.AcceptProposal() | c.DeclineProposal() | c.DissolvePair() | PairEvent():
            yield from _pair(cohort_id, message.pair_id)
        case Due():
            yield from _pair(cohort_id, message.id)
        case c.ChangeAvailability() | AvailabilityChanged():
            yield One(Mentor, cohort_id, message.person_id)
            yield One(Manager, cohort_id, message.person_id)
        case _:
            yield One(Cohort, cohort_id, cohort_id)
            for field, kind in (("mentor_id", Mentor), ("manager_id", Manager)):
                if (person := getattr(message, field, None)) is not None:
                    yield One(kind, cohort_id, person)


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
        case c.OpenCohort():
            return people.open_cohort(cohort(), message)
        case c.VolunteerAsMentor():
            return people.volunteer(cohort(), mentor(message.mentor_id), message)
        case c.EnrolManager():
            return people.enrol(cohort(), manager(message.manager_id), message)
        case c.PauseMentor():
            return people.pause(mentor(message.mentor_id), message)
        case c.ResumeMentor():
            return people.resume(mentor(message.mentor_id), message.mentor_id)
        case c.ChangeAvailability():
            person = message.person_id
            return people.change_availability(mentor(person), manager(person), message)
        case c.WithdrawMentor():
            leaving = mentor(message.mentor_id)
            engaged = [pair(pair_id) for pair_id in (leaving.engaged if leaving else ())]
            return people.withdraw_mentor(leaving, [p for p in engaged if p], message)
        case c.WithdrawManager():
            gone = manager(message.manager_id)
            standing = gone is not None and gone.state in ("proposed", "paired")
            theirs = pair(gone.pair_id) if standing and gone and gone.pair_id else None
            return people.withdraw_manager(gone, theirs, message)
        case c.RunRound():
            return rounds.run_round(
                cohort(),
                state.get(Round, cohort_id, message.round_id),
                state.whole(Mentor, cohort_id),
                state.whole(Manager, cohort_id),
                state.whole(Pair, cohort_id),
                message,
                now,
            )
        case c.AcceptProposal():
            mentor_id, manager_id = people_of(message.pair_id)
            both = mentor(mentor_id), manager(manager_id)
            return pairs.accept(pair(message.pair_id), *both, message, now)
        case c.DeclineProposal():
            return pairs.decline(pair(message.pair_id), message, now)
        case c.DissolvePair():
            return pairs.dissolve(pair(message.pair_id), message)
        case Due():
            return pairs.expire(pair(message.id), now)
        case PairGraduated():
            return []
        case _:
            raise AssertionError(f"matching does not handle {type(message).__name__}")


DOMAIN = Domain(
    name="matching",
    reads=("mentoring.scheduling.events",),
    documents=(Cohort, Mentor, Manager, Pair, Round),
    handles=frozenset({*COMMANDS["matching"], PairGraduated, Due}),
    alone=frozenset({c.RunRound}),
    learns=frozenset({PairGraduated}),
    needs=needs,
    decide=decide,
    evolve=evolve,
)
