"""How programme time passes for simulated people and their coordinator: it flies, or it leaps.

Flying time runs on whether or not anybody keeps up, as in life. Leaping time stands while anything
is under way, and leaps to what comes next when nothing is: so a seed has one outcome on any
machine, fast or slow, and an empty night costs nothing.
"""

import asyncio
import heapq
import itertools
import time
from collections import defaultdict
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from datetime import datetime, timedelta
from typing import Protocol

from services.chassis.clock import Clock, Hand

DAY = 86_400.0

Deed = Callable[[], Awaitable[None]]
Look = Callable[[], Awaitable[bool]]
Still = Callable[[datetime], Awaitable[tuple[bool, datetime | None]]]
"""Whether nothing is under way at a moment; then, the earliest deadline (`Stillness.next`)."""


class NothingLeft(RuntimeError):
    """Something is waited for, and nothing is under way or due that could bring it about."""


class ProgrammeTime(Protocol):
    """What people and coordinators know of time."""

    def now(self) -> datetime:
        """The time that the services tell."""

    def living(self, unread: Callable[[], int]) -> AbstractAsyncContextManager[None]:
        """Deeds are done for as long as the block lasts. `unread`: how many letters wait."""

    def later(self, days: float, whose: str, what: str, deed: Deed) -> None:
        """Have something done after a while."""

    async def settled(self) -> None:
        """Wait for what follows from a deed that nobody answers, such as a mail."""

    async def until(self, look: Look) -> None:
        """Let time pass until somebody who looks sees what they wait for."""


class FlyingTime:
    """Some seconds of it pass per second, and nobody waits for anybody."""

    _LOOK_EVERY = 0.5
    _SETTLE = 1.0  # real seconds for which something must go on to hold

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._tasks: asyncio.TaskGroup | None = None

    def now(self) -> datetime:
        return self._clock.now()

    @asynccontextmanager
    async def living(self, unread: Callable[[], int]) -> AsyncIterator[None]:
        del unread
        async with asyncio.TaskGroup() as self._tasks:
            yield

    def later(self, days: float, whose: str, what: str, deed: Deed) -> None:
        del whose, what

        async def then() -> None:
            await asyncio.sleep(days * DAY / self._clock.rate)
            await deed()

        assert self._tasks is not None, "somebody lives"
        self._tasks.create_task(then())

    async def settled(self) -> None:
        """Nobody waits for anybody."""

    async def until(self, look: Look) -> None:
        since: float | None = None
        while since is None or time.monotonic() - since < self._SETTLE:
            await asyncio.sleep(self._LOOK_EVERY)
            seen = await look()
            since = (since or time.monotonic()) if seen else None


class LeapingTime:
    """Turns the hand of the clock that all services look at.

    People get round to something twice a working day, and the coordinator looks once a day. It is
    always one of these hours: what falls due between two of them is found at the later one, and
    whoever has thousands of deadlines a day has two moments of them.
    What falls on one moment happens in this order: what is due, then what people do, those of one
    `whose` one after the other in the order of `what`; so what comes of it does not depend on who
    is faster.
    """

    _HOURS = (8, 13)
    _LOOK_EVERY = 0.03
    _LONGEST_LEAP = timedelta(days=100)

    def __init__(self, hand: Hand, still: Still) -> None:
        self._hand = hand
        self._still = still
        self._deeds: list[tuple[datetime, str, str, int, Deed]] = []
        self._number = itertools.count()
        self._unread: Callable[[], int] = lambda: 0
        self._looking = asyncio.Lock()
        self._asked = self._rested = 0
        self._due: datetime | None = None

    def now(self) -> datetime:
        return self._hand.now()

    @asynccontextmanager
    async def living(self, unread: Callable[[], int]) -> AsyncIterator[None]:
        self._unread = unread
        yield

    def later(self, days: float, whose: str, what: str, deed: Deed) -> None:
        moment = opportunity(self.now() + timedelta(days=days), self._HOURS)
        heapq.heappush(self._deeds, (moment, whose, what, next(self._number), deed))

    async def settled(self) -> None:
        await self._rest()

    async def until(self, look: Look) -> None:
        while True:
            due = await self._rest()
            if await look():
                return
            today = self.now().date()
            while self.now().date() == today:
                await self._leap(due)
                due = await self._rest()

    async def _rest(self) -> datetime | None:
        """Wait until nothing is under way; the earliest deadline.

        Many wait at once, for what follows from the mails of a moment: a look is for all who have
        come before it, and nobody looks beside another.
        """
        self._asked += 1
        mine = self._asked
        async with self._looking:
            while self._rested < mine:
                before = self._asked
                still, due = await self._still(self.now())
                if still and not self._unread():
                    self._rested, self._due = before, due
                else:
                    await asyncio.sleep(self._LOOK_EVERY)
            return self._due

    def _moment(self, due: datetime | None) -> datetime:
        """When what comes next is found. Raises `NothingLeft`."""
        deed = self._deeds[0][0] if self._deeds else None
        first = min(filter(None, (due, deed)), default=None)
        if first is None or first > self.now() + self._LONGEST_LEAP:
            raise NothingLeft(f"nothing is left to happen after {self.now():%Y-%m-%d}")
        return max(opportunity(first, self._HOURS), self.now())

    async def _leap(self, due: datetime | None) -> None:
        """Go on to what comes next, and do what is to be done then."""
        moment = self._moment(due)
        self._hand.turn(moment)
        if due is None or moment < due:
            await self._do_deeds(moment)

    async def _do_deeds(self, moment: datetime) -> None:
        chains: dict[str, list[Deed]] = defaultdict(list)
        while self._deeds and self._deeds[0][0] <= moment:
            _, whose, _, _, deed = heapq.heappop(self._deeds)
            chains[whose].append(deed)

        async def one_by_one(deeds: list[Deed]) -> None:
            for deed in deeds:
                await deed()

        async with asyncio.TaskGroup() as tasks:
            for deeds in chains.values():
                tasks.create_task(one_by_one(deeds))


def opportunity(moment: datetime, hours: tuple[int, ...]) -> datetime:
    """The first of these hours, of a working day, that is not before the moment."""
    day = moment.replace(hour=0, minute=0, second=0, microsecond=0)
    while True:
        if day.weekday() < 5:
            for hour in hours:
                if (at := day + timedelta(hours=hour)) >= moment:
                    return at
        day += timedelta(days=1)
