"""After the last fault: programmes come to their end, and everything comes to rest.

Always holds: what it does to get there is what coordinators do, through HTTP: end what stands,
decline what nobody answers, have letters tried again that were given up.
"""

import asyncio
from collections import Counter
from collections.abc import Sequence

from deploy.trial.chaos.sender import Sender
from deploy.trial.chaos.stage import Stage
from deploy.trial.chaos.watch import Watch
from schemas.base import Command
from schemas.matching import DeclineProposal, DissolvePair
from schemas.notify import RetryLetter
from schemas.topics import Service

REST_SECONDS = 2.0
LOOK_EVERY = 0.5
AT_ONCE = 12
AGAIN_SECONDS = 8.0
MOST_RETRIES = 3

OPEN: tuple[tuple[Service, str, str, tuple[str, ...]], ...] = (
    ("matching", "pairs", "state", ("proposed", "formed")),
    ("scheduling", "sessions", "state", ("planned", "confirmed")),
    ("feedback", "surveys", "state", ("open",)),
    ("notify", "letters", "state", ("queued",)),
)
"""What is still to come to an end: service, collection, field, values."""


class Quiet:
    """Brings a run to rest."""

    def __init__(self, stage: Stage, watch: Watch, sender: Sender) -> None:
        self.stage = stage
        self.watch = watch
        self.sender = sender
        self.open: dict[str, int] = {}
        self._asked: dict[str, float] = {}
        self._retried: Counter[str] = Counter()

    async def settle(self, linger: float, limit: float) -> bool:
        """Let programmes go on for `linger` seconds, then end them; whether all came to rest."""
        loop = asyncio.get_running_loop()
        end, close_at = loop.time() + limit, loop.time() + linger
        since: float | None = None
        steps = -1
        while loop.time() < end:
            resting, now_steps = await self._resting()
            if not resting or now_steps != steps:
                since, steps = None, now_steps
            if resting:
                since = since or loop.time()
                if loop.time() - since >= REST_SECONDS:
                    return True
            elif loop.time() > close_at:
                await self._close()
            await self._retry_letters()
            await asyncio.sleep(LOOK_EVERY)
        return False

    async def _resting(self) -> tuple[bool, int]:
        """Whether nothing is under way, and how many steps were made until now."""
        glance = await self.watch.look()
        if glance is None:
            self.open = {"somebody does not answer": 1}
            return False, -1
        found = {f"{service} behind": lag for service, lag in glance.lag.items()}
        found["outbox"], found["partitions without leader"] = glance.outbox, glance.unknown
        for service, collection, field, values in OPEN:
            tally = await self.watch.tally(service, collection, field)
            if tally is None:
                return False, -1
            found[f"{collection} open"] = sum(tally.get(value, 0) for value in values)
        measured = await self.watch.find("feedback", "cohorts", {"due_at": {"$ne": None}}, "_id")
        found["figures due"] = len(measured)
        self.open = {name: count for name, count in found.items() if count}
        return not self.open, glance.steps

    async def _close(self) -> None:
        """End what stands; say no to what nobody has answered."""
        pairs = await self.watch.find(
            "matching", "pairs", {"state": {"$in": ["proposed", "formed"]}}, "state"
        )
        wishes: list[Command] = []
        for row in pairs:
            if not self._due(str(row["_id"])):
                continue
            cohort, _, pair = str(row["_id"]).partition("/")
            if row["state"] == "formed":
                wishes.append(DissolvePair(cohort_id=cohort, pair_id=pair, reason="end of the run"))
            else:
                wishes.append(DeclineProposal(cohort_id=cohort, pair_id=pair, by="manager"))
        await self._ask(wishes)

    def _due(self, key: str) -> bool:
        """Whether to ask now: not again before the first wish had its time."""
        now = asyncio.get_running_loop().time()
        if now - self._asked.get(key, -AGAIN_SECONDS) < AGAIN_SECONDS:
            return False
        self._asked[key] = now
        return True

    async def _retry_letters(self) -> None:
        """A letter that was given up while the mail server was away is tried again.

        One that came back is not: before that, somebody corrects an address.
        """
        wishes: list[Command] = []
        given_up = {"state": "failed", "cause": {"$not": {"$regex": "^bounced"}}}
        for row in await self.watch.find("notify", "letters", given_up, "state"):
            key = str(row["_id"])
            if self._retried[key] < MOST_RETRIES and self._due(key):
                self._retried[key] += 1
                cohort, _, letter = key.partition("/")
                wishes.append(RetryLetter(cohort_id=cohort, letter_id=letter))
        await self._ask(wishes)

    async def _ask(self, wishes: Sequence[Command]) -> None:
        for start in range(0, len(wishes), AT_ONCE):
            some = wishes[start : start + AT_ONCE]
            await asyncio.gather(*(self.sender.post(wish) for wish in some))

    @property
    def letters_retried(self) -> int:
        return sum(self._retried.values())
