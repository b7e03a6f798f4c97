"""Calendars: what the attendees' programs make of the invitations in the mailbox.

Told from RFC 5545 and RFC 5546 and never taken from notify. Always holds of a sound run: every
calendar part can be read; of one UID a SEQUENCE says one thing, to everybody; and the last thing
that the two attendees of a session were told is the same.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from email.message import EmailMessage
from typing import Any, NamedTuple

from icalendar import Calendar


class State(NamedTuple):
    """What an invitation says of a session."""

    sequence: int
    method: str
    starts: str
    status: str


def check_calendars(mails: Iterable[EmailMessage]) -> list[str]:
    """What is wrong with the invitations in a mailbox, in sentences without an address."""
    found: list[str] = []
    told: dict[str, dict[str, list[State]]] = defaultdict(lambda: defaultdict(list))
    for mail in mails:
        name = str(mail.get("X-Connecte-Letter", "?"))
        for part in mail.walk():
            if part.get_content_type() != "text/calendar":
                continue
            try:
                uid, state = _state(part)
            except Exception as error:  # noqa: BLE001 - whatever is wrong with it is the finding
                found.append(f"The calendar of letter {name} cannot be read: {error}.")
                continue
            if state.method != str(part.get_param("method")):
                found.append(f"Letter {name} names another method than its calendar.")
            told[uid][name.rpartition(":")[2]].append(state)
    for uid, by_reader in told.items():
        found += _session(uid, by_reader)
    return found


def _state(part: EmailMessage) -> tuple[str, State]:
    content = part.get_payload(decode=True)
    assert isinstance(content, bytes)
    calendar = Calendar.from_ical(content.decode())
    event: Any
    (event,) = calendar.walk("VEVENT")
    starts = event["DTSTART"].dt.isoformat()
    method, status = str(calendar["METHOD"]), str(event["STATUS"])
    return str(event["UID"]), State(int(event["SEQUENCE"]), method, starts, status)


def _session(uid: str, by_reader: Mapping[str, Sequence[State]]) -> Iterator[str]:
    said: dict[int, State] = {}
    for states in by_reader.values():
        for state in states:
            if said.setdefault(state.sequence, state) != state:
                yield f"{uid}: SEQUENCE {state.sequence} says two things."
    last = {max(states).sequence for states in by_reader.values()}
    if len(last) > 1 or len(by_reader) != 2:
        yield f"{uid}: the two attendees were not told the same last: {sorted(last)}."
