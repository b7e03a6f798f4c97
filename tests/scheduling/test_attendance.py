"""How a session ends: reported, or left unreported; and when a pair counts as stalled."""

from datetime import timedelta

from schemas.scheduling import (
    AttendanceRequested,
    PairGraduated,
    PairStalled,
    SessionCompleted,
    SessionMissed,
)
from schemas.values import CohortPolicy
from services.chassis.domain import Due
from tests.scenario import NOW, kinds, refusal
from tests.scheduling.given import (
    COHORT,
    MENTOR,
    PAIR,
    TUESDAY,
    WEDNESDAY,
    after_start,
    at,
    cancel,
    confirm,
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

# --- reports ------------------------------------------------------------------------------------


def test_a_session_that_was_held_is_completed() -> None:
    scenario = after_start(standing(), 1)
    (event,) = scenario.when(report(1, by="manager"))  # type: ignore[misc]
    assert isinstance(event, SessionCompleted)
    assert (event.by, event.completed, event.number) == ("manager", 1, 1)
    assert the_session(scenario, 1).state == "completed"
    assert outcomes(scenario) == [("1~1", "completed", "reported")]


def test_the_last_session_held_graduates_the_pair() -> None:
    scenario = standing()
    for number in (2, 1, 3, 5, 4):
        decision = after_start(scenario, number).when(report(number))
    assert kinds(decision) == ["SessionCompleted", "PairGraduated"]
    assert isinstance(graduated := scenario.events[-1], PairGraduated)
    assert graduated.sessions == 5
    assert the_pair(scenario).state == "graduated"
    assert scenario.later(days=400).when_due() == []
    assert scenario.when(report(4, by="manager")) == []


def test_a_missed_session_is_planned_again() -> None:
    scenario = after_start(standing(), 1)
    decision = scenario.when(report(1, held=False))
    assert kinds(decision) == ["SessionMissed", "SessionPlanned"]
    (again,) = planned(decision)
    assert (again.number, again.attempt, again.starts_at) == (1, 2, paris(3, 21, 10))
    assert outcomes(scenario) == [("1~1", "missed", "reported")]


def test_a_report_counts_from_the_start_of_the_session() -> None:
    scenario = at(standing(), paris(3, 14, 10) - timedelta(milliseconds=1))
    assert refusal(scenario.when(report(1))) == "not-started"
    assert kinds(at(scenario, paris(3, 14, 10)).when(report(1))) == ["SessionCompleted"]


def test_the_same_report_again_changes_nothing() -> None:
    scenario = after_start(standing(), 1)
    scenario.when(report(1))
    assert scenario.when(report(1)) == []
    assert scenario.when(report(1, by="manager")) == []


def test_a_report_on_an_attempt_that_is_not_known_is_refused() -> None:
    scenario = after_start(standing(), 1)
    assert refusal(scenario.when(report(1, attempt=2))) == "other-attempt"


def test_a_report_on_an_attempt_that_was_cancelled_is_refused() -> None:
    scenario = standing()
    scenario.when(cancel(1))
    after_start(scenario, 1)
    assert refusal(scenario.when(report(1, attempt=1))) == "session-cancelled"
    assert kinds(scenario.when(report(1, attempt=2))) == ["SessionCompleted"]


def test_a_session_that_was_reported_before_its_end_keeps_its_time() -> None:
    scenario = standing(CohortPolicy(session_minutes=240, sessions=1), mentor=_DAY, manager=_DAY)
    at(scenario, paris(3, 14, 8, 15)).when(report(1))
    scenario.when(formed(mentor=_DAY, manager=_DAY, manager_id="g-2"))
    soon = reschedule(1, paris(3, 14, 11), pair=f"{MENTOR}~g-2")
    assert refusal(scenario.when(soon)) == "slot-taken"
    then = reschedule(1, paris(3, 14, 12), pair=f"{MENTOR}~g-2")
    assert kinds(scenario.when(then)) == ["SessionRescheduled"]


_DAY = (TUESDAY[0].model_copy(update={"start": "08:00", "end": "20:00"}),)


# --- deadlines ----------------------------------------------------------------------------------


def test_attendance_is_requested_when_a_session_ends() -> None:
    scenario = at(standing(), paris(3, 14, 11) - timedelta(milliseconds=1))
    assert scenario.when_due() == []
    (event,) = at(scenario, paris(3, 14, 11)).when_due()
    assert isinstance(event, AttendanceRequested)
    assert event.report_by == paris(3, 14, 11) + timedelta(days=14)
    assert the_session(scenario, 1).asked


def test_a_session_that_nobody_reports_is_missed_and_planned_again() -> None:
    scenario = at(standing(), paris(3, 14, 11))
    scenario.when_due()
    # once, for session 1; session 2 has just ended, too
    found = at(scenario, paris(3, 28, 11, 59)).when_due()
    assert kinds(found) == ["AttendanceReminded", "AttendanceRequested"]
    # Fourteen times 24 hours: the clocks have changed in between.
    found = at(scenario, paris(3, 28, 12)).when_due()
    assert kinds(found) == ["SessionMissed", "SessionPlanned"]
    assert isinstance(missed := found[0], SessionMissed)
    assert (missed.number, missed.cause, missed.by) == (1, "unreported", None)
    assert outcomes(scenario) == [("1~1", "missed", "unreported")]
    assert scenario.when(report(1, held=False)) == []


def test_a_report_closes_the_deadline() -> None:
    scenario = after_start(standing(), 1)
    scenario.when(report(1))
    assert kinds(at(scenario, paris(3, 28, 9)).when_due()) == []


def test_after_an_outage_people_still_get_all_their_days_to_report() -> None:
    scenario = at(standing(), paris(4, 3, 9))
    found = scenario.when_due()
    assert kinds(found) == ["AttendanceRequested"] * 2
    assert {e.report_by for e in found} == {  # type: ignore[attr-defined]
        scenario.now + timedelta(days=14)
    }
    assert kinds(scenario.when(report(1))) == ["SessionCompleted"]
    missed = [e for e in scenario.later(days=14).when_due() if isinstance(e, SessionMissed)]
    assert [(e.number, e.cause) for e in missed] == [(2, "unreported")]


def test_a_session_planned_again_after_an_outage_lies_in_the_future() -> None:
    scenario = standing(CohortPolicy(sessions=1))
    scenario.later(days=200).when_due()
    scenario.later(days=200).when_due()
    assert the_session(scenario, 1).attempt == 2
    assert the_session(scenario, 1).starts_at >= scenario.now + timedelta(days=3)


def test_a_deadline_that_no_longer_holds_is_passed_over() -> None:
    scenario = standing()

    def due(collection: str, id: str) -> Due:
        return Due(cohort_id=COHORT, collection=collection, id=id)

    assert scenario.when(due("sessions", f"{PAIR}~1")) == []
    assert scenario.when(due("sessions", "m-9~g-9~1")) == []
    assert scenario.when(due("pairs", PAIR)) == []
    assert scenario.when(due("pairs", "m-9~g-9")) == []
    after_start(scenario, 1).when(report(1))
    assert scenario.when(due("sessions", f"{PAIR}~1")) == []


def test_a_session_that_was_moved_is_asked_about_after_its_new_end() -> None:
    scenario = standing()
    scenario.when(reschedule(1, paris(3, 21, 10)))
    assert at(scenario, paris(3, 21, 10)).when_due() == []
    assert kinds(at(scenario, paris(3, 21, 11)).when_due()) == ["AttendanceRequested"]


# --- stalled pairs ------------------------------------------------------------------------------


def _stalls(found: list[object]) -> list[PairStalled]:
    return [event for event in found if isinstance(event, PairStalled)]


def test_a_pair_without_a_session_held_stalls_once() -> None:
    scenario = standing()
    assert _stalls(scenario.later(days=44, hours=23).when_due()) == []
    (stalled,) = _stalls(scenario.later(hours=1).when_due())
    assert stalled.since == NOW
    assert the_pair(scenario).stalled
    assert _stalls(scenario.later(days=300).when_due()) == []


def test_a_pair_can_stall_again_after_a_further_session() -> None:
    scenario = standing()
    scenario.later(days=45).when_due()
    after_start(scenario, 5).when(report(5))
    assert not the_pair(scenario).stalled
    (again,) = _stalls(at(scenario, paris(5, 9, 11) + timedelta(days=45)).when_due())
    assert again.since == paris(5, 9, 11)


def test_a_pair_counts_as_idle_since_its_last_session() -> None:
    scenario = after_start(standing(), 1)
    scenario.when(report(1))
    assert _stalls(at(scenario, paris(4, 28, 11)).when_due()) == []
    (stalled,) = _stalls(at(scenario, paris(4, 28, 12)).when_due())
    assert stalled.since == paris(3, 14, 11)


def test_an_older_session_reported_late_does_not_stall_the_pair_anew() -> None:
    scenario = after_start(standing(), 2)
    scenario.when(report(2))
    scenario.when(report(1))
    assert the_pair(scenario).idle_since == paris(3, 28, 11)
    assert the_pair(scenario).completed == 2


def test_a_pair_without_a_common_slot_stalls_too() -> None:
    scenario = standing(manager=WEDNESDAY)
    assert len(_stalls(scenario.later(days=46).when_due())) == 1
    scenario.when(new_week(MENTOR, WEDNESDAY))
    scenario.later(days=7).when_due()
    assert the_session(scenario, 1).state == "planned"


def test_confirmations_do_not_delay_a_stall() -> None:
    scenario = standing()
    scenario.later(days=5).when(confirm(1))
    assert the_pair(scenario).due_at == NOW + timedelta(days=45)
    assert the_calendar(scenario, MENTOR).busy[0].starts_at == paris(3, 14, 10)
