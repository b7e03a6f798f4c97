"""G3: effects in the order of the records, and one writer for each partition."""

import asyncio
from collections.abc import Mapping, Sequence
from typing import Any

import pytest

from schemas.envelope import attributes
from services.chassis.step.rebuild import rebuild
from services.chassis.step.retrying import Abandoned
from services.chassis.step.stepper import Stepper
from services.chassis.store.contract import Outgoing, Place
from services.chassis.store.memory import MemoryStore
from services.chassis.store.mongo import MongoStore
from tests.chassis.faults import Trip, Tripping, Unwilling
from tests.chassis.toy import (
    PARTITIONS,
    TOY,
    Passing,
    World,
    breaks_evolve,
    cohort_on,
    confirm,
    equal_when_rebuilt,
    filled,
    formed,
)


async def test_effects_happen_in_the_order_of_the_records(world: World) -> None:
    world.publish(formed("m~g"))
    await world.run()
    rows = [world.command(confirm("m~g", number)) for number in range(1, 8)]

    await world.run(batch=2)

    refused = {d["id"] for key, d in (await world.documents()).items() if "refusals" in key}
    assert refused == {attributes(row.headers).id for row in rows[5:]}


@pytest.mark.parametrize("batch", [1, 2, 5])
async def test_the_size_of_the_batches_changes_nothing(batch: int) -> None:
    stories = []
    for size in (batch, 500):
        world = World()
        for pair in ("m~g", "m~h"):
            world.publish(formed(pair))
        await world.run(batch=size)
        for number in range(1, 8):
            world.command(confirm("m~g", number))
            world.command(confirm("m~h", number))
            world.command(breaks_evolve("m~h"))
        await world.run(batch=size)
        stories.append((world.story(), await world.documents()))

    assert stories[0] == stories[1]


async def test_what_was_caused_comes_after_its_cause_when_both_wait_in_one_batch(
    world: World,
) -> None:
    world.publish(formed("m~g"))
    world.command(confirm("m~g"))

    await world.run()

    assert await world.tallies() == {"c/m~g": 1}


async def short_life(world: World, stepper: Stepper) -> None:
    await world.run(stepper, batch=2)


def short_history(world: World) -> None:
    for cohort in (cohort_on(0), cohort_on(1)):
        world.publish(formed("m~g", cohort))
        world.publish(formed("m~h", cohort))
        for number in range(1, 4):
            world.command(confirm("m~g", number, cohort))


async def test_of_two_owners_the_outpaced_one_changes_nothing(world: World) -> None:
    # given a zombie that took the partitions, and somebody who has worked on them since
    world.publish(formed("m~g"))
    await world.run()
    zombie = world.stepper()
    await zombie.take(range(PARTITIONS))
    rows = [world.command(confirm("m~g")), world.command(confirm("m~g", 2))]
    await world.run()
    before = await world.outcome()

    # when the zombie makes the same step
    await zombie.handle(rows)

    assert await world.outcome() == before


async def test_two_owners_of_the_same_partitions_together_do_what_one_does() -> None:
    """Wherever one stands still the other works, and where that one does, the first goes on."""
    calm = World()
    short_history(calm)
    counted = Trip()
    await short_life(calm, calm.stepper(Tripping(calm.store, counted), Tripping(calm.log, counted)))
    story, documents = calm.story(), await calm.documents()
    calls = len(counted.trace)

    for first in range(1, calls + 1):
        for second in range(1, calls + 1):
            world = World()
            short_history(world)
            await _two_owners(world, first, second)
            where = f"the first stood still at {first}, the second at {second}"
            assert world.story() == story, where
            assert await world.documents() == documents, where
            again = MemoryStore()
            await rebuild(TOY, again, world.log, PARTITIONS)
            assert isinstance(world.store, MemoryStore)
            assert again.place == world.store.place, where
            assert filled(again) == filled(world.store), where


async def _two_owners(world: World, first: int, second: int) -> None:
    stuck, release = asyncio.Event(), asyncio.Event()

    async def stand_still() -> None:
        stuck.set()
        await release.wait()

    slow = Trip(second, "before", stand_still)
    zombie = world.stepper(Tripping(world.store, slow), Tripping(world.log, slow))
    tasks: list[asyncio.Task[Any]] = []

    async def let_the_other_work() -> None:
        tasks.append(asyncio.create_task(short_life(world, zombie)))
        waiting = asyncio.create_task(stuck.wait())
        await asyncio.wait([tasks[0], waiting], return_when=asyncio.FIRST_COMPLETED)
        waiting.cancel()

    trip = Trip(first, "before", let_the_other_work)
    owner = world.stepper(Tripping(world.store, trip), Tripping(world.log, trip))
    await short_life(world, owner)
    release.set()
    await asyncio.gather(*tasks)
    await short_life(world, owner)
    await world.run()


async def test_on_a_real_database_too_two_owners_do_what_one_does(mongo: MongoStore) -> None:
    calm = World()
    short_history(calm)
    await short_life(calm, calm.stepper())

    for first, second in ((2, 4), (3, 4), (4, 4), (5, 5), (3, 5)):
        await mongo.wipe()
        world = World(store=mongo)
        short_history(world)
        await _two_owners(world, first, second)
        assert world.story() == calm.story(), (first, second)
        assert await world.documents() == await calm.documents(), (first, second)


async def test_no_step_is_made_before_it_is_known_that_going_on_is_right(world: World) -> None:
    row = world.publish(formed("m~g"))
    stepper = world.stepper()
    steps: list[asyncio.Task[Any]] = []

    async def check(places: Mapping[int, Place]) -> None:
        assert places[row.partition] == Place(row.partition)
        steps.append(asyncio.create_task(stepper.handle([row])))
        for _ in range(20):
            await asyncio.sleep(0)
        assert await world.documents() == {}

    await stepper.take(range(PARTITIONS), check)

    await steps[0]
    assert await world.documents() == {}, "it was nobody's then"
    await stepper.handle([row])
    assert await world.tallies() == {"c/m~g": 0}


async def test_a_broker_that_is_away_while_an_assignment_is_checked_is_asked_again(
    world: World,
) -> None:
    row = world.publish(formed("m~g"))
    stepper = world.stepper()
    tries = 0

    async def check(_: Mapping[int, Place]) -> None:
        nonlocal tries
        tries += 1
        if tries < 3:
            raise Passing

    await stepper.take(range(PARTITIONS), check)

    assert tries >= 3
    await stepper.handle([row])
    assert await world.tallies() == {"c/m~g": 0}


async def test_who_must_not_go_on_owns_nothing(world: World) -> None:
    row = world.publish(formed("m~g"))
    stepper = world.stepper()

    async def check(_: Mapping[int, Place]) -> None:
        raise RuntimeError("another log")

    with pytest.raises(RuntimeError, match="another log"):
        await stepper.take(range(PARTITIONS), check)

    assert await stepper.handle([row]) == {}
    assert await world.documents() == {}


async def test_who_has_left_a_partition_writes_to_it_no_more(world: World) -> None:
    stepper = await world.run()
    row = world.publish(formed("m~g"))

    await stepper.leave([row.partition])

    assert await stepper.handle([row]) == {}
    assert await world.tallies() == {}


async def test_a_step_that_is_being_retried_is_abandoned_when_its_partition_is_taken_away(
    world: World,
) -> None:
    row = world.publish(formed("m~g"))
    failing = Unwilling(world.store, "commit", [Passing() for _ in range(100_000)])
    stepper = world.stepper(failing)
    await stepper.take(range(PARTITIONS))
    step = asyncio.create_task(stepper.handle([row]))
    while stepper.healthy:
        await asyncio.sleep(0)

    await stepper.leave(range(PARTITIONS))

    with pytest.raises(Abandoned):
        await step
    await world.run()
    assert await world.tallies() == {"c/m~g": 0}


class Relapsing(MemoryStore):
    """Can forget that something was published, as a database that changes its primary may."""

    def __init__(self) -> None:
        super().__init__()
        self.forgotten: list[Outgoing] = []

    async def published(self, outgoing: Sequence[Outgoing]) -> None:
        await super().published(outgoing)
        self.forgotten += outgoing

    def relapse(self) -> None:
        self.outbox |= {(item.partition, item.step): item for item in self.forgotten}


async def test_what_was_published_and_stands_in_the_outbox_again_does_not_stay_there() -> None:
    store = Relapsing()
    world = World(store=store)
    world.publish(formed("m~g"))
    world.command(confirm("m~g"))
    stepper = await world.run()
    assert not store.outbox
    store.relapse()
    assert store.outbox

    await stepper.publish_left()

    assert not store.outbox
    await equal_when_rebuilt(world)
