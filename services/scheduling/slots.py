"""When two people can meet: the next slot that both have free, on a working day of both.

Wall-clock times are those of Europe/Paris, whatever its offset that day; moments that come in
and go out are aware, and those that go out are UTC. A slot starts on a quarter of an hour.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache

from schemas.dates import Absence, OfferedDay, Region, minutes
from schemas.saying import PARIS
from schemas.values import WEEKDAYS, Availability
from services.chassis.domain import Refusal

HORIZON = timedelta(weeks=26)
"""How far ahead a slot is sought."""
WORKING_HOURS = (time(7), time(20))
"""Within which people may put a session by hand."""
_QUARTER = 15

Interval = tuple[datetime, datetime]
"""[start, end) of a time that is taken."""


Hours = tuple[tuple[int, int], ...]
"""Intervals of one day, in minutes from midnight: in order, and none touches another."""
Week = tuple[Hours, ...]
"""Those of each weekday."""

_SUBDIVISIONS: dict[Region, str] = {
    **{"57": "57", "67": "6AE", "68": "6AE"},
    **{"975": "PM", "977": "BL", "978": "MF", "986": "WF", "987": "PF", "988": "NC"},
}
"""The library's names of regions, where they are not the department's number."""


@dataclass(frozen=True, slots=True)
class Free:
    """When one person can meet: a week, single dates beyond it, without absences and days off."""

    week: Availability = ()
    absences: tuple[Absence, ...] = ()
    offered: tuple[OfferedDay, ...] = ()
    region: Region | None = None

    def on(self, day: date) -> Hours:
        """The hours of one day. Whoever is away is away, whatever was offered before."""
        if not is_working_day(day, self.region):
            return ()
        name = day.isoformat()
        hours = [*_weekly(self.week, WEEKDAYS[day.weekday()])]
        for offer in self.offered:
            if offer.day == name:
                hours.extend((minutes(h.start), minutes(h.end)) for h in offer.hours)
        away = [a for a in self.absences if a.first_day <= name <= a.last_day]
        return _without(_joined(hours), away) if away else _joined(hours)

    def is_away(self, start: datetime, length: timedelta) -> bool:
        """Whether an absence falls into what takes `length` from `start` on, within a day."""
        begin, end = start.astimezone(PARIS), (start + length).astimezone(PARIS)
        day, first, last = begin.date().isoformat(), f"{begin:%H:%M}", f"{end:%H:%M}"
        return any(
            absence.first_day <= day <= absence.last_day
            and (
                absence.hours is None or (absence.hours.start < last and first < absence.hours.end)
            )
            for absence in self.absences
        )

    def is_as_every_week(self, day: date) -> bool:
        """Whether nothing but the week and the country's holidays counts on this day."""
        if self.region is not None and day in public_holidays(day.year, self.region):
            return False
        if not self.absences and not self.offered:
            return True
        name = day.isoformat()
        away = any(a.first_day <= name <= a.last_day for a in self.absences)
        return not away and all(offer.day != name for offer in self.offered)


@lru_cache(maxsize=512)
def public_holidays(year: int, region: Region | None = None) -> frozenset[date]:
    """The days off of the whole country; with those of a region that has some of its own."""
    import holidays  # noqa: PLC0415  # three megabytes, of which whoever plans nothing needs none

    subdivision = _SUBDIVISIONS.get(region, region) if region else None
    return frozenset(holidays.country_holidays("FR", subdiv=subdivision, years=year))


def is_working_day(day: date, region: Region | None = None) -> bool:
    """Monday to Friday, and no public holiday."""
    return day.weekday() < len(WEEKDAYS) and day not in public_holidays(day.year, region)


def days_later(moment: datetime, days: int) -> datetime:
    """The same time of day in Paris, `days` later: an hour more or less when clocks change."""
    return (moment.astimezone(PARIS) + timedelta(days=days)).astimezone(UTC)


def overlaps(start: datetime, end: datetime, taken: Iterable[Interval]) -> bool:
    """Whether any of what is taken falls in [start, end)."""
    return any(busy_from < end and start < busy_to for busy_from, busy_to in taken)


def next_slot(
    first: Free,
    second: Free,
    length: timedelta,
    not_before: datetime,
    taken: Iterable[Interval],
    horizon: timedelta = HORIZON,
) -> datetime | None:
    """The start (UTC) of the first common free slot at or after `not_before`.

    None if there is none that starts within `horizon` of it.
    """
    week = _common_week(first.week, second.week, length)
    if not any(week) and not (first.offered or second.offered):
        return None
    last = not_before + horizon
    busy = sorted(interval for interval in taken if interval[1] > not_before)
    for day in _working_days(not_before, last):
        for opens, closes in _common_hours(first, second, length, day, week):
            start = _first_gap(
                max(_moment(day, opens), _next_quarter(not_before)),
                _moment(day, closes),
                length,
                busy,
            )
            if start is not None:
                return start if start <= last else None
    return None


def is_common(
    first: Free, second: Free, length: timedelta, start: datetime, taken: Iterable[Interval]
) -> bool:
    """Whether both are free for `length` from `start` on."""
    return next_slot(first, second, length, start, taken, timedelta(0)) == start


def spread_slots(
    first: Free,
    second: Free,
    length: timedelta,
    span: Interval,
    taken: Iterable[Interval],
    count: int = 6,
) -> list[datetime]:
    """At most `count` common free slots that start in `span`, spread over its days, by time.

    Every day gives its first before any gives a second; of more days than `count`, the ones are
    taken that lie evenly between the first and the last.
    """
    start, end = span
    busy, week = sorted(taken), _common_week(first.week, second.week, length)
    days = [
        found
        for day in _working_days(start, end)
        if (found := list(_slots_of(first, second, length, day, week, span, busy)))
    ]
    if len(days) > count:
        places = [round(i * (len(days) - 1) / max(count - 1, 1)) for i in range(count)]
        # Mornings and afternoons by turns: who never can in the morning finds something.
        return [days[p][0] if i % 2 == 0 else days[p][-1] for i, p in enumerate(places)]
    chosen: list[datetime] = []
    while len(chosen) < count and any(days):
        chosen.extend([slots.pop(0) for slots in days if slots][: count - len(chosen)])
    return sorted(chosen)


def _slots_of(
    first: Free,
    second: Free,
    length: timedelta,
    day: date,
    week: Week,
    span: Interval,
    busy: Sequence[Interval],
) -> Iterator[datetime]:
    """The slots of one day, one after the other."""
    for opens, closes in _common_hours(first, second, length, day, week):
        start = max(_moment(day, opens), span[0])
        while (found := _first_gap(start, _moment(day, closes), length, busy)) is not None:
            if found >= span[1]:
                return
            yield found
            start = found + length


def _common_hours(first: Free, second: Free, length: timedelta, day: date, week: Week) -> Hours:
    """The hours of one day that both share, each `length` or longer; `week`: those of any week."""
    if first.is_as_every_week(day) and second.is_as_every_week(day):
        return week[day.weekday()]
    return _shared(first.on(day), second.on(day), length)


@lru_cache(maxsize=1024)  # all sessions of a pair are planned in the same two weeks
def _common_week(first: Availability, second: Availability, length: timedelta) -> Week:
    """Per weekday, the hours that both share, each `length` or longer."""
    return tuple(_shared(_weekly(first, d), _weekly(second, d), length) for d in WEEKDAYS)


def _weekly(week: Availability, weekday: str) -> Hours:
    return _joined((minutes(w.start), minutes(w.end)) for w in week if w.day == weekday)


def _shared(ours: Hours, theirs: Hours, length: timedelta) -> Hours:
    wanted = length.total_seconds() / 60
    shared = ((max(a, c), min(b, d)) for a, b in ours for c, d in theirs)
    return tuple((start, end) for start, end in sorted(shared) if end - start >= wanted)


def _joined(hours: Iterable[tuple[int, int]]) -> Hours:
    """Hours that touch are one, for a session may span them."""
    joined: list[tuple[int, int]] = []
    for start, end in sorted(hours):
        if joined and start <= joined[-1][1]:
            joined[-1] = (joined[-1][0], max(end, joined[-1][1]))
        else:
            joined.append((start, end))
    return tuple(joined)


def _without(hours: Hours, absences: Iterable[Absence]) -> Hours:
    """What is left of a day's hours; an absence without hours takes all of it."""
    for absence in absences:
        if absence.hours is None:
            return ()
        start, end = minutes(absence.hours.start), minutes(absence.hours.end)
        left = ((a, b) for c, d in hours for a, b in ((c, min(d, start)), (max(c, end), d)))
        hours = tuple((a, b) for a, b in left if a < b)
    return hours


def _working_days(start: datetime, end: datetime) -> Iterator[date]:
    day, last = start.astimezone(PARIS).date(), end.astimezone(PARIS).date()
    while day <= last:
        if is_working_day(day):
            yield day
        day += timedelta(days=1)


def _first_gap(
    start: datetime, closes: datetime, length: timedelta, busy: Sequence[Interval]
) -> datetime | None:
    """The first quarter of an hour from `start` on with `length` free until `closes`.

    `busy` is sorted; it is walked once, for time only goes forward.
    """
    start = _next_quarter(start)
    for busy_from, busy_to in busy:
        if start + length <= busy_from:
            break
        if busy_to > start:
            start = _next_quarter(busy_to)
    return start if start + length <= closes else None


def _moment(day: date, minute: int) -> datetime:
    """A wall-clock time of a day, as UTC. Clocks change on Sundays: every one exists, once."""
    wall = datetime.combine(day, time(minute // 60, minute % 60), PARIS)
    return wall.astimezone(UTC)


def _next_quarter(moment: datetime) -> datetime:
    """The quarter of an hour at or after a moment (in Paris as in UTC: offsets are whole hours)."""
    whole = moment.replace(minute=moment.minute // _QUARTER * _QUARTER, second=0, microsecond=0)
    return (whole if whole == moment else whole + timedelta(minutes=_QUARTER)).astimezone(UTC)


def fault_of(starts_at: datetime, length: timedelta) -> Refusal | None:
    """What speaks against a time of day and week chosen by hand; None if it is fine."""
    start = starts_at.astimezone(PARIS)
    end = (starts_at + length).astimezone(PARIS)
    if _next_quarter(starts_at) != starts_at:
        return Refusal("invalid", "off-the-quarter", "A session starts on a quarter of an hour.")
    if not is_working_day(start.date()):
        return Refusal("invalid", "not-a-working-day", "A session takes place on a working day.")
    opens, closes = WORKING_HOURS
    if start.time() < opens or end.time() > closes or end.date() != start.date():
        return Refusal(
            "invalid",
            "outside-working-hours",
            "A session lies between 07:00 and 20:00, Paris time.",
        )
    return None
