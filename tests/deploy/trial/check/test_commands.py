"""What the check says of commands without their effect or their refusal, or with too many."""

from dataclasses import replace

import pytest

from deploy.trial.check import Record, check
from tests.deploy.trial.check.builder import COHORT, HERE, Row, Run, id_of
from tests.deploy.trial.check.stories import judged, names, only_doubled, only_lost, whole_run


def pause(run: Run, mentor: str = "m-1") -> Record:
    return run.send("matching.commands", "PauseMentor", mentor, mentor_id=mentor)


def carried_out(run: Run, command: Record, name: str = "MentorPaused") -> None:
    """Matching does what a command asks for."""
    run.write("matching", name, "m-1", {"mentor_id": "m-1"}, cause=id_of(command))


def test_a_command_that_was_accepted_and_never_arrived_is_lost() -> None:
    run = whole_run()
    told = run.send("notify.commands", "OpenCohort", COHORT)  # elsewhere: not read as a command
    evidence = replace(run.evidence(), accepted={"sent-177", id_of(told), "c-99"})
    assert names(check(evidence).lost, "Command c-99 was accepted", "in no topic")
    assert not names(check(evidence).lost, "Command sent-177")


def test_an_effect_of_a_command_whose_transaction_was_aborted_is_doubled() -> None:
    run = whole_run()
    command = pause(run)
    carried_out(run, command)
    evidence = replace(run.evidence(), aborted={id_of(command)})
    assert names(check(evidence).doubled, "MentorPaused", id_of(command), "was aborted")
    assert not check(replace(evidence, aborted={"c-99"})).doubled


def test_a_command_without_effect_or_refusal_is_lost() -> None:
    run = whole_run()
    command = pause(run)
    only_lost(judged(run), command.origin, "neither an effect nor a refusal")


def test_a_command_with_two_effects_is_doubled() -> None:
    run = whole_run()
    command = pause(run)
    carried_out(run, command)
    carried_out(run, command)
    only_doubled(judged(run), "MentorPaused", id_of(command), "had its outcome")


def test_a_command_with_an_effect_and_a_refusal_is_doubled() -> None:
    run = whole_run()
    command = pause(run)
    carried_out(run, command)
    run.refuse("matching", command)
    only_doubled(judged(run), "CommandRefused", id_of(command))


def test_an_effect_of_a_command_in_a_step_that_has_not_read_it_is_doubled() -> None:
    run = whole_run()
    command = pause(run)
    carried_out(run, command)
    evidence = run.evidence()  # with a step
    carried_out(run, command)
    late = {"step": 2, "positions": {}, "seen": {}}
    run.write("matching", "StepCompleted", f"matching.{HERE}", late)
    assert names(check(replace(evidence, records=run.records)).doubled, "is not of its step")


def test_commands_whose_effects_stand_in_another_order_are_found() -> None:
    run = whole_run()
    first_, second = pause(run), run.send("matching.commands", "ResumeMentor", "m-1")
    carried_out(run, second, "MentorResumed")
    carried_out(run, first_)
    assert names(judged(run).doubled, id_of(first_), "came after others")


def test_a_command_that_a_stranger_published_again_has_one_outcome_for_each_record() -> None:
    run = whole_run()
    command = pause(run)
    again = run.put_again(command)
    carried_out(run, command)
    assert judged(run).clean  # paused already: the second changes nothing
    run = whole_run()
    command = pause(run)
    again = run.put_again(command)
    carried_out(run, command)
    run.refuse("matching", again)
    assert judged(run).clean


def test_a_proposal_that_is_accepted_again_by_a_copy_needs_an_outcome_of_its_own() -> None:
    run = whole_run()
    accepted = run.send("matching.commands", "AcceptProposal", "m-1~g-1", by="mentor")
    run.refuse("matching", accepted)
    again = run.put_again(accepted)
    only_lost(judged(run), again.origin, "neither an effect nor a refusal")


@pytest.mark.parametrize(
    ("name", "subject", "data"),
    [
        ("OpenCohort", COHORT, {}),
        ("VolunteerAsMentor", "m-1", {}),
        ("EnrolManager", "g-1", {}),
        ("ReportAttendance", "m-1~g-1~1", {"attempt": 2, "held": True}),
    ],
)
def test_a_command_whose_wish_was_fulfilled_before_may_change_nothing(
    name: str, subject: str, data: Row
) -> None:
    run = whole_run()
    service = "scheduling" if name == "ReportAttendance" else "matching"
    run.send(f"{service}.commands", name, subject, **data)
    assert judged(run).clean


def test_a_report_of_the_opposite_is_not_fulfilled() -> None:
    run = whole_run()
    wrong = {"attempt": 2, "held": False}
    run.send("scheduling.commands", "ReportAttendance", "m-1~g-1~1", **wrong)
    only_lost(judged(run), "ReportAttendance", "neither an effect nor a refusal")
