"""A run as it is told by hand, as four services would leave it behind, without one of them.

Each fact is given with what it leads to elsewhere (copies, letters, mails, documents), so that
nothing is missing until a test leaves it out.
"""

import json
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from deploy.trial.check import Evidence, Mail, Record
from schemas.topics import TOPICS, partition_of

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
        *("matching.private", "scheduling.private", "feedback.private"),
    ),
}
"""In the order in which they can come to rest: nobody reads what a later one writes."""

LEARNS = {
    "matching": ("PairGraduated", "GraduationWithdrawn"),
    "scheduling": ("CohortOpened", "PairFormed", "PairDissolved"),
    "feedback": (
        *("CohortOpened", "MentorVolunteered", "ManagerEnrolled", "PairFormed", "PairDissolved"),
        *("PairGraduated", "SessionCompleted", "SessionMissed"),
        *("AttendanceCorrected", "GraduationWithdrawn"),
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
        private = {kind.__name__ for kind in TOPICS[f"mentoring.{service}.private"].types}
        stream = "private" if copy or name in private else "events"
        if name == "RecordParked":
            stream = "parked"
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

    def letter(
        self, letter_id: str, name: str, person: str, side: str, facts: Row, **more: Any
    ) -> None:
        """Notify queues a letter and sends it, and it arrives."""
        about = {"cohort_id": COHORT, "letter_id": letter_id, "person_id": person}
        self.queue(letter_id, name, person, side, facts, **more)
        self.write("notify", "LetterSent", letter_id, {**about, "template": name})
        self.row("notify", "letters", letter_id)["state"] = "sent"
        self.mails.append(Mail(COHORT, letter_id, f"<{letter_id}>", f"{person}@example.org"))

    def queue(
        self, letter_id: str, name: str, person: str, side: str, facts: Row, **more: Any
    ) -> None:
        """Notify queues a letter."""
        data = {"cohort_id": COHORT, "letter_id": letter_id, "person_id": person, **more}
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
