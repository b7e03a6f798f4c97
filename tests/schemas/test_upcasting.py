"""A record of an older version is read as today's; for a period both versions are published."""

import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, date, datetime
from typing import Any, ClassVar

import pytest

from schemas import topics
from schemas.base import Event, Message
from schemas.envelope import Record, Unreadable, attributes, decode, encode, kind_of
from schemas.people import PersonContact
from schemas.topics import PUBLIC_EVENTS, TOPICS, TYPES, partition_of
from schemas.upcasting import UPCASTS, Upcast, upcast
from services.chassis.domain import Domain
from services.chassis.inputs import Input
from services.chassis.log.contract import Received
from services.chassis.log.memory import MemoryLog
from services.chassis.step.admission import admit, read
from services.chassis.step.draft import Draft
from services.chassis.step.rebuild import rebuild
from services.chassis.store.contract import Place
from services.chassis.store.memory import MemoryStore

TOPIC = "mentoring.matching.events"
NOW = datetime(2017, 3, 6, 9, tzinfo=UTC)
PREFIX = "fr.gouv.mentoring."


class LampLit(Event):
    """A lamp was lit. Version 1 had a power in words, version 2 a power in watts."""

    version: ClassVar[int] = 3
    subject_field: ClassVar[str] = "lamp"
    lamp: str
    milliwatts: int


def first_up(old: Any) -> dict[str, Any]:
    return {"cohort_id": old["cohort_id"], "lamp": old["lamp"], "watts": int(old["power"][:-2])}


def second_up(old: Any) -> dict[str, Any]:
    return {
        "cohort_id": old["cohort_id"],
        "lamp": old["lamp"],
        "milliwatts": old["watts"] * 1000,
    }


def second_down(new: Any) -> dict[str, Any]:
    return {
        "cohort_id": new["cohort_id"],
        "lamp": new["lamp"],
        "watts": new["milliwatts"] // 1000,
    }


@pytest.fixture(autouse=True)
def lamps(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A type with a history of three versions."""
    monkeypatch.setitem(TYPES, "LampLit", LampLit)
    monkeypatch.setitem(UPCASTS, ("LampLit", 1), Upcast(first_up))
    monkeypatch.setitem(UPCASTS, ("LampLit", 2), Upcast(second_up, second_down, date(2017, 6, 1)))
    monkeypatch.setitem(PUBLIC_EVENTS, "matching", (*PUBLIC_EVENTS["matching"], LampLit))
    carried = (*TOPICS[TOPIC].types, LampLit)
    monkeypatch.setitem(topics.TOPICS, TOPIC, replace(TOPICS[TOPIC], types=carried))
    yield


LIT = LampLit(cohort_id="c", lamp="hall", milliwatts=40_000)


def headers_of(version: int | str) -> list[tuple[str, bytes | None]]:
    record = encode(LIT, TOPIC, 0, id="x.1", source="/x", time=NOW)
    named = f"{PREFIX}LampLit.v{version}".encode()
    return [(name, named if name == "ce_type" else raw) for name, raw in record.headers]


def decoded(version: int | str, value: bytes) -> Message:
    return decode(attributes(headers_of(version)), value)


def reason(version: int | str, value: bytes) -> str:
    with pytest.raises(Unreadable) as caught:
        decoded(version, value)
    return caught.value.reason


def test_a_record_of_any_version_is_read_as_todays() -> None:
    assert decoded(1, b'{"cohort_id": "c", "lamp": "hall", "power": "40 W"}') == LIT
    assert decoded(2, b'{"cohort_id": "c", "lamp": "hall", "watts": 40}') == LIT
    assert decoded(3, b'{"cohort_id": "c", "lamp": "hall", "milliwatts": 40000}') == LIT
    assert kind_of(attributes(headers_of(1))) is LampLit


@pytest.mark.parametrize("version", ["4", "0", "01", "1.0", "", "-1", "99999", "１"])
def test_a_version_that_nobody_published_is_an_unknown_type(version: str) -> None:
    assert reason(version, b"{}") == "unknown-type"


def test_a_version_without_a_way_from_it_is_an_unknown_type(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.delitem(UPCASTS, ("LampLit", 2))
    assert reason(1, b"{}") == reason(2, b"{}") == "unknown-type"


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (b"{", "bad-json"),
        (b"\xff", "bad-json"),
        (b"[]", "bad-data"),
        (b"null", "bad-data"),
        (b"{}", "bad-data"),
        (b'{"cohort_id": "c", "lamp": 1, "power": "x"}', "bad-data"),
        (b'{"cohort_id": "c", "lamp": 1, "power": "40 W"}', "bad-data"),
        (b'{"cohort_id": "other", "lamp": "hall", "power": "40 W"}', "bad-headers"),
    ],
)
def test_an_old_record_that_is_broken_is_unreadable_and_no_fault(
    value: bytes, expected: str
) -> None:
    assert reason(1, value) == expected


# Both versions


DOMAIN = Domain(
    name="matching",
    reads=(),
    documents=(),
    learns=frozenset(),
    handlers={LampLit: lambda *_: ()},
    evolution={LampLit: lambda *_: ()},
    needs=lambda _: (),
)


def published(now: datetime) -> tuple[Place, list[Record]]:
    draft = Draft("matching", Place(partition_of("c", 1)), now)
    draft.add(LIT, cause="command-1")
    draft.add(LIT)
    place, outgoing = draft.finish()
    return place, list(outgoing.records)


def told(record: Record) -> dict[str, str]:
    return {name: (raw or b"").decode() for name, raw in record.headers}


def test_until_its_day_an_event_is_preceded_by_a_copy_in_the_older_version() -> None:
    _, records = published(NOW)
    copied, event, *_ = records
    assert told(copied)["ce_type"] == f"{PREFIX}LampLit.v2"
    assert told(copied)["ce_dataschema"] == "urn:mentoring:schema:LampLit:2"
    assert told(copied)["ce_copyof"] == told(event)["ce_id"] == "matching.events.0.2"
    assert json.loads(copied.value or b"") == {"cohort_id": "c", "lamp": "hall", "watts": 40}
    assert "ce_copyof" not in told(event)
    assert (copied.key, told(copied)["ce_cause"]) == (event.key, told(event)["ce_cause"])
    sequences = [int(told(record)["ce_sequence"]) for record in records if record.topic == TOPIC]
    assert sequences == [1, 2, 3, 4]
    assert decode(attributes(copied.headers), copied.value) == LIT


def test_from_that_day_on_only_todays_version_is_published() -> None:
    _, records = published(datetime(2017, 6, 1, tzinfo=UTC))
    assert [told(record)["ce_type"] for record in records[:2]] == [f"{PREFIX}LampLit.v3"] * 2


def test_a_reader_of_todays_version_counts_the_copies_and_passes_over_them() -> None:
    _, records = published(NOW)
    draft = Draft("scheduling", Place(0), NOW)
    items: list[Input] = []
    for offset, record in enumerate(r for r in records if r.topic == TOPIC):
        row = Received(TOPIC, 0, offset, record.key, record.value, record.headers)
        items.append(read(replace(DOMAIN, name="scheduling"), 1, row))
    assert [item.message for item in items] == [None, LIT, None, LIT]
    assert [admit(item, draft) for item in items] == ["unconcerned", None, "unconcerned", None]
    assert draft.seen[TOPIC] == 4


async def test_a_rebuild_passes_over_the_copies_and_ends_at_the_same_place() -> None:
    place, records = published(NOW)
    log, store = MemoryLog(), MemoryStore()
    await log.publish(records)
    assert await rebuild(DOMAIN, store, log, 1) == 3
    assert (await store.places([0]))[0] == place


@pytest.mark.parametrize("version", [1, 2, 3])
def test_a_contact_of_an_older_version_is_one_without_what_was_not_asked_then(version: int) -> None:
    first = {"cohort_id": "c", "person_id": "m", "name": "Zoé", "email": "zoe@example.org"}
    contact = PersonContact.model_validate(upcast("PersonContact", version, 4, first))
    assert (contact.name, contact.post, contact.assistant) == ("Zoé", None, None)
    assert contact.role is None
