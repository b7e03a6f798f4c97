"""Moving by agreement: at once where both are free, as a proposal everywhere else."""

from datetime import timedelta
from typing import Literal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.saying import PARIS
from schemas.scheduling import SessionMoveDeclined, SessionMoveProposed, SessionRescheduled
from schemas.values import Availability, Window
from services.scheduling.agenda import agenda_of
from services.scheduling.moving import offers
from services.scheduling.slots import is_common
from tests.scenario import Scenario, kinds, refusal
from tests.scheduling.given import (
    ANY_DAY,
    COHORT,
    DAYS,
    PAIR,
    accept,
    after_start,
    at,
    cancel,
    confirm,
    decline,
    formed,
    paris,
    report,
    reschedule,
    standing,
    the_session,
)

IN_BOTH = paris(3, 21, 10)
ELSEWHERE = paris(3, 16, 15)


def proposed() -> Scenario:
    scenario = standing()
    scenario.when(reschedule(1, ELSEWHERE))
    return scenario


def test_a_time_that_lies_in_both_weeks_takes_effect_at_once() -> None:
    scenario = standing()
    (moved,) = scenario.when(reschedule(1, IN_BOTH))  # type: ignore[misc]
    assert isinstance(moved, SessionRescheduled)
    assert (moved.starts_at, moved.may_object) == (IN_BOTH, True)


def test_any_other_time_is_proposed_and_the_session_stays() -> None:
    scenario = standing()
    (asked,) = scenario.when(reschedule(1, ELSEWHERE))  # type: ignore[misc]
    assert isinstance(asked, SessionMoveProposed)
    assert (asked.starts_at, asked.proposed_at) == (paris(3, 14, 10), ELSEWHERE)
    assert asked.answer_by == paris(3, 13, 10)
    assert the_session(scenario, 1).starts_at == paris(3, 14, 10)
    assert scenario.when(reschedule(1, ELSEWHERE)) == []


def test_what_is_accepted_is_moved_and_confirmed_by_both() -> None:
    scenario = proposed()
    decision = scenario.when(accept(1, ELSEWHERE))
    assert kinds(decision) == ["SessionMoveAccepted", "SessionRescheduled"]
    session = the_session(scenario, 1)
    assert (session.starts_at, session.state) == (ELSEWHERE, "confirmed")
    assert session.due_at == session.ends_at
    assert refusal(scenario.when(accept(1, ELSEWHERE))) == "no-proposal"


def test_what_is_declined_leaves_the_date_that_stood() -> None:
    scenario = proposed()
    scenario.when(confirm(1))
    assert kinds(scenario.when(decline(1, ELSEWHERE))) == ["SessionMoveDeclined"]
    session = the_session(scenario, 1)
    assert (session.starts_at, session.confirmed_by) == (paris(3, 14, 10), ("mentor",))
    assert refusal(scenario.when(accept(1, ELSEWHERE))) == "no-proposal"


def test_the_other_counters_with_a_time_that_is_then_answered_in_turn() -> None:
    scenario, other = proposed(), paris(3, 17, 15)
    assert kinds(scenario.when(reschedule(1, other, "manager"))) == ["SessionMoveProposed"]
    assert refusal(scenario.when(accept(1, ELSEWHERE))) == "no-proposal"
    assert refusal(scenario.when(accept(1, other))) == "own-proposal"
    assert kinds(scenario.when(accept(1, other, "mentor")))[-1] == "SessionRescheduled"
    assert the_session(scenario, 1).starts_at == other


def test_to_ask_for_what_the_other_proposes_is_to_accept_it() -> None:
    decision = proposed().when(reschedule(1, ELSEWHERE, "manager"))
    assert kinds(decision) == ["SessionMoveAccepted", "SessionRescheduled"]


def test_a_counter_in_both_weeks_takes_effect_at_once() -> None:
    scenario = proposed()
    assert kinds(scenario.when(reschedule(1, IN_BOTH, "manager"))) == ["SessionRescheduled"]
    assert the_session(scenario, 1).proposal is None


def test_unanswered_a_day_before_the_date_that_stands_a_proposal_is_closed() -> None:
    scenario = at(proposed(), paris(3, 13, 10) - timedelta(milliseconds=1))
    assert scenario.when_due() == []
    (closed,) = at(scenario, paris(3, 13, 10)).when_due()
    assert isinstance(closed, SessionMoveDeclined)
    assert (closed.by, closed.starts_at) == (None, paris(3, 14, 10))
    assert kinds(at(scenario, paris(3, 14, 11)).when_due()) == ["AttendanceRequested"]


def test_within_a_day_nothing_is_proposed_any_more() -> None:
    scenario = at(standing(), paris(3, 13, 10))
    assert refusal(scenario.when(reschedule(1, ELSEWHERE))) == "too-late-to-propose"
    assert kinds(scenario.when(reschedule(1, IN_BOTH))) == ["SessionRescheduled"]


def test_who_was_not_asked_can_object_and_the_date_before_holds_again() -> None:
    scenario = standing()
    scenario.when(reschedule(1, IN_BOTH))
    assert refusal(scenario.when(decline(1, IN_BOTH, "mentor"))) == "no-proposal"
    decision = scenario.when(decline(1, IN_BOTH))
    assert kinds(decision) == ["SessionMoveDeclined", "SessionRescheduled"]
    assert the_session(scenario, 1).starts_at == paris(3, 14, 10)
    assert refusal(scenario.when(decline(1, paris(3, 14, 10), "mentor"))) == "no-proposal"


def test_a_date_before_that_was_given_to_somebody_else_is_gone() -> None:
    scenario = standing()
    scenario.when(reschedule(1, IN_BOTH))
    scenario.when(formed(manager_id="g-2"))  # takes the 14th at ten
    assert refusal(scenario.when(decline(1, IN_BOTH))) == "former-date-gone"


def test_a_proposed_time_that_was_taken_meanwhile_is_not_accepted() -> None:
    scenario = proposed()
    scenario.when(formed(mentor=ANY_DAY, manager=ANY_DAY, manager_id="g-2"))
    scenario.when(reschedule(1, ELSEWHERE, pair="m-1~g-2"))
    assert refusal(scenario.when(accept(1, ELSEWHERE))) == "slot-taken"


@pytest.mark.parametrize("end", ["cancel", "held"])
def test_a_proposal_ends_with_its_session(end: Literal["cancel", "held"]) -> None:
    scenario = proposed()
    if end == "cancel":
        scenario.when(cancel(1))
        assert refusal(scenario.when(accept(1, ELSEWHERE))) == "no-proposal"
    else:
        after_start(scenario, 1).when(report(1))
        assert refusal(scenario.when(accept(1, ELSEWHERE))) == "session-completed"


# --- what is offered ------------------------------------------------------------------------------


def test_six_slots_are_offered_spread_over_the_days_of_three_weeks() -> None:
    scenario = standing(mentor=ANY_DAY, manager=ANY_DAY)
    scenario.when(cancel(2))
    found = offered(scenario, 5)
    days = [start.astimezone(PARIS).date() for start in found]
    assert len(set(days)) == 6 or not found


def offered(scenario: Scenario, number: int) -> list[object]:
    agenda = agenda_of(scenario.state, COHORT, PAIR)
    assert agenda is not None
    return list(offers(agenda, the_session(scenario, number), scenario.now))  # type: ignore[arg-type]


windows = st.builds(
    lambda day, start: Window(day=day, start=f"{start:02}:00", end=f"{start + 2:02}:00"),
    st.sampled_from(DAYS),
    st.integers(8, 16),
)
weeks = st.lists(windows, min_size=1, max_size=6).map(tuple)


@given(weeks, weeks, st.integers(1, 5), st.integers(0, 20))
@settings(max_examples=60, deadline=None)
def test_whatever_is_offered_takes_effect_at_once(
    mentor: Availability, manager: Availability, number: int, days: int
) -> None:
    scenario = standing(mentor=mentor, manager=manager)
    scenario.later(days=days)
    agenda = agenda_of(scenario.state, COHORT, PAIR)
    assert agenda is not None
    if (
        agenda.pair.line(number).state != "planned"
        or scenario.now >= the_session(scenario, number).starts_at
    ):
        return
    session = the_session(scenario, number)
    found = offers(agenda, session, scenario.now)
    assert len(found) <= 6
    assert found == sorted(set(found))
    for start in found:
        assert is_common(*agenda.free, agenda.length, start, agenda.taken(session.id))
        again = Scenario(scenario.domain, now=scenario.now)
        again.state.documents.update(scenario.state.documents)
        assert kinds(again.when(reschedule(number, start))) == ["SessionRescheduled"]
