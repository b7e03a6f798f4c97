"""When a coordinator should speak with a pair, and how a pair is counted."""

import pytest

from schemas.feedback import PairAtRisk
from services.feedback.views import Pair
from tests.feedback.given import (
    COHORT,
    DOMAIN,
    answer,
    begun,
    cohort,
    completed,
    dissolved,
    formed,
    graduated,
    missed,
    pair,
    stalled,
)
from tests.scenario import Scenario, kinds, refusal


def _pair(scenario: Scenario, number: int = 1) -> Pair:
    found = scenario.state.get(Pair, COHORT, pair(number))
    assert found is not None
    return found


def _risk(cause: str) -> PairAtRisk:
    return PairAtRisk(
        cohort_id=COHORT, pair_id=pair(1), mentor_id="m-1", manager_id="g-1", cause=cause
    )


@pytest.mark.parametrize("score", [1, 2])
def test_a_session_of_little_use_puts_the_pair_at_risk(score):
    scenario = begun()
    scenario.when(completed(1))
    assert scenario.when(answer(1, score=score))[2:] == [_risk("low_scores")]


def test_a_session_of_some_use_does_not_put_the_pair_at_risk():
    scenario = begun()
    scenario.when(completed(1))
    assert kinds(scenario.when(answer(1, score=3))) == ["SurveyAnswered", "SurveyClosed"]


def test_only_usefulness_counts_for_the_risk():
    scenario = begun()
    scenario.when(completed(1))
    command = answer(1, score=1)
    useful = command.model_copy(update={"scores": {**command.scores, "usefulness": 4}})
    assert kinds(scenario.when(useful)) == ["SurveyAnswered", "SurveyClosed"]


def test_the_third_missed_session_puts_the_pair_at_risk():
    scenario = begun()
    assert [kinds(scenario.when(missed(1))) for _ in range(4)] == [[], [], ["PairAtRisk"], []]
    assert _pair(scenario).causes == ("missed_sessions",)


def test_missed_sessions_of_other_pairs_do_not_count():
    scenario = begun()
    assert [kinds(scenario.when(missed(number))) for number in (1, 2, 3)] == [[], [], []]


def test_a_stalled_pair_is_at_risk():
    assert list(begun().when(stalled(1))) == [_risk("stalled")]


def test_a_pair_is_at_risk_once_for_each_cause():
    scenario = begun()
    scenario.when(completed(1))
    scenario.when(answer(1, score=1))
    assert kinds(scenario.when(answer(1, side="mentor", score=1))) == [
        "SurveyAnswered",
        "SurveyClosed",
    ]
    assert kinds(scenario.when(stalled(1))) == ["PairAtRisk"]
    assert kinds(scenario.when(stalled(1))) == []
    assert _pair(scenario).causes == ("low_scores", "stalled")
    assert _pair(scenario).at_risk


@pytest.mark.parametrize("message", [missed(1), stalled(1), dissolved(1), completed(1)])
def test_what_happens_in_an_unknown_cohort_is_refused(message):
    assert refusal(Scenario(DOMAIN).when(message)) == "unknown-cohort"


def test_a_pair_counts_as_formed_then_as_what_it_became():
    scenario = begun()
    for message in (formed(1), formed(2), formed(3), dissolved(2), graduated(3)):
        scenario.when(message)
    found = cohort(scenario)
    assert (found.pairs_formed, found.pairs_graduated, found.pairs_dissolved) == (3, 1, 1)
    assert [_pair(scenario, n).state for n in (1, 2, 3)] == ["standing", "dissolved", "graduated"]


@pytest.mark.parametrize("ends", [(graduated(1), dissolved(1)), (dissolved(1), graduated(1))])
def test_a_pair_that_graduated_and_was_dissolved_counts_as_graduated_in_either_order(ends):
    scenario = begun()
    for message in (formed(1), *ends):
        scenario.when(message)
    found = cohort(scenario)
    assert (found.pairs_graduated, found.pairs_dissolved) == (1, 0)
    assert _pair(scenario).state == "graduated"


def test_a_pair_whose_beginning_is_read_after_its_end_is_still_graduated():
    scenario = begun()
    scenario.when(graduated(1))
    scenario.when(formed(1))
    assert _pair(scenario).state == "graduated"
