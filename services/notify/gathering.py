"""What waits for somebody becomes letters: one of what can wait, and each invitation by itself.

Always holds: an entry leaves the tray by becoming part of exactly one letter, or by being dropped;
a letter is written in full when it is queued, and nothing is added to it afterwards.
"""

from collections.abc import Sequence
from datetime import datetime

from schemas.base import Event
from schemas.notify import LetterQueued, News, NewsDropped, SessionDate
from services.chassis.domain import Decision
from services.notify.calendar import next_sending_time
from services.notify.letters import TELLINGS, rank
from services.notify.reminding import NOTICE, deadline_of
from services.notify.telling import rules_of
from services.notify.views import Cohort, Entry, Tray

MOST_PARTS = 20
"""So much is told in one letter; what is left makes another."""
_NAMES_DATES = {"PairFormed", "AttendanceRequested", "AttendanceReminded", "SurveyOpened"}


def seal(cohort: Cohort | None, tray: Tray | None, now: datetime) -> Decision:
    """The letters of what has waited for long enough, and what can go with them."""
    if tray is None or tray.due_at is None or tray.due_at > now:
        return []
    _, quiet_hours = rules_of(cohort)
    send_at = next_sending_time(now, quiet_hours)
    late = [entry for entry in tray.waiting if _is_too_late(entry, now, send_at)]
    events: list[Event] = [_dropped(tray, entry) for entry in late]
    waiting = [entry for entry in tray.waiting if entry not in late]
    ready = [entry for entry in waiting if entry.tell_at <= now]
    if any(TELLINGS[e.template].waits and not _only_travels(e) for e in ready):
        told = [e for e in waiting if TELLINGS[e.template].waits and e.joins_from <= now]
        told.sort(key=lambda entry: rank(entry.template))
        events.append(_letter(tray, told[:MOST_PARTS], send_at, now))
    else:
        events += [_dropped(tray, entry) for entry in ready if _only_travels(entry)]
    alone = [entry for entry in ready if not TELLINGS[entry.template].waits]
    return [*events, *(_letter(tray, [entry], send_at, now) for entry in alone)]


def _is_too_late(entry: Entry, now: datetime, send_at: datetime) -> bool:
    """Whether it is a reminder of which the moment has passed before it could be told."""
    deadline = deadline_of(entry.template, entry.facts)
    return deadline is not None and entry.tell_at <= now and send_at + NOTICE > deadline


def _only_travels(entry: Entry) -> bool:
    """The questions after a session are brought to mind by another letter, or not at all."""
    return entry.template == "SurveyReminder" and entry.facts["kind"] == "session"


def _dropped(tray: Tray, entry: Entry) -> NewsDropped:
    return NewsDropped(
        cohort_id=tray.cohort_id,
        letter_id=entry.news_id,
        person_id=tray.id,
        template=entry.template,
        cause="too-late",
    )


def _letter(tray: Tray, entries: Sequence[Entry], send_at: datetime, now: datetime) -> LetterQueued:
    first, *more = entries
    return LetterQueued(
        cohort_id=tray.cohort_id,
        letter_id=first.news_id,
        person_id=tray.id,
        template=first.template,
        side=first.side,
        facts=first.facts,
        send_at=send_at,
        also=tuple(
            News(news_id=e.news_id, template=e.template, side=e.side, facts=e.facts) for e in more
        ),
        dates=_dates(tray, entries, now),
    )


def _dates(tray: Tray, entries: Sequence[Entry], now: datetime) -> tuple[SessionDate, ...]:
    """The sessions to come of the pairs of which the letter names the dates."""
    pairs = {entry.facts.get("pair_id") for entry in entries if entry.template in _NAMES_DATES}
    found = [date for date in tray.dates if date.pair_id in pairs and date.starts_at > now]
    return tuple(sorted(found, key=lambda date: date.starts_at))
