"""What the check says of surveys: asked once, closed once, answers counted."""

import pytest

from tests.deploy.trial.check.builder import COHORT, Run
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


START = {"kind": "start", "side": "mentor"}


def _answered(*seals: str) -> Run:
    """A survey was answered, by the first of these seals, in whose place the others came."""
    run = planned_run()
    about = {"survey_id": "m-1~g-1~start~mentor", **START}
    before = None
    for sealed in seals:
        _said(run, sealed, before)
        before = sealed
    run.fact("feedback", "SurveyClosed", about["survey_id"], outcome="answered", **about)
    run.row("feedback", "surveys", about["survey_id"], state="answered")
    for what in ("closed", "answered"):
        run.count(what, "start", "mentor")
    return run


def _said(run: Run, sealed: str, replaces: str | None) -> None:
    run.fact(
        "feedback", "SurveyAnswered", COHORT, scores={}, sealed=sealed, replaces=replaces, **START
    )


def _counted(run: Run, answers: int, *unopened: str) -> None:
    sums = {"expectations": {"answers": answers, "total": 4 * answers}}
    run.fact("feedback", "AnswersCounted", COHORT, sums=sums, unopened=[*unopened], **START)


def test_an_answer_that_was_changed_is_one_answer_and_counted_once() -> None:
    run = _answered("a", "b", "c")
    _counted(run, 1)
    assert judged(run).clean


def test_an_answer_that_counts_beside_the_one_that_it_replaces_is_doubled() -> None:
    run = _answered("a", "b")
    _counted(run, 2)
    only_doubled(judged(run), "AnswersCounted", "2 answers are counted, there were 1")


@pytest.mark.parametrize("when", ["of nobody", "after the count"])
def test_what_replaces_an_answer_that_does_not_wait_is_doubled(when: str) -> None:
    run = _answered("a")
    if when == "after the count":
        _counted(run, 1)
    _said(run, "b", "x" if when == "of nobody" else "a")
    only_doubled(judged(run), "SurveyAnswered", "does not wait any more")


def test_what_was_put_aside_waits_on_and_can_be_replaced() -> None:
    run = _answered("a")
    _counted(run, 0, "a")
    _said(run, "b", "a")
    assert judged(run).clean
