"""What looks the same is the same, once a command has it; what an event says is never changed."""

import json
import unicodedata
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from schemas.base import Message, read_message
from schemas.envelope import attributes, decode, encode
from schemas.gate.samples import AT, example
from schemas.matching import DissolvePair, MentorVolunteered, VolunteerAsMentor
from schemas.people import PersonContact
from schemas.text import tidied, tidied_lines
from tests.schemas.test_bounds import COMMANDS

PLAIN = "Orléans - cité"
ALIKE = [
    unicodedata.normalize("NFD", PLAIN),
    PLAIN.replace(" ", "\u00a0"),
    PLAIN.replace(" ", "\u202f\u2009"),
    PLAIN.replace(" ", "\r\n"),
    PLAIN.replace(" ", "\u2028"),
    PLAIN.replace("-", "\u2011"),
    f"\ufeff {PLAIN}\u200b\t",
    "\u200d".join(PLAIN),
    "\x00".join(PLAIN),
    PLAIN.replace("l", "l\u00ad"),
    PLAIN.replace("s", "s\ufe0f\u2060"),
]
NOT_FOR_PEOPLE = {"letter_id", "proof", "sealed"}
"""Texts of a command that a program has made, and compares to the byte."""


def free_texts(kind: type[Message]) -> list[str]:
    """The fields whose text people write: no pattern, no list of values, no format holds them."""
    return [
        name
        for name, field in kind.model_json_schema()["properties"].items()
        for one in field.get("anyOf", [field])
        if one.get("type") == "string" and not {"pattern", "enum", "const", "format"} & one.keys()
        if name not in NOT_FOR_PEOPLE
    ]


FREE_TEXT = {kind: texts for kind in COMMANDS if (texts := free_texts(kind))}


def made(kind: type[Message], **fields: Any) -> Message:
    return kind.model_validate(example(kind.model_json_schema()) | fields)


def test_the_reasons_the_names_and_the_words_of_people_are_free_texts() -> None:
    assert FREE_TEXT[DissolvePair] == ["reason"]
    assert FREE_TEXT[PersonContact] == ["name", "post", "presentation"]


@pytest.mark.parametrize("text", ALIKE)
@pytest.mark.parametrize("kind", FREE_TEXT, ids=lambda kind: kind.__name__)
def test_spellings_that_look_the_same_are_one_in_a_command(kind: type[Message], text: str) -> None:
    for field in FREE_TEXT[kind]:
        assert getattr(made(kind, **{field: text}), field) == PLAIN


def test_text_with_nothing_to_be_seen_is_no_text() -> None:
    with pytest.raises(ValidationError, match="site"):
        made(VolunteerAsMentor, site="\u200b\u00a0\ufeff")


@pytest.mark.parametrize("text", ALIKE[:4])
def test_an_event_keeps_the_words_with_which_it_was_written(text: str) -> None:
    assert made(MentorVolunteered, site=text).model_dump()["site"] == text


def test_the_name_of_a_record_is_kept_as_a_rebuild_would_find_it() -> None:
    old = made(PersonContact).model_copy(update={"name": ALIKE[0]})
    record = encode(old, "t", 0, id="1", source="/x", time=AT)
    found = attributes(record.headers)
    assert decode(found, record.value) == decode(found, record.value, "taken-in") == old


@given(st.text())
def test_what_is_tidy_stays_as_it_is(text: str) -> None:
    assert tidied(tidied(text)) == tidied(text)
    assert unicodedata.is_normalized("NFC", tidied(text))


def test_lines_stay_lines_and_keep_what_they_are_indented_by() -> None:
    given = "\r\n# Titre \u00a0 un\r\n\r\n1. a\r\n\t- b\u200b\r\n   \r\n"
    assert tidied_lines(given) == "# Titre un\n\n1. a\n    - b"


@given(st.text())
def test_lines_that_are_tidy_stay_as_they_are(text: str) -> None:
    tidy = tidied_lines(text)
    assert tidied_lines(tidy) == tidy
    assert unicodedata.is_normalized("NFC", tidy)


@pytest.mark.parametrize("where", ["name", "post", "presentation", "assistant"])
def test_a_record_with_a_name_of_nothing_that_is_drawn_is_refused_as_everywhere(where: str) -> None:
    contact = {"cohort_id": "c", "person_id": "p", "name": "Ada", "email": "ada@a.example"}
    unseen: Any = "\u202e"
    if where == "assistant":
        unseen = {"name": unseen, "email": "bob@a.example"}
    sent = json.dumps(contact | {where: unseen})
    for reading in (None, "record"):
        with pytest.raises(ValidationError, match="at least 1 character"):
            read_message(PersonContact, sent, reading)  # type: ignore[arg-type]
    assert read_message(PersonContact, sent, "taken-in")
