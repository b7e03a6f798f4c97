"""Programmes as people live them: entered through HTTP, answered by following links in letters."""

import asyncio
from collections.abc import Sequence

from deploy.trial.chaos.population import POLICY_BY_LETTER, Crowd
from deploy.trial.chaos.sender import Sender
from schemas.base import Command
from schemas.matching import RunRound

PREFIX = "town-"
AT_ONCE = 8
SECOND_ROUND_DAYS = 5.0


class Programmes:
    """One town after the other, each a cohort of its own. `day` is that in seconds."""

    def __init__(self, sender: Sender, seed: int, *, every: float, pairs: int, day: float) -> None:
        self.towns: list[Crowd] = []
        self._sender = sender
        self._seed = seed
        self._every = every
        self._pairs = pairs
        self._day = day

    async def run(self, until: float) -> None:
        """No new town after so many seconds; then wait until cancelled."""
        loop = asyncio.get_running_loop()
        end = loop.time() + until
        async with asyncio.TaskGroup() as tasks:
            while not self.towns or loop.time() < end:
                mentors = round(self._pairs * 1.5)
                name = f"{PREFIX}{len(self.towns)}"
                town = Crowd(self._seed, name, mentors, self._pairs, POLICY_BY_LETTER)
                self.towns.append(town)
                tasks.create_task(self._live(town))
                await asyncio.sleep(self._every)

    async def _live(self, town: Crowd) -> None:
        """The coordinator's part: everybody in, and a second round for those left over."""
        await self._sender.post(town.opening, wait=20)
        await self._each(town.contacts)
        await self._each([*town.volunteers, *town.enrolments])
        await self._sender.post(RunRound(cohort_id=town.id, round_id="round-1"), wait=20)
        await asyncio.sleep(SECOND_ROUND_DAYS * self._day)
        await self._sender.post(RunRound(cohort_id=town.id, round_id="round-2"), wait=5)

    async def _each(self, commands: Sequence[Command]) -> None:
        for start in range(0, len(commands), AT_ONCE):
            some = commands[start : start + AT_ONCE]
            await asyncio.gather(*(self._sender.post(command) for command in some))
