"""The page behind the link of a session: which session, what stands, and what can be done."""

import pytest
from pydantic import ValidationError

from schemas.base import session_of
from schemas.scheduling import ReportAttendance, RescheduleSession
from schemas.values import Side
from services.chassis.http.foresight import Unread
from services.chassis.http.forms import Form
from services.chassis.http.links import Link
from services.chassis.http.problems import Problem
from services.scheduling.pages import LINK_PAGES, LOOKS
from services.scheduling.views import Slots
from tests.scenario import Scenario, kinds
from tests.scheduling.given import (
    ANY_DAY,
    COHORT,
    PAIR,
    after_start,
    cancel,
    confirm,
    paris,
    report,
    reschedule,
    standing,
)

PAGE = LINK_PAGES["session"]
ELSEWHERE = paris(3, 16, 19)


def link(side: Side = "mentor", number: int = 1) -> Link:
    person = "m-1" if side == "mentor" else "g-1"
    return Link(
        purpose="session",
        cohort_id=COHORT,
        person_id=person,
        side=side,
        id=session_of(PAIR, number),
        attempt=1,
    )


def page(scenario: Scenario, side: Side = "mentor") -> Form:
    return PAGE.form(scenario.state, link(side), scenario.now)


def told(scenario: Scenario, side: Side = "mentor") -> dict[str, str]:
    """What the page tells in French, with the spaces of a keyboard."""
    lines = PAGE.about(scenario.state, link(side)).lines
    return {what.fr: said.fr.replace("\u00a0", " ") for what, said in lines}


def answers(form: Form) -> list[str]:
    return [option.value for choice in form.choices for option in choice.options]


def send(scenario: Scenario, answer: str, side: Side = "mentor", **more: str) -> list[str]:
    return kinds(scenario.when(PAGE.command(link(side), {"answer": answer, **more}, "")))


def test_the_page_names_the_session_and_its_date_in_both_languages() -> None:
    assert told(standing()) == {
        "Quand": "mardi 14 mars 2017, de 10 h à 11 h (heure de Paris)",
        "Séance": "1 sur 5",
        "Avec": "la personne nommée dans votre lettre",
    }
    (_, when), *_ = PAGE.about(standing().state, link()).lines
    assert when.en == "Tuesday 14\u00a0March 2017, 10:00 to 11:00 (Paris time)"


def test_six_dates_are_offered_and_each_takes_effect_at_once() -> None:
    scenario = standing(mentor=ANY_DAY, manager=ANY_DAY)
    offered = [answer for answer in answers(page(scenario)) if answer.startswith("to:")]
    assert len(offered) == 6
    for answer in offered[:2]:
        assert send(scenario, answer) == ["SessionRescheduled"]


def test_the_dates_offered_stand_under_their_day() -> None:
    (choice,) = page(standing(mentor=ANY_DAY, manager=ANY_DAY)).choices
    days = [(under.en, options) for under, options in choice.groups if under is not None]
    assert all(day.startswith("Move to ") for day, _ in days)
    assert len({day for day, _ in days}) == len(days)
    assert sum(len(options) for _, options in days) == 6


def test_a_time_of_ones_own_that_is_left_out_is_asked_for() -> None:
    form = page(standing())
    assert [field.name for field in form.missing({"answer": "propose"})] == ["day", "time"]
    given = {"answer": "propose", "day": "2017-02-30", "time": "10:00"}
    assert [field.name for field in form.missing(given)] == ["day"]
    assert form.missing({"answer": "confirm"}) == []


def test_of_a_session_that_cannot_be_read_the_plain_answers_are_asked() -> None:
    assert answers(PAGE.form(Unread(), link(), paris(3, 6, 10))) == [
        *("confirm", "reschedule", "cancel")
    ]


def test_of_a_session_that_cannot_be_read_only_whom_it_is_with_is_told() -> None:
    for known in LINK_PAGES.values():
        assert [what.en for what, _ in known.about(Unread(), link()).lines] == ["With"]


@pytest.mark.parametrize("answer", ["confirm", "reschedule", "cancel"])
def test_every_answer_has_what_comes_next(answer: str) -> None:
    command = PAGE.command(link(), {"answer": answer}, "")
    assert PAGE.after(Unread(), link(), command) is not None


def test_whoever_moves_a_session_is_told_whether_it_is_moved_or_proposed() -> None:
    scenario = standing()
    proposing = reschedule(1, ELSEWHERE)
    scenario.when(proposing)
    said = PAGE.after(scenario.state, link(), proposing)
    assert said is not None and "Sans réponse avant le" in said.fr
    moved = standing(mentor=ANY_DAY, manager=ANY_DAY)
    moving = reschedule(1, paris(3, 16, 10))
    moved.when(moving)
    said = PAGE.after(moved.state, link(), moving)
    assert said is not None and "Vous recevez tous les deux la nouvelle date" in said.fr


def test_every_answer_that_is_offered_can_be_given() -> None:
    for setting in (confirm(1), reschedule(1, ELSEWHERE), reschedule(1, paris(3, 21, 10))):
        for side in ("mentor", "manager"):
            offering = standing()
            offering.when(setting)
            for answer in answers(page(offering, side)):
                scenario = standing()
                scenario.when(setting)
                own = {"day": "2017-03-16", "time": "18:00"} if answer == "propose" else {}
                own |= {"away_from": "2017-03-20"} if answer == "away" else {}
                own |= {"place": "Salle 214"} if answer == "place" else {}
                assert send(scenario, answer, side, **own), answer


def test_who_is_asked_sees_what_is_proposed_and_until_when() -> None:
    scenario = standing()
    scenario.when(reschedule(1, ELSEWHERE))
    form = page(scenario, "manager")
    assert form.notice is not None
    assert "jeudi 16 mars 2017, de 19 h à 20 h" in told(scenario, "manager")["Autre date proposée"]
    assert "lundi 13\u00a0mars 2017 à 10\u00a0h" in form.notice.fr
    assert answers(form)[:2] == [
        f"{what}:{ELSEWHERE.isoformat()}" for what in ("accept", "decline")
    ]
    assert f"accept:{ELSEWHERE.isoformat()}" not in answers(page(scenario, "mentor"))


def test_a_time_of_ones_own_is_in_paris_and_is_proposed() -> None:
    command = PAGE.command(link(), {"answer": "propose", "day": "2017-03-30", "time": "08:00"}, "")
    assert isinstance(command, RescheduleSession)
    assert command.starts_at == paris(3, 30, 8)  # the clocks have changed


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"answer": "propose"}, "day and time"),
        ({"answer": "propose", "day": "2017-02-30", "time": "10:00"}, "day and time"),
        ({"answer": "perhaps"}, "one of confirm"),
        ({"answer": "to:"}, "one of confirm"),
        ({}, "one of confirm"),
    ],
)
def test_what_is_no_answer_is_told_by_its_field(given: dict[str, str], said: str) -> None:
    with pytest.raises(Problem, match=said):
        PAGE.command(link(), given, "")


def test_what_is_over_says_so_and_asks_nothing() -> None:
    scenario = after_start(standing(), 1)
    assert answers(page(scenario)) == []
    scenario.when(report(1))
    form = page(scenario)
    assert form.notice is not None
    assert form.notice.en.endswith("took place.")


def test_the_slots_of_a_session_are_also_told_to_programs() -> None:
    look, *_ = LOOKS
    scenario = standing(mentor=ANY_DAY, manager=ANY_DAY)
    found = look.answer(scenario.state, COHORT, session_of(PAIR, 1), scenario.now)
    assert isinstance(found, Slots)
    offered = [f"to:{slot.starts_at.isoformat()}" for slot in found.slots]
    assert offered == [answer for answer in answers(page(scenario)) if answer.startswith("to:")]
    assert look.answer(scenario.state, COHORT, "nobody~knows~1", scenario.now) is None
    assert look.answer(scenario.state, COHORT, "nonsense", scenario.now) is None
    scenario.when(cancel(5))
    after_start(scenario, 1)
    assert look.answer(scenario.state, COHORT, session_of(PAIR, 1), scenario.now) == Slots(slots=())


# --- attendance -----------------------------------------------------------------------------------

ATTENDANCE = LINK_PAGES["attendance"]


def counts(scenario: Scenario) -> tuple[str, str | None]:
    """The day that the page names, and what it says of it."""
    form = ATTENDANCE.form(scenario.state, link(), scenario.now)
    (_, when), *_ = ATTENDANCE.about(scenario.state, link()).lines
    return when.en.partition(",")[0], form.notice and form.notice.en


def test_the_page_of_attendance_says_what_the_session_counts_as_so_far() -> None:
    scenario = after_start(standing(), 1)
    day = "Tuesday 14\u00a0March 2017"
    assert counts(scenario) == (day, None)
    scenario.when(report(1))
    assert counts(scenario) == (day, "It counts as held.")
    scenario.when(report(1, held=False, by="manager"))
    assert counts(scenario) == (day, "Your answers differ. It counts as held for now.")
    scenario.when(report(1, held=False))
    assert counts(scenario) == (day, "It counts as missed.")  # not its second date


def test_who_was_absent_is_said_with_the_answer() -> None:
    told = ATTENDANCE.command(link(), {"held": "no:manager"}, "")
    assert isinstance(told, ReportAttendance)
    assert (told.held, told.absent) == (False, "manager")
    assert ATTENDANCE.command(link(), {"held": "no"}, "") != told
    with pytest.raises(Problem, match="held"):
        ATTENDANCE.command(link(), {"held": "perhaps"}, "")


def test_days_away_are_entered_on_the_page_of_a_session() -> None:
    scenario = standing()
    sent = send(scenario, "away", away_from="2017-03-27", away_until="2017-03-31")
    assert sent == ["AbsenceDeclared", "SessionShifted"]
    with pytest.raises(ValidationError, match="first_day"):
        PAGE.command(link(), {"answer": "away"}, "")


def test_of_days_away_the_first_is_asked_for_and_the_last_can_be_left_out() -> None:
    form = page(standing())
    assert [field.name for field in form.missing({"answer": "away"})] == ["away_from"]
    assert form.missing({"answer": "away", "away_from": "2017-03-20"}) == []
