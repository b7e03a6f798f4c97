"""Time is an input: one clock per process, which can run faster than the wall's.

Always holds: with the same three settings every process tells the same time, and whoever
decides is given the time and never asks for it.
"""

import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

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
