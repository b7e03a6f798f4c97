"""When two people can meet: the next slot in both weeks, on a working day, with neither taken.

Wall-clock times are those of Europe/Paris, whatever its offset that day; moments that come in
and go out are aware, and those that go out are UTC. A slot starts on a quarter of an hour.
"""

from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

from schemas.values import WEEKDAYS, Availability, Window, minutes
from services.chassis.domain import Refusal

PARIS = ZoneInfo("Europe/Paris")
HORIZON = timedelta(weeks=26)
"""How far ahead a slot is sought."""
WORKING_HOURS = (time(7), time(20))
"""Within which people may put a session by hand."""
_QUARTER = 15

Interval = tuple[datetime, datetime]
"""[start, end) of a time that is taken."""


@lru_cache(maxsize=64)
def public_holidays(year: int) -> frozenset[date]:
    """The days off of the whole country, Alsace-Moselle's two further ones not included."""
    import holidays  # noqa: PLC0415  # three megabytes, of which whoever plans nothing needs none

    return frozenset(holidays.country_holidays("FR", years=year))


def is_working_day(day: date) -> bool:
    """Monday to Friday, and no public holiday."""
    return day.weekday() < len(WEEKDAYS) and day not in public_holidays(day.year)


def days_later(moment: datetime, days: int) -> datetime:
    """The same time of day in Paris, `days` later: an hour more or less when clocks change."""
    return (moment.astimezone(PARIS) + timedelta(days=days)).astimezone(UTC)


def overlaps(start: datetime, end: datetime, taken: Iterable[Interval]) -> bool:
    """Whether any of what is taken falls in [start, end)."""
    return any(busy_from < end and start < busy_to for busy_from, busy_to in taken)


def next_slot(
    first: Availability,
    second: Availability,
    length: timedelta,
    not_before: datetime,
    taken: Iterable[Interval],
    horizon: timedelta = HORIZON,
) -> datetime | None:
    """The start (UTC) of the first common free slot at or after `not_before`.

    None if there is none that starts within `horizon` of it.
    """
    week = _common_week(first, second, length)
    if not any(week):
        return None
    last = not_before + horizon
    busy = sorted(interval for interval in taken if interval[1] > not_before)
    for day in _working_days(not_before, last):
        for opens, closes in week[day.weekday()]:
            start = _first_gap(
                max(_moment(day, opens), _next_quarter(not_before)),
                _moment(day, closes),
                length,
                busy,
            )
            if start is not None:
                return start if start <= last else None
    return None


@lru_cache(maxsize=1024)  # all sessions of a pair are planned in the same two weeks
def _common_week(
    first: Availability, second: Availability, length: timedelta
) -> tuple[tuple[tuple[int, int], ...], ...]:
    """Per weekday, the intervals (minutes of the day) that both share, each `length` or longer."""
    wanted = length.total_seconds() / 60
    week: list[tuple[tuple[int, int], ...]] = []
    for weekday in WEEKDAYS:
        ours, theirs = (
            _joined([window for window in windows if window.day == weekday])
            for windows in (first, second)
        )
        shared = ((max(a, c), min(b, d)) for a, b in ours for c, d in theirs)
        week.append(tuple((start, end) for start, end in sorted(shared) if end - start >= wanted))
    return tuple(week)


def _joined(windows: Sequence[Window]) -> list[tuple[int, int]]:
    """One person's windows of one day; those that touch are one, for a session may span them."""
    joined: list[tuple[int, int]] = []
    for start, end in sorted((minutes(w.start), minutes(w.end)) for w in windows):
        if joined and start <= joined[-1][1]:
            joined[-1] = (joined[-1][0], max(end, joined[-1][1]))
        else:
            joined.append((start, end))
    return joined


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
