"""Who is asked what, and what becomes of the answers.

Always holds: a survey is opened once and closed once; what was answered leaves the survey as a
`SurveyAnswered` that names nobody, sealed until it is counted with many others. Until then, and
until the survey's date, whoever has its link can change it: found by its survey and feedback's key,
it is replaced, and is one answer still. Whatever is not taken for another reason than that it was
counted is refused in the same words, so that no refusal tells whether somebody has answered.
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
COUNTED = Refusal(
    "conflict",
    "answers-counted",
    "These answers were counted with those of others, without a name: they cannot be found again.",
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
    """Take the answers to a survey, if they answer nothing but what it asks, while it is open.

    And those that change what was answered and not counted yet. That the command is proven is for
    the caller to see to.
    """
    given = _given(command, seal)
    if survey is None or not _is_open(survey, now) or not given:
        return NOT_TAKEN
    if misfit(survey.questions, given):
        return NOT_TAKEN
    if survey.state == "answered":
        return _changed(survey, asked, given, seal)
    scores = _in_order(survey, given)
    complete = len(scores) == len(survey.questions)
    answered = _answered(survey, scores, seal)
    at_risk = risk.of_usefulness(asked.pair, scores.get(USEFULNESS))
    closed = _closed(survey, "answered", complete=complete)
    return [*_counted(asked, survey, seal), answered, closed, *at_risk]


def _changed(survey: Survey, asked: Asked, given: Mapping[str, int], seal: Seal) -> Decision:
    """Another answer in the place of the one that waits: question by question.

    What is left out stays as it was answered: so whoever is counted behind all the questions of
    their group has answered them all, whatever they change.
    """
    found = seal.find(survey.key, (*asked.group.waiting, *asked.group.unopened))
    if found is None:
        return COUNTED
    replaced, before = found
    scores = _in_order(survey, {**before, **given})
    if scores == before:
        return []
    at_risk = risk.of_usefulness(asked.pair, scores.get(USEFULNESS))
    return [_answered(survey, scores, seal, replaced), *at_risk]


def _in_order(survey: Survey, given: Mapping[str, int]) -> dict[str, int]:
    """In the survey's order, so that the order of the answers tells nothing about anybody."""
    return {question: given[question] for question in survey.questions if question in given}


def _answered(
    survey: Survey, scores: Mapping[str, int], seal: Seal, replaces: str | None = None
) -> SurveyAnswered:
    return SurveyAnswered(
        cohort_id=survey.cohort_id,
        kind=survey.kind,
        side=survey.side,
        scores={},
        sealed=seal.seal(survey.key, scores, replaces or ""),
        replaces=replaces,
    )


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
    return survey.state != "expired" and now < survey.closes_at


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
