"""How each event changes what feedback keeps, live and in a rebuild alike.

Always holds: nothing here knows the time; every moment comes from an event. An event of a cohort
that was not opened changes nothing.
"""

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime

from schemas.base import Message, people_of
from schemas.feedback import (
    CohortMeasured,
    PairAtRisk,
    RolloutRecommended,
    RolloutWithheld,
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
from schemas.scheduling import PairGraduated, SessionCompleted, SessionMissed
from services.chassis.domain import Change, State
from services.feedback import figures
from services.feedback.views import (
    ALL,
    Cohort,
    Group,
    Pair,
    Scores,
    Survey,
    Turnout,
    Verdict,
    group_id,
    person_of,
)

AT_ONCE = datetime(1970, 1, 1, tzinfo=UTC)
"""A moment that has come, whatever the time: a new cohort is measured at once."""


def evolve(state: State, event: Message) -> Iterable[Change]:
    """The documents that an event changes; none for a cohort that was not opened."""
    cohort = find_cohort(state, event)
    if cohort is None:
        return [_opened(event)] if isinstance(event, CohortOpened) else ()
    match event:
        case MentorVolunteered():
            return [_moved(cohort, mentors=1)]
        case MentorWithdrew():
            return [_moved(cohort, mentors=-1)]
        case ManagerEnrolled():
            return [_moved(cohort, managers=1)]
        case ManagerWithdrew():
            return [_moved(cohort, managers=-1)]
        case SessionCompleted():
            return [_moved(cohort, sessions_completed=1)]
        case SessionMissed():
            pair = find_pair(state, event.cohort_id, event.pair_id)
            missed = pair.model_copy(update={"missed": pair.missed + 1})
            return [_moved(cohort, sessions_missed=1), missed]
        case PairFormed() | PairDissolved() | PairGraduated():
            return _pair_changed(cohort, find_pair(state, event.cohort_id, event.pair_id), event)
        case PairAtRisk():
            pair = find_pair(state, event.cohort_id, event.pair_id)
            return [
                pair.model_copy(update={"at_risk": True, "causes": (*pair.causes, event.cause)})
            ]
        case SurveyOpened():
            return _survey_opened(state, event)
        case SurveyClosed():
            return _survey_closed(state, cohort, event)
        case SurveyAnswered():
            return [_scored(state, event)]  # the `SurveyClosed` beside it moves the cohort
        case CohortMeasured():
            return _measured(state, cohort, event)
        case RolloutRecommended():
            return [_ruled(cohort, "recommended", event)]
        case RolloutWithheld():
            return [_ruled(cohort, "withheld", event)]
        case _:
            return ()


def _opened(event: CohortOpened) -> Cohort:
    return Cohort(
        id=event.cohort_id,
        cohort_id=event.cohort_id,
        name=event.name,
        policy=event.policy,
        due_at=AT_ONCE,
    )


def _moved(cohort: Cohort, **by: int) -> Cohort:
    """The cohort with its counters moved, and due when its next measure is.

    The next measure is told by the last one; if that moment has passed in a quiet time, the
    cohort is due at once. No counter falls below zero, for an operator may have dropped the
    parked record that would have counted somebody in.
    """
    counters = {name: max(0, getattr(cohort, name) + count) for name, count in by.items()}
    return cohort.model_copy(update={**counters, "due_at": cohort.due_at or cohort.next_at})


def _pair_changed(
    cohort: Cohort, pair: Pair, event: PairFormed | PairDissolved | PairGraduated
) -> Sequence[Change]:
    """Count the pair where it now belongs.

    Two services tell of a pair on two topics, so its end can be read before its beginning, and
    both of its ends in either order: then all of its sessions have taken place, and it counts as
    graduated, once.
    """
    match event:
        case PairFormed():
            state = "graduated" if pair.state == "graduated" else "standing"
            return [
                _moved(cohort, pairs_formed=1),
                pair.model_copy(update={"state": state}),
            ]
        case PairDissolved():
            if pair.state == "graduated":
                return ()
            return [
                _moved(cohort, pairs_dissolved=1),
                pair.model_copy(update={"state": "dissolved"}),
            ]
        case PairGraduated():
            undone = -1 if pair.state == "dissolved" else 0
            return [
                _moved(cohort, pairs_graduated=1, pairs_dissolved=undone),
                pair.model_copy(update={"state": "graduated"}),
            ]


def _survey_opened(state: State, event: SurveyOpened) -> Sequence[Change]:
    survey = Survey(
        id=event.survey_id,
        cohort_id=event.cohort_id,
        due_at=event.closes_at,
        pair_id=event.pair_id,
        person_id=event.person_id,
        kind=event.kind,
        side=event.side,
        questions=event.questions,
        closes_at=event.closes_at,
    )
    turnouts = [
        find_turnout(state, event.cohort_id, name)
        for name in (ALL, group_id(event.kind, event.side))
    ]
    return [survey, *(t.model_copy(update={"opened": t.opened + 1}) for t in turnouts)]


def _survey_closed(state: State, cohort: Cohort, event: SurveyClosed) -> Sequence[Change]:
    changes: list[Change] = [_moved(cohort)]
    survey = state.get(Survey, event.cohort_id, event.survey_id)
    if survey is not None:
        changes.append(survey.model_copy(update={"state": event.outcome, "due_at": None}))
    person, smallest = person_of(event.survey_id), cohort.policy.smallest_group
    answered = event.outcome == "answered"
    for name in (ALL, group_id(event.kind, event.side)):
        turnout = find_turnout(state, event.cohort_id, name)
        closed_for, by = turnout.closed_for, turnout.answered_by
        counted = {
            "closed": turnout.closed + 1,
            "answered": turnout.answered + answered,
            "closed_for": _with(closed_for, person, smallest) if name == ALL else closed_for,
            "answered_by": _with(by, person, smallest) if answered else by,
        }
        changes.append(turnout.model_copy(update=counted))
    return changes


def _with(people: tuple[str, ...], person: str, most: int) -> tuple[str, ...]:
    """`people` and this person. More than `most` are not kept: it is known that they suffice."""
    return people if person in people or len(people) >= most else (*people, person)


def _scored(state: State, event: SurveyAnswered) -> Group:
    group = find_group(state, event.cohort_id, group_id(event.kind, event.side))
    scores = dict(group.scores)
    for question, score in event.scores.items():
        old = scores.get(question, Scores())
        scores[question] = Scores(answers=old.answers + 1, total=old.total + score)
    return group.model_copy(update={"scores": scores})


def _measured(state: State, cohort: Cohort, event: CohortMeasured) -> Sequence[Change]:
    """Keep what was published, and count afresh the people behind every figure that moved."""
    published = {
        "measured_at": event.measured_at,
        "next_at": event.next_at,
        "due_at": None,
        "surveys_closed": event.surveys_closed,
        "surveys_answered": event.surveys_answered,
        "surveys": event.surveys,
        "criteria": figures.criteria(event, cohort.policy),
    }
    afresh: dict[str, dict[str, object]] = {
        name: {"answered_by": ()} for name in sorted(figures.moved(cohort.surveys, event.surveys))
    }
    if event.surveys_closed != cohort.surveys_closed:
        afresh.setdefault(ALL, {})["closed_for"] = ()
    if event.surveys_answered != cohort.surveys_answered:
        afresh.setdefault(ALL, {})["answered_by"] = ()
    turnouts = [
        find_turnout(state, event.cohort_id, name).model_copy(update=update)
        for name, update in afresh.items()
    ]
    return [cohort.model_copy(update=published), *turnouts]


def _ruled(cohort: Cohort, verdict: Verdict, event: RolloutRecommended | RolloutWithheld) -> Cohort:
    return cohort.model_copy(update={"verdict": verdict, "criteria": event.criteria})


# --- documents, as they are or as they begin --------------------------------------------------


def find_cohort(state: State, message: Message) -> Cohort | None:
    """The cohort that a message is about, if it was opened."""
    return state.get(Cohort, message.cohort_id, message.cohort_id)


def find_group(state: State, cohort_id: str, id: str) -> Group:
    """A group of a cohort; an empty one before its first answer."""
    return state.get(Group, cohort_id, id) or Group(id=id, cohort_id=cohort_id)


def find_turnout(state: State, cohort_id: str, id: str) -> Turnout:
    """The turnout of a group, or of all; an empty one before its first survey."""
    return state.get(Turnout, cohort_id, id) or Turnout(id=id, cohort_id=cohort_id)


def find_pair(state: State, cohort_id: str, pair_id: str) -> Pair:
    """A pair, also before it is known that it was formed."""
    mentor_id, manager_id = people_of(pair_id)
    return state.get(Pair, cohort_id, pair_id) or Pair(
        id=pair_id, cohort_id=cohort_id, mentor_id=mentor_id, manager_id=manager_id
    )
