"""The best pairing of a pool, proven over every legal pair without keeping every legal pair.

Each manager begins with the legal mentors who fit best; that graph is solved, and its prices say
which pairs left out could do better. These join, until there are none: what is best among the
pairs that were kept is then best among all.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from services.matching.assignment import POINT, Assignment, Graph, Ints, assign, told_apart
from services.matching.scoring import Pool

KEPT = 40
"""Mentors that each manager begins with."""
_JOINING = 20  # pairs of a manager that join at once


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


Told = Callable[[int, int, int], None]
"""Hears of the progress: managers looked at, of how many, pairs that joined since."""


def pair(pool: Pool, told: Told = lambda *_: None, kept: int = KEPT) -> Pairing:
    """The best pairing of the pool."""
    count = len(pool.managers)
    nobody = np.zeros(0, np.int64)
    mentors, points = [nobody] * count, [nobody] * count
    legal = np.zeros(count, np.int64)
    most_left = np.full(count, -1, np.int64)  # points of the best pair not kept
    for done, (i, found, worth) in enumerate(pool.legal(np.arange(count))):
        legal[i] = len(found)
        best = _best(worth, pool.ties(i, found), kept)
        if len(best) < len(found):
            left = np.delete(worth, best)
            most_left[i] = left.max()
        mentors[i], points[i] = found[best], worth[best]
        if done % 500 == 0:
            told(done, count, 0)
    rounds = 0
    while True:
        rounds += 1
        graph = _graph(pool, mentors, points)
        assignment = assign(graph)
        joined = 0
        content = assignment.manager_prices >= most_left + assignment.pair_value
        doubtful = np.flatnonzero((most_left >= 0) & ~content)
        for i, found, worth in pool.legal(doubtful):
            gain = worth + assignment.pair_value - assignment.mentor_prices[found]
            gain -= assignment.manager_prices[i]
            better = np.flatnonzero(gain > 0)
            best = better[_best(gain[better], pool.ties(i, found[better]), _JOINING)]
            mentors[i] = np.concatenate([mentors[i], found[best]])
            points[i] = np.concatenate([points[i], worth[best]])
            joined += len(best)
        told(count, count, joined)
        if not joined:
            break
    ties = [pool.ties(i, graph.mentor[graph.start[i] : graph.start[i + 1]]) for i in range(count)]
    all_ties = np.concatenate(ties) if ties else np.zeros(0, np.int64)
    return Pairing(pool, graph, told_apart(graph, assignment, all_ties), legal, rounds)


def _best(worth: Ints, ties: Ints, count: int) -> Ints:
    """Where the highest are, in the order of the indexes; ties decide among equals."""
    if len(worth) <= count:
        return np.arange(len(worth))
    ranked = np.argpartition(-((worth << 20) + ties), count)[:count]
    return np.sort(ranked)


def _graph(pool: Pool, mentors: list[Ints], points: list[Ints]) -> Graph:
    nothing = np.zeros(0, np.int64)
    start = np.concatenate([[0], np.cumsum([len(found) for found in mentors])]).astype(np.int64)
    return Graph(
        pool.capacities,
        start,
        np.concatenate([nothing, *mentors]),
        np.concatenate([nothing, *points]),
    )
