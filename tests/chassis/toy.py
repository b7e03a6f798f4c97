"""A domain small enough to see through, in the words of scheduling, and a world to run it in.

A pair that was formed (learned from matching) has a count of its meetings; each `ConfirmSession`
adds one, up to five, and sets a reminder for a day later; a reminder that comes due says that the
pair has stalled. Some commands are there to go wrong.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any, ClassVar

from schemas.base import Message, Moment, parent_pair, people_of, recast
from schemas.envelope import Record, attributes, encode
from schemas.feedback import SurveyAnswered
from schemas.journal import DropParked, RetryParked, StepCompleted
from schemas.links import LinksRevoked
from schemas.matching import PairDissolved, PairFormed
from schemas.people import PersonContact, PersonErased
from schemas.scheduling import (
    CancelSession,
    ConfirmSession,
    PairGraduated,
    PairStalled,
    PlanningBegan,
    ReportAttendance,
    RescheduleSession,
)
from schemas.topics import PEOPLE, partition_of
from services.chassis.clock import Clock
from services.chassis.documents import (
    CHASSIS_DOCUMENTS,
    ParkedRecord,
    RevokedLinks,
    links_revoked,
)
from services.chassis.domain import (
    Change,
    D,
    Decision,
    Document,
    Domain,
    Due,
    Evolution,
    Gone,
    Handlers,
    Need,
    One,
    Refusal,
    RunningCount,
    State,
    Timed,
)
from services.chassis.faults import Nature, NatureOf
from services.chassis.log.contract import Received
from services.chassis.log.memory import MemoryLog
from services.chassis.step.ports import Limits, Ports
from services.chassis.step.rebuild import rebuild
from services.chassis.step.stepper import Stepper
from services.chassis.store.contract import Store
from services.chassis.store.generations import Moving
from services.chassis.store.memory import MemoryStore
from services.chassis.tracing import OFF, Tracing
from services.chassis.watch.metrics import Metrics
from tests.chassis.faults import Crash

NOW = datetime(2017, 3, 6, 9, 0, tzinfo=UTC)
PARTITIONS = 3
COMMANDS = "mentoring.scheduling.commands"
MATCHING = "mentoring.matching.events"
EVENTS = "mentoring.scheduling.events"
PRIVATE = "mentoring.scheduling.private"
PARKED = "mentoring.parked"
READ = (COMMANDS, MATCHING, PEOPLE)
WRITTEN = (EVENTS, PRIVATE, PARKED)


class Tally(Document):
    """How often a pair has met."""

    collection: ClassVar[str] = "tallies"
    count: int = 0
    history: tuple[Moment, ...] = ()


class Reminder(Timed):
    """When to worry about a pair."""

    collection: ClassVar[str] = "reminders"


class Person(Document):
    """A person, as the people topic has them."""

    collection: ClassVar[str] = "people"
    name: str


KINDS = (Tally, Reminder, Person, RevokedLinks, *CHASSIS_DOCUMENTS)


def needs(message: Message) -> Iterable[Need]:
    match message:
        case ConfirmSession():
            pair = parent_pair(message.session_id)
            yield One(Tally, message.cohort_id, pair)
            yield One(Reminder, message.cohort_id, pair)
        case PairFormed() | PairDissolved() | PairGraduated() | PlanningBegan() | PairStalled():
            yield One(Tally, message.cohort_id, message.pair_id)
            yield One(Reminder, message.cohort_id, message.pair_id)
        case Due():
            yield One(Reminder, message.cohort_id, message.id)
        case _:
            return


def nothing_needed(_: Message) -> Iterable[Need]:
    return ()


def _confirm(state: State, command: ConfirmSession, now: datetime) -> Decision:
    tally = state.get(Tally, command.cohort_id, parent_pair(command.session_id))
    if tally is None:
        return Refusal("unknown", "unknown-pair", "There is no such pair.")
    if tally.count >= 5:
        return Refusal("conflict", "complete", "Five is all there are.")
    pair = _pair(command.cohort_id, tally.id)
    return [PlanningBegan(**pair, at=now), PairGraduated(**pair, sessions=tally.count + 1)]


def _dissolve(state: State, event: PairDissolved, _: datetime) -> Decision:
    if state.get(Tally, event.cohort_id, event.pair_id) is None:
        return Refusal("unknown", "unknown-pair", "There is no such pair.")
    return []


def _due(state: State, due: Due, now: datetime) -> Decision:
    reminder = state.get(Reminder, due.cohort_id, due.id)
    if reminder is None or reminder.due_at is None or reminder.due_at > now:
        return []
    return [PairStalled(**_pair(due.cohort_id, due.id), since=reminder.due_at)]


def _report(_: State, command: ReportAttendance, __: datetime) -> Decision:
    if not command.held:
        return Refusal("invalid", "not-held", "A report is of a meeting that was held.")
    return [
        SurveyAnswered(
            cohort_id=command.cohort_id, kind="session", side=command.by, scores={"a": 3}
        )
    ]


def _break(*_: Any) -> Decision:
    raise ZeroDivisionError("a bug in a decision")


def _decide_what_breaks(_: State, command: CancelSession, now: datetime) -> Decision:
    pair = _pair(command.cohort_id, parent_pair(command.session_id))
    return [PlanningBegan(**pair, at=now), PairStalled(**pair, since=CURSED)]


def _contact(state: State, contact: PersonContact, now: datetime) -> Decision:
    return _break() if contact.name == "Cursed" else _nothing(state, contact, now)


def _nothing(*_: Any) -> Decision:
    return []


HANDLERS: Handlers = {
    ConfirmSession: _confirm,
    RescheduleSession: _break,
    CancelSession: _decide_what_breaks,
    ReportAttendance: _report,
    PairFormed: _nothing,
    PairDissolved: _dissolve,
    LinksRevoked: _nothing,
    PersonContact: _contact,
    PersonErased: _nothing,
    Due: _due,
}

CURSED = datetime(1913, 1, 1, tzinfo=UTC)


def _formed(_: State, event: PairFormed) -> Iterable[Change]:
    yield Tally(id=event.pair_id, cohort_id=event.cohort_id)


def _began(_: State, event: PlanningBegan) -> Iterable[Change]:
    moment = event.at + timedelta(days=1)
    yield Reminder(id=event.pair_id, cohort_id=event.cohort_id, due_at=moment)


def _graduated(state: State, event: PairGraduated) -> Iterable[Change]:
    tally = state.get(Tally, event.cohort_id, event.pair_id)
    assert tally is not None
    yield tally.model_copy(update={"count": event.sessions})


def _stalled(state: State, event: PairStalled) -> Iterable[Change]:
    if event.since == CURSED:
        raise ZeroDivisionError("a bug in a fold")
    tally = state.get(Tally, event.cohort_id, event.pair_id)
    if tally is not None:
        history = (*tally.history, event.since)
        yield tally.model_copy(update={"history": history})
    yield Gone(Reminder(id=event.pair_id, cohort_id=event.cohort_id))


def _dissolved(state: State, event: PairDissolved) -> Iterable[Change]:
    tally = state.get(Tally, event.cohort_id, event.pair_id)
    if tally is not None:
        yield Gone(tally)


def _reached(_: State, contact: PersonContact) -> Iterable[Change]:
    yield Person(id=contact.person_id, cohort_id=contact.cohort_id, name=contact.name)


def _erased(state: State, event: PersonErased) -> Iterable[Change]:
    person = state.get(Person, event.cohort_id, event.person_id)
    if person is not None:
        yield Gone(person)


def _unchanged(*_: Any) -> Iterable[Change]:
    return ()


EVOLUTION: Evolution = {
    PairFormed: _formed,
    PlanningBegan: _began,
    PairGraduated: _graduated,
    PairStalled: _stalled,
    PairDissolved: _dissolved,
    LinksRevoked: links_revoked,
    PersonContact: _reached,
    PersonErased: _erased,
    SurveyAnswered: _unchanged,
}


def _pair(cohort_id: str, pair_id: str) -> dict[str, Any]:
    mentor_id, manager_id = people_of(pair_id)
    return {
        "cohort_id": cohort_id,
        "pair_id": pair_id,
        "mentor_id": mentor_id,
        "manager_id": manager_id,
    }


def _forgotten(state: State, message: Message) -> Iterable[str]:
    """What is kept of whoever is erased, by the name under which they were known."""
    if isinstance(message, PersonErased):
        known = state.get(Person, message.cohort_id, message.person_id)
        yield from () if known is None else (known.name,)


TOY = Domain(
    name="scheduling",
    reads=(MATCHING,),
    documents=(Tally, Reminder, Person, RevokedLinks),
    learns=frozenset({PairFormed, PairDissolved, LinksRevoked}),
    handlers=HANDLERS,
    evolution=EVOLUTION,
    needs=needs,
    tables=(PEOPLE,),
    forgets=_forgotten,
    counts=(
        RunningCount("toy_tallies", "Pairs, by how often they met", Tally, (("n", "count"),)),
        RunningCount("toy_people", "People", Person, (("cohort", "cohort_id"),)),
    ),
)


def _mended(state: State, command: RescheduleSession, now: datetime) -> Decision:
    return _confirm(state, recast(ConfirmSession, command), now)


MENDED = replace(TOY, handlers={**HANDLERS, RescheduleSession: _mended, PersonContact: _nothing})
"""The same without its bug: a wish to reschedule is as good as one to confirm."""


# --- messages -----------------------------------------------------------------------------------


def formed(pair_id: str, cohort: str = "c") -> PairFormed:
    return PairFormed(
        **_pair(cohort, pair_id), tools=(), mentor_availability=(), manager_availability=()
    )


def dissolved(pair_id: str, cohort: str = "c") -> PairDissolved:
    return PairDissolved(**_pair(cohort, pair_id), cause="request")


def confirm(pair_id: str, number: int = 1, cohort: str = "c") -> ConfirmSession:
    return ConfirmSession(cohort_id=cohort, session_id=f"{pair_id}~{number}", by="mentor")


def breaks_decide(pair_id: str, cohort: str = "c") -> RescheduleSession:
    return RescheduleSession(cohort_id=cohort, session_id=f"{pair_id}~1", by="mentor")


def breaks_evolve(pair_id: str, cohort: str = "c") -> CancelSession:
    return CancelSession(cohort_id=cohort, session_id=f"{pair_id}~1", by="mentor")


def report(pair_id: str, cohort: str = "c") -> ReportAttendance:
    return ReportAttendance(
        cohort_id=cohort, session_id=f"{pair_id}~1", attempt=1, by="mentor", held=True
    )


def contact(person_id: str, name: str = "Camille", cohort: str = "c") -> PersonContact:
    return PersonContact(
        cohort_id=cohort, person_id=person_id, name=name, email="camille@example.org"
    )


def cohort_on(partition: int, partitions: int = PARTITIONS) -> str:
    """A cohort that belongs to the partition."""
    names = (f"c{number}" for number in range(1000))
    return next(name for name in names if partition_of(name, partitions) == partition)


def _nature_of(error: BaseException) -> Nature:
    return "passing" if isinstance(error, Passing | Moving) else "permanent"


# --- the world ----------------------------------------------------------------------------------


@dataclass
class Hand:
    """The hand of the clock: tests move it."""

    moment: datetime = NOW

    def __call__(self) -> float:
        return self.moment.timestamp()

    def pass_by(self, **delta: float) -> None:
        self.moment += timedelta(**delta)


@dataclass
class World:
    """What outlives a process: the log, the database, the clock; and what others write."""

    log: MemoryLog = field(default_factory=MemoryLog)
    store: Store = field(default_factory=MemoryStore)
    hand: Hand = field(default_factory=Hand)
    domain: Domain = TOY
    sequences: dict[int, int] = field(default_factory=dict)
    sent: int = 0  # each a millisecond after the one before

    # what others do

    def command(self, message: Message, **overrides: Any) -> Received:
        """Somebody sends a command (or a contact)."""
        self.sent += 1
        topic = PEOPLE if isinstance(message, PersonContact | PersonErased) else COMMANDS
        partition = partition_of(message.cohort_id, PARTITIONS)
        given = {"id": f"cmd-{self.sent}", "source": "/somebody", "time": self._time()}
        return self.append(encode(message, topic, partition, **(given | overrides)))

    async def retry(self, *origins: str, accept_gap: bool = False) -> None:
        """An operator has these records handled again, or all that stand aside."""
        for partition, found in (await self._aside(origins)).items():
            given = {"cohort_id": "scheduling", "partition": partition, "origins": found}
            self.control(RetryParked(**given, accept_gap=accept_gap))

    async def drop(self, *origins: str) -> None:
        """An operator drops these records, or all that stand aside."""
        for partition, found in (await self._aside(origins)).items():
            given = {"cohort_id": "scheduling", "partition": partition, "origins": found}
            self.control(DropParked(**given, because="of no use"))

    def control(self, message: RetryParked | DropParked) -> Received:
        """An operator sends a command to a partition."""
        self.sent += 1
        given: dict[str, Any] = {"id": f"cmd-{self.sent}", "source": "/operator"}
        record = encode(message, COMMANDS, message.partition, **given, time=self._time())
        return self.append(record)

    async def _aside(self, origins: Sequence[str]) -> dict[int, list[str]]:
        chosen = origins or [document.id for document in await self.parked()]
        found: dict[int, list[str]] = {}
        for origin in chosen:
            found.setdefault(int(origin.split("/")[1]), []).append(origin)
        return found

    def publish(self, message: Message, **overrides: Any) -> Received:
        """Matching publishes an event."""
        return self.append(self.event(message, **overrides))

    def event(self, message: Message, **overrides: Any) -> Record:
        """The next event of matching."""
        partition = overrides.pop("partition", partition_of(message.cohort_id, PARTITIONS))
        sequence = overrides.get("sequence", self.sequences.get(partition, 0) + 1)
        self.sequences[partition] = sequence
        self.sent += 1
        given = {
            "id": f"matching.events.{partition}.{sequence}",
            "source": f"/mentoring/matching/events/{partition}",
            "time": self._time(),
            "sequence": sequence,
            "order": sequence,
        }
        return encode(message, MATCHING, partition, **(given | overrides))

    def _time(self) -> datetime:
        return self.hand.moment + timedelta(milliseconds=self.sent)

    def append(self, record: Record) -> Received:
        """A record comes, whatever it is."""
        offset = self.log._append(record)
        return self.log.records[record.topic, record.partition][offset]

    # what the service does

    def stepper(
        self,
        store: Store | None = None,
        log: Any = None,
        domain: Domain | None = None,
        tracing: Tracing = OFF,
        nature_of: NatureOf = _nature_of,
        **more: Any,
    ) -> Stepper:
        """A process of the service; over the world's own store and log unless told otherwise."""
        ports = Ports(
            store or self.store,
            log or self.log,
            Clock(1.0, NOW, NOW, wall=self.hand),
            Metrics("scheduling"),
            nature_of,
            tracing,
        )
        given = {"limits": Limits(0.001, 0.002, 0.002), **more}
        return Stepper(domain or self.domain, ports, PARTITIONS, **given)

    def waiting(self, stepper: Stepper, batch: int) -> list[Received]:
        """What a consumer would be handed next: up to `batch` records of each topic partition."""
        found: list[Received] = []
        for partition in stepper.returning:
            stepper.go_on(partition)
        for partition, place in stepper.owned.items():
            if partition in stepper.stopped:
                continue
            for topic in READ:
                rows = self.log.records.get((topic, partition), [])
                start = place.positions.get(topic, 0)
                found.extend(rows[start : start + batch])
        return found

    async def run(
        self, stepper: Stepper | None = None, owned: Sequence[int] = range(PARTITIONS), batch=500
    ) -> Stepper:
        """Take partitions (those not owned yet), and make steps until no record waits."""
        stepper = stepper or self.stepper()
        if missing := [p for p in owned if p not in stepper.owned]:
            await stepper.take(missing)
        while records := self.waiting(stepper, batch):
            await stepper.handle(records)
        return stepper

    # what there is to see

    async def documents(self) -> dict[str, dict[str, Any]]:
        """Every document of the service: collection/key to its fields."""
        found: dict[str, dict[str, Any]] = {}
        for kind in KINDS:
            for document in await _all(self.store, kind):
                found[f"{kind.collection}/{document.key}"] = document.model_dump()
        return found

    async def tallies(self) -> dict[str, int]:
        return {d.key: d.count for d in await _all(self.store, Tally)}

    async def parked(self) -> list[Document]:
        return sorted(await _all(self.store, ParkedRecord), key=lambda d: d.id)

    def written(self, *topics: str) -> list[Received]:
        """What the service has published, as it lies in the log."""
        return [
            row
            for topic in topics or WRITTEN
            for partition in range(PARTITIONS)
            for row in self.log.records.get((topic, partition), [])
        ]

    async def outcome(self) -> tuple[Any, ...]:
        """Documents, places and journal: what two worlds are compared by."""
        return await self.documents(), await self.store.places(range(PARTITIONS)), self.journal()

    def journal(self) -> dict[str, list[tuple[str, bytes | None, tuple[Any, ...]]]]:
        """What a subscriber makes of the log: per source, in order, each sequence once.

        Holds that nobody sees a gap, or the same sequence with another content.
        """
        found: dict[str, list[Received]] = {}
        for row in self.written():
            read = attributes(row.headers)
            assert read.sequence is not None
            rows = found.setdefault(read.source, [])
            if read.sequence <= len(rows):
                first = rows[read.sequence - 1]
                assert (first.key, first.value) == (row.key, row.value), "two contents"
                continue
            assert read.sequence == len(rows) + 1, f"a gap in {read.source}: {read.sequence}"
            rows.append(row)
        return {
            source: [
                (attributes(row.headers).type, row.value, tuple(map(tuple, row.headers)))
                for row in rows
            ]
            for source, rows in found.items()
        }

    def story(self) -> dict[str, list[tuple[str, bytes | None]]]:
        """The journal without where its steps ended."""
        step = f"{StepCompleted.__name__}.v"
        return {
            source: [(kind, value) for kind, value, _ in rows if step not in kind]
            for source, rows in self.journal().items()
        }


class Passing(Exception):
    """A fault that passes."""


async def _all(store: Any, kind: type[D]) -> list[D]:
    found: list[D] = await store.page(kind, limit=100_000)
    return found


# --- what several tests ask and say ----------------------------------------------------------


def altered(record: Record, *drop: str, value: bytes | None = b"", **headers: Any) -> Record:
    """The record with other headers (None: null), without some, and with another value."""
    kept = [(name, raw) for name, raw in record.headers if name not in (*drop, *headers)]
    return record._replace(
        headers=[*kept, *headers.items()],
        value=record.value if value == b"" else value,
    )


def reason_of(document: Document) -> str:
    assert isinstance(document, ParkedRecord)
    return document.reason


def command_of(world: World, message: Message) -> Record:
    row = world.command(message)
    world.log.records[row.topic, row.partition].pop()
    return Record(row.topic, row.partition, row.key, row.value, row.headers)


def elsewhere(record: Record) -> Record:
    return record._replace(partition=(record.partition + 1) % PARTITIONS)


async def equal_when_rebuilt(world: World) -> None:
    again = MemoryStore()
    await rebuild(world.domain, again, world.log, PARTITIONS)
    assert isinstance(world.store, MemoryStore)
    assert filled(again) == filled(world.store)
    assert again.place == world.store.place


def filled(store: MemoryStore) -> dict[type[Document], Any]:
    return {kind: rows for kind, rows in store.rows.items() if rows}


def people_in(documents: dict[str, dict[str, Any]]) -> dict[str, str]:
    return {key: found["name"] for key, found in documents.items() if key.startswith("people/")}


def types(rows: Sequence[Received]) -> list[str]:
    return [attributes(row.headers).type.split(".")[-2] for row in rows]


def metric(stepper: Stepper, name: str, **labels: str) -> float:
    return stepper.ports.metrics.registry.get_sample_value(name, labels) or 0.0


async def life(world: World, start: Callable[[], Stepper]) -> None:
    """A few days of every kind of event; whenever the process dies, another takes its place."""
    one, two, three = (cohort_on(partition) for partition in range(3))
    stepper = start()

    async def work() -> None:
        nonlocal stepper
        while True:
            try:
                await world.run(stepper, batch=3)
                while await stepper.decide_due():
                    pass
            except Crash:
                stepper = world.stepper()
            else:
                return

    for cohort in (one, two, three):
        world.publish(formed("m~g", cohort))
        world.publish(formed("m~h", cohort))
        world.command(contact("m", cohort=cohort))
    await work()
    for number in range(1, 8):
        world.command(confirm("m~g", number, one))
        world.command(confirm("m~h", number, two))
    world.command(confirm("nobody~g", 1, two))
    world.append(altered(world.event(formed("m~i", three)), value=b"{"))
    world.publish(dissolved("m~i", three))
    world.command(breaks_evolve("m~h", three))
    world.command(report("m~g", three))
    await work()
    world.hand.pass_by(days=2)
    await work()
    world.publish(dissolved("m~g", one))
    world.command(confirm("m~h", 9, one))
    world.append(Record(PEOPLE, 0, f"{one}/m".encode(), None))
    world.command(breaks_decide("m~h", two))
    world.command(confirm("m~h", 9, two))
    await work()
    [unreadable] = [d.id for d in await world.parked() if reason_of(d) == "bad-json"]
    await world.drop(unreadable)
    world.domain = MENDED
    stepper = start()
    await work()
    await world.retry()
    await work()
    await world.run()  # a new owner, at the end of the day
