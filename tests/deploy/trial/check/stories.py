"""Runs for the tests of the check, from a cohort's opening to its end, and how they are judged."""

from collections.abc import Callable, Iterable
from dataclasses import replace
from typing import Any

from deploy.trial.check import Evidence, Findings, Mail, Record, check
from tests.deploy.trial.check.builder import (
    BOTH,
    COHORT,
    COUNTERS,
    READS,
    SESSIONS,
    Run,
    at,
    name_of,
)


def beginning(run: Run, mentors: dict[str, int], managers: Iterable[str]) -> None:
    """A cohort is opened; mentors (with their capacity) and managers come."""
    for service in READS:
        run.row(service, "cohorts", COHORT)
    run.row(
        "feedback", "cohorts", COHORT, **dict.fromkeys((*COUNTERS.values(), "sessions_presumed"), 0)
    )
    run.fact("matching", "CohortOpened", COHORT, name="Pilot", policy={"sessions": SESSIONS})
    for mentor, capacity in mentors.items():
        run.fact(
            "matching", "MentorVolunteered", mentor, ["mentor"], mentor_id=mentor, capacity=capacity
        )
        run.row("matching", "mentors", mentor, engaged=[])
    for manager in managers:
        run.fact("matching", "ManagerEnrolled", manager, ["manager"], manager_id=manager)
        run.row("matching", "managers", manager)
    for person in (*mentors, *managers):
        run.send("people", "PersonContact", person, person_id=person)
        run.row("notify", "people", person)


def proposed(run: Run, round_id: str, *pairs: str) -> None:
    """A round proposes pairs."""
    for pair in pairs:
        run.pair("matching", "PairProposed", pair, BOTH, round_id=round_id)
        run.row("matching", "pairs", pair, state="proposed")
        run.row("matching", "mentors", pair.split("~")[0])["engaged"].append(pair)
    run.fact("matching", "RoundCompleted", round_id, round_id=round_id, proposed=len(pairs))
    run.row("matching", "rounds", round_id)


def left(run: Run, pair: str, state: str) -> None:
    """A pair has ended, and takes no place any more."""
    run.row("matching", "pairs", pair, state=state)
    run.row("matching", "mentors", pair.split("~", maxsplit=1)[0])["engaged"].remove(pair)


def formed(run: Run, pair: str, accepted: Iterable[str] = BOTH) -> None:
    """Both sides accept; both are asked what they expect."""
    for side in accepted:
        run.pair("matching", "ProposalAccepted", pair, by=side)
    run.pair("matching", "PairFormed", pair, BOTH)
    run.row("matching", "pairs", pair, state="formed")
    run.pair("scheduling", "PlanningBegan", pair)
    run.row("scheduling", "pairs", pair, state="active")
    run.row("feedback", "pairs", pair, state="standing")
    run.surveys(pair, "start")


def held(
    run: Run, session: str, attempt: int, day: int, *, revision: int = 1, hour: int = 9
) -> None:
    """A session took place; both are asked how it was."""
    run.session("SessionCompleted", session, attempt, day, (), revision=revision, hour=hour)
    pair, _, number = session.rpartition("~")
    run.surveys(pair, f"s{number}")


def graduated(run: Run, pair: str) -> None:
    """A pair has held all its sessions."""
    run.pair("scheduling", "PairGraduated", pair, BOTH, sessions=SESSIONS)
    left(run, pair, "graduated")
    run.row("scheduling", "pairs", pair, state="graduated")
    run.row("feedback", "pairs", pair, state="graduated")
    run.surveys(pair, "end")


def dissolved(run: Run, pair: str) -> None:
    """A standing pair ends."""
    run.pair("matching", "PairDissolved", pair, BOTH, cause="request")
    left(run, pair, "dissolved")
    run.row("scheduling", "pairs", pair, state="dissolved")
    run.row("feedback", "pairs", pair, state="dissolved")


def whole_run() -> Run:
    """m-1~g-1 graduates after a missed and a moved session, m-1~g-2 is dissolved, g-3 declines."""
    run = Run()
    beginning(run, {"m-1": 2, "m-2": 1}, ["g-1", "g-2", "g-3"])
    proposed(run, "r-1", "m-1~g-1", "m-1~g-2", "m-2~g-3")
    formed(run, "m-1~g-1")
    formed(run, "m-1~g-2")
    run.pair("matching", "ProposalAccepted", "m-2~g-3", by="mentor")
    run.pair("matching", "ProposalDeclined", "m-2~g-3", ["mentor"], by="manager")
    left(run, "m-2~g-3", "declined")

    run.session("SessionPlanned", "m-1~g-1~1", 1, 40)
    run.session("SessionPlanned", "m-1~g-1~2", 1, 50)
    run.session("SessionPlanned", "m-1~g-2~1", 1, 40, hour=10)
    run.session("SessionPlanned", "m-1~g-2~2", 1, 50, hour=10)
    run.session("AttendanceRequested", "m-1~g-1~1", 1, 40)
    run.session("SessionMissed", "m-1~g-1~1", 1, 40, revision=1, cause="reported")
    run.session("SessionPlanned", "m-1~g-1~1", 2, 60, revision=2)
    run.session("SessionRescheduled", "m-1~g-1~2", 1, 70, revision=1, previously_at=at(50))
    run.session("SessionConfirmed", "m-1~g-1~2", 1, 70, (), revision=2, by="mentor")
    dissolved(run, "m-1~g-2")
    for number, day in ((1, 40), (2, 50)):
        session = f"m-1~g-2~{number}"
        run.session(
            "SessionCancelled", session, 1, day, revision=1, hour=10, cause="pair_dissolved"
        )
    run.pair("scheduling", "PairStalled", "m-1~g-1", BOTH, ":20170301T090000Z", since=at(0))
    held(run, "m-1~g-1~1", 2, 60, revision=3)
    held(run, "m-1~g-1~2", 1, 70, revision=3)
    graduated(run, "m-1~g-1")

    run.close("m-1~g-1~start~mentor", "answered")
    run.close("m-1~g-1~start~manager", "expired")
    late = {"pair_id": "m-2~g-3", "by": "mentor"}
    run.refuse("matching", run.send("matching.commands", "AcceptProposal", "m-2~g-3", **late))
    run.fact("feedback", "RolloutWithheld", COHORT, criteria=[{"name": "satisfaction"}])
    return run


def judged(run: Run, change: Callable[[Evidence], Evidence] = lambda e: e) -> Findings:
    """What the check says once the run is over, and the evidence was tampered with."""
    return check(change(run.evidence()))


def names(findings: list[str], *words: str) -> bool:
    """Whether one of the findings has all of these words."""
    return any(all(word in finding for word in words) for finding in findings)


def only_doubled(findings: Findings, *words: str) -> None:
    assert names(findings.doubled, *words), findings.doubled
    assert findings.lost == []


def only_lost(findings: Findings, *words: str) -> None:
    assert names(findings.lost, *words), findings.lost
    assert findings.doubled == []


def with_records(change: Callable[[list[Record]], list[Record]]) -> Callable[[Evidence], Evidence]:
    """The log is not as it was written."""
    return lambda evidence: replace(evidence, records=change(list(evidence.records)))


def with_mails(change: Callable[[list[Mail]], list[Mail]]) -> Callable[[Evidence], Evidence]:
    """The mailbox is not as it was filled."""
    return lambda evidence: replace(evidence, mails=change(list(evidence.mails)))


def without(name: str, nth: int = 0) -> Callable[[Evidence], Evidence]:
    """A record of this type is gone from the log."""

    def drop(records: list[Record]) -> list[Record]:
        gone = [record for record in records if name_of(record) == name][nth]
        return [record for record in records if record is not gone]

    return with_records(drop)


def again(record: Record, by: int = 1000, **changes: Any) -> Record:
    """A record once more, further on in its partition."""
    return replace(record, offset=record.offset + by, **changes)


def first(records: list[Record], name: str) -> Record:
    return next(record for record in records if name_of(record) == name)


def short_run() -> Run:
    """One cohort, mentors and managers; nobody is paired yet."""
    run = Run()
    beginning(run, {"m-1": 1, "m-2": 1}, ["g-1", "g-2"])
    return run


def formed_run() -> Run:
    """One pair, formed; nothing is planned yet."""
    run = short_run()
    proposed(run, "r-1", "m-1~g-1")
    formed(run, "m-1~g-1")
    return run


def planned_run() -> Run:
    """One pair, formed; its two sessions are planned."""
    run = formed_run()
    run.session("SessionPlanned", "m-1~g-1~1", 1, 40)
    run.session("SessionPlanned", "m-1~g-1~2", 1, 50)
    return run
