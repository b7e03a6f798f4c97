"""A search in a process of its own: the same answer, and an end to it whatever happens."""

import asyncio
from contextlib import suppress

import psutil
import pytest
from bson import encode

from services.matching.search import alone, worker
from services.matching.search.alone import SearchFailed, SearchKilled, solve_alone, solve_roll
from services.matching.search.question import SEEN, Roll
from services.matching.views import Manager, Round
from tests.conftest import PATIENCE, eventually
from tests.matching.given import manager, mentor, scenario


async def roll_of(people: int, padding: int = 0) -> Roll:
    """So many mentors and managers, and so many bytes that nobody looks at."""
    names = [f"m{number}" for number in range(people)], [f"g{number}" for number in range(people)]
    found = scenario(*map(mentor, names[0]), *map(manager, names[1]))
    roll = await worker._read(found, Round(id="r1", cohort_id="c"))
    return Roll(roll.portions, ("x" * padding + "~y",) if padding else ())


def processes() -> list[psutil.Process]:
    """Those of searches: a worker of tests has databases and brokers for children, too."""
    return [process for process in psutil.Process().children() if _searches(process)]


def _searches(process: psutil.Process) -> bool:
    try:
        return process.status() != psutil.STATUS_ZOMBIE and alone.__name__ in process.cmdline()
    except psutil.NoSuchProcess:
        return False


async def begun() -> list[psutil.Process]:
    async def there() -> list[psutil.Process]:
        return processes()

    return await eventually(there)


async def test_it_finds_what_is_found_here() -> None:
    roll = await roll_of(3)
    assert await solve_alone(roll) == solve_roll(roll)


@pytest.mark.parametrize("padding", [0, 4 * 1024 * 1024], ids=["small", "more than a pipe holds"])
@pytest.mark.parametrize("after", [0.0, 0.05, 0.2, 0.5, 1.0])
async def test_whoever_asked_hears_of_a_process_that_is_killed_at_any_moment(
    padding: int, after: float
) -> None:
    async with asyncio.timeout(PATIENCE):
        search = asyncio.create_task(solve_alone(await roll_of(3, padding)))
        [process] = await begun()
        await asyncio.wait([search], timeout=after)
        with suppress(psutil.NoSuchProcess):
            process.kill()
        with suppress(SearchKilled):
            assert (await search).pairs
    assert not processes()


@pytest.mark.parametrize("after", [0.0, 0.05, 0.2, 0.5, 1.0])
async def test_who_is_cancelled_leaves_no_process_behind(after: float) -> None:
    async with asyncio.timeout(PATIENCE):
        search = asyncio.create_task(solve_alone(await roll_of(3, 4 * 1024 * 1024)))
        await begun()
        await asyncio.wait([search], timeout=after)
        search.cancel()
        with suppress(asyncio.CancelledError):
            await search
    assert not processes()


async def test_an_error_there_is_told_here_and_tells_of_nobody() -> None:
    roll = await roll_of(1)
    broken = {**roll.portions, Manager: [encode({"0": {"id": "g-marie", "skills": "none"}})]}
    with pytest.raises(SearchFailed) as failed:
        await solve_alone(Roll(broken))
    assert "ValidationError" in str(failed.value)
    assert "g-marie" not in str(failed.value)


async def test_a_roll_without_its_cohort_is_an_error_that_says_where() -> None:
    with pytest.raises(SearchFailed, match="people_on"):
        await solve_alone(Roll({kind: [] for kind in SEEN}))
