"""The calendar part of a letter: an iTIP message that puts a session in its reader's calendar.

Always holds: a session keeps its UID whatever becomes of it, and SEQUENCE is its revision, so a
calendar program never takes an older letter for a newer one. Pure: `now` is DTSTAMP.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache
from typing import Literal

from icalendar import Calendar, Component, Parameters, Timezone, vCalAddress
from icalendar import Event as Entry

from schemas.saying import PARIS
from schemas.scheduling import SessionEvent

Method = Literal["REQUEST", "CANCEL"]

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


@dataclass(frozen=True, slots=True)
class Invitation:
    """What a calendar shows. `organizer` and `attendees` are (name, address).

    `location` is where it takes place, in words; `conference` the link to join.
    """

    method: Method
    summary: str
    description: str
    organizer: tuple[str, str]
    attendees: Sequence[tuple[str, str]]
    url: str | None
    location: str | None = None
    conference: str | None = None


def calendar_of(session: SessionEvent, invitation: Invitation, now: datetime) -> str:
    """The iCalendar text, CRLF line ends."""
    entry = Entry()
    entry.add("uid", f"{session.cohort_id}/{session.session_id}")
    entry.add("sequence", session.revision)
    entry.add("dtstamp", now.astimezone(UTC))
    entry.add("dtstart", session.starts_at.astimezone(PARIS))
    entry.add("dtend", session.ends_at.astimezone(PARIS))
    entry.add("summary", invitation.summary)
    entry.add("description", invitation.description)
    entry.add("status", "CANCELLED" if invitation.method == "CANCEL" else "CONFIRMED")
    if invitation.url:
        entry.add("url", invitation.url)
    if invitation.location:
        entry.add("location", invitation.location)
    if invitation.conference:
        # RFC 7986; programs that do not know it show the location, which is the same.
        features = Parameters({"VALUE": "URI", "FEATURE": ["AUDIO", "VIDEO"], "LABEL": "Visio"})
        entry.add("conference", invitation.conference, parameters=features)
    entry.add("organizer", _address(*invitation.organizer))
    for name, email in invitation.attendees:
        attendee = _address(name, email)
        attendee.params["ROLE"] = "REQ-PARTICIPANT"
        attendee.params["PARTSTAT"] = "NEEDS-ACTION"
        # The answer comes by the letter's link: nobody reads the organizer's mailbox.
        attendee.params["RSVP"] = "FALSE"
        entry.add("attendee", attendee)
    calendar = Calendar()
    calendar.add("prodid", "-//connecte-ton-manager//notify//FR")
    calendar.add("version", "2.0")
    calendar.add("method", invitation.method)
    calendar.add_component(_zone())
    calendar.add_component(entry)
    return str(calendar.to_ical().decode())


@lru_cache
def _zone() -> Component:
    return Timezone.from_ical(_EUROPE_PARIS)


def _address(name: str, email: str) -> vCalAddress:
    address = vCalAddress(f"mailto:{email}")
    # A parameter knows no escape: readers disagree on what a backslash before its end means.
    address.params["CN"] = name.replace("\\", "/")
    return address
