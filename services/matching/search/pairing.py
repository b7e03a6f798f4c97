"""The best pairing of a pool, proven over every legal pair.

Each manager begins with the legal mentors who fit best; that graph is solved, and its prices say
which pairs left out could do better. These join, until there are none: what is best among the
pairs that joined is then best among all.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Any

import numpy as np

from services.matching.search.assignment import (
    AnyInts,
    Assignment,
    Graph,
    Ints,
    assign,
    told_apart,
)
from services.matching.search.fit import POINT
from services.matching.search.scoring import Block, Pool

KEPT = 40
"""Mentors that each manager begins with."""
REMEMBERED = 100_000_000
"""Legal pairs that are kept in memory, at six bytes each; the others are found again each time."""
_JOINING = 20  # pairs of a manager that join at once
_NARROW = 1 << 30  # half of what 32 bits hold
_PRUNING = 20  # rounds after which pairs only join, so that it ends


@dataclass(frozen=True, slots=True)
class Pairing:
    """What came of a pool: `assignment` on `graph`; `legal[i]` is how many mentors could have
    coached manager i. `rounds`: how often the graph was solved."""

    pool: Pool
    graph: Graph
    assignment: Assignment
    legal: Ints
    rounds: int

    @property
    def pairs(self) -> list[tuple[int, int, float]]:
        """Manager, mentor (indexes in the pool) and score (points) of every pair."""
        chosen = self.assignment.edges
        paired = np.flatnonzero(chosen >= 0)
        mentors, points = self.graph.mentor[chosen[paired]], self.graph.points[chosen[paired]]
        return [
            (i, j, worth / POINT)
            for i, j, worth in zip(paired.tolist(), mentors.tolist(), points.tolist(), strict=True)
        ]

    @property
    def score(self) -> float:
        """The total, in points."""
        chosen = self.assignment.edges
        return int(self.graph.points[chosen[chosen >= 0]].sum()) / POINT

    @property
    def proven(self) -> bool:
        """Whether the prices prove the pairs on the graph; `pair` has priced all others."""
        graph, at = self.graph, self.assignment
        costs = at.manager_prices[graph.rows] + at.mentor_prices[graph.mentor]
        worth = graph.points + at.pair_value
        chosen = at.edges[at.edges >= 0]
        together = at.manager_prices.sum() + (at.mentor_prices * graph.capacities).sum()
        return bool((costs >= worth).all() and together == worth[chosen].sum())


Progress = Callable[[int, int, int], None]
"""Hears of the progress: managers looked at, of how many, pairs that joined since."""


def pair(
    pool: Pool, progress: Progress = lambda *_: None, kept: int = KEPT, remembered: int = REMEMBERED
) -> Pairing:
    """The best pairing of the pool."""
    count = len(pool.managers)
    legal = _LegalPairs(pool, remembered)
    joining = []
    for block in legal.first():
        joining.append(_best(pool, block, kept))
        progress(legal.seen, count, 0)
    graph = Graph(pool.capacities, np.zeros(count + 1, np.int64), *np.zeros((2, 0), np.int64))
    solved, rounds = graph, 0
    while True:
        rounds += 1
        graph, solved = _with(graph, joining), _with(solved, joining)
        assignment = assign(solved)
        short = np.zeros(count, np.int64)
        prices = _Prices(assignment)
        joining = [_better(block, prices, short) for block in legal]
        progress(count, count, sum(len(block.mentor) for block in joining))
        if not short.any():
            break
        if rounds < _PRUNING:
            solved = _without_the_hopeless(solved, assignment, short)
    whole = _as_of(graph, solved, assignment)
    ties = pool.ties(graph.rows, graph.mentor)
    return Pairing(pool, graph, told_apart(graph, whole, ties), legal.counts, rounds)


class _LegalPairs:
    """Every legal pair of a pool, block by block. `counts`: how many each manager has."""

    def __init__(self, pool: Pool, remembered: int) -> None:
        self.pool = pool
        self.seen = 0
        self.counts = np.zeros(len(pool.managers), np.int64)
        self._room = remembered
        self._index: type[np.integer[Any]] = np.uint16 if len(pool.mentors) <= 1 << 16 else np.int32
        self._kept: list[Block] = []
        self._others: list[Ints] = []

    def first(self) -> Iterator[Block]:
        """Find them, and remember what there is room for."""
        for block in self.pool.legal(np.arange(len(self.pool.managers))):
            self.seen += len(block.managers)
            self.counts[block.managers] = np.diff(block.start)
            self._room -= len(block.mentor)
            if self._room >= 0:
                index = block.mentor.astype(self._index)
                self._kept.append(Block(block.managers, block.start, index, block.points))
            else:
                self._others.append(block.managers)
            yield block

    def __iter__(self) -> Iterator[Block]:
        yield from self._kept
        if self._others:
            yield from self.pool.legal(np.concatenate(self._others))


def _best(pool: Pool, block: Block, most: int) -> Block:
    """The pairs with the most points of each manager; ties decide among equals."""
    places = []
    for (i, mentor, points), begin in zip(block, block.start.tolist(), strict=False):
        if len(mentor) <= most:
            places.append(np.arange(begin, begin + len(mentor)))
            continue
        least = np.partition(points, len(points) - most)[len(points) - most]
        above, equal = np.flatnonzero(points > least), np.flatnonzero(points == least)
        wanted = most - len(above)
        if wanted < len(equal):
            equal = equal[np.argpartition(-pool.ties(i, mentor[equal]), wanted)[:wanted]]
        places.append(begin + np.sort(np.concatenate([above, equal])))
    return _taken(block, places)


class _Prices:
    """The prices in half the bytes, where they fit: most of the time goes into reading them.

    `least`: what a pair has to be worth, without `pair_value`, beyond the mentor's price.
    """

    def __init__(self, found: Assignment) -> None:
        fits = int(found.mentor_prices.max(initial=0)) < _NARROW
        kind: type[np.integer[Any]] = np.int32 if fits else np.int64
        self.least = found.manager_prices - found.pair_value
        self.bounds: AnyInts = np.maximum(self.least, -_NARROW).astype(kind) if fits else self.least
        self.mentors: AnyInts = found.mentor_prices.astype(kind)


def _better(block: Block, prices: _Prices, short: Ints) -> Block:
    """The pairs that are worth more than their two people cost, for each manager the best.

    Notes in `short` how much more, at most, by manager.
    """
    gain: AnyInts = block.points - prices.mentors.take(block.mentor)
    bounds = np.repeat(prices.bounds[block.managers], np.diff(block.start))
    at = np.flatnonzero(gain > bounds)
    gain, start = gain[at], np.searchsorted(at, block.start)
    places = []
    for k, (begin, end) in enumerate(pairwise(start.tolist())):
        places.append(at[begin:end])
        if begin < end:
            i = block.managers[k]
            short[i] = gain[begin:end].max() - prices.least[i]
        if end - begin > _JOINING:
            best = np.argpartition(-gain[begin:end], _JOINING)[:_JOINING]
            places[-1] = at[begin + np.sort(best)]
    return _taken(block, places)


def _taken(block: Block, places: list[Ints]) -> Block:
    """The pairs of a block at these places, manager by manager."""
    at = np.concatenate(places)
    start = np.cumsum([0, *map(len, places)])
    return Block(block.managers, start, block.mentor[at], block.points[at])


def _with(graph: Graph, blocks: list[Block]) -> Graph:
    """The graph and these pairs, each once."""
    rows = np.concatenate([graph.rows, *(block.rows for block in blocks)])
    mentor = np.concatenate([graph.mentor, *(block.mentor for block in blocks)])
    points = np.concatenate([graph.points, *(block.points for block in blocks)])
    _, first = np.unique(rows * len(graph.capacities) + mentor, return_index=True)
    return _of(graph, rows[first], mentor[first], points[first])


def _of(graph: Graph, rows: Ints, mentor: AnyInts, points: AnyInts) -> Graph:
    """These pairs of a graph's people, in the order of their managers."""
    start = np.searchsorted(rows, np.arange(graph.managers + 1))
    return Graph(graph.capacities, start, mentor.astype(np.int64), points.astype(np.int64))


def _without_the_hopeless(graph: Graph, assignment: Assignment, short: Ints) -> Graph:
    """The graph without pairs that cost far more than they are worth: they are rarely needed.

    One that turns out to be needed joins again, for all legal pairs are looked at each time.
    """
    rows = graph.rows
    costs = (assignment.manager_prices + short)[rows] + assignment.mentor_prices[graph.mentor]
    hopeful = costs - graph.points - assignment.pair_value <= short.max()
    return _of(graph, rows[hopeful], graph.mentor[hopeful], graph.points[hopeful])


def _as_of(graph: Graph, part: Graph, found: Assignment) -> Assignment:
    """What was found on a part of the graph, as found on the graph."""
    mentors = len(graph.capacities)
    chosen = np.full(graph.managers, -1, np.int64)
    paired = np.flatnonzero(found.edges >= 0)
    numbers = paired * mentors + part.mentor[found.edges[paired]]
    chosen[paired] = np.searchsorted(graph.rows * mentors + graph.mentor, numbers)
    return replace(found, edges=chosen)
