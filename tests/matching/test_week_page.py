"""The page behind the link of a letter that says that there is no hour in common."""

import pytest

from schemas.matching import ChangeAvailability
from services.chassis.http.links import Link
from services.chassis.http.problems import Problem
from services.matching.pages import LINK_PAGES

PAGE = LINK_PAGES["week"]
LINK = Link(purpose="week", cohort_id="c", person_id="m1", side="mentor", id="m1~g1")


def test_ten_half_days_are_offered_in_both_languages() -> None:
    fields = PAGE.form(LINK).fields
    assert len(fields) == 10
    assert fields[0].label.fr == "Lundi matin, 9 h – 12 h 30"
    assert fields[9].label.en == "Friday afternoon, 13:30 – 18:00"


def test_what_is_ticked_is_the_week_of_whoever_has_the_link() -> None:
    command = PAGE.command(LINK, {"fri-pm": "yes", "mon-am": "yes", "other": "yes"}, "")
    assert isinstance(command, ChangeAvailability)
    assert command.person_id == "m1"
    week = [(w.day, w.start, w.end) for w in command.availability]
    assert week == [("mon", "09:00", "12:30"), ("fri", "13:30", "18:00")]


def test_a_week_without_any_half_day_is_told_what_to_do() -> None:
    with pytest.raises(Problem, match="at least one half-day"):
        PAGE.command(LINK, {}, "")
