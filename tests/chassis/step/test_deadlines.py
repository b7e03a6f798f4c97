"""A deadline that cannot be decided on, or done, is set aside and in no other's way: G4, G8."""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

import pytest

from schemas.base import Message
from services.chassis.domain import Decision, Document, Domain, Due, State
from services.chassis.step import deadlines
from services.chassis.step.deadlines import DUE_AT_ONCE, FailedFor
from services.chassis.step.stepper import Stepper
from services.chassis.store.memory import MemoryStore
from tests.chassis.faults import Trip, Tripping, Unwilling
from tests.chassis.toy import (
    EVENTS,
    PARTITIONS,
    PRIVATE,
    TOY,
    Passing,
    Reminder,
    World,
    breaks_decide,
    confirm,
    formed,
    metric,
    report,
    types,
)
from tests.conftest import eventually

PAIRS = [f"m{number}~g" for number in range(7)]


@pytest.fixture
def short_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(deadlines, "FIRST_PAUSE", 0.05)


async def due_of(world: World, pairs: Sequence[str]) -> None:
    """Reminders of these pairs, each a little later than the one before; all have come."""
    for pair in pairs:
        world.publish(formed(pair))
        world.command(confirm(pair))
    await world.run()
    world.hand.pass_by(days=1)


def undecidable(faulty: Callable[[str], bool], error: Exception) -> Domain:
    def decide(state: State, due: Due, now: datetime) -> Decision:
        if faulty(due.id):
            raise error
        return TOY.decide(state, due, now)

    return replace(TOY, handlers={**TOY.handlers, Due: decide})


def stalled(world: World) -> int:
    return types(world.written(EVENTS)).count("PairStalled")


async def aside(world: World, stepper: Stepper) -> list[tuple[str, str, int]]:
    assert isinstance(world.store, MemoryStore)
    noted = await world.store.deadlines_aside(1000)
    assert metric(stepper, "mentoring_deadlines_aside") == len(noted)
    return [(row.key, row.detail, row.attempts) for row in noted]


async def test_more_deadlines_than_are_looked_for_at_once_do_not_starve_the_others(
    world: World,
) -> None:
    cursed = [f"a{number}~g" for number in range(DUE_AT_ONCE + 50)]
    await due_of(world, [*cursed, *PAIRS])
    world.domain = undecidable(lambda pair: pair.startswith("a"), ZeroDivisionError())
    stepper = world.stepper()
    await stepper.take(range(PARTITIONS))

    for _ in range(2):
        await stepper.decide_due()

    assert stalled(world) == len(PAIRS)
    found = await aside(world, stepper)
    assert len(found) == len(cursed)
    assert found[0] == ("c/a0~g", "Due: ZeroDivisionError", 1)
    labels = {"kind": "reminders", "reason": "fault"}
    assert metric(stepper, "mentoring_deadline_faults_total", **labels) == len(cursed)


async def test_a_deadline_is_found_though_a_step_of_its_partition_is_just_being_published(
    world: World,
) -> None:
    await due_of(world, ["m~g"])
    publishing, taken = asyncio.Event(), asyncio.Event()

    async def wait_for_the_broker() -> None:
        publishing.set()
        await taken.wait()

    trip = Trip(1, "after", wait_for_the_broker, "publish")
    stepper = world.stepper(log=Tripping(world.log, trip))
    await stepper.take(range(PARTITIONS))
    step = asyncio.create_task(stepper.handle([world.publish(formed("m~h"))]))
    await publishing.wait()

    looking = asyncio.create_task(stepper.decide_due())
    await asyncio.sleep(0)
    taken.set()

    assert await looking == 1
    await step
    assert stalled(world) == 1


async def test_who_lets_partitions_go_counts_what_is_set_aside_there_no_more(world: World) -> None:
    await due_of(world, ["a~g"])
    world.domain = undecidable(lambda pair: pair.startswith("a"), ZeroDivisionError())
    stepper = world.stepper()
    await stepper.take(range(PARTITIONS))
    await stepper.decide_due()
    assert metric(stepper, "mentoring_deadlines_aside") == 1

    await stepper.leave(range(PARTITIONS))
    await stepper.decide_due()

    assert metric(stepper, "mentoring_deadlines_aside") == 0


@pytest.mark.usefixtures("short_pauses")
async def test_what_is_set_aside_is_tried_again_after_longer_and_longer_and_then_is_so_no_more(
    world: World,
) -> None:
    tries: list[float] = []

    def decide(state: State, due: Due, now: datetime) -> Decision:
        tries.append(world.hand())
        if len(tries) < 3:
            raise ZeroDivisionError
        return TOY.decide(state, due, now)

    await due_of(world, ["m~g"])
    world.domain = replace(TOY, handlers={**TOY.handlers, Due: decide})
    stepper = world.stepper()
    await stepper.take(range(PARTITIONS))
    await stepper.decide_due()
    assert await aside(world, stepper) == [("c/m~g", "Due: ZeroDivisionError", 1)]

    async def handled() -> bool:
        await stepper.decide_due()
        return stalled(world) == 1

    await eventually(handled)

    assert len(tries) > 2
    assert await aside(world, stepper) == []


async def test_a_deadline_of_which_nothing_can_be_written_is_set_aside_alone(
    world: World,
) -> None:
    await due_of(world, PAIRS)
    folds = {**TOY.evolution}
    [stalls] = [fold for kind, fold in folds.items() if kind.__name__ == "PairStalled"]

    def spoiled(state: State, event: Any) -> Any:
        for change in stalls(state, event):
            faulty = event.pair_id == PAIRS[3] and isinstance(change, Document)
            yield change.model_copy(update={"count": 2**64}) if faulty else change

    kind = next(kind for kind in folds if kind.__name__ == "PairStalled")
    world.domain = replace(TOY, evolution={**folds, kind: spoiled})
    stepper = world.stepper()
    await stepper.take(range(PARTITIONS))

    await stepper.decide_due()

    assert stalled(world) == len(PAIRS) - 1
    assert await aside(world, stepper) == [(f"c/{PAIRS[3]}", "Due: OverflowError", 1)]


def answered(world: World) -> int:
    return types(world.written(PRIVATE)).count("SurveyAnswered")


async def worked(world: World, work: Any) -> Stepper:
    await due_of(world, PAIRS)
    stepper = world.stepper(due_workers={Reminder: work})
    await stepper.take(range(PARTITIONS))
    await stepper.decide_due()
    return stepper


async def test_a_due_worker_that_fails_for_a_document_does_its_work_for_the_others(
    world: World,
) -> None:
    async def work(
        documents: Sequence[Document], _: datetime, leaving: asyncio.Event
    ) -> Sequence[Message]:
        if any(d.id == PAIRS[2] for d in documents):
            raise ValueError("no text for a log")
        return [report(d.id, d.cohort_id) for d in documents]

    stepper = await worked(world, work)

    assert answered(world) == len(PAIRS) - 1
    assert await aside(world, stepper) == [(f"c/{PAIRS[2]}", "due worker: ValueError", 1)]


async def test_a_due_worker_that_says_of_which_documents_is_not_asked_for_halves(
    world: World,
) -> None:
    calls: list[int] = []

    async def work(
        documents: Sequence[Document], _: datetime, leaving: asyncio.Event
    ) -> Sequence[Message]:
        calls.append(len(documents))
        if failed := {d.key: ValueError() for d in documents if d.id in PAIRS[2:4]}:
            raise FailedFor(failed)
        return [report(d.id, d.cohort_id) for d in documents]

    stepper = await worked(world, work)

    assert calls == [len(PAIRS), len(PAIRS) - 2]
    assert answered(world) == len(PAIRS) - 2
    assert len(await aside(world, stepper)) == 2


async def test_a_due_worker_for_which_something_passes_among_the_rest_is_asked_again(
    world: World,
) -> None:
    away = [Passing()]

    async def work(
        documents: Sequence[Document], _: datetime, leaving: asyncio.Event
    ) -> Sequence[Message]:
        if away:
            raise FailedFor({f"c/{PAIRS[0]}": ValueError(), f"c/{PAIRS[1]}": away.pop()})
        return [report(d.id, d.cohort_id) for d in documents]

    stepper = await worked(world, work)

    assert answered(world) == len(PAIRS)
    assert await aside(world, stepper) == []


async def test_a_document_is_set_aside_when_what_its_worker_says_cannot_be_decided_on(
    world: World,
) -> None:
    performed: list[str] = []

    async def work(
        documents: Sequence[Document], _: datetime, leaving: asyncio.Event
    ) -> Sequence[Message]:
        performed.extend(d.id for d in documents)
        return [breaks_decide(d.id, d.cohort_id) for d in documents]

    stepper = await worked(world, work)
    again = await stepper.decide_due()

    assert again == 0, "else it would be done again and again"
    assert sorted(performed) == PAIRS
    assert {detail for _, detail, _ in await aside(world, stepper)} == {
        "RescheduleSession: ZeroDivisionError"
    }


async def test_what_a_worker_says_of_nobody_that_is_due_is_left_out(world: World) -> None:
    async def work(
        documents: Sequence[Document], _: datetime, leaving: asyncio.Event
    ) -> Sequence[Message]:
        return [report("m~g", "elsewhere"), *(report(d.id, d.cohort_id) for d in documents)]

    await worked(world, work)

    assert answered(world) == len(PAIRS)


@pytest.mark.usefixtures("short_pauses")
async def test_deadlines_that_cannot_be_looked_for_stop_neither_records_nor_the_process(
    world: World,
) -> None:
    await due_of(world, ["m~g"])
    unreadable = Unwilling(world.store, "due", [ValueError(), ValueError()])
    stepper = world.stepper(unreadable)
    await stepper.take(range(PARTITIONS))

    assert await stepper.decide_due() == 0
    world.command(confirm("m~g"))
    await world.run(stepper)

    async def handled() -> bool:
        await stepper.decide_due()
        return not unreadable.errors and not await aside(world, stepper)

    await eventually(handled)


async def test_that_nobody_can_be_told_what_is_set_aside_stops_nobody(world: World) -> None:
    await due_of(world, PAIRS)
    world.domain = undecidable(lambda pair: pair == PAIRS[0], ZeroDivisionError())
    stepper = world.stepper(Unwilling(world.store, "note_aside", [ValueError()]))
    await stepper.take(range(PARTITIONS))

    await stepper.decide_due()
    assert stalled(world) == len(PAIRS) - 1
    await stepper.decide_due()

    assert len(await aside(world, stepper)) == 1
