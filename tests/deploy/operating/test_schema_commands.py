"""`connecte schemas` holds changes against what was published, shows samples, fills a registry."""

import json
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from deploy.errors import OperationFailed
from deploy.operating.registry import publish, subjects
from schemas.envelope import attributes, decode
from schemas.gate.compatibility import RELEASED, release, released, schema_of
from schemas.gate.samples import NoExample, example, record
from schemas.topics import TOPICS, TYPES
from tests.deploy.operating.commands import connecte, connecte_here
from tests.deploy.operating.registry_server import Registry, served

# check and release


def spoil(versions: dict[str, dict[str, Any]], name: str, old: str, new: str) -> None:
    """As if the first version of a type had been released with something else in it."""
    text = json.dumps(versions[name]["1"])
    assert old in text
    versions[name]["1"] = json.loads(text.replace(old, new))


async def test_what_was_released_is_broken_by_nothing() -> None:
    done = await connecte("schemas", "check", "--json")
    assert (done.code, done.document["findings"]) == (0, []), done.err
    assert (await connecte("schemas", "check")).out.startswith("nothing breaks")


async def test_everything_that_would_break_is_a_line_with_the_fields_name(tmp_path: Path) -> None:
    """As if the released schemas had been what today's are not."""
    file = tmp_path / "released.json"
    file.write_text(RELEASED.read_text(encoding="utf-8"), encoding="utf-8")
    release(file)
    versions = json.loads(file.read_text())
    spoil(versions, "PairFormed", '"tools"', '"instruments"')
    spoil(versions, "PairProposed", '"maximum": 1,', '"maximum": 2,')
    spoil(versions, "SessionMissed", '"reported"', '"told"')
    spoil(versions, "AcceptProposal", '"pair_id", "by"', '"pair_id"')
    versions["PairForgotten"] = {"1": {}}
    file.write_text(json.dumps(versions))
    done = await connecte("schemas", "check", "--against", str(file))
    assert done.code == 1
    lines = done.out.splitlines()
    fields = [line.partition(": ")[0] for line in lines]
    assert fields == [
        "AcceptProposal.by",
        "PairForgotten",
        "PairFormed.instruments",
        "PairFormed.tools",
        "PairProposed.reasons.0.value",
        "SessionMissed.cause",
        "SessionMissed.cause",
    ]
    assert "publish PairFormed.v2, with an upcast from v1" in lines[2]
    machines = await connecte("schemas", "check", "--against", str(file), "--json")
    assert machines.code == 1
    assert [row["field"] for row in machines.document["findings"]] == fields
    assert "PairFormed.v1" in machines.document["unreleased"]


@pytest.mark.parametrize(
    "content", [None, "", "[]", "1", "{", '{"properties": 1}', '{"$ref": "#/$defs/X"}']
)
def test_a_directory_that_holds_no_schemas_is_one_line_and_2(
    tmp_path: Path, content: str | None
) -> None:
    if content is not None:
        (tmp_path / "PairFormed.v1.json").write_text(content)
    done = connecte_here("schemas", "check", "--against", str(tmp_path))
    assert (done.code, done.out) == (2, "")
    assert len(done.err.strip().splitlines()) == 1
    assert str(tmp_path) in done.err


def test_a_release_of_what_is_released_changes_nothing(tmp_path: Path) -> None:
    there = tmp_path / "released.json"
    there.write_bytes(RELEASED.read_bytes())
    release(there)
    before = there.read_bytes()
    assert release(there) == []
    assert there.read_bytes() == before


@pytest.mark.parametrize(
    "content", [None, "", "[]", "1", "{}", "{", '{"X": {"one": {}}}', '{"X": 1}']
)
def test_a_file_that_holds_no_releases_is_one_line_and_2(
    tmp_path: Path, content: str | None
) -> None:
    file = tmp_path / "released.json"
    if content is not None:
        file.write_text(content)
    done = connecte_here("schemas", "check", "--against", str(file))
    assert (done.code, done.out) == (2, "")
    assert len(done.err.strip().splitlines()) == 1
    assert str(file) in done.err


# sample


@pytest.mark.parametrize("name", TYPES)
def test_the_sample_of_every_type_is_valid_and_can_be_read(name: str) -> None:
    made = record(TYPES[name])
    value = json.loads(made.value or b"")
    schema = schema_of(TYPES[name])
    checker = Draft202012Validator.FORMAT_CHECKER
    Draft202012Validator(schema, format_checker=checker).validate(value)
    assert value.keys() == schema["properties"].keys()
    message = decode(attributes(made.headers), made.value)
    assert type(message) is TYPES[name]
    assert type(message) in TOPICS[made.topic].types


async def test_a_sample_is_shown_for_people_and_for_machines() -> None:
    done = await connecte("schemas", "sample", "SessionCompleted", "--json")
    assert done.code == 0
    assert done.document["topic"] == "mentoring.scheduling.events"
    assert done.document["key"] == "bercy-2017/m-017~g-004~3"
    assert done.document["headers"]["ce_type"] == "fr.gouv.mentoring.SessionCompleted.v1"
    assert done.document["value"]["completed"] == 3
    shown = await connecte("schemas", "sample", "SessionCompleted")
    assert "ce_sequence: 000000000001" in shown.out
    assert '"completed": 3' in shown.out


def test_a_type_that_is_unknown_is_2_and_the_nearest_are_named() -> None:
    done = connecte_here("schemas", "sample", "sessioncomplete")
    assert (done.code, done.out) == (2, "")
    assert "is it SessionCompleted or" in done.err
    lost = connecte_here("schemas", "sample", "?!")
    assert (lost.code, lost.out) == (2, "")
    assert "connecte schemas list" in lost.err


def test_a_field_without_an_example_is_named() -> None:
    part = {"type": "object", "properties": {"b": {"type": "string"}}}
    with pytest.raises(NoExample, match=r"^T\.a\.b$"):
        example({"title": "T", "type": "object", "properties": {"a": part}})


# publish


@pytest.fixture
async def registry() -> AsyncIterator[tuple[Registry, str]]:
    made = Registry()
    async with served(made.application) as url:
        yield made, url


async def test_a_registry_gets_a_subject_per_public_topic_and_type_once(
    registry: tuple[Registry, str],
) -> None:
    made, url = registry
    public = [topic for topic in TOPICS.values() if topic.audience == "public"]
    rows = await publish(url, subjects(everything=False))
    names = {row["subject"] for row in rows}
    assert len(names) == sum(len(topic.types) for topic in public)
    assert "mentoring.matching.events-fr.gouv.mentoring.PairFormed.v1" in names
    assert names == made.subjects.keys() == made.levels.keys()
    assert set(made.levels.values()) == {"FORWARD_TRANSITIVE"}
    assert {row["done"] for row in rows} == {"registered"}
    text = made.subjects["mentoring.matching.events-fr.gouv.mentoring.PairFormed.v1"][0]
    assert json.loads(text) == released()["PairFormed"][1]

    writes = made.writes
    again = await publish(url, subjects(everything=False))
    assert made.writes == writes
    assert [row["id"] for row in again] == [row["id"] for row in rows]
    assert {row["done"] for row in again} == {"there already"}


async def test_with_all_a_registry_gets_commands_and_private_events_too(
    registry: tuple[Registry, str],
) -> None:
    made, url = registry
    done = await connecte("schemas", "publish", "--registry", f"{url}/", "--all", "--json")
    assert done.code == 0, done.err
    versions = sum(kind.version for topic in TOPICS.values() for kind in topic.types)
    assert len(done.document["subjects"]) == versions
    assert made.levels["mentoring.people-fr.gouv.mentoring.PersonContact.v4"] == "FULL_TRANSITIVE"
    command = "mentoring.feedback.commands-fr.gouv.mentoring.AnswerSurvey.v1"
    assert made.levels[command] == "BACKWARD_TRANSITIVE"


async def test_a_field_with_a_default_passes_the_registrys_level_and_a_dropped_one_does_not(
    registry: tuple[Registry, str],
) -> None:
    _, url = registry
    for everything, name in ((False, "PairFormed.v1"), (True, "AcceptProposal.v1")):
        subject = next(s for s in subjects(everything=everything) if s.name.endswith(name))
        fields, needed = subject.schema["properties"], subject.schema["required"]
        more = {**fields, "brand_new": {"type": "integer", "default": 0}}
        added = replace(subject, schema={**subject.schema, "properties": more})
        rows = await publish(url, [subject, added])
        assert [row["done"] for row in rows] == ["registered", "registered"]
        last = needed[-1]
        less = {
            "properties": {field: part for field, part in fields.items() if field != last},
            "required": needed[:-1],
        }
        with pytest.raises(OperationFailed, match="409 Schema being registered is incompatible"):
            await publish(url, [replace(subject, schema={**subject.schema, **less})])


async def test_a_level_that_somebody_changed_is_set_again(registry: tuple[Registry, str]) -> None:
    made, url = registry
    wanted = subjects(everything=False)[:1]
    await publish(url, wanted)
    made.levels[wanted[0].name] = "NONE"
    await publish(url, wanted)
    assert made.levels[wanted[0].name] == "FORWARD_TRANSITIVE"


async def test_what_is_no_registry_is_one_line_and_1() -> None:
    async def odd(scope: Any, receive: Any, send: Any) -> None:
        body: dict[str, Response] = {
            "/a/": Response("<html>"),
            "/b/": JSONResponse([1]),
            "/c/": Response("no\n such\n place", 500),
            "/d/": Response(status_code=404),
        }
        request = Request(scope)
        answer = body[request.url.path[:3]]
        await answer(scope, receive, send)

    async with served(odd) as url:
        for path in ("a", "b", "c", "d"):
            done = await connecte("schemas", "publish", "--registry", f"{url}/{path}")
            assert (done.code, done.out) == (1, ""), path
            assert len(done.err.strip().splitlines()) == 1


@pytest.mark.parametrize(
    ("address", "code", "line"),
    [
        ("127.0.0.1:8081", 2, "--registry: an address looks like"),
        ("http://u:hush@", 2, "--registry: an address looks like"),
        ("http://u:hush@h:port", 2, "--registry: an address looks like"),
        ("http://u:hush@127.0.0.1:1", 1, "the registry does not answer"),
        ("http://[", 2, "--registry: an address looks like"),
    ],
)
def test_a_registry_that_cannot_be_reached_is_one_line_without_secrets(
    address: str, code: int, line: str
) -> None:
    done = connecte_here("schemas", "publish", "--registry", address)
    assert (done.code, done.out) == (code, "")
    assert line in done.err
    assert "hush" not in done.err
    assert len(done.err.strip().splitlines()) == 1
