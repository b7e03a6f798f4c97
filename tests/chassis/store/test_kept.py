"""What is kept until a moment: the same in a database and in memory."""

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime

import pytest

from services.chassis.store.contract import NoAnswer
from services.chassis.store.kept import Kept, MemoryKept
from services.chassis.store.mongo import MongoStore

NOW = datetime(2026, 11, 29, tzinfo=UTC)


@pytest.fixture(params=["memory", "mongo"])
def where(request: pytest.FixtureRequest) -> tuple[str, str] | None:
    """Address and name of a database, or None for what is kept in memory."""
    if request.param == "memory":
        return None
    return request.getfixturevalue("mongodb_uri"), request.getfixturevalue("database")


@pytest.fixture
async def kept(where: tuple[str, str] | None) -> AsyncIterator[Kept]:
    if where is None:
        yield MemoryKept()
        return
    store = MongoStore(*where, ())
    await store.open()
    # What is past is deleted by the server in its own time; here the past is years away.
    yield store.kept
    await store.close()


FAR = datetime(2126, 1, 1, tzinfo=UTC)
HALF_WAY = datetime(2125, 1, 1, tzinfo=UTC)


async def test_a_value_is_there_until_its_moment_and_not_after(kept: Kept) -> None:
    await kept.put("a", "1", {"x": 1, "at": NOW}, FAR)
    assert await kept.get("a", "1", NOW) == {"x": 1, "at": NOW}
    assert await kept.get("a", "1", FAR) is None
    assert await kept.get("b", "1", NOW) is None


async def test_of_several_who_take_it_at_once_one_gets_it(kept: Kept) -> None:
    await kept.put("a", "1", {"x": 1}, FAR)
    found = await asyncio.gather(*(kept.take("a", "1", NOW) for _ in range(8)))
    assert [one for one in found if one is not None] == [{"x": 1}]


async def test_what_is_settled_first_stays_for_all_who_settle_at_once(kept: Kept) -> None:
    wishes = [kept.settle("a", "1", {"n": n}, FAR, NOW) for n in range(8)]
    found = await asyncio.gather(*wishes)
    assert len({str(one) for one in found}) == 1
    assert await kept.settle("a", "1", {"n": 99}, FAR, FAR) == {"n": 99}, "it was past"


async def test_tries_are_counted_from_the_first_until_its_moment(kept: Kept) -> None:
    counts = [await kept.count("a", "1", HALF_WAY, NOW) for _ in range(3)]
    assert counts == [1, 2, 3]
    assert await kept.count("a", "1", FAR, HALF_WAY) == 1


async def test_an_owner_s_values_are_forgotten_together_and_nobody_else_s(kept: Kept) -> None:
    await kept.put("a", "1", {}, FAR, "anne")
    await kept.put("a", "2", {}, FAR, "anne")
    await kept.put("a", "3", {}, FAR, "paul")
    await kept.put("b", "4", {}, FAR, "anne")
    await kept.forget("b", "4")
    assert await kept.forget_all("a", "anne") == 2
    assert [await kept.get("a", key, NOW) for key in "123"] == [None, None, {}]


async def test_an_owner_s_values_that_are_there_are_found_so_many_at_most(kept: Kept) -> None:
    await kept.put("a", "1", {"x": 1}, FAR, "anne")
    await kept.put("a", "2", {"x": 2}, HALF_WAY, "anne")
    await kept.put("a", "3", {"x": 3}, FAR, "paul")
    assert await kept.owned("a", "anne", HALF_WAY, 10) == [{"x": 1}]
    assert len(await kept.owned("a", "anne", NOW, 10)) == 2
    assert len(await kept.owned("a", "anne", NOW, 1)) == 1


async def test_a_new_value_is_in_the_old_one_s_stead(kept: Kept) -> None:
    await kept.put("a", "1", {"x": 1}, FAR, "anne")
    await kept.put("a", "1", {"x": 2}, FAR, "paul")
    assert await kept.get("a", "1", NOW) == {"x": 2}
    assert await kept.forget_all("a", "anne") == 0


async def test_a_database_that_is_away_is_no_answer() -> None:
    store = MongoStore("mongodb://127.0.0.1:1/?serverSelectionTimeoutMS=50", "nowhere", ())
    away = store.kept
    for asked in (
        away.put("a", "1", {}, FAR),
        away.get("a", "1", NOW),
        away.take("a", "1", NOW),
        away.settle("a", "1", {}, FAR, NOW),
        away.count("a", "1", FAR, NOW),
        away.owned("a", "", NOW, 1),
        away.forget("a", "1"),
        away.forget_all("a", ""),
    ):
        with pytest.raises(NoAnswer):
            await asked
    await store.close()
