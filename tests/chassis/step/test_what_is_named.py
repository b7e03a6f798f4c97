"""What an operator's command names counts once, and for its own partition alone (G2, G3)."""

import json
from typing import Any

from schemas.envelope import Record, encode
from schemas.journal import DropParked, RetryParked
from schemas.topics import partition_of
from services.chassis.step.parking import READ_AT_ONCE
from tests.chassis.toy import (
    COMMANDS,
    MENDED,
    NOW,
    PARTITIONS,
    World,
    altered,
    breaks_decide,
    confirm,
    equal_when_rebuilt,
    formed,
)

HERE = partition_of("c", PARTITIONS)


def _naming(kind: type[RetryParked | DropParked], partition: int, *origins: str) -> Record:
    """What a program asks for in its own words, as no command of ours is written."""
    because: dict[str, Any] = {"because": "of no use"} if kind is DropParked else {}
    about = {"cohort_id": "scheduling", "partition": partition, "origins": ["t/0/0"], **because}
    given: dict[str, Any] = {"id": "control", "source": "/operator", "time": NOW}
    record = encode(kind.model_validate(about), COMMANDS, partition, **given)
    return altered(record, value=json.dumps({**about, "origins": origins}).encode())


async def _one_aside(world: World) -> str:
    world.publish(formed("m~g"))
    world.command(breaks_decide("m~g"))
    await world.run()
    [record] = await world.parked()
    return record.id


async def test_a_record_that_is_named_many_times_is_handled_once(world: World) -> None:
    origin = await _one_aside(world)
    world.domain = MENDED

    world.append(_naming(RetryParked, HERE, *[origin] * (2 * READ_AT_ONCE + 1)))
    stepper = await world.run()

    assert await world.tallies() == {"c/m~g": 1}
    assert stepper.owned[HERE].parked == 0
    await equal_when_rebuilt(world)


async def test_what_waits_behind_a_record_still_waits_when_another_is_dropped_by_two_names(
    world: World,
) -> None:
    origin = await _one_aside(world)
    world.command(breaks_decide("m~h"))
    await world.run()

    world.append(_naming(DropParked, HERE, origin, origin))
    world.command(confirm("m~h"))
    stepper = await world.run()

    assert len(await world.parked()) == 2
    assert stepper.owned[HERE].parked == 2
    await equal_when_rebuilt(world)


async def test_a_partition_is_asked_for_no_records_of_another(world: World) -> None:
    origin = await _one_aside(world)
    elsewhere = (HERE + 1) % PARTITIONS

    world.append(_naming(DropParked, elsewhere, origin))
    world.append(_naming(RetryParked, elsewhere, origin))
    stepper = await world.run()

    assert [record.id for record in await world.parked()] == [origin]
    assert {p: at.parked for p, at in stepper.owned.items()} == {
        p: int(p == HERE) for p in range(PARTITIONS)
    }
    await equal_when_rebuilt(world)
