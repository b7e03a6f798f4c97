"""Another generation of a database takes the place of the live one, and nothing is lost: G5."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence

import pytest

from services.chassis.log.contract import Received
from services.chassis.step.rebuild import Fold
from services.chassis.step.retrying import Abandoned
from services.chassis.step.stepper import Stepper
from services.chassis.store.generations import A_PLACE, FenceFell, Moving, prefix_of
from services.chassis.store.mongo import MongoStore
from tests.chassis.faults import Replaceable
from tests.chassis.toy import KINDS, PARTITIONS, TOY, World, cohort_on, confirm, formed, life
from tests.conftest import eventually


@pytest.fixture
async def new(mongodb_uri: str, database: str, mongo: MongoStore) -> AsyncIterator[MongoStore]:
    """The second generation of the same database."""
    number = await mongo.generations.reserve()
    store = MongoStore(mongodb_uri, database, KINDS, number)
    await store.open()
    yield store
    await store.close()


@pytest.fixture
async def second(mongodb_uri: str, database: str, mongo: MongoStore) -> AsyncIterator[MongoStore]:
    """Another process of the service, that was there before."""
    store = MongoStore(mongodb_uri, database, KINDS)
    await store.open()
    yield store
    await store.close()


async def folded(world: World, new: MongoStore) -> Fold:
    fold = Fold(TOY, new, world.log, PARTITIONS)
    await fold.catch_up()
    return fold


async def changed_over(world: World, live: MongoStore, new: MongoStore) -> None:
    fold = await folded(world, new)
    token = await live.generations.fence(range(PARTITIONS))
    await fold.catch_up()
    await live.generations.swap(token, PARTITIONS, 2)


async def in_vain(stepper: Stepper, records: Sequence[Received]) -> None:
    """The step cannot be made, again and again, until the partitions are taken away."""
    handled = asyncio.create_task(stepper.handle(records))
    await eventually(_fenced_out(stepper))
    await stepper.leave(list(stepper.owned))
    with pytest.raises(Abandoned):
        await handled


def _fenced_out(stepper: Stepper) -> Callable[[], Awaitable[bool]]:
    async def unhealthy() -> bool:
        return not stepper.healthy

    return unhealthy


async def test_a_running_service_goes_over_to_the_new_generation_and_loses_nothing(
    mongo: MongoStore, new: MongoStore, second: MongoStore
) -> None:
    world = World(store=mongo)
    await life(world, world.stepper)
    stepper = await world.run()
    before = await mongo.places(range(PARTITIONS))

    await changed_over(world, second, new)
    two = cohort_on(2)
    world.publish(formed("m~z", two))
    world.command(confirm("m~z", cohort=two))
    await world.run(stepper)

    place = (await new.places([2]))[2]
    assert place.step == before[2].step + 1
    assert (await world.tallies())[f"{two}/m~z"] == 1
    world.journal()  # goes on without a gap or a fork
    again = await world.run(world.stepper(second))
    assert again.owned == stepper.owned


async def test_a_generation_that_is_not_live_any_more_cannot_be_written_to(
    mongo: MongoStore, new: MongoStore, second: MongoStore, mongodb_uri: str, database: str
) -> None:
    world = World(store=mongo)
    world.publish(formed("m~g"))
    store = Replaceable(mongo)
    zombie = await world.run(world.stepper(store))
    store.inner = old = MongoStore(mongodb_uri, database, KINDS, 1)
    await changed_over(world, second, new)
    world.publish(formed("m~h"))

    await in_vain(zombie, world.waiting(zombie, 10))

    tallies = mongo.database["tallies"]
    assert [row["id"] async for row in tallies.find({})] == ["m~g"]
    await old.close()


async def test_while_the_places_are_fenced_nobody_writes_not_even_to_a_new_partition(
    mongo: MongoStore, second: MongoStore
) -> None:
    world = World(store=mongo)
    world.publish(formed("m~g", cohort_on(0)))
    steppers = [await world.run(), await world.run(world.stepper())]
    token = await second.generations.fence(range(PARTITIONS))
    rows = [world.publish(formed("m~h", cohort_on(partition))) for partition in (0, 1)]
    for stepper, row in zip(steppers, rows, strict=True):
        await in_vain(stepper, [row])
    assert len(await world.tallies()) == 1

    await second.generations.lift(token)
    await world.run()

    assert len(await world.tallies()) == 3


async def test_a_fence_whose_owner_died_falls_by_itself(
    mongo: MongoStore, second: MongoStore, new: MongoStore
) -> None:
    world = World(store=mongo)
    world.publish(formed("m~g"))
    await world.run()
    token = await second.generations.fence(range(PARTITIONS))
    past = {"$set": {"fenced.until": {"$subtract": ["$$NOW", 1]}}}
    await mongo.database["places"].update_many({}, [past])

    with pytest.raises(Moving):
        await mongo.places(range(PARTITIONS))
    assert len(await mongo.places(range(PARTITIONS))) == 1

    with pytest.raises(FenceFell):
        await second.generations.swap(token, PARTITIONS, 2)
    assert await second.generations.live() == 1


async def test_a_generation_older_than_the_live_one_never_takes_its_place(
    mongo: MongoStore, new: MongoStore, mongodb_uri: str, database: str
) -> None:
    generations = mongo.generations
    for number in (3, 2):
        token = await generations.fence(range(PARTITIONS))
        if number == 3:
            await generations.swap(token, PARTITIONS, number)
        else:
            with pytest.raises(FenceFell, match="generation 3"):
                await generations.swap(token, PARTITIONS, number)
    assert await generations.live() == 3


async def test_every_rebuild_has_a_number_of_its_own_and_the_old_one_is_kept_until_told(
    mongo: MongoStore, new: MongoStore
) -> None:
    world = World(store=mongo)
    await life(world, world.stepper)
    assert await mongo.generations.reserve() == 3
    await changed_over(world, mongo, new)
    assert await mongo.generations.older() == [1]

    await mongo.generations.drop(1, mongo.collections)

    assert await mongo.generations.older() == []
    names = await mongo.database.list_collection_names()
    assert "tallies" not in names
    assert f"{prefix_of(2)}tallies" in names


async def test_what_people_are_shown_changes_over_when_the_pointer_is_read_again(
    mongo: MongoStore, new: MongoStore, second: MongoStore
) -> None:
    world = World(store=mongo)
    world.publish(formed("m~g"))
    stepper: Stepper = await world.run()
    await changed_over(world, mongo, new)
    world.publish(formed("m~h"))
    await world.run(stepper)
    assert await second.count(KINDS[0]) == 1

    await second.refresh()

    assert await second.count(KINDS[0]) == 2
    [place] = [p for p in stepper.owned.values() if p.step]
    [(topic, position)] = place.positions.items()
    assert await second.positions([place.partition]) == {(topic, place.partition): position}


async def test_a_fence_is_not_lifted_once_the_change_over_has_been_made(
    mongo: MongoStore, new: MongoStore
) -> None:
    world = World(store=mongo)
    world.publish(formed("m~g"))
    await world.run()
    await folded(world, new)
    token = await mongo.generations.fence(range(PARTITIONS))
    await mongo.generations.swap(token, PARTITIONS, 2)
    # A reader of a majority may not see the commit yet, so the pointer still tells the old one.
    await mongo.database["generations"].delete_one({"_id": "live"})

    await mongo.generations.lift(token)

    assert await mongo.database["places"].count_documents({**A_PLACE, "fenced": None}) == 0
