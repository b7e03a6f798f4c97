"""A service whose database is older than what it has published does not go on from it: G7."""

import copy
from collections.abc import Mapping

import pytest

from schemas.envelope import Record
from services.chassis.step.catching_up import Spot
from services.chassis.step.own_journal import DatabaseOutdated, check_known, last_numbers
from services.chassis.step.ownership import StateLost
from services.chassis.store.contract import Outgoing, Place
from services.chassis.store.memory import MemoryStore
from tests.chassis.faults import Replaceable
from tests.chassis.toy import EVENTS, PRIVATE, World, cohort_on, confirm, formed

COHORT = cohort_on(0)


def ends(world: World) -> dict[Spot, int]:
    return {(t, 0): len(world.log.records.get((t, 0), [])) for t in (PRIVATE, EVENTS)}


async def check(world: World, places: Mapping[int, Place]) -> None:
    numbers = await last_numbers("scheduling", world.log, ends(world), places)
    check_known("scheduling", numbers, places)


async def worked(world: World, *numbers: int) -> None:
    for number in numbers:
        world.command(confirm("m~g", number, COHORT))
        await world.run()


@pytest.fixture
async def older(world: World) -> MemoryStore:
    """The database as it was before the last three steps, with what it had just published."""
    assert isinstance(world.store, MemoryStore)
    world.publish(formed("m~g", COHORT))
    await worked(world, 1)
    found = copy.deepcopy(world.store)
    last = world.log.records[PRIVATE, 0][-1]
    record = Record(last.topic, last.partition, last.key, last.value, last.headers)
    step = found.place[0].step
    found.outbox[0, step] = Outgoing(0, step, [record])
    await worked(world, 2, 3, 4)
    return found


async def test_a_database_older_than_what_was_published_is_named_with_the_way_out(
    world: World, older: MemoryStore
) -> None:
    with pytest.raises(DatabaseOutdated, match=r"of this service .* `connecte rebuild scheduling`"):
        await check(world, older.place)


async def test_an_emptied_database_is_older_than_what_was_published(
    world: World, older: MemoryStore
) -> None:
    with pytest.raises(DatabaseOutdated, match="knows of 0"):
        await check(world, {0: Place(0)})


async def test_a_database_that_knows_all_is_not_older_however_often_it_was_published(
    world: World, older: MemoryStore
) -> None:
    assert isinstance(world.store, MemoryStore)
    rows = list(world.log.records[PRIVATE, 0])
    for row in rows:
        world.log.records[PRIVATE, 0].append(row)
    await check(world, world.store.place)
    with pytest.raises(DatabaseOutdated):  # what was published again does not hide the newest
        await check(world, older.place)


async def test_what_others_wrote_to_its_topics_makes_no_database_older(world: World) -> None:
    assert isinstance(world.store, MemoryStore)
    world.publish(formed("m~g", COHORT))
    await worked(world, 1)
    foreign = world.event(formed("m~h", COHORT), sequence=99)
    for record in (foreign, foreign._replace(headers=[("ce_id", None)])):
        world.append(record._replace(topic=PRIVATE, partition=0))
    await check(world, world.store.place)


async def test_nothing_is_published_from_a_database_before_it_was_checked(
    world: World, older: MemoryStore
) -> None:
    published = list(world.written())
    stepper = world.stepper(older)

    with pytest.raises(DatabaseOutdated):
        await stepper.take([0], lambda places: check(world, places))

    assert world.written() == published
    assert stepper.owned == {}
    await world.stepper(older).take([0])  # it would have been
    assert world.written() != published


async def test_an_older_database_put_under_a_running_service_stops_it(
    world: World, older: MemoryStore
) -> None:
    store = Replaceable(world.store)
    stepper = await world.run(world.stepper(store))
    published = list(world.written())
    store.inner = older
    world.command(confirm("m~g", 5, COHORT))

    with pytest.raises(StateLost, match=r"forgot steps of partitions \[0\]"):
        await stepper.handle(world.waiting(stepper, 500))

    assert world.written() == published


async def test_a_service_with_nothing_to_do_notices_that_its_database_was_replaced_too(
    world: World, older: MemoryStore
) -> None:
    store = Replaceable(world.store)
    stepper = await world.run(world.stepper(store))
    await stepper.publish_left()
    published = list(world.written())
    store.inner = older

    with pytest.raises(StateLost):
        await stepper.publish_left()

    assert world.written() == published
