"""The pairs of everybody who is free and waits, and why the others have none. Pure."""

from collections.abc import Mapping, Sequence
from itertools import chain

import numpy as np

from schemas.lines import LineRelation
from schemas.values import CohortPolicy, WaitingCause
from services.matching.search.fit import to_agree_on
from services.matching.search.pairing import pair
from services.matching.search.question import Found, People
from services.matching.search.scoring import Bonds, Pool
from services.matching.search.unpaired import unpaired
from services.matching.views import Manager, Mentor


def solve(people: People) -> Found:
    """The best pairing of those who are free and wait. Pure."""
    everybody: list[Mentor | Manager] = [*people.mentors, *people.managers]
    bonds = Bonds(
        {person.id: person.line_manager for person in everybody} | dict(people.lines),
        people.closed,
    )
    pool = Pool(people.free, people.waiting, people.policy, bonds)
    found = pair(pool)
    causes: dict[str, WaitingCause] = {
        pool.managers[one.manager].id: one.cause for one in unpaired(found)
    }
    for manager in _without_a_place(people, bonds, causes):
        causes[manager] = "no-place"
    best_first = sorted(found.pairs, key=lambda row: -row[2])
    pairs = [(pool.mentors[j].id, pool.managers[i].id) for i, j, _ in best_first]
    return Found(
        pairs,
        _related(pairs, people.policy, bonds),
        [(m.id, causes[m.id], m.needs) for m in people.waiting if m.id in causes],
        found.score,
        int(pool.capacities.sum()) - len(found.pairs),
        found.proven,
    )


def _related(
    pairs: Sequence[tuple[str, str]], policy: CohortPolicy, bonds: Bonds
) -> dict[tuple[str, str], LineRelation]:
    found = ((pair, to_agree_on(*pair, policy, bonds.lines.get)) for pair in pairs)
    return {pair: relation for pair, relation in found if relation is not None}


def _without_a_place(people: People, bonds: Bonds, causes: Mapping[str, WaitingCause]) -> list[str]:
    """Of those whom nobody free can coach: whom somebody without a free place could."""
    asking = [m for m in people.waiting if m.id in causes and causes[m.id] != "competition"]
    busy = [mentor for mentor in people.mentors if mentor.state == "engaged"]
    pool = Pool(busy, asking, people.policy, bonds)
    blocks = pool.legal(np.arange(len(asking)))
    return [pool.managers[i].id for i, able, _ in chain.from_iterable(blocks) if len(able)]
