"""What every store does, the one in memory as the one on MongoDB."""

import asyncio
import secrets
import sys
from collections.abc import AsyncIterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone
from typing import Any, ClassVar

import bson
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pydantic import Field
from pymongo.read_concern import ReadConcern

from schemas.base import Moment, Value
from schemas.envelope import Record
from services.chassis.domain import Change, Document, Gone, One, OtherVersion, Timed
from services.chassis.store import mongo as mongo_store
from services.chassis.store.contract import (
    Commit,
    DeadlineAside,
    NoAnswer,
    Outgoing,
    Outpaced,
    Place,
    Store,
    Where,
)
from services.chassis.store.faults import is_transient, nature_of
from services.chassis.store.memory import MemoryStore
from services.chassis.store.mongo import OUTBOX, MongoStore
from services.chassis.store.rows import LARGEST, OUTBOX_BYTES, decoded, row_of
from tests.conftest import eventually

LOCAL = ReadConcern("local")
NOW = datetime(2017, 3, 6, 9, 0, tzinfo=UTC)


class Sheet(Value):
    """A value within a document."""

    at: Moment
    marks: tuple[int, ...] = ()


class Book(Document):
    """A document with every sort of field."""

    collection: ClassVar[str] = "books"
    indexes: ClassVar[tuple[tuple[str, ...], ...]] = (("title",),)

    title: str = ""
    cover: bytes | None = None
    price: float = 0.0
    levels: dict[str, int] = Field(default_factory=dict)
    sheets: tuple[Sheet, ...] = ()
    words: tuple[str, ...] = ()
    at: Moment | None = None


class Loan(Timed):
    """A document with a deadline."""

    collection: ClassVar[str] = "loans"


KINDS = (Book, Loan)


@pytest.fixture(params=["memory", "mongo"])
def where(request: pytest.FixtureRequest) -> tuple[str, str] | None:
    """Address and name of a database, or None for the store in memory."""
    if request.param == "memory":
        return None
    return request.getfixturevalue("mongodb_uri"), request.getfixturevalue("database")


@pytest.fixture
async def store(where: tuple[str, str] | None) -> AsyncIterator[Store]:
    if where is None:
        yield MemoryStore()
        return
    found = MongoStore(*where, KINDS)
    await found.open()
    yield found
    await found.close()


@pytest.fixture
async def mongo(mongodb_uri: str, database: str) -> AsyncIterator[MongoStore]:
    found = MongoStore(mongodb_uri, database, KINDS)
    await found.open()
    yield found
    await found.close()


def commit(step: int, *changes: Change, partition: int = 0, records: int = 0) -> Commit:
    """One step of one partition."""
    outbox = [Outgoing(partition, step, [record(partition, i) for i in range(records)])]
    return Commit(
        [Place(partition, step, {"a.topic": step})],
        [(partition, change) for change in changes],
        outbox if records else [],
    )


def record(partition: int, number: int, value: bytes | None = b"{}") -> Record:
    headers = [("ce_id", b"%d" % number), ("null", None), ("odd", b"\xff")]
    return Record("t", partition, b"k", value, headers)


def book(id: str, title: str = "", cohort: str = "c") -> Book:
    return Book(id=id, cohort_id=cohort, title=title)


def loan(id: str, due_at: datetime | None) -> Loan:
    return Loan(id=id, cohort_id="c", due_at=due_at)


async def titles(store: Store, cohort: str = "c") -> dict[str, str]:
    found = await store.page(Book, Where(cohort), 100)
    return {document.id: document.title for document in found if isinstance(document, Book)}


# --- what is kept beside the documents ---------------------------------------------------------


async def test_what_a_step_forgets_is_gone_with_it_of_whatever_kind_and_nothing_else(
    store: Store,
) -> None:
    kept = store.kept  # type: ignore[attr-defined]
    far = datetime(2126, 1, 1, tzinfo=UTC)
    for kind, key, owner in (("a", "1", "x"), ("b", "2", "x"), ("a", "3", "y"), ("a", "4", "")):
        await kept.put(kind, key, {"n": 1}, far, owner)
    await kept.settle("c", "5", {"n": 1}, far, NOW, "x")
    with pytest.raises(Outpaced):
        await store.commit(replace(commit(2), forgotten=("x",)))
    assert await kept.get("a", "1", NOW) is not None, "a step that did not happen forgets nothing"
    await store.commit(replace(commit(1), forgotten=("x",)))
    left = [(k, n) for k, n in ("a1", "b2", "a3", "a4", "c5") if await kept.get(k, n, NOW)]
    assert left == [("a", "3"), ("a", "4")]


# --- places -----------------------------------------------------------------------------------


async def test_a_partition_that_was_never_worked_on_has_no_place(store: Store) -> None:
    assert await store.places([0, 1]) == {}


async def test_a_place_comes_back_as_it_was_committed(store: Store) -> None:
    place = Place(3, 1, {"mentoring.a.events": 7, "b": 1}, {"b": 2}, {"events": 5}, 9, 4)

    await store.commit(Commit([place], [], []))

    assert await store.places([2, 3]) == {3: place}


# --- documents --------------------------------------------------------------------------------


async def test_a_document_comes_back_equal_whatever_its_fields(store: Store) -> None:
    paris = timezone(timedelta(hours=1))
    full = Book(
        id="m-1~g-1",
        cohort_id="c",
        title="Été\x00 $set a.b",
        cover=bytes(range(256)),
        price=0.1 + 0.2,
        levels={"x.y": 1, "$z": 2, "a": 3},
        sheets=(Sheet(at=NOW, marks=(3, 1, 2)), Sheet(at=NOW)),
        at=datetime(2017, 3, 26, 1, 59, 59, 999_999, tzinfo=paris),
    )

    await store.commit(commit(1, full))
    [found] = await store.load([One(Book, "c", "m-1~g-1")])

    assert found == full
    assert isinstance(found, Book)
    assert found.at == datetime(2017, 3, 26, 0, 59, 59, 999_000, tzinfo=UTC)
    assert found.at.tzinfo is not None
    assert list(found.levels) == ["x.y", "$z", "a"], "and in its order"
    assert type(found.sheets[0].marks) is tuple


async def test_a_document_of_another_version_is_read_or_told_in_words_that_quote_nobody(
    mongo: MongoStore,
) -> None:
    await mongo.commit(commit(1, book("1", title="Été")))
    one, books = [One(Book, "c", "1")], mongo.database["books"]

    await books.update_one({}, {"$set": {"newer": {"of": "a newer version"}}})
    [found] = await mongo.load(one)
    assert found == book("1", title="Été"), "of a newer version: what it has more is passed over"
    await books.update_one({}, {"$unset": {"words": 1, "sheets": 1}})
    assert await mongo.load(one) == [found], "of an older one: what it had not has its default"

    await books.update_one({}, {"$set": {"sheets": [{"marks": ["Jeanne Martin"]}]}})
    said = r"^a document of books is not as this version keeps it \(sheets\): `connecte rebuild`"
    for read in (mongo.load(one), mongo.one(Book, "c", "1"), mongo.page(Book, Where("c"), 9)):
        with pytest.raises(OtherVersion, match=said) as error:
            await read
        assert "Jeanne" not in str(error.value)


async def test_one_finds_the_document_of_that_cohort_and_kind_only(store: Store) -> None:
    await store.commit(commit(1, book("1"), book("1", cohort="d"), loan("1", None)))

    assert await store.load([One(Book, "d", "1")]) == [book("1", cohort="d")]
    assert await store.load([One(Book, "c", "2")]) == []
    assert await store.load([]) == []


async def test_documents_of_several_kinds_are_read_at_once_each_as_what_it_is(
    store: Store,
) -> None:
    there = [book("1"), book("2"), loan("1", None)]
    await store.commit(commit(1, *there, book("3"), loan("2", None)))

    found = await store.load(
        [One(Book, "c", "1"), One(Loan, "c", "1"), One(Book, "c", "2"), One(Loan, "c", "3")]
    )

    assert sorted(found, key=lambda one: (type(one).__name__, one.id)) == there


async def test_a_few_fields_of_a_whole_cohort_come_by_id_however_many_there_are(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(mongo_store, "READ_AT_ONCE", 2)  # so that it takes several portions
    await store.commit(commit(1, *(book(str(n)) for n in (3, 1, 4, 2)), book("5", cohort="d")))

    found = await store.columns(Book, "c", ("id", "cohort_id"), {})

    assert found == [("1", "c"), ("2", "c"), ("3", "c"), ("4", "c")]
    assert await store.columns(Book, "c", ("id",), {"id": "3"}) == [("3",)]
    assert await store.columns(Loan, "c", ("id",), {}) == []


async def test_what_is_alike_is_found_in_every_cohort_and_partition_by_cohort_and_id(
    store: Store,
) -> None:
    await store.commit(commit(1, book("2"), book("1", cohort="d"), book("3"), book("1")))

    found = await store.alike(Book, ("cohort_id", "id"), "id", ["1", "2", "9"])

    assert found == [("c", "1"), ("c", "2"), ("d", "1")]
    assert await store.alike(Book, ("title",), "id", ["3"]) == [("",)]
    assert await store.alike(Book, ("id",), "id", []) == []


async def test_a_whole_cohort_comes_as_the_same_bytes_in_order_however_many_there_are(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(mongo_store, "READ_AT_ONCE", 2)
    await store.commit(commit(1, *(book(str(n)) for n in (3, 1, 2)), book("5", cohort="d")))

    first = await store.encoded(Book, "c", ("id", "title"))

    rows = [row for portion in first for row in decoded(portion)]
    assert rows == [{"id": number, "title": ""} for number in ("1", "2", "3")]
    assert await store.encoded(Book, "c", ("id", "title")) == first
    assert await store.encoded(Loan, "c", ("id",)) == []


async def test_what_is_gone_is_deleted_and_may_never_have_been_there(store: Store) -> None:
    await store.commit(commit(1, book("1"), book("2")))

    await store.commit(commit(2, Gone(book("1")), Gone(book("never"))))

    assert await titles(store) == {"2": ""}


# --- all or nothing ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("known", "step"),
    [(0, 2), (0, 3), (1, 1), (3, 1), (3, 2), (3, 3), (3, 5)],
)
async def test_a_step_that_is_not_the_next_one_changes_nothing(
    store: Store, known: int, step: int
) -> None:
    for number in range(1, known + 1):
        await store.commit(commit(number, book("1", f"by {number}")))
    before = await store.places([0]), await titles(store)

    with pytest.raises(Outpaced):
        await store.commit(commit(step, book("1", "stale"), book("2"), records=2))

    assert (await store.places([0]), await titles(store)) == before
    assert await store.outgoing([0]) == []


async def test_one_partition_that_moved_on_stops_the_commit_of_all(store: Store) -> None:
    await store.commit(commit(1, partition=1))
    both = Commit(
        [Place(0, 1), Place(1, 1)],
        [(0, book("0")), (1, book("1"))],
        [Outgoing(0, 1, [record(0, 0)])],
    )

    with pytest.raises(Outpaced):
        await store.commit(both)

    assert set(await store.places([0, 1])) == {1}
    assert await titles(store) == {}
    assert await store.outgoing([0, 1]) == []


# --- what cannot be written -------------------------------------------------------------------


LARGEST_TITLE = LARGEST - len(bson.encode(row_of(0, Book(id="1", cohort_id="c"))))


def _without(**fields: Any) -> Book:
    """A book with fields that nobody has validated."""
    return book("1").model_copy(update=fields)


UNWRITABLE: dict[str, Commit] = {
    "a number of more than 64 bits": commit(1, Book(id="1", cohort_id="c", levels={"a": 2**63})),
    "a number far below": commit(1, Book(id="1", cohort_id="c", levels={"a": -(2**63) - 1})),
    "a document above 16 MiB": commit(1, book("1", "x" * (LARGEST_TITLE + 1))),
    "a field with a NUL in its name": commit(1, Book(id="1", cohort_id="c", levels={"a\0b": 1})),
    "half of a pair of surrogates": commit(1, _without(title="\ud800")),
    "half of a pair, in a name": commit(1, _without(levels={"\udfff": 1})),
    "half of a pair, in a key": commit(1, _without(id="\ud800")),
    "a type that is none of BSON's": commit(1, _without(price=frozenset({1}))),
    "a moment without a place in time": commit(1, _without(at=timedelta(1))),
    "a position of more than 64 bits": Commit([Place(0, 1, {"t": 2**64})], [], []),
    "a position of a topic with a NUL": Commit([Place(0, 1, {"t\0": 1})], [], []),
    "a record with a NUL in a header's name": Commit(
        [Place(0, 1)], [], [Outgoing(0, 1, [Record("t", 0, b"k", b"", [("a\0", b"")])])]
    ),
}


@pytest.mark.parametrize("what", UNWRITABLE)
async def test_what_cannot_be_written_is_no_passing_fault_and_leaves_no_trace(
    store: Store, what: str
) -> None:
    faulty = UNWRITABLE[what]
    changes = [(0, book("before")), *faulty.changes, (0, book("after"))]

    with pytest.raises(Exception) as found:  # each is what the driver makes of it
        await store.commit(Commit(faulty.places, changes, faulty.outgoing))

    assert nature_of(found.value) == "permanent"
    assert await titles(store) == {}
    assert await store.places([0]) == {}
    assert await store.outgoing([0]) == []
    await store.commit(commit(1, book("1")))


WRITABLE: dict[str, Book] = {
    "the least and the greatest number": Book(
        id="1", cohort_id="c", levels={"a": 2**63 - 1, "b": -(2**63)}
    ),
    "a document of 16 MiB": book("1", "x" * LARGEST_TITLE),
    "no name at all": Book(id="1", cohort_id="c", levels={"": 1}),
    "the greatest price": Book(id="1", cohort_id="c", price=sys.float_info.max),
    "a very long id": book("1" * 100_000),
    "the first moment": Book(id="1", cohort_id="c", at=datetime(2, 1, 1, tzinfo=UTC)),
    "the last moment": Book(id="1", cohort_id="c", at=datetime(9998, 12, 31, tzinfo=UTC)),
}


@pytest.mark.parametrize("what", WRITABLE)
async def test_what_is_just_within_the_bounds_is_written(store: Store, what: str) -> None:
    await store.commit(commit(1, WRITABLE[what]))

    assert await store.load([One(Book, "c", WRITABLE[what].id)]) == [WRITABLE[what]]


# --- outbox -----------------------------------------------------------------------------------


async def test_what_is_to_be_published_comes_back_in_order_and_as_it_was(store: Store) -> None:
    for step in range(1, 12):
        await store.commit(commit(step, records=3))
    await store.commit(commit(1, partition=2, records=1))

    found = await store.outgoing([0, 2])

    assert [(o.partition, o.step) for o in found] == [*((0, n) for n in range(1, 12)), (2, 1)]
    expected = [record(0, number) for number in range(3)]
    assert [_plain(r) for r in found[0].records] == [_plain(r) for r in expected]
    assert await store.outgoing([1]) == []


async def test_what_was_published_is_forgotten_and_nothing_else(store: Store) -> None:
    for step in (1, 2, 3):
        await store.commit(commit(step, records=1))
    first, second, third = await store.outgoing([0])

    await store.published([first, third])

    # For a moment it may still be given: to publish again is harmless.
    async def left() -> bool:
        return [o.step for o in await store.outgoing([0])] == [second.step]

    await eventually(left)


async def test_an_outbox_larger_than_a_document_is_kept_whole(mongo: MongoStore) -> None:
    value = secrets.token_bytes(1024 * 1024)
    records = [record(0, number, value) for number in range(20)]

    await mongo.commit(Commit([Place(0, 1)], [], [Outgoing(0, 1, records)]))

    rows = await mongo.database[OUTBOX].find({}).to_list(None)
    sizes = [sum(len(entry[3]) for entry in row["records"]) for row in rows]
    assert len(rows) == 3
    assert max(sizes) <= OUTBOX_BYTES
    [found] = await mongo.outgoing([0])
    assert [_plain(r) for r in found.records] == [_plain(r) for r in records]
    await mongo.published([found])
    assert await mongo.database.get_collection(OUTBOX, read_concern=LOCAL).count_documents({}) == 0


def _plain(found: Record) -> tuple[object, ...]:
    headers = [tuple(header) for header in found.headers]
    return (found.topic, found.partition, found.key, found.value, headers)


# --- deadlines --------------------------------------------------------------------------------


async def test_what_is_due_is_found_once_its_moment_has_come_earliest_first(store: Store) -> None:
    await store.commit(
        commit(
            1,
            loan("later", NOW + timedelta(milliseconds=1)),
            loan("second", NOW),
            loan("first", NOW - timedelta(days=1)),
            loan("never", None),
        )
    )

    found = await store.due(Loan, [0], NOW, 10)

    assert [(partition, document.id) for partition, document in found] == [
        (0, "first"),
        (0, "second"),
    ]
    assert found[1][1] == loan("second", NOW)


async def test_no_more_is_found_due_than_asked_for_and_the_earliest_are(store: Store) -> None:
    moments = [loan(f"{n}", NOW - timedelta(hours=n)) for n in range(6)]
    await store.commit(commit(1, *moments))

    found = await store.due(Loan, [0], NOW, 2)

    assert [document.id for _, document in found] == ["5", "4"]


async def test_only_what_belongs_to_the_partitions_asked_for_is_due(store: Store) -> None:
    for partition in range(3):
        await store.commit(commit(1, loan(f"{partition}", NOW), partition=partition))

    found = await store.due(Loan, [0, 2], NOW, 10)

    assert sorted((partition, document.id) for partition, document in found) == [
        (0, "0"),
        (2, "2"),
    ]


async def test_the_next_deadline_is_the_earliest_of_the_partitions_come_or_to_come(
    store: Store,
) -> None:
    soon, later = NOW - timedelta(days=1), NOW + timedelta(days=1)
    await store.commit(commit(1, loan("later", later), loan("never", None)))
    await store.commit(commit(1, loan("soon", soon), partition=1))
    await store.commit(commit(1, loan("never", None), partition=2))

    assert await store.next_due(Loan, [0, 1]) == soon
    assert await store.next_due(Loan, [0, 2]) == later
    assert await store.next_due(Loan, [2]) is None


async def test_what_is_left_out_is_not_found_due_and_does_not_count(store: Store) -> None:
    moments = [loan(f"{n}", NOW - timedelta(hours=n)) for n in range(6)]
    await store.commit(commit(1, *moments))

    found = await store.due(Loan, [0], NOW, 2, ["c/5", "c/3", "c/unknown"])

    assert [document.id for _, document in found] == ["4", "2"]


async def test_what_is_set_aside_shows_until_it_is_so_no_more(store: Any) -> None:
    until = datetime(2099, 1, 1, tzinfo=UTC)
    first = DeadlineAside("loans", "c/1", 0, "fault", "Due: ValueError", 1, until)
    second = DeadlineAside("loans", "c/2", 3, "rule", "no: it is not.", 1, until)
    again = replace(first, attempts=2)
    await store.note_aside({("loans", "c/1"): first, ("loans", "c/2"): second})
    await store.note_aside({("loans", "c/1"): again})

    assert await store.deadlines_aside(9) == [again, second]
    assert await store.deadlines_aside(1) == [again]
    await store.note_aside({("loans", "c/1"): None, ("loans", "never"): None})
    assert await store.deadlines_aside(9) == [second]


# --- topics -----------------------------------------------------------------------------------


async def test_a_topic_with_another_id_than_the_first_time_is_named(store: Store) -> None:
    assert await store.changed_topics({"a": "1", "b": "1"}) == []
    assert await store.changed_topics({"b": "2", "c": "1", "a": "1"}) == ["b"]
    assert await store.changed_topics({"b": "2"}) == ["b"], "and again, until somebody acts"
    assert await store.changed_topics({}) == []


# --- rebuilding -------------------------------------------------------------------------------


async def test_filling_writes_what_it_is_given_without_any_guard(store: Store) -> None:
    await store.fill(Place(0, 7, {"t": 3}, order=40), [book("1"), book("2")])
    await store.fill(Place(0, 9, {"t": 5}, order=50), [Gone(book("1")), book("2", "new")])

    assert await store.places([0]) == {0: Place(0, 9, {"t": 5}, order=50)}
    assert await titles(store) == {"2": "new"}
    await store.commit(commit(10))


async def test_filling_a_partition_that_never_made_a_step_leaves_it_without_a_place(
    store: Store,
) -> None:
    await store.fill(Place(0), [book("1")])

    assert await store.places([0]) == {}
    assert await titles(store) == {"1": ""}


async def test_wiping_forgets_everything_and_the_store_is_usable_after_it(store: Store) -> None:
    await store.commit(commit(1, book("1"), loan("1", NOW), records=1))
    await store.changed_topics({"a": "1"})

    await store.wipe()

    assert await store.places([0]) == {}
    assert await titles(store) == {}
    assert await store.due(Loan, [0], NOW, 1) == []
    assert await store.outgoing([0]) == []
    assert await store.changed_topics({"a": "2"}) == []
    await store.commit(commit(1, book("2")))


# --- for people and tools ---------------------------------------------------------------------


async def shelf(store: Any) -> None:
    """Books of two cohorts on two partitions."""
    first = [book("2", "red"), book("1", "red"), book("3"), book("1", "red", cohort="b")]
    await store.commit(commit(1, *first, loan("1", NOW), loan("2", None)))
    await store.commit(commit(1, book("4", "red", cohort="d"), partition=1))


def keys(found: Sequence[Document]) -> list[str]:
    return [document.key for document in found]


async def test_one_document_is_shown_equal_to_what_was_committed_or_none(store: Any) -> None:
    full = Book(id="1", cohort_id="c", cover=b"\xff", sheets=(Sheet(at=NOW, marks=(3, 1)),))
    await store.commit(commit(1, full, loan("2", None)))

    assert await store.one(Book, "c", "1") == full
    assert await store.one(Book, "c", "2") is None
    assert await store.one(Book, "d", "1") is None


async def test_pages_are_by_cohort_and_id_and_one_follows_on_the_other(store: Any) -> None:
    await shelf(store)

    assert keys(await store.page(Book, limit=9)) == ["b/1", "c/1", "c/2", "c/3", "d/4"]
    assert keys(await store.page(Book, Where("c"), 2)) == ["c/1", "c/2"]
    assert keys(await store.page(Book, Where("c"), 2, "c2")) == []
    assert keys(await store.page(Book, Where("c"), 2, "2")) == ["c/3"]
    assert [await store.count(Book, Where("c"), after) for after in ("", "1", "3")] == [3, 2, 0]
    asked = [(Book, Where("c")), (Book, Where("nowhere")), (Book, Where("c", {"id": "1"}))]
    assert await store.counts(asked) == [3, 0, 1]
    assert await store.counts([]) == []
    assert keys(await store.page(Book)) == ["b/1"], "one, if nobody says how many"


async def test_pages_can_be_by_another_field_and_one_follows_on_the_other(store: Any) -> None:
    await store.commit(commit(1, book("1", "c"), book("2", "a"), book("3", "b")))
    await store.commit(commit(1, book("4", "aa", cohort="d"), partition=1))

    assert keys(await store.page(Book, Where("c"), 2, by="title")) == ["c/2", "c/3"]
    assert keys(await store.page(Book, Where("c"), 2, "b", by="title")) == ["c/1"]
    assert await store.count(Book, Where("c"), "a", by="title") == 2
    assert keys(await store.page(Book, Where("c", starting=[("title", "b")]), 9, "a", "title")) == [
        "c/3"
    ]


async def test_several_documents_are_shown_at_once_whichever_there_are(store: Any) -> None:
    await shelf(store)

    found = await store.several(Book, "c", {"1", "3", "9"})
    assert sorted(keys(found)) == ["c/1", "c/3"]
    assert await store.several(Book, "c", ()) == []


async def test_texts_are_found_by_what_they_begin_with_alone_or_in_a_list(store: Any) -> None:
    one = Book(id="1", cohort_id="c", title="red.", words=("anne", "roy"))
    await store.commit(commit(1, one, book("2", "redder"), book("3", "a red one")))

    async def found(*starting: tuple[str, str]) -> list[str]:
        return keys(await store.page(Book, Where("c", starting=starting), 9))

    assert await found(("title", "red")) == ["c/1", "c/2"]
    assert await found(("title", "red.")) == ["c/1"], "what looks like a pattern is none"
    assert await found(("words", "ro"), ("words", "an")) == ["c/1"]
    assert await found(("words", "oy")) == []


async def test_what_lies_between_two_moments_is_found_without_the_second(store: Any) -> None:
    books = [Book(id=f"{n}", cohort_id="c", at=NOW + timedelta(hours=n)) for n in range(4)]
    await store.commit(commit(1, *books, Book(id="9", cohort_id="c")))

    span = NOW + timedelta(hours=1), NOW + timedelta(hours=3)
    asked = Where("c", between={"at": span})
    assert keys(await store.page(Book, asked, 9)) == ["c/1", "c/2"]
    assert await store.count(Book, asked) == 2


@pytest.mark.parametrize(
    ("asked", "expected"),
    [
        (Where(), 5),
        (Where("c"), 3),
        (Where("nobody"), 0),
        (Where(equal={"title": "red"}), 4),
        (Where("c", {"title": "red"}), 2),
        (Where("c", {"title": "red", "price": 0.0}), 2),
        (Where("c", {"title": "red", "price": 1}), 0),
        (Where(equal={"title": {"$gt": ""}}), 0),
        (Where(equal={"title": "$title"}), 0),
        (Where(partitions=[0]), 4),
        (Where(partitions=[1, 2]), 1),
        (Where(partitions=[]), 0),
        (Where("c", {"title": "red"}, [1]), 0),
        (Where("c", without={"id": {"1", "3"}}), 1),
        (Where("c", without={"title": {"red"}, "id": ["2"]}), 1),
        (Where("c", without={"words": {"anne"}}), 3),
        (Where("c", starting=[("title", "r")], without={"id": {"1"}}), 1),
        (Where("c", among={"id": {"1", "3", "no"}}), 2),
        (Where("c", among={"title": {"red"}, "id": ["2"]}, without={"id": {"3"}}), 1),
        (Where(among={"title": {"red"}}), 4),
        (Where("c", among={"id": ()}), 0),
    ],
)
async def test_only_what_is_all_of_what_is_asked_is_shown_and_counted(
    store: Any, asked: Where, expected: int
) -> None:
    await shelf(store)

    assert await store.count(Book, asked) == expected
    assert len(await store.page(Book, asked, 100)) == expected
    assert sum((await store.tally(Book, ["title"], asked)).values()) == expected
    assert len(await store.extract(Book, ["title"], asked, limit=100)) == expected


async def test_documents_are_counted_by_fields_which_count_as_text(store: Any) -> None:
    await shelf(store)

    assert await store.tally(Book, ["cohort_id", "title"], Where(partitions=[0])) == {
        ("c", "red"): 2,
        ("c", ""): 1,
        ("b", "red"): 1,
    }
    assert await store.tally(Book, ["price"]) == {("0.0",): 5}
    assert await store.tally(Loan, ["due_at", "no_such_field"], Where("c")) == {
        (str(NOW), ""): 1,
        ("", ""): 1,
    }
    assert await store.tally(Book, ["title"], Where("nobody")) == {}


async def test_of_many_documents_a_few_fields_can_be_had(store: Any) -> None:
    await shelf(store)
    await store.commit(commit(2, Book(id="9", cohort_id="e", levels={"a": 1}, cover=b"\x00")))

    assert await store.extract(Book, ["id", "title"], Where("c"), limit=2, within=5.0) == [
        {"id": "1", "title": "red"},
        {"id": "2", "title": "red"},
    ]
    assert await store.extract(Book, ["levels", "cover"], Where("e"), limit=9) == [
        {"levels": {"a": 1}, "cover": b"\x00"}
    ]


async def test_how_far_the_service_has_read_shows_by_topic_and_partition(store: Any) -> None:
    both = [Place(0, 1, {"a": 7, "b": 1}), Place(2, 1, {"a": 3})]
    await store.commit(Commit(both, [], []))
    await store.refresh()

    assert await store.positions(range(9)) == {("a", 0): 7, ("b", 0): 1, ("a", 2): 3}
    assert await store.positions([2]) == {("a", 2): 3}
    assert await store.positions([]) == {}


async def test_a_database_that_is_away_is_no_answer_whatever_is_asked_of_it() -> None:
    away = MongoStore("mongodb://127.0.0.1:1/?serverSelectionTimeoutMS=50", "nowhere", KINDS)
    asked = [
        away.one(Book, "c", "1"),
        away.page(Book),
        away.several(Book, "c", ["1"]),
        away.extract(Book, ["title"], limit=1),
        away.count(Book),
        away.tally(Book, ["title"]),
        away.positions([0]),
        away.refresh(),
    ]

    found = await asyncio.gather(*asked, return_exceptions=True)
    await away.close()

    assert [type(error) for error in found] == [NoAnswer] * len(asked)
    assert all(isinstance(error, NoAnswer) and is_transient(error) for error in found)


# --- the two agree ----------------------------------------------------------------------------


def _key(change: Change) -> tuple[str, str]:
    document = change.document if isinstance(change, Gone) else change
    return type(document).__name__, document.key


IDS = st.sampled_from("abc")
CHANGES = st.one_of(
    st.builds(book, IDS, st.text(max_size=3)),
    st.builds(loan, IDS, st.none() | st.integers(-2, 2).map(lambda h: NOW + timedelta(hours=h))),
    st.builds(lambda name: Gone(book(name)), IDS),
    st.builds(lambda name: Gone(loan(name, None)), IDS),
)
# One change of a document per commit, as the step makes them.
COMMITS = st.tuples(
    st.integers(0, 1),
    st.integers(1, 4),
    st.lists(CHANGES, max_size=4, unique_by=_key),
    st.integers(0, 2),
)


@settings(
    max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(st.lists(COMMITS, max_size=8))
async def test_both_stores_hold_the_same_after_the_same_commits(
    mongo: MongoStore, commits: list[tuple[int, int, list[Change], int]]
) -> None:
    await mongo.wipe()
    memory = MemoryStore()

    for partition, step, changes, records in commits:
        outcomes = []
        for store in (memory, mongo):
            try:
                await store.commit(
                    commit(step, *changes, partition=partition, records=records),
                )
            except Outpaced:
                outcomes.append("outpaced")
            else:
                outcomes.append("made")
        assert outcomes[0] == outcomes[1]

    assert await _everything(memory) == await _everything(mongo)
    assert await _shown(memory) == await _shown(mongo)


async def _shown(store: Any) -> object:
    return (
        await store.page(Book, limit=100),
        await store.page(Loan, Where("c", partitions=[1]), 2),
        await store.tally(Book, ["title"]),
        await store.extract(Loan, ["id", "due_at"], limit=100),
        await store.positions([0, 1]),
    )


async def _everything(store: Store) -> object:
    documents = [d for kind in KINDS for d in await store.page(kind, Where("c"), 1000)]
    due = await store.due(Loan, [0, 1], NOW, 100)
    return (
        await store.places([0, 1]),
        sorted((type(d).__name__, d.key, d.model_dump_json()) for d in documents),
        [(o.partition, o.step, len(o.records)) for o in await store.outgoing([0, 1])],
        sorted((partition, d.key) for partition, d in due),
    )
