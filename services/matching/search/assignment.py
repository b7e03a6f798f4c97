"""The best assignment on a sparse graph of legal pairs, with prices that prove it.

Always holds: the result has as many pairs as any, then the highest total of points; among equals
it is the one that the people's content decides, never the order in which they come. The prices
say why: no manager could be paired for more than it costs to move the others.

Exact, in whole numbers: nothing is rounded here. A maximum flow of minimum cost (OR-Tools) finds
the pairs; the prices follow from the pairs as longest paths.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from ortools.graph.python.min_cost_flow import SimpleMinCostFlow

from services.matching.search.fit import BEST

Ints = NDArray[np.int64]
AnyInts = NDArray[np.integer[Any]]

_TIES = 1 << 12  # how finely equal assignments are told apart


@dataclass(frozen=True, slots=True)
class Graph:
    """Legal pairs: those of manager i are `mentor[start[i]:start[i + 1]]`, worth `points` each.

    `capacities`: how many managers each mentor takes. `points`: 0 to `BEST`.
    """

    capacities: Ints
    start: Ints
    mentor: Ints
    points: Ints

    @property
    def managers(self) -> int:
        return len(self.start) - 1

    @property
    def rows(self) -> Ints:
        """The manager of every edge."""
        return np.repeat(np.arange(self.managers), np.diff(self.start))


@dataclass(frozen=True, slots=True)
class Assignment:
    """`edges`: the chosen edge of each manager, or -1. Prices are in ten-thousandths of a point.

    A pair is worth `pair_value` and its points. Every legal pair costs at least what it is worth
    (`manager_prices[i] + mentor_prices[j]`), and the chosen ones cost together exactly what they
    are worth: so nothing is worth more. `pair_value` is above all points together, so nothing has
    more pairs.
    """

    edges: Ints
    pair_value: int
    manager_prices: Ints
    mentor_prices: Ints


def assign(graph: Graph) -> Assignment:
    """An assignment of the graph that none is better than."""
    edges = _most_then_best(graph, graph.points)
    pair_value = BEST * (min(graph.managers, int(graph.capacities.sum())) + 1)
    prices = _prices(graph, edges, pair_value)
    return Assignment(edges, pair_value, *prices)


def told_apart(graph: Graph, found: Assignment, ties: Ints) -> Assignment:
    """Of all assignments that are as good, the one with the highest total of `ties`.

    `ties`: 0 to 4,095 per edge. As good are those on edges that cost what they are worth,
    with everybody who has a price taken.
    """
    rows = graph.rows
    spare = found.manager_prices[rows] + found.mentor_prices[graph.mentor]
    tight = np.flatnonzero(spare == graph.points + found.pair_value)
    pairs = int((found.edges >= 0).sum())
    if len(tight) == pairs:
        return found
    must = _TIES * (graph.managers + 1)
    needed = np.zeros(len(tight), np.int64)  # a side that is all taken has nobody to leave out
    if pairs < graph.managers:
        needed += (found.manager_prices > 0)[rows[tight]]
    if pairs < graph.capacities.sum():
        needed += (found.mentor_prices > 0)[graph.mentor[tight]]
    start = np.searchsorted(rows[tight], np.arange(graph.managers + 1))
    among = Graph(graph.capacities, start, graph.mentor[tight], graph.points[tight])
    edges = _most_then_best(among, must * needed + ties[tight])
    chosen = np.where(edges >= 0, tight[edges], -1)
    return Assignment(chosen, found.pair_value, found.manager_prices, found.mentor_prices)


def _most_then_best(graph: Graph, worth: Ints) -> Ints:
    """The chosen edge of each manager: most pairs, then the highest total of `worth`."""
    managers, mentors, edges = graph.managers, len(graph.capacities), len(graph.mentor)
    chosen = np.full(managers, -1, dtype=np.int64)
    if edges == 0:
        return chosen
    source, sink = managers + mentors, managers + mentors + 1
    everybody = np.arange(managers)
    flow = SimpleMinCostFlow()
    tails = np.concatenate([graph.rows, np.full(managers, source), managers + np.arange(mentors)])
    heads = np.concatenate([managers + graph.mentor, everybody, np.full(mentors, sink)])
    room = np.concatenate([np.ones(edges + managers, dtype=np.int64), graph.capacities])
    unit = max(int(np.gcd.reduce(worth)), 1)  # the smaller the costs, the fewer the phases
    cost = np.concatenate([-worth // unit, np.zeros(managers + mentors, dtype=np.int64)])
    flow.add_arcs_with_capacity_and_unit_cost(
        tails.astype(np.int32), heads.astype(np.int32), room, cost
    )
    flow.set_node_supply(source, managers)
    flow.set_node_supply(sink, -managers)
    status = flow.solve_max_flow_with_min_cost()
    if status != SimpleMinCostFlow.OPTIMAL:
        raise RuntimeError(f"the solver ended with {status}")
    taken = np.flatnonzero(flow.flows(np.arange(edges, dtype=np.int32)))
    chosen[graph.rows[taken]] = taken
    return chosen


def _prices(graph: Graph, edges: Ints, pair_value: int) -> tuple[Ints, Ints]:
    """The lowest prices of mentors that keep every manager content with what they have.

    A mentor costs what the best manager who is not theirs would gain by having them: a price
    rises along the chain of those who would move. Raises RuntimeError if they never settle,
    which says that the assignment is not the best.
    """
    mentors = len(graph.capacities)
    worth = graph.points + pair_value
    paired = edges >= 0
    own = np.where(paired, worth[edges], 0) if len(worth) else np.zeros(graph.managers, np.int64)
    place = np.where(paired, graph.mentor[edges], mentors) if len(worth) else own + mentors
    price = np.zeros(mentors + 1, dtype=np.int64)  # the last: no mentor, which costs nothing
    holders = np.argsort(place, kind="stable")
    first = np.searchsorted(place[holders], np.arange(mentors + 2))
    asking = np.arange(graph.managers)
    for _ in range(2 * (graph.managers + mentors) + 2):
        if not len(asking):
            break
        sizes = graph.start[asking + 1] - graph.start[asking]
        ends = np.cumsum(sizes)
        wanted = np.arange(int(ends[-1])) + np.repeat(graph.start[asking] - ends + sizes, sizes)
        gain = np.repeat(own[asking] - price[place[asking]], sizes)
        before = price.copy()
        np.maximum.at(price, graph.mentor[wanted], worth[wanted] - gain)
        risen = np.flatnonzero(price > before)
        asking = np.concatenate(
            [np.zeros(0, np.int64), *(holders[first[j] : first[j + 1]] for j in risen)]
        )
    taken = np.bincount(place[paired], minlength=mentors)
    gains = own - price[place]
    if len(asking) or (gains < 0).any() or (price[:-1][taken < graph.capacities] > 0).any():
        raise RuntimeError("the assignment is not the best of its graph")
    return gains, price[:-1]
