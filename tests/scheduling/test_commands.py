"""What mentors and managers can ask about a session."""

from collections.abc import Callable
from datetime import datetime, timedelta

import pytest

from schemas.base import session_of
from schemas.scheduling import (
    CancelSession,
    ConfirmSession,
    RescheduleSession,
    SessionCancelled,
    SessionConfirmed,
    SessionRescheduled,
)
from tests.scenario import NOW, Scenario, kinds, refusal
from tests.scheduling.given import (
    ANY_DAY,
    COHORT,
    MANAGER,
    MENTOR,
    PAIR,
    TUESDAY,
    WEDNESDAY,
    after_start,
    at,
    cancel,
    confirm,
    dissolved,
    formed,
    new_week,
    outcomes,
    paris,
    planned,
    report,
    reschedule,
    standing,
    the_calendar,
    the_pair,
    the_session,
)

# --- confirming ---------------------------------------------------------------------------------


def test_a_session_is_confirmed_once_both_sides_have() -> None:
    scenario = standing()
    scenario.when(confirm(1, "mentor"))
    assert the_session(scenario, 1).state == "planned"
    scenario.when(confirm(1, "manager"))
    session = the_session(scenario, 1)
    assert (session.state, session.confirmed_by) == ("confirmed", ("mentor", "manager"))


def test_confirming_twice_changes_nothing() -> None:
    scenario = standing()
    assert kinds(scenario.when(confirm(1))) == ["SessionConfirmed"]
    assert scenario.when(confirm(1)) == []


def test_a_new_time_has_to_be_confirmed_anew() -> None:
    scenario = standing()
    scenario.when(confirm(1))
    scenario.when(reschedule(1))
    assert the_session(scenario, 1).confirmed_by == ()
    assert kinds(scenario.when(confirm(1))) == ["SessionConfirmed"]


def test_a_session_that_has_started_is_reported_not_confirmed() -> None:
    scenario = at(standing(), paris(3, 14, 10))
    for command in (confirm(1), cancel(1), reschedule(1), reschedule(1, paris(3, 15, 10))):
        assert refusal(scenario.when(command)) == "session-started"


# --- rescheduling -------------------------------------------------------------------------------


def test_a_session_moves_to_the_time_that_is_asked_for() -> None:
    scenario = standing()
    (moved,) = scenario.when(reschedule(1, paris(3, 21, 11)))  # type: ignore[misc]
    assert isinstance(moved, SessionRescheduled)
    assert (moved.starts_at, moved.ends_at) == (paris(3, 21, 11), paris(3, 21, 12))
    assert (moved.previously_at, moved.attempt) == (paris(3, 14, 10), 1)
    assert the_session(scenario, 1).due_at == paris(3, 21, 12)
    for person in (MENTOR, MANAGER):
        first = the_calendar(scenario, person).busy[0]
        assert first.starts_at == paris(3, 21, 11)


def test_moving_a_session_to_where_it_is_changes_nothing() -> None:
    assert standing().when(reschedule(1, paris(3, 14, 10))) == []


def test_a_session_may_move_by_less_than_its_length() -> None:
    assert kinds(standing().when(reschedule(1, paris(3, 14, 10, 30)))) == ["SessionRescheduled"]


@pytest.mark.parametrize(
    ("to", "rule"),
    [
        (NOW, "not-in-future"),
        (NOW - timedelta(days=7), "not-in-future"),
        (paris(3, 16, 10, 10), "off-the-quarter"),
        (paris(3, 16, 19, 30), "outside-working-hours"),
        (paris(5, 1, 10), "not-a-working-day"),
        (paris(3, 28, 10, 45), "slot-taken"),
        (paris(3, 8, 10, year=2018), "too-far-ahead"),
        (paris(12, 31, 10, year=9998), "too-far-ahead"),
    ],
)
def test_a_time_that_cannot_be_is_refused(to: datetime, rule: str) -> None:
    assert refusal(standing().when(reschedule(1, to))) == rule


def test_a_time_at_which_the_mentor_sees_somebody_else_is_refused() -> None:
    scenario = standing()
    scenario.when(formed(mentor=TUESDAY, manager=ANY_DAY, manager_id="g-2"))
    assert refusal(scenario.when(reschedule(1, paris(3, 14, 11, 15)))) == "slot-taken"


def test_without_a_time_a_session_moves_to_the_next_common_free_slot() -> None:
    scenario = standing()
    for expected in (paris(3, 14, 11), paris(3, 21, 10), paris(3, 21, 11)):
        scenario.when(reschedule(1))
        assert the_session(scenario, 1).starts_at == expected
    assert refusal(scenario.when(reschedule(1))) == "no-common-slot"  # the second one is next


def test_a_session_is_not_moved_past_the_next_one() -> None:
    assert refusal(standing().when(reschedule(1, paris(3, 30, 10)))) == "out-of-order"
    assert refusal(standing().when(reschedule(2, paris(3, 13, 10)))) == "out-of-order"


def test_without_a_common_slot_a_session_stays_where_it_is() -> None:
    scenario = standing()
    scenario.when(new_week(MANAGER, WEDNESDAY))
    assert refusal(scenario.when(reschedule(1))) == "no-common-slot"
    assert the_session(scenario, 1).starts_at == paris(3, 14, 10)


# --- cancelling ---------------------------------------------------------------------------------


def test_a_cancelled_session_is_planned_again_before_the_next() -> None:
    scenario = standing()
    decision = scenario.when(cancel(2, "manager"))
    assert kinds(decision) == ["SessionCancelled", "SessionPlanned"]
    (again,) = planned(decision)
    assert (again.number, again.attempt, again.starts_at) == (2, 2, paris(4, 4, 10))
    assert outcomes(scenario) == [("2~1", "cancelled", "request")]


def test_the_last_session_is_planned_again_a_week_later() -> None:
    scenario = standing()
    (again,) = planned(scenario.when(cancel(5)))
    assert again.starts_at == paris(5, 16, 10)


def test_a_cancelled_session_that_waits_for_a_slot_is_cancelled_only_once() -> None:
    scenario = standing()
    scenario.when(new_week(MENTOR, WEDNESDAY))
    scenario.when(cancel(5))
    assert scenario.when(cancel(5, "manager")) == []
    assert refusal(scenario.when(confirm(5))) == "not-planned"
    assert refusal(scenario.when(report(5))) == "session-cancelled"


# --- the same form twice ------------------------------------------------------------------------


@pytest.mark.parametrize("ask", [confirm, cancel, reschedule])
def test_who_says_which_date_they_mean_changes_no_other(
    ask: Callable[[int], ConfirmSession | CancelSession | RescheduleSession],
) -> None:
    scenario = standing()
    seen = ask(1).model_copy(update={"stands_at": the_session(scenario, 1).starts_at})
    scenario.when(reschedule(1, by="manager"))
    now = the_session(scenario, 1)
    assert refusal(scenario.when(seen)) == "outdated-answer"
    assert the_session(scenario, 1) == now


@pytest.mark.parametrize("ask", [cancel, reschedule])
def test_a_form_that_is_sent_twice_gives_up_one_date(
    ask: Callable[[int], CancelSession | RescheduleSession],
) -> None:
    scenario = standing()
    seen = ask(1).model_copy(update={"stands_at": the_session(scenario, 1).starts_at})
    assert scenario.when(seen)
    after = the_session(scenario, 1)
    assert refusal(scenario.when(seen)) == "outdated-answer"
    assert the_session(scenario, 1) == after


# --- revisions ----------------------------------------------------------------------------------


def test_the_revision_grows_by_one_with_every_change_across_attempts() -> None:
    scenario = standing()
    for command in (confirm(1), confirm(1, "manager"), reschedule(1), cancel(1), confirm(1)):
        scenario.when(command)
    after_start(scenario, 1).when_due()
    scenario.when(report(1, held=False, attempt=2))
    mine = [e for e in scenario.events if e.subject == session_of(PAIR, 1)]
    told = [(type(e).__name__, e.attempt, e.revision) for e in mine]  # type: ignore[attr-defined]
    assert told == [
        ("SessionPlanned", 1, 0),
        ("SessionConfirmed", 1, 1),
        ("SessionConfirmed", 1, 2),
        ("SessionRescheduled", 1, 3),
        ("SessionCancelled", 1, 4),
        ("SessionPlanned", 2, 5),
        ("SessionConfirmed", 2, 6),
        ("AttendanceRequested", 2, 6),  # asking changes nothing about the session
        ("SessionMissed", 2, 7),
        ("SessionPlanned", 3, 8),
    ]


# --- what is closed or unknown ------------------------------------------------------------------


@pytest.mark.parametrize("id", [f"{PAIR}~6", f"{PAIR}~0", f"{PAIR}~01", "m-9~g-9~1"])
def test_an_unknown_session_is_refused(id: str) -> None:
    scenario = standing()
    asked = ConfirmSession(cohort_id=COHORT, session_id=id, by="mentor")
    assert refusal(scenario.when(asked)) == "unknown-session"
    elsewhere = CancelSession(cohort_id="elsewhere", session_id=f"{PAIR}~1", by="mentor")
    assert refusal(scenario.when(elsewhere)) == "unknown-session"
    told = report(1).model_copy(update={"session_id": id})
    assert refusal(scenario.when(told)) == "unknown-session"


def test_a_session_that_was_never_planned_is_refused() -> None:
    scenario = standing(manager=WEDNESDAY)
    for command in (confirm(1), cancel(1), reschedule(1, paris(3, 16, 10))):
        assert refusal(scenario.when(command)) == "not-planned"
    assert refusal(scenario.when(report(1))) == "other-attempt"


def test_a_session_that_took_place_is_closed() -> None:
    scenario = after_start(standing(), 1)
    scenario.when(report(1))
    for command in (confirm(1), cancel(1), reschedule(1)):
        assert refusal(scenario.when(command)) == "session-completed"


def test_a_dissolved_pair_has_its_open_sessions_cancelled() -> None:
    scenario = after_start(standing(), 1)
    scenario.when(report(1))
    decision = scenario.when(dissolved())
    assert kinds(decision) == ["SessionCancelled"] * 4
    first = scenario.events[-4]
    assert isinstance(first, SessionCancelled)
    assert (first.number, first.cause, first.by) == (2, "pair_dissolved", None)
    assert the_pair(scenario).state == "dissolved"
    assert the_calendar(scenario, MENTOR).busy == ()
    assert scenario.later(days=400).when_due() == []


def test_a_dissolved_pair_is_closed() -> None:
    scenario = standing()
    scenario.when(dissolved())
    for command in (confirm(1), cancel(1), reschedule(1)):
        assert refusal(scenario.when(command)) == "pair-dissolved"
    assert refusal(scenario.when(report(1))) == "session-cancelled"
    assert scenario.when(dissolved()) == []


def test_a_pair_without_a_slot_can_be_dissolved() -> None:
    scenario = standing(manager=WEDNESDAY)
    assert scenario.when(dissolved()) == []
    assert refusal(scenario.when(confirm(1))) == "pair-dissolved"
    assert scenario.later(days=400).when_due() == []


def test_an_unknown_pair_that_is_dissolved_is_refused() -> None:
    assert refusal(Scenario(standing().domain).when(dissolved())) == "unknown-pair"


def test_the_time_of_a_dissolved_pair_is_free_for_others() -> None:
    scenario = standing()
    scenario.when(dissolved())
    assert planned(scenario.when(formed(manager_id="g-2")))[0].starts_at == paris(3, 14, 10)


def test_a_confirmation_says_who() -> None:
    (event,) = standing().when(confirm(3, "manager"))  # type: ignore[misc]
    assert isinstance(event, SessionConfirmed)
    assert (event.by, event.number, event.starts_at) == ("manager", 3, paris(4, 11, 10))
