"""What steps keep count of is what counting would give."""

from collections import Counter
from collections.abc import Iterator

from hypothesis import given
from hypothesis import strategies as st

from services.chassis.documents import Counts, Group
from services.chassis.domain import Change, Gone, RunningCount, State, text_of
from services.chassis.step.counting import counted
from tests.chassis.toy import Person, Tally

PEOPLE = RunningCount("people", "People by name", Person, (("name", "name"),))
TALLIES = RunningCount("tallies", "Tallies", Tally, (("cohort", "cohort_id"), ("n", "count")))
RUNNING = (PEOPLE, TALLIES)

names = {"id": st.sampled_from("ab"), "cohort_id": st.just("c")}
people = st.builds(Person, **names, name=st.text("xy", max_size=1))
tallies = st.builds(Tally, **names, count=st.integers(0, 2))
documents = st.one_of(people, tallies)
changes = st.one_of(documents, st.builds(Gone, documents))
events = st.lists(st.lists(changes, max_size=4), max_size=8)


def there(state: State) -> Iterator[Group]:
    """The groups of the documents that there are."""
    for document in filter(None, state.documents.values()):
        for measure in RUNNING:
            if type(document) is measure.kind:
                yield (measure.name, *(text_of(getattr(document, f)) for f in measure.fields))


def fold(state: State, changes: list[Change]) -> None:
    """As a step does: each change is seen by what comes after it."""
    state.apply(counted(RUNNING, state, changes))


def counts(state: State) -> Counts:
    return state.get(Counts, "c", "c") or Counts(id="c", cohort_id="c")


def beginning() -> State:
    return State({(Counts, "c/c"): None})


@given(events)
def test_what_is_kept_count_of_is_what_there_is_whatever_comes_and_goes(
    history: list[list[Change]],
) -> None:
    state = beginning()
    for changes in history:
        fold(state, changes)
        assert dict(counts(state).counts) == Counter(there(state))


@given(events)
def test_the_same_documents_have_the_same_counts_byte_for_byte_however_they_came(
    history: list[list[Change]],
) -> None:
    state, again = beginning(), beginning()
    for changes in history:
        fold(state, changes)
    left = [d for d in state.documents.values() if d is not None and not isinstance(d, Counts)]
    fold(again, [*reversed(left)])
    assert counts(again) == counts(state)


def test_documents_that_are_older_than_the_counts_never_make_them_fall_below_nothing() -> None:
    state = beginning()
    older = Person(id="a", cohort_id="c", name="x")
    state.documents[Person, older.key] = older
    fold(state, [older.model_copy(update={"name": "y"})])
    assert counts(state).counts == ((("people", "y"), 1),)


def test_a_change_that_moves_nobody_between_groups_writes_no_counts() -> None:
    state = beginning()
    fold(state, [Person(id="a", cohort_id="c", name="x")])
    state.keep()
    fold(state, [Person(id="a", cohort_id="c", name="x")])
    assert [type(change) for change in state.keep()] == [Person]
