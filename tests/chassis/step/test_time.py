"""G6: time is an input. What is due is decided on when its moment has come."""

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from schemas.base import Message
from schemas.envelope import attributes
from services.chassis.domain import Decision, Document, Due, State
from tests.chassis.faults import Replaceable
from tests.chassis.toy import (
    EVENTS,
    NOW,
    PARTITIONS,
    PRIVATE,
    Passing,
    Reminder,
    World,
    breaks_decide,
    cohort_on,
    confirm,
    dissolved,
    equal_when_rebuilt,
    formed,
    report,
    types,
)


async def test_a_deadline_is_decided_on_once_its_moment_has_come_and_not_before(
    world: World,
) -> None:
    world.publish(formed("m~g"))
    world.command(confirm("m~g"))
    stepper = await world.run()

    world.hand.pass_by(hours=23, minutes=59, seconds=59, milliseconds=999)
    assert await stepper.decide_due() == 0
    world.hand.pass_by(milliseconds=1)
    assert await stepper.decide_due() == 1
    assert await stepper.decide_due() == 0

    assert types(world.written(EVENTS)) == ["PairGraduated", "PairStalled"]
    stalled = attributes(world.written(EVENTS)[-1].headers)
    assert (stalled.time, stalled.cause) == (NOW + timedelta(days=1), None)
    await equal_when_rebuilt(world)


async def test_a_deadline_that_cannot_be_decided_on_is_left_alone_and_the_others_go_on(
    world: World,
) -> None:
    def decide(state: State, message: Due, now: datetime) -> Decision:
        if message.id == "a~g":
            raise ZeroDivisionError
        return world.domain.decide(state, message, now)

    for pair in ("a~g", "m~g"):
        world.publish(formed(pair))
        world.command(confirm(pair))
    await world.run()
    world.hand.pass_by(days=1)
    stepper = world.stepper(
        domain=replace(world.domain, handlers={**world.domain.handlers, Due: decide})
    )
    await stepper.take(range(PARTITIONS))

    assert await stepper.decide_due() == 2
    assert await stepper.decide_due() == 0  # it would be found again and again otherwise

    assert types(world.written(EVENTS)).count("PairStalled") == 1


async def test_deadlines_of_partitions_that_are_not_owned_are_left_alone(world: World) -> None:
    for partition in range(PARTITIONS):
        world.publish(formed("m~g", cohort_on(partition)))
        world.command(confirm("m~g", cohort=cohort_on(partition)))
    await world.run()
    world.hand.pass_by(days=1)
    stepper = world.stepper()
    await stepper.take([0, 2])

    assert await stepper.decide_due() == 2

    assert {row.partition for row in world.written(EVENTS)[3:]} <= {0, 1, 2}
    stalled = {r.partition for r in world.written(EVENTS) if types([r]) == ["PairStalled"]}
    assert stalled == {0, 2}
    await stepper.leave([0, 2])
    assert await stepper.decide_due() == 0


async def test_a_deadline_found_twice_is_decided_on_against_what_holds_by_then(
    world: World,
) -> None:
    # given a deadline that is moved after it was found and before it is decided on
    world.publish(formed("m~g"))
    world.command(confirm("m~g"))
    store = Replaceable(world.store)
    stepper = await world.run(world.stepper(store))
    world.hand.pass_by(days=1)
    row = world.command(confirm("m~g", 2))

    class Slow:
        def __getattr__(self, name: str) -> Any:
            return getattr(world.store, name)

        async def due(self, *arguments: Any) -> Any:
            found = await world.store.due(*arguments)
            if found:
                await stepper.handle([row])
            return found

    store.inner = Slow()

    await stepper.decide_due()

    assert types(world.written(EVENTS)) == ["PairGraduated", "PairGraduated"]


async def test_what_due_workers_report_is_decided_on(world: World) -> None:
    seen: list[tuple[Document, datetime]] = []

    async def work(
        documents: Sequence[Document], now: datetime, leaving: asyncio.Event
    ) -> Sequence[Message]:
        seen.extend((document, now) for document in documents)
        return [report(d.id, d.cohort_id) for d in documents]

    here = cohort_on(1)
    world.publish(formed("m~g", here))
    world.command(confirm("m~g", cohort=here))
    stepper = world.stepper(due_workers={Reminder: work})
    await world.run(stepper)
    world.hand.pass_by(days=1)

    await stepper.decide_due()

    due = NOW + timedelta(days=1)
    assert seen == [(Reminder(id="m~g", cohort_id=here, due_at=due), due)]
    assert types(world.written(EVENTS)) == ["PairGraduated"], "nobody else decides on it"
    [answered] = [row for row in world.written(PRIVATE) if types([row]) == ["SurveyAnswered"]]
    assert answered.partition == 1
    await equal_when_rebuilt(world)


async def test_a_due_workers_report_that_is_refused_or_breaks_a_decision_stops_nothing(
    world: World,
) -> None:
    async def work(
        documents: Sequence[Document], _: datetime, leaving: asyncio.Event
    ) -> Sequence[Message]:
        broken = [breaks_decide(d.id, d.cohort_id) for d in documents]
        return [dissolved("no~body"), *broken, *(report(d.id, d.cohort_id) for d in documents)]

    world.publish(formed("m~g"))
    world.command(confirm("m~g"))
    stepper = world.stepper(due_workers={Reminder: work})
    await world.run(stepper)
    world.hand.pass_by(days=1)
    # The outcome of a cohort without a due document cannot be placed.
    await stepper.decide_due()

    assert types(world.written(PRIVATE)).count("SurveyAnswered") == 1
    assert await world.parked() == []


async def test_a_due_worker_that_cannot_read_for_a_moment_is_asked_again(world: World) -> None:
    away = [Passing("the database is away")]

    async def work(
        documents: Sequence[Document], _: datetime, leaving: asyncio.Event
    ) -> Sequence[Message]:
        if away:
            raise away.pop()
        return [report(d.id, d.cohort_id) for d in documents]

    world.publish(formed("m~g"))
    world.command(confirm("m~g"))
    stepper = world.stepper(due_workers={Reminder: work})
    await world.run(stepper)
    world.hand.pass_by(days=1)

    await stepper.decide_due()

    assert types(world.written(PRIVATE)).count("SurveyAnswered") == 1
