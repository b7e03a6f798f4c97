"""What a decision reads beyond what was loaded for it, and what it then sees."""

from dataclasses import replace

import pytest

from services.chassis.domain import Columns, Gone, NotLoaded, One, State
from services.chassis.step.stepper import Stepper
from services.chassis.store.contract import Store
from services.chassis.store.memory import MemoryStore
from tests.chassis.toy import (
    TOY,
    Tally,
    World,
    equal_when_rebuilt,
    life,
    metric,
    nothing_needed,
)


async def test_a_domain_that_tells_nothing_of_its_needs_decides_the_same(world: World) -> None:
    await life(world, world.stepper)
    forgetful = World(domain=replace(TOY, needs=nothing_needed))
    steppers: list[Stepper] = []

    def start() -> Stepper:
        steppers.append(forgetful.stepper())
        return steppers[-1]

    await life(forgetful, start)

    assert forgetful.journal() == world.journal()
    assert await forgetful.documents() == await world.documents()
    assert all(metric(stepper, "mentoring_late_loads_total") > 0 for stepper in steppers)
    await equal_when_rebuilt(forgetful)


async def test_what_was_taken_back_is_as_unknown_as_it_was_before() -> None:
    store: Store = MemoryStore()
    stored = Tally(id="m~g", cohort_id="c", count=3)
    await store.fill((await World().run()).owned[0], [stored])
    state = State()

    state.apply([Tally(id="m~g", cohort_id="c", count=9)])
    state.undo()
    await state.load(store, [One(Tally, "c", "m~g")])

    assert state.get(Tally, "c", "m~g") == stored


async def test_what_was_made_and_is_gone_in_the_same_batch_leaves_nothing() -> None:
    state = State()
    tally = Tally(id="m~g", cohort_id="c")
    await state.load(MemoryStore(), [One(Tally, "c", "m~g")])

    state.apply([tally])
    assert state.keep() == [tally]
    state.apply([Gone(tally)])
    assert state.keep() == [Gone(tally)]
    assert state.keep() == []
    assert state.get(Tally, "c", "m~g") is None


async def test_what_is_counted_of_a_cohort_is_what_the_batch_has_made_of_it() -> None:
    store: Store = MemoryStore()
    people = [Tally(id=name, cohort_id="c", count=1) for name in ("gone", "left", "stays")]
    await store.fill((await World().run()).owned[0], [*people, Tally(id="x", cohort_id="d")])
    ones = Columns(Tally, "c", ("count",), (("count", 1),))
    state = State()
    with pytest.raises(NotLoaded):
        state.columns(ones)

    state.apply([Tally(id="came", cohort_id="c", count=1), Tally(id="left", cohort_id="c")])
    state.apply([Gone(people[0])])
    await state.load(store, [ones])

    assert state.columns(ones) == [(1,), (1,)]  # who came, and who stays
