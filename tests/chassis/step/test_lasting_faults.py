"""What fails for good is set aside alone, wherever it fails; nothing is where all fails: G4, G8."""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import pytest
from pymongo.errors import OperationFailure

from schemas.scheduling import ConfirmSession, PairGraduated
from services.chassis.documents import PARKED_KEY_BYTES, ParkedRecord
from services.chassis.domain import Change, Document, State
from services.chassis.log.contract import RecordTooLarge
from services.chassis.step.ports import Limits
from services.chassis.store.contract import Commit, Outpaced
from services.chassis.store.faults import nature_of
from services.chassis.store.memory import MemoryStore
from services.chassis.store.mongo import MongoStore
from tests.chassis.faults import Crash, Unwilling
from tests.chassis.toy import (
    COMMANDS,
    EVOLUTION,
    HANDLERS,
    MENDED,
    PARKED,
    PARTITIONS,
    TOY,
    Tally,
    World,
    altered,
    breaks_decide,
    cohort_on,
    command_of,
    confirm,
    equal_when_rebuilt,
    formed,
    metric,
    reason_of,
    types,
)

PAIRS = [f"m{number}~g" for number in range(9)]
FAULTY = PAIRS[5]


def spoiled(change: Callable[[Tally], Tally]) -> Any:
    """The toy, of which one pair's fold makes a document that no store takes."""

    def graduated(state: State, event: PairGraduated) -> Any:
        for changed in EVOLUTION[PairGraduated](state, event):
            assert isinstance(changed, Tally)
            yield change(changed) if event.pair_id == FAULTY else changed

    return replace(TOY, evolution={**EVOLUTION, PairGraduated: graduated})


def too_many(tally: Tally) -> Tally:
    return tally.model_copy(update={"count": 2**63})


async def nine_pairs(world: World) -> None:
    for pair in PAIRS:
        world.publish(formed(pair))
    await world.run()
    for pair in PAIRS:
        world.command(confirm(pair))
    world.command(confirm(FAULTY))


async def but_for_one(world: World, detail: str, behind: str = "behind") -> None:
    """Everybody's command was carried out but for the faulty one's, behind which the next waits."""
    found = [d for d in await world.parked() if isinstance(d, ParkedRecord)]
    parked = sorted(found, key=lambda d: d.number)
    assert [d.reason for d in parked] == ["fault", behind]
    assert parked[0].detail.startswith(detail), parked[0].detail
    assert await world.tallies() == {f"c/{pair}": int(pair != FAULTY) for pair in PAIRS}


async def test_what_only_the_store_refuses_is_set_aside_alone_and_the_others_go_on(
    world: World,
) -> None:
    world.domain = spoiled(too_many)
    await nine_pairs(world)

    stepper = await world.run()

    await but_for_one(world, "ConfirmSession: OverflowError")
    assert stepper.healthy
    world.domain = TOY
    await world.retry()
    await world.run()
    assert await world.parked() == []
    assert (await world.tallies())[f"c/{FAULTY}"] == 2
    await equal_when_rebuilt(world)


async def test_on_a_real_database_too_what_it_refuses_is_set_aside_alone(mongo: MongoStore) -> None:
    world = World(store=mongo, domain=spoiled(too_many))
    await nine_pairs(world)

    await world.run()

    await but_for_one(world, "ConfirmSession: OverflowError")


async def test_an_event_that_its_topic_would_not_take_is_never_committed(world: World) -> None:
    def decide(state: State, command: ConfirmSession, now: Any) -> Any:
        decision = HANDLERS[ConfirmSession](state, command, now)
        if not command.session_id.startswith(FAULTY) or not isinstance(decision, list):
            return decision
        return [decision[0].model_copy(update={"mentor_id": "m" * 1024 * 1024}), *decision[1:]]

    world.domain = replace(TOY, handlers={**HANDLERS, ConfirmSession: decide})
    await nine_pairs(world)

    await world.run()

    told = "ConfirmSession: RecordTooLarge: mentoring.scheduling.private takes records of 1048576"
    await but_for_one(world, told)
    await equal_when_rebuilt(world)


@pytest.mark.parametrize("method", ["load", "commit"])
@pytest.mark.parametrize("batch", [1, 500])
async def test_whatever_fails_for_one_record_sets_that_one_aside(
    world: World, method: str, batch: int
) -> None:
    await nine_pairs(world)
    stepper = world.stepper(Picky(world.store, method, f"c/{FAULTY}"))  # type: ignore[arg-type]

    await world.run(stepper, batch=batch)

    behind = "fault" if method == "load" else "behind"  # it cannot be looked at, either
    await but_for_one(world, "ConfirmSession: ZeroDivisionError", behind)


class Picky:
    """A store that one method of fails for good, whenever it is about a certain tally."""

    def __init__(self, inner: Any, method: str, key: str) -> None:
        self.inner, self.method, self.key = inner, method, key

    def __getattr__(self, name: str) -> Any:
        return getattr(self.inner, name)

    async def load(self, needs: Any) -> Any:
        wanted = list(needs)
        if self.method == "load" and any(
            need.kind is Tally and f"{need.cohort_id}/{need.id}" == self.key for need in wanted
        ):
            raise ZeroDivisionError
        return await self.inner.load(wanted)

    async def commit(self, commit: Commit) -> None:
        changed = [change for _, change in commit.changes if isinstance(change, Tally)]
        if self.method == "commit" and any(tally.key == self.key for tally in changed):
            raise ZeroDivisionError
        await self.inner.commit(commit)


async def test_what_happens_once_sets_nothing_aside(world: World) -> None:
    world.publish(formed("m~g"))
    failing = Unwilling(world.store, "commit", [ZeroDivisionError()])

    await world.run(world.stepper(failing))

    assert await world.parked() == []
    assert await world.tallies() == {"c/m~g": 0}


async def test_where_nothing_can_be_written_nothing_is_set_aside_and_the_service_says_so(
    world: World,
) -> None:
    await nine_pairs(world)
    refusing = Unwilling(world.store, "commit", [OperationFailure("no", 121) for _ in range(60)])
    stepper = world.stepper(refusing)
    await stepper.take(range(PARTITIONS))
    step = asyncio.create_task(stepper.handle(world.waiting(stepper, 500)))
    while not stepper.troubles:
        await asyncio.sleep(0)

    assert stepper.troubles == {"environment"}
    assert metric(stepper, "mentoring_trouble", reason="environment") == 1
    await step

    assert refusing.errors == []
    assert await world.parked() == []
    assert await world.tallies() == {f"c/{pair}": 1 + (pair == FAULTY) for pair in PAIRS}
    assert stepper.healthy


async def test_a_permission_that_is_missing_is_waited_for_and_named(world: World) -> None:
    world.publish(formed("m~g"))
    denying = Unwilling(world.store, "commit", [OperationFailure("no", 13) for _ in range(5)])
    stepper = world.stepper(denying, nature_of=nature_of)
    await stepper.take(range(PARTITIONS))
    step = asyncio.create_task(stepper.handle(world.waiting(stepper, 500)))
    while stepper.healthy:
        await asyncio.sleep(0)

    assert stepper.troubles == {"denied"}
    await step

    assert await world.parked() == []
    assert await world.tallies() == {"c/m~g": 0}
    assert stepper.healthy


async def test_what_was_committed_is_published_however_long_the_broker_refuses_it(
    world: World,
) -> None:
    world.publish(formed("m~g"))
    refusing = Unwilling(world.log, "publish", [RecordTooLarge("no") for _ in range(9)])
    stepper = world.stepper(log=refusing)

    await world.run(stepper)

    assert types(world.written()) == ["PairFormed", "StepCompleted"]
    assert await world.parked() == []


async def test_who_is_outpaced_again_and_again_leaves_longer_and_longer_pauses(
    world: World,
) -> None:
    world.publish(formed("m~g"))
    outpaced = Unwilling(world.store, "commit", [Outpaced() for _ in range(4)])
    stepper = world.stepper(outpaced, limits=Limits(0.02, 10.0))
    loop = asyncio.get_running_loop()
    began = loop.time()

    await world.run(stepper)

    assert loop.time() - began >= 0.02 + 0.04 + 0.08 + 0.16
    assert await world.tallies() == {"c/m~g": 0}


# --- what has no room where it is set aside -----------------------------------------------------


async def test_of_a_key_and_headers_of_some_mebibytes_what_fits_is_kept_and_says_so(
    world: World,
) -> None:
    world.log.limits[COMMANDS] = 20_000_000  # by somebody, on the broker
    good = command_of(world, confirm("m~g"))
    many = [("h" * 1000, b"x" * 1000)] * 5000
    world.append(good._replace(key=b"k" * 5_000_000, headers=[*good.headers, *many], value=b"{"))
    world.append(good._replace(key=b"k" * 5_000_000))

    await world.run()

    first, second = (d for d in await world.parked() if isinstance(d, ParkedRecord))
    assert (first.reason, second.reason) == ("bad-json", "behind")
    assert len(first.record_key or b"") == PARKED_KEY_BYTES
    assert first.headers[-1] == ("…", None)
    assert first.headers[:9] == tuple(good.headers)[:9]
    assert not first.whole
    assert max(len(row.value or b"") for row in world.written(PARKED)) < 4 * 1024 * 1024
    await world.retry()
    await world.run()
    assert {reason_of(d) for d in await world.parked()} == {"bad-data", "behind"}
    await equal_when_rebuilt(world)


async def test_however_often_a_part_of_a_record_is_retried_it_is_not_taken_for_the_whole(
    world: World,
) -> None:
    world.log.limits[COMMANDS] = 3_000_000  # by somebody, on the broker
    value = b'{"cohort_id": "c", "session_id": "m~g~1", "by": "mentor"}' + b" " * 2_000_000
    world.append(altered(command_of(world, breaks_decide("m~g")), value=value))
    await world.run()
    world.domain = MENDED

    for _ in range(3):
        await world.retry()
        await world.run()

    [parked] = await world.parked()
    assert isinstance(parked, ParkedRecord)
    assert (parked.reason, parked.attempts, parked.size) == ("bad-data", 4, len(value))


# --- over the limit -----------------------------------------------------------------------------


async def test_a_partition_over_its_limit_stops_alone_until_it_is_taken_again(
    world: World,
) -> None:
    full, well = cohort_on(0), cohort_on(1)
    world.publish(formed("m~g", well))
    for number in range(5):
        world.command(breaks_decide(f"m~g{number}", full))
        world.command(confirm("m~g", number + 1, well))
    stepper = world.stepper(limits=Limits(0.001, 0.002, parked=4))
    await stepper.take(range(PARTITIONS))
    rows = world.waiting(stepper, 500)

    offsets = await stepper.handle(rows)

    assert await world.tallies() == {f"{well}/m~g": 5}
    assert await world.parked() == []
    assert (COMMANDS, 0) not in offsets
    assert stepper.troubles == {"parked-limit"}
    assert metric(stepper, "mentoring_partitions_stopped") == 1
    assert await stepper.handle([row for row in rows if row.partition == 0]) == {}
    await stepper.leave(range(PARTITIONS))
    assert stepper.healthy

    world.domain = MENDED
    await world.run()
    assert types(world.written()).count("CommandRefused") == 5, "nothing was lost by it"


# --- many at once -------------------------------------------------------------------------------


class Watched(MemoryStore):
    """Knows the most that it was asked for, and given to write, at once."""

    def __init__(self) -> None:
        super().__init__()
        self.read = self.written = 0

    async def load(self, needs: Any) -> list[Document]:
        found = await super().load(needs)
        self.read = max(self.read, _bytes(found))
        return found

    async def commit(self, commit: Commit) -> None:
        changes = [change for _, change in commit.changes]
        gone = [change.document for change in changes if not isinstance(change, Document)]
        self.written = max(self.written, _bytes(gone))
        await super().commit(commit)


def _bytes(documents: Sequence[Change]) -> int:
    return sum(len(d.value or b"") for d in documents if isinstance(d, ParkedRecord))


async def large_aside(world: World, count: int) -> None:
    padding = b" " * 900_000
    value = b'{"cohort_id": "c", "session_id": "m~g~1", "by": "mentor"}' + padding
    world.publish(formed("m~g"))
    for _ in range(count):
        world.append(altered(command_of(world, breaks_decide("m~g")), value=value))
    await world.run(batch=10)


async def test_many_large_records_are_tried_again_a_few_at_a_time_and_in_order() -> None:
    store = Watched()
    world = World(store=store)
    await large_aside(world, 40)
    world.domain = MENDED
    store.read = store.written = 0

    await world.retry()
    await world.run()

    assert await world.parked() == []
    assert types(world.written(PARKED)).count("RecordRetried") == 40
    assert 0 < store.written <= 5 * 1024 * 1024
    assert 0 < store.read <= 16 * 1024 * 1024
    await equal_when_rebuilt(world)


async def test_who_dies_in_the_middle_of_a_retry_leaves_the_rest_to_the_next_owner() -> None:
    world = World()
    await large_aside(world, 12)
    world.domain = MENDED
    await world.retry()
    dying = Unwilling(world.store, "published", [])
    stepper = world.stepper(dying)
    await stepper.take(range(PARTITIONS))
    dying.errors.append(Crash())
    with pytest.raises(Crash):
        await stepper.handle(world.waiting(stepper, 500))
    assert 0 < len(await world.parked()) < 12

    await world.run()

    assert await world.parked() == []
    assert types(world.written(PARKED)).count("RecordRetried") >= 12
    await equal_when_rebuilt(world)


async def test_of_many_records_that_are_tried_again_only_the_faulty_one_stays(
    world: World,
) -> None:
    for pair in PAIRS:
        world.publish(formed(pair))
        world.command(breaks_decide(pair))
    await world.run()
    assert len(await world.parked()) == len(PAIRS)
    world.domain = replace(spoiled(too_many), handlers=MENDED.handlers)

    await world.retry()
    await world.run()

    [left] = await world.parked()
    assert isinstance(left, ParkedRecord)
    assert (left.reason, left.attempts) == ("fault", 2)
    assert left.detail == "RetryParked: OverflowError"
    assert await world.tallies() == {f"c/{pair}": int(pair != FAULTY) for pair in PAIRS}
