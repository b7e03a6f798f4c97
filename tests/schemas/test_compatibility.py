"""A change that breaks a reader does not pass the gate, and the gate names the field."""

import copy
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, ClassVar

import pytest

from schemas.base import Event
from schemas.gate import generate
from schemas.gate.compatibility import (
    RELEASED,
    Language,
    check,
    compare,
    release,
    released,
    same_documents,
    schema_of,
)
from schemas.gate.differences import Schema
from schemas.topics import TYPES
from schemas.upcasting import UPCASTS, Upcast

TODAY = Language.of_today()
PUBLIC = sorted(TODAY.public)
COMMANDS = sorted(TODAY.one_way)

# Mutations: every field of every public event, broken in every way that it can be


@dataclass(frozen=True)
class Mutant:
    """A changed schema, what was done to it, and the field that has to be named."""

    what: str
    field: str
    schema: Schema


Steps = Sequence[str | int]


def at(schema: Schema, steps: Steps) -> Any:
    part: Any = schema
    for step in steps:
        part = part[step]
    return part


def objects(schema: Schema, name: str) -> Iterator[tuple[str, Steps]]:
    """Every object of a message that has fields: its path, and where it is in the schema."""
    met: set[tuple[str | int, ...]] = set()

    def below(path: str, steps: Steps) -> Iterator[tuple[str, Steps]]:
        part = at(schema, steps)
        if "$ref" in part:
            steps = ("$defs", part["$ref"].rpartition("/")[2])
            part = at(schema, steps)
        if tuple(steps) in met:
            return
        met.add(tuple(steps))
        if "properties" in part:
            yield path, steps
            for field in part["properties"]:
                yield from below(f"{path}.{field}", (*steps, "properties", field))
        for number in range(len(part.get("anyOf", ()))):
            yield from below(path, (*steps, "anyOf", number))
        if "items" in part:
            yield from below(f"{path}.0", (*steps, "items"))

    yield from below(name, ())


def changed(schema: Schema, steps: Steps, **changes: Any) -> Schema:
    """The schema with other keywords at a place."""
    other = copy.deepcopy(schema)
    at(other, steps).update(changes)
    return other


def fields_broken(schema: Schema, path: str, steps: Steps) -> Iterator[Mutant]:
    """Fields dropped, renamed, asked for, or no longer given."""
    part = at(schema, steps)
    fields, needed = part["properties"], part.get("required", [])
    for field in fields:
        rest = {name: value for name, value in fields.items() if name != field}
        without = [name for name in needed if name != field]
        where = f"{path}.{field}"
        yield Mutant("drop", where, changed(schema, steps, properties=rest, required=without))
        renamed = {**rest, f"{field}_2": fields[field]}
        again = [*without, f"{field}_2"] if field in needed else without
        yield Mutant("rename", where, changed(schema, steps, properties=renamed, required=again))
        if field in needed:
            yield Mutant("leave out", where, changed(schema, steps, required=without))
        else:
            yield Mutant("require", where, changed(schema, steps, required=[*needed, field]))
    new = {**fields, "brand_new": {"type": "string"}}
    required = [*needed, "brand_new"]
    yield Mutant(
        "require a new one",
        f"{path}.brand_new",
        changed(schema, steps, properties=new, required=required),
    )


LIMITS = {
    **{"minimum": 1, "minLength": 1, "minItems": 1, "minProperties": 1},
    **{"maximum": -1, "maxLength": -1, "maxItems": -1, "maxProperties": -1},
}


def values_broken(schema: Schema, path: str, steps: Steps) -> Iterator[Mutant]:
    """Types changed, limits narrowed, values renamed or taken away, nulls let in."""
    for field in at(schema, steps)["properties"]:
        here = (*steps, "properties", field)
        where, part = f"{path}.{field}", at(schema, here)
        if isinstance(kind := part.get("type"), str):
            other = "boolean" if kind != "boolean" else "string"
            yield Mutant("retype", where, changed(schema, here, type=other))
            null = {"anyOf": [part, {"type": "null"}]}
            fields = {**at(schema, steps)["properties"], field: null}
            yield Mutant("let null in", where, changed(schema, steps, properties=fields))
        for key, step in LIMITS.items():
            if key in part:
                narrower = {key: part[key] + step}
                yield Mutant(f"narrow {key}", where, changed(schema, here, **narrower))
                wider = {key: part[key] - step}
                yield Mutant(f"widen {key}", where, changed(schema, here, **wider))
        if "pattern" in part:
            yield Mutant("narrow the pattern", where, changed(schema, here, pattern="^x$"))
        if "enum" in part:
            first, *others = part["enum"]
            yield Mutant("take a value", where, changed(schema, here, enum=others))
            renamed = [f"{first}-2", *others]
            yield Mutant("rename a value", where, changed(schema, here, enum=renamed))
            more = [*part["enum"], "one-more"]
            yield Mutant("add a value", where, changed(schema, here, enum=more))
        if "default" in part and not isinstance(part["default"], dict):
            yield Mutant("change the default", where, changed(schema, here, default="other"))


def mutants(name: str) -> list[Mutant]:
    schema = schema_of(TYPES[name])
    return [
        mutant
        for path, steps in objects(schema, name)
        for mutant in (*fields_broken(schema, path, steps), *values_broken(schema, path, steps))
    ]


def additions(name: str) -> list[Mutant]:
    """What may change: fields with a default anywhere, and every word that is for people."""
    schema = schema_of(TYPES[name])
    found = []
    for path, steps in objects(schema, name):
        fields = at(schema, steps)["properties"]
        new = {**fields, "brand_new": {"type": "integer", "minimum": 0, "default": 0}}
        found.append(Mutant("add", path, changed(schema, steps, properties=new)))
        told = {n: {**f, "description": "Said better.", "examples": []} for n, f in fields.items()}
        found.append(Mutant("describe", path, changed(schema, steps, properties=told)))
    return found


def test_there_are_many_mutants_of_every_kind() -> None:
    found = [mutant for name in PUBLIC for mutant in mutants(name)]
    kinds = {mutant.what.partition(" m")[0] for mutant in found}
    assert len(found) > 500
    assert kinds >= {"drop", "rename", "require", "retype", "narrow", "rename a value"}


@pytest.mark.parametrize("name", PUBLIC)
def test_a_broken_field_is_found_and_named(name: str) -> None:
    old = schema_of(TYPES[name])
    for mutant in mutants(name):
        named = [found.field for found in compare(name, old, mutant.schema, one_way=False)]
        assert mutant.field in named, f"{mutant.what} {mutant.field}: {named}"


@pytest.mark.parametrize("name", PUBLIC)
def test_an_addition_passes(name: str) -> None:
    old = schema_of(TYPES[name])
    for mutant in additions(name):
        found = compare(name, old, mutant.schema, one_way=False)
        assert not found, f"{mutant.what} {mutant.field}"


READERS_ONLY = ("widen", "add a value", "leave out", "let null in", "change the default")


@pytest.mark.parametrize("name", COMMANDS)
def test_of_a_command_only_what_older_senders_send_has_to_be_read(name: str) -> None:
    old = schema_of(TYPES[name])
    for mutant in mutants(name):
        named = {found.field for found in compare(name, old, mutant.schema, one_way=True)}
        if mutant.what.startswith(READERS_ONLY):
            assert not named, f"{mutant.what} {mutant.field}"
        else:
            assert mutant.field in named, f"{mutant.what} {mutant.field}"
    for mutant in additions(name):
        assert not compare(name, old, mutant.schema, one_way=True)


def test_a_message_whose_readers_refuse_unknown_fields_cannot_have_new_ones() -> None:
    add = additions("PersonContact")[0].schema
    (found,) = compare("PersonContact", schema_of(TYPES["PersonContact"]), add, one_way=False)
    assert found.field == "PersonContact.brand_new"


def test_what_is_inside_a_list_a_map_or_a_choice_is_named_by_its_path() -> None:
    def of(part: Schema) -> Schema:
        return {"type": "object", "properties": {"a": part}}

    small, large = {"type": "integer", "maximum": 4}, {"type": "integer", "maximum": 5}
    null = {"type": "null"}
    for path, old, new in (
        ("T.a.0", {"type": "array", "items": large}, {"type": "array", "items": small}),
        ("T.a.*", {"additionalProperties": large}, {"additionalProperties": small}),
        ("T.a.*", {"patternProperties": {"^x": large}}, {"patternProperties": {"^x": small}}),
        ("T.a.*", {"patternProperties": {"^x": large}}, {"patternProperties": {"^y": large}}),
        ("T.a.1", {"prefixItems": [small, large]}, {"prefixItems": [small, small]}),
        ("T.a", {"prefixItems": [small, large]}, {"prefixItems": [small]}),
        ("T.a", {"anyOf": [large, null]}, {"anyOf": [small, null]}),
        ("T.a", {"anyOf": [large, null]}, large),
        ("T.a", {"type": "string", "format": "date"}, {"type": "string", "format": "time"}),
        ("T.a", {"additionalProperties": True}, {"additionalProperties": False}),
        ("T.a", {"multipleOf": 2}, {"multipleOf": 3}),
    ):
        for one_way in (False, True):
            found = compare("T", of(old), of(new), one_way=one_way)
            assert [one.field for one in found] == [path], (old, new)


OPTIONAL = (
    "PairProposed.chosen_because",
    "PairProposed.first_tools",
    "PairProposed.manager_profile",
    "PairProposed.manager_profile.job_family",
    "PairProposed.mentor_profile",
    "PairProposed.mentor_profile.job_family",
    "PairProposed.reasons.0.words",
    "PairProposed.reporting_line",
)


def test_the_second_judge_finds_what_is_dropped_required_or_narrowed_too() -> None:
    old = schema_of(TYPES["PairProposed"])
    for mutant in mutants("PairProposed"):
        if mutant.what in ("drop", "require a new one", "retype", "take a value", "add a value"):
            # A field that may be absent anyway can go, as far as it is concerned.
            optional = mutant.what == "drop" and mutant.field in OPTIONAL
            assert same_documents(old, mutant.schema, one_way=False) is optional, mutant
    for mutant in additions("PairProposed"):
        assert same_documents(old, mutant.schema, one_way=False)


# The whole language against what was released


def test_todays_schemas_break_nothing_that_was_released() -> None:
    assert check(released()) == []


def test_every_type_of_today_has_been_released() -> None:
    assert set(TYPES) <= set(released()), "run: connecte schemas release"


def test_a_type_that_is_new_passes() -> None:
    versions = released()
    del versions["PairFormed"]
    assert check(versions) == []


def test_a_type_or_a_version_that_is_gone_is_found() -> None:
    versions = released()
    versions["PairForgotten"] = {1: {}}
    versions["PairFormed"][2] = versions["PairFormed"][1]
    found = {finding.field: finding.what for finding in check(versions)}
    assert found == {
        "PairForgotten": "was published and is gone",
        "PairFormed": "v2 was published, and today's is v1",
    }


def test_another_id_is_found() -> None:
    versions = released()
    versions["PairFormed"][1]["$id"] = "urn:elsewhere:PairFormed:1"
    (found,) = check(versions)
    assert found.field == "PairFormed"
    assert "urn:elsewhere" in found.what


def test_release_writes_what_changed_and_nothing_else(tmp_path: Path) -> None:
    file = tmp_path / "released.json"
    assert len(release(file)) == len(TYPES)
    whole = file.read_text()
    assert release(file) == []
    document = json.loads(whole)
    document["PairFormed"]["1"]["description"] = "Said worse."
    file.write_text(json.dumps(document))
    assert release(file) == ["PairFormed.v1"]
    assert file.read_text() == whole


def test_what_was_released_of_types_that_are_gone_and_of_older_versions_stays(
    tmp_path: Path,
) -> None:
    file = tmp_path / "released.json"
    old = {"PairForgotten": {"1": {"title": "PairForgotten"}}, "PairFormed": {"0": {"title": "x"}}}
    file.write_text(json.dumps(old))
    release(file)
    versions = released(file)
    assert versions["PairForgotten"] == {1: {"title": "PairForgotten"}}
    assert sorted(versions["PairFormed"]) == [0, 1]


def test_the_file_of_releases_is_as_release_writes_it() -> None:
    text = RELEASED.read_text(encoding="utf-8")
    assert generate.text(json.loads(text)) == text


def test_a_catalogue_of_another_day_is_what_was_released_too() -> None:
    versions = released(generate.CATALOGUE)
    assert {name: max(known) for name, known in versions.items()} == {
        name: kind.version for name, kind in TYPES.items()
    }
    # It has the newest version of each type alone.
    assert {(found.field, found.what) for found in check(versions)} == {
        (name, f"v{older} is not among the released schemas")
        for name, kind in TYPES.items()
        for older in range(1, kind.version)
    }


# A second version


class LampLit(Event):
    """A lamp was lit."""

    version: ClassVar[int] = 2
    subject_field: ClassVar[str] = "lamp"
    lamp: str
    watts: int


FIRST: Schema = {
    "title": "LampLit",
    "type": "object",
    "properties": {
        "cohort_id": {"type": "string", "examples": ["c"]},
        "lamp": {"type": "string", "examples": ["hall"]},
        "power": {"type": "string", "examples": ["40 W"]},
    },
    "required": ["cohort_id", "lamp", "power"],
}
LAMPS = Language({"LampLit": LampLit}, frozenset(), frozenset({"LampLit"}))


def lamp_findings(versions: dict[int, Schema]) -> list[str]:
    return [finding.what for finding in check({"LampLit": versions}, LAMPS)]


def test_a_new_version_needs_the_old_schema_and_a_way_from_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    assert lamp_findings({}) == ["v1 is not among the released schemas", "v1 cannot be read"]
    assert lamp_findings({1: FIRST}) == ["v1 cannot be read"]

    step = Upcast(lambda old: {**old, "watts": int(old["power"].removesuffix(" W"))})
    monkeypatch.setitem(UPCASTS, ("LampLit", 1), step)
    assert lamp_findings({1: FIRST}) == ["v1 would end without notice"]

    private = replace(LAMPS, public=frozenset())
    assert check({"LampLit": {1: FIRST}}, private) == []


def test_an_upcast_that_does_not_give_todays_message_is_found(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    private = replace(LAMPS, public=frozenset())
    for step in (Upcast(dict), Upcast(lambda old: {"watts": old["volts"]})):
        monkeypatch.setitem(UPCASTS, ("LampLit", 1), step)
        (found,) = check({"LampLit": {1: FIRST}}, private)
        assert "the example of v1 cannot be read" in found.what
