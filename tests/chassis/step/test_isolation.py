"""A partition in trouble holds up no other: not their steps, not a take-over, not letting go."""

import asyncio
from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import datetime

import pytest

from schemas.base import Message
from services.chassis.domain import Document
from services.chassis.step.publishing import Patience
from services.chassis.store.contract import Place
from tests.chassis.toy import (
    PARTITIONS,
    PRIVATE,
    Reminder,
    World,
    cohort_on,
    confirm,
    formed,
    report,
)
from tests.conftest import PATIENCE, eventually

LEADERLESS, LED = 0, 1
LOST, WELL = cohort_on(LEADERLESS), cohort_on(LED)


@pytest.fixture
def world() -> World:
    return World()


async def test_a_partition_whose_events_nobody_takes_holds_up_no_other_and_goes_on_in_order(
    world: World,
) -> None:
    world.log.lose_leader(LEADERLESS)
    world.publish(formed("m~g", LOST))
    world.publish(formed("m~g", WELL))
    stepper = await world.run()
    assert stepper.stopped == {LEADERLESS: "unpublished"}

    for cohort in (LOST, WELL):
        world.command(confirm("m~g", 1, cohort))
    await world.run(stepper)
    assert await world.tallies() == {f"{LOST}/m~g": 0, f"{WELL}/m~g": 1}
    assert {row.partition for row in world.written()} == {LED}

    world.log.lead(LEADERLESS)
    await eventually(lambda: _returning(stepper))
    await world.run(stepper)
    assert await world.tallies() == {f"{LOST}/m~g": 1, f"{WELL}/m~g": 1}
    assert await world.store.outgoing(range(PARTITIONS)) == []
    calm = World()
    calm.publish(formed("m~g", LOST))
    await calm.run()
    calm.command(confirm("m~g", 1, LOST))
    await calm.run()
    assert _types(world, LEADERLESS) == _types(calm, LEADERLESS), "each once, and in order"


async def test_who_is_outpaced_reads_its_places_again_while_another_partition_is_stopped(
    world: World,
) -> None:
    world.log.lose_leader(LEADERLESS)
    world.publish(formed("m~g", LOST))
    stepper = await world.run()
    assert stepper.stopped == {LEADERLESS: "unpublished"}
    other = world.stepper()
    await other.take([LED])
    world.publish(formed("m~g", WELL))
    await other.handle(world.waiting(other, 500))

    world.command(confirm("m~g", 1, WELL))
    async with asyncio.timeout(PATIENCE):
        await world.run(stepper)
    async with asyncio.timeout(PATIENCE):
        await stepper.publish_left()

    assert await world.tallies() == {f"{LOST}/m~g": 0, f"{WELL}/m~g": 1}


def test_a_step_waits_longer_for_brokers_that_are_slow_and_soon_trusts_those_that_are_fast() -> (
    None
):
    patience = Patience()
    assert patience.seconds == Patience.LONGEST  # nothing is known yet
    for _ in range(10):
        patience.learn(0.005)
    assert patience.seconds == Patience.SHORTEST
    for _ in range(20):
        patience.learn(0.1)
    assert 5 * 0.1 < patience.seconds <= 10 * 0.1
    for _ in range(5):
        patience.learn(0.005)
    assert patience.seconds == Patience.SHORTEST
    for _ in range(50):
        patience.learn(3600)
    assert patience.seconds == Patience.LONGEST


async def test_who_is_outpaced_by_what_nobody_takes_reads_again_what_it_let_go(
    world: World,
) -> None:
    stepper = await world.run()
    world.log.lose_leader(LEADERLESS)
    other = world.stepper()
    await other.take([LEADERLESS])
    world.publish(formed("m~g", LOST))
    await other.handle(world.waiting(other, 500))
    await other.leave([LEADERLESS])

    world.command(confirm("m~g", 1, LOST))
    await stepper.handle(world.waiting(stepper, 500))
    assert stepper.stopped == {LEADERLESS: "unpublished"}

    world.log.lead(LEADERLESS)
    await eventually(lambda: _returning(stepper))
    async with asyncio.timeout(PATIENCE):
        await world.run(stepper)
    assert await world.tallies() == {f"{LOST}/m~g": 1}


async def test_partitions_are_let_go_though_nobody_takes_the_events_of_one(world: World) -> None:
    world.log.lose_leader(LEADERLESS)
    world.publish(formed("m~g", LOST))
    stepper = await world.run()

    async with asyncio.timeout(PATIENCE):
        await stepper.leave(range(PARTITIONS))

    assert stepper.owned == {}
    world.log.lead(LEADERLESS)
    await world.run()
    assert await world.store.outgoing(range(PARTITIONS)) == []
    assert len(world.written(PRIVATE)) > 0


async def test_who_takes_over_has_what_is_well_at_once_and_the_rest_when_it_can_be(
    world: World,
) -> None:
    led = asyncio.Event()
    taken: list[int] = []

    async def check(places: Mapping[int, Place]) -> None:
        if LEADERLESS in places:
            if len(places) > 1:
                raise TimeoutError
            await led.wait()

    stepper = world.stepper()
    taking = asyncio.create_task(stepper.take(range(PARTITIONS), check, taken.extend))
    await eventually(lambda: _all_but_one(taken))
    world.publish(formed("m~g", WELL))
    await stepper.handle(world.waiting(stepper, 500))
    assert await world.tallies() == {f"{WELL}/m~g": 0}

    led.set()
    async with asyncio.timeout(PATIENCE):
        await taking
    assert set(stepper.owned) == set(range(PARTITIONS))


async def test_what_a_due_worker_has_done_is_decided_on_before_partitions_are_let_go(
    world: World,
) -> None:
    world.publish(formed("m~g", WELL))
    world.command(confirm("m~g", cohort=WELL))
    begun, done = asyncio.Event(), asyncio.Event()

    async def work(
        documents: Sequence[Document], _: datetime, leaving: asyncio.Event
    ) -> Sequence[Message]:
        begun.set()
        await leaving.wait()
        await done.wait()
        return [report(d.id, d.cohort_id) for d in documents]

    stepper = await world.run(world.stepper(due_workers={Reminder: work}))
    world.hand.pass_by(days=30)
    deciding = asyncio.create_task(stepper.decide_due())
    async with asyncio.timeout(PATIENCE):
        await begun.wait()
    before = _types(world, LED)
    letting_go = asyncio.create_task(stepper.leave(range(PARTITIONS)))
    await asyncio.sleep(0)
    assert not letting_go.done()
    done.set()
    async with asyncio.timeout(PATIENCE):
        await letting_go

    assert await deciding > 0
    assert stepper.owned == {}
    assert Counter(_types(world, LED)) - Counter(before) == {
        "fr.gouv.mentoring.SurveyAnswered.v1": 1,
        "fr.gouv.mentoring.StepCompleted.v1": 1,
    }


async def test_no_more_records_are_handled_of_what_is_about_to_be_let_go(world: World) -> None:
    stepper = await world.run()
    world.publish(formed("m~g", WELL))
    async with stepper._deciding:  # a letter is being handed over
        letting_go = asyncio.create_task(stepper.leave(range(PARTITIONS)))
        await asyncio.sleep(0)
        handled = world.waiting(stepper, 500)
        await stepper.handle(handled)
        assert await world.tallies() == {}
    async with asyncio.timeout(PATIENCE):
        await letting_go

    assert len(handled) == 1
    await world.run()
    assert await world.tallies() == {f"{WELL}/m~g": 0}


async def _returning(stepper: object) -> bool:
    return getattr(stepper, "returning", []) == [LEADERLESS]


async def _all_but_one(taken: Sequence[int]) -> bool:
    return set(taken) == set(range(PARTITIONS)) - {LEADERLESS}


def _types(world: World, partition: int) -> list[str]:
    rows = [row for row in world.written() if row.partition == partition]
    return [dict(row.headers)["ce_type"].decode() for row in rows]  # type: ignore[union-attr]
