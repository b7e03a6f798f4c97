"""What steps keep count of is what counting would give."""

import asyncio
import contextlib
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from pymongo.errors import AutoReconnect

from services.chassis.documents import Counts, Group
from services.chassis.domain import Change, Gone, RunningCount, State, text_of
from services.chassis.step.counting import Counting
from services.chassis.step.rebuild import rebuild
from services.chassis.store.contract import EVERYWHERE, Commit, Outpaced, Place
from services.chassis.store.memory import MemoryStore
from services.chassis.store.mongo import MongoStore
from tests.chassis.faults import Unwilling
from tests.chassis.toy import KINDS, PARTITIONS, TOY, Person, Tally, World, confirm, formed

PEOPLE = RunningCount("people", "People by name", Person, (("name", "name"),))
TALLIES = RunningCount("tallies", "Tallies", Tally, (("cohort", "cohort_id"), ("n", "count")))
RUNNING = (PEOPLE, TALLIES)

names = {"id": st.sampled_from("ab"), "cohort_id": st.sampled_from("cd")}
people = st.builds(Person, **names, name=st.text("xy", max_size=1))
tallies = st.builds(Tally, **names, count=st.integers(0, 2))
documents = st.one_of(people, tallies)
changes = st.one_of(documents, st.builds(Gone, documents))
steps = st.lists(st.lists(changes, max_size=4), max_size=8)


class Kept:
    """A database that steps, of any process, keep count in."""

    def __init__(self) -> None:
        self.store = MemoryStore()
        self.counting = Counting(RUNNING)
        self.state = State()

    async def step(self, changes: Sequence[Change], away: bool = False) -> None:
        """Each change is an event's, and is seen by what comes after it.

        `away`: the database is when its counts are asked for first, and the step is tried again.
        """
        self.state.first.clear()
        for change in changes:
            self.state.apply([change])
            self.state.keep()
        if away:
            with contextlib.suppress(AutoReconnect):
                failing: Any = Unwilling(self.store, "load", [AutoReconnect()])
                await self.counting.of(self.state, failing)
        counts = await self.counting.of(self.state, self.store)
        await self.store.fill(Place(0), [*changes, *counts])
        self.counting.committed(counts)

    @property
    def counts(self) -> dict[str, Counts]:
        rows = (row for _, row in self.store.rows.get(Counts, {}).values())
        return {row.id: row for row in rows if isinstance(row, Counts)}

    @property
    def numbers(self) -> dict[tuple[str, Group], int]:
        rows = self.counts.values()
        return {(row.id, group): number for row in rows for group, number in row.counts}

    def there(self) -> Iterator[tuple[str, Group]]:
        """The groups of the documents that there are."""
        for measure in RUNNING:
            for _, document in self.store.rows.get(measure.kind, {}).values():
                values = (text_of(getattr(document, field)) for field in measure.fields)
                yield document.cohort_id, (measure.name, *values)


async def played(
    history: Sequence[Sequence[Change]], taken_over: bool = False, away: bool = False
) -> Kept:
    """After each step the counts are what there is; `taken_over`: each is another process's."""
    kept = Kept()
    for changes in history:
        await kept.step(changes, away)
        assert kept.numbers == Counter(kept.there())
        if taken_over:
            kept.counting.forget()
    return kept


@given(steps, st.booleans(), st.booleans())
@example([[Person(id=one, cohort_id="c", name="x")] for one in "ab"], True, True)
def test_what_is_kept_count_of_is_what_there_is_whatever_comes_and_goes(
    history: list[list[Change]], taken_over: bool, away: bool
) -> None:
    asyncio.run(played(history, taken_over, away))


@given(steps)
def test_a_history_has_the_same_counts_byte_for_byte_however_it_is_cut_into_steps(
    history: list[list[Change]],
) -> None:
    at_once = asyncio.run(played([[change for step in history for change in step]]))
    assert at_once.counts == asyncio.run(played(history)).counts


async def test_documents_that_are_older_than_the_counts_never_make_them_fall_below_nothing() -> (
    None
):
    kept = Kept()
    older = Person(id="a", cohort_id="c", name="x")
    kept.state.documents[Person, older.key] = older
    await kept.step([older.model_copy(update={"name": "y"})])
    assert kept.numbers == {("c", ("people", "y")): 1}


async def test_a_change_that_moves_nobody_between_groups_writes_no_counts() -> None:
    kept = Kept()
    await kept.step([Person(id="a", cohort_id="c", name="x")])
    kept.state.first.clear()
    kept.state.apply([Person(id="a", cohort_id="c", name="x")])
    kept.state.keep()
    assert await kept.counting.of(kept.state, kept.store) == []


async def test_who_learns_that_somebody_else_has_written_reads_counts_again() -> None:
    world = World()
    world.publish(formed("m~g"))
    first = await world.run()
    world.publish(formed("m~h"))
    await world.run()
    world.publish(formed("m~i"))

    await world.run(first)  # which knows of one pair, and is outpaced

    counts = await world.store.page(Counts, EVERYWHERE, 10)
    assert [row.counts for row in counts] == [((("toy_tallies", "0"), 3),)]


# --- on a real database -------------------------------------------------------------------------


async def test_counts_are_written_with_their_place_and_not_where_somebody_else_has_written_it(
    mongo: MongoStore,
) -> None:
    few, more = (
        Counts(id="c", cohort_id="c", counts=((("people", name), 1),)) for name in ("x", "y")
    )
    await mongo.commit(Commit([Place(0, 1)], [(0, few)], []))

    with pytest.raises(Outpaced):
        await mongo.commit(Commit([Place(0, 1)], [(0, more)], []))
    with pytest.raises(Outpaced):
        await mongo.commit(Commit([Place(0, 3)], [(0, Gone(few))], []))

    assert await mongo.page(Counts, EVERYWHERE, 10) == [few]
    await mongo.commit(Commit([Place(0, 2)], [(0, Gone(few))], []))
    assert await mongo.page(Counts, EVERYWHERE, 10) == []
    assert await mongo.places([0]) == {0: Place(0, 2)}


async def test_a_service_goes_on_with_a_database_of_before_and_a_rebuild_gives_it_its_counts(
    mongo: MongoStore, mongodb_uri: str, database: str
) -> None:
    world = World(store=mongo)
    await world.run(world.stepper(domain=replace(TOY, counts=())))
    for pair in ("m~g", "m~h"):
        world.publish(formed(pair))
    await world.run(world.stepper(domain=replace(TOY, counts=())))
    assert await mongo.page(Counts, EVERYWHERE, 10) == []

    world.command(confirm("m~g"))
    await world.run()

    assert await world.tallies() == {"c/m~g": 1, "c/m~h": 0}
    assert [row.counts for row in await mongo.page(Counts, EVERYWHERE, 10)] == [
        ((("toy_tallies", "1"), 1),)
    ]
    again = MongoStore(mongodb_uri, f"{database}_again", KINDS)
    await again.open()
    await rebuild(TOY, again, world.log, PARTITIONS)
    assert [row.counts for row in await again.page(Counts, EVERYWHERE, 10)] == [
        ((("toy_tallies", "0"), 1), (("toy_tallies", "1"), 1))
    ]
    assert await mongo.differences(again) == ["places/c/c"]
    await again.close()
