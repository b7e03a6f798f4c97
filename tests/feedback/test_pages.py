"""The page of a survey: every question can be left out, and it is said that answers are final."""

import pytest

from schemas.feedback import AnswerSurvey
from services.chassis.domain import State
from services.chassis.http.foresight import Unread
from services.chassis.http.forms import About
from services.chassis.http.links import Link
from services.chassis.http.problems import Problem
from services.feedback.pages import LINK_PAGES
from tests.scenario import NOW

PAGE = LINK_PAGES["survey"]
LINK = Link(
    purpose="survey", cohort_id="c", person_id="g-1", side="manager", id="m-1~g-1~s1~manager"
)


def test_every_question_is_optional_and_the_page_says_what_becomes_of_the_answers():
    form = PAGE.form(Unread(), LINK, NOW)
    assert form.title.fr == "Votre avis sur la séance"
    assert [choice.required for choice in form.choices] == [False] * 3
    assert form.notice is not None and "facultative" in form.notice.fr
    assert form.then is not None and "vous ne pourrez pas les changer" in form.then.fr


def test_what_is_answered_is_sent_and_what_is_left_out_is_not():
    command = PAGE.command(LINK, {"usefulness": "4"}, "token")
    assert isinstance(command, AnswerSurvey)
    assert (command.scores, command.proof) == ({"usefulness": 4}, "token")


def test_an_answer_to_what_was_not_asked_is_refused_by_its_name():
    with pytest.raises(Problem) as caught:
        PAGE.command(LINK, {"usefulness": "4", "weather": "1"}, "token")
    assert caught.value.body["rule"] == "wrong-answers"
    assert "weather not asked" in caught.value.body["title"]


def test_a_survey_page_does_not_tell_whether_it_was_answered():
    state = State()  # whatever is asked of it would be `NotLoaded`
    assert PAGE.about(state, LINK) == About()
    assert PAGE.form(state, LINK, NOW).choices
