"""The calendar part of a letter: an iTIP message that puts a session in its reader's calendar.

Always holds: a session keeps its UID whatever becomes of it, and SEQUENCE is its revision, so a
calendar program never takes an older letter for a newer one. Pure: `now` is DTSTAMP.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import Literal

from icalendar import Alarm, Calendar, Component, Parameters, Timezone, vCalAddress
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
    """The iCalendar text, CRLF line ends."""
    entry = Entry()
    entry.add("uid", f"{session.cohort_id}/{session.session_id}@{invitation.domain}")
    entry.add("sequence", session.revision)
    entry.add("dtstamp", now.astimezone(UTC))
    entry.add("dtstart", session.starts_at.astimezone(PARIS))
    entry.add("dtend", session.ends_at.astimezone(PARIS))
    entry.add("summary", invitation.summary)
    entry.add("description", invitation.description)
    agreed = all(accepted for _, _, accepted in invitation.attendees)
    entry.add("status", _status(invitation.method, agreed=agreed))
    # Outlook shows the time as taken, or as taken perhaps, by this and not by the status.
    entry.add("x-microsoft-cdo-busystatus", "BUSY" if agreed else "TENTATIVE")
    entry.add("transp", "OPAQUE")
    if invitation.url:
        entry.add("url", invitation.url)
    if invitation.location:
        entry.add("location", invitation.location)
    if invitation.conference:
        # RFC 7986; programs that do not know it show the location, which is the same.
        features = Parameters({"VALUE": "URI", "FEATURE": ["AUDIO", "VIDEO"], "LABEL": "Visio"})
        entry.add("conference", invitation.conference, parameters=features)
    entry.add("organizer", _address(*invitation.organizer))
    for name, email, accepted in invitation.attendees:
        attendee = _address(name, email)
        attendee.params["CUTYPE"] = "INDIVIDUAL"
        attendee.params["ROLE"] = "REQ-PARTICIPANT"
        attendee.params["PARTSTAT"] = "ACCEPTED" if accepted else "NEEDS-ACTION"
        # Where nobody reads the organizer's mailbox, a button that answers would deceive.
        attendee.params["RSVP"] = "TRUE" if invitation.answers else "FALSE"
        entry.add("attendee", attendee)
    if invitation.method == "REQUEST":
        entry.add_component(_alarm(invitation.summary))
    calendar = Calendar()
    calendar.add("prodid", "-//connecte-ton-manager//notify//FR")
    calendar.add("version", "2.0")
    calendar.add("method", invitation.method)
    calendar.add_component(entry)
    head, begin, rest = _text(calendar).partition(_FIRST)
    return f"{head}{_zone()}{begin}{rest}"  # the zone is the same in all of them


def _text(calendar: Calendar) -> str:
    """As the library writes it, which looks at every character of every line by itself."""
    lines = (folded(line.encode()) for line in calendar.content_lines() if line)
    return b"".join(line + b"\r\n" for line in lines).decode()


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


def _status(method: Method, *, agreed: bool) -> str:
    if method == "CANCEL":
        return "CANCELLED"
    return "CONFIRMED" if agreed else "TENTATIVE"


def _alarm(summary: str) -> Component:
    alarm = Alarm()
    alarm.add("action", "DISPLAY")
    alarm.add("description", summary)
    alarm.add("trigger", -ALARM)
    return alarm


@lru_cache
def _zone() -> str:
    return str(Timezone.from_ical(_EUROPE_PARIS).to_ical().decode())


def _address(name: str, email: str) -> vCalAddress:
    address = vCalAddress(f"mailto:{email}")
    # A parameter knows no escape: readers disagree on what a backslash before its end means.
    address.params["CN"] = name.replace("\\", "/")
    return address
