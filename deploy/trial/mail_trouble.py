"""A mail server that puts letters off, refuses them for good, breaks off and dies: by a seed.

Always holds: what becomes of a letter depends on the seed, on the letter and on how often it has
come, never on when; so however often its sender is killed meanwhile, the same letters are refused
for good. While the server is away it is for whoever turns the clock to wait (`away`): otherwise an
outage of a moment would be one of weeks.
"""

import asyncio
import random
import time
from collections import Counter
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from email.message import EmailMessage

from deploy.local.mail import TAKEN, Mailbox, Verdict
from deploy.trial.handed_again import OTHERWISE, Fault, explained

PUT_OFF = ("421 4.3.2 closing", "450 4.2.1 busy")
FOR_GOOD = "550 5.7.1 refused"
REFUSED, DYING = 0.08, 0.08
"""Shares of letters: refused for good; of the others, those in whose conversation it dies."""
MOST_PUT_OFF = 2
"""A letter is given up after eight times, and the server's deaths cost it some, too."""
AWAY_SECONDS = 0.5


@dataclass(frozen=True, slots=True)
class Mood:
    """What a letter meets: `answers` that put it off, one after the other, then it is taken.

    `dies`: the server does when it should say so, once; true if it has kept the letter by then.
    `for_good`: it is refused whenever it comes.
    """

    answers: tuple[str, ...] = ()
    dies: bool | None = None
    for_good: bool = False

    def verdict(self, number: int) -> Verdict:
        """When it comes for the nth time, from 1."""
        if self.for_good:
            return Verdict(False, FOR_GOOD)
        if number <= len(self.answers):
            return Verdict(False, self.answers[number - 1])
        if number == len(self.answers) + 1 and self.dies is not None:
            return Verdict(self.dies, None)
        return TAKEN


def mood(seed: int, letter: str) -> Mood:
    """Of a letter (`cohort/id`)."""
    draw = random.Random(f"{seed}:mail:{letter}")  # noqa: S311  # no secret
    if draw.random() < REFUSED:
        return Mood(for_good=True)
    answers = draw.choices(PUT_OFF, k=draw.choice((0, 0, 1, MOST_PUT_OFF)))
    return Mood(tuple(answers), draw.choice((True, False)) if draw.random() < DYING else None)


@dataclass(frozen=True, slots=True)
class Arrival:
    """A letter came whole. `kept`: the server has it since. Moments are of `time.monotonic`."""

    letter: str
    opened_at: float
    at: float
    verdict: Verdict


class MailTrouble:
    """The moods of a mailbox, for as long as `afoot` lasts, and what came of them."""

    def __init__(self, mailbox: Mailbox, seed: int) -> None:
        self.away = False
        self.deaths: list[float] = []
        self.arrivals: list[Arrival] = []
        self._mailbox = mailbox
        self._seed = seed
        self._came: Counter[str] = Counter()
        self._dying: set[asyncio.Task[None]] = set()

    @asynccontextmanager
    async def afoot(self) -> AsyncIterator[None]:
        """It is in a mood; in the end it is back, and takes what comes."""
        self._mailbox.judge = self._judge
        try:
            yield
        finally:
            self._mailbox.judge = None
            await asyncio.gather(*self._dying)

    def _judge(self, headers: EmailMessage, opened_at: float) -> Verdict:
        letter = f"{headers['X-Connecte-Cohort']}/{headers['X-Connecte-Letter']}"
        self._came[letter] += 1
        verdict = mood(self._seed, letter).verdict(self._came[letter])
        self.arrivals.append(Arrival(letter, opened_at, time.monotonic(), verdict))
        if verdict.answer is None and not self.away:
            self.away = True
            self.deaths.append(time.monotonic())
            task = asyncio.create_task(self._die())
            self._dying.add(task)
            task.add_done_callback(self._dying.discard)
        return verdict

    async def _die(self) -> None:
        await self._mailbox.stop()
        await asyncio.sleep(AWAY_SECONDS)
        await self._mailbox.start()
        self.away = False

    @property
    def refused(self) -> set[str]:
        """The letters that were refused for good."""
        return {one.letter for one in self.arrivals if one.verdict.answer == FOR_GOOD}

    @property
    def answers(self) -> Counter[str]:
        """How often it said what, by its code; what it broke off is an empty one."""
        return Counter((one.verdict.answer or "")[:3] for one in self.arrivals)

    def told(self, killed: Sequence[float]) -> dict[str, object]:
        """What came of it, as the run's document has it. `killed`: when a sender was."""
        after = handed_over_again(self.arrivals, killed, self.deaths)
        return {
            "refused": sorted(self.refused),
            "answers": dict(sorted(self.answers.items())),
            "deaths": len(self.deaths),
            "again": len(after),
            "again_after": dict(sorted(Counter(cause for _, cause in after).items())),
            "unexplained": [letter for letter, cause in after if cause == OTHERWISE],
        }


def handed_over_again(
    arrivals: Sequence[Arrival], killed: Sequence[float], deaths: Sequence[float]
) -> list[tuple[str, str]]:
    """The letters that came though the server had them already, each time with the cause.

    `killed`, `deaths`: when a sender was killed, and when the server died. Only in a conversation
    that was open then can it have been taken without its sender knowing.
    """
    kept: dict[str, Arrival] = {}
    letters: list[str] = []
    again: list[tuple[float, float]] = []
    for one in arrivals:
        if (before := kept.get(one.letter)) is not None:
            letters.append(one.letter)
            again.append((before.opened_at, one.at))
        if one.verdict.kept:
            kept[one.letter] = one
    faults = [Fault("kill", at, at) for at in killed] + [Fault("mail", at, at) for at in deaths]
    return list(zip(letters, explained(again, faults, ("kill", "mail")), strict=True))
