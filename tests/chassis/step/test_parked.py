"""What stands aside is tried again in order, or dropped with a reason: G4."""

from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.envelope import Record, attributes
from schemas.journal import RetryParked
from services.chassis.documents import DroppedRecord, ParkedRecord
from services.chassis.domain import One
from services.chassis.step.ports import Limits
from tests.chassis.toy import (
    COMMANDS,
    EVENTS,
    MENDED,
    PARKED,
    PARTITIONS,
    PRIVATE,
    World,
    altered,
    breaks_decide,
    command_of,
    confirm,
    contact,
    dissolved,
    equal_when_rebuilt,
    formed,
    metric,
    people_in,
    reason_of,
    types,
)


async def _aside(world: World) -> list[tuple[str, int]]:
    """Reason and attempts of what stands aside, in its order."""
    found = [d for d in await world.parked() if isinstance(d, ParkedRecord)]
    return [(d.reason, d.attempts) for d in sorted(found, key=lambda d: d.number)]


async def _broken(world: World) -> None:
    """A bad deployment: two pairs, each with a record aside and others behind it."""
    world.publish(formed("m~g"))
    world.publish(formed("m~h"))
    for pair in ("m~g", "m~h"):
        world.command(breaks_decide(pair))
        world.command(confirm(pair))
    world.command(confirm("m~g"))
    await world.run()
    assert await _aside(world) == [
        *(("fault", 1), ("behind", 1), ("fault", 1), ("behind", 1), ("behind", 1))
    ]


async def test_after_the_fault_is_mended_everything_aside_is_handled_in_order(
    world: World,
) -> None:
    await _broken(world)
    world.domain = MENDED

    await world.retry()
    await world.run()

    assert await world.tallies() == {"c/m~g": 3, "c/m~h": 2}
    assert await world.parked() == []
    assert not any(key.startswith("blocked/") for key in await world.documents())
    causes = [
        attributes(row.headers).cause
        for row in world.written()
        if attributes(row.headers).type.endswith("PairGraduated.v1")
    ]
    assert causes == ["cmd-3", "cmd-4", "cmd-5", "cmd-6", "cmd-7"], "in the order they came"
    assert types(world.written(PARKED)) == ["RecordParked"] * 5 + ["RecordRetried"] * 5
    await equal_when_rebuilt(world)


async def test_what_an_operator_has_handled_again_counts_as_late_for_nobody(world: World) -> None:
    await _broken(world)
    world.domain = MENDED
    await world.retry()
    world.command(confirm("m~h"))

    stepper = await world.run(world.stepper())

    assert await world.tallies() == {"c/m~g": 3, "c/m~h": 3}
    seen = {"service": "scheduling", "type": "ConfirmSession"}
    assert metric(stepper, "mentoring_event_latency_seconds_count", **seen) == 1


async def test_after_a_retry_the_subject_flows_again(world: World) -> None:
    await _broken(world)
    world.domain = MENDED
    await world.retry()
    world.command(confirm("m~h"))

    stepper = await world.run()

    assert await world.tallies() == {"c/m~g": 3, "c/m~h": 3}
    assert [place.parked for place in stepper.owned.values()] == [0] * PARTITIONS


async def test_what_fails_again_stays_with_one_attempt_more_and_what_is_behind_it_waits(
    world: World,
) -> None:
    await _broken(world)

    await world.retry()
    await world.run()

    assert await _aside(world) == [
        *(("fault", 2), ("behind", 1), ("fault", 2), ("behind", 1), ("behind", 1))
    ]
    assert await world.tallies() == {"c/m~g": 0, "c/m~h": 0}
    await equal_when_rebuilt(world)


async def test_a_record_is_not_retried_before_an_earlier_one_of_its_subject(world: World) -> None:
    await _broken(world)
    world.domain = MENDED
    *_, last = sorted(d.id for d in await world.parked())

    await world.retry(last)
    await world.run()

    assert len(await world.parked()) == 5
    assert await world.tallies() == {"c/m~g": 0, "c/m~h": 0}


async def test_whatever_order_they_are_named_in_they_are_tried_in_their_own(world: World) -> None:
    await _broken(world)
    world.domain = MENDED

    await world.retry(*sorted((d.id for d in await world.parked()), reverse=True))
    await world.run()

    assert await world.parked() == []
    assert await world.tallies() == {"c/m~g": 3, "c/m~h": 2}


async def test_a_dropped_record_is_never_handled_and_the_next_of_its_subject_can_be(
    world: World,
) -> None:
    world.publish(formed("m~g"))
    bad = world.append(altered(command_of(world, confirm("m~g")), value=b"{"))
    world.command(confirm("m~g"))
    await world.run()
    origin = f"{COMMANDS}/{bad.partition}/{bad.offset}"

    await world.drop(origin)
    await world.retry()
    await world.run()

    assert await world.parked() == []
    assert await world.tallies() == {"c/m~g": 1}
    [dropped] = await world.store.load([One(DroppedRecord, "scheduling", origin)])
    assert isinstance(dropped, DroppedRecord)
    assert dropped.because == "of no use"
    assert types(world.written(PARKED))[-2:] == ["RecordDropped", "RecordRetried"]
    await equal_when_rebuilt(world)


async def test_what_waits_behind_a_dropped_record_waits_until_it_is_retried(world: World) -> None:
    await _broken(world)
    first, *_ = sorted(d.id for d in await world.parked())

    await world.drop(first)
    world.command(confirm("m~g"))
    await world.run()

    assert len(await world.parked()) == 5
    assert await world.tallies() == {"c/m~g": 0, "c/m~h": 0}


async def test_a_gap_that_was_filled_is_retried_in_order(world: World) -> None:
    missing = world.event(formed("m~g"))
    world.publish(formed("m~h"))
    world.publish(formed("m~i"))
    await world.run()
    await world.retry()
    await world.run()
    assert await _aside(world) == [("sequence-gap", 2)] * 2

    world.append(missing)
    await world.run()
    await world.retry()
    world.publish(formed("m~j"))
    await world.run()

    assert await world.parked() == []
    assert list(await world.tallies()) == ["c/m~g", "c/m~h", "c/m~i", "c/m~j"]
    await equal_when_rebuilt(world)


async def test_a_gap_that_is_accepted_is_gone_over_and_the_source_flows_again(
    world: World,
) -> None:
    world.event(formed("m~g"))  # never came
    world.publish(formed("m~h"))
    world.publish(formed("m~i"))
    await world.run()

    await world.retry(accept_gap=True)
    await world.run()
    world.publish(formed("m~j"))
    await world.run()

    assert await world.parked() == []
    assert list(await world.tallies()) == ["c/m~h", "c/m~i", "c/m~j"]
    await equal_when_rebuilt(world)


async def test_copies_of_a_record_behind_a_gap_are_handled_once(world: World) -> None:
    missing = world.event(formed("m~g"))
    row = world.publish(formed("m~h"))
    world.append(Record(row.topic, row.partition, row.key, row.value, row.headers))
    await world.run()
    world.append(missing)
    await world.run()

    await world.retry()
    await world.run()

    assert await world.parked() == []
    assert list(await world.tallies()) == ["c/m~g", "c/m~h"]
    assert types(world.written(PARKED))[-2:] == ["RecordRetried", "RecordDropped"]
    await equal_when_rebuilt(world)


async def test_behind_a_gap_a_record_that_waits_for_its_subject_keeps_its_place(
    world: World,
) -> None:
    # given a refused event, a missing one, and one that is behind both
    world.publish(dissolved("m~g"))
    missing = world.event(formed("m~h"))
    world.publish(formed("m~g"))
    await world.run()
    world.append(missing)
    await world.run()

    await world.retry()  # the first is refused again, so the last stays
    await world.run()
    assert await _aside(world) == [("rule", 2), ("sequence-gap", 1)]
    first, _ = sorted(d.id for d in await world.parked())
    await world.drop(first)
    await world.retry()
    await world.run()

    assert await world.parked() == []
    assert sorted(await world.tallies()) == ["c/m~g", "c/m~h"]
    await equal_when_rebuilt(world)


async def test_a_contact_is_retried_and_a_rebuild_mirrors_it(world: World) -> None:
    world.command(contact("x", "Cursed"))
    await world.run()
    world.domain = MENDED

    await world.retry()
    await world.run()

    assert people_in(await world.documents()) == {"people/c/x": "Cursed"}
    assert await world.parked() == []
    await equal_when_rebuilt(world)


async def test_a_newer_contact_makes_an_older_one_that_stands_aside_superfluous(
    world: World,
) -> None:
    world.command(contact("x", "Cursed"))
    world.command(contact("y", "Cursed"))
    await world.run()
    world.command(contact("x", "Newest"))
    await world.run()
    assert len(await world.parked()) == 1

    world.domain = MENDED
    await world.retry()
    await world.run()

    assert people_in(await world.documents()) == {
        "people/c/x": "Newest",
        "people/c/y": "Cursed",
    }
    await equal_when_rebuilt(world)


async def test_a_contact_that_was_dropped_is_not_mirrored_by_a_rebuild_either(
    world: World,
) -> None:
    world.command(contact("x", "Good"))
    world.command(contact("x", "Cursed"))
    await world.run()
    await world.drop()
    await world.run()

    world.domain = MENDED
    assert people_in(await world.documents()) == {"people/c/x": "Good"}
    await equal_when_rebuilt(world)


async def test_a_command_that_is_refused_when_it_is_retried_goes_back_to_its_sender(
    world: World,
) -> None:
    world.command(breaks_decide("m~g"))
    await world.run()
    world.domain = MENDED

    await world.retry()
    await world.run()

    assert await world.parked() == []
    assert types(world.written(PARKED)) == ["RecordParked", "RecordRetried"]
    assert types(world.written(PRIVATE)).count("CommandRefused") == 1
    await equal_when_rebuilt(world)


async def test_a_retry_twice_or_of_what_does_not_exist_changes_nothing(world: World) -> None:
    await _broken(world)
    world.domain = MENDED
    origins = [d.id for d in await world.parked()]
    await world.retry()
    await world.retry(*origins)
    await world.retry(f"{COMMANDS}/0/999999")

    await world.run()

    assert await world.tallies() == {"c/m~g": 3, "c/m~h": 2}
    assert types(world.written(PARKED)).count("RecordRetried") == 5


async def test_a_control_for_another_partition_or_service_is_parked(world: World) -> None:
    origin = (f"{COMMANDS}/0/0",)
    misplaced = RetryParked(cohort_id="scheduling", partition=1, origins=origin)
    foreign = RetryParked(cohort_id="matching", partition=0, origins=origin)
    for message in (misplaced, foreign):
        world.append(command_of_control(world, message)._replace(partition=0))

    await world.run()

    assert await _aside(world) == [("wrong-partition", 1)] * 2


async def test_poison_under_the_key_of_the_controls_does_not_hold_them_up(world: World) -> None:
    await _broken(world)
    partition = int((await world.parked())[0].id.split("/")[1])
    world.append(Record(COMMANDS, partition, f"scheduling/{partition}".encode(), b"{"))
    await world.run()
    world.domain = MENDED

    await world.retry()
    await world.run()

    assert [reason_of(d) for d in await world.parked()] == ["bad-headers"]
    assert await world.tallies() == {"c/m~g": 3, "c/m~h": 2}


async def test_two_thousand_records_that_a_bad_deployment_set_aside_are_handled_in_order(
    world: World,
) -> None:
    pairs = [f"m{number}~g" for number in range(500)]
    for pair in pairs:
        world.publish(formed(pair))
        world.command(breaks_decide(pair))
        for _ in range(3):
            world.command(confirm(pair))
    await world.run()
    parked = sorted(
        (d for d in await world.parked() if isinstance(d, ParkedRecord)), key=lambda d: d.number
    )
    assert len(parked) == 2_000
    world.domain = MENDED

    for start in range(0, len(parked), 1000):
        await world.retry(*(d.id for d in parked[start : start + 1000]))
    await world.run()

    assert await world.parked() == []
    assert set((await world.tallies()).values()) == {4}
    await equal_when_rebuilt(world)


async def test_a_part_of_a_very_large_record_is_not_taken_for_the_whole(world: World) -> None:
    world.log.limits[COMMANDS] = 3_000_000  # by somebody, on the broker
    value = b'{"cohort_id": "c", "session_id": "m~g~1", "by": "mentor"}' + b" " * 2_000_000
    world.append(altered(command_of(world, breaks_decide("m~g")), value=value))
    await world.run()
    world.domain = MENDED

    await world.retry()
    await world.run()

    assert await _aside(world) == [("bad-data", 2)]


async def test_over_its_limit_a_service_still_retries_what_stands_aside(world: World) -> None:
    await _broken(world)
    world.domain = MENDED
    await world.retry()

    await world.run(world.stepper(limits=Limits(0.001, 0.002, 0.002, parked=1)))

    assert await world.parked() == []


_WORK = st.lists(
    st.tuples(st.sampled_from(["m~g", "m~h", "n~g"]), st.sampled_from(["good", "bad", "retry"])),
    max_size=25,
)


@settings(deadline=None)  # of a machine that has more to do
@given(work=_WORK, batch=st.integers(1, 9))
async def test_once_the_fault_is_mended_it_is_as_if_it_had_never_been(
    work: list[tuple[str, str]], batch: int
) -> None:
    broken, sound = World(), World(domain=MENDED)
    for world in (broken, sound):
        for pair in ("m~g", "m~h", "n~g"):
            world.publish(formed(pair))
        await world.run()
        for number, (pair, what) in enumerate(work):
            if what == "retry":
                await world.run(batch=batch)
                await world.retry()
            else:
                command = confirm(pair) if what == "good" else breaks_decide(pair)
                world.command(command, id=str(number))
        await world.run(batch=batch)
        world.domain = MENDED
        await world.retry()
        await world.run(batch=batch)

    assert await broken.parked() == await sound.parked() == []
    assert _handled(broken) == _handled(sound)
    assert _refused(broken) == _refused(sound)
    await equal_when_rebuilt(broken)


def _handled(world: World) -> dict[bytes | None, list[str | None]]:
    """Subject to the commands that had an effect on it, in order."""
    found: dict[bytes | None, list[str | None]] = {}
    for row in world.written(EVENTS):
        read = attributes(row.headers)
        if "PairGraduated" in read.type:
            found.setdefault(row.key, []).append(read.cause)
    return found


def _refused(world: World) -> set[str | None]:
    rows = [attributes(row.headers) for row in world.written(PRIVATE)]
    return {read.cause for read in rows if "CommandRefused" in read.type}


def command_of_control(world: World, message: RetryParked) -> Record:
    row = world.control(message)
    world.log.records[row.topic, row.partition].pop()
    return Record(row.topic, row.partition, row.key, row.value, row.headers)
