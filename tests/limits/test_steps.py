"""What a step of each service takes for its most frequent message, counted: no machine changes it.

Commands to the database and requests to the broker must not grow with the batch; what Python does
and what is written for one event must not grow with time. A limit that is broken for a good reason
is raised here, where everybody sees it.
"""

import sys
from collections import Counter
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

import pytest
from pymongo import monitoring

from schemas.base import Event, Message, pair_of, session_of
from schemas.envelope import Record, encode
from schemas.matching import CohortOpened, OpenCohort, PairFormed, VolunteerAsMentor
from schemas.scheduling import ConfirmSession, SessionCompleted, SessionPlanned
from schemas.topics import commands_topic, partition_of, stream_topic
from schemas.values import CohortPolicy, Window
from services.chassis.clock import Clock
from services.chassis.documents import CHASSIS_DOCUMENTS
from services.chassis.domain import Domain
from services.chassis.log.contract import Received
from services.chassis.log.memory import MemoryLog
from services.chassis.step.ports import Ports
from services.chassis.step.stepper import Stepper
from services.chassis.store.contract import Store
from services.chassis.store.memory import MemoryStore
from services.chassis.store.mongo import SESSIONS, MongoStore
from services.chassis.watch.metrics import Metrics
from services.matching.handlers import DOMAIN as MATCHING
from services.notify.handlers import DOMAIN as NOTIFY
from services.scheduling.handlers import DOMAIN as SCHEDULING
from tests.feedback.given import DOMAIN as FEEDBACK
from tests.scenario import NOW

PARTITIONS = 4
COHORTS = [f"c{number}" for number in range(8)]
WEEK = tuple(Window(day=day, start="09:00", end="17:00") for day in ("mon", "tue", "thu"))
SMALL, LARGE = 8, 400


def place(number: int) -> dict[str, Any]:
    return {"cohort_id": COHORTS[number % len(COHORTS)]}


def pair(number: int) -> dict[str, Any]:
    people = {"mentor_id": f"m-{number}", "manager_id": f"g-{number}"}
    return {**place(number), **people, "pair_id": pair_of(*people.values())}


def session(number: int) -> dict[str, Any]:
    found = pair(number)
    when = {"starts_at": NOW + timedelta(days=7), "ends_at": NOW + timedelta(days=7, hours=1)}
    names = {"session_id": session_of(found["pair_id"], 1), "number": 1, "attempt": 1}
    return {**found, **names, **when, "revision": 0}


def opened(_: int) -> list[Message]:
    return [CohortOpened(cohort_id=c, name=c, policy=CohortPolicy()) for c in COHORTS]


def open_cohorts(_: int) -> list[Message]:
    return [OpenCohort(cohort_id=c, name=c, policy=CohortPolicy()) for c in COHORTS]


def volunteers(count: int) -> list[Message]:
    about = {"directorate": "DGFiP", "site": "Bercy", "skills": {"linkedin": 4, "wiki": 3}}
    return [
        VolunteerAsMentor.model_validate(
            {**place(n), **about, "mentor_id": f"m-{n}", "availability": WEEK}
        )
        for n in range(count)
    ]


def formed(count: int) -> list[Message]:
    weeks = {"mentor_availability": WEEK, "manager_availability": WEEK}
    pairs = [PairFormed(**pair(n), tools=("linkedin",), **weeks) for n in range(count)]
    return [*opened(count), *pairs]


def confirmations(count: int) -> list[Message]:
    return [
        ConfirmSession(**place(n), session_id=session_of(pair(n)["pair_id"], 1), by="mentor")
        for n in range(count)
    ]


def planned(count: int) -> list[Message]:
    given_at = {"given_at": NOW}
    return [SessionPlanned.model_validate(session(n) | given_at) for n in range(count)]


def completed(count: int) -> list[Message]:
    return [
        SessionCompleted.model_validate({**session(n), "by": "manager", "completed": 1})
        for n in range(count)
    ]


@dataclass(frozen=True)
class Case:
    """One service: what has happened before, its most frequent message, and what it may take.

    `commands`: to the database, for a batch of any size. `calls`: of functions of Python and C, for
    one message; `outbox`: bytes of headers and bodies for one message.
    """

    domain: Domain
    before: Callable[[int], list[Message]]
    frequent: Callable[[int], list[Message]]
    commands: int
    calls: int
    outbox: int


CASES = {
    "matching": Case(MATCHING, open_cohorts, volunteers, 6, 235, 650),
    "scheduling": Case(SCHEDULING, formed, confirmations, 7, 312, 610),
    "feedback": Case(FEEDBACK, formed, completed, 8, 430, 1750),
    "notify": Case(NOTIFY, opened, planned, 6, 584, 3260),
}


class Commands(monitoring.CommandListener):
    """Counts the commands that a database is sent."""

    def __init__(self) -> None:
        self.names: Counter[str] = Counter()

    def started(self, event: monitoring.CommandStartedEvent) -> None:
        if event.command.get(event.command_name) != SESSIONS:  # each session is announced once
            self.names[event.command_name] += 1

    def succeeded(self, event: monitoring.CommandSucceededEvent) -> None: ...

    def failed(self, event: monitoring.CommandFailedEvent) -> None: ...


class CountingLog(MemoryLog):
    """Knows what was published at once: for each topic and partition the producer sends one."""

    def __init__(self) -> None:
        super().__init__()
        self.requests: list[tuple[str, int]] = []
        self.bytes = 0

    async def publish(self, records: Sequence[Record]) -> list[int]:
        """What the twin and the counting take is nobody's step."""
        with uncounted():
            return await self._publish(records)

    async def _publish(self, records: Sequence[Record]) -> list[int]:
        self.requests += dict.fromkeys((record.topic, record.partition) for record in records)
        for record in records:
            self.bytes += len(record.value or b"") + sum(
                len(name) + len(raw or b"") for name, raw in record.headers
            )
        return await super().publish(records)


@dataclass
class Stage:
    """A process of a service, and what comes to it."""

    case: Case
    store: Store
    log: CountingLog = field(default_factory=CountingLog)
    sequences: Counter[tuple[str, int]] = field(default_factory=Counter)

    def __post_init__(self) -> None:
        ports = Ports(
            self.store,
            self.log,
            Clock(1.0, NOW, NOW, wall=NOW.timestamp),
            Metrics(self.case.domain.name),
        )
        self.stepper = Stepper(self.case.domain, ports, PARTITIONS)

    def come(self, messages: Sequence[Message]) -> list[Received]:
        """The messages, as others publish or send them."""
        return [self._come(message) for message in messages]

    def _come(self, message: Message) -> Received:
        partition = partition_of(message.cohort_id, PARTITIONS)
        given: dict[str, Any] = {"source": "/somebody"}
        topic = commands_topic(self.case.domain.name)
        if isinstance(message, Event):
            publisher = type(message).__module__.rpartition(".")[2]
            topic = stream_topic(publisher, "events")  # type: ignore[arg-type]
            self.sequences[topic, partition] += 1
            number = self.sequences[topic, partition]
            source = f"/mentoring/{publisher}/events/{partition}"
            given = {"source": source, "sequence": number, "order": number}
        self.sequences["all", 0] += 1
        name = f"x{self.sequences['all', 0]}"
        record = encode(message, topic, partition, id=name, time=NOW, **given)
        offset = self.log._append(record)
        return self.log.records[topic, partition][offset]

    async def begun(self, count: int) -> list[Received]:
        """What has happened before is handled, and a message of each cohort, so that what is read
        once for a cohort is known. The most frequent messages, as they come."""
        await self.stepper.take(range(PARTITIONS))
        total = len(COHORTS) + count
        await self.stepper.handle(self.come(self.case.before(total)))
        messages = self.case.frequent(total)
        await self.stepper.handle(self.come(messages[: len(COHORTS)]))
        records = self.come(messages[len(COHORTS) :])
        self.log.requests.clear()
        self.log.bytes = 0
        return records

    async def done(self) -> None:
        """Nothing was set aside, and all of it led to something."""
        assert all(place.parked == 0 for place in self.stepper.owned.values())
        assert self.log.bytes


@pytest.fixture(params=CASES)
def case(request: pytest.FixtureRequest) -> Case:
    return CASES[request.param]


@pytest.fixture
async def listened(
    mongodb_uri: str, database: str, case: Case
) -> AsyncIterator[tuple[MongoStore, Commands]]:
    commands = Commands()
    kinds = (*case.domain.documents, *CHASSIS_DOCUMENTS)
    store = MongoStore(mongodb_uri, database, kinds, listeners=[commands])
    await store.open()
    yield store, commands
    await store.close()


@pytest.mark.parametrize("count", [SMALL, LARGE])
async def test_a_batch_of_any_size_takes_as_many_commands_and_two_requests_a_partition(
    case: Case, listened: tuple[MongoStore, Commands], count: int
) -> None:
    store, commands = listened
    stage = Stage(case, store)
    records = await stage.begun(count)
    commands.names.clear()

    await stage.stepper.handle(records)

    await stage.done()
    assert sum(commands.names.values()) <= case.commands, commands.names
    by_partition = Counter(partition for _, partition in stage.log.requests)
    assert max(by_partition.values()) <= 2, stage.log.requests


async def test_an_event_takes_no_more_calls_and_no_more_bytes_than_before(case: Case) -> None:
    calls: dict[int, int] = {}
    for count in (SMALL, LARGE):
        stage = Stage(case, MemoryStore())
        records = await stage.begun(count)
        with counted() as counter:
            await stage.stepper.handle(records)
        await stage.done()
        calls[count] = counter.total
    each = (calls[LARGE] - calls[SMALL]) / (LARGE - SMALL)
    assert each <= case.calls, each
    assert stage.log.bytes / LARGE <= case.outbox


@dataclass
class Calls:
    total: int = 0


@contextmanager
def uncounted() -> Iterator[None]:
    """Nothing is counted meanwhile."""
    before = sys.getprofile()
    sys.setprofile(None)
    try:
        yield
    finally:
        sys.setprofile(before)


@contextmanager
def counted() -> Iterator[Calls]:
    """How many functions are called meanwhile, of Python and of C."""
    found = Calls()

    def profile(_: Any, event: str, __: Any) -> None:
        found.total += event in ("call", "c_call")

    before = sys.getprofile()
    sys.setprofile(profile)
    try:
        yield found
    finally:
        sys.setprofile(before)
