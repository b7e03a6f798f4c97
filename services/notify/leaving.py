"""What leaves a tray once it is due, and the tray without it. Pure.

Always holds: what is due has left, as far as the facts of that moment are concerned. None of them
takes anything from it or adds to it, whether it is read before the tray is emptied or after: so
what is told depends on the facts and their moments, and not on who is faster.
"""

from dataclasses import dataclass
from datetime import datetime

from schemas.saying import PARIS
from schemas.values import QuietHours
from services.notify.calendar import next_sending_time
from services.notify.letters import TELLINGS, rank
from services.notify.reminding import NOTICE, deadline_of
from services.notify.views import Entry, Tray


@dataclass(frozen=True, slots=True)
class Leaving:
    """`together` is told in one letter, `alone` in a letter each; `late` is told to nobody."""

    together: tuple[Entry, ...] = ()
    alone: tuple[Entry, ...] = ()
    late: tuple[Entry, ...] = ()


def leaving(tray: Tray, quiet_hours: QuietHours, now: datetime) -> Leaving:
    """What has waited for long enough, and what goes with it: what is older than this moment."""
    if tray.due_at is None or tray.due_at > now:
        return Leaving()
    send_at = next_sending_time(now, quiet_hours)
    late = [entry for entry in tray.waiting if _is_too_late(entry, now, send_at)]
    waiting = [entry for entry in tray.waiting if entry not in late]
    ready = [entry for entry in waiting if entry.tell_at <= now]
    together: list[Entry] = []
    if any(TELLINGS[entry.template].waits and not _only_travels(entry) for entry in ready):
        some = (entry for entry in waiting if TELLINGS[entry.template].waits)
        together = [entry for entry in some if entry.tell_at <= now or entry.joins_from < now]
    else:
        late += [entry for entry in ready if _only_travels(entry)]
    alone = [entry for entry in ready if not TELLINGS[entry.template].waits]
    return Leaving(
        tuple(sorted(together, key=_place)), tuple(sorted(alone, key=_place)), tuple(late)
    )


def without_what_leaves(tray: Tray, quiet_hours: QuietHours, now: datetime) -> Tray:
    """The tray as it will be, or is, once it has been emptied at this moment."""
    going = leaving(tray, quiet_hours, now)
    gone = (*going.together, *going.alone, *going.late)
    if not gone:
        return tray
    asked = (e.facts["session_id"] for e in going.together if e.template == "AttendanceRequested")
    told_on = day_of(next_sending_time(now, quiet_hours)) if going.together else tray.told_on
    return tray.model_copy(
        update={
            "waiting": tuple(entry for entry in tray.waiting if entry not in gone),
            "asked": (*tray.asked, *asked),
            "told_on": told_on,
        }
    )


def day_of(moment: datetime) -> str:
    """Its day in Paris, as `2017-03-06`."""
    return moment.astimezone(PARIS).date().isoformat()


def _place(entry: Entry) -> tuple[int, datetime, str]:
    """Of what a letter tells the most important first, then the oldest."""
    return rank(entry.template), entry.joins_from, entry.news_id


def _is_too_late(entry: Entry, now: datetime, send_at: datetime) -> bool:
    """Whether it is a reminder of which the moment has passed before it could be told."""
    deadline = deadline_of(entry.template, entry.facts)
    return deadline is not None and entry.tell_at <= now and send_at + NOTICE > deadline


def _only_travels(entry: Entry) -> bool:
    """The questions after a session are brought to mind by another letter, or not at all."""
    return entry.template == "SurveyReminder" and entry.facts["kind"] == "session"
