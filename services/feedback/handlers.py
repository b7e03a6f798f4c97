"""Which message leads to which decision, and what has to be read for it. Translation only."""

from collections.abc import Iterator
from datetime import datetime

from schemas.base import Event, Message, parent_pair
from schemas.feedback import (
    AnswerSurvey,
    CohortMeasured,
    PairAtRisk,
    SurveyAnswered,
    SurveyClosed,
    SurveyOpened,
)
from schemas.matching import (
    CohortOpened,
    ManagerEnrolled,
    ManagerWithdrew,
    MentorVolunteered,
    MentorWithdrew,
    PairDissolved,
    PairFormed,
)
from schemas.scheduling import PairGraduated, PairStalled, SessionCompleted, SessionMissed
from services.chassis.domain import Decision, Domain, Due, Need, One, State
from services.feedback import domain
from services.feedback.evolution import evolve
from services.feedback.views import (
    ALL,
    GROUPS,
    Cohort,
    Group,
    Pair,
    Survey,
    Turnout,
    group_id,
    kind_of,
    side_of,
    survey_ids,
)

LEARNS: frozenset[type[Event]] = frozenset(
    {
        CohortOpened,
        MentorVolunteered,
        MentorWithdrew,
        ManagerEnrolled,
        ManagerWithdrew,
        PairFormed,
        PairDissolved,
        PairGraduated,
        SessionCompleted,
        SessionMissed,
    }
)
"""What other services tell and feedback keeps: its journal has a copy."""

HANDLES: frozenset[type[Message]] = frozenset({*LEARNS, PairStalled, AnswerSurvey, Due})


def decide(state: State, message: Message, now: datetime) -> Decision:
    """What follows from a message."""
    match message:
        case CohortOpened():
            return ()
        case (
            MentorVolunteered()
            | MentorWithdrew()
            | ManagerEnrolled()
            | ManagerWithdrew()
            | PairDissolved()
        ):
            return domain.learn(state, message)
        case PairFormed():
            return domain.ask(state, message, "start", now)
        case SessionCompleted():
            return domain.ask(state, message, f"s{message.number}", now)
        case PairGraduated():
            return domain.ask(state, message, "end", now)
        case SessionMissed():
            return domain.miss(state, message)
        case PairStalled():
            return domain.stall(state, message)
        case AnswerSurvey():
            return domain.answer(state, message, now)
        case Due(collection=Survey.collection):
            return domain.expire(state, message.cohort_id, message.id, now)
        case Due(collection=Cohort.collection):
            return domain.measure(state, message.cohort_id, now)
        case _:
            raise TypeError(f"feedback does not handle {type(message).__name__}")


def needs(message: Message) -> Iterator[Need]:
    """The documents that a message's decision and the events that follow touch."""
    cohort_id = message.cohort_id
    yield One(Cohort, cohort_id, cohort_id)
    match message:
        case PairFormed():
            yield One(Pair, cohort_id, message.pair_id)
            yield from _asking(cohort_id, survey_ids(message.pair_id, "start"))
        case SessionCompleted():
            yield from _asking(cohort_id, survey_ids(message.pair_id, f"s{message.number}"))
        case PairGraduated():
            yield One(Pair, cohort_id, message.pair_id)
            yield from _asking(cohort_id, survey_ids(message.pair_id, "end"))
        case PairDissolved() | PairStalled() | SessionMissed() | PairAtRisk():
            yield One(Pair, cohort_id, message.pair_id)
        case SurveyOpened() | SurveyClosed():
            yield from _asking(cohort_id, (message.survey_id,))
        case AnswerSurvey():
            yield from _asking(cohort_id, (message.survey_id,))
            yield One(Group, cohort_id, _group_of(message.survey_id))
            yield One(Pair, cohort_id, parent_pair(message.survey_id))
        case SurveyAnswered():
            yield One(Group, cohort_id, group_id(message.kind, message.side))
        case Due(collection=Survey.collection):
            yield from _asking(cohort_id, (message.id,))
        case CohortMeasured() | Due(collection=Cohort.collection):
            for name in GROUPS:
                yield One(Group, cohort_id, name)
                yield One(Turnout, cohort_id, name)
            yield One(Turnout, cohort_id, ALL)


def _asking(cohort_id: str, surveys: tuple[str, ...]) -> Iterator[Need]:
    """These surveys, and where they are counted."""
    yield One(Turnout, cohort_id, ALL)
    for survey_id in surveys:
        yield One(Survey, cohort_id, survey_id)
        yield One(Turnout, cohort_id, _group_of(survey_id))


def _group_of(survey_id: str) -> str:
    return group_id(kind_of(survey_id), side_of(survey_id))


DOMAIN = Domain(
    name="feedback",
    reads=("mentoring.matching.events", "mentoring.scheduling.events"),
    documents=(Cohort, Group, Turnout, Survey, Pair),
    handles=HANDLES,
    learns=LEARNS,
    needs=needs,
    decide=decide,
    evolve=evolve,
)
