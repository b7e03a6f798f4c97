"""Whatever a message says, everything that has to hold it can: JSON, BSON, a calendar.

For every field of every type: the extremes of its kind are refused, or are the same after JSON,
after BSON, and in every time zone. What a command may say has a length, too.
"""

import json
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta, timezone
from functools import cache
from itertools import chain
from typing import Any
from zoneinfo import ZoneInfo

import bson
import pytest
from jsonschema import Draft202012Validator
from pydantic import TypeAdapter, ValidationError

from schemas.base import LARGEST, Command, Message, Moment, read_message
from schemas.envelope import Unreadable, attributes, decode, encode
from schemas.gate.samples import AT, example
from schemas.topics import TOPICS

KINDS = sorted(
    set(chain.from_iterable(topic.types for topic in TOPICS.values())), key=lambda k: k.__name__
)
COMMANDS = [kind for kind in KINDS if issubclass(kind, Command)]

NEVER = [
    *("1e999", "-1e999", "NaN", "Infinity", "-Infinity", '"NaN"', '"inf"'),
    *("1" + "0" * 400, "-1" + "0" * 400, "1" + "0" * 4999, f'"1{"0" * 400}"'),
]
"""JSON of numbers that nothing holds."""

AT_THE_EDGE = [
    *("1e308", "-1e308", "5e-324", "-0.0", "0", "1.5", "1e19"),
    *(str(LARGEST), str(LARGEST + 1), str(-LARGEST - 1), str(-LARGEST - 2)),
]
"""JSON of numbers that some hold."""

MOMENTS = [
    *("0001-01-01T00:00:00+14:00", "0001-01-01T00:00:00Z", "0001-01-01T00:00:00-23:59"),
    *("9999-12-31T23:59:59.999999Z", "9999-12-31T23:59:59-14:00", "9999-12-31T23:59:59-23:59"),
    *("1969-12-31T23:59:59.999999Z", "2017-03-06T09:00:00.000001+00:00", "2017-03-06"),
]
STAMPS = ["-62135596800", "253402300799", "-1e11", "1e11", "1e300", "1e999"]

Place = tuple[str | int, ...]


def places(value: Any, wanted: Callable[[Any], bool], where: Place = ()) -> Iterator[Place]:
    """Where a document has a value that is wanted."""
    if wanted(value):
        yield where
    if isinstance(value, dict | list):
        inside = value.items() if isinstance(value, dict) else enumerate(value)
        for name, part in inside:
            yield from places(part, wanted, (*where, name))


def is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def is_moment(value: Any) -> bool:
    return isinstance(value, str) and value[4:5] == "-" and value[10:11] == "T"


def is_text(value: Any) -> bool:
    return isinstance(value, str)


def _at(value: Any, where: Place) -> Any:
    for part in where:
        value = value[part]
    return value


@cache
def sample(kind: type[Message]) -> Any:
    """A document of the kind, made of its examples."""
    return example(kind.model_json_schema())


def put(document: Any, where: Place, mark: Any) -> Any:
    """A copy of a document with something else at one place."""
    if not where:
        return mark
    copy = document.copy()
    copy[where[0]] = put(document[where[0]], where[1:], mark)
    return copy


def said(kind: type[Message], where: Place, text: str) -> bytes:
    """The JSON of a kind's example with this JSON at one place."""
    whole = sample(kind)
    return json.dumps(put(whole, where, "HERE")).replace('"HERE"', text).encode()


def holds(kind: type[Message], value: bytes) -> bool:
    """Whether a record is read; if it is, nothing that has to hold its message stumbles."""
    cohort = sample(kind)["cohort_id"]
    headers = [
        *(("ce_specversion", b"1.0"), ("ce_id", b"1"), ("ce_source", b"/x"), ("ce_subject", b"s")),
        *(("ce_time", b"2017-03-06T09:00:00Z"), ("ce_partitionkey", cohort.encode())),
        ("ce_type", f"fr.gouv.mentoring.{kind.__name__}.v{kind.version}".encode()),
    ]
    found = attributes(headers)
    try:
        message = decode(found, value)
    except Unreadable as error:
        assert error.reason in ("bad-data", "bad-json"), error
        return False
    written = encode(message, "t", 0, id="1", source="/x", time=AT)
    assert decode(found, written.value) == message, "the same after JSON"
    stored = bson.decode(bson.encode(message.model_dump()), options())
    assert kind.model_validate(stored) == message, "the same after BSON"
    return True


def options() -> Any:
    return bson.CodecOptions(tz_aware=True, tzinfo=UTC)


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.__name__)
def test_no_number_of_a_message_is_more_than_anything_can_hold(kind: type[Message]) -> None:
    whole = sample(kind)
    for where in places(whole, is_number):
        assert holds(kind, said(kind, where, json.dumps(_at(whole, where))))
        for text in NEVER:
            assert not holds(kind, said(kind, where, text)), (where, text[:20])
        for text in AT_THE_EDGE:
            holds(kind, said(kind, where, text))


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.__name__)
def test_no_moment_of_a_message_leaves_the_calendar(kind: type[Message]) -> None:
    for where in places(sample(kind), is_moment):
        for text in (*map(json.dumps, MOMENTS), *STAMPS):
            holds(kind, said(kind, where, text))


ZONES = [ZoneInfo("Europe/Paris"), ZoneInfo("Pacific/Kiritimati"), timezone(timedelta(hours=-12))]


@pytest.mark.parametrize("text", MOMENTS)
def test_a_moment_that_is_taken_can_be_told_anywhere(text: str) -> None:
    try:
        moment = TypeAdapter(Moment).validate_python(text)
    except ValidationError as error:
        assert "years 2 to 9998" in str(error) or "timezone" in str(error)
        return
    for zone in ZONES:
        local = moment.astimezone(zone)
        for days in (-300, 300):
            assert datetime.fromisoformat((local + timedelta(days=days)).isoformat())


WRONG = ['"\\ud800"', '"a\\ud800b"', '"' + "x" * 100_000 + '"', "[" * 5000, '{"a":' * 300 + "1"]


@pytest.mark.parametrize("kind", COMMANDS, ids=lambda kind: kind.__name__)
def test_no_text_of_a_command_is_endless_or_half_a_sign(kind: type[Message]) -> None:
    for where in places(sample(kind), is_text):
        for text in WRONG:
            assert not holds(kind, said(kind, where, text)), (where, text[:20])


@pytest.mark.parametrize("kind", COMMANDS, ids=lambda kind: kind.__name__)
def test_no_list_and_no_table_of_a_command_is_endless(kind: type[Message]) -> None:
    whole = sample(kind)
    for name, part in whole.items():
        if isinstance(part, list):
            assert not holds(kind, said(kind, (name,), json.dumps(part * 2000)))
    tables = [n for n, part in whole.items() if isinstance(part, dict) and n != "policy"]
    for name in tables:
        level = next(iter(whole[name].values()))
        many = {f"tool-{n}": level for n in range(2000)}
        assert not holds(kind, said(kind, (name,), json.dumps(many)))
        assert not holds(kind, said(kind, (name,), json.dumps({"x" * 5000: level})))


def test_a_policy_has_bounds_where_it_is_asked_for_and_keeps_those_it_was_opened_with() -> None:
    from schemas.matching import CohortOpened, OpenCohort  # noqa: PLC0415

    for policy in (
        {"weights": {"coverage": 1e9}},
        {"rollout": {"pairs_graduated": 10**9}},
        {"languages": ["fr", "fr"]},
    ):
        given = {"cohort_id": "c", "name": "x", "policy": policy}
        with pytest.raises(ValidationError):
            OpenCohort.model_validate(given)
        assert CohortOpened.model_validate(given).policy.model_dump(exclude_unset=True)


TABLES = {"skills", "needs", "scores", "sums", "positions", "seen", "facts"}


def values(whole: Any) -> list[Place]:
    """Where a document has fields that are named: itself, and the values in it."""
    found = places(whole, lambda value: isinstance(value, dict))
    return [where for where in found if not TABLES & set(where)]


@pytest.mark.parametrize("kind", COMMANDS, ids=lambda kind: kind.__name__)
def test_a_command_with_a_field_that_nobody_knows_is_refused_at_every_depth(
    kind: type[Message],
) -> None:
    whole = sample(kind)
    for where in values(whole):
        given = put(whole, where, {**_at(whole, where), "smallest_grp": 50})
        with pytest.raises(ValidationError) as caught:
            read_message(kind, json.dumps(given))
        assert caught.value.errors()[0]["loc"] == (*where, "smallest_grp")


LIKE_IT = [
    *(
        "3",
        '"3"',
        "3.5",
        '"3.5"',
        "0",
        "1",
        "true",
        "false",
        '"true"',
        '"no"',
        "null",
        "1488790800",
    ),
    *('"1488790800"', "[]", "{}", '""', '"x"', '["x"]', '{"x": 1}', '[["x", 1]]'),
]
"""JSON of every kind, some of which looks like another."""


@pytest.mark.parametrize("kind", COMMANDS, ids=lambda kind: kind.__name__)
def test_a_command_takes_nothing_that_its_schema_refuses(kind: type[Message]) -> None:
    schema = Draft202012Validator(kind.model_json_schema())
    whole = sample(kind)
    assert holds(kind, json.dumps(whole).encode())
    for where in places(whole, lambda _: True):
        if where == ("cohort_id",):  # which a header says, too
            continue
        for text in LIKE_IT:
            value = said(kind, where, text)
            if holds(kind, value):
                assert schema.is_valid(json.loads(value)), (where, text)


@pytest.mark.parametrize("kind", COMMANDS, ids=lambda kind: kind.__name__)
def test_a_whole_number_of_a_command_may_be_written_with_a_point(kind: type[Message]) -> None:
    for where in places(sample(kind), lambda value: type(value) is int):
        number = _at(sample(kind), where)
        assert holds(kind, said(kind, where, f"{number}.0"))


@pytest.mark.parametrize(
    "kind", [k for k in KINDS if k not in COMMANDS], ids=lambda kind: kind.__name__
)
def test_an_event_of_a_newer_writer_is_read_at_every_depth(kind: type[Message]) -> None:
    whole = sample(kind)
    for where in values(whole):
        given = put(whole, where, {**_at(whole, where), "smallest_grp": 50})
        kind.model_validate(given)
