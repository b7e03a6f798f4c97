"""Silence, reminders, corrections and disputes: what a session counts as, and what follows."""

from datetime import timedelta

import pytest
from pydantic import ValidationError

from schemas.base import session_of
from schemas.scheduling import (
    AttendanceCorrected,
    CorrectAttendance,
    GraduationWithdrawn,
    PairGraduated,
    ReportAttendance,
    SessionCancelled,
    SessionCompleted,
    SessionMissed,
)
from schemas.values import CohortPolicy
from services.scheduling.views import SIDES, Outcome
from tests.scenario import Scenario, kinds, refusal
from tests.scheduling.given import (
    COHORT,
    MENTOR,
    PAIR,
    WEDNESDAY,
    after_start,
    at,
    cancel,
    confirm,
    dissolved,
    new_week,
    paris,
    report,
    settle,
    standing,
    the_pair,
    the_session,
)

TWO = CohortPolicy(sessions=2)


def silent(scenario: Scenario, *by: str) -> Scenario:
    """The first session passes; whoever is named had confirmed it; nobody says anything."""
    for side in by:
        scenario.when(confirm(1, side))  # type: ignore[arg-type]
    at(scenario, paris(3, 14, 11)).when_due()
    return scenario


def the_outcome(scenario: Scenario, number: int = 1, attempt: int = 1) -> Outcome:
    found = scenario.state.get(Outcome, COHORT, f"{session_of(PAIR, number)}~{attempt}")
    assert found is not None
    return found


# --- silence ------------------------------------------------------------------------------------


def test_who_is_silent_is_reminded_once_at_half_of_the_time() -> None:
    scenario = silent(standing(TWO))
    assert at(scenario, paris(3, 21, 11) - timedelta(milliseconds=1)).when_due() == []
    assert kinds(at(scenario, paris(3, 21, 11)).when_due()) == ["AttendanceReminded"]
    assert at(scenario, paris(3, 27, 11)).when_due() == []


def test_the_silence_of_both_counts_as_held_if_both_had_confirmed() -> None:
    scenario = silent(standing(), *SIDES)
    at(scenario, paris(3, 21, 11)).when_due()
    found = at(scenario, paris(3, 28, 12)).when_due()
    (presumed,) = [event for event in found if isinstance(event, SessionCompleted)]
    assert (presumed.presumed, presumed.by, presumed.completed) == (True, "manager", 1)
    assert the_outcome(scenario).cause == "presumed"
    assert the_pair(scenario).presumed == 1


@pytest.mark.parametrize("by", [(), ("mentor",), ("manager",)])
def test_the_silence_of_both_counts_as_missed_if_not_both_had_confirmed(
    by: tuple[str, ...],
) -> None:
    scenario = silent(standing(), *by)
    found = at(scenario, paris(3, 28, 12)).when_due()
    (missed,) = [event for event in found if isinstance(event, SessionMissed)]
    assert missed.cause == "unreported"


def test_a_date_that_both_had_confirmed_under_another_number_is_presumed_too() -> None:
    scenario = standing()
    for side in SIDES:
        scenario.when(confirm(2, side))
    scenario.when(new_week(MENTOR, WEDNESDAY))
    scenario.when(cancel(1))  # the first takes the date of the second
    at(scenario, paris(3, 28, 11)).when_due()
    found = scenario.later(days=15).when_due()
    assert [e.number for e in found if isinstance(e, SessionCompleted)] == [1]


# --- corrections ----------------------------------------------------------------------------------


def test_who_has_said_so_corrects_it_and_the_make_up_is_withdrawn() -> None:
    scenario = after_start(standing(), 1)
    scenario.when(report(1, held=False))
    decision = scenario.when(report(1, held=True))
    assert kinds(decision) == ["SessionWithdrawn", "AttendanceCorrected"]
    assert (the_session(scenario, 1).state, the_session(scenario, 1).attempt) == ("completed", 1)
    assert the_pair(scenario).completed == 1
    assert the_outcome(scenario).outcome == "completed"


def test_a_session_that_was_not_held_after_all_is_planned_again() -> None:
    scenario = after_start(standing(), 1)
    scenario.when(report(1))
    decision = scenario.when(report(1, held=False))
    assert kinds(decision) == ["AttendanceCorrected", "SessionPlanned"]
    assert (the_session(scenario, 1).attempt, the_pair(scenario).completed) == (2, 0)


@pytest.mark.parametrize("side", SIDES)
def test_either_side_corrects_what_nobody_had_told(side: str) -> None:
    scenario = silent(standing(), *SIDES)
    scenario.later(days=15).when_due()
    decision = scenario.when(report(1, held=False, by=side))  # type: ignore[arg-type]
    corrected = next(e for e in scenario.events if isinstance(e, AttendanceCorrected))
    assert (corrected.was_presumed, corrected.by) == (True, side)
    assert kinds(decision)[0] == "AttendanceCorrected"
    assert the_pair(scenario).presumed == 0


def test_a_pair_that_waits_for_a_common_hour_no_more_waits_when_its_session_was_held() -> None:
    scenario = after_start(standing(CohortPolicy(sessions=1)), 1)
    scenario.when(new_week(MENTOR, WEDNESDAY))
    assert kinds(scenario.when(report(1, held=False)))[-1] == "PlanningPostponed"
    assert kinds(scenario.when(report(1))) == ["AttendanceCorrected", "PairGraduated"]
    assert the_pair(scenario).retry_at is None


def test_thirty_days_after_the_last_moment_to_report_only_a_coordinator_corrects() -> None:
    scenario = after_start(standing(), 1)
    scenario.when(report(1))
    at(scenario, paris(3, 14, 11) + timedelta(days=44))
    assert kinds(scenario.when(report(1, held=False)))[0] == "AttendanceCorrected"
    scenario.later(seconds=1)
    assert refusal(scenario.when(report(1, held=True))) == "report-too-late"
    assert kinds(scenario.when(settle(1)))[-1] == "AttendanceCorrected"


def test_what_was_held_on_another_date_since_is_not_held_twice() -> None:
    scenario = after_start(standing(), 1)
    scenario.when(report(1, held=False))
    after_start(scenario, 1)
    scenario.when(report(1, attempt=2))
    assert refusal(scenario.when(report(1, held=True))) == "held-since"


# --- graduation -----------------------------------------------------------------------------------


def graduated() -> Scenario:
    scenario = standing(TWO)
    for number in (1, 2):
        after_start(scenario, number).when(report(number))
    assert the_pair(scenario).state == "graduated"
    return scenario


def test_a_graduation_is_taken_back_and_made_good() -> None:
    scenario = graduated()
    decision = scenario.when(report(2, held=False))
    assert kinds(decision) == ["AttendanceCorrected", "GraduationWithdrawn", "SessionPlanned"]
    withdrawn = scenario.events[-2]
    assert isinstance(withdrawn, GraduationWithdrawn)
    assert (withdrawn.completed, withdrawn.again) == (1, 1)
    assert the_pair(scenario).state == "active"
    decision = scenario.when(report(2))
    assert kinds(decision) == ["SessionWithdrawn", "AttendanceCorrected", "PairGraduated"]
    again = scenario.events[-1]
    assert isinstance(again, PairGraduated)
    assert again.again == 1


def test_of_a_pair_that_was_dissolved_meanwhile_nothing_is_made_up() -> None:
    scenario = graduated()
    scenario.when(dissolved())
    assert refusal(scenario.when(report(2, held=False))) == "pair-dissolved"


def test_of_a_dissolved_pair_what_was_held_is_corrected_and_nothing_is_planned() -> None:
    scenario = after_start(standing(), 1)
    scenario.when(report(1))
    scenario.when(dissolved())
    assert kinds(scenario.when(report(1, held=False))) == ["AttendanceCorrected"]
    assert kinds(scenario.when(report(1))) == ["AttendanceCorrected"]


# --- disputes -------------------------------------------------------------------------------------


def test_a_dissolved_pair_that_had_held_all_its_sessions_graduates_and_never_stalls() -> None:
    scenario = standing(TWO)
    after_start(scenario, 1).when(report(1))
    after_start(scenario, 2).when(report(2, held=False))
    scenario.when(dissolved())
    corrected = kinds(scenario.when(report(2)))
    assert corrected == ["AttendanceCorrected", "PairGraduated"]
    pair = the_pair(scenario)
    assert (pair.state, pair.parted, pair.due_at) == ("graduated", True, None)
    assert refusal(scenario.when(report(2, held=False))) == "pair-dissolved"


def test_two_contrary_reports_are_a_dispute_and_the_first_one_counts_meanwhile() -> None:
    scenario = after_start(standing(), 1)
    scenario.when(report(1))
    assert kinds(scenario.when(report(1, held=False, by="manager"))) == ["SessionDisputed"]
    assert scenario.when(report(1, held=False, by="manager")) == []
    assert (the_outcome(scenario).disputed, the_outcome(scenario).outcome) == (True, "completed")
    assert the_pair(scenario).completed == 1


@pytest.mark.parametrize("held", [True, False])
def test_a_coordinator_settles_a_dispute_for_good(held: bool) -> None:
    scenario = after_start(standing(), 1)
    scenario.when(report(1))
    scenario.when(report(1, held=False, by="manager"))
    assert kinds(scenario.when(settle(1, held)))[0] == "AttendanceCorrected"
    outcome = the_outcome(scenario)
    assert (outcome.disputed, outcome.cause) == (False, "settled")
    assert outcome.outcome == ("completed" if held else "missed")
    assert refusal(scenario.when(report(1, held=not held))) == "already-settled"
    assert refusal(scenario.when(settle(1, held))) == "counts-already"


def test_a_dispute_ends_when_the_first_side_agrees() -> None:
    scenario = after_start(standing(), 1)
    scenario.when(report(1))
    scenario.when(report(1, held=False, by="manager"))
    assert kinds(scenario.when(report(1, held=False)))[0] == "AttendanceCorrected"
    assert not the_outcome(scenario).disputed


def test_a_coordinator_corrects_what_was_told_and_nothing_else() -> None:
    scenario = after_start(standing(), 1)
    assert refusal(scenario.when(settle(1))) == "not-reported"
    assert refusal(scenario.when(settle(9))) == "unknown-session"
    scenario.when(cancel(2))
    assert refusal(scenario.when(settle(2))) == "session-cancelled"


# --- who was absent, and what was late ------------------------------------------------------------


def test_who_was_absent_can_be_said() -> None:
    scenario = after_start(standing(), 1)
    told = report(1, held=False).model_copy(update={"absent": "manager"})
    scenario.when(told)
    missed = next(e for e in scenario.events if isinstance(e, SessionMissed))
    assert missed.absent == "manager"
    assert the_outcome(scenario).absent == "manager"


@pytest.mark.parametrize("kind", [ReportAttendance, CorrectAttendance])
def test_nobody_was_absent_of_what_took_place(kind: type[ReportAttendance]) -> None:
    told = report(1).model_dump(include=set(kind.model_fields)) | {"absent": "both"}
    with pytest.raises(ValidationError, match="absent"):
        kind.model_validate(told)


@pytest.mark.parametrize(("hours", "late"), [(24, False), (23.9, True)])
def test_a_cancellation_within_a_day_is_late(hours: float, late: bool) -> None:
    scenario = at(standing(), paris(3, 14, 10) - timedelta(hours=hours))
    scenario.when(cancel(1))
    cancelled = next(e for e in scenario.events if isinstance(e, SessionCancelled))
    assert cancelled.late is late
    assert the_outcome(scenario).late is late
