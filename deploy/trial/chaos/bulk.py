"""The bulk of the load: cohort after cohort straight over Kafka, and thousands of small wishes.

Always holds: the load waits while the services are behind, and while nobody can say whether they
are; so it neither starves them nor floods them.
"""

import asyncio
import random
from collections.abc import Sequence
from typing import TypeVar

from deploy.trial.chaos.answers import PREFIX
from deploy.trial.chaos.population import Crowd
from deploy.trial.chaos.sender import Sender
from deploy.trial.chaos.watch import Watch
from schemas.base import Command
from schemas.matching import RunRound

T = TypeVar("T")

BATCH_SECONDS = 0.25
MOST_BEHIND = 4000
MOST_LETTERS = 3000  # that wait: writing one takes longer than all that leads to it
"""Records that the services together may be behind; beyond that the load waits."""
STALE_SECONDS = 6.0
HTTP_SHARE = 0.08


class Bulk:
    """`rate`: small wishes per second. A new cohort comes every `every` seconds."""

    def __init__(
        self, sender: Sender, watch: Watch, seed: int, *, rate: float, every: float, pairs: int
    ) -> None:
        self.cohorts: list[Crowd] = []
        self.held_back = 0.0
        self._sender = sender
        self._watch = watch
        self._seed = seed
        self._rate = rate
        self._every = every
        self._pairs = pairs
        self._chance = random.Random(f"{seed}:bulk")  # noqa: S311  # no secret

    async def run(self, waves_until: float) -> None:
        """Go on until cancelled; no new cohort after so many seconds."""
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._waves(waves_until))
            tasks.create_task(self._wishes())
            tasks.create_task(self._visits())

    async def _waves(self, until: float) -> None:
        loop = asyncio.get_running_loop()
        end = loop.time() + until
        while not self.cohorts or loop.time() < end:
            begun = loop.time()
            await self._room()
            await self._open(self._next())
            await asyncio.sleep(max(0.0, self._every - (loop.time() - begun)))

    def _next(self) -> Crowd:
        return Crowd(self._seed, f"{PREFIX}{len(self.cohorts)}", self._pairs, self._pairs)

    async def _open(self, cohort: Crowd) -> None:
        await self._sender.send([cohort.opening, *cohort.contacts])
        people: list[Command] = [*cohort.volunteers, *cohort.enrolments]
        for batch in _batches(people, 40):
            await self._room()
            await self._sender.send(batch)
        await self._sender.send([RunRound(cohort_id=cohort.id, round_id="round-1")])
        self.cohorts.append(cohort)

    async def _wishes(self) -> None:
        owed = 0.0
        while True:
            await self._room()
            owed = min(owed + self._rate * (1 - HTTP_SHARE) * BATCH_SECONDS, self._rate)
            if self.cohorts and owed >= 1:
                await self._sender.send([self._wish() for _ in range(int(owed))])
                owed -= int(owed)
            await asyncio.sleep(BATCH_SECONDS)

    async def _visits(self) -> None:
        """Some of the wishes come through HTTP, one by one."""
        while True:
            await self._room()
            await asyncio.sleep(1 / (self._rate * HTTP_SHARE))
            if self.cohorts:
                await self._sender.post(self._wish())

    def _wish(self) -> Command:
        # Mostly of those that are at it; the first ones ended long ago.
        return self._chance.choice(self.cohorts[-6:]).wish()

    async def _room(self) -> None:
        """Wait while the services are behind, or nobody knows."""
        while self._behind() or self._watch.age > STALE_SECONDS:
            self.held_back += BATCH_SECONDS
            await asyncio.sleep(BATCH_SECONDS)

    def _behind(self) -> bool:
        glance = self._watch.last
        return glance.backlog > MOST_BEHIND or glance.letters > MOST_LETTERS


def _batches(items: Sequence[T], size: int) -> list[Sequence[T]]:
    return [items[start : start + size] for start in range(0, len(items), size)]
