"""The committed catalogue is the published language, valid, and safe to hand to anybody."""

import json
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any, get_args

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator
from jsonschema.exceptions import ValidationError as Invalid
from pydantic import BaseModel, ValidationError

from schemas import envelope, topics
from schemas.base import Message, pair_of, session_of
from schemas.feedback import CohortMeasured, RolloutRecommended, RolloutWithheld
from schemas.gate import generate
from schemas.gate.samples import message_of
from schemas.journal import Heartbeat
from schemas.matching import (
    AvailabilityChanged,
    CohortOpened,
    ManagerEnrolled,
    ManagerWaitlisted,
    ManagerWithdrew,
    MentorPaused,
    MentorResumed,
    MentorVolunteered,
    MentorWithdrew,
    PairDissolved,
    PairFormed,
    PairProposed,
    ProposalAccepted,
    ProposalDeclined,
    ProposalExpired,
    RoundCompleted,
)
from schemas.people import PersonContact
from schemas.scheduling import (
    PairGraduated,
    PairStalled,
    SessionCancelled,
    SessionCompleted,
    SessionConfirmed,
    SessionMissed,
    SessionPlanned,
    SessionRescheduled,
)
from schemas.topics import TOPICS
from schemas.values import (
    CohortPolicy,
    Criterion,
    ScoreReason,
    SurveyFigure,
    Waiting,
    Window,
    Words,
)

COHORT = {"cohort_id": "bercy-2017"}
MENTOR, MANAGER = {"mentor_id": "m-017"}, {"manager_id": "g-004"}
PAIR = {**COHORT, "pair_id": pair_of("m-017", "g-004"), **MENTOR, **MANAGER}
SESSION = {
    **PAIR,
    "session_id": session_of("m-017~g-004", 3),
    "number": 3,
    "attempt": 1,
    "revision": 0,
    "starts_at": "2017-03-20T09:00:00Z",
    "ends_at": "2017-03-20T11:00:00+01:00",
}
WEEK = (
    Window(day="tue", start="14:00", end="17:00"),
    Window(day="mon", start="09:30", end="12:00"),
)
PERSON = {"directorate": "DGFiP", "site": "Paris Bercy", "availability": WEEK}
REASON = ScoreReason(criterion="bridge", value=1, weight=20, contribution=20)
WAITING = Waiting(
    round_id="round-1", position=3, cause="no-place", words=Words(fr="plus de place", en="no place")
)
CRITERION = Criterion(name="satisfaction", threshold=3.5, value=None, met=False)
FIGURE = SurveyFigure(kind="end", side="manager", question="usefulness", answers=None, mean=None)

_WRITTEN: tuple[Message, ...] = (
    CohortOpened(**COHORT, name="Connecte ton manager 2017", policy=CohortPolicy()),
    MentorVolunteered(**COHORT, **MENTOR, **PERSON, skills={"linkedin": 4}, capacity=1),
    MentorPaused(**COHORT, **MENTOR),
    MentorResumed(**COHORT, **MENTOR),
    MentorWithdrew(**COHORT, **MENTOR),
    ManagerEnrolled(
        **COHORT,
        **MANAGER,
        **PERSON,
        job_family="tax-audit",
        needs={"mind-mapping": 2},
        line_manager="g-001",
        excludes=("m-002", "m-003"),
    ),
    ManagerWithdrew(**COHORT, **MANAGER),
    AvailabilityChanged(**COHORT, person_id="g-004", availability=WEEK),
    PairProposed(
        **PAIR,
        round_id="round-1",
        score=71.25,
        reasons=(REASON,),
        tools=("linkedin",),
        expires_at="2017-03-16T09:00:00Z",
    ),
    ProposalAccepted(**PAIR, by="mentor"),
    ProposalDeclined(**PAIR, by="manager"),
    ProposalExpired(**PAIR, cause="deadline"),
    PairFormed(**PAIR, tools=("linkedin",), mentor_availability=WEEK, manager_availability=WEEK),
    PairDissolved(**PAIR, cause="request", reason="changed posts"),
    RoundCompleted(
        **COHORT, round_id="round-1", proposed=40, managers_waiting=0, places_free=20, score=2800.5
    ),
    ManagerWaitlisted(**COHORT, **MANAGER, waiting=WAITING, first=True),
    SessionPlanned(**SESSION),
    SessionConfirmed(**SESSION, by="mentor"),
    SessionRescheduled(**SESSION, by="manager", previously_at="2017-03-19T09:00:00Z"),
    SessionCancelled(**SESSION, cause="pair_dissolved"),
    SessionMissed(**SESSION, cause="reported", by="mentor"),
    SessionCompleted(**SESSION, by="mentor", completed=3),
    PairStalled(**PAIR, since="2017-03-20T09:00:00Z"),
    PairGraduated(**PAIR, sessions=5),
    CohortMeasured(
        **COHORT,
        measured_at="2017-03-20T09:00:00Z",
        next_at="2017-03-27T09:00:00Z",
        mentors=60,
        managers=40,
        pairs_formed=40,
        pairs_graduated=0,
        pairs_dissolved=1,
        sessions_completed=80,
        sessions_missed=4,
        surveys_closed=None,
        surveys_answered=12,
        surveys=(FIGURE, FIGURE.model_copy(update={"answers": 12, "mean": 4.25})),
    ),
    RolloutRecommended(**COHORT, criteria=(CRITERION.model_copy(update={"met": True}),)),
    RolloutWithheld(**COHORT, criteria=(CRITERION,)),
    Heartbeat(cohort_id="matching", source="matching.3", next_at="2017-03-21T09:00:00Z"),
)

# Of a type that is on several topics the one with the widest audience counts.
WIDEST = sorted(TOPICS.values(), key=lambda topic: topic.audience == "public")
KINDS = {kind.__name__: (topic, kind) for topic in WIDEST for kind in topic.types}
PUBLIC = [name for name, (topic, _) in KINDS.items() if topic.audience == "public"]
WRITTEN = {type(event).__name__ for event in _WRITTEN}
PUBLIC_EXAMPLES = (
    *_WRITTEN,
    *(message_of(KINDS[name][1]) for name in PUBLIC if name not in WRITTEN),
)
"""Of every public event: those above, with what may be null and what may not, or its sample."""
HAPPY = settings(deadline=None, max_examples=60, suppress_health_check=[HealthCheck.too_slow])


@cache
def schema(name: str) -> dict[str, Any]:
    path = generate.CATALOGUE / generate.schema_path(*KINDS[name])
    found: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return found


@cache
def validator(name: str) -> Draft202012Validator:
    checker = Draft202012Validator.FORMAT_CHECKER
    return Draft202012Validator(schema(name), format_checker=checker)


def document(name: str) -> Any:
    return json.loads((generate.CATALOGUE / name).read_text(encoding="utf-8"))


def inner(part: Any, where: str = "") -> Iterator[tuple[str, dict[str, Any]]]:
    """Every object of a schema, with its path."""
    if isinstance(part, dict):
        yield where, part
        for name, value in part.items():
            yield from inner(value, f"{where}/{name}")
    elif isinstance(part, list):
        for number, value in enumerate(part):
            yield from inner(value, f"{where}/{number}")


def properties(part: Any) -> Iterator[tuple[str, str, dict[str, Any]]]:
    for where, found in inner(part):
        if where.endswith("/properties"):
            for name, value in found.items():
                yield where, name, value


def test_the_committed_catalogue_is_the_language_as_it_is() -> None:
    assert generate.differing() == [], "run: connecte schemas generate"


def test_generating_again_gives_the_same_bytes(tmp_path: Path) -> None:
    names = generate.write(tmp_path)
    assert sorted(names) == sorted(generate.catalogue())
    assert generate.write(tmp_path) == []
    for name in names:
        committed = (generate.CATALOGUE / name).read_bytes()
        assert (tmp_path / name).read_bytes() == committed
        assert committed.endswith(b"}\n") or committed.endswith(b"]\n")


def test_what_is_outdated_missing_or_of_no_message_is_named_and_mended(tmp_path: Path) -> None:
    generate.write(tmp_path)
    (tmp_path / "topics.json").write_text("[]\n")
    (tmp_path / "public" / "PairFormed.v1.json").unlink()
    (tmp_path / "public" / "PairForgotten.v1.json").write_text("{}\n")
    wrong = ["public/PairForgotten.v1.json", "public/PairFormed.v1.json", "topics.json"]
    assert generate.differing(tmp_path) == wrong
    assert generate.write(tmp_path) == wrong
    assert generate.differing(tmp_path) == []


@pytest.mark.parametrize("name", KINDS)
def test_a_schema_is_valid_and_says_what_it_is(name: str) -> None:
    found, (_, kind) = schema(name), KINDS[name]
    Draft202012Validator.check_schema(found)
    assert found["$schema"] == "https://json-schema.org/draft/2020-12/schema"
    assert found["$id"] == f"urn:mentoring:schema:{name}:{kind.version}"
    assert found["title"] == name
    assert found["description"]


@pytest.mark.parametrize("name", KINDS)
def test_every_field_of_a_message_is_described(name: str) -> None:
    for where, field, found in properties(schema(name)):
        assert found.get("description"), f"{name}{where}/{field}"


def exemplified(part: dict[str, Any], whole: dict[str, Any]) -> bool:
    """Whether a field has an example: its own, or those of the fields that it is made of."""
    if part.get("examples"):
        return True
    if "anyOf" in part:
        return any(exemplified(one, whole) for one in part["anyOf"])
    if isinstance(part.get("items"), dict):
        return exemplified(part["items"], whole)
    if "$ref" in part:
        target = whole["$defs"][part["$ref"].rpartition("/")[2]]
        fields = target.get("properties", {}).values()
        return bool(fields) and all(exemplified(field, whole) for field in fields)
    return False


@pytest.mark.parametrize("name", KINDS)
def test_every_field_of_a_message_has_an_example(name: str) -> None:
    whole = schema(name)
    for where, field, found in properties(whole):
        assert exemplified(found, whole), f"{name}{where}/{field}"


def test_a_field_is_without_an_example_if_a_part_of_it_is() -> None:
    good, bad = {"type": "string", "examples": ["x"]}, {"type": "string"}
    whole = {
        "$defs": {"Good": {"properties": {"a": good}}, "Bad": {"properties": {"a": good, "b": bad}}}
    }
    for name, expected in (("Good", True), ("Bad", False)):
        part = {"$ref": f"#/$defs/{name}"}
        for field in (part, {"items": part}, {"anyOf": [part, {"type": "null"}]}):
            assert exemplified(field, whole) is expected
    assert not exemplified({"type": "array", "items": bad, "examples": []}, whole)


@pytest.mark.parametrize("name", KINDS)
def test_a_limit_is_one_that_its_type_has(name: str) -> None:
    suffixes = {"array": "Items", "object": "Properties", "string": "Length"}
    for where, found in inner(schema(name)):
        suffix = suffixes.get(str(found.get("type")))
        limits = {key for key in found if re.fullmatch(r"(min|max)(Items|Properties|Length)", key)}
        if suffix is not None:
            assert all(key.endswith(suffix) for key in limits), f"{name}{where}: {limits}"


@pytest.mark.parametrize("name", KINDS)
def test_the_examples_of_a_field_are_valid(name: str) -> None:
    whole = schema(name)
    for where, found in inner(whole):
        for example in found.get("examples", ()) if isinstance(found.get("examples"), list) else ():
            part = {**found, "$defs": whole.get("$defs", {})}
            assert Draft202012Validator(part).is_valid(example), f"{name}{where}: {example}"


@pytest.mark.parametrize("event", PUBLIC_EXAMPLES, ids=lambda event: type(event).__name__)
def test_what_is_published_is_valid_and_comes_back_the_same(event: Message) -> None:
    name = type(event).__name__
    record = envelope.encode(
        event,
        KINDS[name][0].name,
        0,
        id="x.1",
        source="/mentoring/x/events/0",
        time=PairStalled.model_validate({**PAIR, "since": "2017-03-20T09:00:00Z"}).since,
        sequence=1,
        order=0,
    )
    assert record.value is not None
    validator(name).validate(json.loads(record.value))
    headers = {header: (raw or b"").decode() for header, raw in record.headers}
    assert headers["ce_dataschema"] == schema(name)["$id"]
    Draft202012Validator(document("asyncapi.json")["components"]["schemas"]["CloudEvent"]).validate(
        headers
    )
    assert envelope.decode(envelope.attributes(record.headers), record.value) == event


@pytest.mark.parametrize("event", PUBLIC_EXAMPLES, ids=lambda event: type(event).__name__)
def test_a_reader_accepts_what_a_newer_writer_adds(event: Message) -> None:
    newer = {**event.model_dump(mode="json"), "added_later": 1}
    validator(type(event).__name__).validate(newer)
    assert type(event).model_validate(newer) == event


def field_values(kind: type[BaseModel]) -> st.SearchStrategy[dict[str, Any]]:
    """JSON of the right shape most of the time, and of nearly the right shape otherwise."""
    odd = st.sampled_from([None, "", "x" * 400, -1, 0, 6, 10**9, [], {}, True, "2017-03-06"])
    return st.dictionaries(st.sampled_from(sorted(kind.model_fields)), odd, max_size=2)


@HAPPY
@given(data=st.data())
def test_what_the_schema_of_a_public_event_refuses_the_model_refuses(data: st.DataObject) -> None:
    """The schema may be the more patient of the two, for it knows no rule between fields."""
    event = data.draw(st.sampled_from(PUBLIC_EXAMPLES))
    kind = type(event)
    changed = event.model_dump(mode="json") | data.draw(field_values(kind))
    try:
        validator(kind.__name__).validate(changed)
    except Invalid as refused:
        # The models read numbers in texts and whole numbers for booleans; schemas do not.
        told = refused.context or [refused]  # of a choice, what each of its branches says
        if any(one.validator != "type" for one in told):
            with pytest.raises(ValidationError):
                kind.model_validate_json(json.dumps(changed))


def test_no_schema_of_a_public_topic_has_room_for_a_name_or_an_address() -> None:
    contact = set(PersonContact.model_fields) - {"cohort_id", "person_id", "name"}
    personal = re.compile(r"mail|phone|address|surname|first_?name|last_?name|birth|\bage\b|gender")
    named = set()
    public = {name: schema(name) for name in PUBLIC}
    for owner, found in (*public.items(), ("asyncapi", document("asyncapi.json"))):
        for where, field, _ in properties(found):
            assert field not in contact, f"{owner}{where}/{field}"
            assert not personal.search(field.lower()), f"{owner}{where}/{field}"
            if field == "name":
                named.add(where.removesuffix("/properties").rpartition("/")[2] or owner)
        for where, part in inner(found):
            assert part.get("format") not in ("email", "idn-email"), f"{owner}{where}"
            assert "@" not in str(part.get("pattern", "")), f"{owner}{where}"
    # A cohort has a name, and so has a criterion. Nothing else, and nobody.
    assert named == {"CohortOpened", "Criterion"}


def test_a_schema_lies_with_who_may_read_its_topic() -> None:
    assert {path.parent.name for path in generate.CATALOGUE.rglob("*.v*.json")} == set(
        get_args(topics.Audience)
    )
    assert [p.name for p in (generate.CATALOGUE / "restricted").iterdir()] == [
        "PersonContact.v4.json"
    ]


def test_the_table_of_topics_is_the_one_that_the_services_use() -> None:
    rows = document("topics.json")
    assert [row["name"] for row in rows] == list(TOPICS)
    for row in rows:
        topic = TOPICS[row["name"]]
        assert row["partitions"] == topics.PARTITIONS
        assert (row["audience"], row["retention_ms"]) == (topic.audience, topic.retention_ms)
        assert [t["name"] for t in row["types"]] == [kind.__name__ for kind in topic.types]
        for kind in row["types"]:
            assert (generate.CATALOGUE / kind["schema"]).is_file()


def test_the_public_api_has_the_public_topics_and_nothing_else() -> None:
    api = document("asyncapi.json")
    public = {topic.name: topic for topic in TOPICS.values() if topic.audience == "public"}
    channels = api["channels"]
    assert api["asyncapi"] == "3.0.0"
    assert {channel["address"] for channel in channels.values()} == set(public)
    for channel in channels.values():
        topic = public[channel["address"]]
        assert list(channel["messages"]) == sorted(kind.__name__ for kind in topic.types)
        assert channel["bindings"]["kafka"]["partitions"] == topics.PARTITIONS
    assert sorted(api["components"]["messages"]) == sorted(PUBLIC)
    assert {operation["action"] for operation in api["operations"].values()} == {"receive"}
    assert {operation["channel"]["$ref"] for operation in api["operations"].values()} == {
        f"#/channels/{name}" for name in channels
    }


def test_every_reference_of_the_public_api_leads_somewhere_in_it() -> None:
    api = document("asyncapi.json")
    for where, part in inner(api):
        if isinstance(reference := part.get("$ref"), str):
            target: Any = api
            assert reference.startswith("#/"), where
            for step in reference[2:].split("/"):
                assert step in target, f"{where}: {reference}"
                target = target[step]


@pytest.mark.parametrize("event", PUBLIC_EXAMPLES, ids=lambda event: type(event).__name__)
def test_the_public_api_describes_what_is_published(event: Message) -> None:
    api = document("asyncapi.json")
    payload = api["components"]["messages"][type(event).__name__]["payload"]
    Draft202012Validator({**payload, "components": api["components"]}).validate(
        event.model_dump(mode="json")
    )
