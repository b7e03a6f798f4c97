"""Who is asked what, and what becomes of the answers.

Always holds: a survey is opened once and closed once; what was answered leaves the survey as a
`SurveyAnswered` that names nobody; whatever is not taken is refused in the same words, so that no
refusal tells whether somebody has answered.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Literal

from schemas.base import PairEvent
from schemas.feedback import AnswerSurvey, SurveyAnswered, SurveyClosed, SurveyOpened
from schemas.scheduling import SessionEvent
from services.chassis.domain import Decision, Refusal
from services.feedback import risk
from services.feedback.cohorts import opened
from services.feedback.questionnaire import USEFULNESS, misfit, question_ids
from services.feedback.views import (
    Cohort,
    Pair,
    Survey,
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


def answer(survey: Survey | None, pair: Pair, command: AnswerSurvey, now: datetime) -> Decision:
    """Take the answers to a survey that is open, if they answer nothing but what it asks.

    That the command is proven is for the caller to see to.
    """
    if survey is None or not _is_open(survey, now) or misfit(survey.questions, command.scores):
        return NOT_TAKEN
    answered = SurveyAnswered(
        cohort_id=survey.cohort_id,
        kind=survey.kind,
        side=survey.side,
        # In the survey's order, so that the order of the answers tells nothing about anybody.
        scores={q: command.scores[q] for q in survey.questions if q in command.scores},
    )
    complete = len(answered.scores) == len(survey.questions)
    at_risk = risk.of_usefulness(pair, command.scores.get(USEFULNESS))
    return [answered, _closed(survey, "answered", complete=complete), *at_risk]


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
