"""What waits for whom about somebody's sessions, from the documents as they stand."""

import pytest

from schemas.base import session_of
from schemas.scheduling import AttendanceRequested
from services.scheduling.pages import LOOKS
from services.scheduling.views import Waits
from tests.scenario import Scenario, kinds
from tests.scheduling.given import (
    ANY_DAY,
    COHORT,
    MANAGER,
    MENTOR,
    PAIR,
    TUESDAY,
    WEDNESDAY,
    after_start,
    confirm,
    paris,
    reschedule,
    standing,
)

ELSEWHERE = paris(3, 16, 19)


def waits(scenario: Scenario, person: str = MANAGER) -> Waits:
    (look,) = [one for one in LOOKS if one.name == "waits"]
    found = look.answer(scenario.state, COHORT, person, scenario.now)
    assert isinstance(found, Waits)
    return found


def of_the_first(scenario: Scenario) -> list[tuple[str, str]]:
    """(person, what they have to do) about the first session."""
    found = waits(scenario).waits
    return [(w.person_id, w.to_do) for w in found if w.session_id == session_of(PAIR, 1)]


def test_a_date_waits_for_whoever_has_not_confirmed_it() -> None:
    scenario = standing(mentor=ANY_DAY, manager=ANY_DAY)
    assert of_the_first(scenario) == [(MENTOR, "confirm"), (MANAGER, "confirm")]
    scenario.when(confirm(1, by="mentor"))
    assert of_the_first(scenario) == [(MANAGER, "confirm")]
    scenario.when(confirm(1, by="manager"))
    assert of_the_first(scenario) == []


def test_a_proposal_waits_for_the_other_until_a_day_before_the_date_that_stands() -> None:
    scenario = standing(mentor=ANY_DAY, manager=ANY_DAY)
    (proposed,) = scenario.when(reschedule(1, ELSEWHERE, by="mentor"))  # type: ignore[misc]
    assert of_the_first(scenario) == [(MANAGER, "answer")]
    assert waits(scenario).waits[0].until == proposed.answer_by  # type: ignore[attr-defined]


def test_a_session_that_has_been_waits_for_what_both_say_of_it() -> None:
    scenario = after_start(standing(mentor=ANY_DAY, manager=ANY_DAY), 1)
    assert AttendanceRequested.__name__ in kinds(scenario.when_due())
    assert of_the_first(scenario) == [(MENTOR, "report"), (MANAGER, "report")]


@pytest.mark.parametrize("person", [MENTOR, MANAGER])
def test_a_pair_without_a_common_hour_is_told_for_both(person: str) -> None:
    scenario = standing(mentor=TUESDAY, manager=WEDNESDAY)
    assert waits(scenario, person) == Waits(waits=(), without_hour=(PAIR,))


def test_of_nobody_nothing_is_told() -> None:
    (look,) = [one for one in LOOKS if one.name == "waits"]
    assert look.answer(standing().state, COHORT, "nobody", standing().now) is None
