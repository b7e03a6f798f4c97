"""While nothing is due the database is left in peace, and no deadline is missed for it."""

from collections import Counter
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.chassis.step.stepper import Stepper
from tests.chassis.faults import Trip, Tripping
from tests.chassis.toy import EVENTS, NOW, PARTITIONS, Reminder, World, confirm, formed, types

ASKED = ("due", "next_due")
PAIRS = [f"m~g{number}" for number in range(4)]
FAR = NOW.replace(year=NOW.year + 1)


async def begun(trip: Trip) -> tuple[World, Stepper]:
    """A process that owns everything and has looked, and all pairs, without a deadline yet."""
    world = World()
    for pair in PAIRS:
        world.publish(formed(pair))
    stepper = await world.run(world.stepper(Tripping(world.store, trip)))
    await stepper.decide_due()
    return world, stepper


def asked(trip: Trip) -> Counter[str]:
    found = Counter(name for name in trip.trace if name in ASKED)
    trip.trace.clear()
    return found


def stalled(world: World) -> int:
    return types(world.written(EVENTS)).count("PairStalled")


async def test_while_nothing_is_due_nobody_is_asked_and_what_comes_due_is_found_at_once() -> None:
    trip = Trip()
    world, stepper = await begun(trip)
    world.command(confirm(PAIRS[0]))
    await world.run(stepper)
    asked(trip)

    for _ in range(86_399):
        world.hand.pass_by(seconds=1)
        assert await stepper.decide_due() == 0
    assert asked(trip) == {}

    world.hand.pass_by(seconds=1)
    assert await stepper.decide_due() == 1
    assert asked(trip) == {"due": 1}
    assert stalled(world) == 1

    for _ in range(100):
        world.hand.pass_by(days=1)
        await stepper.decide_due()
    assert asked(trip) == {"due": 1, "next_due": 1}


DEEDS = st.one_of(
    st.tuples(st.just("confirm"), st.sampled_from(PAIRS)),
    st.tuples(st.just("let go and take"), st.integers(0, PARTITIONS - 1)),
    st.tuples(st.just("pass"), st.sampled_from([1, 11, 12, 23, 24, 25])),
)


@given(st.lists(DEEDS, max_size=12))
async def test_whatever_was_done_a_look_leaves_nothing_undecided_that_is_due(
    deeds: list[tuple[str, Any]],
) -> None:
    world, stepper = await begun(Trip())
    for deed, what in deeds:
        match deed:
            case "confirm":
                world.command(confirm(what))
                await world.run(stepper)
            case "let go and take":
                await stepper.leave([what])
                other = await world.run(owned=[what])
                world.command(confirm(PAIRS[0]))
                await world.run(other, [what])
                await stepper.take([what])
            case _:
                world.hand.pass_by(hours=what)
        await stepper.decide_due()
        now = stepper.ports.clock.now()
        assert await world.store.due(Reminder, range(PARTITIONS), now, 10) == []


@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.parametrize("call", ["due", "next_due"])
async def test_a_deadline_that_comes_while_the_database_is_asked_is_found_in_time(
    when: Any, call: str
) -> None:
    trip = Trip(1, when, None, call)
    world = World()
    world.publish(formed(PAIRS[0]))
    stepper = await world.run(world.stepper(Tripping(world.store, trip)))

    async def come() -> None:
        await stepper.handle([world.command(confirm(PAIRS[0]))])

    trip.effect = come
    assert await stepper.decide_due() == 0
    assert trip.sprung

    world.hand.pass_by(days=1)
    assert await stepper.decide_due() == 1


async def test_what_somebody_else_wrote_is_found_once_the_places_are_looked_at_again() -> None:
    world, stepper = await begun(Trip())
    other = await world.run()
    world.command(confirm(PAIRS[0]))
    await world.run(other)
    world.hand.pass_by(days=1)

    await stepper.publish_left()  # every ten seconds

    assert await stepper.decide_due() == 1


async def test_partitions_that_were_never_looked_at_are_looked_at() -> None:
    world = World()
    world.publish(formed(PAIRS[0]))
    world.command(confirm(PAIRS[0]))
    other = await world.run()
    [partition] = {row[0] for row in await world.store.due(Reminder, other.owned, FAR, 10)}
    world.hand.pass_by(days=1)
    stepper = world.stepper()
    await stepper.take([p for p in range(PARTITIONS) if p != partition])
    assert await stepper.decide_due() == 0

    await stepper.take([partition])

    assert await stepper.decide_due() == 1
