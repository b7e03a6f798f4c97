"""An event loop without a clock and without the outside: time jumps to whatever comes next.

Always holds: nothing waits in real time and nothing comes from outside, so the same coroutines
take the same turns every time; what can never go on is told (`Stuck`) and not waited for.
"""

import asyncio
from typing import Any

TURNS = 2_000_000


class Stuck(Exception):
    """Everybody waits for somebody else, or nobody ever comes to rest."""


class VirtualLoop(asyncio.BaseEventLoop):
    """`now` is in seconds; it moves when nobody has anything left to do at this moment."""

    def __init__(self) -> None:
        super().__init__()
        self.now = 0.0
        self.turns = 0
        self._selector = self  # what BaseEventLoop waits with between two turns

    def time(self) -> float:
        return self.now

    def select(self, timeout: float | None) -> list[Any]:
        if timeout is None:
            raise Stuck("everybody waits, and nothing is to come")
        self.turns += 1
        if self.turns > TURNS:
            raise Stuck(f"it does not end: {TURNS} turns")
        self.now += timeout
        return []

    def _process_events(self, event_list: list[Any]) -> None:
        """There are none."""

    def _write_to_self(self) -> None:
        """Nobody waits in another thread."""
