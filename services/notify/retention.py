"""Decisions about the end of a retention: a closed cohort's people are erased, some at a time.

What erases them is the tombstone of `connecte erase`; it is written outside of any decision, and
reported. Always holds: it is looked again until nobody is left, and whenever somebody comes later.
"""

from datetime import datetime, timedelta

from schemas.base import Event
from schemas.notify import ContactsErased
from services.notify.messages import TombstonesWritten
from services.notify.views import Retention

ERASED_AT_ONCE = 1000
PAUSE = timedelta(minutes=10)
"""By when the service has read its own tombstones; one that is written twice does no harm."""
LATECOMERS = timedelta(days=1)


def conclude(retention: Retention | None, report: TombstonesWritten, now: datetime) -> list[Event]:
    """Some were erased: look again; nobody was left: that is all."""
    if retention is None or retention.due_at is None or retention.due_at > now:
        return []
    next_at = now + PAUSE if report.erased else None
    return [ContactsErased(cohort_id=report.cohort_id, erased=report.erased, next_at=next_at)]


def resume(retention: Retention | None, now: datetime) -> list[Event]:
    """Somebody gives a contact of a cohort whose time is over: they are erased, too.

    Also where it is being looked for people right now: whoever looks may have looked before them.
    """
    if retention is None or (retention.due_at is not None and retention.due_at > now):
        return []
    at = now + (LATECOMERS if retention.due_at is None else PAUSE)
    return [ContactsErased(cohort_id=retention.cohort_id, erased=0, next_at=at)]
