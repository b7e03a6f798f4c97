"""Try until it works: a fault that passes parks nothing and loses nothing.

Always holds: an attempt is made again only after a fault that passes by itself, and never once its
partitions are about to be taken away.
"""

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable
from typing import TypeVar

from services.chassis.step.ports import Limits, Ports

logger = logging.getLogger(__name__)

T = TypeVar("T")

BOOT_SECONDS = 60.0


class Abandoned(Exception):
    """The partitions are about to be taken away; the step was not made."""


class Retry:
    """The attempts of one process. `put_off`: what did not work the last time it was tried."""

    def __init__(self, ports: Ports, limits: Limits) -> None:
        self.put_off: set[str] = set()
        self._ports = ports
        self._limits = limits
        self._leaving = asyncio.Event()

    async def until_done(self, attempt: Callable[[], Awaitable[T]], what: str = "step") -> T:
        """Make attempts, each later than the one before, until one is not stopped by a fault.

        Raises `Abandoned`, or what does not pass by itself.
        """
        wait = self._limits.first_retry
        while True:
            try:
                result = await attempt()
            except Exception as error:
                if not self._ports.is_transient(error):
                    raise
                self.put_off.add(what)
                self.count(error)
                logger.warning("%s put off: %s", what, type(error).__name__)
                if await self._leaving_within(wait):
                    raise Abandoned from error
                wait = min(wait * 2, self._limits.longest_retry)
            else:
                self.put_off.discard(what)
                return result

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
            await asyncio.wait_for(self._leaving.wait(), seconds)
        except TimeoutError:
            return False
        return True


async def patiently(
    what: str, start: Callable[[], Awaitable[None]], is_transient: Callable[[Exception], bool]
) -> None:
    """Start a part that may not be there yet; give up after a minute."""
    deadline, wait = time.monotonic() + BOOT_SECONDS, 0.1
    while True:
        try:
            await start()
        except Exception as error:
            if not is_transient(error) or time.monotonic() > deadline:
                raise
            logger.warning("%s is not there yet: %s", what, type(error).__name__)
        else:
            return
        await asyncio.sleep(wait)
        wait = min(wait * 2, 5.0)
