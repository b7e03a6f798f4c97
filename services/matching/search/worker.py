"""The search for a round's pairs, beside everything else that the service does.

Reads the people as they are, looks for the best pairing (a large one in a process of its own),
and hands over some pairs at a time. Always holds: nothing is decided here; nothing is done for each
person where the event loop runs; whoever dies in the middle of it loses only time, for the next
owner searches again among those who still wait.
"""

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from datetime import datetime
from typing import Protocol

from schemas.base import Message, pair_of
from schemas.values import Tools, Waiting, WaitingCause
from services.chassis.domain import Document
from services.chassis.step.deadlines import FailedFor
from services.matching.messages import PairsFound, PlacesFound, SearchEnded, SearchReport
from services.matching.search.alone import SearchKilled, people_on, solve, solve_alone, solve_roll
from services.matching.search.explaining import waiting_words
from services.matching.search.question import SEEN, Found, Roll
from services.matching.views import Manager, Mentor, Round

logger = logging.getLogger(__name__)

AT_ONCE = 500
"""Pairs, or places on the waiting list, that are decided on in one step."""
SMALL = 250_000
"""Couples up to which a search is over before anybody would notice."""
_FEW = 8
"""Portions of mentors and managers up to which it is worth a look how many couples they are."""
_SEARCHES = 5  # of one round, when people come and go meanwhile
_AT_A_TIME = 4  # rounds


class Reads(Protocol):
    """What a search asks of the store."""

    async def encoded(
        self, kind: type[Document], cohort_id: str, fields: Sequence[str]
    ) -> list[bytes]:
        """These fields of each document of a cohort, some together."""


Solve = Callable[[Roll], Awaitable[Found]]


async def solve_here(roll: Roll) -> Found:
    """The search here and now."""
    return solve_roll(roll)


class Solver:
    """Small searches in a thread, large ones in a process of their own, one at a time."""

    def __init__(self) -> None:
        self._alone = asyncio.Lock()

    async def __call__(self, roll: Roll) -> Found:
        if sum(len(roll.portions[kind]) for kind in (Mentor, Manager)) <= _FEW:
            people = await asyncio.to_thread(people_on, roll)
            if len(people.free) * len(people.waiting) <= SMALL:
                return await asyncio.to_thread(solve, people)
        async with self._alone:
            return await solve_alone(roll)


# --- one round --------------------------------------------------------------------------------


async def search(reads: Reads, round_: Round, solve: Solve) -> AsyncIterator[SearchReport]:
    """What is reported to a round, one by one. The next is looked for when it is asked for.

    Once pairs have been handed over, those who still wait are searched again: nobody who came
    meanwhile, or whose pair did not hold any more, is left out.
    """
    of_round = {"cohort_id": round_.cohort_id, "round_id": round_.id}
    part, proposed, optimal = 0, 0, True
    causes: dict[str, WaitingCause] = {}
    for number in range(_SEARCHES):
        found = await _settled(reads, round_, solve)
        causes = {**{manager: cause for manager, cause, _ in found.waiting}, **causes}
        optimal &= found.proven and (number == 0 or not found.pairs)
        for begin in range(0, len(found.pairs), AT_ONCE):
            part += 1
            some = tuple(found.pairs[begin : begin + AT_ONCE])
            proposed += len(some)
            related = {pair_of(*p): found.related[p] for p in some if p in found.related}
            yield PairsFound(**of_round, part=part, pairs=some, related=related)
        if round_.mode == "simulate" or not found.pairs:
            break
    for begin in range(0, len(found.waiting), AT_ONCE):
        part += 1
        places = tuple(
            (manager, _place(round_, at, causes[manager], needs))
            for at, (manager, _, needs) in enumerate(
                found.waiting[begin : begin + AT_ONCE], begin + 1
            )
        )
        yield PlacesFound(**of_round, part=part, waiting=places)
    yield SearchEnded(
        **of_round,
        proposed=proposed,
        managers_waiting=len(found.waiting),
        places_free=found.places_free,
        score=found.score,
        optimal=optimal,
    )


def _place(round_: Round, position: int, cause: WaitingCause, needs: Tools) -> Waiting:
    words = waiting_words(cause, needs)
    return Waiting(round_id=round_.id, position=position, cause=cause, words=words)


async def _settled(reads: Reads, round_: Round, solve: Solve) -> Found:
    """A search during which nobody came or went; after some, the last one has to do."""
    for _ in range(_SEARCHES):
        roll = await _read(reads, round_)
        found = await solve(roll)
        if await _stands(reads, round_.cohort_id, roll):
            break
    return found


async def _read(reads: Reads, round_: Round) -> Roll:
    cohort_id = round_.cohort_id
    return Roll(
        {kind: await reads.encoded(kind, cohort_id, fields) for kind, fields in SEEN.items()},
        round_.besides,
    )


async def _stands(reads: Reads, cohort_id: str, roll: Roll) -> bool:
    """Whether everybody is still as the roll has them; one kind at a time, for there are many."""
    for kind, fields in SEEN.items():
        if await reads.encoded(kind, cohort_id, fields) != roll.portions[kind]:
            return False
    return True


# --- the rounds of a process ------------------------------------------------------------------


class RoundSearch:
    """Performs the rounds that are due: starts their searches, and reports what they found.

    `patience`: seconds to wait for a search at each look; None waits for as long as it takes.
    """

    def __init__(self, reads: Reads, solve: Solve, patience: float | None = 0.05) -> None:
        self._reads = reads
        self._solve = solve
        self._patience = patience
        self._courses: dict[str, AsyncIterator[SearchReport]] = {}
        self._pending: dict[str, asyncio.Task[SearchReport]] = {}

    async def __call__(
        self, due: Sequence[Document], _: datetime, __: asyncio.Event
    ) -> Sequence[Message]:
        """What the searches have found since the last look."""
        rounds = {document.key: document for document in due if isinstance(document, Round)}
        for key in self._courses.keys() - rounds.keys():
            self._forget(key)
        for key, round_ in rounds.items():
            if key not in self._courses and len(self._courses) < _AT_A_TIME:
                self._courses[key] = search(self._reads, round_, self._solve)
        for key, course in self._courses.items():
            if key not in self._pending:
                self._pending[key] = asyncio.create_task(_next(course))
        if self._pending:
            await self._wait()
        return self._found()

    async def _wait(self) -> None:
        tasks = list(self._pending.values())
        try:
            await asyncio.wait(tasks, timeout=self._patience)
        except BaseException:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            raise

    def _found(self) -> Sequence[Message]:
        """What has come. A search that failed is begun anew; the others keep what they found."""
        ended = {key: task for key, task in self._pending.items() if task.done()}
        failed = {key: error for key, task in ended.items() if (error := task.exception())}
        for key in failed:
            self._forget(key)
        faults = {
            key: error
            for key, error in failed.items()
            if isinstance(error, Exception) and not isinstance(error, SearchKilled)
        }
        if faults:
            raise FailedFor(faults)
        if failed:
            logger.error("a search ended with its process (too little memory?); it is begun anew")
        came = {key: task for key, task in ended.items() if key not in failed}
        for key, task in came.items():
            del self._pending[key]
            if isinstance(task.result(), SearchEnded):
                del self._courses[key]  # should the round stay due, it is searched anew
        return [task.result() for task in came.values()]

    def _forget(self, key: str) -> None:
        del self._courses[key]
        if (task := self._pending.pop(key, None)) is not None:
            task.cancel()


async def _next(course: AsyncIterator[SearchReport]) -> SearchReport:
    return await anext(course)
