"""What the check says of surveys: asked once, closed once, answers counted."""

import pytest

from tests.deploy.trial.check.builder import COHORT
from tests.deploy.trial.check.stories import (
    judged,
    names,
    only_doubled,
    only_lost,
    planned_run,
    whole_run,
)


def test_a_survey_that_was_not_opened_is_lost() -> None:
    run = planned_run()
    run.session("SessionCompleted", "m-1~g-1~1", 1, 40, (), revision=1)
    run.survey("m-1~g-1~s1~mentor")
    only_lost(judged(run), "survey", "m-1~g-1~s1~manager", "was never opened")


def test_a_survey_that_was_opened_twice_is_doubled() -> None:
    run = whole_run()
    run.survey("m-1~g-1~end~mentor")
    assert names(judged(run).doubled, "SurveyOpened", "m-1~g-1~end~mentor", "opened already")


def test_a_survey_that_nothing_asks_for_is_lost() -> None:
    run = planned_run()
    run.survey("m-1~g-1~end~mentor")
    only_lost(judged(run), "m-1~g-1~end~mentor", "nothing asks for it")


def test_a_survey_that_was_closed_twice_is_doubled() -> None:
    run = whole_run()
    run.close("m-1~g-1~start~manager", "expired")
    only_doubled(judged(run), "SurveyClosed", "m-1~g-1~start~manager", "was expired already")


@pytest.mark.parametrize(("answers", "doubled"), [(0, False), (2, True)])
def test_there_are_as_many_answers_as_surveys_that_were_answered(
    answers: int, doubled: bool
) -> None:
    run = planned_run()
    about = {"survey_id": "m-1~g-1~start~mentor", "kind": "start", "side": "mentor"}
    for _ in range(answers):
        run.fact("feedback", "SurveyAnswered", COHORT, scores={}, **about)
    run.fact("feedback", "SurveyClosed", about["survey_id"], outcome="answered", **about)
    run.row("feedback", "surveys", about["survey_id"], state="answered")
    for what in ("closed", "answered"):
        run.count(what, "start", "mentor")
    only = only_doubled if doubled else only_lost
    only(judged(run), "start~mentor", f"there are {answers} answers")
