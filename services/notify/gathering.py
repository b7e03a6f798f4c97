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
from services.notify.leaving import leaving
from services.notify.telling import leaves_at_night, rules_of
from services.notify.views import Cohort, Entry, Tray

MOST_PARTS = 20
"""So much is told in one letter; what is left makes another."""
_NAMES_DATES = {"PairFormed", "AttendanceRequested", "AttendanceReminded", "SurveyOpened"}


def seal(cohort: Cohort | None, tray: Tray | None, now: datetime) -> Decision:
    """The letters of what has waited for long enough, and what can go with them."""
    if tray is None:
        return []
    _, quiet_hours = rules_of(cohort)
    going = leaving(tray, quiet_hours, now)
    send_at = next_sending_time(now, quiet_hours)
    events: list[Event] = [_dropped(tray, entry) for entry in going.late]
    if going.together:
        events.append(_letter(tray, going.together[:MOST_PARTS], send_at, now))
    for entry in going.alone:
        urgent = leaves_at_night(entry, quiet_hours)
        letter = _letter(tray, [entry], now if urgent else send_at, now)
        events.append(letter.model_copy(update={"urgent": urgent}))
    return events


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
