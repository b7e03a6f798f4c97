"""Any name, title or address in a letter: it stays text, in every header and in the calendar.

The platform reads no calendar and no mail: answers come by links. So only what is written is held
against a reader.
"""

import email
import re
from email import policy
from email.message import EmailMessage
from typing import Any

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from icalendar import Calendar
from pydantic import TypeAdapter, ValidationError

from schemas.people import Address
from services.notify import words
from services.notify.invitations import Invitation, calendar_of
from services.notify.rendering import UnusableAddress, render
from services.notify.views import Person
from tests.fuzz.corpus import entries
from tests.notify.facts import (
    ALEX,
    CAMILLE,
    HEAD,
    LINKS,
    PLANNED,
    PROPOSED,
    cohort,
    letters_for,
    person,
)
from tests.scenario import NOW

SIGNS = st.sampled_from(
    [
        *("\r\n", "\n", "\r", "\0", "\u2028", "\u0085", "\x0b", "\x1b", ";", ":", ",", '"', "\\"),
        *("\\n", "^n", "=?utf-8?q?", "?=", "<", ">", "@", "(", ")", "😀", "é", "\u202e", " ", "\t"),
        *("x" * 80, "Bcc: x@y.example", "END:VEVENT", "BEGIN:VALARM", "{{ 7*7 }}", "\ufeff"),
    ]
)
names = st.lists(SIGNS, min_size=1, max_size=8).map("".join) | st.text(
    st.characters(codec="utf-8"), min_size=1, max_size=64
)
many = settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
HEADERS = {
    *("from", "to", "subject", "date", "message-id", "auto-submitted", "reply-to"),
    *("x-connecte-letter", "x-connecte-cohort", "mime-version", "content-type"),
    "content-language",
}
PROPERTIES = {
    *("UID", "SEQUENCE", "DTSTAMP", "DTSTART", "DTEND", "SUMMARY", "DESCRIPTION", "STATUS"),
    *("URL", "ORGANIZER", "ATTENDEE", "LOCATION", "CONFERENCE"),
    *("TRANSP", "X-MICROSOFT-CDO-BUSYSTATUS"),
}
ADDRESS: TypeAdapter[str] = TypeAdapter(Address)
LETTERS = [letters_for(PLANNED)[0], letters_for(PROPOSED)[0]]


def written(letter: Any, name: str, title: str, **changes: Any) -> bytes | None:
    """The letter to, from and about people of that name; None if its address is unusable."""
    reader, other = person(CAMILLE, name=name, **changes), person(ALEX, name=name)
    by = cohort().model_copy(update={"name": title})
    try:
        return render(letter, reader, {other.id: other}, LINKS, by, HEAD, NOW).as_bytes()
    except UnusableAddress:
        return None


def check(raw: bytes, name: str, title: str, address: str = CAMILLE.email) -> None:
    message = email.message_from_bytes(raw, policy=policy.default)
    assert isinstance(message, EmailMessage)
    assert not message.defects
    assert {key.lower() for key in message} <= HEADERS
    assert len(message.keys()) == len({key.lower() for key in message}), "no header twice"
    [to] = message["To"].addresses
    assert to.addr_spec == address
    assert message["From"].addresses[0].addr_spec == HEAD.address
    for line in raw.split(b"\r\n"):
        alone = line.startswith((b" <", b"X-Connecte", b"Message-ID"))  # nowhere to fold them
        assert len(line) <= (998 if alone else 76)
        assert b"\r" not in line
        assert b"\n" not in line
    for word in re.findall(rb"=\?[^?\s]+\?[bq]\?[^?\s]*\?=", raw.partition(b"\r\n\r\n")[0]):
        assert len(word) <= 75
    parts = list(message.walk())
    for part in parts:
        assert not part.defects
        if part.get_content_type() == "text/calendar":
            content: str = part.get_content()
            check_calendar(content, name, title)


def check_calendar(text: str, name: str, title: str) -> None:
    """One event in it, of our properties, with the names as they are."""
    calendar = Calendar.from_ical(text)
    [entry] = calendar.walk("VEVENT")
    components = {component.name for component in calendar.walk()}
    assert components - {"VALARM"} == {
        *("VCALENDAR", "VTIMEZONE", "DAYLIGHT", "STANDARD", "VEVENT")
    }
    assert set(entry) <= PROPERTIES
    attendees = entry["ATTENDEE"]
    for attendee in attendees if isinstance(attendees, list) else [attendees]:
        assert re.fullmatch(r"mailto:\S+@\S+", attendee)
        assert set(attendee.params) <= {"CN", "CUTYPE", "ROLE", "PARTSTAT", "RSVP"}
        assert spoken(attendee.params["CN"]) == spoken(name)
    assert set(entry["ORGANIZER"].params) <= {"CN"}
    for line in text.split("\r\n"):
        assert len(line.encode()) <= 75
        assert not re.search(r"[\r\n]", line)


def spoken(text: str) -> str:
    """A name without what a calendar parameter cannot carry (RFC 5545: no double quotes)."""
    return re.sub(r"[\"'\s/\\]+", "", words.one_line(text))


@many
@given(st.sampled_from(LETTERS), names, names)
@example(LETTERS[0], "Camille\r\nBcc: x@y.example", "Pilot\r\nBcc: z@y.example")
def test_any_name_and_title_stay_text(letter: Any, name: str, title: str) -> None:
    raw = written(letter, name, title)
    assert raw is not None
    check(raw, name, title)


@many
@example("=?utf-8?q?a=0D=0ABcc=3A_x?=@example.org")
@example("a=?utf-8?q?=0A?=b@example.org")
@example("=0D=0ABcc@example.org")
@example("é\u0085x@example.org")
@example("a..b@example.org")
@given(
    st.from_regex(ADDRESS.json_schema()["pattern"], fullmatch=True)
    | st.from_regex(
        r"[a-z0-9.!#$%&'*+/=?^_`{|}~-]{1,64}@[a-z0-9-]{1,20}\.[a-z-]{2,9}", fullmatch=True
    )
)
def test_any_address_that_is_taken_in_is_the_one_written_to(address: str) -> None:
    """What was taken in when less was asked is written to as well, or told to be unusable."""
    taken = True
    try:
        ADDRESS.validate_python(address)
    except ValidationError:
        taken = False
    raw = written(LETTERS[0], "Camille", "Pilot", email=address)
    assert raw is not None or not taken
    if raw is not None and taken:
        check(raw, "Camille", "Pilot", address)


@many
@given(names, names, names)
def test_a_calendar_says_what_it_was_given(summary: str, description: str, name: str) -> None:
    name = words.one_line(name) or "x"
    invitation = Invitation(
        method="REQUEST",
        summary=words.one_line(summary),
        description=description,
        organizer=(name, "a@b.example"),
        attendees=[(name, "c@d.example", True)],
        url="https://e.example/links/x",
        domain="b.example",
    )
    text = calendar_of(PLANNED, invitation, NOW)
    check_calendar(text, name, name)
    [entry] = Calendar.from_ical(text).walk("VEVENT")
    # The reader takes a byte order mark at the beginning away.
    unmarked = str(entry["SUMMARY"]).replace("\ufeff", "")
    assert unmarked == words.one_line(summary).replace("\ufeff", "")


@pytest.mark.parametrize("letter", LETTERS, ids=lambda letter: letter.template)
def test_what_was_once_a_fault_is_none_any_more(letter: Any) -> None:
    for _, content in entries("words"):
        name = content.decode()
        Person.model_validate(person(CAMILLE, name=name).model_dump())
        raw = written(letter, name, name)
        assert raw is not None
        check(raw, name, name)
