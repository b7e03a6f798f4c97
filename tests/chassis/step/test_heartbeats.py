"""Every partition of every service has a sign of life a day, so that silence says something."""

from datetime import timedelta

from schemas.envelope import attributes, decode
from schemas.journal import Heartbeat
from services.chassis.log.contract import Received
from services.chassis.step.admission import read
from tests.chassis.toy import EVENTS, NOW, PARTITIONS, World, confirm, equal_when_rebuilt, formed

DAY = timedelta(days=1)


def beats(world: World) -> list[tuple[str, str]]:
    """Source and moment of each heartbeat on the public topic."""
    found = []
    for record in world.written(EVENTS):
        headers = attributes(record.headers)
        message = decode(headers, record.value)
        if isinstance(message, Heartbeat):
            assert message.next_at == headers.time + DAY
            found.append((message.source, headers.time.isoformat()))
    return found


async def test_a_partition_beats_when_it_is_first_taken_over_and_then_once_a_day(
    world: World,
) -> None:
    stepper = await world.run(world.stepper(beat=DAY))
    assert await stepper.decide_due() == PARTITIONS
    assert await stepper.decide_due() == 0
    assert sorted(source for source, _ in beats(world)) == [
        f"scheduling.{partition}" for partition in range(PARTITIONS)
    ]
    world.hand.pass_by(hours=23)
    assert await stepper.decide_due() == 0
    world.hand.pass_by(hours=1)
    assert await stepper.decide_due() == PARTITIONS
    assert {moment for _, moment in beats(world)} == {NOW.isoformat(), (NOW + DAY).isoformat()}
    await equal_when_rebuilt(world)


async def test_who_takes_over_goes_on_with_the_beat_and_does_not_begin_anew(world: World) -> None:
    first = await world.run(world.stepper(beat=DAY))
    await first.decide_due()
    second = await world.run(world.stepper(beat=DAY))
    while await second.decide_due():
        pass
    assert len(beats(world)) == PARTITIONS
    world.hand.pass_by(hours=24)
    assert await second.decide_due() == PARTITIONS
    assert len(beats(world)) == 2 * PARTITIONS


async def test_who_was_outpaced_does_not_beat_a_second_time(world: World) -> None:
    first, second = world.stepper(beat=DAY), world.stepper(beat=DAY)
    for stepper in (first, second):
        await stepper.take(range(PARTITIONS))
    assert await first.decide_due() == PARTITIONS
    await second.decide_due()
    assert len(beats(world)) == PARTITIONS


async def test_a_service_passes_over_the_heartbeats_of_others_wherever_they_are(
    world: World,
) -> None:
    stepper = await world.run(world.stepper(beat=DAY))
    await stepper.decide_due()
    [row, *_] = [
        row
        for rows in world.log.records.values()
        for row in rows
        if attributes(row.headers).type == "fr.gouv.mentoring.Heartbeat.v1"
    ]
    elsewhere = Received(row.topic, row.partition, 0, row.key, row.value, row.headers)
    item = read(world.domain, PARTITIONS, elsewhere)
    assert (item.message, item.unreadable) == (None, None)


async def test_work_and_heartbeats_stand_in_one_sequence(world: World) -> None:
    stepper = await world.run(world.stepper(beat=DAY))
    await stepper.decide_due()
    world.publish(formed("m~g"))
    world.command(confirm("m~g"))
    await world.run(stepper)
    for partition in range(PARTITIONS):
        rows = world.log.records.get((EVENTS, partition), [])
        sequences = [attributes(row.headers).sequence for row in rows]
        assert sequences == list(range(1, len(sequences) + 1))
    await equal_when_rebuilt(world)
