"""What the check says of sessions: planned, held or not, and counted to the last."""

from tests.deploy.trial.check.builder import COHORT, SESSIONS, at
from tests.deploy.trial.check.stories import (
    dissolved,
    formed_run,
    graduated,
    held,
    judged,
    names,
    only_doubled,
    only_lost,
    planned_run,
    whole_run,
)


def test_a_standing_pair_may_have_open_sessions() -> None:
    assert judged(planned_run()).clean


def test_sessions_for_which_there_is_no_common_slot_are_not_missing() -> None:
    run = formed_run()
    run.session("SessionPlanned", "m-1~g-1~1", 1, 40)
    run.pair("scheduling", "PlanningPostponed", "m-1~g-1", numbers=[2])
    matter = {"kind": "no-hour", "about": "m-1~g-1", "people": ["m-1", "g-1"]}
    run.write("notify", "AttentionWanted", "m-1~g-1", matter)
    assert judged(run).clean


def test_a_missed_session_frees_the_rest_of_its_time() -> None:
    run = planned_run()
    run.session("SessionMissed", "m-1~g-1~1", 1, 40, revision=1)  # told before it would begin
    run.session("SessionPlanned", "m-1~g-1~1", 2, 40, revision=2)
    assert judged(run).clean


def test_a_formed_pair_without_its_plan_is_lost() -> None:
    run = formed_run()
    run.session("SessionPlanned", "m-1~g-1~1", 1, 40)
    only_lost(judged(run), "m-1~g-1~2", "was never planned")


def test_a_missed_session_that_is_not_planned_again_is_lost() -> None:
    run = planned_run()
    run.session("SessionMissed", "m-1~g-1~1", 1, 40, revision=1)
    only_lost(judged(run), "m-1~g-1~1", "was missed and not planned again")


def test_an_attempt_that_was_planned_twice_is_doubled() -> None:
    run = planned_run()
    run.session("SessionPlanned", "m-1~g-1~2", 1, 50, revision=1)
    only_doubled(judged(run), "m-1~g-1~2", "attempt 1 was planned already")


def test_a_session_too_many_is_doubled() -> None:
    run = planned_run()
    run.session("SessionPlanned", "m-1~g-1~3", 1, 90)
    only_doubled(judged(run), "m-1~g-1", "has a session 3 of 2")


def test_a_session_that_was_completed_twice_is_doubled() -> None:
    run = planned_run()
    held(run, "m-1~g-1~1", 1, 40)
    run.session("SessionCompleted", "m-1~g-1~1", 1, 40, (), revision=2)
    only_doubled(judged(run), "SessionCompleted", "attempt 1 was completed already")


def test_a_session_that_ends_without_having_been_planned_is_lost() -> None:
    run = planned_run()
    held(run, "m-1~g-1~1", 2, 60)
    findings = judged(run)
    assert names(findings.lost, "SessionCompleted", "attempt 2 was never planned")


def test_a_pair_that_graduated_with_a_session_missing_is_lost() -> None:
    run = planned_run()
    held(run, "m-1~g-1~1", 1, 40)
    graduated(run, "m-1~g-1")
    only_lost(judged(run), "m-1~g-1", "graduated with sessions [1], not with 1 to 2")


def test_a_pair_that_graduated_twice_is_doubled() -> None:
    run = whole_run()
    run.pair("scheduling", "PairGraduated", "m-1~g-1", sessions=SESSIONS)
    only_doubled(judged(run), "PairGraduated", "had graduated already")


def test_a_pair_that_held_all_its_sessions_and_never_graduated_is_lost() -> None:
    run = planned_run()
    held(run, "m-1~g-1~1", 1, 40)
    held(run, "m-1~g-1~2", 1, 50)
    only_lost(judged(run), "m-1~g-1", "held all its sessions, and never graduated")


def test_a_dissolved_pair_with_an_open_session_is_lost() -> None:
    run = planned_run()
    dissolved(run, "m-1~g-1")
    only_lost(judged(run), "m-1~g-1", "has ended, and its session 1 has not")


def test_a_person_in_two_sessions_at_once_is_doubled() -> None:
    run = planned_run()
    run.session("SessionRescheduled", "m-1~g-1~2", 1, 40, revision=1, previously_at=at(50))
    findings = judged(run)
    only_doubled(findings, "m-1 is in two sessions", "m-1~g-1~1", "m-1~g-1~2")
    assert names(findings.doubled, "g-1 is in two sessions")


def test_what_is_corrected_was_told_before_and_was_the_other() -> None:
    run = planned_run()
    run.session("SessionMissed", "m-1~g-1~1", 1, 40, revision=1)
    run.session("SessionPlanned", "m-1~g-1~1", 2, 54, revision=2)
    run.session("SessionWithdrawn", "m-1~g-1~1", 2, 54, revision=3)
    run.row("scheduling", "outcomes", "m-1~g-1~1~2", outcome="cancelled")
    told = {"held": True, "was_held": False, "revision": 4}
    run.session("AttendanceCorrected", "m-1~g-1~1", 1, 40, **told)
    run.row("scheduling", "sessions", "m-1~g-1~1", state="completed", attempt=1)
    run.row("scheduling", "outcomes", "m-1~g-1~1~1", outcome="completed")
    run.row("feedback", "cohorts", COHORT, sessions_missed=0, sessions_completed=1)
    for side in ("mentor", "manager"):
        run.survey(f"m-1~g-1~s1~{side}")
    assert judged(run).clean


def test_what_is_corrected_and_was_not_so_is_lost() -> None:
    run = planned_run()
    told = {"held": True, "was_held": False, "revision": 1}
    run.session("AttendanceCorrected", "m-1~g-1~1", 1, 40, (), **told)
    assert "nobody had told anything" in " ".join(judged(run).lost)
