"""What the check reads in records: each event once, in its turn."""

from dataclasses import replace
from datetime import UTC, datetime

from deploy.trial.check import Evidence, Record, check
from schemas.envelope import encode
from schemas.scheduling import PairGraduated
from tests.deploy.trial.check.builder import COHORT, HERE, PARTITIONS, name_of
from tests.deploy.trial.check.stories import (
    again,
    first,
    judged,
    names,
    only_lost,
    whole_run,
    with_records,
    without,
)


def test_a_record_that_is_in_the_log_again_unchanged_is_redelivered_and_not_doubled() -> None:
    run = whole_run()
    run.put_again(first(run.records, "PairFormed"))
    findings = judged(run)
    assert findings.clean
    assert findings.redelivered == 1


def test_two_events_under_one_number_are_a_fork() -> None:
    def fork(records: list[Record]) -> list[Record]:
        found = first(records, "RolloutWithheld")
        return [*records, again(found, value=b'{"criteria": []}')]

    findings = judged(whole_run(), with_records(fork))
    assert names(findings.doubled, "/mentoring/feedback/events/", "two events 1")


def test_a_command_that_is_gone_from_the_log_is_lost() -> None:
    run = whole_run()
    run.send("matching.commands", "DissolvePair", "m-1~g-1")
    run.refuse("matching", run.send("matching.commands", "AcceptProposal", "m-1~g-1"))
    only_lost(
        judged(run, without("DissolvePair")), "matching.commands", "nothing from offset 1 to 1"
    )


def test_what_another_took_back_is_no_record_nor_are_the_markers_of_its_transactions() -> None:
    run = whole_run()
    gone = run.send("matching.commands", "DissolvePair", "m-1~g-1")
    run.refuse("matching", run.send("matching.commands", "AcceptProposal", "m-1~g-1"))
    evidence = replace(run.evidence(), records=[r for r in run.records if r.origin != gone.origin])
    gap = "nothing from offset 1 to 1"
    assert names(check(evidence).lost, "matching.commands", gap)
    elsewhere = {f"{gone.topic}/{gone.partition + 1}/1"}
    assert names(check(replace(evidence, void=elsewhere)).lost, "matching.commands", gap)
    assert not names(check(replace(evidence, void={gone.origin})).lost, gap)


def test_a_record_that_stands_after_its_successor_is_lost() -> None:
    def swap(records: list[Record]) -> list[Record]:
        one, two = [r for r in records if name_of(r) == "PairProposed"][:2]
        moved = {one.origin: two.offset, two.origin: one.offset}
        return [replace(r, offset=moved.get(r.origin, r.offset)) for r in records]

    only_lost(judged(whole_run(), with_records(swap)), "PairProposed", "after its successor")


def test_the_published_envelope_is_understood() -> None:
    event = PairGraduated(
        cohort_id=COHORT, pair_id="m-1~g-1", mentor_id="m-1", manager_id="g-1", sessions=5
    )
    written = encode(
        event,
        "mentoring.scheduling.events",
        HERE,
        id="scheduling.events.1",
        source=f"/mentoring/scheduling/events/{HERE}",
        time=datetime(2017, 3, 6, tzinfo=UTC),
        sequence=1,
        order=0,
    )
    record = Record(written.topic, HERE, 0, written.key, written.value, tuple(written.headers))
    findings = check(Evidence(PARTITIONS, [record]))
    assert findings.figures["pairs_graduated"] == 1
    assert names(findings.lost, "PairGraduated bercy-2017/m-1~g-1", "was never formed")
