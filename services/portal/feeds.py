"""Somebody's sessions as a calendar that programs subscribe to. Pure.

Always holds: a session has the UID of its invitations, so that a program that has both shows it
once; every session is there with its state, and what fell through is cancelled, not gone.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta

from icalendar import Calendar, Event, vDuration

from schemas.places import where
from schemas.values import Language
from services.portal import phrases
from services.portal.views import Cohort, Pair, Participant, Session

REFRESH = timedelta(hours=6)
"""How often programs are asked to look. Many look less often: invitations come by mail."""

_GONE = ("postponed", "missed", "cancelled")


def calendar_of(
    cohort: Cohort,
    me: Participant,
    sessions: Sequence[Session],
    pairs: Mapping[str, Pair],
    others: Mapping[str, Participant],
    domain: str,
    changed_at: datetime,
) -> bytes:
    """The iCalendar text. `domain` is that of the invitations' UIDs."""
    language = me.language
    calendar = Calendar()
    calendar.add("prodid", "-//connecte-ton-manager//portal//FR")
    calendar.add("version", "2.0")
    calendar.add("method", "PUBLISH")
    calendar.add("name", cohort.name)
    calendar.add("x-wr-calname", cohort.name)
    calendar.add("refresh-interval", vDuration(REFRESH), parameters={"VALUE": "DURATION"})
    calendar.add("x-published-ttl", vDuration(REFRESH))
    for session in sorted(sessions, key=lambda one: (one.starts_at, one.id)):
        other = session.manager_id if session.mentor_id == me.id else session.mentor_id
        entry = Event()
        entry.add("uid", f"{session.cohort_id}/{session.id}@{domain}")
        entry.add("dtstamp", changed_at)
        entry.add("dtstart", session.starts_at)
        entry.add("dtend", session.ends_at)
        entry.add("summary", _summary(session, others.get(other), language))
        entry.add("status", _status(session))
        entry.add("transp", "TRANSPARENT" if session.state in _GONE else "OPAQUE")
        pair = pairs.get(session.pair_id)
        if pair is not None and pair.place is not None:
            entry.add("location", where(pair.place, language))
        calendar.add_component(entry)
    return bytes(calendar.to_ical())


def _summary(session: Session, other: Participant | None, language: Language) -> str:
    state = session.state
    if state == "planned" and len(set(session.confirmed_by)) == 2:
        shown = "confirmed"
    else:
        shown = "presumed" if session.presumed else state
    said = phrases.STATES[shown][language]
    with_ = f"{'avec' if language == 'fr' else 'with'} {other.name}" if other and other.name else ""
    what = "Séance" if language == "fr" else "Session"
    return " ".join(f"{what} {session.number} {with_} ({said})".split())


def _status(session: Session) -> str:
    if session.state in _GONE:
        return "CANCELLED"
    both = len(set(session.confirmed_by)) == 2
    return "CONFIRMED" if both or session.state == "completed" else "TENTATIVE"
