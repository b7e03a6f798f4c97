"""Who is asked what, and what becomes of the answers.

Always holds: a survey is opened once and closed once; what was answered leaves the survey as a
`SurveyAnswered` that names nobody.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Literal

from schemas.base import PairEvent
from schemas.feedback import AnswerSurvey, SurveyAnswered, SurveyClosed, SurveyOpened
from schemas.scheduling import SessionEvent
from services.chassis.domain import Decision, Refusal
from services.feedback import risk
from services.feedback.cohorts import opened
from services.feedback.questionnaire import USEFULNESS, question_ids
from services.feedback.views import (
    Cohort,
    Pair,
    Survey,
    kind_of,
    person_of,
    side_of,
    survey_ids,
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
    """Take the answers to a survey that is open, if they answer exactly what it asks."""
    found = _open(survey, now)
    if isinstance(found, Refusal):
        return found
    if wrong := _wrong(found, command.scores):
        return Refusal(
            "invalid", "wrong-answers", f"The answers are not to what is asked: {wrong}."
        )
    answered = SurveyAnswered(
        cohort_id=found.cohort_id,
        kind=found.kind,
        side=found.side,
        # In the survey's order, so that the order of the answers tells nothing about anybody.
        scores={question: command.scores[question] for question in found.questions},
    )
    at_risk = risk.of_usefulness(pair, command.scores.get(USEFULNESS))
    return [answered, _closed(found, "answered"), *at_risk]


def expire(survey: Survey | None, now: datetime) -> Decision:
    """Close a survey that nobody has answered in time."""
    if survey is None or survey.due_at is None or survey.due_at > now:
        return []
    return [_closed(survey, "expired")]


def _open(survey: Survey | None, now: datetime) -> Survey | Refusal:
    """A survey that can be answered; or why there is none."""
    if survey is None:
        return Refusal("unknown", "unknown-survey", "There is no such survey in this cohort.")
    if survey.state == "answered":
        return Refusal("conflict", "already-answered", "This survey was answered before.")
    # Also when its deadline has come and was not decided on yet: which comes first is chance.
    if survey.state == "expired" or now >= survey.closes_at:
        closed_at = survey.closes_at.isoformat()
        return Refusal("conflict", "survey-closed", f"This survey closed at {closed_at}.")
    return survey


def _wrong(survey: Survey, scores: Mapping[str, int]) -> str:
    """What is missing and what was not asked; empty if the answers fit."""
    missing = sorted(set(survey.questions) - set(scores))
    # Cut, for what is not a question of ours can be anything.
    unknown = sorted(question[:40] for question in set(scores) - set(survey.questions))
    parts = [f"{', '.join(missing)} missing"] if missing else []
    parts += [f"{', '.join(unknown)} not asked"] if unknown else []
    return " and ".join(parts)


def _closed(survey: Survey, outcome: Literal["answered", "expired"]) -> SurveyClosed:
    return SurveyClosed(
        cohort_id=survey.cohort_id,
        survey_id=survey.id,
        kind=survey.kind,
        side=survey.side,
        outcome=outcome,
    )
