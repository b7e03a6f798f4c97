"""Why somebody stays without a mentor, so that they, and whoever decides, can be told.

Either no mentor may coach them, and it is said for want of what; or there are such mentors, and
more managers who can have nobody but these than these can take (a set that violates Hall's
condition): no pairing at all could give everybody of them a mentor.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from itertools import chain

import numpy as np

from schemas.values import WaitingCause
from services.matching.search.pairing import Pairing


@dataclass(frozen=True, slots=True)
class Competition:
    """These managers can be coached by these mentors only, who have fewer places than they are."""

    managers: tuple[int, ...]
    mentors: tuple[int, ...]
    places: int


@dataclass(frozen=True, slots=True)
class Unpaired:
    """A manager (index in the pool) without a mentor, who is among those of the competition."""

    manager: int
    cause: WaitingCause
    competition: Competition | None = None


def unpaired(found: Pairing) -> list[Unpaired]:
    """Everybody without a mentor, with the reason, in the order of the pool."""
    alone = np.flatnonzero(found.assignment.edges < 0)
    competing = alone[found.legal[alone] > 0]
    groups = _competitions(found, competing.tolist())
    return [
        Unpaired(i, "competition", groups[i]) if i in groups else Unpaired(i, _want(found, i))
        for i in alone.tolist()
    ]


def _want(found: Pairing, i: int) -> WaitingCause:
    return "no-common-hour" if found.pool.able_anybody(i) else "no-skill"


def _competitions(found: Pairing, alone: list[int]) -> dict[int, Competition]:
    """From each of `alone`: the mentors whom they could have, whoever has these, and so on.

    Groups that meet are one. Everybody is looked at once.
    """
    pool, edges = found.pool, found.assignment.edges
    holders: dict[int, list[int]] = {}
    for i in np.flatnonzero(edges >= 0).tolist():
        holders.setdefault(int(found.graph.mentor[edges[i]]), []).append(i)
    group = dict(zip(alone, range(len(alone)), strict=True))  # of managers
    of_mentor = np.full(len(pool.mentors), -1)
    parent = list(range(len(alone)))

    def root(number: int) -> int:
        while parent[number] != number:
            parent[number] = parent[parent[number]]
            number = parent[number]
        return number

    layer = list(alone)
    while layer:
        reached: list[int] = []
        for i, able, _ in chain.from_iterable(pool.legal(np.array(layer))):
            mine = root(group[i])
            for other in np.unique(of_mentor[able]).tolist():
                if other >= 0:
                    parent[root(other)] = mine
            new = able[of_mentor[able] < 0]
            of_mentor[new] = mine
            for j in new.tolist():
                for holder in holders.get(j, ()):
                    if holder not in group:
                        group[holder] = mine
                        reached.append(holder)
        layer = reached
    roots = [root(number) for number in parent]
    everybody = _by_root(group.items(), roots)
    theirs = _by_root(enumerate(of_mentor.tolist()), roots)
    capacities = pool.capacities
    described = {
        number: Competition(tuple(everybody[number]), tuple(js), int(capacities[js].sum()))
        for number, js in theirs.items()
    }
    return {i: described[roots[group[i]]] for i in alone}


def _by_root(numbered: Iterable[tuple[int, int]], roots: list[int]) -> dict[int, list[int]]:
    found: dict[int, list[int]] = {}
    for person, number in sorted(numbered):
        if number >= 0:
            found.setdefault(roots[number], []).append(person)
    return found
