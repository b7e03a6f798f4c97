"""What is taken over unvalidated is what validation would have made of it."""

from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import BaseModel, ValidationError, create_model

from deploy.operating.reach import SERVICES, domain_of
from schemas.base import Message, Value
from schemas.envelope import TYPES
from schemas.matching import CohortOpened, MentorVolunteered, OpenCohort, VolunteerAsMentor
from schemas.people import PersonContact
from schemas.recasting import _plan, cast
from services.chassis.documents import CHASSIS_DOCUMENTS
from services.matching.views import Mentor
from tests.fuzz.extremes import documents, sample

KINDS: list[type[Value]] = [
    *TYPES.values(),
    *CHASSIS_DOCUMENTS,
    *(kind for service in SERVICES for kind in domain_of(service).documents),
]


def validated(kind: type[BaseModel], source: BaseModel, changes: dict[str, Any]) -> object:
    """The same by validation alone; the error, if it is one."""
    fields = {n: source.__dict__[n] for n in kind.model_fields if n in source.__dict__}
    try:
        return kind.model_validate(fields | changes)
    except ValidationError as error:
        return error.errors(include_url=False)


def made(kind: type[Value], source: BaseModel, changes: dict[str, Any]) -> object:
    try:
        return cast(kind, source, changes)
    except ValidationError as error:
        return error.errors(include_url=False)


def told(found: object) -> object:
    """All that can be told of a value: fields in their order, with types, and which were given."""
    if not isinstance(found, BaseModel):
        return str(found)
    given = sorted(found.model_fields_set)
    # As the database is given it: bytes that somebody sent need not be text, as JSON would have it.
    return type(found), list(found.__dict__.items()), repr(found), given, found.model_dump()


def targets(source: type[Message]) -> Iterator[type[Value]]:
    """Kinds that have more with a message in common than its cohort."""
    for kind in KINDS:
        if kind is not source and len(kind.model_fields.keys() & source.model_fields.keys()) > 2:
            yield kind


@pytest.mark.parametrize("name", sorted(TYPES))
@settings(max_examples=8, deadline=None)
@given(data=st.data())
def test_a_value_that_is_recast_is_what_validation_would_make_of_it(
    name: str, data: st.DataObject
) -> None:
    source = TYPES[name]
    text = data.draw(documents(source, {}))
    try:
        value = source.model_validate_json(text)
    except ValidationError:
        value = source.model_validate(sample(source))
    for kind in targets(source):
        missing = {
            field: "m-1~g-1"
            for field, info in kind.model_fields.items()
            if info.is_required() and field not in source.model_fields
        }
        changes = missing | data.draw(st.sampled_from([{}, {"id": "m-2"}, {"id": 3}]))
        assert told(made(kind, value, changes)) == told(validated(kind, value, changes))


@pytest.mark.parametrize("name", sorted(TYPES))
def test_a_copy_with_changes_is_what_pydantic_would_make_of_it(name: str) -> None:
    value = TYPES[name].model_validate(sample(TYPES[name]))
    for field in TYPES[name].model_fields:
        changes = {field: None}  # which nobody validates
        copy, theirs = value.model_copy(update=changes), BaseModel.model_copy(value, update=changes)
        assert (copy, copy.model_fields_set) == (theirs, theirs.model_fields_set)
        assert list(copy.__dict__) == list(theirs.__dict__)


def test_what_the_most_frequent_commands_lead_to_is_for_the_most_part_taken_over() -> None:
    expected = {
        (MentorVolunteered, VolunteerAsMentor): {"directorate", "site", "skills", "availability"},
        (Mentor, MentorVolunteered): {"directorate", "site", "skills", "availability", "capacity"},
        (CohortOpened, OpenCohort): {"policy"},
    }
    for (kind, source), names in expected.items():
        plan = _plan(kind, source)
        assert plan is not None
        assert names <= {field.name for field in plan.fields if field.taken}, (kind, source)


def test_a_rule_that_asks_who_validates_is_asked_again() -> None:
    address = PersonContact.model_fields["email"].rebuild_annotation()
    copy = create_model("Copy", __base__=Value, email=(address, ...))
    plan = _plan(copy, PersonContact)
    assert plan is not None
    assert not any(field.taken for field in plan.fields if field.name == "email")
