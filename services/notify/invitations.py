"""The calendar part of a letter: an iTIP message that puts a session in its reader's calendar.

Always holds: a session keeps its UID whatever becomes of it, and SEQUENCE is its revision, so a
calendar program never takes an older letter for a newer one. Pure: `now` is DTSTAMP.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from itertools import groupby
from typing import Literal

from icalendar import Alarm, Calendar, Component, Parameters, Timezone, vCalAddress, vText
from icalendar import Event as Entry

from schemas.saying import PARIS
from schemas.scheduling import SessionEvent

Method = Literal["REQUEST", "CANCEL"]

ALARM = timedelta(minutes=15)
"""How long before a session calendar programs remind of it."""

# The European rule since 1996; a table of every past change would be two kilobytes.
_EUROPE_PARIS = """BEGIN:VTIMEZONE
TZID:Europe/Paris
BEGIN:DAYLIGHT
TZNAME:CEST
TZOFFSETFROM:+0100
TZOFFSETTO:+0200
DTSTART:19960331T020000
RRULE:FREQ=YEARLY;BYMONTH=3;BYDAY=-1SU
END:DAYLIGHT
BEGIN:STANDARD
TZNAME:CET
TZOFFSETFROM:+0200
TZOFFSETTO:+0100
DTSTART:19961027T030000
RRULE:FREQ=YEARLY;BYMONTH=10;BYDAY=-1SU
END:STANDARD
END:VTIMEZONE
"""
_FOLDED = 75
"""Octets; a line of so many is folded."""
_ESCAPES = rb"\^"
"""What belongs to the character that follows: of texts, and of parameters (RFC 6868)."""
_FIRST = "BEGIN:VEVENT"
"""Before it stands what holds of the whole calendar, its zone as the last."""


@dataclass(frozen=True, slots=True)
class Invitation:
    """What a calendar shows. `organizer` is (name, address), an attendee (name, address, accepted).

    `domain` is that of its UID. `answers`: whether somebody reads what calendar programs answer to
    the organizer. `location` is where it takes place, in words; `conference` the link to join.
    """

    method: Method
    summary: str
    description: str
    organizer: tuple[str, str]
    attendees: Sequence[tuple[str, str, bool]]
    url: str | None
    domain: str
    answers: bool = False
    location: str | None = None
    conference: str | None = None


def calendar_of(session: SessionEvent, invitation: Invitation, now: datetime) -> str:
    """The iCalendar text, CRLF line ends. `ValueError` where a value would begin another line."""
    shape = _Shape(
        invitation.method,
        tuple(accepted for _, _, accepted in invitation.attendees),
        invitation.answers,
        bool(invitation.url),
        bool(invitation.location),
        bool(invitation.conference),
    )
    values = _values(session, invitation, now)
    return "".join(
        _filled(line, values) if variable else line for variable, line in _lines_of(shape)
    )


@dataclass(frozen=True, slots=True)
class _Shape:
    """What decides which lines a calendar has. What else differs only stands in them."""

    method: Method
    accepted: tuple[bool, ...]
    answers: bool
    url: bool
    location: bool
    conference: bool


@lru_cache(maxsize=64)
def _lines_of(shape: _Shape) -> tuple[tuple[bool, str], ...]:
    """A calendar of this shape: lines to fill in (true), and between them all that is the same.

    The library writes it, once: for each calendar anew it takes longer than all the rest of a
    letter. A moment and a number have to be some, and are told from others by what they are.
    """
    lines = [str(line) for line in _calendar(shape).content_lines() if line]
    for given, name in _GIVEN.items():
        lines = [line.replace(given, name) for line in lines]
    parts: list[tuple[bool, str]] = []
    for variable, some in groupby(lines, lambda line: "{" in line):
        if variable:
            parts += [(True, line) for line in some]
        else:
            parts.append((False, "".join(f"{line}\r\n" for line in some)))
    [at] = [n for n, (_, text) in enumerate(parts) if _FIRST in text]
    head, begin, rest = parts[at][1].partition(_FIRST)
    parts[at] = False, f"{head}{_zone()}{begin}{rest}"
    return tuple(parts)


_CLOCK = "%Y%m%dT%H%M%S"
_STARTS = datetime(1971, 1, 1, 1, 1, 1, tzinfo=PARIS)
_ENDS, _WRITTEN = _STARTS + timedelta(hours=1), datetime(1971, 1, 1, 3, 1, 1, tzinfo=UTC)
_REVISION = 987654321
_GIVEN = {
    f"{_STARTS:{_CLOCK}}": "{starts}",
    f"{_ENDS:{_CLOCK}}": "{ends}",
    f"{_WRITTEN:{_CLOCK}}": "{written}",
    str(_REVISION): "{revision}",
}


def _calendar(shape: _Shape) -> Calendar:
    entry = Entry()
    entry.add("uid", "{uid}")
    entry.add("sequence", _REVISION)
    entry.add("dtstamp", _WRITTEN)
    entry.add("dtstart", _STARTS)
    entry.add("dtend", _ENDS)
    entry.add("summary", "{summary}")
    entry.add("description", "{description}")
    agreed = all(shape.accepted)
    entry.add("status", _status(shape.method, agreed=agreed))
    # Outlook shows the time as taken, or as taken perhaps, by this and not by the status.
    entry.add("x-microsoft-cdo-busystatus", "BUSY" if agreed else "TENTATIVE")
    entry.add("transp", "OPAQUE")
    if shape.url:
        entry.add("url", "{url}")
    if shape.location:
        entry.add("location", "{location}")
    if shape.conference:
        # RFC 7986; programs that do not know it show the location, which is the same.
        features = Parameters({"VALUE": "URI", "FEATURE": ["AUDIO", "VIDEO"], "LABEL": "Visio"})
        entry.add("conference", "{conference}", parameters=features)
    entry.add("organizer", _address("organizer"))
    for number, accepted in enumerate(shape.accepted):
        attendee = _address(f"attendee{number}")
        attendee.params["CUTYPE"] = "INDIVIDUAL"
        attendee.params["ROLE"] = "REQ-PARTICIPANT"
        attendee.params["PARTSTAT"] = "ACCEPTED" if accepted else "NEEDS-ACTION"
        # Where nobody reads the organizer's mailbox, a button that answers would deceive.
        attendee.params["RSVP"] = "TRUE" if shape.answers else "FALSE"
        entry.add("attendee", attendee)
    if shape.method == "REQUEST":
        entry.add_component(_alarm())
    calendar = Calendar()
    calendar.add("prodid", "-//connecte-ton-manager//notify//FR")
    calendar.add("version", "2.0")
    calendar.add("method", shape.method)
    calendar.add_component(entry)
    return calendar


def _status(method: Method, *, agreed: bool) -> str:
    if method == "CANCEL":
        return "CANCELLED"
    return "CONFIRMED" if agreed else "TENTATIVE"


def _alarm() -> Component:
    alarm = Alarm()
    alarm.add("action", "DISPLAY")
    alarm.add("description", "{summary}")
    alarm.add("trigger", -ALARM)
    return alarm


def _address(whose: str) -> vCalAddress:
    address = vCalAddress(f"mailto:{{{whose}}}")
    address.params["CN"] = f"{{{whose}_name}}"
    return address


@lru_cache
def _zone() -> str:
    return str(Timezone.from_ical(_EUROPE_PARIS).to_ical().decode())


def _values(session: SessionEvent, invitation: Invitation, now: datetime) -> dict[str, str]:
    """What is put into the lines, as the library writes it there."""
    values = {
        "uid": _text(f"{session.cohort_id}/{session.session_id}@{invitation.domain}"),
        "revision": str(session.revision),
        "written": f"{now.astimezone(UTC):{_CLOCK}}",
        "starts": f"{session.starts_at.astimezone(PARIS):{_CLOCK}}",
        "ends": f"{session.ends_at.astimezone(PARIS):{_CLOCK}}",
        "summary": _text(invitation.summary),
        "description": _text(invitation.description),
        "url": invitation.url or "",
        "location": _text(invitation.location or ""),
        "conference": invitation.conference or "",
    }
    organizer, at = invitation.organizer
    values |= {"organizer": at, "organizer_name": _name(organizer)}
    for number, (name, email, _) in enumerate(invitation.attendees):
        values |= {f"attendee{number}": email, f"attendee{number}_name": _name(name)}
    return values


def _text(said: str) -> str:
    return str(vText(said).to_ical().decode())


def _name(said: str) -> str:
    # A parameter knows no escape: readers disagree on what a backslash before its end means.
    named = str(Parameters({"CN": said.replace("\\", "/")}).to_ical().decode())
    return named.removeprefix("CN=")


def _filled(line: str, values: Mapping[str, str]) -> str:
    filled = line.format_map(values)
    if "\n" in filled or "\r" in filled:
        raise ValueError(f"{line} has more than one line")
    return folded(filled.encode()).decode() + "\r\n"


def folded(line: bytes) -> bytes:
    """A content line (UTF-8), in lines of fewer than 75 octets (RFC 5545, 3.1).

    Neither a character nor an escape is parted, as in the library.
    """
    parts, start = [], 0
    while len(line) - start >= _FOLDED:
        end = start + _FOLDED - 1
        while line[end] & 0xC0 == 0x80:  # within a character
            end -= 1
        end -= line[end - 1] in _ESCAPES
        parts.append(line[start:end])
        start = end
    return b"\r\n ".join((*parts, line[start:]))
