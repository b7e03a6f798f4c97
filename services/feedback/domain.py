"""What feedback decides.

Always holds: a survey is opened once and closed once; what was answered leaves the survey as a
`SurveyAnswered` that names nobody; a pair is at risk at most once for each cause.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Literal

from schemas.base import Event, PairEvent
from schemas.feedback import (
    AnswerSurvey,
    PairAtRisk,
    RolloutRecommended,
    RolloutWithheld,
    SurveyAnswered,
    SurveyClosed,
    SurveyOpened,
)
from schemas.scheduling import SessionEvent, SessionMissed
from services.chassis.domain import Decision, Refusal, State
from services.feedback import figures
from services.feedback.lookup import cohort_of, group_in, pair_in, turnout_in
from services.feedback.questionnaire import USEFULNESS, question_ids
from services.feedback.views import (
    ALL,
    GROUPS,
    Cause,
    Cohort,
    Pair,
    Survey,
    kind_of,
    person_of,
    side_of,
    survey_ids,
)

MISSES_AT_RISK = 3
LITTLE_USE = 2
"""A usefulness of at most this (of 5) is a reason to speak with the pair."""


def learn(state: State, event: Event) -> Decision:
    """Take note of what happened in a cohort that was opened."""
    return _unknown(event) if cohort_of(state, event) is None else ()


def ask(state: State, event: PairEvent | SessionEvent, occasion: str, now: datetime) -> Decision:
    """Ask each side of the pair, unless it was asked on this occasion before."""
    cohort = cohort_of(state, event)
    if cohort is None:
        return _unknown(event)
    return [
        SurveyOpened(
            cohort_id=event.cohort_id,
            survey_id=survey_id,
            pair_id=event.pair_id,
            person_id=person_of(survey_id),
            kind=kind_of(survey_id),
            side=side_of(survey_id),
            questions=question_ids(kind_of(survey_id), side_of(survey_id)),
            closes_at=now + timedelta(days=cohort.policy.survey_days),
        )
        for survey_id in survey_ids(event.pair_id, occasion)
        if state.get(Survey, event.cohort_id, survey_id) is None
    ]


def answer(state: State, command: AnswerSurvey, now: datetime) -> Decision:
    """Take the answers to a survey that is open, if they answer exactly what it asks."""
    survey = state.get(Survey, command.cohort_id, command.survey_id)
    if survey is None:
        return Refusal("unknown-survey", "There is no such survey in this cohort.")
    if survey.state == "answered":
        return Refusal("already-answered", "This survey was answered before.")
    # Also when its deadline has come and was not decided on yet: which comes first is chance.
    if survey.state == "expired" or now >= survey.closes_at:
        return Refusal("survey-closed", f"This survey closed at {survey.closes_at.isoformat()}.")
    if wrong := _wrong(survey, command.scores):
        return Refusal("wrong-answers", wrong)
    answered = SurveyAnswered(
        cohort_id=survey.cohort_id,
        kind=survey.kind,
        side=survey.side,
        # In the survey's order, so that the order of the answers tells nothing about anybody.
        scores={question: command.scores[question] for question in survey.questions},
    )
    events: list[Event] = [answered, _closed(survey, "answered")]
    # Only sessions ask for it.
    if command.scores.get(USEFULNESS, LITTLE_USE + 1) <= LITTLE_USE:
        events += _risk(state, survey.cohort_id, survey.pair_id, "low_scores")
    return events


def expire(state: State, cohort_id: str, survey_id: str, now: datetime) -> Decision:
    """Close a survey that nobody has answered in time."""
    survey = state.get(Survey, cohort_id, survey_id)
    if survey is None or survey.due_at is None or survey.due_at > now:
        return ()
    return [_closed(survey, "expired")]


def miss(state: State, event: SessionMissed) -> Decision:
    """Say that a pair is at risk once it has missed too many sessions."""
    if cohort_of(state, event) is None:
        return _unknown(event)
    pair = state.get(Pair, event.cohort_id, event.pair_id)
    missed = 1 + (pair.missed if pair else 0)
    if missed < MISSES_AT_RISK:
        return ()
    return _risk(state, event.cohort_id, event.pair_id, "missed_sessions")


def stall(state: State, event: PairEvent) -> Decision:
    """Say that a pair that has not met for too long is at risk."""
    if cohort_of(state, event) is None:
        return _unknown(event)
    return _risk(state, event.cohort_id, event.pair_id, "stalled")


def measure(state: State, cohort_id: str, now: datetime) -> Decision:
    """Publish a cohort's figures, and the verdict if it or a value it rests on has changed."""
    cohort = state.get(Cohort, cohort_id, cohort_id)
    if cohort is None or cohort.due_at is None or cohort.due_at > now:
        return ()
    groups = {name: group_in(state, cohort_id, name) for name in GROUPS}
    turnouts = {name: turnout_in(state, cohort_id, name) for name in (ALL, *GROUPS)}
    measured = figures.measured(cohort, groups, turnouts, now)
    criteria = figures.criteria(measured, cohort.policy)
    verdict = figures.verdict(criteria)
    # Every change was told when it came, so the last measure's criteria are the last verdict's.
    if verdict == cohort.verdict and criteria == cohort.criteria:
        return [measured]
    ruling = RolloutRecommended if verdict == "recommended" else RolloutWithheld
    return [measured, ruling(cohort_id=cohort_id, criteria=criteria)]


def _wrong(survey: Survey, scores: dict[str, int]) -> str:
    """What is missing and what was not asked, in a sentence; empty if the answers fit."""
    missing = sorted(set(survey.questions) - set(scores))
    # Cut, for what is not a question of ours can be anything.
    unknown = sorted(question[:40] for question in set(scores) - set(survey.questions))
    parts = [f"missing: {', '.join(missing)}"] if missing else []
    parts += [f"not asked: {', '.join(unknown)}"] if unknown else []
    return f"Answer exactly what is asked; {'; '.join(parts)}." if parts else ""


def _closed(survey: Survey, outcome: Literal["answered", "expired"]) -> SurveyClosed:
    return SurveyClosed(
        cohort_id=survey.cohort_id,
        survey_id=survey.id,
        kind=survey.kind,
        side=survey.side,
        outcome=outcome,
    )


def _risk(state: State, cohort_id: str, pair_id: str, cause: Cause) -> Sequence[PairAtRisk]:
    """The pair is at risk, unless that was said before for this cause."""
    pair = pair_in(state, cohort_id, pair_id)
    if cause in pair.causes:
        return []
    return [
        PairAtRisk(
            cohort_id=cohort_id,
            pair_id=pair_id,
            mentor_id=pair.mentor_id,
            manager_id=pair.manager_id,
            cause=cause,
        )
    ]


def _unknown(event: Event) -> Refusal:
    return Refusal("unknown-cohort", f"No cohort {event.cohort_id} was opened.")
