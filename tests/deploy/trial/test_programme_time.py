"""Time that leaps: it stands while anything is under way, and nothing depends on who is faster."""

import asyncio
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from deploy.trial.programme_time import LeapingTime, NothingLeft, opportunity
from services.chassis.clock import Hand

MONDAY = datetime(2017, 3, 6, 8, 0, tzinfo=UTC)
HOURS = (8, 13)


class Platform:
    """One that has some deadlines, and is busy for a few looks after each."""

    def __init__(self, path: Path, *deadlines: datetime) -> None:
        self.seen: list[str] = []
        self.unread = 0
        self.busy = 2
        self._deadlines = sorted(deadlines)
        self.time = LeapingTime(Hand.made(path / "clock", MONDAY), self.still)

    async def still(self, now: datetime) -> tuple[bool, datetime | None]:
        if self._deadlines and self._deadlines[0] <= now:
            self._deadlines.pop(0)
            self.seen.append(f"{now:%a %H} due")
            self.busy = 2
        self.busy -= 1
        if self.busy > 0:
            return False, None
        return True, min(self._deadlines, default=None)

    def deed(self, days: float, whose: str, what: str) -> None:
        async def done() -> None:
            self.seen.append(f"{self.time.now():%a %H} {whose} {what}")

        self.time.later(days, whose, what, done)

    async def until(self, days: int) -> None:
        async def over() -> bool:
            return self.time.now() >= MONDAY + timedelta(days=days)

        await self.time.until(over)


async def test_time_leaps_to_what_comes_next_and_what_is_due_comes_before_what_people_do(
    tmp_path: Path,
) -> None:
    days = (timedelta(days=1), timedelta(hours=1), timedelta(days=2))
    platform = Platform(tmp_path, *(MONDAY + day for day in days))
    platform.deed(0.9, "ada", "second")
    platform.deed(0.9, "ada", "first")
    platform.deed(0.2, "bob", "only")
    await platform.until(2)
    assert platform.seen == [
        "Mon 13 due",
        "Mon 13 bob only",
        "Tue 08 due",
        "Tue 08 ada first",
        "Tue 08 ada second",
        "Wed 08 due",
    ]


async def test_time_stands_while_letters_are_unread(tmp_path: Path) -> None:
    platform = Platform(tmp_path, MONDAY + timedelta(days=1))
    left = iter((3, 2, 1, 0))

    def unread() -> int:
        platform.unread = next(left, 0)
        platform.seen.append(f"{platform.time.now():%a} {platform.unread} unread")
        return platform.unread

    async with platform.time.living(unread):
        await platform.until(1)
    assert platform.seen[:4] == [f"Mon {n} unread" for n in (3, 2, 1, 0)]


async def test_waiting_for_what_nothing_can_bring_about_ends_with_the_day_it_stands_at(
    tmp_path: Path,
) -> None:
    platform = Platform(tmp_path, MONDAY + timedelta(days=2))
    with pytest.raises(NothingLeft, match="2017-03-08"):
        await platform.until(3)


@given(st.integers(0, 365 * 24 * 3600).map(lambda seconds: MONDAY + timedelta(seconds=seconds)))
def test_an_opportunity_is_the_first_hour_of_a_working_day_that_is_not_past(
    moment: datetime,
) -> None:
    found = opportunity(moment, HOURS)
    assert found >= moment
    assert found.weekday() < 5
    assert found.hour in HOURS
    assert found.minute == found.second == found.microsecond == 0
    between = moment + timedelta(minutes=1)
    while between < found - timedelta(minutes=1):
        whole = between.replace(minute=0, second=0, microsecond=0)
        assert whole < moment or whole.weekday() >= 5 or whole.hour not in HOURS
        between += timedelta(hours=1)


async def test_two_deeds_of_one_name_are_both_done_in_the_order_in_which_they_came_up(
    tmp_path: Path,
) -> None:
    platform = Platform(tmp_path, *(MONDAY + timedelta(days=n) for n in (1, 2, 3)))
    platform.deed(0.2, "bob", "before")
    platform.deed(1.9, "ada", "same")
    await platform.until(1)
    platform.deed(0.9, "ada", "same")
    await platform.until(3)
    assert [seen for seen in platform.seen if "ada" in seen] == ["Wed 08 ada same"] * 2


async def test_who_waits_for_what_follows_waits_for_a_look_that_began_after_and_shares_it(
    tmp_path: Path,
) -> None:
    looks: list[int] = []
    waiting = 0
    all_wait = asyncio.Event()

    async def look(_: datetime) -> tuple[bool, datetime | None]:
        looks.append(waiting)
        await all_wait.wait()
        return True, None

    time = LeapingTime(Hand.made(tmp_path / "clock", MONDAY), look)

    async def mail() -> int:
        nonlocal waiting
        waiting += 1
        if waiting == 30:
            all_wait.set()
        await time.settled()
        return max(looks)

    first = asyncio.create_task(mail())
    while not looks:
        await asyncio.sleep(0)
    seen = await asyncio.gather(first, *(mail() for _ in range(29)))

    assert looks == [1, 30], "one look for the first, one for all who came meanwhile"
    assert seen == [1, *[30] * 29]
