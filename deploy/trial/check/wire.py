"""From records to what they say: plain headers and JSON, whatever the bytes.

Always holds: an event that is in the log several times, unchanged, is one entry, whoever put it
there again; what no reader can accept is a stranger and never an entry; a service's copy of
another's event is no fact; a command that is there several times was asked for several times.
"""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from deploy.trial.check.evidence import Evidence, Record
from deploy.trial.check.findings import Report
from deploy.trial.check.services import SERVICES, took_part
from schemas.topics import PARKED, PEOPLE, TOPICS, TYPES, Service, commands_topic, partition_of

_SOURCE = re.compile(r"/mentoring/([a-z]+)/(events|private|parked)/")
_TYPE = re.compile(r"fr\.gouv\.mentoring\.([A-Za-z]+)\.v([0-9]+)")
_NEEDED = ("id", "source", "type", "time", "subject", "partitionkey")
OF_A_PARTITION = ("StepCompleted", "Heartbeat", "RecordParked", "RecordRetried", "RecordDropped")
"""The events that belong to a partition of a service and to no cohort."""
TO_A_PARTITION = ("RetryParked", "DropParked")
"""What is asked of a partition of a service, by its operators."""
_CARRIED = {name: {kind.__name__ for kind in topic.types} for name, topic in TOPICS.items()}


@dataclass(slots=True)
class Entry:
    """One event, as its service numbered it.

    `order` is its place in the service's journal of the partition, `data` its JSON (empty for a
    copy), `copy` whether the service only noted what another had published, `origins` where in
    the log it lies: `topic/partition/offset`. `version` is that of its type; `older` is what is
    there beside the event itself, for readers who only know an older version.
    """

    topic: str
    partition: int
    service: str
    source: str
    sequence: int
    order: int | None
    id: str
    name: str
    cohort: str
    subject: str
    time: datetime
    cause: str | None
    value: bytes
    data: dict[str, Any]
    copy: bool
    origins: list[str]
    version: int = 1
    older: bool = False

    @property
    def key(self) -> str:
        """`cohort/subject`, as documents are called too."""
        return f"{self.cohort}/{self.subject}"

    def text(self, name: str) -> str:
        """A field; empty if there is none."""
        return str(self.data.get(name) or "")

    def number(self, name: str) -> int:
        """A field that counts; 0 if there is none."""
        return int(self.data.get(name) or 0)

    def moment(self, name: str) -> datetime:
        """A field that is a time."""
        return datetime.fromisoformat(self.text(name))

    def __str__(self) -> str:
        return f"{self.name} {self.key} ({self.source} {self.sequence})"


@dataclass(frozen=True, slots=True)
class Asked:
    """One record of a command: what was asked of `service`, and where it lies."""

    service: str
    partition: int
    offset: int
    id: str
    name: str
    cohort: str
    subject: str
    data: dict[str, Any]

    @property
    def key(self) -> str:
        """`cohort/subject`."""
        return f"{self.cohort}/{self.subject}"

    @property
    def origin(self) -> str:
        return f"{commands_topic(self.service)}/{self.partition}/{self.offset}"  # type: ignore[arg-type]

    def __str__(self) -> str:
        return f"{self.name} {self.key} ({self.id} at {self.origin})"


@dataclass(frozen=True, slots=True)
class Stranger:
    """A record that its readers have to park: where it lies, and what is wrong with it."""

    record: Record
    fault: str


@dataclass(slots=True)
class Log:
    """What the topics say. `entries` are the events, `older` what is there in older versions too.

    `last` is source to its last number, `ends` is (topic, partition) to the next offset,
    `contacts` are (cohort/person, record) as they came, `commands` each record of one, `said` the
    ids of both, `parked` is service to the origins of what it set aside and has not handled since,
    `beats` are the heartbeats: (topic, partition, offset) and (source, partition, number).
    `services` are those that took part.
    """

    services: tuple[Service, ...] = SERVICES
    entries: list[Entry] = field(default_factory=list)
    older: list[Entry] = field(default_factory=list)
    last: dict[str, int] = field(default_factory=dict)
    ends: dict[tuple[str, int], int] = field(default_factory=dict)
    strangers: list[Stranger] = field(default_factory=list)
    contacts: list[tuple[str, Record]] = field(default_factory=list)
    commands: list[Asked] = field(default_factory=list)
    said: set[str] = field(default_factory=set)
    redelivered: int = 0
    parked: dict[str, set[str]] = field(default_factory=dict)
    beats: set[tuple[str, int, int]] = field(default_factory=set)
    _facts: dict[str, list[Entry]] = field(default_factory=dict)

    def add(self, entry: Entry) -> None:
        """Take an event in."""
        self.entries.append(entry)
        if not entry.copy:
            self._facts.setdefault(entry.name, []).append(entry)
        if entry.name == "RecordParked":
            self.parked.setdefault(entry.service, set()).add(entry.text("origin"))
        elif entry.name == "RecordRetried":
            self.parked.setdefault(entry.service, set()).discard(entry.text("origin"))

    def facts(self, *names: str) -> list[Entry]:
        """The events of these types, as published; those of a source in their order."""
        return [entry for name in names for entry in self._facts.get(name, ())]

    def journal(self, service: str) -> list[Entry]:
        """All that a service wrote, copies included; each partition in order."""
        mine = [entry for entry in self.entries if entry.service == service]
        return sorted(mine, key=lambda entry: (entry.partition, entry.order or 0))

    def before_beats(self, where: str, partition: int, last: int) -> int:
        """The last number (of a source) or offset (of a topic) that is no heartbeat's.

        They never end: of the last ones nobody can be asked to have seen them.
        """
        while (where, partition, last) in self.beats:
            last -= 1
        return last

    def excused(self, service: str, entry: Entry) -> bool:
        """Whether the service has set this event aside instead of handling it."""
        aside = self.parked.get(service, ())
        return any(origin in aside for origin in entry.origins)


class Unfit(Exception):
    """A record that no reader can accept; the text says why."""


POISON = "it was made for nobody to accept"
"""What is said of a record that whoever judges the run knows to be poison."""


def read_log(evidence: Evidence, report: Report) -> Log:
    """Everything that the records say; forks and records out of their turn are reported."""
    log = Log(took_part(evidence))
    partitions, poison = evidence.partitions, evidence.poison or frozenset()
    seen: dict[tuple[str, int], Entry] = {}
    for record in sorted(evidence.records, key=lambda r: (r.topic, r.partition, r.offset)):
        _in_turn(record, log, evidence, report)
        try:
            if record.origin in poison:
                raise Unfit(POISON)
            entry = _understood(record, partitions, log)
        except Unfit as error:
            log.strangers.append(Stranger(record, str(error)))
            continue
        if entry is None:
            continue
        if entry.name == "Heartbeat":
            log.beats.add((record.topic, record.partition, record.offset))
            log.beats.add((entry.source, record.partition, entry.sequence))
        first = seen.setdefault((entry.source, entry.sequence), entry)
        if first is not entry:
            first.origins.extend(entry.origins)
            _again(first, entry, log, report)
            continue
        if entry.sequence < log.last.get(entry.source, 0):
            report.lost.append(f"{entry} stands after its successor: readers pass it over.")
        log.last[entry.source] = max(entry.sequence, log.last.get(entry.source, 0))
        if entry.older:
            log.older.append(entry)
        else:
            log.add(entry)
    return log


def _in_turn(record: Record, log: Log, evidence: Evidence, report: Report) -> None:
    """The offsets of a partition have no gap, unless old versions of its records are cleaned out.

    It may begin late, for what is past its retention is gone. Where others wrote in transactions,
    what they took back is no record, nor are the markers of their ends.
    """
    place = record.topic, record.partition
    expected = log.ends.get(place, record.offset)
    where = f"{record.topic}/{record.partition}"
    missing = [
        offset
        for offset in range(expected, record.offset)
        if f"{where}/{offset}" not in evidence.void
    ]
    if missing and not TOPICS[record.topic].compacted:
        report.lost.append(f"{where} has nothing from offset {missing[0]} to {missing[-1]}.")
    log.ends[place] = record.offset + 1


def _again(first: Entry, entry: Entry, log: Log, report: Report) -> None:
    """The same number a second time: the same event, or a fork."""
    if (first.value, first.name, first.id) == (entry.value, entry.name, entry.id):
        log.redelivered += 1
    else:
        report.doubled.append(
            f"{entry.source} has two events {entry.sequence}: {first.name} {first.key} at "
            f"{first.origins[0]} and {entry.name} {entry.key} at {entry.origins[0]}."
        )


def _understood(record: Record, partitions: int, log: Log) -> Entry | None:
    """The event of a record; None for what is asked of a service or said of a person."""
    topic = record.topic
    if topic == PEOPLE:
        _contact(record, partitions, log)
        return None
    attributes = _attributes(record)
    if topic.endswith(".commands"):
        data = _asked(record, attributes, partitions)
        log.said.add(attributes["id"])
        log.commands.append(
            Asked(
                service=topic.split(".")[1],
                partition=record.partition,
                offset=record.offset,
                id=attributes["id"],
                name=_name(attributes),
                cohort=attributes["partitionkey"],
                subject=attributes["subject"].partition("/")[2],
                data=data,
            )
        )
        return None
    return _event(record, attributes)


def _contact(record: Record, partitions: int, log: Log) -> None:
    if record.value is None:
        try:
            log.contacts.append(((record.key or b"").decode(), record))
        except UnicodeDecodeError:
            raise Unfit("its key is not cohort/person") from None
        return
    attributes = _attributes(record)
    _asked(record, attributes, partitions)
    log.said.add(attributes["id"])
    log.contacts.append((attributes["subject"], record))


def _asked(record: Record, attributes: Mapping[str, str], partitions: int) -> dict[str, Any]:
    name = _name(attributes)
    if name not in _CARRIED[record.topic]:
        raise Unfit(f"{name} is not for this topic")
    data = _json(record)
    if name in TO_A_PARTITION:
        return data
    if partition_of(attributes["partitionkey"], partitions) != record.partition:
        raise Unfit(f"cohort {attributes['partitionkey']} belongs to another partition")
    return data


def _event(record: Record, attributes: Mapping[str, str]) -> Entry:
    source, topic = attributes["source"], record.topic
    found = _SOURCE.match(source)
    if found is None or source != f"{found[0]}{record.partition}":
        raise Unfit(f"its source {source} publishes nothing here")
    service, stream = found.groups()
    if topic != (PARKED if stream == "parked" else f"mentoring.{service}.{stream}"):
        raise Unfit(f"its source {source} publishes nothing here")
    if not attributes.get("sequence", "").isdigit():
        raise Unfit("it has no number")
    name = _name(attributes)
    copy = name not in _CARRIED[topic]
    return Entry(
        topic=topic,
        partition=record.partition,
        service=service,
        source=source,
        sequence=int(attributes["sequence"]),
        order=int(attributes["order"]) if attributes.get("order", "").isdigit() else None,
        id=attributes["id"],
        name=name,
        cohort=attributes["partitionkey"],
        subject=attributes["subject"].partition("/")[2],
        time=datetime.fromisoformat(attributes["time"]),
        cause=attributes.get("cause"),
        value=record.value or b"",
        data={} if copy else _json(record),
        copy=copy,
        origins=[record.origin],
        version=_version(attributes),
        older="copyof" in attributes,
    )


def _attributes(record: Record) -> dict[str, str]:
    found: dict[str, str] = {}
    for name, raw in record.headers:
        if name.startswith("ce_"):
            try:
                found[name[3:]] = (raw or b"").decode()
            except UnicodeDecodeError:
                raise Unfit(f"header {name} is not UTF-8") from None
    for name in _NEEDED:
        if not found.get(name):
            raise Unfit(f"header ce_{name} is missing")
    if found.get("specversion") != "1.0":
        raise Unfit("header ce_specversion is not 1.0")
    try:
        datetime.fromisoformat(found["time"])
    except ValueError:
        raise Unfit("header ce_time is no time") from None
    return found


def _name(attributes: Mapping[str, str]) -> str:
    found = _TYPE.fullmatch(attributes["type"])
    if found is None or found[1] not in TYPES:
        raise Unfit(f"nothing is called {attributes['type'][:80]!r}")
    return found[1]


def _version(attributes: Mapping[str, str]) -> int:
    found = _TYPE.fullmatch(attributes["type"])
    assert found is not None, "it has a name"
    return int(found[2])


def _json(record: Record) -> dict[str, Any]:
    try:
        data = json.loads(record.value or b"")
    except ValueError:
        raise Unfit("its value is not JSON") from None
    if not isinstance(data, dict):
        raise Unfit("its value is not a JSON object")
    return data


def tells(what: object, fact: Mapping[str, Any]) -> bool:
    """Whether it says all that a fact says; a newer service adds fields of its own to that."""
    return isinstance(what, Mapping) and fact.items() <= what.items()
