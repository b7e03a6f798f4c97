"""Forgetting a person: they leave wherever they take part, and how to reach them is erased.

Always holds: a person is forgotten in every cohort that matching knows, after they have left
there; doing it again does no harm; nothing of this module shows a name or an address.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import TypeVar

from deploy.errors import OperationFailed
from deploy.operating.platform import CommandOutcome, Platform
from schemas.base import Command
from schemas.matching import WithdrawManager, WithdrawMentor
from schemas.people import PersonErased

LEFT = "withdrawn"
AT_ONCE = 8  # cohorts

T = TypeVar("T")
R = TypeVar("R")


@dataclass(frozen=True, slots=True)
class Trace:
    """What stands of a person in one cohort. A state is None where they never had the part."""

    cohort_id: str
    mentor: str | None = None
    manager: str | None = None

    @property
    def takes_part(self) -> bool:
        return self.mentor is not None or self.manager is not None

    @property
    def left(self) -> bool:
        """Whether they take no part, or not any more."""
        return self.mentor in (None, LEFT) and self.manager in (None, LEFT)


@dataclass(frozen=True, slots=True)
class Erased:
    """What became of one cohort; `forgotten`: nobody can be reached there any more."""

    before: Trace
    after: Trace
    forgotten: bool

    @property
    def whole(self) -> bool:
        return self.after.left and self.forgotten


async def traces(platform: Platform, person_id: str, more: Sequence[str] = ()) -> list[Trace]:
    """What stands of a person, in every cohort of matching and in those of `more`, by cohort."""
    known = [row["id"] for row in await platform.listing("matching", "/cohorts")]
    return await _each(
        sorted({*known, *more}),
        lambda cohort_id: _trace(platform, cohort_id, person_id, cohort_id in known),
    )


async def _trace(platform: Platform, cohort_id: str, person_id: str, known: bool) -> Trace:
    if not known:
        return Trace(cohort_id)

    async def state(collection: str) -> str | None:
        path = f"/cohorts/{cohort_id}/{collection}"
        rows = await platform.listing("matching", path, id=person_id)
        return str(rows[0]["state"]) if rows else None

    return Trace(cohort_id, await state("mentors"), await state("managers"))


async def erase(
    platform: Platform, person_id: str, standing: Sequence[Trace], advance: Callable[[], None]
) -> list[Erased]:
    """Withdraw the person wherever they take part, then have them forgotten, cohort by cohort.

    `advance` is called after each.
    """

    async def one(before: Trace) -> Erased:
        # First gone, then forgotten: who is told that a pair has ended hears with whom.
        for command in _withdrawals(before, person_id):
            await platform.send("matching", command)
        forgotten = await platform.send(
            "notify", PersonErased(cohort_id=before.cohort_id, person_id=person_id)
        )
        after = await _trace(platform, before.cohort_id, person_id, before.takes_part)
        advance()
        return Erased(before, after, _done(forgotten))

    return await _each(standing, one)


def _done(outcome: CommandOutcome) -> bool:
    if outcome.rule is not None:
        raise OperationFailed(f"notify does not forget the person: {outcome.detail}")
    return outcome.done


def _withdrawals(trace: Trace, person_id: str) -> list[Command]:
    found: list[Command] = []
    if trace.mentor not in (None, LEFT):
        found.append(WithdrawMentor(cohort_id=trace.cohort_id, mentor_id=person_id))
    if trace.manager not in (None, LEFT):
        found.append(WithdrawManager(cohort_id=trace.cohort_id, manager_id=person_id))
    return found


async def _each(items: Sequence[T], work: Callable[[T], Awaitable[R]]) -> list[R]:
    """Some at a time, in their order."""
    turn = asyncio.Semaphore(AT_ONCE)

    async def in_turn(item: T) -> R:
        async with turn:
            return await work(item)

    return list(await asyncio.gather(*map(in_turn, items)))
