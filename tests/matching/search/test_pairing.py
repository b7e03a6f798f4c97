"""The pairing of a pool: best among all legal pairs, whoever comes first and whatever their ids."""

from dataclasses import replace
from itertools import chain, product
from random import Random

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.values import Availability, CohortPolicy, Window
from services.matching.search.explaining import reasons_of
from services.matching.search.fit import POINT, may_pair
from services.matching.search.pairing import Pairing, pair
from services.matching.search.scoring import Bonds, Pool
from services.matching.views import Manager, Mentor

TOOLS = ("linkedin", "matrix", "tiktok")
DAYS = ("mon", "tue")
SEEDS = st.integers(0, 2**32 - 1)
"""Of pools, which are drawn whole: a pool whose every draw can shrink takes ten times as long."""
JOBS = {"public-procurement": {"linkedin": 3, "shared-documents": 3}, "of-no-family": {}}


def person(
    random: Random, kind: type[Mentor] | type[Manager], id: str, tight: bool
) -> dict[str, object]:
    tools = random.sample(TOOLS, 1 if tight else random.randint(1, 3))
    windows = [
        Window.model_validate(
            {"day": day, "start": "09:00", "end": random.choice(("10:00", "12:00"))}
        )
        for day in random.sample(DAYS, random.randint(1, 2))
    ]
    levels = {
        tool: random.randint(2, 5) if kind is Mentor else random.randint(1, 4) for tool in tools
    }
    return {
        "id": id,
        "cohort_id": "c",
        "directorate": random.choice("AB"),
        "site": random.choice(("X", "Y", "remote")),
        "availability": tuple(sorted(windows, key=lambda w: DAYS.index(w.day))),
        "line_manager": random.choice([None, "g0", "g1", "m0", "boss"]),
        "excludes": tuple(random.sample(["m0", "m1", "g0", "g1"], random.choice([0, 0, 1]))),
        "skills" if kind is Mentor else "needs": levels,
    }


def people(random: Random, most: int) -> tuple[list[Mentor], list[Manager]]:
    tight = random.random() < 0.5
    mentors = [
        Mentor.model_validate(
            person(random, Mentor, f"m{j}", tight) | {"capacity": random.randint(1, 2)}
        )
        for j in range(random.randint(1, most))
    ]
    managers = [
        Manager.model_validate(
            person(random, Manager, f"g{i}", tight) | {"job_family": random.choice(list(JOBS))}
        )
        for i in range(random.randint(1, most))
    ]
    return mentors, managers


def pool_of(
    mentors: list[Mentor], managers: list[Manager], closed: dict[str, list[str]] | None = None
) -> Pool:
    everybody: list[Mentor | Manager] = [*mentors, *managers]
    lines = {p.id: p.line_manager for p in everybody}
    return Pool(mentors, managers, CohortPolicy(), Bonds(lines, closed or {}))


def score(mentor: Mentor, manager: Manager, lines: dict[str, str | None]) -> int | None:
    """The rules once more, one couple at a time, as docs/matching.md states them."""

    def chain(person: str) -> list[str]:
        found: list[str] = []
        while (above := lines.get(person)) is not None and above not in found:
            found.append(above)
            person = above
        return found

    def hours(one: Window, other: Window) -> int:
        start, end = max(one.start, other.start), min(one.end, other.end)
        return max(0, int(end[:2]) - int(start[:2])) if one.day == other.day else 0

    shared = sum(hours(a, b) for a, b in product(mentor.availability, manager.availability))
    lead = lines.get(mentor.id)
    if (
        manager.id in mentor.excludes
        or mentor.id in manager.excludes
        or manager.id in chain(mentor.id)
        or mentor.id in chain(manager.id)
        or (lead is not None and lead == lines.get(manager.id))
        or not any(mentor.skills.get(t, 0) >= level for t, level in manager.needs.items())
        or not shared
    ):
        return None
    total = sum(manager.needs.values())
    covered = sum(min(mentor.skills.get(t, 0), level) for t, level in manager.needs.items())
    sites = mentor.site, manager.site
    job = JOBS[manager.job_family]
    for_job = sum(min(mentor.skills.get(t, 0), level) for t, level in job.items())
    return (
        45 * POINT * covered // total
        + 10 * POINT * for_job // max(sum(job.values()), 1)
        + 15 * POINT * min(shared, 4) // 4
        + (20 * POINT if mentor.directorate != manager.directorate else 0)
        + (10 * POINT if mentor.site == manager.site or "remote" in sites else 0)
    )


def brute(mentors: list[Mentor], managers: list[Manager]) -> tuple[int, int]:
    everybody: list[Mentor | Manager] = [*mentors, *managers]
    lines = {p.id: p.line_manager for p in everybody}
    best = {tuple(m.capacity for m in mentors): (0, 0)}
    for manager in managers:
        tried = dict(best)
        for left, (count, total) in best.items():
            for j, mentor in enumerate(mentors):
                worth = score(mentor, manager, lines) if left[j] else None
                if worth is not None:
                    rest = (*left[:j], left[j] - 1, *left[j + 1 :])
                    tried[rest] = max(tried.get(rest, (0, 0)), (count + 1, total + worth))
        best = tried
    return max(best.values())


def objective(found: Pairing) -> tuple[int, int]:
    return len(found.pairs), round(found.score * POINT)


def named(found: Pairing) -> set[tuple[str, str, float]]:
    pool = found.pool
    return {(pool.mentors[j].id, pool.managers[i].id, worth) for i, j, worth in found.pairs}


@settings(max_examples=500, deadline=None)
@given(SEEDS, st.integers(1, 3), st.sampled_from([0, 4, 1000]))
def test_brute_force_finds_no_better_pairing(seed: int, kept: int, remembered: int) -> None:
    mentors, managers = people(Random(seed), 5)
    found = pair(pool_of(mentors, managers), kept=kept, remembered=remembered)
    assert objective(found) == brute(mentors, managers)


@settings(max_examples=100, deadline=None)
@given(SEEDS)
def test_the_order_of_the_people_changes_nothing(seed: int) -> None:
    random = Random(seed)
    mentors, managers = people(random, 12)
    first = named(pair(pool_of(mentors, managers), kept=2))
    random.shuffle(mentors)
    random.shuffle(managers)
    assert named(pair(pool_of(mentors, managers), kept=2)) == first


@settings(max_examples=100, deadline=None)
@given(SEEDS)
def test_other_ids_change_only_the_ids(seed: int) -> None:
    random = Random(seed)
    mentors, managers = people(random, 12)
    # given people of whom no two are equal but for their ids
    mentors = [m.model_copy(update={"site": f"{m.site}{j}"}) for j, m in enumerate(mentors)]
    managers = [g.model_copy(update={"site": f"{g.site}-{i}"}) for i, g in enumerate(managers)]
    ids = [p.id for p in (*mentors, *managers)]
    others = dict(
        zip(ids, random.sample([f"p{n}" for n in range(len(ids))], len(ids)), strict=True)
    )

    def renamed(p: Mentor | Manager) -> dict[str, object]:
        lead = p.line_manager
        return {
            "id": others[p.id],
            "line_manager": others.get(lead, lead) if lead else None,
            "excludes": tuple(others.get(other, other) for other in p.excludes),
        }

    before = named(pair(pool_of(mentors, managers), kept=2))
    after = pair(
        pool_of(
            [m.model_copy(update=renamed(m)) for m in mentors],
            [g.model_copy(update=renamed(g)) for g in managers],
        ),
        kept=2,
    )
    assert named(after) == {(others[m], others[g], worth) for m, g, worth in before}


@pytest.mark.parametrize("seed", range(3))
def test_its_prices_hold_for_every_legal_pair_and_not_only_for_those_that_were_kept(
    seed: int,
) -> None:
    random = Random(seed)
    mentors = [
        Mentor.model_validate(person(random, Mentor, f"m{j}", True) | {"capacity": 1})
        for j in range(60)
    ]
    managers = [
        Manager.model_validate(
            person(random, Manager, f"g{i}", True) | {"job_family": "of-no-family"}
        )
        for i in range(90)
    ]
    found = pair(pool_of(mentors, managers), kept=3, remembered=seed * 100)
    assert found.rounds > 1
    prices = found.assignment
    legal = 0
    for i, able, points in chain.from_iterable(found.pool.legal(np.arange(90))):
        legal += len(able)
        costs = prices.manager_prices[i] + prices.mentor_prices[able]
        assert (costs >= prices.pair_value + points).all()
    assert legal == found.legal.sum() > len(found.graph.mentor)
    total = prices.manager_prices.sum() + (prices.mentor_prices * found.graph.capacities).sum()
    assert total == len(found.pairs) * prices.pair_value + round(found.score * POINT)


def test_pairs_that_are_not_the_best_are_not_said_to_be_proven() -> None:
    random = Random(7)
    found = pair(pool_of(*people(random, 12)))
    assert found.pairs
    assert found.proven
    edges = found.assignment.edges.copy()
    edges[np.flatnonzero(edges >= 0)[0]] = -1
    assert not replace(found, assignment=replace(found.assignment, edges=edges)).proven


HOURS = st.integers(0, 95).map(lambda quarter: f"{quarter // 4:02}:{quarter % 4 * 15:02}")


@st.composite
def windows(draw: st.DrawFn) -> Availability:
    """Windows of any length, at any hour: those that end too soon for a session, too."""
    day, hours = st.sampled_from(("mon", "tue", "fri")), st.lists(HOURS, min_size=2, max_size=2)
    drawn = [(draw(day), *sorted(draw(hours))) for _ in range(draw(st.integers(1, 2)))]
    rows = [{"day": d, "start": start, "end": end} for d, start, end in drawn if start < end]
    return tuple(Window.model_validate(row) for row in rows)


@given(seed=SEEDS, mine=windows(), theirs=windows())
def test_of_two_people_and_of_thousands_at_once_the_same_is_legal_and_scores_the_same(
    seed: int, mine: Availability, theirs: Availability
) -> None:
    mentors, managers = people(Random(seed), 3)
    mentors = [m.model_copy(update={"availability": mine}) for m in mentors]
    managers = [g.model_copy(update={"availability": theirs}) for g in managers]
    pool = Pool(mentors, managers, policy := CohortPolicy())
    legal = {
        (pool.mentors[j].id, pool.managers[i].id): int(points)
        for i, able, worth in chain.from_iterable(pool.legal(np.arange(len(managers))))
        for j, points in zip(able, worth, strict=True)
    }

    one_by_one = {
        (m.id, g.id): round(POINT * sum(r.contribution for r in reasons_of(m, g, policy)))
        for m, g in product(mentors, managers)
        if may_pair(m, g, policy)
    }

    assert one_by_one == legal


def test_nobody_at_all_makes_no_pairs() -> None:
    assert pair(pool_of([], [])).pairs == []


def test_a_mentor_with_whom_a_pair_has_ended_is_not_paired_again() -> None:
    random = Random(1)
    mentor = Mentor.model_validate(
        person(random, Mentor, "m9", False)
        | {"capacity": 1, "excludes": (), "line_manager": None, "skills": dict.fromkeys(TOOLS, 5)}
    )
    manager = Manager.model_validate(
        person(random, Manager, "g9", False)
        | {"job_family": "press", "excludes": (), "line_manager": None}
        | {"availability": mentor.availability}
    )
    assert len(pair(pool_of([mentor], [manager])).pairs) == 1
    assert pair(pool_of([mentor], [manager], {"g9": ["m9"]})).pairs == []
