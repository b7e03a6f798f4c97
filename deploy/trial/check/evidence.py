"""What there is to be read of a run: every topic, the databases and the mailbox. Only I/O.

Always holds: nothing is written, no consumer group is joined, and no service's code is used.
"""

import asyncio
import time
from collections.abc import Callable, Iterable, Mapping, Sequence, Set
from dataclasses import dataclass, field, replace
from email.message import EmailMessage
from typing import Any

from aiokafka import AIOKafkaConsumer, TopicPartition
from pymongo import AsyncMongoClient
from pymongo.asynchronous.database import AsyncDatabase

from schemas.topics import TOPICS

Row = Mapping[str, Any]
Databases = Mapping[str, Mapping[str, Sequence[Row]]]
Mails = Iterable[EmailMessage] | Callable[[], Iterable[EmailMessage]]

SILENCE = 1.0  # seconds
STUCK = 30.0
TRIES = 5

_COUNTERS = (
    "mentors",
    "managers",
    "pairs_formed",
    "pairs_graduated",
    "pairs_dissolved",
    "sessions_completed",
    "sessions_missed",
    "sessions_presumed",
)
_REVOKED = ("number", "every")
COLLECTIONS: dict[str, dict[str, tuple[str, ...]]] = {
    "matching": {
        "cohorts": (),
        "mentors": ("engaged",),
        "managers": (),
        "pairs": ("state",),
        "rounds": (),
        "revoked_links": _REVOKED,
    },
    "scheduling": {
        "cohorts": (),
        "pairs": ("state",),
        "sessions": ("state", "attempt"),
        "outcomes": ("outcome",),
        "revoked_links": _REVOKED,
    },
    "feedback": {
        "cohorts": _COUNTERS,
        "pairs": ("state",),
        "surveys": ("state",),
        "turnouts": ("opened", "closed", "answered"),
        "revoked_links": _REVOKED,
    },
    "notify": {
        "cohorts": (),
        "people": (),
        "letters": ("state",),
        "roles": ("holder",),
        "revoked_links": _REVOKED,
    },
    "portal": {"cohorts": (), "pairs": ("state",), "sessions": ("state",)},
}
"""What is read of each service's documents, beside `_id` and `partition`: no name, no address."""
UNREAD: dict[str, tuple[str, ...]] = {
    "matching": ("overrides", "simulations", "lines", "sheets"),
    "scheduling": ("calendars",),
    "feedback": ("groups",),
    "notify": (
        *("lines", "pairs", "trays", "late_reminders", "concerns", "digests", "retentions"),
        "elsewhere",
    ),
}
"""Documents of which this check says nothing: whether they follow from the log, a rebuild tells. Of
the portal's, which are shaped like its pages, that is all that is not read."""

_A_PLACE = {"_id": {"$type": "number"}}
"""What steps keep count of lies beside the places, and says nothing of its own."""

_CHASSIS: dict[str, tuple[str, ...] | None] = {
    "places": None,  # as they are
    "outbox": ("step", "records"),
    "parked": (),
    "refusals": (),
}


@dataclass(frozen=True, slots=True)
class Record:
    """A record as it lies in the log."""

    topic: str
    partition: int
    offset: int
    key: bytes | None
    value: bytes | None
    headers: tuple[tuple[str, bytes | None], ...]

    @property
    def origin(self) -> str:
        """Where it lies: `topic/partition/offset`."""
        return f"{self.topic}/{self.partition}/{self.offset}"


@dataclass(frozen=True, slots=True)
class Mail:
    """A letter in the mailbox: which it is, and which delivery of it."""

    cohort: str
    letter_id: str
    message_id: str
    recipient: str


@dataclass(frozen=True)
class Evidence:
    """All that a run has left behind.

    `records`: each partition's in order. `databases`: service to collection to rows.
    `redelivered_letters`: deliveries that the mailbox has dropped because it had the letter.
    `accepted`: ids of commands whose senders were told that they were taken; `aborted`: of those
    that their senders took back before they could be read. `void`: where these lie, and the markers
    of others' transactions, which are no records (`topic/partition/offset`). `poison`: where
    records lie that were made for nobody to accept; None where whoever looks does not know, so that
    nothing is said of what was set aside without a visible fault. `secret`: what ids of addresses
    are made with, None alike: then nothing is said of whom such an id stands above.
    """

    partitions: int
    records: Sequence[Record] = ()
    databases: Databases = field(default_factory=dict)
    mails: Sequence[Mail] = ()
    redelivered_letters: int = 0
    accepted: Set[str] = frozenset()
    aborted: Set[str] = frozenset()
    void: Set[str] = frozenset()
    poison: Set[str] | None = None
    secret: str | None = None


async def read_evidence(
    kafka_connection: dict[str, Any],
    mongodb_uri: str,
    mailbox_messages: Mails,
    partitions: int,
    database_prefix: str = "connecte_",
    *,
    redelivered_letters: int = 0,
    topic_prefix: str = "",
) -> Evidence:
    """Read all of it, again if a service made a step meanwhile (a few times at most).

    `topic_prefix` stands before the names of topics on the broker, and not in the evidence.
    `mailbox_messages` may be a function: it is then asked after the log was read, every time.
    Raises KafkaError or PyMongoError when they cannot be reached, TimeoutError when the broker
    says that there is more and does not give it.
    """
    messages = mailbox_messages if callable(mailbox_messages) else list(mailbox_messages)
    client: AsyncMongoClient[dict[str, Any]] = AsyncMongoClient(
        mongodb_uri, tz_aware=True, serverSelectionTimeoutMS=10_000
    )
    try:
        before = await _steps(client, database_prefix)
        for _ in range(TRIES):
            records = await _records(kafka_connection, partitions, prefix=topic_prefix)
            databases = await _databases(client, database_prefix)
            mails = [_mail(m) for m in (messages() if callable(messages) else messages)]
            after = await _steps(client, database_prefix)
            if after == before and not any(rows["outbox"] for rows in databases.values()):
                break
            before = after
    finally:
        await client.close()
    return Evidence(partitions, records, databases, mails, redelivered_letters)


def _mail(message: EmailMessage) -> Mail:
    def header(name: str) -> str:
        return "".join(str(message.get(name, "")).split())

    return Mail(
        header("X-Connecte-Cohort"),
        header("X-Connecte-Letter"),
        header("Message-ID"),
        header("Delivered-To") or header("To"),
    )


# --- databases --------------------------------------------------------------------------------


async def _steps(
    client: AsyncMongoClient[dict[str, Any]], prefix: str
) -> dict[str, list[dict[str, Any]]]:
    """How far each service has got: if it is the same twice, nothing was written in between."""
    found = {}
    for service in COLLECTIONS:
        database = client[prefix + service]
        places = database[await live_prefix(database) + "places"]
        found[service] = await places.find(_A_PLACE, {"step": 1}).to_list()
    return found


async def live_prefix(database: AsyncDatabase[dict[str, Any]]) -> str:
    """What the names of a service's collections begin with: those of its live generation."""
    row = await database["generations"].find_one({"_id": "live"})
    return f"g{row['number']}." if row else ""


async def _databases(client: AsyncMongoClient[dict[str, Any]], prefix: str) -> Databases:
    found: dict[str, dict[str, Sequence[Row]]] = {}
    for service, documents in COLLECTIONS.items():
        found[service] = {}
        database = client[prefix + service]
        live = await live_prefix(database)
        for name, fields in {**documents, **_CHASSIS}.items():
            wanted = None if fields is None else dict.fromkeys(("partition", *fields), 1)
            rows = database[live + name].find(_A_PLACE if name == "places" else {}, wanted)
            found[service][name] = await rows.to_list()
    return found


# --- the log ----------------------------------------------------------------------------------


async def read_taken_back(
    connection: dict[str, Any], partitions: int, topics: Sequence[str], aborted: Set[str]
) -> frozenset[str]:
    """Where the aborted commands lie: committed or not, they are in the log."""
    everything = await _records(connection, partitions, topics, "read_uncommitted")
    ids = {command_id.encode() for command_id in aborted}
    return frozenset(r.origin for r in everything if dict(r.headers).get("ce_id") in ids)


async def _records(
    connection: dict[str, Any],
    partitions: int,
    topics: Iterable[str] = tuple(TOPICS),
    isolation_level: str = "read_committed",
    prefix: str = "",
) -> list[Record]:
    """All records of those topics that there are, by one consumer without a group."""
    consumer = AIOKafkaConsumer(
        **connection,
        enable_auto_commit=False,
        auto_offset_reset="earliest",
        isolation_level=isolation_level,
        fetch_max_wait_ms=20,
        max_partition_fetch_bytes=8 * 1024 * 1024,
    )
    try:
        await consumer.start()
        existing = await consumer.topics()
        there = [prefix + topic for topic in topics if prefix + topic in existing]
        places = [TopicPartition(topic, p) for topic in there for p in range(partitions)]
        consumer.assign(places)
        found = await _to_the_end(consumer, places)
        return [replace(r, topic=r.topic.removeprefix(prefix)) for r in found] if prefix else found
    finally:
        await consumer.stop()


async def _to_the_end(consumer: Any, places: Sequence[TopicPartition]) -> list[Record]:
    """Read until every partition is where what is committed ends, whatever lies there.

    An embedded broker may not say where an empty partition ends, and what it says of an end
    without a fetch is wrong: so the marks of fetches count, and a partition without one is empty
    once all has been silent for a while. The last offsets may hold no record: what was aborted,
    and the markers of transactions. So it is the consumer's place that counts.
    """
    found: list[Record] = []
    heard = time.monotonic()
    while places:
        batch = await consumer.getmany(timeout_ms=100, max_records=5000)
        for rows in batch.values():
            found.extend(_record(row) for row in rows)
        now = time.monotonic()
        if batch:
            heard = now
            await asyncio.sleep(0)  # whoever runs beside it has a turn
            continue
        marks = {place: _end(consumer, place) for place in places}
        known = {place: mark for place, mark in marks.items() if mark is not None}
        behind = [p for p, mark in known.items() if await consumer.position(p) < mark]
        if not behind and (None not in marks.values() or now - heard > SILENCE):
            break
        if now - heard > STUCK:
            raise TimeoutError(f"{behind[0].topic}/{behind[0].partition} does not give what it has")
    return found


def _end(consumer: Any, place: TopicPartition) -> int | None:
    """Where what is committed ended at the last fetch; brokers without transactions say -1."""
    stable: int | None = consumer.last_stable_offset(place)
    mark: int | None = consumer.highwater(place)
    return mark if stable is None or stable < 0 else stable


def _record(row: Any) -> Record:
    return Record(row.topic, row.partition, row.offset, row.key, row.value, tuple(row.headers))
