"""How many documents there are, kept while they change, so that nobody has to count them.

Always holds: a cohort's counts are what counting its documents would give, after each step, live
and in a rebuild alike; they are committed with the step that changes them, once for each cohort,
however many documents it changed.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import cast

from services.chassis.documents import Counts, Group
from services.chassis.domain import (
    Document,
    Gone,
    NeverRead,
    One,
    Reads,
    RunningCount,
    State,
    text_of,
)

MOST_KNOWN = 1000
"""Cohorts of which counts are kept in memory: some kilobytes each."""

Moves = dict[Group, int]
"""By how much there are more documents of each group."""


class Counting:
    """Keeps the counts of the cohorts that one process, or a rebuild, writes to.

    What it has written it knows: who else writes to a cohort moves its place, and then the step
    that rests on what was known is outpaced. What it has only read, for a step that may still fail,
    it reads again. `forget` has to be called where places are read anew.
    """

    def __init__(self, running: Sequence[RunningCount]) -> None:
        self._running = running
        self._known: dict[str, Counts] = {}

    async def of(self, state: State, reads: Reads) -> list[Counts | Gone]:
        """What all that has changed in a state changes in the counts of its cohorts.

        Counts of nothing are no document, so that it does not matter how steps are cut.
        """
        if len(self._known) > MOST_KNOWN:
            self.forget()
        moves = self._moves(state) if self._running else {}
        known = {cohort: self._known[cohort] for cohort in moves if cohort in self._known}
        if missing := [One(Counts, cohort, cohort) for cohort in moves.keys() - known.keys()]:
            known |= {one.id: Counts(id=one.id, cohort_id=one.id) for one in missing}
            for counts in await reads.load(missing):
                known[counts.id] = cast("Counts", counts)
        changed: list[Counts | Gone] = []
        for cohort, by in sorted(moves.items()):
            before = known[cohort]
            after = _moved(before, by)
            if after != before:
                changed.append(after if after.counts else Gone(after))
        return changed

    def committed(self, changed: Iterable[Counts | Gone]) -> None:
        """These are written."""
        for one in changed:
            counts = one.document if isinstance(one, Gone) else one
            self._known[counts.id] = cast("Counts", counts)

    def forget(self) -> None:
        """Somebody else may have written."""
        self._known.clear()

    def _moves(self, state: State) -> Mapping[str, Moves]:
        found: dict[str, Moves] = {}
        for (kind, key), before in state.first.items():
            for measure in self._running:
                if measure.kind is kind:
                    after = state.documents[kind, key]
                    there = None if isinstance(before, NeverRead) else before
                    left = None if there is None else _group(measure, there)
                    joined = None if after is None else _group(measure, after)
                    if left != joined:
                        cohort_id, _, _ = key.partition("/")
                        moves = found.setdefault(cohort_id, {})
                        _add(moves, left, -1)
                        _add(moves, joined, 1)
        return found


def _add(moves: Moves, group: Group | None, by: int) -> None:
    if group is not None:
        moves[group] = moves.get(group, 0) + by


def _group(measure: RunningCount, document: Document) -> Group:
    fields = vars(document)
    return (measure.name, *[text_of(fields[field]) for _, field in measure.labels])


def _moved(known: Counts, moves: Moves) -> Counts:
    """The counts after a change. None falls below zero: the oldest documents were not counted."""
    numbers = dict(known.counts)
    for group, by in moves.items():
        number = numbers.get(group, 0) + by
        if number > 0:
            numbers[group] = number
        else:
            numbers.pop(group, None)
    return known.model_copy(update={"counts": tuple(sorted(numbers.items()))})
