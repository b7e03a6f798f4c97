"""An assignment: nothing has more pairs, or as many and more points; its prices prove it."""

from random import Random

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.sparse import csr_matrix
from scipy.sparse.csgraph import maximum_bipartite_matching

from services.matching.search.assignment import Assignment, Graph, Ints, assign, told_apart
from services.matching.search.fit import BEST

Cells = list[list[int | None]]


def graph_of(cells: Cells, capacities: list[int]) -> Graph:
    """A graph from a table: a row per manager, a cell per mentor, None where it is not legal."""
    legal = [[j for j, cell in enumerate(row) if cell is not None] for row in cells]
    points = [cell for row in cells for cell in row if cell is not None]
    start = np.concatenate([[0], np.cumsum([len(row) for row in legal])])
    return Graph(
        np.array(capacities, np.int64),
        start.astype(np.int64),
        np.array([j for row in legal for j in row], np.int64),
        np.array(points, np.int64),
    )


def brute(cells: Cells, capacities: list[int]) -> tuple[int, int]:
    """Most pairs, then the most points, by trying everything."""
    best = {tuple(capacities): (0, 0)}
    for row in cells:
        tried = dict(best)
        for left, (count, total) in best.items():
            for j, cell in enumerate(row):
                if cell is not None and left[j]:
                    rest = (*left[:j], left[j] - 1, *left[j + 1 :])
                    tried[rest] = max(tried.get(rest, (0, 0)), (count + 1, total + cell))
        best = tried
    return max(best.values())


def result(graph: Graph, found: Assignment) -> tuple[int, int]:
    chosen = found.edges[found.edges >= 0]
    return len(chosen), int(graph.points[chosen].sum())


def proves(graph: Graph, found: Assignment) -> bool:
    """The certificate's checker: linear, and it shares nothing with the solver."""
    gains, prices, worth = found.manager_prices, found.mentor_prices, found.pair_value
    if min([0, *gains.tolist(), *prices.tolist()]) < 0:
        return False
    for i in range(graph.managers):
        for e in range(int(graph.start[i]), int(graph.start[i + 1])):
            if gains[i] + prices[graph.mentor[e]] < worth + graph.points[e]:
                return False
    count, points = result(graph, found)
    bound = sum(gains.tolist()) + sum((prices * graph.capacities).tolist())
    return bound == count * worth + points and points < worth


def allowed(graph: Graph, edges: Ints) -> bool:
    owner_right = all(
        graph.start[i] <= e < graph.start[i + 1] for i, e in enumerate(edges.tolist()) if e >= 0
    )
    taken = np.bincount(graph.mentor[edges[edges >= 0]], minlength=len(graph.capacities))
    return owner_right and bool((taken <= graph.capacities).all())


@st.composite
def tables(draw: st.DrawFn) -> tuple[Cells, list[int]]:
    """Few mentors and few different points, so that there is scarcity and there are ties."""
    mentors = draw(st.integers(1, 4))
    cell = st.one_of(st.none(), st.sampled_from([0, 1, 2, 500_000, BEST]))
    rows = st.lists(st.lists(cell, min_size=mentors, max_size=mentors), max_size=6)
    capacities = st.lists(st.integers(0, 3), min_size=mentors, max_size=mentors)
    return draw(rows), draw(capacities)


@settings(max_examples=500, deadline=None)
@given(tables(), st.integers(0, 2**32 - 1))
def test_no_assignment_has_more_pairs_or_as_many_with_more_points(
    table: tuple[Cells, list[int]], seed: int
) -> None:
    random = Random(seed)
    graph = graph_of(*table)
    found = assign(graph)
    assert allowed(graph, found.edges)
    assert result(graph, found) == brute(*table)
    assert proves(graph, found)
    ties = np.array([random.randrange(1 << 12) for _ in graph.mentor], np.int64)
    told = told_apart(graph, found, ties)
    assert allowed(graph, told.edges)
    assert result(graph, told) == brute(*table)
    assert proves(graph, told)


@settings(max_examples=150, deadline=None)
@given(tables())
def test_whatever_was_found_equals_are_told_apart_the_same_way(
    table: tuple[Cells, list[int]],
) -> None:
    cells, capacities = table
    random = Random(0)
    ties = [[random.randrange(1 << 12) for _ in capacities] for _ in cells]

    def pairs(order: list[int]) -> set[tuple[int, int]]:
        graph = graph_of([cells[i] for i in order], capacities)
        rows = graph.rows
        tie = np.array(
            [ties[order[i]][j] for i, j in zip(rows, graph.mentor, strict=True)], np.int64
        )
        chosen = told_apart(graph, assign(graph), tie).edges
        return {(order[rows[e]], int(graph.mentor[e])) for e in chosen.tolist() if e >= 0}

    order = list(range(len(cells)))
    assert pairs(order) == pairs(order[::-1])


@pytest.mark.parametrize("change", ["price", "gain", "edge"])
def test_a_wrong_certificate_is_refused(change: str) -> None:
    graph = graph_of([[900_000, 800_000], [700_000, 100]], [1, 1])
    found = assign(graph)
    edges, gains, prices = (
        x.copy() for x in (found.edges, found.manager_prices, found.mentor_prices)
    )
    if change == "price":
        prices[0] += 1
    elif change == "gain":
        gains[0] -= 1
    else:
        edges[:] = [0, 3]
    assert proves(graph, found)
    assert not proves(graph, Assignment(edges, found.pair_value, gains, prices))


@pytest.mark.parametrize("seed", range(5))
def test_where_mentors_are_scarce_there_are_as_many_pairs_as_there_can_be(seed: int) -> None:
    random = np.random.default_rng(seed)
    managers, mentors = 400, 300
    legal = np.sort([random.choice(mentors, 3, replace=False) for _ in range(managers)])
    graph = Graph(
        np.ones(mentors, np.int64),
        np.arange(managers + 1) * 3,
        legal.ravel().astype(np.int64),
        random.integers(0, BEST, managers * 3),
    )
    found = assign(graph)
    ones = np.ones(managers * 3)
    table = csr_matrix((ones, graph.mentor, graph.start), shape=(managers, mentors))
    most = int((maximum_bipartite_matching(table, perm_type="column") >= 0).sum())
    assert result(graph, found)[0] == most
    assert proves(graph, found)
