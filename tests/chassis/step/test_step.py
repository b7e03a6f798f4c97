"""What a step does: once per batch, in one order, and what it passes over."""

from datetime import UTC, datetime, timedelta

from schemas.actors import Actor
from schemas.envelope import attributes
from schemas.people import PersonErased
from services.chassis.log.contract import Received
from services.chassis.store.memory import MemoryStore
from tests.chassis.faults import Trip, Tripping, raising
from tests.chassis.toy import (
    COMMANDS,
    EVENTS,
    MATCHING,
    PARTITIONS,
    PRIVATE,
    Passing,
    World,
    altered,
    cohort_on,
    confirm,
    contact,
    equal_when_rebuilt,
    formed,
    report,
    types,
)


async def test_a_step_reads_commits_publishes_and_forgets_in_this_order_once_per_batch(
    world: World,
) -> None:
    trip = Trip()
    stepper = world.stepper(Tripping(world.store, trip), Tripping(world.log, trip))
    world.publish(formed("m~x"))
    await world.run(stepper)  # the counts of its cohort are read once
    trip.trace.clear()
    world.publish(formed("m~g"))
    for _ in range(3):
        world.command(confirm("m~g"))

    await stepper.handle(world.waiting(stepper, 500))

    assert trip.trace == ["load", "commit", "publish", "published"]
    assert await world.tallies() == {"c/m~g": 3, "c/m~x": 0}


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


async def test_what_is_kept_of_whoever_is_erased_goes_with_the_step_that_reads_it(
    world: World,
) -> None:
    store, far = world.store, datetime(2126, 1, 1, tzinfo=UTC)
    assert isinstance(store, MemoryStore)
    for name in ("Camille", "Zoé"):
        await store.kept.put("session", name, {"of": name}, far, name)
    world.command(contact("x", "Camille"))
    await world.run()
    assert await store.kept.get("session", "Camille", far - timedelta(1)) is not None
    world.command(PersonErased(cohort_id="c", person_id="x"))
    await world.run()

    left = [name for _, name in store.kept._rows]
    assert left == ["Zoé"]
