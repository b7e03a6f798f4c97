"""From what was counted to what may be told, and from that to the roll-out's verdict.

Always holds: a figure from surveys speaks of at least `policy.smallest_group` answers, given by
at least as many people, and it moves only once as many new answers from as many people have come
since it was last published. So neither one figure nor the difference of two tells what a few
people said. Of a question that may be left out this holds because only those count as a group's
people who have left none out. The criteria are worked out from published figures only: they tell
nothing more.
"""

from collections.abc import Mapping
from datetime import datetime, timedelta

from schemas.feedback import CohortMeasured
from schemas.values import CohortPolicy, Criterion, RolloutCriteria, SurveyFigure
from services.feedback.questionnaire import KINDS, SIDES, USEFULNESS, question_ids
from services.feedback.views import ALL, Cohort, Group, Scores, Turnout, Verdict, group_id


def measured(
    cohort: Cohort, groups: Mapping[str, Group], turnouts: Mapping[str, Turnout], now: datetime
) -> CohortMeasured:
    """The figures of a cohort that may be published now; `groups` and `turnouts` by their id."""
    closed, answered = _turnout(cohort, turnouts[ALL])
    return CohortMeasured(
        cohort_id=cohort.cohort_id,
        measured_at=now,
        next_at=now + timedelta(days=cohort.policy.measure_days),
        mentors=cohort.mentors,
        managers=cohort.managers,
        pairs_formed=cohort.pairs_formed,
        pairs_graduated=cohort.pairs_graduated,
        pairs_dissolved=cohort.pairs_dissolved,
        sessions_completed=cohort.sessions_completed,
        sessions_missed=cohort.sessions_missed,
        sessions_presumed=cohort.sessions_presumed,
        surveys_closed=closed,
        surveys_answered=answered,
        surveys=_surveys(cohort, groups, turnouts),
    )


def criteria(figures: CohortMeasured, policy: CohortPolicy) -> tuple[Criterion, ...]:
    """Every criterion of the roll-out, held against the figures as they are published."""
    ended = figures.pairs_graduated + figures.pairs_dissolved
    held = figures.sessions_completed + figures.sessions_missed
    values = {
        "pairs_graduated": float(figures.pairs_graduated),
        "graduation_rate": _rate(figures.pairs_graduated, ended),
        "completion_rate": _rate(figures.sessions_completed, held),
        "response_rate": _rate(figures.surveys_answered, figures.surveys_closed),
        "satisfaction": _satisfaction(figures),
    }
    asked: RolloutCriteria = policy.rollout
    return (
        _criterion("pairs_graduated", asked.pairs_graduated, values),
        _criterion("graduation_rate", asked.graduation_rate, values),
        _criterion("completion_rate", asked.completion_rate, values).model_copy(
            update={"presumed": figures.sessions_presumed}
        ),
        _criterion("response_rate", asked.response_rate, values),
        _criterion("satisfaction", asked.satisfaction, values, least=1),
    )


def verdict(criteria: tuple[Criterion, ...]) -> Verdict:
    """Recommended when every criterion is met."""
    return "recommended" if all(criterion.met for criterion in criteria) else "withheld"


def moved(before: tuple[SurveyFigure, ...], after: tuple[SurveyFigure, ...]) -> frozenset[str]:
    """The ids of the groups of which another figure is published than before."""
    old = _published(before)
    return frozenset(
        group_id(figure.kind, figure.side)
        for figure in after
        if figure.answers != _answers(old.get((figure.kind, figure.side, figure.question)))
    )


def _turnout(cohort: Cohort, turnout: Turnout) -> tuple[int | None, int | None]:
    """How many surveys were closed, and answered.

    The second moves only together with the first: so it never exceeds it, and what it lags
    behind (fewer answers than the smallest group) understates the response rate rather than
    overstates it.
    """
    smallest = cohort.policy.smallest_group
    new = turnout.closed - (cohort.surveys_closed or 0)
    if new < smallest or len(turnout.closed_for) < smallest:
        return cohort.surveys_closed, cohort.surveys_answered
    new = turnout.answered - (cohort.surveys_answered or 0)
    if new < smallest or len(turnout.answered_by) < smallest:
        return turnout.closed, cohort.surveys_answered
    return turnout.closed, turnout.answered


def _surveys(
    cohort: Cohort, groups: Mapping[str, Group], turnouts: Mapping[str, Turnout]
) -> tuple[SurveyFigure, ...]:
    """A figure for every question asked today, and for those of earlier questionnaires."""
    published = _published(cohort.surveys)
    smallest = cohort.policy.smallest_group
    figures: list[SurveyFigure] = []
    for kind, side in ((kind, side) for kind in KINDS for side in SIDES):
        scores = groups[group_id(kind, side)].scores
        enough = len(turnouts[group_id(kind, side)].answered_by) >= smallest
        for question in dict.fromkeys((*question_ids(kind, side), *scores)):
            last = published.get((kind, side, question)) or SurveyFigure(
                kind=kind, side=side, question=question, answers=None, mean=None
            )
            figures.append(_figure(last, scores.get(question, Scores()), smallest, enough))
    return tuple(figures)


def _figure(last: SurveyFigure, scores: Scores, smallest: int, enough: bool) -> SurveyFigure:
    """The figure as it is now, if enough have answered since it last moved; else as it was."""
    if not enough or scores.answers - (last.answers or 0) < smallest:
        return last
    mean = round(scores.total / scores.answers, 2)
    return last.model_copy(update={"answers": scores.answers, "mean": mean})


def _published(
    figures: tuple[SurveyFigure, ...],
) -> dict[tuple[str, str, str], SurveyFigure]:
    return {(figure.kind, figure.side, figure.question): figure for figure in figures}


def _answers(figure: SurveyFigure | None) -> int | None:
    return None if figure is None else figure.answers


def _rate(part: int | None, whole: int | None) -> float | None:
    if part is None or not whole:
        return None
    return round(part / whole, 4)


def _satisfaction(figures: CohortMeasured) -> float | None:
    """The mean usefulness over both sides, as far as they are published."""
    useful = [
        (figure.answers, figure.mean)
        for figure in figures.surveys
        if figure.kind == "session" and figure.question == USEFULNESS
    ]
    known = [(answers, mean) for answers, mean in useful if answers and mean is not None]
    answers = sum(answers for answers, _ in known)
    return round(sum(n * mean for n, mean in known) / answers, 2) if answers else None


def _criterion(
    name: str, threshold: float, values: Mapping[str, float | None], least: float = 0
) -> Criterion:
    """One criterion. A threshold of the `least` possible value asks for nothing: it is met."""
    value = values[name]
    is_met = threshold <= least or (value is not None and value >= threshold)
    return Criterion.model_validate(
        {"name": name, "threshold": threshold, "value": value, "met": is_met}
    )
