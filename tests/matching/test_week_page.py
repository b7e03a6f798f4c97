"""The page behind the link of a letter that says that there is no hour in common."""

from datetime import UTC, datetime

import pytest

from schemas.matching import ChangeAvailability
from services.chassis.http.foresight import Unread
from services.chassis.http.links import Link
from services.chassis.http.problems import Problem
from services.matching.pages import LINK_PAGES

NOW = datetime(2017, 3, 6, 9, tzinfo=UTC)
PAGE = LINK_PAGES["week"]
LINK = Link(purpose="week", cohort_id="c", person_id="m1", side="mentor", id="m1~g1")


def test_ten_half_days_are_offered_by_day_in_both_languages() -> None:
    (choice,) = PAGE.form(Unread(), LINK, NOW).choices
    days = [(under.fr if under else "", len(options)) for under, options in choice.groups]
    assert days == [(day, 2) for day in ("Lundi", "Mardi", "Mercredi", "Jeudi", "Vendredi")]
    assert choice.options[0].text.fr == "matin, 9 h – 12 h 30"
    assert choice.options[9].text.en == "afternoon, 13:30 – 18:00"


def test_a_half_day_that_is_ticked_answers_the_question_and_none_is_asked_for() -> None:
    form = PAGE.form(Unread(), LINK, NOW)
    assert form.missing({"fri-pm": "yes"}) == []
    assert form.missing({"other": "yes"}) == list(form.choices)


def test_what_is_ticked_is_the_week_of_whoever_has_the_link() -> None:
    command = PAGE.command(LINK, {"fri-pm": "yes", "mon-am": "yes", "other": "yes"}, "")
    assert isinstance(command, ChangeAvailability)
    assert command.person_id == "m1"
    week = [(w.day, w.start, w.end) for w in command.availability]
    assert week == [("mon", "09:00", "12:30"), ("fri", "13:30", "18:00")]


def test_a_week_without_any_half_day_is_told_what_to_do() -> None:
    with pytest.raises(Problem, match="at least one half-day"):
        PAGE.command(LINK, {}, "")
