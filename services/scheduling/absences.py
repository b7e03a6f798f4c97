"""What people say of single dates: absences, and hours beyond their week.

Always holds: no two absences of a person overlap; what lies in the past is neither declared nor
withdrawn; a session that comes to lie in an absence gets another date, or waits for one.
"""

from collections.abc import Sequence
from datetime import date, datetime, timedelta

from schemas.base import CohortId
from schemas.calendars import (
    AbsenceDeclared,
    AbsenceWithdrawn,
    CalendarEvent,
    DeclareAbsence,
    HoursOffered,
    OfferHours,
    WithdrawAbsence,
)
from schemas.dates import Absence, Hours, OfferedDay
from schemas.saying import PARIS
from services.chassis.domain import Decision, Refusal
from services.scheduling.agenda import Agenda
from services.scheduling.planning import plan_again, to_come
from services.scheduling.slots import is_working_day
from services.scheduling.views import Calendar, Cohort

MOST = 100
"""Absences of one person to come, and dates with hours beyond the week."""
FARTHEST = timedelta(days=730)
"""Nobody says earlier than that what is on a date."""

_NO_COHORT = Refusal("unknown", "unknown-cohort", "The cohort has not been opened.")
_TOO_MANY = Refusal("conflict", "too-many-dates", "A person names a hundred dates to come at most.")
_TOO_FAR = Refusal("invalid", "too-far-ahead", "A date lies within the next two years.")


def declare(
    cohort: Cohort | None,
    calendar: Calendar,
    agendas: Sequence[Agenda],
    command: DeclareAbsence,
    now: datetime,
) -> Decision:
    """Somebody is away; their sessions of these days move."""
    if cohort is None:
        return _NO_COHORT
    absence = Absence(first_day=command.first_day, last_day=command.last_day, hours=command.hours)
    if absence in calendar.absences:
        return []
    today = _today(now)
    if absence.last_day < today:
        return Refusal("conflict", "absence-over", "The absence lies in the past: nothing moves.")
    if _too_far(absence.last_day, now):
        return _TOO_FAR
    if any(_overlap(absence, other) for other in calendar.absences):
        return Refusal(
            "conflict",
            "absence-overlaps",
            "It overlaps an absence that was declared before: withdraw that one first.",
        )
    if sum(other.last_day >= today for other in calendar.absences) >= MOST:
        return _TOO_MANY
    declared = AbsenceDeclared(**_about(command.cohort_id, calendar, today), absence=absence)
    return [declared, *plan_again(agendas, after(calendar, declared), now, _lost)]


def _lost(agenda: Agenda, now: datetime) -> tuple[int, ...]:
    """The sessions to come that lie in an absence of one of the two."""
    return tuple(
        line.number
        for line in agenda.pair.plan
        if (at := to_come(line, now)) and any(f.is_away(at, agenda.length) for f in agenda.free)
    )


def withdraw(
    cohort: Cohort | None,
    calendar: Calendar,
    agendas: Sequence[Agenda],
    command: WithdrawAbsence,
    now: datetime,
) -> Decision:
    """Somebody is there after all; what waits for a common hour is planned, if there is one now."""
    if cohort is None:
        return _NO_COHORT
    begins = command.first_day, command.hours
    absence = next((a for a in calendar.absences if (a.first_day, a.hours) == begins), None)
    today = _today(now)
    if absence is None:
        return Refusal("unknown", "unknown-absence", "No absence of theirs begins like this.")
    if absence.last_day < today:
        return Refusal("conflict", "absence-over", "The absence lies in the past: nothing moves.")
    withdrawn = AbsenceWithdrawn(**_about(command.cohort_id, calendar, today), absence=absence)
    return [withdrawn, *plan_again(agendas, after(calendar, withdrawn), now)]


def offer(
    cohort: Cohort | None,
    calendar: Calendar,
    agendas: Sequence[Agenda],
    command: OfferHours,
    now: datetime,
) -> Decision:
    """Somebody can meet on a date beyond their week, in these hours and no others."""
    if cohort is None:
        return _NO_COHORT
    offered = OfferedDay(day=command.day, hours=tuple(sorted(command.hours, key=_begin)))
    said = next((one.hours for one in calendar.offered if one.day == offered.day), ())
    if not offered.hours and not said:
        return Refusal("unknown", "unknown-hours", "No hours were offered for that date.")
    if offered.hours == said:
        return []
    today = _today(now)
    if offered.day < today:
        return Refusal("conflict", "date-over", "The date lies in the past.")
    if _too_far(offered.day, now):
        return _TOO_FAR
    if not is_working_day(date.fromisoformat(offered.day)):
        return Refusal("invalid", "not-a-working-day", "A session takes place on a working day.")
    if offered.hours and sum(other.day >= today for other in calendar.offered) >= MOST:
        return _TOO_MANY
    told = HoursOffered(**_about(command.cohort_id, calendar, today), offered=offered)
    return [told, *plan_again(agendas, after(calendar, told), now)]


def after(calendar: Calendar, event: CalendarEvent) -> Calendar:
    """The calendar once the event has happened; what was over by then is forgotten."""
    absences = [a for a in calendar.absences if a.last_day >= event.said_on]
    offered = [o for o in calendar.offered if o.day >= event.said_on]
    match event:
        case AbsenceDeclared():
            absences.append(event.absence)
        case AbsenceWithdrawn():
            absences = [a for a in absences if a != event.absence]
        case HoursOffered():
            offered = [o for o in offered if o.day != event.offered.day]
            offered += [event.offered] if event.offered.hours else []
    return calendar.model_copy(
        update={
            "absences": tuple(sorted(absences, key=lambda a: (a.first_day, _begin(a.hours)))),
            "offered": tuple(sorted(offered, key=lambda o: o.day)),
        }
    )


def _about(cohort_id: CohortId, calendar: Calendar, today: str) -> dict[str, str]:
    return {"cohort_id": cohort_id, "person_id": calendar.id, "said_on": today}


def _today(now: datetime) -> str:
    return now.astimezone(PARIS).date().isoformat()


def _too_far(day: str, now: datetime) -> bool:
    return date.fromisoformat(day) > now.astimezone(PARIS).date() + FARTHEST


def _overlap(one: Absence, other: Absence) -> bool:
    if one.last_day < other.first_day or other.last_day < one.first_day:
        return False
    if one.hours is None or other.hours is None:
        return True
    return one.hours.start < other.hours.end and other.hours.start < one.hours.end


def _begin(hours: Hours | None) -> str:
    return "" if hours is None else hours.start
