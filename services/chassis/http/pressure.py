"""How much a service takes on: what is more is refused at once, with an honest time to come back.

Always holds: what is refused here was not sent, and refusing waits for nothing and nobody.
"""

import math
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass

_SOONEST, _LATEST = 1, 300
_STANDING = 10
"""Seconds to come back after, where nothing is being read."""


@dataclass(frozen=True, slots=True)
class Bounds:
    """`in_flight`: commands on their way to the broker, and requests that wait for an outcome.

    `backlog`: unread commands of one partition. `send_seconds`: how long the broker may take.
    """

    in_flight: int = 200
    backlog: int = 50_000
    send_seconds: float = 10.0


class Busy(Exception):
    """Not now; again in `retry_after` seconds."""

    def __init__(self, detail: str, retry_after: int) -> None:
        super().__init__(detail)
        self.retry_after = retry_after


class Room:
    """So many at a time."""

    def __init__(self, size: int) -> None:
        self.size = size
        self.taken = 0

    @property
    def full(self) -> bool:
        return self.taken >= self.size

    @contextmanager
    def taking(self, amount: int = 1) -> Iterator[None]:
        self.taken += amount
        try:
            yield
        finally:
            self.taken -= amount


class Backlog:
    """Which commands are unread, per topic and partition, whichever process reads them.

    Told of every command that was sent from here (`sent`) and, about once a second, of how far
    the service has read (`saw`): the difference is never more than what is really unread. What
    other processes send shows with the next command that is sent from here.
    """

    def __init__(self, limit: int, clock: Callable[[], float] = time.monotonic) -> None:
        self.limit = limit
        self._clock = clock
        self._ends: dict[tuple[str, int], int] = {}
        self._read: dict[tuple[str, int], int] = {}
        self._rate: dict[tuple[str, int], float] = {}
        self._seen_at: float | None = None

    def sent(self, topic: str, partition: int, offset: int) -> None:
        """A command lies at this offset."""
        spot = topic, partition
        self._ends[spot] = max(self._ends.get(spot, 0), offset + 1)

    def saw(self, positions: Mapping[tuple[str, int], int]) -> None:
        """How far every partition has been read: topic and partition to the next offset."""
        now = self._clock()
        if self._seen_at is not None and now > self._seen_at:
            for spot, position in positions.items():
                rate = (position - self._read.get(spot, 0)) / (now - self._seen_at)
                before = self._rate.get(spot, 0.0)
                self._rate[spot] = (before + rate) / 2 if before else rate
        self._seen_at = now
        self._read.update(positions)

    def unread(self, topic: str, partition: int) -> int:
        """0 where nothing is known."""
        spot = topic, partition
        if self._seen_at is None or spot not in self._ends:
            return 0
        return max(self._ends[spot] - self._read.get(spot, 0), 0)

    def check(self, topic: str, partition: int) -> None:
        """Raises `Busy` where too much is unread, until there is likely to be room again."""
        unread = self.unread(topic, partition)
        if unread < self.limit:
            return
        rate = self._rate.get((topic, partition), 0.0)
        seconds = math.ceil((unread - self.limit + 1) / rate) if rate > 0 else _STANDING
        raise Busy(
            f"{unread} commands of the same partition have not been handled yet",
            min(max(seconds, _SOONEST), _LATEST),
        )


class Pressure:
    """What bounds one process of a service."""

    def __init__(self, bounds: Bounds | None = None) -> None:
        self.bounds = bounds or Bounds()
        self.sending = Room(self.bounds.in_flight)
        self.waiting = Room(self.bounds.in_flight)
        self.backlog = Backlog(self.bounds.backlog)

    def admit(self, topic: str, partition: int) -> None:
        """Raises `Busy` if one more command is one too many."""
        if self.sending.full:
            raise Busy(f"{self.sending.taken} commands are on their way already", _SOONEST)
        self.backlog.check(topic, partition)
