"""Documents at and beyond every bound of a message type, told from its JSON Schema.

Always holds: what is drawn is text that claims to be JSON: what no JSON says (`1e999` where a
number is meant, half a sign, a thousand brackets) stands in it as a sender would write it.
"""

import json
from collections.abc import Iterator
from functools import cache
from typing import Any, NamedTuple

from hypothesis import strategies as st

from schemas.base import LARGEST, Message
from schemas.gate.samples import example

Place = tuple[str | int, ...]
Schema = dict[str, Any]

NUMBERS = (
    *("0", "-0.0", "1", "-1", "0.5", "5e-324", "1e308", "-1e308", "1e999", "-1e999", "NaN"),
    *("Infinity", "-Infinity", "1" + "0" * 400, "-1" + "0" * 400, "9" * 5000, "1e19", "1E2"),
    *(str(LARGEST), str(LARGEST + 1), str(-LARGEST - 1), str(-LARGEST - 2), "1.0", '"1"', "true"),
)
SIGNS = (
    *(
        "",
        " ",
        "\0",
        "\ud800",
        "a\udc00b",
        "\ufeff",
        "\u202e",
        "\u2028",
        "\x85",
        "e\u0301",
        "\u00a0",
    ),
    *("\U0001f600", "\U000e0041", "\ufdfa", "$where", "a.b", "~", "/", "\r\nBcc: x@y.example"),
    *(
        "x" * 100_000,
        "\U0001f600" * 20_000,
        "é" * 64,
        "{{ 7*7 }}",
        "%s%n",
        "'; --",
        "=?utf-8?q?=0A?=",
    ),
)
MOMENTS = (
    *("0001-01-01T00:00:00+14:00", "0001-01-01T00:00:00Z", "0002-01-01T00:00:00Z"),
    *("9998-12-31T23:59:59.999999Z", "9999-12-31T23:59:59-23:59", "9999-12-31T23:59:59.999999Z"),
    *("1969-12-31T23:59:59.999999Z", "2017-03-06", "2017-03-06T09:00:00", "2017-02-30T09:00:00Z"),
    *("2017-03-26T02:30:00+01:00", "2016-12-31T23:59:60Z", "+10000-01-01T00:00:00Z", "1e11"),
)
OTHERS = (
    *("null", "true", "[]", "{}", '""', "[[]]", '{"$gt": ""}', '{"": null}', "0", "nul", ""),
    *("[" * 500 + "]" * 500, "[" * 50_000, '{"a":' * 150 + "1" + "}" * 150, '{"a":' * 20_000),
)


class Spot(NamedTuple):
    """A place in a document, and what its schema says of it."""

    where: Place
    schema: Schema


def spots(schema: Schema, document: Any) -> Iterator[Spot]:
    """Every place of a document of a schema, the whole of it included."""
    return _spots(schema, schema.get("$defs", {}), document, ())


def _spots(part: Schema, shared: Schema, value: Any, where: Place) -> Iterator[Spot]:
    part = _resolved(part, shared)
    yield Spot(where, part)
    if isinstance(value, dict):
        for name, inside in value.items():
            yield from _spots(_field(part, name), shared, inside, (*where, name))
    elif isinstance(value, list):
        for place, inside in enumerate(value):
            yield from _spots(part.get("items", {}), shared, inside, (*where, place))


def _resolved(part: Schema, shared: Schema) -> Schema:
    while True:
        if "$ref" in part:
            part = {**shared[part["$ref"].rpartition("/")[2]], **_without(part, "$ref")}
        elif "anyOf" in part:
            part = {**part["anyOf"][0], **_without(part, "anyOf")}
        else:
            return part


def _without(part: Schema, name: str) -> Schema:
    return {key: value for key, value in part.items() if key != name}


def _field(part: Schema, name: str) -> Schema:
    if name in part.get("properties", {}):
        return dict(part["properties"][name])
    patterns = list(part.get("patternProperties", {}).values())
    more = patterns[0] if patterns else part.get("additionalProperties")
    return more if isinstance(more, dict) else {}


def edges(schema: Schema, value: Any) -> list[str]:
    """JSON texts at and beyond what a schema allows in the place of a value."""
    found: list[str] = []
    match schema.get("type"):
        case "integer" | "number":
            found += NUMBERS
            for name in ("minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum"):
                if name in schema:
                    found += [str(schema[name] + step) for step in (-1, -0.5, 0, 1)]
                    found.append(str(int(schema[name])))
        case "string":
            found += map(json.dumps, (*SIGNS, *schema.get("enum", ())))
            if schema.get("format") == "date-time":
                found += [*map(json.dumps, MOMENTS), "0", "-1e300", "253402300800"]
            for name in ("minLength", "maxLength"):
                sizes = [schema[name] + step for step in (-1, 0, 1)] if name in schema else []
                found += [json.dumps(sign * size) for size in sizes for sign in "xé\U0001f600"]
            found += [json.dumps(str(value) * 2), json.dumps(f"{value}\n"), json.dumps(f" {value}")]
        case "array":
            item = value[0] if isinstance(value, list) and value else 0
            sizes = {0, 2, schema.get("minItems", 1) - 1, schema.get("maxItems", 200), 5000}
            sizes |= {schema.get("maxItems", 200) + 1}
            found += [json.dumps([item] * size) for size in sizes]
        case "object":
            found += _tables(schema, value)
    return [*found, *OTHERS]


def _tables(schema: Schema, value: Any) -> Iterator[str]:
    given: dict[str, Any] = value if isinstance(value, dict) else {}
    for name in given:
        yield json.dumps(_without(given, name))
    for name in ("nobody_knows", "$set", "a.b", "", "\0", "\ud800", "__proto__", "x" * 2000):
        yield json.dumps({**given, name: 1})
    first = next(iter(given.values()), 1)
    for size in (0, schema.get("maxProperties", 40), schema.get("maxProperties", 40) + 1, 3000):
        yield json.dumps({f"t-{number}": first for number in range(size)})
    yield json.dumps(given)[:-1] + ', "cohort_id": "twice", "cohort_id": 1}'


ANY = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner),
    max_leaves=8,
).map(json.dumps)


@cache
def sample(kind: type[Message]) -> dict[str, Any]:
    """A document of the kind, made of its examples."""
    found: dict[str, Any] = example(kind.model_json_schema())
    return found


@cache
def _edged(kind: type[Message]) -> list[tuple[Place, list[str]]]:
    """Every place of a kind's documents, with the texts to put there."""
    whole = sample(kind)
    found = spots(kind.model_json_schema(), whole)
    return [(where, edges(part, _at(whole, where))) for where, part in found]


@st.composite
def documents(draw: st.DrawFn, kind: type[Message], known: dict[str, Any]) -> str:
    """A text of a kind with at most three places beyond all measure. `known`: fields as given."""
    whole: Any = sample(kind) | {n: value for n, value in known.items() if n in sample(kind)}
    marks: dict[Place, str] = {}
    for _ in range(draw(st.sampled_from([0, 1, 1, 1, 1, 2, 3]))):
        where, texts = draw(st.sampled_from(_edged(kind)))
        mark = draw(st.sampled_from(texts) | ANY)
        apart = all(w[: len(where)] != where[: len(w)] for w in marks)
        if apart and _has(whole, where):
            whole = put(whole, where, f"@@{len(marks)}@@")
            marks[where] = mark
    told = json.dumps(whole)
    for number, mark in enumerate(marks.values()):
        told = told.replace(f'"@@{number}@@"', mark)
    return told


def _has(value: Any, where: Place) -> bool:
    try:
        _at(value, where)
    except (KeyError, IndexError):  # what is known is less than what the example has
        return False
    return True


def _at(value: Any, where: Place) -> Any:
    for part in where:
        value = value[part]
    return value


def put(document: Any, where: Place, mark: Any) -> Any:
    """A copy of a document with something else at one place."""
    if not where:
        return mark
    copy = document.copy()
    copy[where[0]] = put(document[where[0]], where[1:], mark)
    return copy
