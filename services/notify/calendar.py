"""When letters may be sent: not in quiet hours, at weekends or on French public holidays.

Pure. Wall-clock times are those of Europe/Paris; moments are UTC.
"""

from datetime import UTC, date, datetime, time, timedelta
from functools import cache, lru_cache

from schemas.dates import minutes
from schemas.saying import PARIS
from schemas.values import QuietHours


@cache
def _public_holidays(year: int) -> frozenset[date]:
    """National ones only: those of Alsace-Moselle and overseas are not everybody's."""
    import holidays  # noqa: PLC0415  # loads every country there is, and waits for the first letter

    return frozenset(holidays.country_holidays("FR", years=year))


@lru_cache(maxsize=4096)
def is_day_off(day: date) -> bool:
    """Whether it is a Saturday, a Sunday or a public holiday."""
    return day.weekday() >= 5 or day in _public_holidays(day.year)


def is_quiet(moment: datetime, quiet_hours: QuietHours) -> bool:
    """Whether no letter may be sent at this moment."""
    return next_sending_time(moment, quiet_hours) > moment


def next_sending_time(moment: datetime, quiet_hours: QuietHours) -> datetime:
    """The moment itself if a letter may be sent then, or the first one after it; UTC.

    Quiet hours run from `start` (included) to `end` (not included), over midnight where the end
    is before the start. If both are the same there are none, and only days off are kept free.
    """
    local = moment.astimezone(PARIS)
    while True:
        if is_day_off(local.date()):
            local = _at(local.date() + timedelta(days=1), 0)
        elif (end := _end_of_quiet(local, quiet_hours)) is not None:
            local = end
        else:
            return local.astimezone(UTC)


def _end_of_quiet(local: datetime, quiet_hours: QuietHours) -> datetime | None:
    """When the quiet hours that `local` is in end; None outside of them."""
    start, end = quiet_hours.start, quiet_hours.end  # of two digits each, so texts compare
    clock = f"{local.hour:02}:{local.minute:02}"
    if start <= end:
        return _at(local.date(), minutes(end)) if start <= clock < end else None
    if clock < end:
        return _at(local.date(), minutes(end))
    tomorrow = timedelta(days=1)
    return _at(local.date() + tomorrow, minutes(end)) if clock >= start else None


def _at(day: date, minute: int) -> datetime:
    return datetime.combine(day, time(minute // 60, minute % 60), PARIS)
