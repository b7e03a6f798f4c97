"""CloudEvents 1.0, Kafka protocol binding, binary mode: a message to a record and back.

The attributes travel as headers (`ce_…`), the message as JSON in the value. Reading never
raises anything but `Unreadable`, whatever bytes it is given: its `reason` is one of a closed
list, and its `detail` names the header or the field.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cache, lru_cache
from typing import Literal

from pydantic import ValidationError

from schemas.base import Message, to_milliseconds
from schemas.people import PersonErased
from schemas.topics import TYPES

TYPE_PREFIX = "fr.gouv.mentoring."
SCHEMA_ROOT = "urn:mentoring:schema:"

ParkReason = Literal[
    "bad-headers",
    "unknown-type",
    "null-value",
    "bad-json",
    "bad-data",
    "wrong-partition",
    "sequence-gap",
    "rule",
    "behind",
    "fault",
]

Headers = Sequence[tuple[str, bytes | None]]


class Unreadable(Exception):
    """A record that is no message. `reason` is for machines, `detail` for people."""

    def __init__(self, reason: ParkReason, detail: str) -> None:
        super().__init__(f"{reason}: {detail}")
        self.reason: ParkReason = reason
        self.detail = detail


@dataclass(frozen=True, slots=True)
class Attributes:
    """CloudEvents context. `sequence` counts without gaps per source (None for commands).

    `order` is the record's place in its service's own journal of the partition, across its
    streams; `cause` is the id of the message that led to this one.
    """

    id: str
    source: str
    type: str
    time: datetime
    subject: str
    partition_key: str
    sequence: int | None = None
    order: int | None = None
    cause: str | None = None
    traceparent: str | None = None


@dataclass(frozen=True, slots=True)
class Record:
    """A record on its way to a topic."""

    topic: str
    partition: int
    key: bytes | None
    value: bytes | None
    headers: Headers = field(default=())


@cache
def type_name(kind: type[Message]) -> str:
    """`ce_type` of a message: the name and the version of its schema."""
    return f"{TYPE_PREFIX}{kind.__name__}.v{kind.version}"


def key_of(message: Message) -> str:
    """Record key and `ce_subject`: the subject within its cohort."""
    return f"{message.cohort_id}/{message.subject}"


def encode(
    message: Message,
    topic: str,
    partition: int,
    *,
    id: str,
    source: str,
    time: datetime,
    sequence: int | None = None,
    order: int | None = None,
    cause: str | None = None,
    traceparent: str | None = None,
) -> Record:
    """The record of a message."""
    kind = type(message)
    subject = key_of(message).encode()
    headers: list[tuple[str, bytes | None]] = [
        *_fixed_headers(kind),
        ("ce_id", id.encode()),
        ("ce_source", source.encode()),
        ("ce_time", _timestamp(time)),
        ("ce_subject", subject),
        ("ce_partitionkey", message.cohort_id.encode()),
    ]
    if sequence is not None:
        headers.append(("ce_sequence", b"%012d" % sequence))
    if order is not None:
        headers.append(("ce_order", b"%d" % order))
    if cause is not None:
        headers.append(("ce_cause", cause.encode()))
    if traceparent is not None:
        headers.append(("ce_traceparent", traceparent.encode()))
    value = kind.__pydantic_serializer__.to_json(message)
    return Record(topic, partition, subject, value, headers)


@cache
def _fixed_headers(kind: type[Message]) -> tuple[tuple[str, bytes], ...]:
    return (
        ("ce_specversion", b"1.0"),
        ("ce_type", type_name(kind).encode()),
        ("ce_dataschema", f"{SCHEMA_ROOT}{kind.__name__}:{kind.version}".encode()),
        ("content-type", b"application/json"),
    )


# The events of a step share their time, and so do the records of a batch, nearly.
@lru_cache(maxsize=256)
def _timestamp(time: datetime) -> bytes:
    return time.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z").encode()


def attributes(headers: Headers) -> Attributes:
    """The CloudEvents attributes among a record's headers."""
    found: dict[str, str] = {}
    for name, raw in headers:
        if not name.startswith("ce_"):
            continue
        if raw is None:
            raise Unreadable("bad-headers", f"header {name} is null")
        try:
            found[name[3:]] = raw.decode()
        except UnicodeDecodeError:
            raise Unreadable("bad-headers", f"header {name} is not UTF-8") from None
    if found.get("specversion") != "1.0":
        raise Unreadable("bad-headers", "header ce_specversion is not 1.0")
    return _from_text(found)


def _from_text(found: Mapping[str, str]) -> Attributes:
    try:
        return Attributes(
            id=found["id"],
            source=found["source"],
            type=found["type"],
            time=_moment(found["time"]),
            subject=found["subject"],
            partition_key=found["partitionkey"],
            sequence=_count(found, "sequence"),
            order=_count(found, "order"),
            cause=found.get("cause"),
            traceparent=found.get("traceparent"),
        )
    except KeyError as missing:
        raise Unreadable("bad-headers", f"header ce_{missing.args[0]} is missing") from None
    except (ValueError, OverflowError):
        raise Unreadable("bad-headers", "header ce_time is not an RFC 3339 time") from None


@lru_cache(maxsize=4096)
def _moment(text: str) -> datetime:
    return to_milliseconds(datetime.fromisoformat(text))


def _count(found: Mapping[str, str], name: str) -> int | None:
    text = found.get(name)
    if text is None:
        return None
    if not (text.isascii() and text.isdigit() and len(text) <= 18):
        raise Unreadable("bad-headers", f"header ce_{name} is not a count")
    return int(text)


@cache
def _kinds() -> dict[str, type[Message]]:
    return {type_name(kind): kind for kind in TYPES.values()}


def kind_of(attributes: Attributes) -> type[Message]:
    """The message type that `ce_type` names."""
    kind = _kinds().get(attributes.type)
    if kind is None:
        raise Unreadable("unknown-type", f"no message is called {attributes.type[:120]!r}")
    return kind


def decode(attributes: Attributes, value: bytes | None) -> Message:
    """The message of a record whose attributes have been read."""
    kind = kind_of(attributes)
    if value is None:
        raise Unreadable("null-value", f"a {kind.__name__} without a value")
    try:
        message = kind.model_validate_json(value)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        where = ".".join(str(part) for part in first["loc"]) or "value"
        reason: ParkReason = "bad-json" if first["type"] == "json_invalid" else "bad-data"
        raise Unreadable(reason, f"{kind.__name__}.{where}: {first['msg']}"[:300]) from None
    if message.cohort_id != attributes.partition_key:
        raise Unreadable("bad-headers", "header ce_partitionkey is not the message's cohort_id")
    return message


def tombstone(key: bytes | None) -> PersonErased:
    """What a record without a value on the people topic says: its key names who is erased."""
    try:
        cohort_id, person_id = (key or b"").decode().split("/")
        return PersonErased(cohort_id=cohort_id, person_id=person_id)
    except ValueError:  # not UTF-8, not two parts, or not ids
        raise Unreadable("bad-headers", "the key is not cohort/person") from None
