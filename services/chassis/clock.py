"""Time is an input: one clock per process, which can run faster than the wall's, or by leaps.

Always holds: with the same settings every process tells the same time, and whoever decides is
given the time and never asks for it.
"""

import asyncio
import contextlib
import math
import mmap
import struct
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Self

from schemas.base import to_milliseconds


class Clock:
    """`rate` seconds of programme time pass per second, counted from `start` at `origin`."""

    def __init__(
        self,
        rate: float = 1.0,
        start: datetime | None = None,
        origin: datetime | None = None,
        wall: Callable[[], float] = time.time,
    ) -> None:
        self.rate = rate
        self._wall = wall
        self._origin = wall() if origin is None else origin.timestamp()
        self._start = datetime.fromtimestamp(self._origin, UTC) if start is None else start

    def now(self) -> datetime:
        """UTC, to the millisecond."""
        elapsed = (self._wall() - self._origin) * self.rate
        return to_milliseconds(self._start + timedelta(seconds=elapsed))

    async def pass_by(self, seconds: float, sooner: asyncio.Event) -> None:
        """Let real seconds go by, or less once something happens."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await sooner.wait()


class Hand:
    """The hand of a clock that processes of one machine share: a file that all of them map.

    It holds one moment, in milliseconds since 1970, in eight bytes, which are read and written at
    once. Whoever `made` it turns it; all others look.
    """

    _WORD = struct.Struct("=q")

    def __init__(self, path: Path, *, writable: bool = False) -> None:
        with path.open("r+b" if writable else "rb") as file:
            access = mmap.ACCESS_WRITE if writable else mmap.ACCESS_READ
            self._word = memoryview(mmap.mmap(file.fileno(), self._WORD.size, access=access))
        self._word = self._word.cast("q")

    @classmethod
    def made(cls, path: Path, moment: datetime) -> Self:
        """A hand in a new file, to be turned."""
        path.write_bytes(cls._WORD.pack(round(moment.timestamp() * 1000)))
        return cls(path, writable=True)

    def turn(self, moment: datetime) -> None:
        """Have it be this moment, for everybody."""
        self._word[0] = round(moment.timestamp() * 1000)

    def now(self) -> datetime:
        """UTC, to the millisecond."""
        return datetime.fromtimestamp(0, UTC) + timedelta(milliseconds=self._word[0])


class SharedClock(Clock):
    """Tells the moment at which the hand stands: time that somebody else holds, and lets leap.

    Its rate is infinite: however long something takes, it takes no programme time.
    """

    _LOOK_EVERY = 0.005

    def __init__(self, hand: Hand) -> None:
        super().__init__(math.inf)
        self._hand = hand

    def now(self) -> datetime:
        return self._hand.now()

    async def pass_by(self, seconds: float, sooner: asyncio.Event) -> None:
        """As any clock's; and at least until the hand is turned, or for a second."""
        del seconds
        seen = self._hand.now()
        for _ in range(round(1 / self._LOOK_EVERY)):
            if sooner.is_set() or self._hand.now() != seen:
                return
            await asyncio.sleep(self._LOOK_EVERY)
