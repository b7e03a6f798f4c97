"""G2: what comes again has no second effect."""

from services.chassis.step.stepper import Stepper
from tests.chassis.toy import (
    COMMANDS,
    MATCHING,
    PARTITIONS,
    PRIVATE,
    World,
    altered,
    confirm,
    dissolved,
    formed,
    metric,
    reason_of,
    types,
)


def skipped(stepper: Stepper, reason: str) -> float:
    return metric(stepper, "mentoring_duplicates_skipped_total", reason=reason)


async def test_a_record_delivered_again_has_no_second_effect(world: World) -> None:
    rows = [world.publish(formed("m~g")), world.command(confirm("m~g"))]
    stepper = await world.run()
    before = await world.documents(), world.written()

    offsets = await stepper.handle(rows)

    assert (await world.documents(), world.written()) == before
    assert skipped(stepper, "position") == 2
    assert offsets[COMMANDS, rows[1].partition] == 1


async def test_a_record_twice_in_one_batch_has_one_effect(world: World) -> None:
    rows = [world.publish(formed("m~g")), world.command(confirm("m~g"))]
    stepper = world.stepper()
    await stepper.take(range(PARTITIONS))

    await stepper.handle([*rows, *rows])

    assert await world.tallies() == {"c/m~g": 1}


async def test_an_event_published_again_has_no_second_effect(world: World) -> None:
    first, second = world.event(formed("m~g")), world.event(dissolved("m~g"))
    for record in (first, second, first, second):
        world.append(record)
    third = world.publish(formed("m~h"))

    stepper = await world.run()

    assert await world.tallies() == {"c/m~h": 0}
    assert skipped(stepper, "sequence") == 2
    assert types(world.written(PRIVATE)).count("PairFormed") == 2
    place = (await world.store.places([third.partition]))[third.partition]
    assert (place.seen[MATCHING], place.positions[MATCHING]) == (3, 5)


async def test_commands_are_not_counted_whatever_their_senders_put_into_the_headers(
    world: World,
) -> None:
    world.publish(formed("m~g"))
    for sender in ("/one", "/another"):
        world.command(confirm("m~g"), source=sender, sequence=1)
    world.command(confirm("m~g"), source="/third", sequence=77)

    await world.run()

    assert await world.tallies() == {"c/m~g": 3}


async def test_an_alien_record_does_not_take_the_place_of_the_next_event(world: World) -> None:
    # given a record of no known type, in somebody else's name, with the sequence that comes next
    event = world.event(formed("m~g"))
    world.append(altered(event, ce_type=b"alien", ce_source=b"/alien"))
    world.append(event)

    await world.run()

    assert set(await world.tallies()) == set(), "it waits behind the alien, under the same key"
    [alien, behind] = await world.parked()
    assert (reason_of(alien), reason_of(behind)) == ("bad-headers", "behind")


async def test_an_alien_record_without_a_key_leaves_the_next_event_alone(world: World) -> None:
    event = world.event(formed("m~g"))
    world.append(altered(event, ce_type=b"alien", ce_source=b"/alien")._replace(key=None))
    world.append(event)

    await world.run()

    assert await world.tallies() == {"c/m~g": 0}
