"""CloudEvents 1.0, Kafka protocol binding, binary mode: a message to a record and back.

The attributes travel as headers (`ce_…`), the message as JSON in the value. Reading never
raises anything but `Unreadable`, whatever bytes it is given: its `reason` is one of a closed
list, and its `detail` names the header or the field. A record of an older version of its type
is read as the version of today (`schemas.upcasting`).
"""

import re
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from functools import cache, lru_cache
from typing import Literal, NamedTuple

from pydantic import ValidationError
from pydantic_core import from_json, to_json

from schemas.actors import Actor, actor_among, actor_headers
from schemas.base import Command, Message, Reading, read_message, to_milliseconds
from schemas.invalid import in_one_line
from schemas.people import PersonErased
from schemas.topics import TYPES
from schemas.upcasting import UPCASTS, can_upcast, upcast

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


class Attributes(NamedTuple):  # made for every record: the cheapest of the frozen kinds
    """CloudEvents context. `sequence` counts without gaps per source (None for commands).

    `order` is the record's place in its service's own journal of the partition, across its
    streams; `cause` is the id of the message that led to this one; `copy_of` is the id of the
    event of which this is a copy in an older version; `actor` is who is behind it, if
    anybody is.
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
    copy_of: str | None = None
    actor: Actor | None = None


class Record(NamedTuple):
    """A record on its way to a topic."""

    topic: str
    partition: int
    key: bytes | None
    value: bytes | None
    headers: Headers = ()


@cache
def type_name(kind: type[Message]) -> str:
    """`ce_type` of a message: the name and the version of its schema."""
    return versioned_name(kind.__name__, kind.version)


def versioned_name(name: str, version: int) -> str:
    """`ce_type` of a version of a type."""
    return f"{TYPE_PREFIX}{name}.v{version}"


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
    copy_of: str | None = None,
    actor: Actor | None = None,
) -> Record:
    """The record of a message; with `copy_of`, as the version before today's.

    That of `PersonErased` has no value: to a compacted topic it is what erases the key.
    """
    kind = type(message)
    subject = key_of(message).encode()
    fixed, silent = _fixed(kind, copy_of is None)
    headers: list[tuple[str, bytes | None]] = [
        *fixed,
        ("ce_id", id.encode()),
        ("ce_source", source.encode()),
        ("ce_time", _timestamp(time)),
        ("ce_subject", subject),
        ("ce_partitionkey", message.cohort_id.encode()),
    ]
    if sequence is not None:
        headers += (("ce_sequence", b"%012d" % sequence),)
    if order is not None:
        headers += (("ce_order", b"%d" % order),)
    if cause is not None:
        headers += (("ce_cause", cause.encode()),)
    if traceparent is not None:
        headers += (("ce_traceparent", traceparent.encode()),)
    if actor is not None and not kind.anonymous:
        headers += actor_headers(actor)
    value = kind.__pydantic_serializer__.to_json(message, exclude_unset=silent)
    if kind is PersonErased:
        return Record(topic, partition, subject, None, headers)
    if copy_of is not None:
        headers.append(("ce_copyof", copy_of.encode()))
        value = _downcast(kind, value)
    return Record(topic, partition, subject, value, headers)


def is_doubled(kind: type[Message], moment: datetime) -> bool:
    """Whether a copy in the version before today's is published too."""
    step = UPCASTS.get((kind.__name__, kind.version - 1)) if kind.version > 1 else None
    return step is not None and step.doubles(moment.date())


def _downcast(kind: type[Message], value: bytes) -> bytes:
    down = UPCASTS[kind.__name__, kind.version - 1].down
    assert down is not None
    return to_json(down(from_json(value)))


@cache
def _fixed(kind: type[Message], newest: bool) -> tuple[tuple[tuple[str, bytes], ...], bool]:
    """The headers that all of a kind have; whether what nobody has given is left out of it."""
    name, version = kind.__name__, kind.version if newest else kind.version - 1
    headers = (
        ("ce_specversion", b"1.0"),
        ("ce_type", versioned_name(name, version).encode()),
        ("ce_dataschema", f"{SCHEMA_ROOT}{name}:{version}".encode()),
        ("content-type", b"application/json"),
    )
    # A sender that knows a field more says nothing of it where nobody has given it: a service that
    # does not know it, as while both are replaced by newer ones, would refuse the command.
    return headers, issubclass(kind, Command)


# The events of a step share their time, and so do the records of a batch, nearly.
@lru_cache(maxsize=256)
def _timestamp(time: datetime) -> bytes:
    return time.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z").encode()


def attributes(headers: Headers) -> Attributes:
    """The CloudEvents attributes among a record's headers."""
    try:
        found = {name: raw.decode() for name, raw in headers if name[:3] == "ce_"}  # type: ignore[union-attr]
    except (AttributeError, UnicodeDecodeError):
        raise _undecodable(headers) from None
    if found.get("ce_specversion") != "1.0":
        raise Unreadable("bad-headers", "header ce_specversion is not 1.0")
    try:
        return Attributes(  # in their order, for names cost time
            _name(found, "ce_id"),
            _name(found, "ce_source"),
            found["ce_type"],
            _moment(found["ce_time"]),
            found["ce_subject"],
            found["ce_partitionkey"],
            _count(found, "ce_sequence"),
            _count(found, "ce_order"),
            found.get("ce_cause"),
            _trace(found),
            found.get("ce_copyof"),
            actor_among(found),
        )
    except KeyError as missing:
        raise Unreadable("bad-headers", f"header {missing.args[0]} is missing") from None
    except ValueError:
        what = "header ce_time is not an RFC 3339 time with its offset, of the years 2 to 9998"
        raise Unreadable("bad-headers", what) from None


def _undecodable(headers: Headers) -> Unreadable:
    """Which of the attributes is no text, and why."""
    for name, raw in headers:
        if name.startswith("ce_"):
            if raw is None:
                return Unreadable("bad-headers", f"header {name} is null")
            try:
                raw.decode()
            except UnicodeDecodeError:
                break
    return Unreadable("bad-headers", f"header {name} is not UTF-8")


_TIME = re.compile(
    r"([0-9]{4}-[0-9]{2}-[0-9]{2})T([01][0-9]|2[0-3])(:[0-5][0-9]):([0-5][0-9]|60)(\.[0-9]{1,30})?"
    r"(Z|[+-](?:[01][0-9]|2[0-3]):[0-5][0-9])"
)
_SECOND = timedelta(seconds=1)


@lru_cache(maxsize=4096)
def _moment(text: str) -> datetime:
    """A time of RFC 3339. A leap second is the one that follows. ValueError if it is none."""
    found = _TIME.fullmatch(text.upper()) if text.isascii() else None
    if found is None:
        raise ValueError(text)
    day, hour, minute, second, fraction, offset = found.groups(default="")
    leap = second == "60"
    fraction = fraction[:7]
    read = f"{day}T{hour}{minute}:{'59' if leap else second}{fraction}{offset}"
    moment = to_milliseconds(datetime.fromisoformat(read))
    if leap:
        moment += _SECOND
        if (moment.day, moment.hour, moment.minute, moment.second) != (1, 0, 0, 0):
            raise ValueError(text)  # they are put in at the end of a month, in UTC
    return moment


LONGEST_NAME = 300
"""Characters of an id or a source: what follows from a message carries them."""


def _name(found: Mapping[str, str], name: str) -> str:
    text = found[name]
    if len(text) > LONGEST_NAME:
        what = f"header {name} has more than {LONGEST_NAME} characters"
        raise Unreadable("bad-headers", what)
    return text


def _trace(found: Mapping[str, str]) -> str | None:
    """The trace context, which goes on in all that follows; none that is longer than any is."""
    trace = found.get("ce_traceparent")
    return trace if trace is None or len(trace) <= 128 else None


def _count(found: Mapping[str, str], name: str) -> int | None:
    text = found.get(name)
    if text is None:
        return None
    if len(text) > 18 or not (text.isascii() and text.isdigit()):
        raise Unreadable("bad-headers", f"header {name} is not a count")
    return int(text)


_VERSIONED = re.compile(re.escape(TYPE_PREFIX) + r"([A-Za-z][A-Za-z0-9]*)\.v([1-9][0-9]{0,3})")


@lru_cache(maxsize=1024)
def _name_and_version(type: str) -> tuple[str, int] | None:
    found = _VERSIONED.fullmatch(type)
    return (found[1], int(found[2])) if found else None


def kind_of(attributes: Attributes) -> type[Message]:
    """The message type that `ce_type` names, in its version of today."""
    known = len(attributes.type) <= LONGEST_NAME  # or what is remembered of types would be large
    versioned = _name_and_version(attributes.type) if known else None
    if versioned is not None:
        name, version = versioned
        kind = TYPES.get(name)
        if kind and (version == kind.version or can_upcast(name, version, kind.version)):
            return kind
    raise Unreadable("unknown-type", f"no message is called {attributes.type[:120]!r}")


def decode(attributes: Attributes, value: bytes | None, reading: Reading = "record") -> Message:
    """The message of a record whose attributes have been read."""
    kind = kind_of(attributes)
    if value is None:
        raise Unreadable("null-value", f"a {kind.__name__} without a value")
    if attributes.type != type_name(kind):  # an older version
        value = _of_today(attributes.type, kind, value)
    try:
        message = read_message(kind, value, reading)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[:1]
        reason: ParkReason = "bad-json" if first[0]["type"] == "json_invalid" else "bad-data"
        wrong = in_one_line(first, "value")
        raise Unreadable(reason, f"{kind.__name__}.{wrong}"[:300]) from None
    except Exception as error:  # noqa: BLE001  # a validator's fault must not stop whoever reads
        detail = f"{kind.__name__}: {type(error).__name__}"
        raise Unreadable("bad-data", detail) from None
    if message.cohort_id != attributes.partition_key:
        raise Unreadable("bad-headers", "header ce_partitionkey is not the message's cohort_id")
    return message


def _of_today(type: str, kind: type[Message], value: bytes) -> bytes:
    """The value of an older version, as that of today's."""
    versioned = _name_and_version(type)
    assert versioned is not None
    name, version = versioned
    try:
        data = from_json(value)
    except ValueError:
        raise Unreadable("bad-json", f"{name}.value: no JSON") from None
    try:
        return to_json(upcast(name, version, kind.version, data))
    except Exception as error:  # noqa: BLE001  # an old record can be as odd as any other
        detail = f"{name}.v{version} cannot be upcast: {error!r}"
        raise Unreadable("bad-data", detail[:300]) from None


def tombstone(key: bytes | None) -> PersonErased:
    """What a record without a value on the people topic says: its key names who is erased."""
    try:
        cohort_id, person_id = (key or b"").decode().split("/")
        return PersonErased(cohort_id=cohort_id, person_id=person_id)
    except ValueError:  # not UTF-8, not two parts, or not ids
        raise Unreadable("bad-headers", "the key is not cohort/person") from None
