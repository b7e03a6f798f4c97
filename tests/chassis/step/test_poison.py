"""What cannot be handled is set aside and the rest flows on, and what passes is waited for: G4."""

import hashlib
from collections.abc import Callable
from typing import Any

import pytest

from schemas.envelope import Record, attributes
from schemas.topics import PEOPLE, partition_of
from services.chassis.documents import PARKED_BYTES, BlockedSubject, ParkedRecord, RefusedCommand
from services.chassis.domain import One
from services.chassis.step.parking import blocked_id
from tests.chassis.faults import Replaceable, Unwilling
from tests.chassis.toy import (
    COMMANDS,
    PARKED,
    PARTITIONS,
    PRIVATE,
    Passing,
    World,
    altered,
    breaks_decide,
    breaks_evolve,
    cohort_on,
    command_of,
    confirm,
    contact,
    dissolved,
    elsewhere,
    equal_when_rebuilt,
    formed,
    reason_of,
    types,
)


def _bad_session(world: World) -> Record:
    value = b'{"cohort_id": "c", "session_id": "no session", "by": "mentor"}'
    return altered(command_of(world, confirm("x~y")), value=value)


POISON: dict[str, tuple[str, str, Callable[[World], Record]]] = {
    "a type nobody knows": (
        *("unknown-type", "fr.gouv.mentoring.Nothing.v1"),
        lambda w: altered(command_of(w, confirm("x~y")), ce_type=b"fr.gouv.mentoring.Nothing.v1"),
    ),
    "a version nobody knows": (
        *("unknown-type", "ConfirmSession.v2"),
        lambda w: altered(
            command_of(w, confirm("x~y")), ce_type=b"fr.gouv.mentoring.ConfirmSession.v2"
        ),
    ),
    "a message of another topic": (
        *("unknown-type", "PairFormed is not for mentoring.scheduling.commands"),
        lambda w: command_of(w, formed("x~y")),
    ),
    "no JSON": (
        *("bad-json", "ConfirmSession"),
        lambda w: altered(command_of(w, confirm("x~y")), value=b'{"cohort_id": "c'),
    ),
    "an empty value": (
        *("bad-json", "ConfirmSession"),
        lambda w: command_of(w, confirm("x~y"))._replace(value=b""),
    ),
    "JSON that is not UTF-8": (
        *("bad-json", "ConfirmSession"),
        lambda w: altered(command_of(w, confirm("x~y")), value=b'{"cohort_id": "\xff"}'),
    ),
    "a wrong field": ("bad-data", "ConfirmSession.session_id", _bad_session),
    "a list for a value": (
        *("bad-data", "ConfirmSession.value"),
        lambda w: altered(command_of(w, confirm("x~y")), value=b"[]"),
    ),
    "no value": (
        *("null-value", "ConfirmSession"),
        lambda w: altered(command_of(w, confirm("x~y")), value=None),
    ),
    "no headers": (
        *("bad-headers", "ce_specversion"),
        lambda w: command_of(w, confirm("x~y"))._replace(headers=()),
    ),
    "a missing header": (
        *("bad-headers", "ce_id is missing"),
        lambda w: altered(command_of(w, confirm("x~y")), "ce_id"),
    ),
    "a null header": (
        *("bad-headers", "ce_type is null"),
        lambda w: altered(command_of(w, confirm("x~y")), ce_type=None),
    ),
    "a header that is not UTF-8": (
        *("bad-headers", "ce_subject is not UTF-8"),
        lambda w: altered(command_of(w, confirm("x~y")), ce_subject=b"\xff\xfe"),
    ),
    "a time that is none": (
        *("bad-headers", "ce_time"),
        lambda w: altered(command_of(w, confirm("x~y")), ce_time=b"yesterday"),
    ),
    "a time before all times": (
        *("bad-headers", "ce_time"),
        lambda w: altered(command_of(w, confirm("x~y")), ce_time=b"0001-01-01T00:00:00+23:00"),
    ),
    "another cohort in the headers": (
        *("bad-headers", "ce_partitionkey"),
        lambda w: altered(command_of(w, confirm("x~y", cohort="c")), ce_partitionkey=_twin(b"c")),
    ),
    "a record on a partition that is not its cohort's": (
        *("wrong-partition", "another partition"),
        lambda w: elsewhere(command_of(w, confirm("x~y"))),
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
        *("rule", "unknown-pair: There is no such pair."),
        lambda w: w.event(dissolved("x~y")),
    ),
    "a decision that raises": (
        *("fault", "RescheduleSession: ZeroDivisionError"),
        lambda w: command_of(w, breaks_decide("x~y")),
    ),
    "a fold that raises": (
        *("fault", "CancelSession: ZeroDivisionError"),
        lambda w: command_of(w, breaks_evolve("x~y")),
    ),
    "a contact that is none": (
        *("bad-data", "PersonContact.email"),
        lambda w: altered(
            command_of(w, contact("x")),
            value=b'{"cohort_id": "c", "person_id": "x", "name": "X", "email": "x"}',
        ),
    ),
    "a tombstone of nobody": (
        *("bad-headers", "the key is not cohort/person"),
        lambda w: Record(PEOPLE, partition_of("c", PARTITIONS), b"\xff", None),
    ),
    "a tombstone on a partition that is not its cohort's": (
        *("wrong-partition", "another partition"),
        lambda w: elsewhere(Record(PEOPLE, partition_of("c", PARTITIONS), b"c/x", None)),
    ),
    "a contact under somebody else's key": (
        *("bad-headers", "the key is not"),
        lambda w: command_of(w, contact("x"))._replace(key=b"c/y"),
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
    await equal_when_rebuilt(world)


async def test_a_very_large_value_is_parked_without_its_end_and_its_size_and_digest_are_kept(
    world: World,
) -> None:
    # given a topic to which somebody has given another limit
    world.log.limits[COMMANDS] = 6_000_000
    value = b"[" + b"9" * 5_000_000
    world.append(altered(command_of(world, confirm("x~y")), value=value))

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
    good = command_of(world, confirm("m~g"))
    world.append(altered(good, value=b"{"))
    world.append(good)
    world.command(confirm("m~h"))
    await world.run()
    world.append(good)
    world.command(confirm("m~h", 1))

    await world.run()

    assert [reason_of(d) for d in await world.parked()] == ["bad-json", "behind", "behind"]
    assert await world.tallies() == {"c/m~g": 0, "c/m~h": 2}
    key = good.key or b""
    queue = blocked_id(COMMANDS, good.partition, key)
    [blocked] = await world.store.load([One(BlockedSubject, "scheduling", queue)])
    assert isinstance(blocked, BlockedSubject)
    assert blocked.origins == tuple(d.id for d in await world.parked())
    assert types(world.written(PARKED)) == ["RecordParked"] * 3


async def test_behind_a_refused_event_the_later_ones_of_its_key_wait_in_the_same_batch(
    world: World,
) -> None:
    world.publish(dissolved("m~g"))
    world.publish(formed("m~g"))
    world.publish(formed("m~h"))

    await world.run()

    assert [reason_of(d) for d in await world.parked()] == ["rule", "behind"]
    assert await world.tallies() == {"c/m~h": 0}


async def test_nothing_queues_behind_a_record_without_a_key(world: World) -> None:
    world.publish(formed("m~g"))
    world.append(_bad_session(world)._replace(key=None))
    world.command(confirm("m~g"))

    await world.run()

    assert await world.tallies() == {"c/m~g": 1}


async def test_a_gap_in_the_sequence_parks_what_follows_until_what_is_missing_comes(
    world: World,
) -> None:
    missing = world.event(formed("m~g"))
    world.publish(formed("m~h"))
    await world.run()
    assert [reason_of(d) for d in await world.parked()] == ["sequence-gap"]

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
        detail="There is no such pair.",
        kind="unknown",
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
    store = Replaceable(failing)
    stepper = world.stepper(store)

    class Watching:
        def __getattr__(self, name: str) -> Any:
            if name == "commit":
                seen.append(stepper.healthy)
            return getattr(failing, name)

    store.inner = Watching()
    await world.run(stepper)

    assert seen == [True, False, False]
    assert stepper.healthy
