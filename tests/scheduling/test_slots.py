"""The next common free slot."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.dates import minutes
from schemas.saying import PARIS
from schemas.values import WEEKDAYS, Availability, Window
from services.scheduling import slots
from services.scheduling.slots import (
    Free,
    days_later,
    fault_of,
    is_working_day,
    overlaps,
)
from tests.scheduling.given import ANY_DAY, TUESDAY, WEDNESDAY, paris, week

HOUR = timedelta(hours=1)
MONDAY = paris(3, 6, 10)

Taken = list[tuple[datetime, datetime]]


def next_slot(first: Availability, second: Availability, *rest: Any) -> datetime | None:
    return slots.next_slot(Free(first), Free(second), *rest)


def test_a_slot_lies_in_both_weeks() -> None:
    mentor = week(("tue", "08:00", "11:30"), ("thu", "14:00", "16:00"))
    manager = week(("tue", "10:30", "18:00"))
    assert next_slot(mentor, manager, HOUR, MONDAY, []) == paris(3, 7, 10, 30)


def test_a_window_that_is_too_short_in_common_is_passed_over() -> None:
    mentor = week(("tue", "08:00", "11:00"), ("thu", "14:00", "16:00"))
    manager = week(("tue", "10:15", "18:00"), ("thu", "15:00", "16:00"))
    assert next_slot(mentor, manager, HOUR, MONDAY, []) == paris(3, 9, 15)


def test_windows_that_touch_are_one() -> None:
    halves = week(("tue", "10:00", "10:30"), ("tue", "10:30", "11:00"))
    assert next_slot(halves, TUESDAY, HOUR, MONDAY, []) == paris(3, 7, 10)


def test_a_slot_starts_on_a_quarter_of_an_hour() -> None:
    odd = week(("tue", "10:05", "12:00"))
    assert next_slot(odd, TUESDAY, HOUR, MONDAY, []) == paris(3, 7, 10, 15)
    a_little_later = paris(3, 7, 10, 15) + timedelta(milliseconds=1)
    assert next_slot(odd, TUESDAY, HOUR, a_little_later, []) == paris(3, 7, 10, 30)


def test_a_slot_may_start_at_the_very_moment_it_is_sought_from() -> None:
    assert next_slot(TUESDAY, TUESDAY, HOUR, paris(3, 7, 11), []) == paris(3, 7, 11)
    assert next_slot(TUESDAY, TUESDAY, HOUR, paris(3, 7, 11, 15), []) == paris(3, 14, 10)


def test_what_is_taken_is_left_free_to_the_minute() -> None:
    taken = [(paris(3, 7, 9, 50), paris(3, 7, 10, 20))]
    assert next_slot(TUESDAY, TUESDAY, HOUR, MONDAY, taken) == paris(3, 7, 10, 30)
    taken.append((paris(3, 7, 11, 15), paris(3, 7, 12)))
    assert next_slot(TUESDAY, TUESDAY, HOUR, MONDAY, taken) == paris(3, 14, 10)


def test_a_public_holiday_is_passed_over() -> None:
    mondays = week(("mon", "09:00", "12:00"))
    # Easter Monday 2017 is 17 April; 1 and 8 May are Mondays too.
    assert next_slot(mondays, mondays, HOUR, paris(4, 11, 9), []) == paris(4, 24, 9)
    assert next_slot(mondays, mondays, HOUR, paris(4, 25, 9), []) == paris(5, 15, 9)


def test_the_time_of_day_stays_when_the_clocks_change() -> None:
    winter = next_slot(TUESDAY, TUESDAY, HOUR, paris(3, 21, 0), [])
    summer = next_slot(TUESDAY, TUESDAY, HOUR, paris(3, 28, 0), [])
    assert winter == datetime(2017, 3, 21, 9, tzinfo=UTC)
    assert summer == datetime(2017, 3, 28, 8, tzinfo=UTC)
    assert days_later(winter, 7) == summer


def test_without_a_common_window_there_is_no_slot() -> None:
    assert next_slot(TUESDAY, WEDNESDAY, HOUR, MONDAY, []) is None
    assert next_slot((), TUESDAY, HOUR, MONDAY, []) is None


def test_a_slot_is_sought_no_further_than_the_horizon() -> None:
    taken = [(MONDAY, paris(3, 27, 0))]
    assert next_slot(TUESDAY, TUESDAY, HOUR, MONDAY, taken) == paris(3, 28, 10)
    near = timedelta(weeks=3)
    assert next_slot(TUESDAY, TUESDAY, HOUR, MONDAY, taken, near) is None


@pytest.mark.parametrize(
    ("moment", "rule"),
    [
        (paris(3, 14, 10, 15), None),
        (paris(3, 14, 7), None),
        (paris(3, 14, 19), None),
        (paris(3, 14, 6, 45), "outside-working-hours"),
        (paris(3, 14, 19, 15), "outside-working-hours"),
        (paris(3, 14, 23, 30), "outside-working-hours"),
        (paris(3, 14, 10, 5), "off-the-quarter"),
        (paris(3, 18, 10), "not-a-working-day"),
        (paris(7, 14, 10), "not-a-working-day"),
    ],
)
def test_a_time_chosen_by_hand_is_on_a_quarter_in_working_hours(
    moment: datetime, rule: str | None
) -> None:
    fault = fault_of(moment, HOUR)
    assert (fault and fault.rule) == rule


# --- properties ---------------------------------------------------------------------------------

clock = st.integers(6 * 60, 21 * 60).map(lambda m: f"{m // 60:02}:{m % 60:02}")
window = (
    st.tuples(st.sampled_from(WEEKDAYS), clock, clock)
    .filter(lambda w: w[1] < w[2])
    .map(lambda w: Window(day=w[0], start=w[1], end=w[2]))
)
availability = st.lists(window, max_size=6).map(tuple)
moment = st.timedeltas(timedelta(0), timedelta(days=3650)).map(
    lambda since: datetime(2017, 1, 1, tzinfo=UTC) + since
)


@st.composite
def takens(draw: st.DrawFn, start: datetime) -> Taken:
    offsets = st.tuples(st.integers(-600, 20_000), st.integers(1, 3_000))
    return [
        (start + timedelta(minutes=a), start + timedelta(minutes=a + b))
        for a, b in draw(st.lists(offsets, max_size=5))
    ]


def _inside(windows: Availability, start: datetime, end: datetime) -> bool:
    """Whether every minute is in a window; told minute by minute, unlike what is tested."""
    total = int((end - start).total_seconds()) // 60
    for minute in range(total):
        wall = (start + timedelta(minutes=minute)).astimezone(PARIS)
        of_day = wall.hour * 60 + wall.minute
        if not any(
            WEEKDAYS.index(w.day) == wall.weekday() and minutes(w.start) <= of_day < minutes(w.end)
            for w in windows
        ):
            return False
    return True


@given(st.data(), availability, availability, st.sampled_from([15, 45, 60, 90]), moment)
@settings(max_examples=60, deadline=None)
def test_a_slot_is_the_first_that_fits(
    data: st.DataObject,
    mentor: Availability,
    manager: Availability,
    length_minutes: int,
    start: datetime,
) -> None:
    taken = data.draw(takens(start))
    length, horizon = timedelta(minutes=length_minutes), timedelta(days=9)
    found = next_slot(mentor, manager, length, start, taken, horizon)

    def fits(candidate: datetime) -> bool:
        return (
            is_working_day(candidate.astimezone(PARIS).date())
            and not overlaps(candidate, candidate + length, taken)
            and _inside(mentor, candidate, candidate + length)
            and _inside(manager, candidate, candidate + length)
        )

    whole = start.replace(minute=0, second=0, microsecond=0)
    quarters = (whole + timedelta(minutes=15 * n) for n in range(4 * 24 * 9 + 5))
    expected = next((q for q in quarters if start <= q <= start + horizon and fits(q)), None)
    assert found == expected


@given(moment)
@settings(max_examples=30, deadline=None)
def test_a_slot_is_never_far_when_every_working_day_is_free(start: datetime) -> None:
    found = next_slot(ANY_DAY, ANY_DAY, HOUR, start, [])
    assert found is not None
    assert start <= found <= start + timedelta(days=6)
