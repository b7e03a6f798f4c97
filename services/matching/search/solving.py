"""The pairs of everybody who is free and waits, and why the others have none. Pure.

Its own process may run it: what it takes and gives can be sent there.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import chain

import numpy as np

from schemas.values import CohortPolicy, WaitingCause
from services.matching.search.pairing import pair
from services.matching.search.scoring import Bonds, Pool
from services.matching.search.unpaired import unpaired
from services.matching.views import Manager, Mentor

_LONG_AGO = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class People:
    """Everybody of a cohort, as a search sees them."""

    policy: CohortPolicy
    mentors: Sequence[Mentor]
    managers: Sequence[Manager]
    closed: Mapping[str, Sequence[str]]

    @property
    def free(self) -> list[Mentor]:
        return [mentor for mentor in self.mentors if mentor.places > 0]

    @property
    def waiting(self) -> list[Manager]:
        """In the order of the waiting list."""
        rows = [manager for manager in self.managers if manager.state == "waiting"]
        return sorted(rows, key=lambda m: (m.enrolled_at or _LONG_AGO, m.id))


@dataclass(frozen=True, slots=True)
class Found:
    """What came of one search: pairs (mentor, manager), best first, and why others wait."""

    pairs: Sequence[tuple[str, str]] = ()
    causes: Mapping[str, WaitingCause] = field(default_factory=dict)
    score: float = 0.0
    places_free: int = 0
    proven: bool = True


def solve(people: People) -> Found:
    """The best pairing of those who are free and wait. Pure."""
    everybody: list[Mentor | Manager] = [*people.mentors, *people.managers]
    bonds = Bonds({person.id: person.line_manager for person in everybody}, people.closed)
    pool = Pool(people.free, people.waiting, people.policy, bonds)
    found = pair(pool)
    causes: dict[str, WaitingCause] = {
        pool.managers[one.manager].id: one.cause for one in unpaired(found)
    }
    for manager in _without_a_place(people, bonds, causes):
        causes[manager] = "no-place"
    best_first = sorted(found.pairs, key=lambda row: -row[2])
    return Found(
        [(pool.mentors[j].id, pool.managers[i].id) for i, j, _ in best_first],
        causes,
        found.score,
        int(pool.capacities.sum()) - len(found.pairs),
        found.proven,
    )


def _without_a_place(people: People, bonds: Bonds, causes: Mapping[str, WaitingCause]) -> list[str]:
    """Of those whom nobody free can coach: whom somebody without a free place could."""
    asking = [m for m in people.waiting if m.id in causes and causes[m.id] != "competition"]
    busy = [mentor for mentor in people.mentors if mentor.state == "engaged"]
    pool = Pool(busy, asking, people.policy, bonds)
    blocks = pool.legal(np.arange(len(asking)))
    return [pool.managers[i].id for i, able, _ in chain.from_iterable(blocks) if len(able)]
