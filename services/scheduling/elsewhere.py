"""What sessions of other cohorts take of a person's time, and which session gives way to which.

Always holds: of two sessions of one person that overlap, both cohorts choose the same one to move,
whichever hears of the other first: the one whose date is newer. What has begun does not move, and
of each other calendar the newest list counts alone.
"""

from collections.abc import Sequence
from datetime import datetime

from schemas.base import EARLIEST
from schemas.calendars import HoursElsewhereNoted, NoteHoursElsewhere
from schemas.saying import PARIS
from services.chassis.domain import Decision, Refusal
from services.scheduling.agenda import Agenda
from services.scheduling.planning import plan_again, to_come
from services.scheduling.slots import overlaps
from services.scheduling.views import Calendar, Cohort, Elsewhere

MOST = 50
"""Other calendars of one person: each is read and written with whatever is said of theirs."""

_NO_COHORT = Refusal("unknown", "unknown-cohort", "The cohort has not been opened.")
_OUTDATED = Refusal("conflict", "outdated-hours", "A newer list of these hours has been noted.")

_TOO_MANY = Refusal(
    "conflict", "too-many-calendars", f"Hours of {MOST} other calendars of a person are noted."
)


def note(
    cohort: Cohort | None,
    calendar: Calendar,
    agendas: Sequence[Agenda],
    command: NoteHoursElsewhere,
    now: datetime,
) -> Decision:
    """Somebody has these hours taken in another cohort; their sessions with newer dates move."""
    if cohort is None:
        return _NO_COHORT
    known = _of(calendar, command.calendar)
    if known is not None and command.revision < known.revision:
        return _OUTDATED
    if command.gone and known is None:
        return Refusal("unknown", "unknown-hours", "No hours of that calendar are noted.")
    if not command.gone and known is not None and _same(known, command):
        return []
    if known is None and len(calendar.elsewhere) >= MOST:
        return _TOO_MANY
    noted = HoursElsewhereNoted(
        cohort_id=command.cohort_id,
        person_id=calendar.id,
        said_on=now.astimezone(PARIS).date().isoformat(),
        calendar=command.calendar,
        revision=command.revision,
        goes_first=command.goes_first,
        hours=command.hours,
        gone=command.gone,
    )
    again = plan_again(agendas, after(calendar, noted), now, _lost, elsewhere=True)
    return [noted, *again]


def after(calendar: Calendar, event: HoursElsewhereNoted) -> Calendar:
    """The calendar once the event has happened."""
    others = [other for other in calendar.elsewhere if other.calendar != event.calendar]
    if not event.gone:
        told = Elsewhere(
            calendar=event.calendar,
            revision=event.revision,
            goes_first=event.goes_first,
            hours=event.hours,
        )
        others.append(told)
    ordered = tuple(sorted(others, key=lambda other: other.calendar))
    return calendar.model_copy(update={"elsewhere": ordered})


def _of(calendar: Calendar, other: str) -> Elsewhere | None:
    return next((one for one in calendar.elsewhere if one.calendar == other), None)


def _same(known: Elsewhere, command: NoteHoursElsewhere) -> bool:
    return (known.goes_first, known.hours) == (command.goes_first, command.hours)


def _lost(agenda: Agenda, now: datetime) -> tuple[int, ...]:
    """The sessions to come whose time is taken elsewhere by a date that stands longer."""
    others = [*agenda.mentor.elsewhere, *agenda.manager.elsewhere]
    return tuple(
        line.number
        for line in agenda.pair.plan
        if (at := to_come(line, now))
        and overlaps(at, at + agenda.length, _older(others, line.given_at or EARLIEST))
    )


def _older(others: Sequence[Elsewhere], given_at: datetime) -> list[tuple[datetime, datetime]]:
    """(start, end) of the hours whose dates stand longer than one that was given then."""
    return [
        (hours.starts_at, hours.ends_at)
        for other in others
        for hours in other.hours
        if (hours.given_at or EARLIEST, not other.goes_first) < (given_at, True)
    ]
