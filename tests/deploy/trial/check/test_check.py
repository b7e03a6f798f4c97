"""What the independent check says of a run: of a clean one nothing, of each fault its name.

The run is told by hand, as four services would leave it behind, without one of them: each fact is
given with what it leads to elsewhere (copies, letters, mails, documents), so that nothing is
missing until a test leaves it out.
"""

import json
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from email.message import EmailMessage
from pathlib import Path
from typing import Any

import pytest
from aiokafka import AIOKafkaProducer
from pymongo import AsyncMongoClient

from deploy.local.broker import embedded_broker
from deploy.local.mongodb import mongod
from deploy.operating.topics import create_topics
from deploy.trial.check import Evidence, Findings, Mail, Record, check, read_evidence
from schemas.envelope import encode
from schemas.scheduling import PairGraduated
from schemas.topics import partition_of
from schemas.upcasting import UPCASTS, Upcast

COHORT = "bercy-2017"
PARTITIONS = 3
HERE = partition_of(COHORT, PARTITIONS)
ELSEWHERE = (HERE + 1) % PARTITIONS
SESSIONS = 2
BOTH = ("mentor", "manager")

READS = {
    "matching": ("matching.commands", "scheduling.events"),
    "scheduling": ("scheduling.commands", "matching.events"),
    "feedback": ("feedback.commands", "matching.events", "scheduling.events"),
    "notify": (
        *("notify.commands", "people", "matching.events", "scheduling.events"),
        *("scheduling.private", "feedback.private"),
    ),
}
"""In the order in which they can come to rest: nobody reads what a later one writes."""

LEARNS = {
    "matching": ("PairGraduated",),
    "scheduling": ("CohortOpened", "PairFormed", "PairDissolved"),
    "feedback": (
        *("CohortOpened", "MentorVolunteered", "ManagerEnrolled", "PairFormed", "PairDissolved"),
        *("PairGraduated", "SessionCompleted", "SessionMissed"),
    ),
    "notify": ("CohortOpened",),
}
COUNTERS = {
    "MentorVolunteered": "mentors",
    "ManagerEnrolled": "managers",
    "PairFormed": "pairs_formed",
    "PairGraduated": "pairs_graduated",
    "PairDissolved": "pairs_dissolved",
    "SessionCompleted": "sessions_completed",
    "SessionMissed": "sessions_missed",
}
ENDS = {
    "SessionCompleted": "completed",
    "SessionMissed": "missed",
    "SessionCancelled": "cancelled",
}
PRIVATE = {
    *("CommandRefused", "StepCompleted", "PlanningBegan", "PlanningPostponed"),
    *("AttendanceRequested", "SurveyOpened", "SurveyClosed", "SurveyAnswered"),
    *("LetterQueued", "LetterSent", "LetterDeferred", "LetterFailed"),
}
Row = dict[str, Any]


def at(day: int, hour: int = 9) -> str:
    """A moment of the run, as it is written."""
    moment = datetime(2017, 3, 1, hour, tzinfo=UTC) + timedelta(days=day)
    return moment.isoformat().replace("+00:00", "Z")


def name_of(record: Record) -> str:
    """The type of a record's message; empty if it says none."""
    return dict(record.headers).get("ce_type", b"..v1").decode().split(".")[-2]  # type: ignore[union-attr]


def id_of(record: Record) -> str:
    """The id of a record's message."""
    return (dict(record.headers)["ce_id"] or b"").decode()


@dataclass
class Run:
    """A run as it is being told. `rows`: service to collection to id to row."""

    records: list[Record] = field(default_factory=list)
    mails: list[Mail] = field(default_factory=list)
    rows: dict[str, dict[str, dict[str, Row]]] = field(default_factory=dict)
    _sequences: dict[tuple[str, str], int] = field(default_factory=dict)
    _orders: dict[str, int] = field(default_factory=dict)
    _offsets: dict[str, int] = field(default_factory=dict)
    _day: int = 0

    # --- the log ----------------------------------------------------------------------------

    def put(
        self,
        topic: str,
        value: bytes | None,
        headers: dict[str, str],
        key: str = "",
        where: int = HERE,
    ) -> Record:
        """Put a record at the end of a topic's partition."""
        place = f"{topic}/{where}"
        offset = self._offsets.get(place, 0)
        self._offsets[place] = offset + 1
        raw = tuple((name, text.encode()) for name, text in headers.items())
        record = Record(f"mentoring.{topic}", where, offset, key.encode(), value, raw)
        self.records.append(record)
        return record

    def put_again(self, record: Record) -> Record:
        """Publish a record once more, as it was."""
        headers = {name: (raw or b"").decode() for name, raw in record.headers}
        topic = record.topic.removeprefix("mentoring.")
        return self.put(topic, record.value, headers, (record.key or b"").decode())

    def send(self, topic: str, name: str, subject: str, where: int = HERE, **data: Any) -> Record:
        """Ask a service for something, or say how a person can be reached."""
        headers = _headers(name, f"sent-{len(self.records)}", "/sender", subject, self._day)
        value = json.dumps({"cohort_id": COHORT, **data}).encode()
        return self.put(topic, value, headers, f"{COHORT}/{subject}", where)

    def write(
        self, service: str, name: str, subject: str, data: Row, cause: str = "", copy: bool = False
    ) -> Record:
        """Put an event at the end of a service's journal; its record."""
        stream = "parked" if name == "RecordParked" else "private"
        if not copy and name not in PRIVATE and stream != "parked":
            stream = "events"
        sequence = self._sequences.get((service, stream), 0) + 1
        self._sequences[service, stream] = sequence
        order = self._orders.get(service, 0)
        self._orders[service] = order + 1
        headers = _headers(
            name,
            f"{service}.{stream}.{HERE}.{sequence}",
            f"/mentoring/{service}/{stream}/{HERE}",
            subject,
            self._day,
        )
        headers |= {"ce_sequence": f"{sequence:012d}", "ce_order": str(order), "ce_cause": cause}
        topic = "parked" if stream == "parked" else f"{service}.{stream}"
        return self.put(topic, json.dumps(data).encode(), headers, f"{COHORT}/{subject}")

    # --- facts ------------------------------------------------------------------------------

    def fact(
        self,
        service: str,
        name: str,
        subject: str,
        /,
        tells: Iterable[str] = (),
        of: str = "",
        **data: Any,
    ) -> Record:
        """A service publishes a fact; others learn it, and `tells` the sides are written to.

        `of` is what makes the letter one of its kind, beside the subject.
        """
        self._day += 1
        data = {"cohort_id": COHORT, **data}
        record = self.write(service, name, subject, data)
        told = dict(record.headers)["ce_id"]
        for learner, names in LEARNS.items():
            if name in names:
                self.write(learner, name, subject, data, cause=(told or b"").decode(), copy=True)
        if name in COUNTERS:
            self.row("feedback", "cohorts", COHORT)[COUNTERS[name]] += 1
        for side in tells:
            person = data["person_id"] if name == "SurveyOpened" else data[f"{side}_id"]
            self.letter(f"{name}:{subject}{of}:{person}", name, person, side, data)
        return record

    def letter(self, letter_id: str, name: str, person: str, side: str, facts: Row) -> None:
        """Notify queues a letter and sends it, and it arrives."""
        about = {"cohort_id": COHORT, "letter_id": letter_id, "person_id": person}
        self.queue(letter_id, name, person, side, facts)
        self.write("notify", "LetterSent", letter_id, {**about, "template": name})
        self.row("notify", "letters", letter_id)["state"] = "sent"
        self.mails.append(Mail(COHORT, letter_id, f"<{letter_id}>", f"{person}@example.org"))

    def queue(self, letter_id: str, name: str, person: str, side: str, facts: Row) -> None:
        """Notify queues a letter."""
        data = {"cohort_id": COHORT, "letter_id": letter_id, "person_id": person}
        data |= {"template": name, "side": side, "facts": facts}  # type: ignore[dict-item]
        self.write("notify", "LetterQueued", letter_id, data)
        self.row("notify", "letters", letter_id, state="queued")

    def pair(
        self,
        service: str,
        name: str,
        pair: str,
        tells: Iterable[str] = (),
        of: str = "",
        **data: Any,
    ) -> Record:
        """A fact about a pair."""
        mentor, manager = pair.split("~")
        people = {"pair_id": pair, "mentor_id": mentor, "manager_id": manager}
        return self.fact(service, name, pair, tells, of, **people, **data)

    def session(
        self,
        name: str,
        session: str,
        attempt: int,
        day: int,
        tells: Iterable[str] = BOTH,
        *,
        revision: int = 0,
        hour: int = 9,
        **more: Any,
    ) -> Record:
        """A fact about a session of one hour."""
        mentor, manager, number = session.split("~")
        data = more | {
            "session_id": session,
            "pair_id": f"{mentor}~{manager}",
            "number": int(number),
        }
        data |= {"mentor_id": mentor, "manager_id": manager, "attempt": attempt}
        data |= {"starts_at": at(day, hour), "ends_at": at(day, hour + 1), "revision": revision}
        record = self.fact("scheduling", name, session, tells, f":{attempt}.{revision}", **data)
        state = ENDS.get(name, "planned")
        self.row("scheduling", "sessions", session, attempt=attempt, state=state)
        if name in ENDS:
            self.row("scheduling", "outcomes", f"{session}~{attempt}", outcome=state)
        return record

    def survey(self, survey: str) -> None:
        """A survey is opened, for the side that its id ends with."""
        mentor, manager, occasion, side = survey.split("~")
        person = mentor if side == "mentor" else manager
        kind = occasion if occasion in ("start", "end") else "session"
        about = {"survey_id": survey, "kind": kind, "side": side, "person_id": person}
        self.fact("feedback", "SurveyOpened", survey, (side,), **about)
        self.row("feedback", "surveys", survey, state="open")
        self.count("opened", kind, side)

    def close(self, survey: str, outcome: str) -> None:
        """A survey is closed, by an answer or without one."""
        *_, occasion, side = survey.split("~")
        kind = occasion if occasion in ("start", "end") else "session"
        if outcome == "answered":
            self.fact("feedback", "SurveyAnswered", COHORT, kind=kind, side=side, scores={})
            self.count("answered", kind, side)
        about = {"survey_id": survey, "kind": kind, "side": side, "outcome": outcome}
        self.fact("feedback", "SurveyClosed", survey, **about)
        self.row("feedback", "surveys", survey, state=outcome)
        self.count("closed", kind, side)

    def count(self, what: str, kind: str, side: str) -> None:
        """A survey is counted, in all and with its like."""
        for turnout in ("all", f"{kind}~{side}"):
            row = self.row("feedback", "turnouts", turnout)
            for field_ in ("opened", "closed", "answered"):
                row.setdefault(field_, 0)
            row[what] += 1

    def surveys(self, pair: str, occasion: str) -> None:
        """Both sides of a pair are asked."""
        for side in BOTH:
            self.survey(f"{pair}~{occasion}~{side}")

    def park(self, service: str, record: Record) -> None:
        """A service sets a record aside."""
        data = {"origin": record.origin}
        self.write(service, "RecordParked", record.origin, data)

    def refuse(self, service: str, command: Record) -> None:
        """A service says no to a command."""
        told = id_of(command)
        data = {"command_id": told, "rule": "too-late"}
        self.write(service, "CommandRefused", told, data, cause=told)
        self.row(service, "refusals", told)

    # --- databases --------------------------------------------------------------------------

    def row(self, service: str, collection: str, id: str, **fields: Any) -> Row:
        """A document, as it is or as it begins; with these fields."""
        documents = self.rows.setdefault(service, {}).setdefault(collection, {})
        row = documents.setdefault(id, {"_id": f"{COHORT}/{id}", "partition": HERE})
        row.update(fields)
        return row

    def evidence(self, late: Iterable[str] = ()) -> Evidence:
        """What there is to be read once every service has handled everything.

        `late`: what scheduling publishes when matching, which reads it, has come to rest.
        """
        for service in READS:
            self._come_to_rest(service)
            if service == "matching":
                for name in late:
                    about = {"cohort_id": "scheduling", "source": f"scheduling.{HERE}"}
                    self.write("scheduling", name, f"scheduling.{HERE}", about)
        databases = {
            service: {name: list(rows.values()) for name, rows in collections.items()}
            for service, collections in self.rows.items()
        }
        return Evidence(PARTITIONS, self.records, databases, self.mails)

    def _come_to_rest(self, service: str) -> None:
        """Its last step, and its place."""
        positions = {f"mentoring.{t}": self._offsets.get(f"{t}/{HERE}", 0) for t in READS[service]}
        positions = {topic: offset for topic, offset in positions.items() if offset}
        seen = {f"mentoring.{topic}": self._last(topic) for topic in READS[service]}
        seen = {topic: number for topic, number in seen.items() if number}
        data = {"step": 1, "positions": positions, "seen": seen}
        self.write(service, "StepCompleted", f"{service}.{HERE}", data)
        streams = {s: n for (who, s), n in self._sequences.items() if who == service}
        place = {"_id": HERE, "step": 1, "positions": positions, "seen": seen}
        place |= {"sequences": streams, "order": self._orders[service], "parked": 0}
        self.rows.setdefault(service, {})["places"] = {"": place}

    def _last(self, topic: str) -> int:
        service, _, stream = topic.partition(".")
        return self._sequences.get((service, stream), 0)


def _headers(name: str, id: str, source: str, subject: str, day: int) -> dict[str, str]:
    return {
        "ce_specversion": "1.0",
        "ce_id": id,
        "ce_source": source,
        "ce_type": f"fr.gouv.mentoring.{name}.v1",
        "ce_time": at(day),
        "ce_subject": f"{COHORT}/{subject}",
        "ce_partitionkey": COHORT,
    }


# --- the story ------------------------------------------------------------------------------------


def beginning(run: Run, mentors: dict[str, int], managers: Iterable[str]) -> None:
    """A cohort is opened; mentors (with their capacity) and managers come."""
    for service in READS:
        run.row(service, "cohorts", COHORT)
    run.row("feedback", "cohorts", COHORT, **dict.fromkeys(COUNTERS.values(), 0))
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


# --- helpers --------------------------------------------------------------------------------------


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


def test_nobody_has_to_have_seen_the_last_heartbeats_but_whatever_was_before_them() -> None:
    assert check(whole_run().evidence(late=["Heartbeat", "Heartbeat"])).lost == []
    findings = check(whole_run().evidence(late=["SessionConfirmed", "Heartbeat"]))
    assert names(findings.lost, "matching has not handled mentoring.scheduling.events")
    assert names(findings.lost, "matching has seen", "events of /mentoring/scheduling/events")


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


LATE = "ManagerEnrolled:g-9:g-9"
LATE_FACT = {"cohort_id": COHORT, "manager_id": "g-9"}
"""The letter that `late_run` owes, and what it tells."""


def late_run() -> Run:
    """A manager enrols late, and is not told so."""
    run = short_run()
    run.fact("matching", "ManagerEnrolled", "g-9", manager_id="g-9")
    run.row("matching", "managers", "g-9")
    return run


def planned_run() -> Run:
    """One pair, formed; its two sessions are planned."""
    run = formed_run()
    run.session("SessionPlanned", "m-1~g-1~1", 1, 40)
    run.session("SessionPlanned", "m-1~g-1~2", 1, 50)
    return run


# --- a run without a fault ------------------------------------------------------------------------


def test_of_a_clean_run_nothing_is_said() -> None:
    findings = judged(whole_run())
    assert findings.lost == []
    assert findings.doubled == []
    assert findings.clean


def test_the_figures_are_counted_from_the_facts() -> None:
    run = whole_run()
    findings = judged(run)
    assert findings.figures == {
        "cohorts": 1,
        "mentors": 2,
        "managers": 3,
        "pairs_formed": 2,
        "pairs_graduated": 1,
        "pairs_dissolved": 1,
        "sessions_completed": 2,
        "sessions_missed": 1,
        "surveys_answered": 1,
        "letters_sent": len(run.mails),
        "parked": 0,
        "refused": 1,
        "events": findings.events,
        "rollout": {
            COHORT: {"verdict": "withheld", "criteria": [{"name": "satisfaction"}]},
        },
    }
    assert findings.letters == len(run.mails) > 40
    assert findings.events == len([r for r in run.records if r.topic not in NOT_EVENTS])


NOT_EVENTS = ("mentoring.people", "mentoring.matching.commands")


def test_a_run_that_has_not_begun_is_clean() -> None:
    findings = check(Evidence(PARTITIONS))
    assert findings.clean
    assert findings.events == 0


def test_a_record_that_is_in_the_log_again_unchanged_is_redelivered_and_not_doubled() -> None:
    run = whole_run()
    run.put_again(first(run.records, "PairFormed"))
    findings = judged(run)
    assert findings.clean
    assert findings.redelivered == 1


def test_a_letter_that_comes_again_under_its_message_id_is_redelivered_and_not_doubled() -> None:
    findings = judged(whole_run(), with_mails(lambda mails: [*mails, mails[3]]))
    assert findings.clean
    assert findings.redelivered_letters == 1


def test_a_standing_pair_may_have_open_sessions() -> None:
    assert judged(planned_run()).clean


def test_sessions_for_which_there_is_no_common_slot_are_not_missing() -> None:
    run = formed_run()
    run.session("SessionPlanned", "m-1~g-1~1", 1, 40)
    run.pair("scheduling", "PlanningPostponed", "m-1~g-1", numbers=[2])
    assert judged(run).clean


def test_a_missed_session_frees_the_rest_of_its_time() -> None:
    run = planned_run()
    run.session("SessionMissed", "m-1~g-1~1", 1, 40, revision=1)  # told before it would begin
    run.session("SessionPlanned", "m-1~g-1~1", 2, 40, revision=2)
    assert judged(run).clean


# --- the journals ---------------------------------------------------------------------------------


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


def test_two_events_under_one_number_are_a_fork() -> None:
    def fork(records: list[Record]) -> list[Record]:
        found = first(records, "RolloutWithheld")
        return [*records, again(found, value=b'{"criteria": []}')]

    findings = judged(whole_run(), with_records(fork))
    assert names(findings.doubled, "/mentoring/feedback/events/", "two events 1")


def test_two_events_at_one_place_of_a_journal_are_doubled() -> None:
    def same_place(records: list[Record]) -> list[Record]:
        taken = dict(records[0].headers)["ce_order"]
        found = first(records, "MentorVolunteered")
        headers = tuple((n, taken if n == "ce_order" else v) for n, v in found.headers)
        return [replace(r, headers=headers) if r is found else r for r in records]

    findings = judged(whole_run(), with_records(same_place))
    assert names(findings.doubled, "matching", "two events at place 0")


def test_a_command_that_is_gone_from_the_log_is_lost() -> None:
    run = whole_run()
    run.send("matching.commands", "DissolvePair", "m-1~g-1")
    run.refuse("matching", run.send("matching.commands", "AcceptProposal", "m-1~g-1"))
    only_lost(
        judged(run, without("DissolvePair")), "matching.commands", "nothing from offset 1 to 1"
    )


def test_a_record_that_stands_after_its_successor_is_lost() -> None:
    def swap(records: list[Record]) -> list[Record]:
        one, two = [r for r in records if name_of(r) == "PairProposed"][:2]
        moved = {one.origin: two.offset, two.origin: one.offset}
        return [replace(r, offset=moved.get(r.origin, r.offset)) for r in records]

    only_lost(judged(whole_run(), with_records(swap)), "PairProposed", "after its successor")


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


# --- what is set aside ----------------------------------------------------------------------------


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


# --- pairs ----------------------------------------------------------------------------------------


def test_a_pair_that_only_one_side_accepted_is_lost() -> None:
    run = short_run()
    proposed(run, "r-1", "m-1~g-1")
    formed(run, "m-1~g-1", accepted=["mentor"])
    run.pair("scheduling", "PlanningPostponed", "m-1~g-1", numbers=[1, 2])
    only_lost(judged(run), "PairFormed", "m-1~g-1", "the manager had not accepted")


def test_a_pair_that_was_never_proposed_is_lost() -> None:
    run = short_run()
    formed(run, "m-1~g-1")
    run.pair("scheduling", "PlanningPostponed", "m-1~g-1", numbers=[1, 2])
    only_lost(judged(run), "m-1~g-1", "was never proposed")


def test_a_declined_pair_that_is_proposed_again_is_doubled() -> None:
    run = whole_run()
    proposed(run, "r-2", "m-2~g-3")
    only_doubled(judged(run), "m-2~g-3", "proposed again, after it was declined")


@pytest.mark.parametrize(
    ("person", "pair"), [("m-1", "m-1~g-2"), ("g-1", "m-2~g-1")], ids=["mentor", "manager"]
)
def test_a_person_in_more_pairs_than_there_are_places_is_doubled(person: str, pair: str) -> None:
    run = short_run()
    proposed(run, "r-1", "m-1~g-1", pair)
    only_doubled(judged(run), f"{person} has 1 place(s)", "m-1~g-1", pair)


def test_a_side_that_accepts_twice_is_doubled() -> None:
    run = short_run()
    proposed(run, "r-1", "m-1~g-1")
    for _ in range(2):
        run.pair("matching", "ProposalAccepted", "m-1~g-1", by="mentor")
    only_doubled(judged(run), "ProposalAccepted", "mentor had accepted already")


def test_a_mentor_who_volunteered_twice_is_doubled() -> None:
    run = short_run()
    run.fact("matching", "MentorVolunteered", "m-1", mentor_id="m-1", capacity=1)
    only_doubled(judged(run), "MentorVolunteered", "m-1", "happened before")


def test_a_round_that_proposed_less_than_it_says_is_lost() -> None:
    run = short_run()
    run.fact("matching", "RoundCompleted", "r-1", round_id="r-1", proposed=1)
    run.row("matching", "rounds", "r-1")
    only_lost(judged(run), "RoundCompleted", "of its 1 proposals the log has 0")


# --- sessions -------------------------------------------------------------------------------------


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


# --- surveys --------------------------------------------------------------------------------------


def test_a_survey_that_was_not_opened_is_lost() -> None:
    run = planned_run()
    run.session("SessionCompleted", "m-1~g-1~1", 1, 40, (), revision=1)
    run.survey("m-1~g-1~s1~mentor")
    only_lost(judged(run), "survey", "m-1~g-1~s1~manager", "was never opened")


def test_a_survey_that_was_opened_twice_is_doubled() -> None:
    run = whole_run()
    run.survey("m-1~g-1~end~mentor")
    assert names(judged(run).doubled, "SurveyOpened", "m-1~g-1~end~mentor", "opened already")


def test_a_survey_that_nothing_asks_for_is_lost() -> None:
    run = planned_run()
    run.survey("m-1~g-1~end~mentor")
    only_lost(judged(run), "m-1~g-1~end~mentor", "nothing asks for it")


def test_a_survey_that_was_closed_twice_is_doubled() -> None:
    run = whole_run()
    run.close("m-1~g-1~start~manager", "expired")
    only_doubled(judged(run), "SurveyClosed", "m-1~g-1~start~manager", "was expired already")


@pytest.mark.parametrize(("answers", "doubled"), [(0, False), (2, True)])
def test_there_are_as_many_answers_as_surveys_that_were_answered(
    answers: int, doubled: bool
) -> None:
    run = planned_run()
    about = {"survey_id": "m-1~g-1~start~mentor", "kind": "start", "side": "mentor"}
    for _ in range(answers):
        run.fact("feedback", "SurveyAnswered", COHORT, scores={}, **about)
    run.fact("feedback", "SurveyClosed", about["survey_id"], outcome="answered", **about)
    run.row("feedback", "surveys", about["survey_id"], state="answered")
    for what in ("closed", "answered"):
        run.count(what, "start", "mentor")
    only = only_doubled if doubled else only_lost
    only(judged(run), "start~mentor", f"there are {answers} answers")


# --- letters --------------------------------------------------------------------------------------


def test_a_letter_that_was_not_queued_is_lost() -> None:
    only_lost(judged(late_run()), LATE, "was never queued")


def test_a_letter_that_no_fact_owes_is_lost() -> None:
    run = short_run()
    run.letter("PairFormed:m-1~g-1:m-1", "PairFormed", "m-1", "mentor", {})
    only_lost(judged(run), "PairFormed:m-1~g-1:m-1", "no fact that it tells")


def test_a_letter_that_tells_something_else_than_its_fact_is_lost() -> None:
    run = late_run()
    run.letter(LATE, "ManagerEnrolled", "g-9", "manager", {"manager_id": "?"})
    only_lost(judged(run), LATE, "does not tell what")


def test_a_letter_of_a_newer_version_may_tell_more_than_its_fact_and_never_less() -> None:
    run = late_run()
    run.letter(LATE, "ManagerEnrolled", "g-9", "manager", {**LATE_FACT, "added_later": None})
    assert judged(run).clean
    run = late_run()
    run.letter(LATE, "ManagerEnrolled", "g-9", "manager", {"manager_id": "g-9", "added": None})
    only_lost(judged(run), LATE, "does not tell what")


@pytest.mark.parametrize(("name", "state"), [("LetterQueued", "queued"), ("LetterSent", "sent")])
def test_a_letter_that_was_queued_or_sent_twice_is_doubled(name: str, state: str) -> None:
    run = short_run()
    told = json.loads(first(run.records, name).value or b"")
    run.write("notify", name, told["letter_id"], told)
    only_doubled(judged(run), name, told["letter_id"], f"{state} already")


def test_a_letter_that_was_given_up_and_asked_for_again_may_be_sent() -> None:
    run = late_run()
    run.queue(LATE, "ManagerEnrolled", "g-9", "manager", LATE_FACT)
    for name in ("LetterDeferred", "LetterFailed", "LetterDeferred", "LetterSent"):
        run.write("notify", name, LATE, {"letter_id": LATE})
    run.row("notify", "letters", LATE, state="sent")
    run.mails.append(Mail(COHORT, LATE, "<1>", "g-9@example.org"))
    assert judged(run).clean


def test_a_letter_that_is_still_queued_is_lost_only_when_the_run_is_over() -> None:
    run = late_run()
    run.queue(LATE, "ManagerEnrolled", "g-9", "manager", LATE_FACT)
    evidence = run.evidence()
    only_lost(check(evidence), LATE, "neither sent nor given up")
    assert check(evidence, over=False).clean


def test_a_letter_that_was_sent_and_never_arrived_is_lost() -> None:
    findings = judged(whole_run(), with_mails(lambda mails: mails[1:]))
    only_lost(findings, "MentorVolunteered:m-1:m-1", "is not in the mailbox")


def test_a_mail_without_its_letter_sent_is_lost() -> None:
    findings = judged(whole_run(), without("LetterSent"))
    only_lost(findings, "MentorVolunteered:m-1:m-1", "is in the mailbox, and has no LetterSent")


def test_a_mail_of_a_letter_that_was_never_queued_is_lost() -> None:
    stray = Mail(COHORT, "PairFormed:m-7~g-7:m-7", "<stray>", "m-7@example.org")
    findings = judged(whole_run(), with_mails(lambda mails: [*mails, stray]))
    only_lost(findings, "PairFormed:m-7~g-7:m-7", "was never queued")


def test_a_letter_that_arrived_under_two_message_ids_is_doubled() -> None:
    findings = judged(
        whole_run(), with_mails(lambda mails: [*mails, replace(mails[0], message_id="<other>")])
    )
    only_doubled(findings, "MentorVolunteered:m-1:m-1", "in the mailbox twice", "<other>")


# --- databases ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("service", "collection", "id", "field", "value"),
    [
        ("matching", "pairs", "m-1~g-1", "state", "formed"),
        ("matching", "mentors", "m-1", "engaged", ["m-1~g-2"]),
        ("scheduling", "sessions", "m-1~g-1~2", "state", "planned"),
        ("scheduling", "outcomes", "m-1~g-1~1~1", "outcome", "completed"),
        ("feedback", "surveys", "m-1~g-1~end~mentor", "state", "answered"),
        ("feedback", "cohorts", COHORT, "sessions_completed", 3),
        ("feedback", "turnouts", "all", "opened", 1),
        ("notify", "letters", "PairFormed:m-1~g-1:m-1", "state", "queued"),
    ],
)
def test_a_document_that_disagrees_with_the_log_is_lost(
    service: str, collection: str, id: str, field: str, value: object
) -> None:
    run = whole_run()
    run.row(service, collection, id, **{field: value})
    only_lost(judged(run), service, f"{field} of {COHORT}/{id} in {collection}")


@pytest.mark.parametrize(
    ("service", "collection", "id"),
    [
        ("matching", "rounds", "r-1"),
        ("matching", "refusals", "sent-177"),
        ("scheduling", "pairs", "m-1~g-2"),
        ("feedback", "pairs", "m-1~g-2"),
        ("notify", "people", "g-3"),
    ],
)
def test_a_document_that_is_missing_is_lost(service: str, collection: str, id: str) -> None:
    run = whole_run()
    del run.rows[service][collection][id]
    only_lost(judged(run), service, f"no document {COHORT}/{id} in {collection}")


def test_a_document_that_nothing_in_the_log_accounts_for_is_lost() -> None:
    run = whole_run()
    run.row("matching", "managers", "g-9")
    only_lost(judged(run), "matching has a document", "g-9", "no cause")


def test_a_service_without_its_database_has_lost_all() -> None:
    findings = judged(
        whole_run(),
        lambda evidence: replace(evidence, databases={**evidence.databases, "feedback": {}}),
    )
    only_lost(findings, "feedback", "the database has no place, and the log has a journal")


def test_an_erased_person_is_not_missing() -> None:
    run = whole_run()
    run.put("people", None, {}, key=f"{COHORT}/g-3")
    del run.rows["notify"]["people"]["g-3"]
    assert judged(run).clean


# --- reading --------------------------------------------------------------------------------------


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


async def test_topics_databases_and_mailbox_are_read_to_their_end(tmp_path: Path) -> None:
    run = short_run()
    evidence = run.evidence()
    message = EmailMessage()
    message["Message-ID"] = "<1@example.org>"
    message["X-Connecte-Letter"], message["X-Connecte-Cohort"] = "a:b", COHORT
    message["Delivered-To"] = "ada@example.org"
    async with embedded_broker(tmp_path) as kafka, mongod(tmp_path) as server:
        connection = {"bootstrap_servers": kafka}
        await create_topics(connection, partitions=PARTITIONS)
        await _publish(connection, run.records)
        await _store(server.uri, evidence)
        read = await read_evidence(
            connection, server.uri, lambda: [message], PARTITIONS, redelivered_letters=2
        )
    assert sorted(read.records, key=lambda r: r.origin) == sorted(
        run.records, key=lambda r: r.origin
    )
    assert read.mails == [Mail(COHORT, "a:b", "<1@example.org>", "ada@example.org")]
    findings = check(replace(read, mails=run.mails))
    assert findings.clean, findings
    assert findings.redelivered_letters == 2


async def _publish(connection: dict[str, Any], records: list[Record]) -> None:
    producer = AIOKafkaProducer(**connection, linger_ms=5)
    await producer.start()
    try:
        for r in records:
            await producer.send(
                r.topic, r.value, key=r.key, partition=r.partition, headers=list(r.headers)
            )
        await producer.flush()
    finally:
        await producer.stop()


async def _store(uri: str, evidence: Evidence) -> None:
    client: AsyncMongoClient[dict[str, Any]] = AsyncMongoClient(uri)
    try:
        for service, collections in evidence.databases.items():
            for name, rows in collections.items():
                await client[f"connecte_{service}"][name].insert_many([dict(row) for row in rows])
    finally:
        await client.close()
