"""When letters may be sent."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.dates import minutes
from schemas.saying import PARIS
from schemas.values import QuietHours
from services.notify.calendar import is_day_off, next_sending_time

EVENING = QuietHours()
TIMES = st.builds("{:02d}:{:02d}".format, st.integers(0, 23), st.integers(0, 59))
MOMENTS = st.datetimes(
    datetime(2016, 1, 1),  # noqa: DTZ001
    datetime(2035, 1, 1),  # noqa: DTZ001
    timezones=st.just(UTC),
)


def paris(year: int, month: int, day: int, hour: int = 0, minute: int = 0) -> datetime:
    return datetime(year, month, day, hour, minute, tzinfo=PARIS)


@pytest.mark.parametrize(
    ("moment", "expected"),
    [
        (paris(2017, 3, 6, 10), paris(2017, 3, 6, 10)),  # a Monday morning
        (paris(2017, 3, 6, 8), paris(2017, 3, 6, 8)),  # the end is no quiet time
        (paris(2017, 3, 6, 19, 59), paris(2017, 3, 6, 19, 59)),
        (paris(2017, 3, 6, 20), paris(2017, 3, 7, 8)),  # the start is
        (paris(2017, 3, 7, 2), paris(2017, 3, 7, 8)),
        (paris(2017, 3, 10, 21), paris(2017, 3, 13, 8)),  # Friday night to Monday
        (paris(2017, 3, 11, 12), paris(2017, 3, 13, 8)),  # Saturday
        (paris(2017, 4, 16, 12), paris(2017, 4, 18, 8)),  # Easter Sunday, then Easter Monday
        (paris(2017, 7, 14, 12), paris(2017, 7, 17, 8)),  # a national day on a Friday
        (paris(2017, 3, 25, 12), paris(2017, 3, 27, 8)),  # over the change to summer time
        (paris(2017, 10, 28, 12), paris(2017, 10, 30, 8)),  # and to winter time
    ],
)
def test_letters_wait_for_the_next_working_day(moment: datetime, expected: datetime) -> None:
    assert next_sending_time(moment, EVENING) == expected
    assert next_sending_time(moment, EVENING).tzinfo is UTC


def test_quiet_hours_can_lie_within_a_day() -> None:
    lunch = QuietHours(start="12:00", end="14:00")
    assert next_sending_time(paris(2017, 3, 6, 12, 30), lunch) == paris(2017, 3, 6, 14)
    assert next_sending_time(paris(2017, 3, 6, 23), lunch) == paris(2017, 3, 6, 23)


def test_quiet_hours_that_end_when_they_start_are_none() -> None:
    none = QuietHours(start="09:00", end="09:00")
    assert next_sending_time(paris(2017, 3, 6, 9), none) == paris(2017, 3, 6, 9)
    assert next_sending_time(paris(2017, 3, 11, 9), none) == paris(2017, 3, 13)


@given(MOMENTS, TIMES, TIMES)
def test_quiet_hours_and_days_off_are_never_violated(
    moment: datetime, start: str, end: str
) -> None:
    found = next_sending_time(moment, QuietHours(start=start, end=end))
    local = found.astimezone(PARIS)
    now, first, last = local.hour * 60 + local.minute, minutes(start), minutes(end)
    assert not is_day_off(local.date())
    if first < last:
        assert not first <= now < last
    elif first > last:
        assert last <= now < first


@given(MOMENTS, TIMES, TIMES)
def test_the_next_sending_time_is_never_early_and_asking_again_changes_nothing(
    moment: datetime, start: str, end: str
) -> None:
    quiet = QuietHours(start=start, end=end)
    found = next_sending_time(moment, quiet)
    assert moment <= found <= moment + timedelta(days=8)
    assert next_sending_time(found, quiet) == found
    if found > moment:
        assert next_sending_time(found - timedelta(seconds=1), quiet) == found
