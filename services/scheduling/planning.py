"""What is planned for a pair, and when: from its forming to its end.

Always holds: nobody is in two sessions at once; what is planned lies in the future; what finds no
date stays pending, comes last, and is tried again.
"""

from collections.abc import Callable, Iterable, Sequence
from datetime import datetime, timedelta
from typing import Any

from schemas.base import Event
from schemas.dates import ShiftCause
from schemas.scheduling import (
    PairStalled,
    PlanningBegan,
    PlanningPostponed,
    SessionCancelled,
    SessionPlanned,
    SessionPostponed,
    SessionShifted,
)
from services.chassis.domain import Decision, Refusal
from services.scheduling.agenda import Agenda
from services.scheduling.arranging import arrange
from services.scheduling.places import first_place
from services.scheduling.slots import overlaps
from services.scheduling.views import Calendar, PlanLine

RETRY = timedelta(weeks=1)
"""After how long a common free slot is sought again where there was none."""


def begin(new: Agenda | None, known: Agenda | None, now: datetime, key: bytes) -> Decision:
    """A pair was formed: it has its place, and all its sessions are planned."""
    if known is not None:
        return []
    if new is None:
        return Refusal("unknown", "unknown-cohort", "The cohort of this pair has not been opened.")
    began = new.pair_event(PlanningBegan, at=now)
    places = first_place(new, key)
    return [began, *places, *plan(new.after(began), now)]


def plan(
    agenda: Agenda,
    now: datetime,
    given_up: Sequence[int] = (),
    *,
    elsewhere: bool = False,
) -> list[Event]:
    """Give a date to every session that waits for one, or gives up its own: somebody is away then.

    `elsewhere`: in a session of another cohort. Each session that changes is told once. What finds
    no date is tried again a week later.
    """
    events: list[Event] = []
    first = agenda.pair.retry_at is None
    moves = [(line, at) for line, at in arrange(agenda, now, given_up) if _changes(line, at)]
    standing = {line.starts_at: line for line in agenda.pair.plan if _stands(line)}
    waiting = {line.number for line in agenda.pending} - {line.number for line, _ in moves}
    # Only a date that gives way has to do so first: new ones are told in their order.
    gives_way = any(map(_stands, (line for line, _ in moves)))
    while moves:
        line, at = move = _next_move(agenda, moves) if gives_way else moves[0]
        moves.remove(move)
        event: Event
        stood = standing.get(at)
        dated = {
            "confirmed_by": stood.confirmed_by if stood else (),
            "given_at": stood.given_at if stood else now,
        }
        if at is None:
            because = _because(given_up, elsewhere=elsewhere)
            event = agenda.session_event(SessionPostponed, line, **because)
        elif line.state == "pending":
            event = agenda.session_event(
                SessionPlanned,
                line,
                attempt=line.attempt + 1,
                starts_at=at,
                **dated,
            )
        else:
            event = agenda.session_event(
                SessionShifted,
                line,
                starts_at=at,
                previously_at=line.starts_at,
                **_because([n for n in given_up if n == line.number], elsewhere=elsewhere),
                **dated,
            )
        if gives_way:
            agenda = agenda.after(event)
        events.append(event)
    lines = agenda.pending if gives_way else [x for x in agenda.pending if x.number in waiting]
    if lines:
        events.append(_postponed(agenda, lines, now, first=first))
    return events


def _because(given_up: Sequence[int], *, elsewhere: bool) -> dict[str, Any]:
    """Why a session gives up its date: somebody is away, or an earlier session needs it."""
    cause: ShiftCause = "absence" if given_up else "earlier_session"
    return {"cause": cause, "elsewhere": elsewhere and cause == "absence"}


def _stands(line: PlanLine) -> bool:
    return line.state == "planned"


def _changes(line: PlanLine, at: datetime | None) -> bool:
    return at is not None if line.state == "pending" else at != line.starts_at


def _next_move(
    agenda: Agenda, moves: Sequence[tuple[PlanLine, datetime | None]]
) -> tuple[PlanLine, datetime | None]:
    """A move to a time that no other session of the pair has, or no more: there always is one.

    Sessions keep their order in time, so those that move later make room from the last one on.
    """
    for line, at in moves:
        if at is None:
            return line, at
        others = agenda.taken_here(agenda.session_id(line))
        if not overlaps(at, at + agenda.length, others):
            return line, at
    return moves[-1]


def _postponed(
    agenda: Agenda, lines: Iterable[PlanLine], now: datetime, *, first: bool
) -> PlanningPostponed:
    numbers, attempts = zip(*((line.number, line.attempt) for line in lines), strict=True)
    return agenda.pair_event(
        PlanningPostponed, numbers=numbers, attempts=attempts, retry_at=now + RETRY, first=first
    )


def plan_again(
    agendas: Iterable[Agenda],
    calendar: Calendar,
    now: datetime,
    lost: "Lost | None" = None,
    *,
    elsewhere: bool = False,
) -> list[Event]:
    """Plan the pairs of somebody whose `calendar` has changed: those that wait for a common hour.

    `lost`: and which sessions to come have to give up their dates; `elsewhere`, for such of other
    cohorts.
    """
    events: list[Event] = []
    calendars = {calendar.id: calendar}
    for known in agendas:
        agenda = known.with_calendars(calendars)
        gone = lost(agenda, now) if lost else ()
        if agenda.pair.state != "active" or not (agenda.pending or gone):
            continue
        found = plan(agenda, now, gone, elsewhere=elsewhere)
        if not gone and all(isinstance(event, PlanningPostponed) for event in found):
            continue  # as it was: it is tried again in its time
        for event in found:
            agenda = agenda.after(event)
        calendars |= {agenda.mentor.id: agenda.mentor, agenda.manager.id: agenda.manager}
        events.extend(found)
    return events


Lost = Callable[[Agenda, datetime], tuple[int, ...]]
"""Which sessions of a pair, by number, have to give up their dates."""


def to_come(line: PlanLine, now: datetime) -> datetime | None:
    """When a session is that has its date, and has not begun; None of any other."""
    at = line.starts_at
    return at if at is not None and _stands(line) and at > now else None


def dissolve(agenda: Agenda | None) -> Decision:
    """A pair has ended: its open sessions are cancelled."""
    if agenda is None:
        return Refusal("unknown", "unknown-pair", "There is no such pair in this cohort.")
    if agenda.pair.state != "active":
        return []
    return [
        agenda.session_event(SessionCancelled, line, cause="pair_dissolved")
        for line in agenda.pair.plan
        if line.state == "planned"
    ]


def pair_due(agenda: Agenda | None, now: datetime) -> list[Event]:
    """A pair has been idle for too long, or it is time to seek a slot for it again."""
    if agenda is None or agenda.pair.due_at is None or agenda.pair.due_at > now:
        return []
    events: list[Event] = []
    pair = agenda.pair
    if pair.stalls_at is not None and pair.stalls_at <= now:
        events.append(agenda.pair_event(PairStalled, since=pair.idle_since))
    if pair.retry_at is not None and pair.retry_at <= now:
        events.extend(plan(agenda, now))
    return events
