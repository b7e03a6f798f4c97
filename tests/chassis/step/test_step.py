"""What a step does and what it never does: G1, G2, G3 and G6, on a toy domain."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest

from schemas.actors import Actor
from schemas.base import Message
from schemas.envelope import attributes
from services.chassis.domain import Columns, Decision, Document, Due, Gone, NotLoaded, One, State
from services.chassis.log.contract import Received
from services.chassis.step.rebuild import rebuild
from services.chassis.step.retrying import Abandoned
from services.chassis.step.stepper import Stepper
from services.chassis.store.contract import Outgoing, Place, Store
from services.chassis.store.memory import MemoryStore
from services.chassis.store.mongo import MongoStore
from tests.chassis.faults import Crash, Replaceable, Trip, Tripping, Unwilling, When, raising
from tests.chassis.toy import (
    COMMANDS,
    EVENTS,
    MATCHING,
    NOW,
    PARTITIONS,
    PRIVATE,
    TOY,
    Passing,
    Reminder,
    Tally,
    World,
    altered,
    breaks_decide,
    breaks_evolve,
    cohort_on,
    confirm,
    dissolved,
    equal_when_rebuilt,
    filled,
    formed,
    life,
    metric,
    nothing_needed,
    reason_of,
    report,
    types,
)


def skipped(stepper: Stepper, reason: str) -> float:
    return metric(stepper, "mentoring_duplicates_skipped_total", reason=reason)


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
    named, nameless = world.command(confirm("m~g")), world.command(report("m~g"))

    await world.run()

    causes = {
        kind: attributes(row.headers).cause
        for row in world.written(PRIVATE)
        for kind in types([row])
    }
    assert causes["PlanningBegan"] == attributes(named.headers).id
    assert causes["SurveyAnswered"] is None
    [anonymous] = [row for row in world.written(PRIVATE) if types([row]) == ["SurveyAnswered"]]
    for trace in (attributes(nameless.headers).id.encode(), b"m~g"):
        assert trace not in (anonymous.value or b"")
        assert not any(trace in (raw or b"") for _, raw in anonymous.headers)


async def test_who_asked_goes_on_to_all_that_follows_but_to_nothing_anonymous(
    world: World,
) -> None:
    lise = Actor("app_user", "m-017", "participant", "link")
    matching = Actor("user", "s-1", "coordinator", "portal")
    world.publish(formed("m~g"), actor=matching)
    world.command(confirm("m~g"), actor=lise)
    world.command(report("m~g"), actor=lise)
    world.command(confirm("nobody~at-all"), actor=lise)

    await world.run()

    behind = {
        kind: attributes(row.headers).actor
        for row in world.written(EVENTS, PRIVATE)
        for kind in types([row])
    }
    assert behind["PairFormed"] == matching
    assert behind["PlanningBegan"] == lise
    assert behind["CommandRefused"] == lise
    assert behind["StepCompleted"] is None
    [anonymous] = [row for row in world.written(PRIVATE) if types([row]) == ["SurveyAnswered"]]
    assert not any(b"m-017" in (raw or b"") for _, raw in anonymous.headers)


async def test_what_a_deadline_decides_is_nobodys(world: World) -> None:
    world.publish(formed("m~g"))
    world.command(confirm("m~g"), actor=Actor("app_user", "m", "participant", "link"))
    stepper = await world.run()
    world.hand.pass_by(days=2)
    await stepper.decide_due()
    [stalled] = [row for row in world.written(EVENTS) if types([row]) == ["PairStalled"]]
    assert attributes(stalled.headers).actor is None


async def test_a_trace_goes_on_from_a_command_to_its_events_but_to_no_anonymous_one(
    world: World,
) -> None:
    trace = f"00-{'ab' * 16}-{'cd' * 8}-01"
    world.publish(formed("m~g"))
    world.command(confirm("m~g"), traceparent=trace)
    world.command(report("m~g"), traceparent=trace)

    await world.run()

    traces = {
        kind: attributes(row.headers).traceparent
        for row in world.written(EVENTS, PRIVATE)
        for kind in types([row])
    }
    assert traces["PairGraduated"] == trace
    assert traces["SurveyAnswered"] is None
    assert traces["StepCompleted"] is None


async def test_records_of_partitions_that_are_not_owned_are_left_alone(world: World) -> None:
    here, there = cohort_on(0), cohort_on(1)
    rows = [world.publish(formed("m~g", here)), world.publish(formed("m~g", there))]
    stepper = world.stepper()
    await stepper.take([0])

    offsets = await stepper.handle(rows)

    assert set(await world.tallies()) == {f"{here}/m~g"}
    assert set(offsets) == {(MATCHING, 0)}


def of_no_concern(world: World) -> Received:
    """One of matching's own events, which the toy does not handle."""
    name = b"fr.gouv.mentoring.MentorPaused.v1"
    event = world.event(formed("m~g"))
    return world.append(altered(event, ce_type=name, value=b"not even JSON"))


async def test_what_does_not_concern_the_service_is_passed_over_without_a_step(
    world: World,
) -> None:
    stepper, row = await world.run(), of_no_concern(world)

    offsets = await stepper.handle([row])

    assert offsets == {(MATCHING, row.partition): 1}
    assert stepper.passed.is_set()
    assert await world.store.places([row.partition]) == {}
    assert world.journal() == {}


async def test_what_was_passed_over_is_written_with_the_next_step(world: World) -> None:
    stepper, row = await world.run(), of_no_concern(world)
    await stepper.handle([row])

    world.publish(formed("m~g"))
    await world.run(stepper)

    [place] = (await world.store.places([row.partition])).values()
    assert (place.step, place.positions[MATCHING]) == (1, 2)
    assert await world.tallies() == {"c/m~g": 0}, "and there is no gap after it"
    assert not stepper.passed.is_set()
    await equal_when_rebuilt(world)


async def test_what_was_passed_over_is_written_by_itself_when_nothing_else_is(
    world: World,
) -> None:
    stepper, row = await world.run(), of_no_concern(world)
    await stepper.handle([row])

    await stepper.write_passed()

    [place] = (await world.store.places([row.partition])).values()
    assert (place.step, place.positions) == (1, {MATCHING: 1})
    assert await world.documents() == {}
    assert not stepper.passed.is_set()
    await stepper.write_passed()
    assert await world.store.places([row.partition]) == {row.partition: place}


async def test_who_takes_over_passes_over_again_what_was_not_written(world: World) -> None:
    first, row = await world.run(), of_no_concern(world)
    await first.handle([row])
    await first.leave(range(PARTITIONS))

    world.publish(formed("m~g"))
    await world.run()

    assert await world.tallies() == {"c/m~g": 0}
    assert not first.passed.is_set()


async def test_what_was_passed_over_is_not_told_again_once_it_is_written(world: World) -> None:
    """Here by a commit that is made and seems to have failed: the place is read again."""
    trip = Trip(1, "after", raising(Passing), "commit")
    stepper = world.stepper(Tripping(world.store, trip))
    row = of_no_concern(world)
    await world.run(stepper)

    world.publish(formed("m~g"))
    await world.run(stepper)
    world.publish(formed("m~h"))
    await world.run(stepper)

    assert trip.sprung
    [place] = (await world.store.places([row.partition])).values()
    assert place.positions[MATCHING] == 3
    await equal_when_rebuilt(world)


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
    assert (reason_of(alien), reason_of(behind)) == ("bad-headers", "behind")


async def test_an_alien_record_without_a_key_leaves_the_next_event_alone(world: World) -> None:
    event = world.event(formed("m~g"))
    world.append(altered(event, ce_type=b"alien", ce_source=b"/alien")._replace(key=None))
    world.append(event)

    await world.run()

    assert await world.tallies() == {"c/m~g": 0}


# --- G1: nothing lost -------------------------------------------------------------------------


async def test_nothing_is_published_when_the_commit_fails(world: World) -> None:
    world.publish(formed("m~g"))
    stepper = world.stepper(Unwilling(world.store, "commit", [Crash("power cut")]))
    await stepper.take(range(PARTITIONS))

    with pytest.raises(Crash):
        await stepper.handle(world.waiting(stepper, 500))

    assert world.written() == []
    assert await world.documents() == {}


async def test_what_was_committed_and_not_published_is_published_by_the_next_owner(
    world: World,
) -> None:
    world.publish(formed("m~g"))
    stepper = world.stepper(log=Unwilling(world.log, "publish", [Crash("power cut")]))
    await stepper.take(range(PARTITIONS))
    with pytest.raises(Crash):
        await stepper.handle(world.waiting(stepper, 500))
    assert world.written() == []

    await world.stepper().take(range(PARTITIONS))

    assert types(world.written()) == ["PairFormed", "StepCompleted"]
    assert await world.store.outgoing(range(PARTITIONS)) == []


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
        *("tallies", "reminders", "people", "refusals", "parked", "blocked", "dropped")
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
            assert filled(again) == filled(world.store), where


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
    assert await world.documents() == {}, "it was nobody's then"
    await stepper.handle([row])
    assert await world.tallies() == {"c/m~g": 0}


async def test_a_broker_that_is_away_while_an_assignment_is_checked_is_asked_again(
    world: World,
) -> None:
    row = world.publish(formed("m~g"))
    stepper = world.stepper()
    tries = 0

    async def check(_: Mapping[int, Place]) -> None:
        nonlocal tries
        tries += 1
        if tries < 3:
            raise Passing

    await stepper.take(range(PARTITIONS), check)

    assert tries >= 3
    await stepper.handle([row])
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


class Relapsing(MemoryStore):
    """Can forget that something was published, as a database that changes its primary may."""

    def __init__(self) -> None:
        super().__init__()
        self.forgotten: list[Outgoing] = []

    async def published(self, outgoing: Sequence[Outgoing]) -> None:
        await super().published(outgoing)
        self.forgotten += outgoing

    def relapse(self) -> None:
        self.outbox |= {(item.partition, item.step): item for item in self.forgotten}


async def test_what_was_published_and_stands_in_the_outbox_again_does_not_stay_there() -> None:
    store = Relapsing()
    world = World(store=store)
    world.publish(formed("m~g"))
    world.command(confirm("m~g"))
    stepper = await world.run()
    assert not store.outbox
    store.relapse()
    assert store.outbox

    await stepper.publish_left()

    assert not store.outbox
    await equal_when_rebuilt(world)


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


# --- reading late -----------------------------------------------------------------------------


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
