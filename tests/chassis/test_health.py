"""What probes and alerts are told: of a step that does not come to its end, of what is not read."""

import asyncio
import time
from collections.abc import Mapping
from dataclasses import dataclass, field

import pytest
from aiokafka.errors import (
    CorruptRecordException,
    GroupAuthorizationFailedError,
    TopicAuthorizationFailedError,
)

from services.chassis.http.health import STUCK_SECONDS, WHOLE, WORDS, Health
from services.chassis.log.contract import Spot
from services.chassis.log.trouble import Trouble
from services.chassis.step import publishing
from services.chassis.step.ports import Limits
from services.chassis.step.retrying import Abandoned, Waiting
from services.chassis.step.stepper import TROUBLES
from services.chassis.store.contract import Place
from tests.chassis.faults import Crash, Trip, Tripping, Unwilling, raising
from tests.chassis.toy import PARTITIONS, Passing, World, breaks_decide, formed, metric
from tests.conftest import eventually

PENDING, OLDEST = "mentoring_outbox_pending", "mentoring_outbox_oldest_seconds"
FOR_EVER = 100_000


async def test_while_the_broker_takes_nothing_the_stepper_is_not_healthy_whatever_the_database_says(
    world: World,
) -> None:
    row = world.publish(formed("m~g"))
    failing = Unwilling(world.log, "publish", [Passing() for _ in range(FOR_EVER)])
    stepper = world.stepper(log=failing)
    await stepper.take(range(PARTITIONS))
    making = asyncio.create_task(stepper.handle([row]))
    while stepper.healthy:
        await asyncio.sleep(0)

    await stepper.decide_due()

    assert not stepper.healthy
    failing.errors.clear()
    await making

    async def may_go_on() -> bool:
        return not stepper.stopped.keys() - set(stepper.returning)

    await eventually(may_go_on)
    for partition in stepper.returning:
        stepper.go_on(partition)
    assert stepper.healthy


async def test_a_broker_that_says_nothing_makes_the_stepper_unhealthy_and_is_no_progress(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    row = world.publish(formed("m~g"))
    answered = asyncio.Event()

    async def nothing_is_said() -> None:
        await answered.wait()

    stepper = world.stepper(
        log=Tripping(world.log, Trip(1, effect=nothing_is_said, name="publish"))
    )
    await stepper.take(range(PARTITIONS))
    making = asyncio.create_task(stepper.handle([row]))
    while not metric(stepper, PENDING):
        await asyncio.sleep(0)
    before = stepper.progress

    looking = asyncio.create_task(stepper.decide_due())
    await asyncio.sleep(0)

    assert stepper.progress == before
    assert stepper.healthy
    monkeypatch.setattr(publishing, "SLOW_SECONDS", 0.0)
    assert not stepper.healthy
    answered.set()
    await asyncio.gather(making, looking)
    assert stepper.healthy
    assert stepper.progress > before


async def test_a_look_for_deadlines_is_progress_while_no_step_is_under_way(world: World) -> None:
    stepper = await world.run()
    before = stepper.progress
    await stepper.decide_due()
    assert stepper.progress > before


async def test_what_the_last_owner_left_is_owed_from_the_moment_it_is_found(world: World) -> None:
    world.publish(formed("m~g"))
    dying = Tripping(world.log, Trip(1, effect=raising(Crash), name="publish"))
    with pytest.raises(Crash):
        await world.run(world.stepper(log=dying))
    stepper = world.stepper()
    seen: list[float] = []

    async def look(_: Mapping[int, Place]) -> None:
        seen.append(metric(stepper, PENDING))
        if len(seen) == 1:
            raise Passing

    await stepper.take(range(PARTITIONS), look)

    assert set(seen) == {2}
    assert metric(stepper, PENDING) == 0
    assert metric(stepper, OLDEST) == 0


async def test_what_was_committed_counts_though_another_process_publishes_it(world: World) -> None:
    row = world.publish(formed("m~g"))
    failing = Unwilling(world.log, "publish", [Passing() for _ in range(FOR_EVER)])
    stepper = world.stepper(log=failing)
    await stepper.take(range(PARTITIONS))
    making = asyncio.create_task(stepper.handle([row]))
    while not metric(stepper, PENDING):
        await asyncio.sleep(0)

    await stepper.leave(range(PARTITIONS))

    with pytest.raises(Abandoned):
        await making
    assert metric(stepper, "mentoring_events_total", type="StepCompleted") == 1
    assert metric(stepper, PENDING) == 0  # it is the next owner's


# What is read


@dataclass
class Read:
    """What a consumer would say of itself."""

    polled: float = field(default_factory=time.monotonic)
    waits: bool = True
    stopped: dict[Spot, Trouble] = field(default_factory=dict)
    absent: tuple[str, ...] = ()


LONG_AGO = time.monotonic() - 2 * STUCK_SECONDS


async def test_a_process_that_reads_nothing_of_what_waits_is_not_alive(world: World) -> None:
    stepper = await world.run()
    read = Read()
    health = Health(stepper, read)
    assert health.alive
    assert health.ready

    read.polled = LONG_AGO
    await stepper.decide_due()  # deadlines are decided on all the same

    assert not health.alive
    read.waits = False  # a group that is being rebalanced, or a quiet night
    assert health.alive


async def test_a_step_that_hangs_is_not_alive_and_one_that_waits_for_others_is(
    world: World,
) -> None:
    row = world.publish(formed("m~g"))
    failing = Unwilling(world.store, "commit", [Passing() for _ in range(FOR_EVER)])
    stepper = world.stepper(failing)
    await stepper.take(range(PARTITIONS))
    health = Health(stepper, Read(polled=LONG_AGO))
    making = asyncio.create_task(stepper.handle([row]))
    while stepper.healthy:
        await asyncio.sleep(0)
    stepper.progress = LONG_AGO

    assert health.alive, "a restart mends no database"
    assert not health.ready
    failing.errors.clear()
    await making
    stepper.progress = LONG_AGO
    assert not health.alive


CORRUPT = Trouble(CorruptRecordException(), 17, 0.0, None)


async def test_readiness_says_in_words_all_that_is_wrong(world: World) -> None:
    stepper = world.stepper()
    read = Read()
    health = Health(stepper, read)
    assert health.wrong == ["no partition is assigned, or its place is not known yet"]
    read.absent = ("mentoring.people",)
    assert health.wrong[1:] == [
        "the broker has no mentoring.people: `connecte topics apply` makes topics"
    ]

    await stepper.take(range(PARTITIONS))
    refused = TopicAuthorizationFailedError("topic")
    read.stopped = {
        ("mentoring.people", 3): Trouble(refused, 17, 0.0, None),
        ("", -1): Trouble(GroupAuthorizationFailedError("group"), 0, 0.0, None),
    }

    assert health.wrong == [
        "nothing is read: the broker does not let this service into its group",
        "mentoring.people/3 is not read on from offset 17: "
        "the broker does not let this service read the topic",
    ]
    assert not health.ready
    assert health.alive
    health.fault = RuntimeError("its text may hold a secret")
    assert health.wrong[0] == "the process ends: RuntimeError"
    assert not health.alive


def test_whatever_can_be_wrong_with_a_stepper_has_a_sentence() -> None:
    assert WORDS.keys() == {*TROUBLES, "unpublished"}
    assert len(set(WORDS.values())) == len(WORDS)
    assert WORDS.keys() > WHOLE


async def test_a_service_is_ready_while_one_of_its_partitions_works_and_says_what_does_not(
    world: World,
) -> None:
    stepper = world.stepper()
    await stepper.take(range(PARTITIONS))
    read = Read()
    health = Health(stepper, read)
    for partition in range(PARTITIONS - 1):
        read.stopped["mentoring.people", partition] = CORRUPT

        assert health.ready
        assert len(health.wrong) == partition + 1
    read.stopped["mentoring.people", PARTITIONS - 1] = CORRUPT
    assert not health.ready
    assert health.alive


async def test_a_stopped_partition_takes_the_http_from_no_other_and_hides_no_step_that_hangs(
    world: World,
) -> None:
    row = world.command(breaks_decide("m~g"))
    stepper = world.stepper(limits=Limits(0.001, 0.002, parked=0))
    await stepper.take(range(PARTITIONS))
    await stepper.handle([row])
    read = Read()
    health = Health(stepper, read)

    assert health.wrong == [WORDS["parked-limit"]]
    assert health.ready
    for partition in set(range(PARTITIONS)) - {row.partition}:
        read.stopped["mentoring.people", partition] = CORRUPT
    assert not health.ready, "the others are not read"
    stepper.progress = LONG_AGO
    assert not health.alive


async def test_while_a_whole_process_waits_it_is_not_ready_and_says_what_for(
    world: World,
) -> None:
    row = world.publish(formed("m~g"))
    failing = Unwilling(world.store, "commit", [Passing() for _ in range(FOR_EVER)])
    stepper = world.stepper(failing)
    await stepper.take(range(PARTITIONS))
    health = Health(stepper, Read())
    making = asyncio.create_task(stepper.handle([row]))
    while stepper.healthy:
        await asyncio.sleep(0)

    assert health.wrong == [WORDS["away"]]
    assert not health.ready
    failing.errors.clear()
    await making
    assert health.ready
    assert health.wrong == []


async def test_what_is_not_there_at_the_start_is_named_and_is_no_reason_to_end_a_process(
    world: World,
) -> None:
    stepper = world.stepper()
    stepper.progress = LONG_AGO
    starting: dict[str, Waiting] = {"database": "denied"}
    health = Health(stepper, Read(polled=LONG_AGO), starting)

    assert health.wrong[0] == f"the database has not been there since the start: {WORDS['denied']}"
    assert not health.ready
    assert health.alive
    assert health.suffers("denied") == 1
    del starting["database"]
    assert not health.alive
    assert health.suffers("denied") == 0
