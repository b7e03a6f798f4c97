"""G1: whatever dies or fails, and whenever, the outcome is the same."""

from typing import Any

import pytest

from services.chassis.store.mongo import MongoStore
from tests.chassis.faults import Crash, Trip, Tripping, Unwilling, When, raising
from tests.chassis.toy import (
    PARTITIONS,
    Passing,
    World,
    formed,
    life,
    types,
)


async def test_nothing_is_published_when_the_commit_fails(world: World) -> None:
    world.publish(formed("m~g"))
    stepper = world.stepper(Unwilling(world.store, "commit", [Crash("power cut")]))
    await stepper.take(range(PARTITIONS))

    with pytest.raises(Crash):
        await stepper.handle(world.waiting(stepper, 500))

    assert world.written() == []
    assert await world.documents() == {}


async def test_what_was_committed_and_not_published_is_published_by_the_next_owner(
    world: World,
) -> None:
    world.publish(formed("m~g"))
    stepper = world.stepper(log=Unwilling(world.log, "publish", [Crash("power cut")]))
    await stepper.take(range(PARTITIONS))
    with pytest.raises(Crash):
        await stepper.handle(world.waiting(stepper, 500))
    assert world.written() == []

    await world.stepper().take(range(PARTITIONS))

    assert types(world.written()) == ["PairFormed", "StepCompleted"]
    assert await world.store.outgoing(range(PARTITIONS)) == []


async def undisturbed() -> tuple[tuple[Any, ...], Trip]:
    world, trip = World(), Trip()
    store, log = Tripping(world.store, trip), Tripping(world.log, trip)
    await life(world, lambda: world.stepper(store, log))
    return await world.outcome(), trip


async def test_the_undisturbed_life_has_something_of_everything() -> None:
    (documents, places, journal), trip = await undisturbed()

    assert {key.split("/")[0] for key in documents} == {
        *("tallies", "reminders", "people", "refusals", "parked", "blocked", "dropped"),
        "places",  # beside which the counts lie
    }
    assert all(place.step >= 2 for place in places.values())
    assert {kind.split(".")[-2] for rows in journal.values() for kind, *_ in rows} >= {
        *("PairFormed", "PairGraduated", "PairStalled", "CommandRefused", "RecordParked"),
        *("StepCompleted", "SurveyAnswered"),
    }
    assert len(trip.trace) > 30


@pytest.mark.parametrize("when", ["before", "halfway", "after"])
async def test_whatever_instant_a_process_dies_at_nothing_is_lost_and_nothing_happens_twice(
    when: When,
) -> None:
    expected, calm = await undisturbed()

    for at in range(1, len(calm.trace) + 1):
        world, trip = World(), Trip(at, when, raising(Crash))
        store, log = Tripping(world.store, trip), Tripping(world.log, trip)

        await life(world, lambda w=world, a=store, b=log: w.stepper(a, b))  # type: ignore[misc]

        assert trip.sprung
        where = f"died {when} call {at}: {trip.trace[-1]}"
        assert await world.outcome() == expected, where
        assert await world.store.outgoing(range(PARTITIONS)) == [], where


@pytest.mark.parametrize("when", ["before", "halfway", "after"])
async def test_whatever_call_fails_for_a_passing_reason_the_outcome_is_the_same(
    when: When,
) -> None:
    (documents, places, journal), calm = await undisturbed()

    for at in range(1, len(calm.trace) + 1):
        world, trip = World(), Trip(at, when, raising(Passing))
        store, log = Tripping(world.store, trip), Tripping(world.log, trip)

        await life(world, lambda w=world, a=store, b=log: w.stepper(a, b))  # type: ignore[misc]

        assert trip.sprung
        where = f"failed {when} call {at}: {calm.trace[at - 1]}"
        assert world.journal() == journal, where
        assert await world.documents() == documents, where
        assert await world.store.places(range(PARTITIONS)) == places, where
        assert await world.store.outgoing(range(PARTITIONS)) == [], where


@pytest.mark.parametrize("when", ["before", "halfway", "after"])
@pytest.mark.parametrize("name", ["load", "commit", "publish", "published"])
@pytest.mark.parametrize("error", [Crash, Passing])
async def test_on_a_real_database_too_a_fault_leaves_no_trace(
    mongo: MongoStore, when: When, name: str, error: type[BaseException]
) -> None:
    expected, _ = await undisturbed()
    world, trip = World(store=mongo), Trip(3, when, raising(error), name)
    store, log = Tripping(mongo, trip), Tripping(world.log, trip)

    await life(world, lambda: world.stepper(store, log))

    assert trip.sprung
    assert await world.outcome() == expected
