"""Everybody of two rosters into a cohort, as commands through HTTP like everybody's."""

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import TypeVar

from deploy.errors import OperationFailed
from deploy.operating.platform import CONCURRENCY, Platform
from deploy.operating.rosters import Roster
from schemas.base import Command
from schemas.lines import NameLineManager
from schemas.matching import OpenCohort
from schemas.topics import Service

T = TypeVar("T")

OF_ANOTHER = "id-of-another"
"""Somebody else has the id: nothing is sent of whoever it was meant for."""


@dataclass(slots=True)
class Entered:
    """What became of a roster. `unconfirmed` were sent, and nothing was seen of them in time."""

    contacts: int = 0
    mentors: int = 0
    managers: int = 0
    lines: int = 0
    unconfirmed: int = 0
    refused: list[dict[str, str]] = field(default_factory=list)

    @property
    def clean(self) -> bool:
        return not (self.unconfirmed or self.refused)

    @property
    def rules(self) -> dict[str, int]:
        """Rule to how often it said no."""
        return dict(Counter(refusal["rule"] for refusal in self.refused).most_common())


async def enter(
    platform: Platform,
    roster: Roster,
    opening: OpenCohort | None,
    advance: Callable[[], None],
    lines: Sequence[NameLineManager] = (),
) -> Entered:
    """Open the cohort, then send every contact, the reporting line, and everybody who takes part.

    `advance` is called after each person. Raises OperationFailed when the cohort is not opened.
    """
    entered = Entered()
    if opening is not None:
        outcome = await platform.send("matching", opening)
        if not outcome.done:
            why = outcome.detail or "nothing was seen of it in time"
            raise OperationFailed(f"the cohort was not opened, nobody was sent: {why}")

    taken: set[str] = set()

    async def send(service: Service, command: Command, group: str) -> None:
        outcome = await platform.send(service, command)
        if outcome.done:
            setattr(entered, group, getattr(entered, group) + 1)
        elif outcome.rule is None:
            entered.unconfirmed += 1
        else:
            if outcome.rule == OF_ANOTHER:
                taken.add(command.subject)
            refusal = {"person": command.subject, "command": type(command).__name__}
            entered.refused.append({**refusal, "rule": outcome.rule, "detail": outcome.detail})
        advance()

    # Contacts first: a letter to somebody without one waits for hours.
    await _each(roster.contacts, lambda contact: send("notify", contact, "contacts"))
    # Lines before people: no round may find two of one line who are not known to be.
    await _each(lines, lambda line: send("matching", line, "lines"))
    people: list[tuple[Command, str]] = [
        *((mentor, "mentors") for mentor in roster.mentors),
        *((manager, "managers") for manager in roster.managers),
    ]
    for _ in [item for item in people if item[0].subject in taken]:
        advance()
    people = [item for item in people if item[0].subject not in taken]
    await _each(people, lambda item: send("matching", *item))
    return entered


async def _each(items: Iterable[T], work: Callable[[T], Awaitable[None]]) -> None:
    """Some at a time."""
    waiting = iter(items)

    async def worker() -> None:
        for item in waiting:
            await work(item)

    async with asyncio.TaskGroup() as tasks:
        for _ in range(CONCURRENCY):
            tasks.create_task(worker())
