"""Which dates the sessions to come of a pair get: the search behind every planning. Pure.

What it keeps to, and what it prefers, is told in docs/scheduling.md. Always holds: of the sessions
to come, the one with the lower number is held first; as many get a date as can, and of all plans
that do so the one is taken that gives up the fewest confirmed dates, then the fewest dates, then
changes the fewest sessions, then begins earliest.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime, time, timedelta
from typing import NamedTuple

from schemas.saying import PARIS
from services.scheduling.agenda import Agenda
from services.scheduling.slots import days_later, next_slot
from services.scheduling.views import PlanLine

NOTICE_DAYS = 3
"""How many days ahead a session is planned at least, so that people can arrange for it."""

Dates = tuple[datetime | None, ...]
Arranged = list[tuple[PlanLine, datetime | None]]
"""The sessions to come, by number, each with its date; None for those that wait, the last ones."""


class _Cost(NamedTuple):
    """What speaks against a plan; the first that differs decides."""

    waiting: int
    confirmations_lost: int
    dates_lost: int
    changed: int
    dates: tuple[float, ...]


def arrange(agenda: Agenda, now: datetime, given_up: Sequence[int] = ()) -> Arranged:
    """The best plan for the sessions to come; those of these numbers cannot keep their dates."""
    lines = [line for line in agenda.pair.plan if is_to_come(line, now)]
    if not lines:
        return []
    search = _Search(agenda, now, lines, [line for line in lines if line.number not in given_up])
    return list(zip(lines, search.best(-1, -1)[1], strict=True))


def is_to_come(line: PlanLine, now: datetime) -> bool:
    """Whether a session may still get another date."""
    match line.state:
        case "pending":
            return True
        case "planned":
            return line.starts_at is not None and line.starts_at > now
        case _:
            return False


@dataclass(slots=True)
class _Search:
    """Looks at every way to give dates that stand to sessions, with new ones between them.

    Between two dates that stand, the earliest possible ones leave most room for those that follow;
    so all that is to be tried is which session gets which of the dates that stand.
    """

    agenda: Agenda
    at: datetime
    lines: list[PlanLine]
    keeping: list[PlanLine]
    _standing: list[PlanLine] = field(init=False)
    _taken: list[tuple[datetime, datetime]] = field(init=False)
    _last: datetime | None = field(init=False)
    _found: dict[tuple[int, int], tuple[_Cost, Dates]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        agenda, numbers = self.agenda, {line.number for line in self.lines}
        self._standing = [line for line in self.keeping if line.state == "planned"]
        self._standing.sort(key=_start)
        self._taken = agenda.taken(*(agenda.session_id(line) for line in self.lines))
        gone = (line for line in agenda.pair.plan if line.number not in numbers and line.starts_at)
        self._last = max(map(_start, gone), default=None)

    def best(self, line: int, date: int) -> tuple[_Cost, Dates]:
        """The best dates of all after the `line`th, which has the `date`th of those that stand.

        -1 for both is the beginning: what was before.
        """
        key = line, date
        if key not in self._found:
            self._found[key] = min(self._plans(line, date), key=lambda plan: plan[0])
        return self._found[key]

    def _plans(self, line: int, date: int) -> Iterator[tuple[_Cost, Dates]]:
        new = self._new_dates(line, _start(self._standing[date]) if date >= 0 else self._last)
        following = self.lines[line + 1 :]
        dates: Dates = (*new, *(None for _ in following[len(new) :]))
        yield self._cost(following, dates, self._standing[date + 1 :]), dates
        for other in range(date + 1, len(self._standing)):
            standing = self._standing[other]
            for between in range(min(len(new), len(following) - 1) + 1):
                holder = following[between]
                if not self._fits(holder, standing, new[between - 1] if between else None):
                    continue
                rest, after = self.best(line + 1 + between, other)
                before = (*new[:between], _start(standing))
                given_up = self._standing[date + 1 : other]
                first = self._cost(following[: between + 1], before, given_up)
                yield _added(first, rest), (*before, *after)

    def _new_dates(self, line: int, previous: datetime | None) -> list[datetime]:
        """The earliest dates of the sessions after the `line`th, as far as there are any."""
        found: list[datetime] = []
        free = self.agenda.free
        for following in self.lines[line + 1 :]:
            start = next_slot(
                *free,
                self.agenda.length,
                self._earliest(following, previous),
                self._taken,
            )
            if start is None:
                break
            found.append(start)
            previous = start
        return found

    def _earliest(self, line: PlanLine, previous: datetime | None) -> datetime:
        bounds = [days_later(self.at, NOTICE_DAYS)]
        if previous is not None:
            bounds.append(days_later(previous, gap_days(self.agenda, line)))
        if line.state == "pending" and line.starts_at is not None:
            bounds.append(_next_day(line.starts_at))
        return max(bounds)

    def _fits(self, line: PlanLine, standing: PlanLine, previous: datetime | None) -> bool:
        """Whether a session may have a date that stands, after a new one or after another of them.

        Two dates that stand may be closer than new ones: people have put them there.
        """
        start = _start(standing)
        if line.state == "pending" and line.starts_at and start < _next_day(line.starts_at):
            return False
        return previous is None or days_later(previous, half_cadence(self.agenda)) <= start

    def _cost(self, lines: Sequence[PlanLine], dates: Dates, given_up: Sequence[PlanLine]) -> _Cost:
        changed = sum(
            line.state == "planned" and line.starts_at != date
            for line, date in zip(lines, dates, strict=True)
        )
        return _Cost(
            dates.count(None),
            sum(len(line.confirmed_by) for line in given_up),
            len(given_up),
            changed,
            tuple(date.timestamp() for date in dates if date is not None),
        )


def half_cadence(agenda: Agenda) -> int:
    """The days that a session which gets another date keeps from its neighbours."""
    return max(1, agenda.policy.cadence_days // 2)


def gap_days(agenda: Agenda, line: PlanLine) -> int:
    """The days between a session and the one before; the first date keeps the whole cadence."""
    return half_cadence(agenda) if line.attempt else agenda.policy.cadence_days


def _added(first: _Cost, rest: _Cost) -> _Cost:
    return _Cost(
        first.waiting + rest.waiting,
        first.confirmations_lost + rest.confirmations_lost,
        first.dates_lost + rest.dates_lost,
        first.changed + rest.changed,
        first.dates + rest.dates,
    )


def _start(line: PlanLine) -> datetime:
    if line.starts_at is None:
        raise ValueError(f"session {line.number} has no date")
    return line.starts_at


def _next_day(moment: datetime) -> datetime:
    """Midnight after a moment, in Paris."""
    day = moment.astimezone(PARIS).date() + timedelta(days=1)
    return datetime.combine(day, time(0), PARIS)
