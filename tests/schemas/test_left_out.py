"""A field that is left out is, to the byte, what it is once it has been written and read.

Live, a message is decided on as its sender made it; in a rebuild, as the journal has it. A default
that is equal in memory only (45 for a float) made a document differ between the two.
"""

import contextlib
import json
from collections.abc import Iterator
from itertools import chain
from typing import Any

import bson
import pytest
from pydantic import ValidationError

from schemas.base import Command, Message
from schemas.envelope import encode
from schemas.gate.samples import AT, example
from schemas.topics import TOPICS

KINDS = sorted(
    set(chain.from_iterable(topic.types for topic in TOPICS.values())), key=lambda k: k.__name__
)


def sparse(schema: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """What is valid of: the required fields alone, and each other object with nothing in it."""
    whole = example(schema)
    needed = {name: whole[name] for name in schema.get("required", ())}
    yield needed
    for name, field in schema["properties"].items():
        if name not in needed:
            yield {**needed, name: whole[name]}
        if name not in needed and "$ref" in field:
            yield {**needed, name: {}}
            part = schema["$defs"][field["$ref"].rpartition("/")[2]]
            for inner, value in part["properties"].items():
                if "$ref" in value:
                    yield {**needed, name: {inner: {}}}


def fewest(kind: type[Message]) -> tuple[Message, dict[str, Any]]:
    """With as little as it can have, and that."""
    for document in sparse(kind.model_json_schema()):
        with contextlib.suppress(ValidationError):  # something more has to be there
            return kind.model_validate_json(json.dumps(document)), document
    raise AssertionError(kind)


def journaled(message: Message) -> Message:
    """What a rebuild has of it: whatever an event takes over from a message is written whole."""
    return type(message).model_validate_json(message.model_dump_json())


def stored(message: Message) -> bytes:
    return bson.encode(message.model_dump())


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.__name__)
def test_what_is_left_out_is_the_same_bytes_before_and_after_its_journal(
    kind: type[Message],
) -> None:
    tried = 0
    for document in sparse(kind.model_json_schema()):
        try:
            message = kind.model_validate_json(json.dumps(document))
        except ValidationError:  # something more has to be there
            continue
        tried += 1
        assert stored(message) == stored(journaled(message))
    assert tried


def test_a_command_says_nothing_of_what_nobody_gave() -> None:
    """An older reader, which forbids what it does not know, goes on to understand it."""
    commands = [kind for kind in KINDS if issubclass(kind, Command)]
    silent = 0
    for kind in commands:
        message, needed = fewest(kind)
        record = encode(message, "any", 0, id="x", source="/x", time=AT)
        assert json.loads(record.value or b"").keys() == needed.keys()
        silent += kind.model_fields.keys() != needed.keys()
    assert silent > 3
