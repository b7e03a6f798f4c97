"""What the check says of the journals, of places, and of what was set aside."""

import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from deploy.trial.check import Evidence, Record, check
from schemas.upcasting import UPCASTS, Upcast
from tests.deploy.trial.check.builder import (
    ELSEWHERE,
    HERE,
    name_of,
)
from tests.deploy.trial.check.stories import (
    first,
    judged,
    names,
    only_doubled,
    only_lost,
    planned_run,
    whole_run,
    with_records,
    without,
)


def test_nobody_has_to_have_seen_the_last_heartbeats_but_whatever_was_before_them() -> None:
    assert check(whole_run().evidence(late=["Heartbeat", "Heartbeat"])).lost == []
    findings = check(whole_run().evidence(late=["SessionConfirmed", "Heartbeat"]))
    assert names(findings.lost, "matching has not handled mentoring.scheduling.events")
    assert names(findings.lost, "matching has seen", "events of /mentoring/scheduling/events")


def test_a_record_that_is_gone_from_the_log_is_lost() -> None:
    findings = judged(whole_run(), without("SessionConfirmed"))
    only_lost(findings, "/mentoring/scheduling/events/", "has no event")
    assert names(findings.lost, "scheduling", "nothing at place")


def test_a_log_that_ends_too_early_is_lost() -> None:
    findings = judged(whole_run(), without("RolloutWithheld"))
    only_lost(findings, "feedback", "stream events", "the database knows of 1, the log has 0")


def test_an_event_that_the_database_knows_nothing_of_is_doubled() -> None:
    run = whole_run()
    evidence = run.evidence()
    run.write("matching", "MentorPaused", "m-2", {"mentor_id": "m-2"})
    findings = check(evidence)
    assert names(findings.doubled, "matching", "stream events", "somebody else wrote")


def test_two_events_at_one_place_of_a_journal_are_doubled() -> None:
    def same_place(records: list[Record]) -> list[Record]:
        taken = dict(records[0].headers)["ce_order"]
        found = first(records, "MentorVolunteered")
        headers = tuple((n, taken if n == "ce_order" else v) for n, v in found.headers)
        return [replace(r, headers=headers) if r is found else r for r in records]

    findings = judged(whole_run(), with_records(same_place))
    assert names(findings.doubled, "matching", "two events at place 0")


def test_a_record_on_another_partition_than_its_cohorts_is_lost() -> None:
    def misplace(records: list[Record]) -> list[Record]:
        found = first(records, "RolloutWithheld")
        source = f"/mentoring/feedback/events/{ELSEWHERE}".encode()
        headers = tuple((n, source if n == "ce_source" else v) for n, v in found.headers)
        moved = replace(found, partition=ELSEWHERE, headers=headers)
        return [moved if r is found else r for r in records]

    findings = judged(whole_run(), with_records(misplace))
    assert names(findings.lost, "RolloutWithheld", f"belongs to {HERE}")


def test_a_step_that_was_completed_twice_is_doubled() -> None:
    run = whole_run()
    run.write("matching", "StepCompleted", "matching", {"step": 1, "positions": {}, "seen": {}})
    assert names(judged(run).doubled, "matching", "step 1 was completed 2 times")


def test_what_was_committed_and_not_published_is_lost() -> None:
    run = whole_run()
    waiting = {"_id": "0/7/0", "partition": HERE, "step": 7, "records": [[], []]}
    run.rows["feedback"]["outbox"] = {"": waiting}
    only_lost(judged(run), "feedback", "2 records of step 7", "not published")


def test_an_event_that_nobody_has_handled_is_lost() -> None:
    run = whole_run()
    evidence = run.evidence()
    unread = run.write("scheduling", "SessionConfirmed", "m-1~g-1~1", {})
    findings = check(evidence)
    for reader in ("matching", "feedback", "notify"):
        assert names(findings.lost, f"{reader} has seen")
        assert names(findings.lost, f"{reader} has not handled {unread.topic}")


def test_a_command_that_nobody_has_handled_is_lost() -> None:
    run = whole_run()
    evidence = run.evidence()
    command = run.send("scheduling.commands", "CancelSession", "m-1~g-1~1")
    only_lost(check(evidence), "scheduling has not handled", command.topic, "offsets 0 to 0")


def test_a_position_beyond_the_end_of_the_log_is_lost() -> None:
    run = whole_run()
    only_lost(judged(run, without("AcceptProposal")), "matching.commands", "ends at offset 0")


def test_an_event_that_a_service_has_learned_twice_is_doubled() -> None:
    run = whole_run()
    fact = first(run.records, "PairFormed")
    cause = (dict(fact.headers)["ce_id"] or b"").decode()
    data = json.loads(fact.value or b"")
    run.write("feedback", "PairFormed", "m-1~g-1", data, cause=cause, copy=True)
    only_doubled(judged(run), "PairFormed", "learned 2 times by feedback")


def learned_in_version_2(**changes: Any) -> Callable[[Evidence], Evidence]:
    """Scheduling keeps what it has learned of a pair in a version of its own."""

    def renew(record: Record) -> Record:
        if (record.topic, name_of(record)) != ("mentoring.scheduling.private", "PairFormed"):
            return record
        headers = dict(record.headers) | {"ce_type": b"fr.gouv.mentoring.PairFormed.v2"}
        data = {**json.loads(record.value or b""), "room": "B-12", **changes}
        return replace(record, headers=tuple(headers.items()), value=json.dumps(data).encode())

    return with_records(lambda records: [renew(record) for record in records])


def test_what_a_newer_service_has_learned_is_the_fact_as_its_version_tells_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    change = learned_in_version_2()
    only_doubled(judged(planned_run(), change), "is another version of", "PairFormed")

    known = Upcast(lambda old: {**old, "room": "B-12"})
    monkeypatch.setitem(UPCASTS, ("PairFormed", 1), known)
    assert judged(planned_run(), change).clean
    for other in ({"room": "C-1"}, {"manager_id": "g-2"}):
        findings = judged(planned_run(), learned_in_version_2(**other))
        only_doubled(findings, "is another version of", "PairFormed")


def test_an_event_that_a_service_has_not_learned_is_lost() -> None:
    run = whole_run()
    run.write("scheduling", "MentorPaused", "m-1", {}, cause="matching.events.9.9", copy=True)
    run.fact("matching", "MentorPaused", "m-2", mentor_id="m-2")
    findings = judged(run)
    assert names(findings.lost, "MentorPaused", "m-2", "was not learned by scheduling")
    assert names(findings.lost, "MentorPaused", "m-1", "publisher's topic does not have it")


def test_a_record_that_cannot_be_read_and_was_set_aside_by_all_its_readers_is_not_lost() -> None:
    run = whole_run()
    poison = run.put("scheduling.events", b"\xff", {"ce_id": "?"})
    for reader in ("matching", "feedback", "notify"):
        run.park(reader, poison)
    findings = judged(run)
    assert findings.clean
    assert findings.parked == 3


@pytest.mark.parametrize("topic", ["matching.commands", "people"])
def test_a_record_that_cannot_be_read_and_was_passed_over_is_lost(topic: str) -> None:
    run = whole_run()
    poison = run.put(topic, b"{", {"ce_id": "?"})
    only_lost(judged(run), poison.origin, "was not set aside", "ce_source is missing")


def test_a_command_on_another_partition_has_to_be_set_aside() -> None:
    run = whole_run()
    found = run.send("matching.commands", "RunRound", "r-2", where=ELSEWHERE)
    findings = judged(run)
    assert names(findings.lost, found.origin, "belongs to another partition")


def test_what_would_have_followed_from_an_event_that_was_set_aside_is_not_missed() -> None:
    run = whole_run()
    fact = run.fact("matching", "MentorVolunteered", "m-9", mentor_id="m-9", capacity=1)
    run.row("matching", "mentors", "m-9", engaged=[])
    run.park("notify", fact)
    assert judged(run).clean


def test_a_good_record_that_was_set_aside_is_lost_where_it_is_known_what_is_not_good() -> None:
    run = whole_run()
    good = run.send("matching.commands", "PauseMentor", "m-1")
    run.park("matching", good)
    evidence = run.evidence()
    assert check(evidence).clean
    findings = check(replace(evidence, poison=frozenset()))
    assert names(findings.lost, good.origin, "which was good")


def test_poison_that_looks_good_has_to_be_set_aside_once_by_everybody_who_reads_it() -> None:
    run = whole_run()
    poison = run.put_again(run.records[0])
    evidence = replace(run.evidence(), poison={poison.origin})
    assert names(check(evidence).lost, poison.origin, "was not set aside")
    run = whole_run()
    poison = run.send("matching.commands", "PauseMentor", "m-1")
    run.park("matching", poison)
    run.park("matching", poison)
    evidence = replace(run.evidence(), poison={poison.origin})
    assert names(check(evidence).doubled, poison.origin, "aside 2 times")


def test_events_that_a_service_learned_in_another_order_are_found() -> None:
    def swap(records: list[Record]) -> list[Record]:
        learned = [r for r in records if r.topic == "mentoring.feedback.private"]
        one, two = [r for r in learned if name_of(r) == "MentorVolunteered"][:2]
        swapped = {
            one.origin: replace(one, value=two.value, headers=_caused(one, two)),
            two.origin: replace(two, value=one.value, headers=_caused(two, one)),
        }
        return [swapped.get(r.origin, r) for r in records]

    findings = judged(whole_run(), with_records(swap))
    assert names(findings.lost, "feedback has learned MentorVolunteered", "after")


def _caused(place: Record, by: Record) -> tuple[tuple[str, bytes | None], ...]:
    """The headers of a copy as it stands at its place, of what another tells."""
    told = ("ce_cause", "ce_subject")
    return tuple((n, dict(by.headers)[n] if n in told else v) for n, v in place.headers)
