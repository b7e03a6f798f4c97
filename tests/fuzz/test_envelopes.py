"""Any headers and any bytes: a message, or a reason why it is none."""

import contextlib
import json
from datetime import UTC, datetime
from typing import Any

from hypothesis import example, given
from hypothesis import strategies as st

from schemas.base import Message
from schemas.envelope import (
    Unreadable,
    attributes,
    decode,
    encode,
    key_of,
    tombstone,
    type_name,
)
from schemas.topics import PEOPLE, TOPICS, TYPES
from services.chassis.inputs import Fault
from services.chassis.log.contract import Received
from services.chassis.step.admission import read
from services.matching.handlers import DOMAIN as MATCHING
from services.notify.handlers import DOMAIN as NOTIFY
from tests.chassis.toy import NOW, PARTITIONS, TOY, confirm, contact, formed
from tests.fuzz.conftest import patient
from tests.fuzz.corpus import entries

MESSAGES = [confirm("m~g"), contact("m"), formed("m~g")]
NAMES = [f"ce_{name}" for name in ("specversion", "id", "source", "type", "time", "subject")]
NAMES += ["ce_partitionkey", "ce_sequence", "ce_order", "ce_cause", "ce_", "ce_\0", "content-type"]
KINDS = [type_name(kind).encode() for kind in TYPES.values()]
WORDS = [b"1.0", b"c", b"", b"2017-03-06T09:00:00Z", b"-1", b"9" * 30, "١".encode(), *KINDS]

raw = st.none() | st.binary(max_size=60) | st.sampled_from(WORDS)
headers = st.lists(st.tuples(st.sampled_from(NAMES) | st.text(max_size=20), raw), max_size=14)
times = st.sampled_from(
    [
        *("0001-01-01T00:00:00+23:59", "9999-12-31T23:59:59-23:59", "20170306T09", "2017-W10-1"),
        *("2017-03-06T09:00:00", "2017-03-06T09:00:00+00:00:00.000001", "2017-03-06T24:00:00Z"),
    ]
)
json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner),
    max_leaves=8,
)


def readable(found: list[tuple[str, bytes | None]], value: bytes | None) -> Message | None:
    """The message, or None with a reason that can be stored. Any other exception is a fault."""
    try:
        return decode(attributes(found), value)
    except Unreadable as error:
        error.detail.encode()
        assert error.reason
        return None


@patient
@given(headers, st.none() | st.binary(max_size=200))
@example([], None)
def test_any_record_is_a_message_or_unreadable(
    found: list[tuple[str, bytes | None]], value: bytes | None
) -> None:
    readable(found, value)


def of_a_message(message: Message, **changes: bytes | None) -> list[tuple[str, bytes | None]]:
    record = encode(message, "t", 0, id="1", source="/s", time=NOW, sequence=1, order=1)
    return [*((n, v) for n, v in record.headers if n not in changes), *changes.items()]


@patient
@given(st.sampled_from(MESSAGES), st.sampled_from(NAMES[:10]), raw | times.map(str.encode))
def test_a_message_with_any_header_changed_is_itself_or_unreadable(
    message: Message, name: str, value: bytes | None
) -> None:
    found = readable(of_a_message(message, **{name: value}), message.model_dump_json().encode())
    assert found is None or type_name(type(found)).encode() in (
        value,
        type_name(type(message)).encode(),
    )


@patient
@given(st.sampled_from(MESSAGES), st.data())
def test_a_message_with_any_field_changed_is_a_message_or_unreadable(
    message: Message, data: st.DataObject
) -> None:
    fields = message.model_dump(mode="json")
    fields[data.draw(st.sampled_from([*fields, "new"]))] = data.draw(json_values)
    value = json.dumps(fields).encode()
    found = readable(of_a_message(message), value)
    if found is not None:
        assert same_again(found)


def same_again(message: Message) -> bool:
    record = encode(message, "t", 0, id="1", source="/s", time=NOW)
    told = attributes(record.headers)
    assert record.key == key_of(message).encode() == told.subject.encode()
    again = decode(told, record.value)
    twice = encode(again, "t", 0, id=told.id, source=told.source, time=told.time)
    return again == message and twice == record


def test_what_was_read_is_written_again_as_it_was() -> None:
    assert all(same_again(message) for message in MESSAGES)


@patient
@given(
    st.sampled_from([TOY, MATCHING, NOTIFY]),
    st.sampled_from(list(TOPICS)),
    st.none() | st.binary(max_size=60),
    st.none() | st.binary(max_size=100),
    headers | st.sampled_from(MESSAGES).map(of_a_message),
)
def test_no_record_is_a_fault_for_a_service(
    domain: Any,
    topic: str,
    key: bytes | None,
    value: bytes | None,
    found: list[tuple[str, bytes | None]],
) -> None:
    item = read(domain, PARTITIONS, Received(topic, 0, 0, key, value, found))
    assert item.unreadable is None or isinstance(item.unreadable, Fault)


@patient
@given(st.none() | st.binary(max_size=120))
def test_any_key_is_a_tombstone_or_unreadable(key: bytes | None) -> None:
    try:
        erased = tombstone(key)
    except Unreadable:
        return
    assert key_of(erased).encode() == key
    record = encode(erased, PEOPLE, 0, id="1", source="/x", time=datetime(2026, 1, 5, tzinfo=UTC))
    assert (record.key, record.value) == (key, None)


def test_what_was_once_a_fault_is_none_any_more() -> None:
    for _, content in entries("envelopes"):
        for message in MESSAGES:
            readable(of_a_message(message), content)
            for name in NAMES[:10]:
                value = message.model_dump_json().encode()
                readable(of_a_message(message, **{name: content}), value)
        with contextlib.suppress(Unreadable):
            tombstone(content)
