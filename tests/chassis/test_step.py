"""What a step does and what it never does: promises G1 to G6, on a toy domain."""

import asyncio
import hashlib
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest

from schemas.base import Message
from schemas.envelope import Record, attributes
from schemas.topics import PEOPLE, partition_of
from services.chassis.domain import Document, Gone, One, State
from services.chassis.journal import (
    PARKED_BYTES,
    BlockedSubject,
    ParkedRecord,
    RefusedCommand,
    blocked_id,
)
from services.chassis.log import Received
from services.chassis.mongo import MongoStore
from services.chassis.rebuild import JournalBroken, rebuild
from services.chassis.step import Abandoned, StateLost, Stepper
from services.chassis.store import MemoryStore, Place, Store
from tests.chassis.faults import Crash, Trip, Tripping, Unwilling, When, raising
from tests.chassis.toy import (
    COMMANDS,
    EVENTS,
    KINDS,
    MATCHING,
    NOW,
    PARKED,
    PARTITIONS,
    PRIVATE,
    TOY,
    Passing,
    Reminder,
    Tally,
    World,
    breaks_decide,
    breaks_evolve,
    cohort_on,
    confirm,
    contact,
    dissolved,
    formed,
    nothing_needed,
    report,
)


@pytest.fixture
def world() -> World:
    return World()


@pytest.fixture
async def mongo(mongodb_uri: str, database: str) -> AsyncIterator[MongoStore]:
    store = MongoStore(mongodb_uri, database, KINDS)
    await store.open()
    yield store
    await store.close()


def count(stepper: Stepper, name: str, **labels: str) -> float:
    return stepper.metrics.registry.get_sample_value(name, labels) or 0.0


def skipped(stepper: Stepper, reason: str) -> float:
    return count(stepper, "mentoring_duplicates_skipped_total", reason=reason)


def types(rows: Sequence[Received]) -> list[str]:
    return [attributes(row.headers).type.split(".")[-2] for row in rows]


# --- the step ---------------------------------------------------------------------------------


async def test_a_step_reads_commits_publishes_and_forgets_in_this_order_once_per_batch(
    world: World,
) -> None:
    world.publish(formed("m~g"))
    for _ in range(3):
        world.command(confirm("m~g"))
    trip = Trip()
    stepper = world.stepper(Tripping(world.store, trip), Tripping(world.log, trip))
    await stepper.take(range(PARTITIONS))
    trip.trace.clear()

    await stepper.handle(world.waiting(stepper, 500))

    assert trip.trace == ["load", "commit", "publish", "published"]
    assert await world.tallies() == {"c/m~g": 3}


async def test_a_step_tells_which_offsets_may_be_committed(world: World) -> None:
    command, event = world.command(confirm("m~g")), world.publish(formed("m~g"))
    stepper = world.stepper()
    await stepper.take([command.partition])

    offsets = await stepper.handle([command, event])

    assert offsets == {(COMMANDS, command.partition): 1, (MATCHING, command.partition): 1}
    place = (await world.store.places([command.partition]))[command.partition]
    assert dict(place.positions) == {COMMANDS: 1, MATCHING: 1}


async def test_events_are_published_to_their_streams_and_the_step_says_how_far_it_got(
    world: World,
) -> None:
    world.publish(formed("m~g"))
    command = world.command(confirm("m~g"))

    await world.run()

    assert types(world.written(EVENTS)) == ["PairGraduated"]
    assert types(world.written(PRIVATE)) == ["PairFormed", "PlanningBegan", "StepCompleted"]
    orders = sorted(attributes(row.headers).order for row in world.written(EVENTS, PRIVATE))
    assert orders == [0, 1, 2, 3]
    assert {row.partition for row in world.written()} == {command.partition}


async def test_an_event_names_its_cause_and_an_anonymous_one_does_not(world: World) -> None:
    world.publish(formed("m~g"))
    told, untold = world.command(confirm("m~g")), world.command(report("m~g"))

    await world.run()

    causes = {
        kind: attributes(row.headers).cause
        for row in world.written(PRIVATE)
        for kind in types([row])
    }
    assert causes["PlanningBegan"] == attributes(told.headers).id
    assert causes["SurveyAnswered"] is None
    [anonymous] = [row for row in world.written(PRIVATE) if types([row]) == ["SurveyAnswered"]]
    for trace in (attributes(untold.headers).id.encode(), b"m~g"):
        assert trace not in (anonymous.value or b"")
        assert not any(trace in (raw or b"") for _, raw in anonymous.headers)


async def test_records_of_partitions_that_are_not_owned_are_left_alone(world: World) -> None:
    here, there = cohort_on(0), cohort_on(1)
    rows = [world.publish(formed("m~g", here)), world.publish(formed("m~g", there))]
    stepper = world.stepper()
    await stepper.take([0])

    offsets = await stepper.handle(rows)

    assert set(await world.tallies()) == {f"{here}/m~g"}
    assert set(offsets) == {(MATCHING, 0)}


async def test_what_does_not_concern_the_service_moves_its_place_and_nothing_else(
    world: World,
) -> None:
    # given one of matching's own events that the toy does not handle
    mine = formed("m~g")
    name = b"fr.gouv.mentoring.MentorPaused.v1"
    record = altered(world.event(mine), ce_type=name, value=b"not even JSON")

    row = world.append(record)
    await world.run()

    assert (await world.store.places([row.partition]))[row.partition].positions[MATCHING] == 1
    assert await world.documents() == {}
    world.publish(mine)
    await world.run()
    assert await world.tallies() == {"c/m~g": 0}, "and there is no gap after it"


# --- G2: nothing twice ------------------------------------------------------------------------


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
    assert (_reason(alien), _reason(behind)) == ("bad-headers", "behind")


async def test_an_alien_record_without_a_key_leaves_the_next_event_alone(world: World) -> None:
    event = world.event(formed("m~g"))
    world.append(replace(altered(event, ce_type=b"alien", ce_source=b"/alien"), key=None))
    world.append(event)

    await world.run()

    assert await world.tallies() == {"c/m~g": 0}


# --- G1: nothing lost -------------------------------------------------------------------------


async def test_nothing_is_published_when_the_commit_fails(world: World) -> None:
    world.publish(formed("m~g"))
    stepper = world.stepper(Unwilling(world.store, "commit", [RuntimeError("disk full")]))
    await stepper.take(range(PARTITIONS))

    with pytest.raises(RuntimeError, match="disk full"):
        await stepper.handle(world.waiting(stepper, 500))

    assert world.written() == []
    assert await world.documents() == {}


async def test_what_was_committed_and_not_published_is_published_by_the_next_owner(
    world: World,
) -> None:
    world.publish(formed("m~g"))
    stepper = world.stepper(log=Unwilling(world.log, "publish", [RuntimeError("broken")]))
    await stepper.take(range(PARTITIONS))
    with pytest.raises(RuntimeError, match="broken"):
        await stepper.handle(world.waiting(stepper, 500))
    assert world.written() == []

    await world.stepper().take(range(PARTITIONS))

    assert types(world.written()) == ["PairFormed", "StepCompleted"]
    assert await world.store.outgoing(range(PARTITIONS)) == []


async def life(world: World, start: Callable[[], Stepper]) -> None:
    """A few days of every kind of event; whenever the process dies, another takes its place."""
    one, two, three = (cohort_on(partition) for partition in range(3))
    stepper = start()

    async def work() -> None:
        nonlocal stepper
        while True:
            try:
                await world.run(stepper, batch=3)
                while await stepper.decide_due():
                    pass
            except Crash:
                stepper = world.stepper()
            else:
                return

    for cohort in (one, two, three):
        world.publish(formed("m~g", cohort))
        world.publish(formed("m~h", cohort))
        world.command(contact("m", cohort=cohort))
    await work()
    for number in range(1, 8):
        world.command(confirm("m~g", number, one))
        world.command(confirm("m~h", number, two))
    world.command(confirm("nobody~g", 1, two))
    world.append(altered(world.event(formed("m~i", three)), value=b"{"))
    world.publish(dissolved("m~i", three))
    world.command(breaks_evolve("m~h", three))
    world.command(report("m~g", three))
    await work()
    world.hand.pass_by(days=2)
    await work()
    world.publish(dissolved("m~g", one))
    world.command(confirm("m~h", 9, one))
    world.append(Record(PEOPLE, 0, f"{one}/m".encode(), None))
    await work()
    await world.run()  # a new owner, at the end of the day


async def outcome(world: World) -> tuple[Any, ...]:
    return await world.documents(), await world.store.places(range(PARTITIONS)), world.journal()


async def undisturbed() -> tuple[tuple[Any, ...], Trip]:
    world, trip = World(), Trip()
    store, log = Tripping(world.store, trip), Tripping(world.log, trip)
    await life(world, lambda: world.stepper(store, log))
    return await outcome(world), trip


async def test_the_undisturbed_life_has_something_of_everything() -> None:
    (documents, places, journal), trip = await undisturbed()

    assert {key.split("/")[0] for key in documents} == {
        *("tallies", "reminders", "people", "refusals", "parked", "blocked")
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
        assert await outcome(world) == expected, where
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
    assert await outcome(world) == expected


# --- G3: order, and one writer ----------------------------------------------------------------


async def test_effects_happen_in_the_order_of_the_records(world: World) -> None:
    world.publish(formed("m~g"))
    await world.run()
    rows = [world.command(confirm("m~g", number)) for number in range(1, 8)]

    await world.run(batch=2)

    refused = {d["id"] for key, d in (await world.documents()).items() if "refusals" in key}
    assert refused == {attributes(row.headers).id for row in rows[5:]}


@pytest.mark.parametrize("batch", [1, 2, 5])
async def test_the_size_of_the_batches_changes_nothing(batch: int) -> None:
    stories = []
    for size in (batch, 500):
        world = World()
        for pair in ("m~g", "m~h"):
            world.publish(formed(pair))
        await world.run(batch=size)
        for number in range(1, 8):
            world.command(confirm("m~g", number))
            world.command(confirm("m~h", number))
            world.command(breaks_evolve("m~h"))
        await world.run(batch=size)
        stories.append((world.story(), await world.documents()))

    assert stories[0] == stories[1]


async def test_what_was_caused_comes_after_its_cause_when_both_wait_in_one_batch(
    world: World,
) -> None:
    world.publish(formed("m~g"))
    world.command(confirm("m~g"))

    await world.run()

    assert await world.tallies() == {"c/m~g": 1}


async def short_life(world: World, stepper: Stepper) -> None:
    await world.run(stepper, batch=2)


def short_history(world: World) -> None:
    for cohort in (cohort_on(0), cohort_on(1)):
        world.publish(formed("m~g", cohort))
        world.publish(formed("m~h", cohort))
        for number in range(1, 4):
            world.command(confirm("m~g", number, cohort))


async def test_of_two_owners_the_outpaced_one_changes_nothing(world: World) -> None:
    # given a zombie that took the partitions, and somebody who has worked on them since
    world.publish(formed("m~g"))
    await world.run()
    zombie = world.stepper()
    await zombie.take(range(PARTITIONS))
    rows = [world.command(confirm("m~g")), world.command(confirm("m~g", 2))]
    await world.run()
    before = await outcome(world)

    # when the zombie makes the same step
    await zombie.handle(rows)

    assert await outcome(world) == before


async def test_two_owners_of_the_same_partitions_together_do_what_one_does() -> None:
    """Wherever one stands still the other works, and where that one does, the first goes on."""
    calm = World()
    short_history(calm)
    counted = Trip()
    await short_life(calm, calm.stepper(Tripping(calm.store, counted), Tripping(calm.log, counted)))
    story, documents = calm.story(), await calm.documents()
    calls = len(counted.trace)

    for first in range(1, calls + 1):
        for second in range(1, calls + 1):
            world = World()
            short_history(world)
            await _two_owners(world, first, second)
            where = f"the first stood still at {first}, the second at {second}"
            assert world.story() == story, where
            assert await world.documents() == documents, where
            again = MemoryStore()
            await rebuild(TOY, again, world.log, PARTITIONS)
            assert isinstance(world.store, MemoryStore)
            assert again.place == world.store.place, where
            assert _filled(again) == _filled(world.store), where


async def _two_owners(world: World, first: int, second: int) -> None:
    stuck, release = asyncio.Event(), asyncio.Event()

    async def stand_still() -> None:
        stuck.set()
        await release.wait()

    slow = Trip(second, "before", stand_still)
    zombie = world.stepper(Tripping(world.store, slow), Tripping(world.log, slow))
    tasks: list[asyncio.Task[Any]] = []

    async def let_the_other_work() -> None:
        tasks.append(asyncio.create_task(short_life(world, zombie)))
        waiting = asyncio.create_task(stuck.wait())
        await asyncio.wait([tasks[0], waiting], return_when=asyncio.FIRST_COMPLETED)
        waiting.cancel()

    trip = Trip(first, "before", let_the_other_work)
    owner = world.stepper(Tripping(world.store, trip), Tripping(world.log, trip))
    await short_life(world, owner)
    release.set()
    await asyncio.gather(*tasks)
    await short_life(world, owner)
    await world.run()


async def test_on_a_real_database_too_two_owners_do_what_one_does(mongo: MongoStore) -> None:
    calm = World()
    short_history(calm)
    await short_life(calm, calm.stepper())

    for first, second in ((2, 4), (3, 4), (4, 4), (5, 5), (3, 5)):
        await mongo.wipe()
        world = World(store=mongo)
        short_history(world)
        await _two_owners(world, first, second)
        assert world.story() == calm.story(), (first, second)
        assert await world.documents() == await calm.documents(), (first, second)


async def test_no_step_is_made_before_it_is_known_that_going_on_is_right(world: World) -> None:
    row = world.publish(formed("m~g"))
    stepper = world.stepper()
    steps: list[asyncio.Task[Any]] = []

    async def check(places: Mapping[int, Place]) -> None:
        assert places[row.partition] == Place(row.partition)
        steps.append(asyncio.create_task(stepper.handle([row])))
        for _ in range(20):
            await asyncio.sleep(0)
        assert await world.documents() == {}

    await stepper.take(range(PARTITIONS), check)

    await steps[0]
    assert await world.tallies() == {"c/m~g": 0}


async def test_who_must_not_go_on_owns_nothing(world: World) -> None:
    row = world.publish(formed("m~g"))
    stepper = world.stepper()

    async def check(_: Mapping[int, Place]) -> None:
        raise RuntimeError("another log")

    with pytest.raises(RuntimeError, match="another log"):
        await stepper.take(range(PARTITIONS), check)

    assert await stepper.handle([row]) == {}
    assert await world.documents() == {}


async def test_who_has_left_a_partition_writes_to_it_no_more(world: World) -> None:
    stepper = await world.run()
    row = world.publish(formed("m~g"))

    await stepper.leave([row.partition])

    assert await stepper.handle([row]) == {}
    assert await world.tallies() == {}


async def test_a_step_that_is_being_retried_is_abandoned_when_its_partition_is_taken_away(
    world: World,
) -> None:
    row = world.publish(formed("m~g"))
    failing = Unwilling(world.store, "commit", [Passing() for _ in range(100_000)])
    stepper = world.stepper(failing)
    await stepper.take(range(PARTITIONS))
    step = asyncio.create_task(stepper.handle([row]))
    while stepper.healthy:
        await asyncio.sleep(0)

    await stepper.leave(range(PARTITIONS))

    with pytest.raises(Abandoned):
        await step
    await world.run()
    assert await world.tallies() == {"c/m~g": 0}


# --- G4: poison parks -------------------------------------------------------------------------


def altered(record: Record, *drop: str, value: bytes | None = b"", **headers: Any) -> Record:
    """The record with other headers (None: null), without some, and with another value."""
    kept = [(name, raw) for name, raw in record.headers if name not in (*drop, *headers)]
    return replace(
        record,
        headers=[*kept, *headers.items()],
        value=record.value if value == b"" else value,
    )


def _reason(document: Document) -> str:
    assert isinstance(document, ParkedRecord)
    return document.reason


def _command(world: World, message: Message) -> Record:
    row = world.command(message)
    world.log.records[row.topic, row.partition].pop()
    return Record(row.topic, row.partition, row.key, row.value, row.headers)


def _elsewhere(record: Record) -> Record:
    return replace(record, partition=(record.partition + 1) % PARTITIONS)


def _bad_session(world: World) -> Record:
    value = b'{"cohort_id": "c", "session_id": "no session", "by": "mentor"}'
    return altered(_command(world, confirm("x~y")), value=value)


POISON: dict[str, tuple[str, str, Callable[[World], Record]]] = {
    "a type nobody knows": (
        *("unknown-type", "fr.gouv.mentoring.Nothing.v1"),
        lambda w: altered(_command(w, confirm("x~y")), ce_type=b"fr.gouv.mentoring.Nothing.v1"),
    ),
    "a version nobody knows": (
        *("unknown-type", "ConfirmSession.v2"),
        lambda w: altered(
            _command(w, confirm("x~y")), ce_type=b"fr.gouv.mentoring.ConfirmSession.v2"
        ),
    ),
    "a message of another topic": (
        *("unknown-type", "PairFormed is not for mentoring.scheduling.commands"),
        lambda w: _command(w, formed("x~y")),
    ),
    "no JSON": (
        *("bad-json", "ConfirmSession"),
        lambda w: altered(_command(w, confirm("x~y")), value=b'{"cohort_id": "c'),
    ),
    "an empty value": (
        *("bad-json", "ConfirmSession"),
        lambda w: replace(_command(w, confirm("x~y")), value=b""),
    ),
    "JSON that is not UTF-8": (
        *("bad-json", "ConfirmSession"),
        lambda w: altered(_command(w, confirm("x~y")), value=b'{"cohort_id": "\xff"}'),
    ),
    "a wrong field": ("bad-data", "ConfirmSession.session_id", _bad_session),
    "a list for a value": (
        *("bad-data", "ConfirmSession.value"),
        lambda w: altered(_command(w, confirm("x~y")), value=b"[]"),
    ),
    "no value": (
        *("null-value", "ConfirmSession"),
        lambda w: altered(_command(w, confirm("x~y")), value=None),
    ),
    "no headers": (
        *("bad-headers", "ce_specversion"),
        lambda w: replace(_command(w, confirm("x~y")), headers=()),
    ),
    "a missing header": (
        *("bad-headers", "ce_id is missing"),
        lambda w: altered(_command(w, confirm("x~y")), "ce_id"),
    ),
    "a null header": (
        *("bad-headers", "ce_type is null"),
        lambda w: altered(_command(w, confirm("x~y")), ce_type=None),
    ),
    "a header that is not UTF-8": (
        *("bad-headers", "ce_subject is not UTF-8"),
        lambda w: altered(_command(w, confirm("x~y")), ce_subject=b"\xff\xfe"),
    ),
    "a time that is none": (
        *("bad-headers", "ce_time"),
        lambda w: altered(_command(w, confirm("x~y")), ce_time=b"yesterday"),
    ),
    "a time before all times": (
        *("bad-headers", "ce_time"),
        lambda w: altered(_command(w, confirm("x~y")), ce_time=b"0001-01-01T00:00:00+23:00"),
    ),
    "another cohort in the headers": (
        *("bad-headers", "ce_partitionkey"),
        lambda w: altered(_command(w, confirm("x~y", cohort="c")), ce_partitionkey=_twin(b"c")),
    ),
    "a record on a partition that is not its cohort's": (
        *("wrong-partition", "another partition"),
        lambda w: _elsewhere(_command(w, confirm("x~y"))),
    ),
    "somebody else's event": (
        *("bad-headers", "ce_source"),
        lambda w: altered(w.event(formed("x~y")), ce_source=b"/mentoring/notify/events/0"),
    ),
    "an event of another partition's source": (
        *("bad-headers", "ce_source"),
        lambda w: altered(w.event(formed("x~y")), ce_source=b"/mentoring/matching/events/99"),
    ),
    "an event without a sequence": (
        *("bad-headers", "ce_sequence is missing"),
        lambda w: altered(w.event(formed("x~y")), "ce_sequence"),
    ),
    "a sequence that is no count": (
        *("bad-headers", "ce_sequence"),
        lambda w: altered(w.event(formed("x~y")), ce_sequence=b"-1"),
    ),
    "an event after one that never came": (
        *("sequence-gap", "sequence 12 came after 0"),
        lambda w: w.event(formed("x~y"), sequence=12),
    ),
    "an event that breaks a rule": (
        *("rule", "unknown-pair: there is no such pair"),
        lambda w: w.event(dissolved("x~y")),
    ),
    "a decision that raises": (
        *("fault", "RescheduleSession: ZeroDivisionError"),
        lambda w: _command(w, breaks_decide("x~y")),
    ),
    "a fold that raises": (
        *("fault", "CancelSession: ZeroDivisionError"),
        lambda w: _command(w, breaks_evolve("x~y")),
    ),
    "a contact that is none": (
        *("bad-data", "PersonContact.email"),
        lambda w: altered(
            _command(w, contact("x")),
            value=b'{"cohort_id": "c", "person_id": "x", "name": "X", "email": "x"}',
        ),
    ),
    "a tombstone of nobody": (
        *("bad-headers", "the key is not cohort/person"),
        lambda w: Record(PEOPLE, partition_of("c", PARTITIONS), b"\xff", None),
    ),
    "a tombstone on a partition that is not its cohort's": (
        *("wrong-partition", "another partition"),
        lambda w: _elsewhere(Record(PEOPLE, partition_of("c", PARTITIONS), b"c/x", None)),
    ),
    "a contact under somebody else's key": (
        *("bad-headers", "the key is not"),
        lambda w: replace(_command(w, contact("x")), key=b"c/y"),
    ),
}


def _twin(cohort: bytes) -> bytes:
    """Another cohort of the same partition."""
    partition = partition_of(cohort.decode(), PARTITIONS)
    return cohort_on(partition).encode()


@pytest.mark.parametrize("kind", POISON)
async def test_poison_parks_with_reason_origin_and_bytes_and_the_rest_flows_on(
    world: World, kind: str
) -> None:
    reason, detail, make = POISON[kind]
    world.publish(formed("m~g", cohort_on(0)))
    poison = world.append(make(world))
    world.command(confirm("m~g", cohort=cohort_on(0)))

    stepper = await world.run()

    [parked] = await world.parked()
    assert isinstance(parked, ParkedRecord)
    assert (parked.reason, detail in parked.detail) == (reason, True), parked.detail
    assert parked.id == f"{poison.topic}/{poison.partition}/{poison.offset}"
    assert (parked.topic, parked.offset, parked.attempts) == (poison.topic, poison.offset, 1)
    assert (parked.record_key, parked.value) == (poison.key, poison.value)
    assert [tuple(h) for h in parked.headers] == [tuple(h) for h in poison.headers]
    assert (parked.size, parked.sha256) == (
        len(poison.value or b""),
        hashlib.sha256(poison.value or b"").hexdigest(),
    )
    assert types(world.written(PARKED)) == ["RecordParked"]
    assert await world.tallies() == {f"{cohort_on(0)}/m~g": 1}, "the rest flows on"
    assert "reminders/c/x~y" not in await world.documents(), "and nothing of it was done"
    assert stepper.owned[poison.partition].positions[poison.topic] == poison.offset + 1
    await _equal_when_rebuilt(world)


async def test_a_very_large_value_is_parked_without_its_end_and_its_size_and_digest_are_told(
    world: World,
) -> None:
    value = b"[" + b"9" * 5_000_000
    world.append(altered(_command(world, confirm("x~y")), value=value))

    await world.run()

    [parked] = await world.parked()
    assert isinstance(parked, ParkedRecord)
    assert parked.value == value[:PARKED_BYTES]
    assert (parked.size, parked.sha256) == (len(value), hashlib.sha256(value).hexdigest())
    assert max(len(row.value or b"") for row in world.written(PARKED)) < 4 * PARKED_BYTES


async def test_later_records_of_the_same_key_queue_behind_a_parked_one(world: World) -> None:
    # given a poisoned record and good ones behind it, in the same batch and in a later one
    world.publish(formed("m~g"))
    world.publish(formed("m~h"))
    await world.run()
    good = _command(world, confirm("m~g"))
    world.append(altered(good, value=b"{"))
    world.append(good)
    world.command(confirm("m~h"))
    await world.run()
    world.append(good)
    world.command(confirm("m~h", 1))

    await world.run()

    assert [_reason(d) for d in await world.parked()] == ["bad-json", "behind", "behind"]
    assert await world.tallies() == {"c/m~g": 0, "c/m~h": 2}
    key = good.key or b""
    queue = blocked_id(COMMANDS, good.partition, key)
    [blocked] = await world.store.load([One(BlockedSubject, "scheduling", queue)])
    assert isinstance(blocked, BlockedSubject)
    assert blocked.waiting == 3
    assert types(world.written(PARKED)) == ["RecordParked"] * 3


async def test_behind_a_refused_event_the_later_ones_of_its_key_wait_in_the_same_batch(
    world: World,
) -> None:
    world.publish(dissolved("m~g"))
    world.publish(formed("m~g"))
    world.publish(formed("m~h"))

    await world.run()

    assert [_reason(d) for d in await world.parked()] == ["rule", "behind"]
    assert await world.tallies() == {"c/m~h": 0}


async def test_nothing_queues_behind_a_record_without_a_key(world: World) -> None:
    world.publish(formed("m~g"))
    world.append(replace(_bad_session(world), key=None))
    world.command(confirm("m~g"))

    await world.run()

    assert await world.tallies() == {"c/m~g": 1}


async def test_a_gap_in_the_sequence_parks_what_follows_until_what_is_missing_comes(
    world: World,
) -> None:
    missing = world.event(formed("m~g"))
    world.publish(formed("m~h"))
    await world.run()
    assert [_reason(d) for d in await world.parked()] == ["sequence-gap"]

    world.append(missing)
    await world.run()

    assert await world.tallies() == {"c/m~g": 0}


async def test_a_refused_command_goes_back_to_its_sender_and_parks_nothing(world: World) -> None:
    row = world.command(confirm("m~g"))

    await world.run()

    command_id = attributes(row.headers).id
    [refused] = await world.store.load([One(RefusedCommand, "c", command_id)])
    assert refused == RefusedCommand(
        id=command_id,
        cohort_id="c",
        command="ConfirmSession",
        rule="unknown-pair",
        detail="there is no such pair",
    )
    assert types(world.written()) == ["CommandRefused", "StepCompleted"]
    assert await world.parked() == []


@pytest.mark.parametrize("method", ["places", "outgoing", "load", "commit", "published"])
async def test_a_database_that_is_away_for_a_while_costs_nothing(world: World, method: str) -> None:
    world.publish(formed("m~g"))
    failing = Unwilling(world.store, method, [Passing() for _ in range(4)])
    stepper = world.stepper(failing)

    await world.run(stepper)

    assert failing.errors == []
    assert await world.tallies() == {"c/m~g": 0}
    assert await world.parked() == []
    assert types(world.written(PRIVATE))[-2:] == ["PairFormed", "StepCompleted"]
    assert stepper.healthy


async def test_a_broker_that_is_away_for_a_while_costs_nothing(world: World) -> None:
    world.publish(formed("m~g"))
    stepper = world.stepper(log=Unwilling(world.log, "publish", [Passing() for _ in range(4)]))

    await world.run(stepper)

    assert types(world.written()) == ["PairFormed", "StepCompleted"]
    assert await world.store.outgoing(range(PARTITIONS)) == []
    assert stepper.healthy


async def test_while_a_fault_lasts_the_stepper_is_not_healthy(world: World) -> None:
    world.publish(formed("m~g"))
    seen: list[bool] = []
    failing = Unwilling(world.store, "commit", [Passing(), Passing()])
    stepper = world.stepper(failing)

    class Watching:
        def __getattr__(self, name: str) -> Any:
            if name == "commit":
                seen.append(stepper.healthy)
            return getattr(failing, name)

    stepper.store = Watching()  # type: ignore[assignment]
    await world.run(stepper)

    assert seen == [True, False, False]
    assert stepper.healthy


# --- G5: projections are disposable -----------------------------------------------------------


async def _equal_when_rebuilt(world: World) -> None:
    again = MemoryStore()
    await rebuild(world.domain, again, world.log, PARTITIONS)
    assert isinstance(world.store, MemoryStore)
    assert _filled(again) == _filled(world.store)
    assert again.place == world.store.place


def _filled(store: MemoryStore) -> dict[type[Document], Any]:
    return {kind: rows for kind, rows in store.rows.items() if rows}


async def test_a_rebuild_gives_equal_documents_and_places_and_work_goes_on_after_it(
    world: World,
) -> None:
    await life(world, world.stepper)
    await _equal_when_rebuilt(world)

    again = MemoryStore()
    assert await rebuild(TOY, again, world.log, PARTITIONS) == len(world.written())
    world.store = again
    two = cohort_on(2)
    world.publish(formed("m~z", two))
    world.command(confirm("m~z", cohort=two))
    await world.run()

    assert (await world.tallies())[f"{two}/m~z"] == 1
    world.journal()  # goes on without a gap
    await _equal_when_rebuilt(world)


async def test_on_a_real_database_a_rebuild_gives_the_same_bytes(
    mongo: MongoStore, mongodb_uri: str, database: str
) -> None:
    world = World(store=mongo)
    await life(world, world.stepper)
    again = MongoStore(mongodb_uri, f"{database}_again", KINDS)
    await again.open()

    await rebuild(TOY, again, world.log, PARTITIONS)

    assert await mongo.differences(again) == []
    assert len(await mongo.raw("tallies")) == 5
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

    await _equal_when_rebuilt(world)


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

    await _equal_when_rebuilt(world)


async def test_a_contact_that_was_parked_is_not_mirrored_by_a_rebuild_either(world: World) -> None:
    world.command(contact("x", "Good"))
    world.append(altered(_command(world, contact("x")), value=b"{"))
    world.append(_elsewhere(_command(world, contact("y"))))
    world.append(replace(_command(world, formed("m~g")), topic=PEOPLE))
    await world.run()
    assert len(await world.parked()) == 3
    assert _people(await world.documents()) == {"people/c/x": "Good"}

    await _equal_when_rebuilt(world)


async def test_a_contact_that_breaks_a_decision_is_parked_and_not_mirrored(world: World) -> None:
    world.command(contact("x", "Good"))
    world.command(contact("x", "Cursed"))
    await world.run()

    assert [_reason(d) for d in await world.parked()] == ["fault"]
    assert _people(await world.documents()) == {"people/c/x": "Good"}
    await _equal_when_rebuilt(world)


async def test_the_newest_contact_counts_and_waits_for_no_parked_one(world: World) -> None:
    world.append(altered(_command(world, contact("x")), value=b"{"))
    world.command(contact("x", "Newest"))
    await world.run()

    assert _people(await world.documents()) == {"people/c/x": "Newest"}
    await _equal_when_rebuilt(world)


def _people(documents: dict[str, dict[str, Any]]) -> dict[str, str]:
    return {key: found["name"] for key, found in documents.items() if key.startswith("people/")}


async def test_a_rebuild_mirrors_contacts_only_as_far_as_the_service_had_read_them(
    world: World,
) -> None:
    world.command(contact("x", "Before"))
    await world.run()
    world.command(contact("x", "After"))

    await _equal_when_rebuilt(world)


async def test_a_database_that_was_dropped_under_a_running_service_stops_it(world: World) -> None:
    world.publish(formed("m~g"))
    stepper = await world.run()
    await world.store.wipe()
    world.publish(formed("m~h"))

    with pytest.raises(StateLost, match=r"forgot partitions \[\d\]"):
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


# --- G6: time is an input ---------------------------------------------------------------------


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
    await _equal_when_rebuilt(world)


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
    stepper = await world.run()
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

    stepper.store = Slow()  # type: ignore[assignment]

    await stepper.decide_due()

    assert types(world.written(EVENTS)) == ["PairGraduated", "PairGraduated"]


async def test_what_performers_report_is_decided_on(world: World) -> None:
    seen: list[tuple[Document, datetime]] = []

    async def perform(documents: Sequence[Document], now: datetime) -> Sequence[Message]:
        seen.extend((document, now) for document in documents)
        return [report(d.id, d.cohort_id) for d in documents]

    here = cohort_on(1)
    world.publish(formed("m~g", here))
    world.command(confirm("m~g", cohort=here))
    stepper = world.stepper(performers={Reminder: perform})
    await world.run(stepper)
    world.hand.pass_by(days=1)

    await stepper.decide_due()

    due = NOW + timedelta(days=1)
    assert seen == [(Reminder(id="m~g", cohort_id=here, due_at=due), due)]
    assert types(world.written(EVENTS)) == ["PairGraduated"], "nobody else decides on it"
    [answered] = [row for row in world.written(PRIVATE) if types([row]) == ["SurveyAnswered"]]
    assert answered.partition == 1
    await _equal_when_rebuilt(world)


async def test_a_performers_report_that_is_refused_or_breaks_a_decision_stops_nothing(
    world: World,
) -> None:
    async def perform(documents: Sequence[Document], _: datetime) -> Sequence[Message]:
        broken = [breaks_decide(d.id, d.cohort_id) for d in documents]
        return [dissolved("no~body"), *broken, *(report(d.id, d.cohort_id) for d in documents)]

    world.publish(formed("m~g"))
    world.command(confirm("m~g"))
    stepper = world.stepper(performers={Reminder: perform})
    await world.run(stepper)
    world.hand.pass_by(days=1)
    # The outcome of a cohort without a due document cannot be placed.
    await stepper.decide_due()

    assert types(world.written(PRIVATE)).count("SurveyAnswered") == 1
    assert await world.parked() == []


# --- reading late -----------------------------------------------------------------------------


async def test_a_domain_that_tells_nothing_of_its_needs_decides_the_same(world: World) -> None:
    await life(world, world.stepper)
    forgetful = World(domain=replace(TOY, needs=nothing_needed))
    stepper = forgetful.stepper()

    await life(forgetful, lambda: stepper)

    assert forgetful.journal() == world.journal()
    assert await forgetful.documents() == await world.documents()
    assert count(stepper, "mentoring_late_loads_total") > 0
    await _equal_when_rebuilt(forgetful)


async def test_what_was_taken_back_is_as_unknown_as_it_was_before() -> None:
    store: Store = MemoryStore()
    stored = Tally(id="m~g", cohort_id="c", count=3)
    await store.fill((await World().run()).owned[0], [stored])
    state = State()

    state.apply([Tally(id="m~g", cohort_id="c", count=9)])
    state.undo()
    await state.load(store.load, [One(Tally, "c", "m~g")])

    assert state.get(Tally, "c", "m~g") == stored


async def test_what_was_made_and_is_gone_in_the_same_batch_leaves_nothing() -> None:
    state = State()
    tally = Tally(id="m~g", cohort_id="c")
    await state.load(MemoryStore().load, [One(Tally, "c", "m~g")])

    state.apply([tally])
    assert state.keep() == [tally]
    state.apply([Gone(tally)])
    assert state.keep() == [Gone(tally)]
    assert state.keep() == []
    assert state.get(Tally, "c", "m~g") is None
