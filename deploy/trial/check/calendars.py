"""Calendars: what the attendees' programs make of the invitations in the mailbox.

Told from RFC 5545 and RFC 5546 and never taken from notify. Always holds of a sound run: every
calendar part can be read; of one UID a SEQUENCE says one thing, to everybody; and the last thing
that the two attendees of a session were told is the same, if no mail server refused to tell them.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence, Set
from email.message import EmailMessage
from typing import Any, NamedTuple

from icalendar import Calendar


class State(NamedTuple):
    """What an invitation says of a session."""

    sequence: int
    method: str
    starts: str
    status: str


def check_calendars(mails: Iterable[EmailMessage], given_up: Set[str] = frozenset()) -> list[str]:
    """What is wrong with the invitations in a mailbox, in sentences without an address.

    `given_up`: the letters (`cohort/id`) that failed. What one that is not there would have told of
    a session, one of its attendees cannot know.
    """
    found: list[str] = []
    missing = set(given_up)
    told: dict[str, dict[str, list[State]]] = defaultdict(lambda: defaultdict(list))
    for mail in mails:
        name = str(mail.get("X-Connecte-Letter", "?"))
        missing.discard(f"{mail.get('X-Connecte-Cohort')}/{name}")
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
    untold = {_session_of(letter) for letter in missing}
    for uid, by_reader in told.items():
        found += _session(uid, by_reader, whole=uid.rpartition("@")[0] not in untold)
    return found


def _session_of(letter: str) -> str:
    """`cohort/session` of `cohort/SessionPlanned:session:1.0:person`; of other letters none."""
    cohort, _, name = letter.partition("/")
    return f"{cohort}/{name.split(':')[1]}"


def _state(part: EmailMessage) -> tuple[str, State]:
    content = part.get_payload(decode=True)
    assert isinstance(content, bytes)
    calendar = Calendar.from_ical(content.decode())
    event: Any
    (event,) = calendar.walk("VEVENT")
    starts = event["DTSTART"].dt.isoformat()
    method, status = str(calendar["METHOD"]), str(event["STATUS"])
    return str(event["UID"]), State(int(event["SEQUENCE"]), method, starts, status)


def _session(uid: str, by_reader: Mapping[str, Sequence[State]], *, whole: bool) -> Iterator[str]:
    said: dict[int, State] = {}
    for states in by_reader.values():
        for state in states:
            if said.setdefault(state.sequence, state) != state:
                yield f"{uid}: SEQUENCE {state.sequence} says two things."
    last = {max(states).sequence for states in by_reader.values()}
    if whole and (len(last) > 1 or len(by_reader) != 2):
        yield f"{uid}: the two attendees were not told the same last: {sorted(last)}."
