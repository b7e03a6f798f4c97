"""What a description means: the unit, the zone and the reference of a figure stand nowhere else.

Pure. A machine cannot tell a typo from another meaning, so it does not try: the words that were
published stay, in their order, and between them may come others, none of which is of a unit, a
zone, a reference or a limit. Whatever else is changed needs somebody's word (`agreed.toml`).

What it cannot catch: a word that is put in and says something else, and is not on the list here.
"""

import re
from collections.abc import Iterator
from typing import Any

from schemas.gate.differences import Schema
from schemas.gate.findings import Finding

WEIGHTY = {
    *("millisecond", "milliseconds", "ms", "second", "seconds", "minute", "minutes"),
    *("hour", "hours", "day", "days", "week", "weeks", "month", "months", "year", "years"),
    *("percent", "percentage", "share", "ratio", "fraction", "rate", "cents", "euro", "euros"),
    *("dozen", "dozens", "hundred", "hundreds", "thousand", "thousands", "million"),
    *("byte", "bytes", "character", "characters"),
    *("utc", "gmt", "cet", "cest", "local", "paris", "zone", "timezone", "offset"),
    *("midnight", "noon", "working", "calendar"),
    *("since", "until", "till", "before", "after", "from", "per", "start", "starts", "end", "ends"),
    *("first", "last", "previous", "next", "latest", "earliest", "begin", "begins", "beginning"),
    *("inclusive", "exclusive", "included", "excluded", "including", "excluding"),
    *("above", "below", "least", "most", "maximum", "minimum", "only", "all", "every"),
    *("average", "mean", "median", "total", "sum", "zero", "none", "without", "except"),
    *("not", "no", "never", "nor", "unless", "instead", "reverse", "opposite", "negative"),
}
"""Words that make a figure another one."""

_WORD = re.compile(r"[\w%’'/~.-]*[\w%]")


def words(text: str) -> list[str]:
    """The words of a text, in small letters, with the figures."""
    return [word.lower() for word in _WORD.findall(text)]


def is_said_still(was: str, now: str) -> bool:
    """Whether every word of before stands, in its order, and none of weight came between."""
    before, kept = words(was), 0
    added: set[str] = set()
    for word in words(now):
        if kept < len(before) and word == before[kept]:
            kept += 1
        else:
            added.add(word)
    heavy = {word for word in added if word in WEIGHTY or re.search(r"[\d%]", word)}
    return kept == len(before) and not heavy - (set(before) - _TURNING)


_TURNING = frozenset({"not", "no", "never", "nor", "unless", "except", "without", "instead"})
"""Said twice, they say something else."""


def told(name: str, schema: Schema) -> Iterator[tuple[str, str]]:
    """Every description of a schema, with its place: `PairProposed.reasons.0.value`."""
    if text := schema.get("description"):
        yield name, text
    for field, part in schema.get("properties", {}).items():
        yield from told(f"{name}.{field}", part)
    for kind, part in schema.get("$defs", {}).items():
        yield from told(f"{name}.{kind}", part)
    for number, part in enumerate((*schema.get("anyOf", ()), *schema.get("oneOf", ()))):
        yield from told(f"{name}.{number}", part)
    for number, part in enumerate(schema.get("prefixItems", ())):
        yield from told(f"{name}.{number}", part)
    for key, sign in (("items", "0"), ("additionalProperties", "*"), ("propertyNames", "*.name")):
        if isinstance(part := schema.get(key), dict):
            yield from told(f"{name}.{sign}", part)


def reworded(
    name: str, old: dict[str, Any], new: dict[str, Any], otherwise: str
) -> Iterator[Finding]:
    """What is told in words that may mean something else. `otherwise`: what to do if they do."""
    now = dict(told(name, new))
    fields = set(told_fields(name, new))
    for place, was in told(name, old):
        if place not in fields:
            continue  # the field is gone, which is told already
        yield from rephrased(place, was, now.get(place, ""), otherwise)


def told_fields(name: str, schema: Schema) -> Iterator[str]:
    """Every place of a schema that could have a description."""
    filled = _filled(schema)
    yield from (place for place, _ in told(name, filled))


def _filled(part: Any) -> Any:
    """A schema in which every part has a description."""
    if isinstance(part, list):
        return [_filled(one) for one in part]
    if not isinstance(part, dict):
        return part
    filled = {
        key: {name: _filled(one) for name, one in value.items()}
        if key in ("properties", "$defs")
        else _filled(value)
        for key, value in part.items()
        if key not in ("examples", "default")
    }
    return filled | {"description": "-"}


def rephrased(place: str, was: str, now: str, otherwise: str) -> Iterator[Finding]:
    """The finding where a text may mean something else."""
    if is_said_still(was, now):
        return
    what = (
        f"is said to be {_short(now)}, it was {_short(was)}" if now else "is not described any more"
    )
    yield Finding(
        place,
        what,
        f"if it means the same, say so in schemas/agreed.toml; if not, {otherwise}",
        "whoever reads it asks whether it means what it meant",
        was,
        now,
    )


def _short(text: str) -> str:
    flat = " ".join(text.split())
    return f"“{flat}”" if len(flat) <= 120 else f"“{flat[:117]}…”"
