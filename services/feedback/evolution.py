"""How feedback's documents follow from its events. A fold: no time, no rules, no I/O.

Always holds: an event of a cohort that was not opened changes nothing.
"""

from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from typing import Any

from schemas.base import Event
from schemas.cohorts import PolicyChanged
from schemas.feedback import (
    AnswersCounted,
    CohortMeasured,
    PairAtRisk,
    RolloutRecommended,
    RolloutWithheld,
    SurveyAnswered,
    SurveyClosed,
    SurveyOpened,
)
from schemas.links import LinksRevoked
from schemas.matching import (
    CohortOpened,
    ManagerEnrolled,
    ManagerWithdrew,
    MentorVolunteered,
    MentorWithdrew,
    PairDissolved,
    PairFormed,
)
from schemas.scheduling import (
    AttendanceCorrected,
    GraduationWithdrawn,
    PairGraduated,
    SessionCompleted,
    SessionMissed,
)
from schemas.taking_part import ManagerReturned, MentorReturned
from services.chassis.documents import links_revoked
from services.chassis.domain import Change, Evolution, State
from services.feedback import counting, figures
from services.feedback.lookup import cohort_of, group_in, pair_in, turnout_in
from services.feedback.views import ALL, Cohort, Scores, Survey, Verdict, group_id, person_of

AT_ONCE = datetime(1970, 1, 1, tzinfo=UTC)
"""A moment that has come, whatever the time: a new cohort is measured at once."""

_Fold = Callable[[State, Any], Iterable[Change]]


def _opened(state: State, event: CohortOpened) -> Iterable[Change]:
    if cohort_of(state, event) is None:
        yield Cohort(
            id=event.cohort_id,
            cohort_id=event.cohort_id,
            name=event.name,
            policy=event.policy,
            due_at=AT_ONCE,
        )


def _policy_changed(_: State, cohort: Cohort, event: PolicyChanged) -> Iterable[Change]:
    yield cohort.model_copy(update={"policy": event.after})


def _in_cohort(change: Callable[[State, Cohort, Any], Iterable[Change]]) -> _Fold:
    """The fold of an event that changes something only in a cohort that was opened."""

    def fold(state: State, event: Event) -> Iterable[Change]:
        cohort = cohort_of(state, event)
        return () if cohort is None else change(state, cohort, event)

    return fold


def _counted(**by: int) -> _Fold:
    """The fold of an event that moves these counters of its cohort, and nothing else."""
    return _in_cohort(lambda _, cohort, __: (_moved(cohort, **by),))


def _moved(cohort: Cohort, **by: int) -> Cohort:
    """The cohort with its counters moved, and due when its next measure is.

    The last measure says when the next one is; if that moment has passed in a quiet time, the
    cohort is due at once. No counter falls below zero, for an operator may have dropped the
    parked record that would have counted somebody in.
    """
    counters = {name: max(0, getattr(cohort, name) + count) for name, count in by.items()}
    return cohort.model_copy(update={**counters, "due_at": cohort.due_at or cohort.next_at})


# Two services tell of a pair on two topics, so its end can be read before its beginning, and both
# of its ends in either order: then all of its sessions have taken place, and it counts as
# graduated, once.


def _pair_formed(state: State, cohort: Cohort, event: PairFormed) -> Iterable[Change]:
    pair = pair_in(state, event.cohort_id, event.pair_id)
    yield _moved(cohort, pairs_formed=1)
    if pair.state != "graduated":
        pair = pair.model_copy(update={"state": "standing"})
    yield pair


def _pair_dissolved(state: State, cohort: Cohort, event: PairDissolved) -> Iterable[Change]:
    pair = pair_in(state, event.cohort_id, event.pair_id)
    if pair.state != "graduated":
        yield _moved(cohort, pairs_dissolved=1)
        yield pair.model_copy(update={"state": "dissolved"})


def _pair_graduated(state: State, cohort: Cohort, event: PairGraduated) -> Iterable[Change]:
    pair = pair_in(state, event.cohort_id, event.pair_id)
    undone = -1 if pair.state == "dissolved" else 0
    yield _moved(cohort, pairs_graduated=1, pairs_dissolved=undone)
    yield pair.model_copy(update={"state": "graduated"})


def _graduation_withdrawn(
    state: State, cohort: Cohort, event: GraduationWithdrawn
) -> Iterable[Change]:
    pair = pair_in(state, event.cohort_id, event.pair_id)
    if pair.state == "graduated":
        yield _moved(cohort, pairs_graduated=-1)
        yield pair.model_copy(update={"state": "standing"})


def _session_completed(_: State, cohort: Cohort, event: SessionCompleted) -> Iterable[Change]:
    yield _moved(cohort, sessions_completed=1, sessions_presumed=int(event.presumed))


def _attendance_corrected(
    state: State, cohort: Cohort, event: AttendanceCorrected
) -> Iterable[Change]:
    by = int(event.held) - int(event.was_held)
    yield _moved(
        cohort,
        sessions_completed=by,
        sessions_missed=-by,
        sessions_presumed=-int(event.was_presumed),
    )
    if by:
        pair = pair_in(state, event.cohort_id, event.pair_id)
        yield pair.model_copy(update={"missed": max(0, pair.missed - by)})


def _session_missed(state: State, cohort: Cohort, event: SessionMissed) -> Iterable[Change]:
    pair = pair_in(state, event.cohort_id, event.pair_id)
    yield _moved(cohort, sessions_missed=1)
    yield pair.model_copy(update={"missed": pair.missed + 1})


def _pair_at_risk(state: State, _: Cohort, event: PairAtRisk) -> Iterable[Change]:
    pair = pair_in(state, event.cohort_id, event.pair_id)
    yield pair.model_copy(update={"at_risk": True, "causes": (*pair.causes, event.cause)})


def _survey_opened(state: State, _: Cohort, event: SurveyOpened) -> Iterable[Change]:
    yield Survey(
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
    for name in (ALL, group_id(event.kind, event.side)):
        turnout = turnout_in(state, event.cohort_id, name)
        yield turnout.model_copy(update={"opened": turnout.opened + 1})


def _survey_closed(state: State, cohort: Cohort, event: SurveyClosed) -> Iterable[Change]:
    yield _moved(cohort)
    survey = state.get(Survey, event.cohort_id, event.survey_id)
    if survey is not None:
        yield survey.model_copy(update={"state": event.outcome, "due_at": None})
    person, smallest = person_of(event.survey_id), cohort.policy.smallest_group
    answered = event.outcome == "answered"
    for name in (ALL, group_id(event.kind, event.side)):
        turnout = turnout_in(state, event.cohort_id, name)
        closed_for, by = turnout.closed_for, turnout.answered_by
        # Behind the figure of a question are only people who have surely answered it.
        counts = answered and (event.complete or name == ALL)
        counted = {
            "closed": turnout.closed + 1,
            "answered": turnout.answered + answered,
            "closed_for": _with(closed_for, person, smallest) if name == ALL else closed_for,
            "answered_by": _with(by, person, smallest) if counts else by,
        }
        if counts and name != ALL:
            counted["waiting_for"] = _with(turnout.waiting_for, person, smallest)
        yield turnout.model_copy(update=counted)


def _with(people: tuple[str, ...], person: str, most: int) -> tuple[str, ...]:
    """`people` and this person. More than `most` are not kept: it is known that they suffice."""
    return people if person in people or len(people) >= most else (*people, person)


def _survey_answered(state: State, _: Cohort, event: SurveyAnswered) -> Iterable[Change]:
    """The scores of its group; the `SurveyClosed` beside it moves the cohort."""
    group = group_in(state, event.cohort_id, group_id(event.kind, event.side))
    if event.sealed is not None:
        yield counting.answered(group, event.sealed, event.replaces)
        return
    scores = dict(group.scores)
    for question, score in event.scores.items():
        old = scores.get(question, Scores())
        scores[question] = Scores(answers=old.answers + 1, total=old.total + score)
    yield group.model_copy(update={"scores": scores})


def _answers_counted(state: State, _: Cohort, event: AnswersCounted) -> Iterable[Change]:
    """The scores of its group, of which none wait any more that could be opened."""
    name = group_id(event.kind, event.side)
    yield counting.counted(group_in(state, event.cohort_id, name), event)
    turnout = turnout_in(state, event.cohort_id, name)
    yield turnout.model_copy(update={"waiting_for": ()})


def _measured(state: State, cohort: Cohort, event: CohortMeasured) -> Iterable[Change]:
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
    yield cohort.model_copy(update=published)
    afresh: dict[str, dict[str, object]] = {
        name: {"answered_by": ()} for name in sorted(figures.moved(cohort.surveys, event.surveys))
    }
    if event.surveys_closed != cohort.surveys_closed:
        afresh.setdefault(ALL, {})["closed_for"] = ()
    if event.surveys_answered != cohort.surveys_answered:
        afresh.setdefault(ALL, {})["answered_by"] = ()
    for name, update in afresh.items():
        yield turnout_in(state, event.cohort_id, name).model_copy(update=update)


def _recommended(_: State, cohort: Cohort, event: RolloutRecommended) -> Iterable[Change]:
    return (_ruled(cohort, "recommended", event),)


def _withheld(_: State, cohort: Cohort, event: RolloutWithheld) -> Iterable[Change]:
    return (_ruled(cohort, "withheld", event),)


def _ruled(cohort: Cohort, verdict: Verdict, event: RolloutRecommended | RolloutWithheld) -> Cohort:
    return cohort.model_copy(update={"verdict": verdict, "criteria": event.criteria})


EVOLUTION: Evolution = {
    CohortOpened: _opened,
    LinksRevoked: links_revoked,
    PolicyChanged: _in_cohort(_policy_changed),
    MentorVolunteered: _counted(mentors=1),
    MentorWithdrew: _counted(mentors=-1),
    ManagerEnrolled: _counted(managers=1),
    ManagerWithdrew: _counted(managers=-1),
    MentorReturned: _counted(mentors=1),
    ManagerReturned: _counted(managers=1),
    PairFormed: _in_cohort(_pair_formed),
    PairDissolved: _in_cohort(_pair_dissolved),
    PairGraduated: _in_cohort(_pair_graduated),
    GraduationWithdrawn: _in_cohort(_graduation_withdrawn),
    SessionCompleted: _in_cohort(_session_completed),
    AttendanceCorrected: _in_cohort(_attendance_corrected),
    SessionMissed: _in_cohort(_session_missed),
    PairAtRisk: _in_cohort(_pair_at_risk),
    SurveyOpened: _in_cohort(_survey_opened),
    SurveyClosed: _in_cohort(_survey_closed),
    SurveyAnswered: _in_cohort(_survey_answered),
    AnswersCounted: _in_cohort(_answers_counted),
    CohortMeasured: _in_cohort(_measured),
    RolloutRecommended: _in_cohort(_recommended),
    RolloutWithheld: _in_cohort(_withheld),
}
"""Event to the documents that it changes."""
