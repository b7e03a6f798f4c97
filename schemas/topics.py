"""The one table of topics: who may read which, how it is keyed, how long it is kept.

Always holds: every topic has the same number of partitions, and a record's partition is
`partition_of(cohort_id)`; so everything about a cohort is on the same partition number of
every topic, in order, and one consumer of a group owns it all.
"""

import re
from dataclasses import dataclass, replace
from functools import lru_cache
from types import ModuleType
from typing import Literal, TypeVar

from schemas import (
    appointments,
    attention,
    calendars,
    cohorts,
    community,
    feedback,
    lines,
    links,
    matching,
    meeting,
    notify,
    portal,
    rounds,
    scheduling,
    sheets,
    taking_part,
)
from schemas.base import Audience, Command, Event, Message
from schemas.journal import CONTROL, PARKING, CommandRefused, Heartbeat, StepCompleted
from schemas.people import PersonContact
from schemas.retention import ASKED_DAYS, COMPACTED_DAYS

Service = Literal["matching", "scheduling", "feedback", "notify", "portal"]
Stream = Literal["events", "private", "parked"]

LANGUAGE: dict[Service, tuple[ModuleType, ...]] = {
    "matching": (matching, cohorts, community, rounds, sheets, taking_part, lines, links),
    "scheduling": (scheduling, calendars, meeting),
    "feedback": (feedback,),
    "notify": (notify, attention, appointments),
    "portal": (portal,),
}
"""Where the commands and events of each service stand. What its modules declare, it publishes."""

PARTITIONS = 12
"""Partitions of every topic, unless a deployment says otherwise. Never changed afterwards."""

PARKED = "mentoring.parked"
PEOPLE = "mentoring.people"

FOREVER = -1
_DAY = 24 * 60 * 60 * 1000


@dataclass(frozen=True, slots=True)
class Topic:
    """One topic. `retention_ms` is -1 for ever; `types` are the messages that it carries."""

    name: str
    audience: Audience
    types: tuple[type[Message], ...]
    retention_ms: int
    purpose: str
    compacted: bool = False
    max_message_bytes: int = 1024 * 1024

    @property
    def config(self) -> dict[str, str]:
        """Kafka's own topic settings.

        The broker holds the size of a batch against its limit as it is stored. Stored uncompressed,
        that is what a reader has in memory; compressed, 13 kB may be 400 MB.
        """
        return {
            "cleanup.policy": "compact" if self.compacted else "delete",
            "retention.ms": str(self.retention_ms),
            "max.message.bytes": str(self.max_message_bytes),
            "compression.type": "uncompressed",
        }

    @property
    def forgetting(self) -> dict[str, str]:
        """By when the broker drops what a newer record of its key has replaced.

        Left to itself it waits until half of the topic is old: for an erased person's name, for
        ever where little happens. It looks at closed segments, and a record closes an old one.
        """
        if not self.compacted:
            return {}
        return {"max.compaction.lag.ms": str(COMPACTED_WITHIN), "segment.ms": str(_DAY)}


COMPACTED_WITHIN = COMPACTED_DAYS * _DAY

_JOURNAL: tuple[type[Event], ...] = (CommandRefused, StepCompleted)

M = TypeVar("M", bound=Message)


def _declared(modules: tuple[ModuleType, ...], kind: type[M]) -> tuple[type[M], ...]:
    """The messages of this kind that the modules declare, in their order."""
    own = ((found, module) for module in modules for found in vars(module).values())
    return tuple(
        found
        for found, module in own
        if isinstance(found, type)
        and issubclass(found, kind)
        and found.__module__ == module.__name__
    )


def _read_by(audience: Audience, modules: tuple[ModuleType, ...]) -> tuple[type[Event], ...]:
    """The events that say so themselves; what they inherit from (`SessionEvent`) says nothing."""
    return tuple(e for e in _declared(modules, Event) if vars(e).get("audience") == audience)


COMMANDS: dict[Service, tuple[type[Command], ...]] = {
    service: _declared(modules, Command) for service, modules in LANGUAGE.items()
}
"""Which service carries out which command."""

_PUBLIC = {service: _read_by("public", modules) for service, modules in LANGUAGE.items()}
_PRIVATE = {service: _read_by("internal", modules) for service, modules in LANGUAGE.items()}

PUBLIC_EVENTS: dict[Service, tuple[type[Event], ...]] = {
    service: (*events, Heartbeat) if events else () for service, events in _PUBLIC.items()
}
PRIVATE_EVENTS: dict[Service, tuple[type[Event], ...]] = {
    service: events if _PUBLIC[service] else (*events, Heartbeat)
    for service, events in _PRIVATE.items()
}
"""Without copies of what it learned and without its journal.

A service that publishes nothing for everybody has its heartbeats here."""


def commands_topic(service: Service) -> str:
    """Where commands for `service` are sent."""
    return f"mentoring.{service}.commands"


def stream_topic(service: Service, stream: Stream) -> str:
    """The topic that carries one of the streams that `service` writes."""
    return PARKED if stream == "parked" else f"mentoring.{service}.{stream}"


def _table() -> dict[str, Topic]:
    rows: list[Topic] = []
    for service, commands in COMMANDS.items():
        rows.append(
            Topic(
                commands_topic(service),
                "internal",
                commands + CONTROL,
                ASKED_DAYS * _DAY,
                f"what is asked of {service}",
            )
        )
        if PUBLIC_EVENTS[service]:
            rows.append(
                Topic(
                    stream_topic(service, "events"),
                    "public",
                    PUBLIC_EVENTS[service],
                    FOREVER,
                    f"what happened in {service}",
                )
            )
        rows.append(
            Topic(
                stream_topic(service, "private"),
                "internal",
                PRIVATE_EVENTS[service] + _JOURNAL,
                FOREVER,
                f"what {service} notes for itself, copies of what it learned included",
            )
        )
    rows.append(
        Topic(
            PEOPLE,
            "restricted",
            (PersonContact,),
            FOREVER,
            "how a person can be reached; a tombstone erases",
            compacted=True,
        )
    )
    rows.append(
        Topic(
            PARKED,
            "internal",
            PARKING,
            FOREVER,
            "records that were set aside, as they came, and what became of them",
            max_message_bytes=8 * 1024 * 1024,
        )
    )
    return {row.name: row for row in rows}


TOPICS: dict[str, Topic] = _table()

_PREFIX = re.compile(r"[A-Za-z0-9._-]{0,60}")


def prefix(given: str) -> str:
    """What an installation puts before the names of its topics and groups, checked; may be empty.

    With `mentoring.` in it, what begins like the topics of one installation could be another's.
    ValueError if it is none.
    """
    if not _PREFIX.fullmatch(given) or "mentoring" in given:
        raise ValueError(
            "at most 60 letters, digits, dots, dashes and underscores, as Kafka's names have them, "
            "without the word mentoring"
        )
    return given


def named(prefix: str) -> dict[str, Topic]:
    """The topics as they are called on the broker of an installation with this prefix."""
    there = (replace(topic, name=prefix + topic.name) for topic in TOPICS.values())
    return {topic.name: topic for topic in there}


TYPES: dict[str, type[Message]] = {
    kind.__name__: kind for topic in TOPICS.values() for kind in topic.types
}
"""Every message type by its name."""


def stream_of(service: Service, kind: type[Message]) -> Stream:
    """The stream on which `service` writes a message of this kind.

    What it publishes for everybody goes to `events`; everything else, copies of other
    services' events included, goes to `private`.
    """
    if kind in PARKING:
        return "parked"
    return "events" if kind in PUBLIC_EVENTS[service] else "private"


def is_command(kind: type[Message]) -> bool:
    """Whether a message asks for something, so that a refusal goes back to its sender."""
    return issubclass(kind, Command)


def murmur2(data: bytes) -> int:
    """The 32-bit hash with which Kafka's own clients place a key (Apache Kafka, Utils.murmur2)."""
    mask, m = 0xFFFFFFFF, 0x5BD1E995
    h = (0x9747B28C ^ len(data)) & mask
    whole = len(data) & ~3
    for i in range(0, whole, 4):
        k = int.from_bytes(data[i : i + 4], "little") * m & mask
        k = (k ^ (k >> 24)) * m & mask
        h = (h * m & mask) ^ k
    if tail := data[whole:]:
        h = (h ^ int.from_bytes(tail, "little")) * m & mask
    h = (h ^ (h >> 13)) * m & mask
    return h ^ (h >> 15)


@lru_cache(maxsize=65536)
def partition_of(cohort_id: str, partitions: int) -> int:
    """The partition of everything about a cohort.

    It is where a Kafka client's default partitioner would put a record keyed by the cohort, so
    any client in any language can compute it.
    """
    return (murmur2(cohort_id.encode()) & 0x7FFFFFFF) % partitions
