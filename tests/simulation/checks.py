"""What has to hold of a world at rest, found out from what it has left behind.

The platform's own independent check (`deploy.trial.check`) judges log, databases and mailbox; on
top of it: every command has its effect or its refusal, effects come in the order of their causes,
what is parked is the poison and what stood behind it, and every database is what its journal says.
"""

import asyncio
from collections import Counter
from collections.abc import Coroutine, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

import bson

from deploy.trial.check import Evidence, Record
from deploy.trial.check.commands import check_commands
from deploy.trial.check.documents import check_documents
from deploy.trial.check.effects import check_known
from deploy.trial.check.evidence import COLLECTIONS, Databases
from deploy.trial.check.findings import Report
from deploy.trial.check.journals import check_journals
from deploy.trial.check.letters import check_letters
from deploy.trial.check.pairs import check_pairs
from deploy.trial.check.sessions import check_sessions
from deploy.trial.check.surveys import check_surveys
from deploy.trial.check.wire import Entry, Log, read_log
from schemas.envelope import Unreadable, attributes, kind_of
from schemas.feedback import AnswerSurvey
from schemas.topics import PEOPLE, TOPICS
from services.chassis.documents import Counts, Group, ParkedRecord, RefusedCommand
from services.chassis.domain import Document, text_of
from services.chassis.http.links import LinkError
from services.chassis.log.contract import Received
from services.chassis.step.rebuild import JournalBroken, rebuild
from services.chassis.store.memory import MemoryStore
from services.chassis.store.rows import row_of
from services.notify.views import Person
from tests.simulation.people import SECRET
from tests.simulation.proof import SEAL, VERIFIER

if TYPE_CHECKING:
    from tests.simulation.process import Group
    from tests.simulation.world import World


def judge(world: "World") -> Log:
    """Put whatever is wrong into `world.found`; what the log says."""
    report = Report()
    evidence = evidence_of(world)
    log = read_log(evidence, report)
    check_journals(evidence, log, report)
    check_known(log, report)
    check_commands(log, world.sent.keys(), set(), report)
    matched = check_pairs(log, report)
    planned = check_sessions(log, matched, report)
    surveys = check_surveys(log, report)
    letters = check_letters(evidence, log, over=True, report=report)
    check_documents(evidence, log, matched, planned, surveys, letters, report)
    for what in report.lost:
        world.find(f"lost: {what}")
    for what in report.doubled:
        world.find(f"doubled: {what}")
    _commands(world, log)
    _proofs(world, log)
    _answers(world, log)
    _rounds(world, log)
    _heartbeats(world, log)
    _order(world, log)
    _retention(world, log)
    _parked(world, log)
    for group in world.groups.values():
        _counts(world, group)
        _rebuilt(world, group)
    return log


# --- evidence -----------------------------------------------------------------------------------


def evidence_of(world: "World") -> Evidence:
    """The world as the platform's check sees a real run."""
    records = [
        Record(row.topic, row.partition, row.offset, row.key, row.value, row.headers)  # type: ignore[arg-type]
        for rows in world.log.records.values()
        for row in rows
    ]
    databases: Databases = {name: dict(_collections(group)) for name, group in world.groups.items()}
    return Evidence(world.partitions, records, databases, world.office.mails, secret=SECRET)


def _collections(group: "Group") -> Iterator[tuple[str, list[dict[str, Any]]]]:
    store, wanted = group.store, COLLECTIONS[group.name]
    kinds: tuple[type[Document], ...] = (*group.domain.documents, ParkedRecord, RefusedCommand)
    for kind in kinds:
        fields = wanted.get(kind.collection, ())
        yield (
            kind.collection,
            [
                {"_id": key, "partition": partition} | {f: _plain(getattr(d, f)) for f in fields}
                for key, (partition, d) in store.rows.get(kind, {}).items()
            ],
        )
    yield (
        "places",
        [
            {
                "_id": place.partition,
                "step": place.step,
                "positions": place.positions,
                "seen": place.seen,
                "sequences": place.sequences,
                "order": place.order,
            }
            for place in store.place.values()
        ],
    )
    yield (
        "outbox",
        [
            {"partition": o.partition, "step": o.step, "records": o.records}
            for o in store.outbox.values()
        ],
    )


def _plain(value: Any) -> Any:
    return list(value) if isinstance(value, tuple) else value


# --- commands -----------------------------------------------------------------------------------


def _commands(world: "World", log: Log) -> None:
    """Whoever handles a record again makes no more of it; what was parked had no effect."""
    same: Counter[tuple[str, str, str, str]] = Counter()
    effects: dict[str, Entry] = {}
    for entry in log.entries:
        if entry.cause is not None and not entry.copy and entry.name != "RecordParked":
            same[entry.service, entry.cause, entry.name, entry.key] += 1
            effects[entry.cause] = entry
    for (service, cause, name, key), times in same.items():
        if times > 1:
            world.find(f"{service}: {cause} led to {name} {key} {times} times")
    parked = {origin for origins in log.parked.values() for origin in origins}
    for sent, (command, origin) in world.sent.items():
        if origin in parked and sent in effects:
            world.find(f"{type(command).__name__} {sent} was parked, and led to {effects[sent]}")


def _answers(world: "World", log: Log) -> None:
    """What is counted is what each has answered last, once."""
    waiting: dict[tuple[str, str, str], list[str]] = {}
    for entry in log.journal("feedback"):
        those = waiting.setdefault((entry.cohort, entry.text("kind"), entry.text("side")), [])
        if entry.name == "SurveyAnswered":
            if (replaced := entry.text("replaces")) in those:
                those.remove(replaced)
            those.append(entry.text("sealed"))
        elif entry.name == "AnswersCounted":
            said = [SEAL.open(sealed) or {} for sealed in those]
            for question, counted in entry.data["sums"].items():
                scores = [scores[question] for scores in said if question in scores]
                if (counted["answers"], counted["total"]) != (len(scores), sum(scores)):
                    world.find(f"{entry} counts other answers to {question} than were given last")
            those.clear()


# --- rounds -------------------------------------------------------------------------------------


def _proofs(world: "World", log: Log) -> None:
    """Whoever has answered a survey had its link."""
    for entry in log.facts("SurveyClosed"):
        if entry.text("outcome") == "answered":
            command, _ = world.sent[entry.cause or ""]
            assert isinstance(command, AnswerSurvey)
            try:
                link = VERIFIER.verify(command.proof or "", world.start)
            except LinkError:
                world.find(f"forged: {entry} was answered without its link")
            else:
                if (link.cohort_id, link.id) != (entry.cohort, command.survey_id):
                    world.find(f"forged: {entry} was answered by the link of {link.id}")


def _rounds(world: "World", log: Log) -> None:
    """A round sees everybody who waits: it counts those whom it leaves waiting, and no others."""
    managers: dict[str, dict[str, _Manager]] = {}
    for entry in log.journal("matching"):
        known = managers.setdefault(entry.cohort, {})
        if entry.name == "RoundCompleted":
            told, waiting = entry.number("managers_waiting"), [m for m in known.values() if m.waits]
            if told != len(waiting):
                world.find(f"{entry} counts {told}, not {len(waiting)}")
        elif who := entry.text("manager_id"):
            known.setdefault(who, _Manager()).after(entry)


@dataclass(slots=True)
class _Manager:
    """Whether somebody waits for a mentor, as the events leave them."""

    there: bool = False
    paused: bool = False
    pair: str | None = None

    @property
    def waits(self) -> bool:
        return self.there and not self.paused and self.pair is None

    def after(self, entry: Entry) -> None:
        match entry.name:
            case "ManagerEnrolled":
                self.there = True
            case "ManagerWithdrew":
                self.there = False
            case "ManagerReturned":
                self.there, self.paused, self.pair = True, False, None
            case "ManagerPaused" | "ManagerResumed":
                self.paused = entry.name == "ManagerPaused"
            case "PairProposed":
                self.pair = entry.subject
            case "GraduationWithdrawn":
                self.pair = self.pair or entry.subject
            case "ProposalDeclined" | "ProposalExpired" | "PairDissolved":
                self.pair = None if self.pair == entry.subject else self.pair


# --- heartbeats ---------------------------------------------------------------------------------


def _heartbeats(world: "World", log: Log) -> None:
    """No partition beats before its time, whoever has it and however often it is decided on."""
    due: dict[str, datetime] = {}
    for entry in (e for name in world.groups for e in log.journal(name) if e.name == "Heartbeat"):
        source = entry.text("source")
        if source in due and entry.time < due[source]:
            world.find(f"{entry}: {source} was to beat at {due[source]}")
        due[source] = entry.moment("next_at")


# --- order --------------------------------------------------------------------------------------


def _order(world: "World", log: Log) -> None:
    """Per service and partition, effects come in the order in which their causes lie in a topic."""
    where = {entry.id: _spot(entry.origins[0]) for entry in log.entries if not entry.copy}
    where |= {sent: _spot(origin) for sent, (_, origin) in world.sent.items()}
    for name in world.groups:
        last: dict[tuple[str, int], tuple[int, str]] = {}
        for entry in log.journal(name):
            if entry.cause is None or entry.cause not in where:
                continue
            topic, offset = where[entry.cause]
            before = last.get((topic, entry.partition), (-1, ""))
            if offset < before[0]:
                world.find(
                    f"{name}: {entry} of {entry.cause} comes after the effect of {before[1]}"
                )
            last[topic, entry.partition] = offset, entry.cause


def _spot(origin: str) -> tuple[str, int]:
    topic, _, offset = origin.split("/")
    return topic, int(offset)


# --- retention ----------------------------------------------------------------------------------


def _retention(world: "World", log: Log) -> None:
    """Of a closed cohort nobody is erased by time before it is over, and then everybody is."""
    until = {entry.cohort: entry.moment("kept_until") for entry in log.facts("CohortClosed")}
    for key, record in log.contacts:
        told = dict(record.headers)
        if told.get("ce_source") == b"/mentoring/notify/retention":
            kept = until.get(key.partition("/")[0])
            at = datetime.fromisoformat((told["ce_time"] or b"").decode())
            if kept is None or at < kept:
                world.find(f"retention: {key} was erased at {at}, and kept until {kept}")
    heard = {e.cohort for e in log.facts("RetentionEnded") if not log.excused("notify", e)}
    for cohort in heard & until.keys():
        for person in world.documents("notify", Person, cohort):
            world.find(f"retention: {person.key} can still be reached at {world.now()}")
    for cohort in until.keys() - {entry.cohort for entry in log.facts("RetentionEnded")}:
        world.find(f"retention: the time of {cohort} never comes to its end")


# --- what is parked -----------------------------------------------------------------------------


def _parked(world: "World", log: Log) -> None:
    """Exactly the poison, and what came later with the same key on the same topic."""
    for name, group in world.groups.items():
        expected: set[str] = set()
        for topic in group.topics:
            for partition in range(world.partitions):
                rows = world.log.records.get((topic, partition), ())
                expected |= _to_park(world, group, rows)
        found = log.parked.get(name, set())
        for origin in sorted(found - expected):
            world.find(f"{name} has parked {origin}, which is no poison: {_why(group, origin)}")
        for origin in sorted(expected - found):
            world.find(f"{name} has not parked {origin}")


def _to_park(world: "World", group: "Group", rows: "list[Received] | tuple[()]") -> set[str]:
    found: set[str] = set()
    if not any(f"{row.topic}/{row.partition}/{row.offset}" in world.poisoned for row in rows):
        return found
    blocked: set[bytes] = set()
    known: set[tuple[str, int]] = set()
    for row in rows:
        origin = f"{row.topic}/{row.partition}/{row.offset}"
        if origin in world.poisoned:
            found.add(origin)
            if row.key is not None and row.topic != PEOPLE:
                blocked.add(row.key)
            continue
        if row.topic == PEOPLE:
            continue
        told = attributes(row.headers)
        if told.sequence is not None and not row.topic.endswith(".commands"):
            if (told.source, told.sequence) in known:
                continue
            known.add((told.source, told.sequence))
        if row.key in blocked and _concerns(group, row):
            found.add(origin)
    return found


def _concerns(group: "Group", row: Received) -> bool:
    try:
        kind = kind_of(attributes(row.headers))
    except Unreadable:
        return False
    return kind in TOPICS[row.topic].types and kind in group.domain.handles


def _why(group: "Group", origin: str) -> str:
    for _, row in group.store.rows.get(ParkedRecord, {}).values():
        if row.id == origin:
            assert isinstance(row, ParkedRecord)
            return f"{row.reason}, {row.detail}"
    return "no document"


# --- counts -------------------------------------------------------------------------------------


def _counts(world: "World", group: "Group") -> None:
    """What steps have kept count of is what there is."""
    kept: Counter[Group] = Counter()
    for _, counts in group.store.rows.get(Counts, {}).values():
        assert isinstance(counts, Counts)
        kept.update(dict(counts.counts))
    there = Counter(
        (measure.name, *(text_of(getattr(row, field)) for field in measure.fields))
        for measure in group.domain.counts
        for _, row in group.store.rows.get(measure.kind, {}).values()
    )
    if kept != there:
        world.find(f"{group.name}: kept count of {kept}, there are {there}"[:600])


# --- rebuild ------------------------------------------------------------------------------------


def _rebuilt(world: "World", group: "Group") -> None:
    """The database is what its journal says, document by document, places included.

    Step by step, so that a fold finds nothing in memory that its needs do not name.
    """
    again = MemoryStore()
    try:
        run(rebuild(group.domain, again, world.log, world.partitions, batch=1))
    except JournalBroken as broken:
        world.find(f"rebuild: {broken}")
        return
    if again.place != group.store.place:
        world.find(
            f"{group.name}: a rebuild finds other places: {_differ(group.store.place, again.place)}"
        )
    for kind in {*again.rows, *group.store.rows}:
        live, built = _bytes(group.store, kind), _bytes(again, kind)
        if live != built:
            world.find(
                f"{group.name}: a rebuild finds other {kind.collection}: {_differ(live, built)}"
            )


def _bytes(store: MemoryStore, kind: type[Document]) -> dict[str, bytes]:
    """Documents as the database has them: what is equal in memory, as 1 and 1.0, may differ."""
    rows = store.rows.get(kind, {})
    return {key: bson.encode(row_of(partition, row)) for key, (partition, row) in rows.items()}


def _differ(live: Mapping[Any, Any], built: Mapping[Any, Any]) -> str:
    for key in (*live, *built):
        if live.get(key) != built.get(key):
            return f"{key}: {live.get(key)!r} and {built.get(key)!r}"[:600]
    return ""


def run(work: Coroutine[Any, Any, Any]) -> Any:
    """Run what waits for nobody but itself."""
    return asyncio.get_event_loop().run_until_complete(work)
