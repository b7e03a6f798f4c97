"""A database is a fold of the journal in the log and of nothing else: G5."""

import pytest

from schemas.envelope import Record, attributes
from schemas.topics import PEOPLE
from services.chassis.step.ownership import StateLost
from services.chassis.step.rebuild import JournalBroken, rebuild
from services.chassis.store.memory import MemoryStore
from services.chassis.store.mongo import MongoStore
from tests.chassis.toy import (
    EVENTS,
    KINDS,
    PARKED,
    PARTITIONS,
    PRIVATE,
    TOY,
    World,
    altered,
    cohort_on,
    command_of,
    confirm,
    contact,
    elsewhere,
    equal_when_rebuilt,
    formed,
    life,
    people_in,
    reason_of,
)


async def test_a_rebuild_gives_equal_documents_and_places_and_work_goes_on_after_it(
    world: World,
) -> None:
    await life(world, world.stepper)
    await equal_when_rebuilt(world)

    again = MemoryStore()
    assert await rebuild(TOY, again, world.log, PARTITIONS) == len(world.written())
    world.store = again
    two = cohort_on(2)
    world.publish(formed("m~z", two))
    world.command(confirm("m~z", cohort=two))
    await world.run()

    assert (await world.tallies())[f"{two}/m~z"] == 1
    world.journal()  # goes on without a gap
    await equal_when_rebuilt(world)


async def test_on_a_real_database_a_rebuild_gives_the_same_bytes(
    mongo: MongoStore, mongodb_uri: str, database: str
) -> None:
    world = World(store=mongo)
    await life(world, world.stepper)
    again = MongoStore(mongodb_uri, f"{database}_again", KINDS)
    await again.open()

    await rebuild(TOY, again, world.log, PARTITIONS)

    assert await mongo.differences(again) == []
    assert len([key async for key, _ in mongo.raw("tallies")]) == 5
    await mongo.database["tallies"].update_one({}, {"$set": {"count": 77}})
    assert len(await mongo.differences(again)) == 1, "the comparison can tell"
    await again.close()


async def test_what_lies_in_the_log_twice_is_folded_once(world: World) -> None:
    await life(world, world.stepper)
    for topic in (EVENTS, PRIVATE, PARKED):
        for partition in range(PARTITIONS):
            rows = list(world.log.records.get((topic, partition), []))
            for row in rows[len(rows) // 2 :]:
                world.append(Record(topic, partition, row.key, row.value, row.headers))

    await equal_when_rebuilt(world)


@pytest.mark.parametrize("topic", [EVENTS, PRIVATE, PARKED])
async def test_a_journal_with_an_entry_missing_is_an_error_that_names_it(
    world: World, topic: str
) -> None:
    await life(world, world.stepper)
    partition = next(p for p in range(PARTITIONS) if world.log.records.get((topic, p)))
    [lost, *_] = world.log.records[topic, partition]
    del world.log.records[topic, partition][0]

    with pytest.raises(JournalBroken) as error:
        await rebuild(TOY, MemoryStore(), world.log, PARTITIONS)

    order = attributes(lost.headers).order
    assert str(error.value).startswith(f"scheduling/{partition}: entry {order} is missing")


async def test_a_journal_of_a_newer_version_is_an_error_that_names_what_this_one_does_not_know(
    world: World,
) -> None:
    row = world.publish(formed("m~g"))
    await world.run()
    [first, *_] = world.log.records[PRIVATE, row.partition]
    there = attributes(first.headers)
    newer = Record(PRIVATE, row.partition, first.key, first.value, first.headers)
    world.append(altered(newer, ce_type=b"fr.gouv.mentoring.PairMoved.v3"))
    rows = world.log.records[PRIVATE, row.partition]
    rows[0] = rows.pop()

    with pytest.raises(JournalBroken) as error:
        await rebuild(TOY, MemoryStore(), world.log, PARTITIONS)

    said = f"scheduling/{row.partition}: entry {there.order} is a fr.gouv.mentoring.PairMoved.v3, "
    assert str(error.value).startswith(said)
    assert "rebuild with the version that wrote it" in str(error.value)


async def test_a_journal_that_ends_within_a_step_is_an_error(world: World) -> None:
    row = world.publish(formed("m~g"))
    await world.run()
    world.log.records[PRIVATE, row.partition].pop()

    with pytest.raises(JournalBroken, match="ends within a step"):
        await rebuild(TOY, MemoryStore(), world.log, PARTITIONS)


async def test_what_others_put_into_the_journal_is_not_folded(world: World) -> None:
    row = world.publish(formed("m~g"))
    await world.run()
    [first, *_] = world.log.records[PRIVATE, row.partition]
    record = Record(PRIVATE, row.partition, first.key, first.value, first.headers)
    world.append(altered(record, ce_source=b"/somebody", ce_order=b"2"))
    world.append(altered(record, "ce_type", ce_order=b"2"))
    world.append(Record(PRIVATE, row.partition, b"k", b"v"))

    await equal_when_rebuilt(world)


async def test_a_contact_that_was_parked_is_not_mirrored_by_a_rebuild_either(world: World) -> None:
    world.command(contact("x", "Good"))
    world.append(altered(command_of(world, contact("x")), value=b"{"))
    world.append(elsewhere(command_of(world, contact("y"))))
    world.append(command_of(world, formed("m~g"))._replace(topic=PEOPLE))
    await world.run()
    assert len(await world.parked()) == 3
    assert people_in(await world.documents()) == {"people/c/x": "Good"}

    await equal_when_rebuilt(world)


async def test_a_contact_that_no_letter_reaches_is_parked_and_a_name_is_kept_as_it_came(
    world: World,
) -> None:
    unseen = "Zoe\u0301\u00a0Roux"
    for address in ("a..b@example.org", "jörg@example.org"):
        bad = contact("x", "Good").model_copy(update={"email": address})
        world.append(command_of(world, bad))
    other = contact("y").model_copy(update={"name": unseen})
    world.append(command_of(world, other))
    await world.run()

    assert [reason_of(d) for d in await world.parked()] == ["bad-data", "bad-data"]
    assert people_in(await world.documents()) == {"people/c/y": unseen}
    await equal_when_rebuilt(world)


async def test_a_contact_that_breaks_a_decision_is_parked_and_not_mirrored(world: World) -> None:
    world.command(contact("x", "Good"))
    world.command(contact("x", "Cursed"))
    await world.run()

    assert [reason_of(d) for d in await world.parked()] == ["fault"]
    assert people_in(await world.documents()) == {"people/c/x": "Good"}
    await equal_when_rebuilt(world)


async def test_the_newest_contact_counts_and_waits_for_no_parked_one(world: World) -> None:
    world.append(altered(command_of(world, contact("x")), value=b"{"))
    world.command(contact("x", "Newest"))
    await world.run()

    assert people_in(await world.documents()) == {"people/c/x": "Newest"}
    await equal_when_rebuilt(world)


async def test_a_rebuild_mirrors_contacts_only_as_far_as_the_service_had_read_them(
    world: World,
) -> None:
    world.command(contact("x", "Before"))
    await world.run()
    world.command(contact("x", "After"))

    await equal_when_rebuilt(world)


async def test_a_database_that_was_dropped_under_a_running_service_stops_it(world: World) -> None:
    world.publish(formed("m~g"))
    stepper = await world.run()
    await world.store.wipe()
    world.publish(formed("m~h"))

    with pytest.raises(StateLost, match=r"forgot steps of partitions \[\d\]"):
        await stepper.handle(world.waiting(stepper, 500))

    assert await world.documents() == {}


async def test_a_real_database_that_was_dropped_under_a_running_service_stops_it(
    mongo: MongoStore,
) -> None:
    world = World(store=mongo)
    world.publish(formed("m~g"))
    stepper = await world.run()
    await mongo.client.drop_database(mongo.database.name)
    world.publish(formed("m~h"))

    with pytest.raises(StateLost):
        await stepper.handle(world.waiting(stepper, 500))
