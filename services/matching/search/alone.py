"""A search in a process of its own, which can be ended at any time without harm to who asked.

Always holds: whoever asked gets an answer or an error, however the process ends, and leaves none
behind. What passes goes through pipes that end with the process. (A pool's queues do not: their
locks and pipes outlive a worker that is killed, and the pool waits for them for ever.)
"""

import asyncio
import os
import pickle
import sys
from collections import defaultdict
from typing import BinaryIO

from schemas.base import people_of
from schemas.values import CohortPolicy
from services.chassis.domain import Document
from services.chassis.store.contract import Row
from services.chassis.store.rows import decoded
from services.chassis.watch.logs import Discreet
from services.matching.search.question import Found, People, Roll
from services.matching.views import Cohort, Line, Manager, Mentor, Override, Pair


class SearchFailed(Exception):
    """The search met an error, there; what may be told of it is this one's text."""


class SearchKilled(Exception):
    """The process ended before it had an answer."""


async def solve_alone(roll: Roll) -> Found:
    """The best pairing of those on the roll, searched elsewhere; who is cancelled ends it.

    Raises `SearchFailed` and `SearchKilled`.
    """
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", __name__),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
    )
    try:
        told, _ = await process.communicate(await asyncio.to_thread(pickle.dumps, roll))
    finally:
        if process.returncode is None:
            process.kill()  # it looks at nothing until it is done
            await process.wait()
    if process.returncode != 0:
        raise SearchKilled(f"exit code {process.returncode}")
    # Our own words, from a process that we have started.
    answer = await asyncio.to_thread(pickle.loads, told)
    if isinstance(answer, Found):
        return answer
    raise SearchFailed(answer)


def people_on(roll: Roll) -> People:
    """Everybody on the roll, read and checked: too much to do where an event loop runs."""

    def rows_of(kind: type[Document]) -> list[Row]:
        return [row for portion in roll.portions[kind] for row in decoded(portion)]

    [cohort] = rows_of(Cohort)
    apart = [row for row in rows_of(Override) if row["decision"] == "kept_apart"]
    closed: dict[str, list[str]] = defaultdict(list)
    for row in (*rows_of(Pair), *apart):
        closed[row["manager_id"]].append(row["mentor_id"])
    for mentor, manager in map(people_of, roll.besides):
        closed[manager].append(mentor)
    return People(
        CohortPolicy.model_validate(cohort["policy"]),
        [Mentor.model_validate(row) for row in rows_of(Mentor)],
        [Manager.model_validate(row) for row in rows_of(Manager)],
        {manager: sorted(mentors) for manager, mentors in sorted(closed.items())},
        {row["id"]: row["line_manager"] for row in rows_of(Line)},
    )


def solve(people: People) -> Found:
    """The best pairing. What it takes (NumPy, the solver) is loaded where there is something to
    search: a process without a round needs a quarter less memory, and starts sooner."""
    from services.matching.search import solving  # noqa: PLC0415

    return solving.solve(people)


def solve_roll(roll: Roll) -> Found:
    """The best pairing of those on the roll."""
    return solve(people_on(roll))


def _answered(roll: bytes) -> Found | str:
    try:
        return solve_roll(pickle.loads(roll))  # noqa: S301  # of the process that started us
    except Exception:  # noqa: BLE001  # told where it was asked
        return Discreet().formatException(sys.exc_info())


def _answers() -> BinaryIO:
    """Where answers are written. A library that prints prints elsewhere from now on."""
    answers = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    return answers


if __name__ == "__main__":
    with _answers() as answers:
        answers.write(pickle.dumps(_answered(sys.stdin.buffer.read())))
