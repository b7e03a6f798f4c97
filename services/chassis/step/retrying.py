"""Try until it works: a fault that passes parks nothing and loses nothing.

Always holds: an attempt is made again only after a fault that passes, by itself or because somebody
mends it, and never once its partitions are about to be taken away; whoever asks is told what is
being waited for.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from typing import Literal, TypeVar

from services.chassis.faults import name_of
from services.chassis.step.ports import Limits, Ports

logger = logging.getLogger(__name__)

T = TypeVar("T")

Waiting = Literal["away", "denied", "environment"]
"""For what passes by itself; for a permission; for something else that somebody has to mend."""


What = str | tuple[str, int]
"""What is attempted; with the partition, if it is of one only."""


class Abandoned(Exception):
    """The partitions are about to be taken away; the step was not made."""


class Retry:
    """The attempts of one process. `put_off`: what did not work last time, and waits for what."""

    def __init__(self, ports: Ports, limits: Limits) -> None:
        self.put_off: dict[What, Waiting] = {}
        self._ports = ports
        self._limits = limits
        self._leaving = asyncio.Event()

    async def until_done(
        self, attempt: Callable[[], Awaitable[T]], what: What = "step", *, whatever: bool = False
    ) -> T:
        """Make attempts, each later than the one before, until one is not stopped by a fault.

        Raises `Abandoned`, or what does not pass; with `whatever` nobody but the surroundings can
        be at fault, and that is waited for, too.
        """
        wait = 0.0
        while True:
            try:
                result = await attempt()
            except Exception as error:
                found = self._ports.nature_of(error)
                if found == "permanent" and not whatever:
                    raise
                waiting: Waiting = "away" if found == "passing" else "environment"
                waiting = "denied" if found == "denied" else waiting
                wait = await self.pause(error, waiting, wait, what)
            else:
                self.put_off.pop(what, None)
                return result

    async def pause(
        self, error: Exception, waiting: Waiting, last: float = 0.0, what: What = "step"
    ) -> float:
        """Wait before the next attempt, longer than the last time; for how long it was.

        Raises `Abandoned` if the partitions are about to be taken away meanwhile.
        """
        limits = self._limits
        most = limits.longest_retry if waiting == "away" else limits.slowest_retry
        wait = min(last * 2, most) or limits.first_retry
        self.put_off[what] = waiting
        self.count(error)
        name = what if isinstance(what, str) else " ".join(map(str, what))
        logger.warning("%s put off (%s): %s", name, waiting, name_of(error))
        if await self._leaving_within(wait):
            raise Abandoned from error
        return wait

    def count(self, error: Exception) -> None:
        """Count what stopped an attempt."""
        self._ports.metrics.retries.labels(type(error).__name__).inc()

    def give_up(self) -> None:
        """Let whoever waits for the next attempt abandon it."""
        self._leaving.set()

    def go_on(self) -> None:
        """Wait again, from now on."""
        self._leaving.clear()

    async def _leaving_within(self, seconds: float) -> bool:
        try:
            async with asyncio.timeout(seconds):
                await self._leaving.wait()
        except TimeoutError:
            return False
        return True
