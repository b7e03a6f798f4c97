"""How many documents there are, kept while they change, so that nobody has to count them.

Always holds: a cohort's counts are what counting its documents would give, after each event, live
and in a rebuild alike; they are written with the step that changes them, once for a batch.
"""

from collections.abc import Iterable, Sequence

from services.chassis.documents import Counts, Group
from services.chassis.domain import Change, Document, Gone, RunningCount, State, text_of


def counted(
    running: Sequence[RunningCount], state: State, changes: Iterable[Change]
) -> Iterable[Change]:
    """The changes of one event, and what follows from them for the counts of their cohort.

    `state` holds each change by the time the next one is asked for.
    """
    moves: dict[Group, int] = {}
    cohort_id = ""
    for change in changes:
        after = None if isinstance(change, Gone) else change
        document = change.document if isinstance(change, Gone) else change
        kind = type(document)
        for measure in running:
            if measure.kind is kind:
                cohort_id = document.cohort_id
                _move(moves, measure, state.documents.get((kind, document.key)), after)
        yield change
    if moves:
        known = state.get(Counts, cohort_id, cohort_id)
        yield _moved(known or Counts(id=cohort_id, cohort_id=cohort_id), moves)


def _move(
    moves: dict[Group, int], measure: RunningCount, before: Document | None, after: Document | None
) -> None:
    left = None if before is None else _group(measure, before)
    joined = None if after is None else _group(measure, after)
    if left != joined:
        if left is not None:
            moves[left] = moves.get(left, 0) - 1
        if joined is not None:
            moves[joined] = moves.get(joined, 0) + 1


def _group(measure: RunningCount, document: Document) -> Group:
    fields = vars(document)
    return (measure.name, *[text_of(fields[field]) for _, field in measure.labels])


def _moved(known: Counts, moves: dict[Group, int]) -> Counts:
    """The counts after a change. None falls below zero: the oldest documents were not counted."""
    numbers = dict(known.counts)
    for group, by in moves.items():
        number = numbers.get(group, 0) + by
        if number > 0:
            numbers[group] = number
        else:
            numbers.pop(group, None)
    return known.model_copy(update={"counts": tuple(sorted(numbers.items()))})
