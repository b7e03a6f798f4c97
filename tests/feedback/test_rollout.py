"""Whether the programme counts as run in."""

from datetime import UTC, datetime

import pytest

from schemas.feedback import CohortMeasured, RolloutRecommended, RolloutWithheld
from schemas.values import CohortPolicy, Criterion, RolloutCriteria, SurveyFigure
from services.feedback import figures
from tests.feedback.given import (
    DOMAIN,
    answer,
    begun,
    cohort,
    completed,
    dissolved,
    formed,
    graduated,
    missed,
    opened,
    volunteered,
)
from tests.scenario import Scenario, kinds

NOTHING_ASKED = RolloutCriteria(
    pairs_graduated=0, graduation_rate=0, completion_rate=0, response_rate=0, satisfaction=1
)
SOON = RolloutCriteria(
    pairs_graduated=3,
    graduation_rate=0.5,
    completion_rate=0.5,
    response_rate=0.5,
    satisfaction=3.5,
)


def _measure(**changes: object) -> CohortMeasured:
    fields: dict[str, object] = {
        "cohort_id": "bercy-2017",
        "measured_at": datetime(2017, 3, 6, tzinfo=UTC),
        "next_at": datetime(2017, 3, 13, tzinfo=UTC),
        "mentors": 0,
        "managers": 0,
        "pairs_formed": 0,
        "pairs_graduated": 0,
        "pairs_dissolved": 0,
        "sessions_completed": 0,
        "sessions_missed": 0,
        "surveys_closed": None,
        "surveys_answered": None,
        "surveys": (),
    }
    return CohortMeasured.model_validate(fields | changes)


def _figure(side: str, answers: int | None, mean: float | None) -> SurveyFigure:
    return SurveyFigure(
        kind="session", side=side, question="usefulness", answers=answers, mean=mean
    )


def _criterion(measure: CohortMeasured, name: str) -> Criterion:
    criteria = figures.criteria(measure, CohortPolicy())
    (found,) = (criterion for criterion in criteria if criterion.name == name)
    return found


@pytest.mark.parametrize(
    ("name", "measure", "value", "met"),
    [
        ("pairs_graduated", {"pairs_graduated": 19}, 19, False),
        ("pairs_graduated", {"pairs_graduated": 20}, 20, True),
        ("graduation_rate", {"pairs_graduated": 7, "pairs_dissolved": 3}, 0.7, True),
        ("graduation_rate", {"pairs_graduated": 6, "pairs_dissolved": 4}, 0.6, False),
        ("graduation_rate", {"pairs_formed": 9}, None, False),
        ("completion_rate", {"sessions_completed": 3, "sessions_missed": 1}, 0.75, True),
        ("completion_rate", {"sessions_completed": 2, "sessions_missed": 1}, 0.6667, False),
        ("response_rate", {"surveys_closed": 20, "surveys_answered": 10}, 0.5, True),
        ("response_rate", {"surveys_closed": 20, "surveys_answered": None}, None, False),
        ("satisfaction", {"surveys": (_figure("manager", None, None),)}, None, False),
        ("satisfaction", {"surveys": (_figure("manager", 5, 3.5),)}, 3.5, True),
        (
            "satisfaction",
            {"surveys": (_figure("manager", 30, 3.0), _figure("mentor", 10, 4.0))},
            3.25,
            False,
        ),
    ],
)
def test_a_criterion_is_held_against_the_published_figures(name, measure, value, met):
    criterion = _criterion(_measure(**measure), name)
    assert (criterion.value, criterion.met) == (value, met)


def test_a_criterion_that_asks_for_nothing_is_met_even_when_too_few_answered():
    criteria = figures.criteria(_measure(), CohortPolicy(rollout=NOTHING_ASKED))
    assert all(criterion.met for criterion in criteria)


def test_a_new_cohort_is_ruled_on_at_once():
    scenario = Scenario(DOMAIN)
    scenario.when(opened())
    scenario.when_due()
    assert kinds(scenario.events) == ["CohortMeasured", "RolloutWithheld"]
    assert cohort(scenario).verdict == "withheld"


def test_a_verdict_is_not_repeated_while_no_criterion_has_moved():
    scenario = begun()
    scenario.when(volunteered(1))
    scenario.later(days=7).when_due()
    assert kinds(scenario.events) == ["CohortMeasured"]


def test_a_verdict_is_told_again_when_another_criterion_is_met():
    scenario = begun()
    scenario.when(completed(1))
    scenario.later(days=7).when_due()
    ruled = [event for event in scenario.events if isinstance(event, RolloutWithheld)]
    assert [_met(event.criteria) for event in ruled] == [{"completion_rate"}]


def test_a_verdict_is_told_again_when_a_criterion_is_met_no_more():
    scenario = begun()
    scenario.when(completed(1))
    scenario.later(days=7).when_due()
    scenario.when(missed(1, 2))
    scenario.later(days=7).when_due()
    ruled = [event for event in scenario.events if isinstance(event, RolloutWithheld)]
    assert [_met(event.criteria) for event in ruled] == [{"completion_rate"}, set()]


def test_the_roll_out_is_recommended_once_every_criterion_is_met_and_withheld_again_if_not():
    scenario = begun(CohortPolicy(smallest_group=3, rollout=SOON))
    for number in range(1, 4):
        for message in (formed(number), completed(number), graduated(number)):
            scenario.when(message)
        for occasion in ("start", "s1", "end"):
            scenario.when(answer(number, occasion, "mentor"))
            scenario.when(answer(number, occasion, "manager"))
    scenario.later(days=7).when_due()
    assert cohort(scenario).verdict == "recommended"
    assert isinstance(scenario.events[-1], RolloutRecommended)
    for number in range(4, 8):
        scenario.when(formed(number))
        scenario.when(dissolved(number))
    scenario.later(days=7).when_due()
    assert isinstance(scenario.events[-1], RolloutWithheld)
    assert cohort(scenario).verdict == "withheld"


def test_a_verdict_is_told_again_when_the_value_of_a_criterion_has_moved():
    scenario = begun()
    scenario.when(graduated(1))
    scenario.later(days=7).when_due()
    scenario.when(graduated(2))
    scenario.later(days=7).when_due()
    ruled = [event for event in scenario.events if isinstance(event, RolloutWithheld)]
    assert [event.criteria[0].value for event in ruled] == [1, 2]
    assert cohort(scenario).criteria[0].value == 2


def _met(criteria):
    return {criterion.name for criterion in criteria if criterion.met}
