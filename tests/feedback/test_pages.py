"""The page of a survey: every question is optional; it says until when answers can be changed."""

import pytest

from schemas.feedback import AnswerSurvey
from schemas.saying import day_and_time
from services.chassis.http.foresight import Unread
from services.chassis.http.forms import About
from services.chassis.http.links import Link
from services.chassis.http.problems import Problem
from services.feedback.pages import link_pages
from services.feedback.surveys import COUNTED
from services.feedback.views import Survey
from tests.feedback.given import COHORT, SEAL, answer, begun, completed, formed
from tests.scenario import NOW

PAGE = link_pages(SEAL)["survey"]
LINK = Link(
    purpose="survey", cohort_id="c", person_id="g-1", side="manager", id="m-1~g-1~s1~manager"
)


def test_every_question_is_optional_and_the_page_says_what_becomes_of_the_answers():
    form = PAGE.form(Unread(), LINK, NOW)
    assert form.title.fr == "Votre avis sur la séance"
    assert [choice.required for choice in form.choices] == [False] * 3
    assert form.hint is not None and "facultative" in form.hint.fr
    assert form.then is not None
    assert form.then.fr.startswith(
        "Vous pourrez changer vos réponses par le même lien, tant qu’elles n’ont pas été comptées"
    )


def test_what_is_answered_is_sent_and_what_is_left_out_is_not():
    command = PAGE.command(LINK, {"usefulness": "4"}, "token")
    assert isinstance(command, AnswerSurvey)
    assert command.proof == "token"
    assert command.scores == {}
    assert SEAL.open(command.sealed or "") == {"usefulness": 4}


def test_without_a_key_of_its_own_it_is_sent_as_older_processes_read_it():
    command = link_pages(None)["survey"].command(LINK, {"usefulness": "4"}, "token")
    assert isinstance(command, AnswerSurvey)
    assert (command.scores, command.sealed) == ({"usefulness": 4}, None)


def test_an_answer_to_what_was_not_asked_is_refused_by_its_name():
    with pytest.raises(Problem) as caught:
        PAGE.command(LINK, {"usefulness": "4", "weather": "1"}, "token")
    assert caught.value.body["rule"] == "wrong-answers"
    assert "weather not asked" in caught.value.body["title"]


def test_a_survey_page_does_not_tell_whether_it_was_answered():
    scenario = begun()
    scenario.when(formed(1))
    scenario.when(completed(1))
    state = scenario.state
    [survey, *_] = state.whole(Survey, COHORT)
    link = Link(
        purpose="survey",
        cohort_id=COHORT,
        person_id=survey.id.split("~")[0 if survey.side == "mentor" else 1],
        side=survey.side,
        id=survey.id,
    )
    unanswered = PAGE.form(state, link, NOW)
    about = PAGE.about(state, link)
    state.apply([survey.model_copy(update={"state": "answered", "due_at": None})])
    assert PAGE.form(state, link, NOW) == unanswered
    assert unanswered.choices
    assert told(PAGE.about(state, link)) == told(about)


def told(about: About) -> list[tuple[str, str, str]]:
    return [(what.fr, said.fr, said.en) for what, said in about.lines]


def test_a_survey_page_says_with_whom_of_which_session_and_until_when():
    scenario = begun()
    scenario.when(formed(1))
    scenario.when(completed(1))
    [survey] = [one for one in scenario.state.whole(Survey, COHORT) if "~s1~mentor" in one.id]
    person = survey.id.split("~")[0]
    link = Link(purpose="survey", cohort_id=COHORT, person_id=person, side="mentor", id=survey.id)
    lines = told(PAGE.about(scenario.state, link))
    assert [line[0] for line in lines] == ["Avec", "Séance", "Répondre jusqu’au"]
    assert lines[1][1] == "1"


def test_before_anybody_has_said_that_the_session_took_place_the_page_asks_for_that_first():
    scenario = begun()
    scenario.when(formed(1))
    scenario.when(completed(1))
    state = scenario.state
    [survey, *_] = state.whole(Survey, COHORT)
    pair, _, _ = survey.id.rsplit("~", 2)
    early = Link(
        purpose="survey", cohort_id=COHORT, person_id="x", side="manager", id=f"{pair}~s4~manager"
    )
    form = PAGE.form(state, early, NOW)
    assert not form.choices
    assert form.notice is not None and "d’abord" in form.notice.fr


def test_a_survey_page_says_until_when_answers_can_be_changed_before_the_button_and_after_it():
    scenario = begun()
    scenario.when(completed(1))
    state = scenario.state
    survey = state.get(Survey, COHORT, LINK.id)
    link = LINK.model_copy(update={"cohort_id": COHORT})
    before, after = PAGE.form(state, link, NOW).then, PAGE.after(state, link, answer(1))
    assert survey is not None and before is not None and after is not None
    for text in (before, after):
        assert f", jusqu’au {day_and_time(survey.closes_at, 'fr')} et tant qu’elles" in text.fr
        assert f", until {day_and_time(survey.closes_at, 'en')} and as long as" in text.en
    assert "remplace la précédente" in before.fr
    assert "replaces the one before" in before.en
    unread = PAGE.after(Unread(), link, answer(1))
    assert unread is not None and "jusqu’au" not in unread.fr


def test_whoever_comes_too_late_to_change_an_answer_is_told_why_in_plain_words():
    words = PAGE.refusals[COUNTED.rule]
    assert words.fr == (
        "Votre réponse a été comptée avec les autres, sans nom ; elle ne peut plus être retrouvée."
    )
    assert "cannot be found again" in words.en
