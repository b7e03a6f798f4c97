"""What a mail that came in says: an answer to an invitation, a letter that came back, or neither.

Pure, and bounded: how much is read of a mail, and how long that takes, does not depend on what it
says of itself. Always holds: what is found here is what the mail claims; who may claim it is asked
elsewhere.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from email import policy
from email.message import EmailMessage
from email.parser import BytesParser, HeaderParser
from email.utils import parseaddr
from typing import Literal

from icalendar import Calendar, Component
from pydantic import TypeAdapter, ValidationError

from schemas.base import CohortId, SessionId
from services.notify.inbound.zones import apart, zone
from services.notify.proof import HEADER

Reply = Literal["accepted", "declined", "tentative", "countered"]

MOST_PARTS = 100
MOST_LINES = 10_000
"""What stands behind them is not read: each may begin a part, a header or a report of its own."""
LONGEST_HEADER, ALL_HEADERS = 1000, 10_000
"""Bytes of those that are looked into: the library's time for one grows with its square."""
LONGEST_CALENDAR = 100_000
_ATTENDEES = 50


@dataclass(frozen=True, slots=True)
class Answer:
    """Somebody answers an invitation. Addresses are without case; `proposed_at` is of a counter.

    `sender` is who wrote the mail, `attendees` whose answer it says it is.
    """

    cohort_id: str
    session_id: str
    sequence: int
    reply: Reply
    sender: str
    attendees: frozenset[str]
    proposed_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Bounce:
    """A letter came back for good. `status` is that of RFC 3463, as `5.1.1`; `proof` is what it
    had with it, "" for nothing."""

    cohort_id: str
    letter_id: str
    proof: str
    status: str


@dataclass(frozen=True, slots=True)
class Passed:
    """Taken, and nothing follows from it; `reason` is what it is counted under."""

    reason: str


@dataclass(frozen=True, slots=True)
class Refused:
    """Not taken; its sender is told why by `reply`, as SMTP has it."""

    reason: str
    reply: str


Said = Answer | Bounce | Passed | Refused


def refused(reason: str, code: str, french: str, english: str) -> Refused:
    """What its sender reads in the report of their mail server: plain ASCII, as SMTP has it."""
    return Refused(reason, f"{code} {french} / {english}")


TOO_MANY = refused(
    "too-many-parts",
    "554 5.6.0",
    "ce message a trop de parties",
    "the mail has too many parts",
)
UNREADABLE = refused(
    "unreadable", "554 5.6.0", "ce message est illisible", "the mail cannot be read"
)
NO_ANSWER = refused(
    "no-answer",
    "550 5.7.1",
    "cette adresse ne lit que les reponses aux invitations : ecrivez a l'equipe du programme",
    "this address reads answers to invitations alone: please write to the programme's team",
)
_NO_CALENDAR = refused(
    "bad-calendar",
    "554 5.6.0",
    "la reponse de votre agenda est illisible : utilisez le lien de la lettre",
    "your calendar's answer cannot be read: please use the link of the letter",
)
_UNKNOWN = refused(
    "unknown-uid",
    "550 5.1.6",
    "cette reponse ne porte sur aucune invitation du programme",
    "the answer is to no invitation of this programme",
)
_NO_TIME = refused(
    "no-time",
    "554 5.6.0",
    "votre agenda n'a pas dit quand, ou dans un fuseau inconnu : utilisez le lien de la lettre",
    "your calendar did not say when, or in an unknown time zone: please use the link of the letter",
)

_PARTS = re.compile(rb"(?im)^content-type[ \t]*:")
_HEADERS = re.compile(
    rb"(?im)^(?:content-[a-z-]+|mime-version|auto-submitted|from|action|status|x-connecte-[a-z]+)"
    rb"[ \t]*:[^\n]*(?:\n[ \t][^\n]*)*"
)
_STATUS = re.compile(r"[245]\.\d{1,3}\.\d{1,3}")
_SESSION: TypeAdapter[str] = TypeAdapter(SessionId)
_COHORT: TypeAdapter[str] = TypeAdapter(CohortId)
_REPLIES: dict[str, Reply] = {
    "ACCEPTED": "accepted",
    "DECLINED": "declined",
    "TENTATIVE": "tentative",
}


def read(raw: bytes, envelope_sender: str | None) -> Said:
    """What a mail says. Never raises."""
    raw = _first_lines(raw)
    if len(_PARTS.findall(raw)) > MOST_PARTS:  # before anything follows them inward
        return TOO_MANY
    if _without_end(raw):
        return UNREADABLE
    try:
        mail = BytesParser(EmailMessage, policy=policy.default).parsebytes(raw)
        return _said(mail, envelope_sender or "")
    except Exception:  # noqa: BLE001 - whatever a stranger writes, it is not our fault
        return UNREADABLE


def _first_lines(raw: bytes) -> bytes:
    """Those that are read. The library takes any of three signs for the end of a line."""
    raw = raw.replace(b"\r\n", b"\n").replace(b"\r", b"\n")
    return b"\n".join(raw.split(b"\n", MOST_LINES)[:MOST_LINES])


def _without_end(raw: bytes) -> bool:
    """Whether there are headers, of those that are looked into, longer than any program writes."""
    headers = [len(header.group()) for header in _HEADERS.finditer(raw)]
    return max(headers, default=0) > LONGEST_HEADER or sum(headers) > ALL_HEADERS


def _said(mail: EmailMessage, envelope_sender: str) -> Said:
    if mail.get_content_type() == "multipart/report":
        return _bounce(mail)
    automatic = _automatic(mail)
    if automatic == "auto-replied":  # RFC 3834: somebody is away; that is no answer
        return Passed("automatic")
    calendar = next(_calendars(mail), None)
    if calendar is not None:
        return _answer(mail, calendar)
    if automatic or not envelope_sender:  # nobody is to be answered who would not read it
        return Passed("automatic")
    return NO_ANSWER


def _automatic(mail: EmailMessage) -> str:
    said = str(mail.get("Auto-Submitted", "no")).partition(";")[0].strip().lower()
    return "" if said == "no" else said


# --- answers ------------------------------------------------------------------------------------


def _calendars(mail: EmailMessage) -> Iterator[str]:
    """The calendar parts, as a body or attached, as the programs put them."""
    for part in mail.walk():
        name = str(part.get_filename() or "").lower()
        kind = part.get_content_type()
        if kind in ("text/calendar", "application/ics") or name.endswith(".ics"):
            content = part.get_payload(decode=True)
            if isinstance(content, bytes) and len(content) <= LONGEST_CALENDAR:
                yield content.decode("utf-8", "replace")


def _answer(mail: EmailMessage, text: str) -> Said:
    text, zones = apart(text)
    try:
        calendar = Calendar.from_ical(text)
        entry = next(iter(calendar.walk("VEVENT")))
        method = str(calendar.get("METHOD", "")).upper()
        uid, sequence = str(entry["UID"]).strip(), int(entry.get("SEQUENCE", 0))
    except Exception:  # noqa: BLE001 - a calendar has countless ways to be wrong
        return _NO_CALENDAR
    if method not in ("REPLY", "COUNTER"):
        return NO_ANSWER
    cohort_id, _, session_id = uid.partition("@")[0].partition("/")
    try:
        _COHORT.validate_python(cohort_id)
        _SESSION.validate_python(session_id)
    except ValidationError:
        return _UNKNOWN
    attendees = _attendees(entry)
    proposed_at = _moment(entry, zones) if method == "COUNTER" else None
    if method == "COUNTER" and proposed_at is None:
        return _NO_TIME
    said = next((said for _, said in attendees if said), None)
    reply = said if proposed_at is None else "countered"
    if reply is None:
        return Passed("undecided")
    sender = parseaddr(str(mail.get("From", "")))[1].casefold()
    named = frozenset(address for address, _ in attendees)
    return Answer(cohort_id, session_id, sequence, reply, sender, named, proposed_at)


def _attendees(entry: Component) -> list[tuple[str, Reply | None]]:
    """(address, what they say) of each; a reply has one."""
    found = entry.get("ATTENDEE", [])
    several = found if isinstance(found, list) else [found]
    return [
        (
            re.sub(r"(?i)^mailto:", "", str(one)).strip().casefold(),
            _REPLIES.get(str(one.params.get("PARTSTAT", "")).upper()),
        )
        for one in several[:_ATTENDEES]
    ]


def _moment(entry: Component, zones: Sequence[str]) -> datetime | None:
    """When it would begin, to the minute; None for a day, or for a time without its zone."""
    told = entry.get("DTSTART")
    start = getattr(told, "dt", None)
    if not isinstance(start, datetime):
        return None
    if start.tzinfo is None:
        start = start.replace(tzinfo=zone(zones, str(told.params.get("TZID", ""))))
    if start.tzinfo is None:
        return None
    return start.astimezone(UTC).replace(second=0, microsecond=0)


# --- letters that came back ---------------------------------------------------------------------


def _bounce(mail: EmailMessage) -> Said:
    """A delivery report (RFC 3464): only of what failed for good anything follows."""
    parts = list(mail.walk())
    reports = [part for part in parts if part.get_content_type() == "message/delivery-status"]
    fields = [block for report in reports for block in report.walk() if block.get("Action")]
    failed = [f for f in fields if str(f["Action"]).strip().lower() == "failed"]
    if not failed:
        return Passed("report")
    letter = _returned(parts)
    if letter is None:
        return Passed("unknown-letter")
    status = _STATUS.search(str(failed[0].get("Status", "")))
    return Bounce(*letter, status.group() if status else "5.0.0")


def _returned(parts: list[EmailMessage]) -> tuple[str, str, str] | None:
    """(cohort, letter, proof) by the headers of the letter, or of as much of it as came back."""
    for part in parts:
        if part.get_content_type() == "text/rfc822-headers":
            content = part.get_payload(decode=True)  # as base64 nobody has seen how long they are
            lines = _first_lines(content) if isinstance(content, bytes) else b""
            if _without_end(lines):
                raise ValueError("headers without end")
            text = lines.decode("utf-8", "replace")
            found = HeaderParser(policy=policy.default).parsestr(text)
        else:
            found = part
        cohort_id, letter_id = found.get("X-Connecte-Cohort"), found.get("X-Connecte-Letter")
        if cohort_id and letter_id:
            proof = found.get(HEADER, "")
            return str(cohort_id).strip(), str(letter_id).strip(), str(proof).strip()
    return None
