"""What differs between two JSON Schemas of one message so that a reader would stumble, by field.

Pure. Knows the part of JSON Schema that the catalogue uses; what it does not know counts as a
break as soon as it differs. Titles of fields and examples may change freely; what descriptions
mean is for `wording`.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

Schema = dict[str, Any]

_FREE = {"description", "examples", "title", "$schema", "$defs", "$comment", "deprecated"}
_LOWER = {"minimum", "exclusiveMinimum", "minLength", "minItems", "minProperties"}
_UPPER = {"maximum", "exclusiveMaximum", "maxLength", "maxItems", "maxProperties"}
_WALKED = {
    *("$ref", "$id", "type", "enum", "const", "anyOf", "oneOf", "default"),
    *("properties", "required", "additionalProperties", "patternProperties", "propertyNames"),
    *("items", "prefixItems"),
}
_NULL: Schema = {"type": "null"}


OLD_AND_NEW = "subscribers read the new form, and the old one in what was written before"
EXPECT = "subscribers expect it, and records without it that were written before"


@dataclass(frozen=True, slots=True)
class Difference:
    """What broke, and where: `PairProposed.reasons.0.value` (0: of an array; *: of a map).

    `subscribers`: what those have to do who read it.
    """

    field: str
    what: str
    subscribers: str = OLD_AND_NEW


def differences(name: str, old: Schema, new: Schema, *, one_way: bool) -> Iterator[Difference]:
    """What would break, from the top of a message down.

    Both ways: older readers read what is written now, and newer ones what was written before.
    `one_way`: only the latter.
    """
    for key in ("$id", "title"):
        if old.get(key) != new.get(key):
            what = f"{key} became {new.get(key)!r}, it was {old.get(key)!r}"
            yield Difference(name, what, "subscribers know it by its new name too")
    yield from _Walk(old, new, one_way).part(name, old, new)


@dataclass(frozen=True, slots=True)
class _Walk:
    """Two schemas side by side."""

    old: Schema
    new: Schema
    one_way: bool

    def part(self, at: str, old: Schema, new: Schema) -> Iterator[Difference]:
        """The differences below one place."""
        kept = "default" not in old or _extends(old["default"], new.get("default", ...))
        if not kept and not self.one_way:
            others = "subscribers fill in the new default, and the old one where it was written"
            yield Difference(at, "has another default, so older records would change", others)
        before, after = _branches(self.old, old), _branches(self.new, new)
        if _NULL in after and _NULL not in before and not self.one_way:
            yield Difference(at, "may be null now", "subscribers expect null")
        if _NULL in before and _NULL not in after:
            others = "subscribers go on expecting null in what was written before"
            yield Difference(at, "may not be null any more", others)
        before = [branch for branch in before if branch != _NULL]
        after = [branch for branch in after if branch != _NULL]
        if len(before) != len(after):
            yield Difference(at, f"has {len(after)} alternatives, it had {len(before)}")
        for one, other in zip(before, after, strict=False):
            yield from self._branch(at, one, other)

    def _branch(self, at: str, old: Schema, new: Schema) -> Iterator[Difference]:
        if types := list(self._type(at, old, new)):
            yield from types
            return
        yield from self._enum(at, old, new)
        yield from self._limits(at, old, new)
        yield from self._object(at, old, new)
        yield from self._array(at, old, new)
        known = _FREE | _LOWER | _UPPER | _WALKED
        for key in sorted((old.keys() | new.keys()) - known):
            if old.get(key) != new.get(key):
                yield Difference(at, f"{key} became {new.get(key)!r}, it was {old.get(key)!r}")

    def _type(self, at: str, old: Schema, new: Schema) -> Iterator[Difference]:
        was, now = old.get("type"), new.get("type")
        widened = (was, now) == ("integer", "number") or now is None
        if was != now and not (widened and self.one_way):
            yield Difference(at, f"is of type {now or 'any'}, it was {was or 'any'}")

    def _enum(self, at: str, old: Schema, new: Schema) -> Iterator[Difference]:
        was, now = _values(old), _values(new)
        if was is None and now is None:
            return
        if was is None or now is None:
            if was is None or not self.one_way:
                yield Difference(at, "has a list of values" if now else "has no list of values")
            return
        for value in was:
            if value not in now:
                others = "subscribers go on expecting it in what was written before"
                yield Difference(at, f"cannot be {value!r} any more", others)
        for value in now:
            if value not in was and not self.one_way:
                others = "subscribers who took the list for complete expect one more"
                yield Difference(at, f"can be {value!r} now", others)

    def _limits(self, at: str, old: Schema, new: Schema) -> Iterator[Difference]:
        for key in sorted(_LOWER | _UPPER):
            was, now = old.get(key), new.get(key)
            if was == now:
                continue
            higher = was is not None and now is not None and now > was
            narrower = was is None or (now is not None and higher == (key in _LOWER))
            if narrower or not self.one_way:
                how = "narrower" if narrower else "wider"
                others = (
                    "subscribers go on expecting what was written within the old limit"
                    if narrower
                    else "subscribers make room for what is beyond the old limit"
                )
                yield Difference(at, f"{key} is {now}, it was {was}: {how}", others)

    def _object(self, at: str, old: Schema, new: Schema) -> Iterator[Difference]:
        was, now = old.get("properties", {}), new.get("properties", {})
        needed, needs = set(old.get("required", ())), set(new.get("required", ()))
        added = {name: now[name] for name in now if name not in was}
        for name, field in was.items():
            if name not in now:
                twin = next((n for n, f in added.items() if _bare(f) == _bare(field)), None)
                what = "is gone" if twin is None else f"is gone, or is called {twin} now"
                others = (
                    "subscribers do without it"
                    if twin is None
                    else f"subscribers read {twin}, and {name} in what was written before"
                )
                yield Difference(f"{at}.{name}", what, others)
                continue
            yield from self.part(f"{at}.{name}", field, now[name])
            if name in needs - needed:
                what = "is required now; older records may lack it"
                yield Difference(f"{at}.{name}", what, EXPECT)
            if name in needed - needs and not self.one_way:
                what = "may be absent now; older readers need it"
                yield Difference(f"{at}.{name}", what, "subscribers expect records without it")
        for name in added:
            if name in needs:
                yield Difference(f"{at}.{name}", "is new and required; give it a default", EXPECT)
            elif old.get("additionalProperties") is False and not self.one_way:
                what = "is new, and older readers refuse what is new"
                yield Difference(f"{at}.{name}", what, "readers take it before it is written")
        yield from self._others(at, old, new)

    def _others(self, at: str, old: Schema, new: Schema) -> Iterator[Difference]:
        """Fields that have no name in the schema."""
        was, now = old.get("additionalProperties", True), new.get("additionalProperties", True)
        if isinstance(was, dict) and isinstance(now, dict):
            yield from self.part(f"{at}.*", was, now)
        elif was != now and not (was is False or (self.one_way and now is True)):
            yield Difference(at, f"allows other fields: {_allows(now)}, it was: {_allows(was)}")
        shapes, shapes_now = old.get("patternProperties", {}), new.get("patternProperties", {})
        if shapes.keys() != shapes_now.keys():
            what = f"has fields like {sorted(shapes_now)}, it had {sorted(shapes)}"
            yield Difference(f"{at}.*", what)
        for shape in shapes.keys() & shapes_now.keys():
            yield from self.part(f"{at}.*", shapes[shape], shapes_now[shape])
        keys, keys_now = old.get("propertyNames", {}), new.get("propertyNames", {})
        if keys or keys_now:
            yield from self.part(f"{at}.*", keys, keys_now)

    def _array(self, at: str, old: Schema, new: Schema) -> Iterator[Difference]:
        was, now = old.get("prefixItems", []), new.get("prefixItems", [])
        if len(was) != len(now):
            yield Difference(at, f"has {len(now)} places, it had {len(was)}")
        for place, (one, other) in enumerate(zip(was, now, strict=False)):
            yield from self.part(f"{at}.{place}", one, other)
        if "items" in old and "items" in new:
            yield from self.part(f"{at}.0", _dict(old["items"]), _dict(new["items"]))
        elif ("items" in old) != ("items" in new):
            yield Difference(at, "says otherwise what it is a list of")


def _resolved(root: Schema, part: Schema) -> Schema:
    """What a reference leads to, with what stands beside it."""
    while "$ref" in part:
        target = root["$defs"][str(part["$ref"]).rpartition("/")[2]]
        part = {**target, **{key: value for key, value in part.items() if key != "$ref"}}
    return part


def _branches(root: Schema, part: Schema) -> list[Schema]:
    part = _resolved(root, part)
    alternatives = part.get("anyOf", part.get("oneOf"))
    if alternatives is None:
        return [part]
    return [branch for one in alternatives for branch in _branches(root, one)]


def _values(part: Schema) -> list[Any] | None:
    if "const" in part:
        return [part["const"]]
    return list(part["enum"]) if "enum" in part else None


def _extends(old: Any, new: Any) -> bool:
    """Whether a default is the same, but for fields that are new."""
    if isinstance(old, dict) and isinstance(new, dict):
        return all(name in new and _extends(value, new[name]) for name, value in old.items())
    return bool(old == new)


def _bare(field: Schema) -> Schema:
    return {key: value for key, value in field.items() if key not in _FREE}


def _allows(others: Any) -> str:
    return {True: "any", False: "none"}.get(others, "some") if isinstance(others, bool) else "some"


def _dict(items: Any) -> Schema:
    return items if isinstance(items, dict) else {}
