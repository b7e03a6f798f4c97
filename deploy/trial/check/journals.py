"""Whether the journals of the services are whole, and their databases at the end of them.

Knows nothing of the programme: it counts numbers, and holds each partition's place against what
the log has.
"""

import json
from collections import Counter
from collections.abc import Iterable, Sequence, Set
from typing import Any

from deploy.trial.check.evidence import Evidence, Row
from deploy.trial.check.findings import Report
from deploy.trial.check.services import MIRRORS, READS, readers_of
from deploy.trial.check.wire import (
    OF_A_PARTITION,
    POISON,
    Entry,
    Log,
    tells,
)
from schemas.topics import PEOPLE, TOPICS, Service, commands_topic, partition_of
from schemas.upcasting import can_upcast, upcast


def check_journals(evidence: Evidence, log: Log, report: Report) -> None:
    """Numbers, partitions, copies, strangers, and each service's places and outbox."""
    _numbers(log, report)
    _orders(log, report)
    _partitions(log, evidence.partitions, report)
    _copies(log, report)
    _strangers(log, report)
    _in_order(log, report)
    if evidence.poison is not None:
        _aside(log, evidence.poison, report)
    journals: dict[tuple[str, int], list[Entry]] = {}
    for entry in log.entries:
        journals.setdefault((entry.service, entry.partition), []).append(entry)
    for service in log.services:
        collections = evidence.databases.get(service, {})
        places = {int(row["_id"]): row for row in collections.get("places", ())}
        for partition in range(evidence.partitions):
            journal = journals.get((service, partition), [])
            _place(service, partition, places.get(partition), journal, log, report)
        for row in collections.get("outbox", ()):
            report.lost.append(
                f"{service}, partition {row['partition']}: {len(row['records'])} records of step "
                f"{row['step']} were committed and not published."
            )


# --- numbers ----------------------------------------------------------------------------------


def _numbers(log: Log, report: Report) -> None:
    """Per source, 1, 2, 3, … to the last."""
    sources: dict[str, set[int]] = {}
    for entry in (*log.entries, *log.older):
        sources.setdefault(entry.source, set()).add(entry.sequence)
    for source, numbers in sources.items():
        for gap in _gaps(numbers, 1):
            report.lost.append(f"{source} has no event {gap}.")


def _orders(log: Log, report: Report) -> None:
    """Per service and partition, 0, 1, 2, … across its streams."""
    journals: dict[tuple[str, int], dict[int, Entry]] = {}
    for entry in log.entries:
        if entry.order is None:
            report.lost.append(f"{entry} has no place in the journal (ce_order).")
            continue
        journal = journals.setdefault((entry.service, entry.partition), {})
        other = journal.setdefault(entry.order, entry)
        if other is not entry:
            report.doubled.append(
                f"{entry.service}, partition {entry.partition}: two events at place "
                f"{entry.order} of the journal: {other} and {entry}."
            )
    for (service, partition), journal in journals.items():
        for gap in _gaps(set(journal), 0):
            report.lost.append(f"{service}, partition {partition}: nothing at place {gap}.")


def _gaps(numbers: set[int], first: int) -> list[str]:
    """What is missing from `first` to the greatest, as `7` or `7 to 9`."""
    gaps: list[str] = []
    expected = first
    for number in sorted(numbers):
        if number == expected + 1:
            gaps.append(f"{expected}")
        elif number > expected:
            gaps.append(f"{expected} to {number - 1}")
        expected = number + 1
    return gaps


def _partitions(log: Log, partitions: int, report: Report) -> None:
    for entry in log.entries:
        if entry.name in OF_A_PARTITION:
            continue
        right = partition_of(entry.cohort, partitions)
        if entry.partition != right:
            report.lost.append(
                f"{entry} is on partition {entry.partition}, where nobody handles it: its cohort "
                f"belongs to {right}."
            )


# --- what services tell each other --------------------------------------------------------------


def _copies(log: Log, report: Report) -> None:
    """A service that learns a type of event has learned each of them, as it was, once."""
    originals = {entry.id: entry for entry in log.entries if not entry.copy}
    learned: Counter[tuple[str, str]] = Counter()
    types: set[tuple[str, str]] = set()
    for copy in log.entries:
        if not copy.copy:
            continue
        types.add((copy.service, copy.name))
        original = originals.get(copy.cause or "")
        if original is None:
            report.lost.append(f"{copy} was learned, and its publisher's topic does not have it.")
            continue
        learned[copy.service, original.id] += 1
        if not _says_the_same(copy, original):
            report.doubled.append(f"{copy} is another version of {original}.")
    for service, name in sorted(types):
        for fact in log.facts(name):
            times = learned[service, fact.id]
            if times == 0 and not log.excused(service, fact):
                report.lost.append(f"{fact} was not learned by {service}.")
            if times > 1:
                report.doubled.append(f"{fact} was learned {times} times by {service}.")


def _says_the_same(copy: Entry, original: Entry) -> bool:
    """A newer service writes what it learned in its own version, or with its own fields besides."""
    versions = original.version, copy.version
    if original.version != copy.version and not can_upcast(original.name, *versions):
        return False
    if original.value == copy.value and original.version == copy.version:
        return True
    fact = upcast(original.name, *versions, json.loads(original.value))
    return tells(json.loads(copy.value), fact)


def _strangers(log: Log, report: Report) -> None:
    """What cannot be accepted has been set aside by everybody who reads it."""
    for stranger in log.strangers:
        record = stranger.record
        readers = readers_of(record.topic, log.services)
        if not readers and stranger.fault != POISON:
            report.lost.append(f"{record.origin} is read by nobody, and {stranger.fault}.")
        for service in readers:
            if record.origin not in log.parked.get(service, ()):
                report.lost.append(
                    f"{record.origin} was not set aside by {service}, though {stranger.fault}."
                )


def _in_order(log: Log, report: Report) -> None:
    """A service has learned each publisher's events in the order in which they were published."""
    numbers = {entry.id: entry for entry in log.entries if not entry.copy}
    last: dict[tuple[str, str], Entry] = {}
    for service in log.services:
        learned: set[str] = set()  # what is learned twice is doubled, and not out of its turn
        for copy in log.journal(service):
            original = numbers.get(copy.cause or "") if copy.copy else None
            if original is None or original.id in learned:
                continue
            learned.add(original.id)
            before = last.get((service, original.source))
            if before is not None and original.sequence < before.sequence:
                report.lost.append(f"{service} has learned {original} after {before}.")
            else:
                last[service, original.source] = original


def _aside(log: Log, poison: Set[str], report: Report) -> None:
    """Nothing was set aside but what was made for it, by those who read it; each of these once."""
    for service in log.services:
        times: Counter[str] = Counter()
        for entry in log.facts("RecordParked"):
            if entry.service == service:
                times[entry.text("origin")] += 1
                if entry.text("origin") not in poison:
                    why = f"{entry.text('reason')}, {entry.text('detail')}"
                    report.lost.append(
                        f"{service} has set {entry.text('origin')} aside, which was good: {why}."
                    )
        for origin, count in times.items():
            if count > 1:
                report.doubled.append(f"{service} has set {origin} aside {count} times.")


# --- places -----------------------------------------------------------------------------------


def _place(
    service: Service,
    partition: int,
    place: Row | None,
    journal: list[Entry],
    log: Log,
    report: Report,
) -> None:
    where = f"{service}, partition {partition}"
    if place is None:
        if journal:
            report.lost.append(f"{where}: the database has no place, and the log has a journal.")
        place = {"sequences": {}, "seen": {}, "positions": {}, "order": 0, "step": 0}
    else:
        _written(where, place, journal, report)
        _folded(where, place, journal, report)
    _seen(service, partition, place, log, report)
    _positions(service, partition, place, log, report)


def _written(where: str, place: Row, journal: Sequence[Entry], report: Report) -> None:
    """The database and the log agree on how much the service has written."""
    last: dict[str, int] = {}
    for entry in journal:
        stream = entry.source.split("/")[3]
        last[stream] = max(last.get(stream, 0), entry.sequence)
    known: dict[str, int] = dict(place["sequences"])
    for stream in sorted({*last, *known}):
        _agree(
            f"{where}, stream {stream}, events", known.get(stream, 0), last.get(stream, 0), report
        )
    orders = [entry.order for entry in journal if entry.order is not None]
    _agree(f"{where}, journal", int(place["order"]), max(orders, default=-1) + 1, report)


def _agree(what: str, database: int, log: int, report: Report) -> None:
    if database > log:
        report.lost.append(f"{what}: the database knows of {database}, the log has {log}.")
    elif database < log:
        report.doubled.append(
            f"{what}: the log has {log}, the database knows of {database}: somebody else wrote."
        )


def _folded(where: str, place: Row, journal: Iterable[Entry], report: Report) -> None:
    """The place can be told from the journal alone, so that a rebuild finds the same."""
    steps = [entry for entry in journal if entry.name == "StepCompleted"]
    told: dict[str, dict[str, Any]] = {"positions": {}, "seen": {}}
    numbers: Counter[int] = Counter()
    for entry in sorted(steps, key=lambda step: step.sequence):
        numbers[entry.number("step")] += 1
        for name, values in told.items():
            values.update(entry.data.get(name) or {})
    for gap in _gaps({*numbers, int(place["step"]) + 1}, 1):
        report.lost.append(f"{where}: the log does not have step {gap}.")
    for number, times in numbers.items():
        if times > 1:
            report.doubled.append(f"{where}: step {number} was completed {times} times.")
    for name, values in told.items():
        if values != dict(place[name]):
            report.lost.append(f"{where}: its steps do not add up to the {name} in the database.")


def _seen(service: Service, partition: int, place: Row, log: Log, report: Report) -> None:
    """Everything that others have published has been seen, and nothing that they have not."""
    for topic in READS[service]:
        source = f"/{topic.replace('.', '/')}/{partition}"
        published = log.last.get(source, 0)
        seen = int(place["seen"].get(topic, 0))
        if seen < log.before_beats(source, partition, published):
            report.lost.append(f"{service} has seen {seen} of the {published} events of {source}.")
        elif seen > published:
            report.lost.append(f"{service} has seen event {seen} of {source}, it has {published}.")


def _positions(service: Service, partition: int, place: Row, log: Log, report: Report) -> None:
    """Every record that a service has to handle lies before its position."""
    topics = [commands_topic(service), *READS[service]]
    topics += [PEOPLE] if service in MIRRORS else []
    for topic in topics:
        end = log.ends.get((topic, partition), 0)
        position = int(place["positions"].get(topic, 0))
        if position <= log.before_beats(topic, partition, end - 1):
            report.lost.append(
                f"{service} has not handled {topic}/{partition}, offsets {position} to {end - 1}."
            )
        elif position > end and not TOPICS[topic].compacted:
            report.lost.append(
                f"{topic}/{partition} ends at offset {end}, and {service} was at {position}."
            )
