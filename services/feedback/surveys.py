"""Who is asked what, and what becomes of the answers.

Always holds: a survey is opened once and closed once; what was answered leaves the survey as a
`SurveyAnswered` that names nobody, sealed until it is counted with many others; whatever is not
taken is refused in the same words, so that no refusal tells whether somebody has answered.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

from schemas.base import PairEvent
from schemas.feedback import (
    AnswersCounted,
    AnswerSurvey,
    SurveyAnswered,
    SurveyClosed,
    SurveyOpened,
)
from schemas.scheduling import SessionEvent
from services.chassis.domain import Decision, Refusal
from services.feedback import counting, risk
from services.feedback.cohorts import opened
from services.feedback.questionnaire import USEFULNESS, misfit, question_ids
from services.feedback.sealing import Seal
from services.feedback.views import (
    Cohort,
    Group,
    Pair,
    Survey,
    Turnout,
    kind_of,
    person_of,
    side_of,
    survey_ids,
)

NOT_TAKEN = Refusal(
    "conflict", "not-taken", "These answers are not taken: not by this link, not now, or not these."
)


def ask(
    cohort: Cohort | None,
    asked: Sequence[Survey],
    event: PairEvent | SessionEvent,
    occasion: str,
    now: datetime,
) -> Decision:
    """Ask each side of the pair. `asked`: the surveys of this occasion that there are already."""
    known = opened(cohort, event)
    if isinstance(known, Refusal):
        return known
    already = {survey.id for survey in asked}
    return [
        SurveyOpened(
            cohort_id=event.cohort_id,
            survey_id=survey_id,
            pair_id=event.pair_id,
            person_id=person_of(survey_id),
            kind=kind_of(survey_id),
            side=side_of(survey_id),
            questions=question_ids(kind_of(survey_id), side_of(survey_id)),
            closes_at=now + timedelta(days=known.policy.survey_days),
        )
        for survey_id in survey_ids(event.pair_id, occasion)
        if survey_id not in already
    ]


@dataclass(frozen=True, slots=True)
class Asked:
    """Where answers go: the survey's pair, and the group that they count in."""

    cohort: Cohort | None
    pair: Pair
    group: Group
    turnout: Turnout


def answer(
    survey: Survey | None, asked: Asked, command: AnswerSurvey, now: datetime, seal: Seal
) -> Decision:
    """Take the answers to a survey that is open, if they answer nothing but what it asks.

    That the command is proven is for the caller to see to.
    """
    given = _given(command, seal)
    if survey is None or not _is_open(survey, now) or not given:
        return NOT_TAKEN
    if misfit(survey.questions, given):
        return NOT_TAKEN
    # In the survey's order, so that the order of the answers tells nothing about anybody.
    scores = {q: given[q] for q in survey.questions if q in given}
    answered = SurveyAnswered(
        cohort_id=survey.cohort_id,
        kind=survey.kind,
        side=survey.side,
        scores={},
        sealed=seal.seal(survey.key, scores),
    )
    complete = len(scores) == len(survey.questions)
    at_risk = risk.of_usefulness(asked.pair, scores.get(USEFULNESS))
    closed = _closed(survey, "answered", complete=complete)
    return [*_counted(asked, survey, seal), answered, closed, *at_risk]


def _given(command: AnswerSurvey, seal: Seal) -> Mapping[str, int] | None:
    return command.scores if command.sealed is None else seal.open(command.sealed)


def _counted(asked: Asked, survey: Survey, seal: Seal) -> Sequence[AnswersCounted]:
    """The count of those before this one, once so many wait that the next measure is far."""
    if asked.cohort is None or len(asked.group.waiting) < counting.MOST_WAITING:
        return ()
    smallest = asked.cohort.policy.smallest_group
    return counting.count(asked.group, asked.turnout, survey.kind, survey.side, smallest, seal)


def expire(survey: Survey | None, now: datetime) -> Decision:
    """Close a survey that nobody has answered in time."""
    if survey is None or survey.due_at is None or survey.due_at > now:
        return []
    return [_closed(survey, "expired")]


def _is_open(survey: Survey, now: datetime) -> bool:
    # Not when its deadline has come, decided on or not: which comes first is chance.
    return survey.state == "open" and now < survey.closes_at


def _closed(
    survey: Survey, outcome: Literal["answered", "expired"], *, complete: bool = True
) -> SurveyClosed:
    return SurveyClosed(
        cohort_id=survey.cohort_id,
        survey_id=survey.id,
        kind=survey.kind,
        side=survey.side,
        outcome=outcome,
        complete=complete,
    )
