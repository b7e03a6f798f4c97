"""Absences, hours beyond the week, public holidays of a region: what they do to sessions."""

import pytest
from pydantic import ValidationError

from schemas.matching import PairFormed
from schemas.scheduling import SessionShifted
from schemas.values import CohortPolicy, SiteRegion
from services.scheduling.handlers import DOMAIN
from tests.scenario import Scenario, kinds, refusal
from tests.scheduling.given import (
    MANAGER,
    TUESDAY,
    WEDNESDAY,
    away,
    back,
    formed,
    free_on,
    opened,
    paris,
    planned,
    standing,
    the_calendar,
    the_session,
    week,
)


def test_a_session_in_an_absence_moves_to_the_next_common_slot_and_is_told_once() -> None:
    scenario = standing()
    decision = scenario.when(away("2017-03-27", "2017-03-31"))
    assert kinds(decision) == ["AbsenceDeclared", "SessionShifted"]
    shifted = scenario.events[-1]
    assert isinstance(shifted, SessionShifted)
    assert (shifted.number, shifted.cause) == (2, "absence")
    assert (shifted.previously_at, shifted.starts_at) == (paris(3, 28, 10), paris(3, 21, 10))


def test_an_absence_of_some_hours_leaves_the_others() -> None:
    scenario = standing()
    scenario.when(away("2017-03-28", hours="10:00-11:00"))
    assert the_session(scenario, 2).starts_at == paris(3, 21, 10)
    assert kinds(scenario.when(away("2017-04-11", hours="11:00-12:00"))) == ["AbsenceDeclared"]


def test_a_long_absence_moves_all_that_lies_in_it_and_keeps_the_order() -> None:
    scenario = standing()
    decision = scenario.when(away("2017-03-20", "2017-04-30"))
    assert kinds(decision) == ["AbsenceDeclared", *["SessionShifted"] * 4]
    starts = [the_session(scenario, number).starts_at for number in range(1, 6)]
    assert starts == [paris(3, 14, 10), *(paris(5, day, 10) for day in (2, 9, 16, 23))]


def test_a_mentor_who_is_away_is_away_for_all_of_their_pairs() -> None:
    scenario = standing()
    scenario.when(formed(manager_id="g-2"))
    decision = scenario.when(away("2017-03-27", "2017-03-31"))
    assert kinds(decision) == ["AbsenceDeclared", *["SessionShifted"] * 2]
    moved = [e for e in scenario.events if isinstance(e, SessionShifted)]
    assert [e.starts_at for e in moved] == [paris(3, 21, 10), paris(3, 21, 11)]


def test_what_finds_no_date_any_more_waits_and_comes_back_with_its_mentor() -> None:
    scenario = standing(CohortPolicy(sessions=2))
    decision = scenario.when(away("2017-03-20", "2018-03-05"))
    assert kinds(decision) == ["AbsenceDeclared", "SessionPostponed", "PlanningPostponed"]
    again = scenario.when(back("2017-03-20"))
    assert kinds(again) == ["AbsenceWithdrawn", "SessionPlanned"]
    assert the_session(scenario, 2).starts_at == paris(4, 4, 10)


def test_a_single_date_beyond_both_weeks_is_found() -> None:
    scenario = standing(mentor=TUESDAY, manager=WEDNESDAY)
    decision = scenario.when(free_on("2017-03-15", "09:00-12:00"))
    assert kinds(decision) == ["HoursOffered", "SessionPlanned", "PlanningPostponed"]
    assert planned(decision)[0].starts_at == paris(3, 15, 10)
    assert scenario.when(free_on("2017-03-15", "09:00-12:00")) == []
    assert kinds(scenario.when(free_on("2017-03-15"))) == ["HoursOffered"]
    assert the_calendar(scenario, "m-1").offered == ()


def test_who_is_away_is_away_whatever_was_offered() -> None:
    scenario = standing(mentor=TUESDAY, manager=WEDNESDAY)
    scenario.when(away("2017-03-15"))
    assert kinds(scenario.when(free_on("2017-03-15", "09:00-12:00"))) == ["HoursOffered"]


@pytest.mark.parametrize(
    ("site", "day"),
    [("Metz", 18), ("Strasbourg", 18), ("Saint-Denis", 14), ("Paris", 14)],
)
def test_the_public_holidays_of_a_persons_site_are_kept_free(site: str, day: int) -> None:
    """Good Friday, 14 April 2017, is a day off in Alsace-Moselle alone."""
    regions = (
        SiteRegion(site="Metz", region="57"),
        SiteRegion(site="Strasbourg", region="67"),
        SiteRegion(site="Saint-Denis", region="974"),
    )
    days = week(("fri", "10:00", "11:00"), ("tue", "10:00", "11:00"))
    scenario = Scenario(DOMAIN).given(opened(CohortPolicy(sessions=1, regions=regions)))
    scenario.now = paris(4, 11, 10)
    joined = formed(days, days).model_copy(update={"manager_site": site, "mentor_site": "Paris"})
    (first,) = planned(scenario.when(PairFormed.model_validate(joined.model_dump())))
    assert first.starts_at == paris(4, day, 10)


def test_the_abolition_of_slavery_is_a_day_off_where_it_is_one() -> None:
    regions = (SiteRegion(site="Cayenne", region="973"),)
    wednesdays = week(("wed", "10:00", "11:00"))
    scenario = Scenario(DOMAIN).given(opened(CohortPolicy(sessions=1, regions=regions)))
    scenario.now = paris(6, 9, 10, year=2026)
    joined = formed(wednesdays, wednesdays).model_copy(update={"mentor_site": "Cayenne"})
    (first,) = planned(scenario.when(joined))
    assert first.starts_at == paris(6, 17, 10, year=2026)  # 10 June 2026 is a Wednesday


# --- bad input ------------------------------------------------------------------------------------


def test_declaring_an_absence_twice_changes_nothing() -> None:
    scenario = standing()
    scenario.when(away("2017-04-18", "2017-04-28"))
    assert scenario.when(away("2017-04-18", "2017-04-28")) == []


@pytest.mark.parametrize(
    ("first", "last", "rule"),
    [
        ("2017-04-28", "2017-05-02", "absence-overlaps"),
        ("2017-04-20", None, "absence-overlaps"),
        ("2017-02-28", "2017-03-05", "absence-over"),
        ("2017-05-02", "2019-05-02", "too-far-ahead"),
    ],
)
def test_an_absence_that_cannot_be_is_refused(first: str, last: str | None, rule: str) -> None:
    scenario = standing()
    scenario.when(away("2017-04-18", "2017-04-28"))
    assert refusal(scenario.when(away(first, last))) == rule


def test_hours_of_one_day_overlap_where_they_do() -> None:
    scenario = standing()
    scenario.when(away("2017-04-18", hours="09:00-11:00"))
    assert refusal(scenario.when(away("2017-04-18", hours="10:00-12:00"))) == "absence-overlaps"
    assert kinds(scenario.when(away("2017-04-18", hours="11:00-12:00"))) == [
        "AbsenceDeclared",
    ]
    assert kinds(scenario.when(back("2017-04-18", hours="09:00-11:00"))) == ["AbsenceWithdrawn"]


def test_an_absence_that_nobody_declared_or_that_is_over_is_not_withdrawn() -> None:
    scenario = standing()
    assert refusal(scenario.when(back("2017-04-18"))) == "unknown-absence"
    scenario.when(away("2017-03-06", "2017-03-07"))
    assert refusal(scenario.later(days=3).when(back("2017-03-06"))) == "absence-over"


def test_what_is_over_is_forgotten_with_the_next_word() -> None:
    scenario = standing()
    scenario.when(away("2017-03-06", "2017-03-07"))
    scenario.later(days=3).when(away("2017-05-02"))
    assert [a.first_day for a in the_calendar(scenario, "m-1").absences] == ["2017-05-02"]


@pytest.mark.parametrize(
    ("day", "rule"),
    [
        ("2017-03-03", "date-over"),
        ("2017-03-11", "not-a-working-day"),
        ("2017-05-01", "not-a-working-day"),
        ("2019-05-02", "too-far-ahead"),
    ],
)
def test_hours_of_a_date_that_cannot_be_are_refused(day: str, rule: str) -> None:
    assert refusal(standing().when(free_on(day, "09:00-12:00", person_id=MANAGER))) == rule


def test_in_a_cohort_that_is_not_known_nothing_is_noted() -> None:
    scenario = Scenario(DOMAIN)
    for command in (away("2017-04-18"), back("2017-04-18"), free_on("2017-04-18")):
        assert refusal(scenario.when(command)) == "unknown-cohort"


@pytest.mark.parametrize(
    ("first", "last", "hours", "said"),
    [
        ("2017-02-30", None, None, "first_day"),
        ("2017-02-28", "2017-02-27", None, "last_day"),
        ("2017-02-27", "2017-02-28", "09:00-11:00", "last_day is first_day"),
        ("2017-02-27", None, "11:00-09:00", "end after they start"),
    ],
)
def test_a_date_that_is_none_is_told_by_its_field(
    first: str, last: str | None, hours: str | None, said: str
) -> None:
    with pytest.raises(ValidationError, match=said):
        away(first, last, hours=hours)


def test_a_hundred_dates_to_come_are_enough() -> None:
    scenario = standing()
    for month in range(4, 9):
        for day in range(1, 21):
            scenario.when(away(f"2017-{month:02}-{day:02}"))
    assert refusal(scenario.when(away("2017-10-01"))) == "too-many-dates"
