"""A round: as many managers paired as possible, and among these pairings the best score.

Exact: a minimum-weight full matching on the sparse graph of legal pairs, where each manager also
has a place of its own that means "waits on" and costs more than any pairing can gain.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta

import numpy as np
from scipy.sparse import csr_matrix
from scipy.sparse.csgraph import min_weight_full_bipartite_matching

from schemas.base import pair_of
from schemas.commands import RunRound
from schemas.events import PairProposed, RoundCompleted
from services.chassis.domain import Decision, Refusal
from services.matching.scoring import Candidates, Pool, first_tools, reasons
from services.matching.views import Cohort, Manager, Mentor, Pair, Round


def run_round(
    cohort: Cohort | None,
    past: Round | None,
    mentors: Sequence[Mentor],
    managers: Sequence[Manager],
    pairs: Sequence[Pair],
    command: RunRound,
    now: datetime,
) -> Decision:
    """Propose pairs to the people who wait. A round that has run already does nothing."""
    if cohort is None:
        return Refusal("unknown-cohort", f"there is no cohort {command.cohort_id}")
    if past is not None:
        return []
    open_mentors = [mentor for mentor in mentors if mentor.places > 0]
    waiting = [manager for manager in managers if manager.state == "waiting"]
    everybody: list[Mentor | Manager] = [*mentors, *managers]
    lines = {person.id: person.line_manager for person in everybody}
    closed: dict[str, set[str]] = {}
    for pair in pairs:
        closed.setdefault(pair.manager_id, set()).add(pair.mentor_id)
    pool = Pool(open_mentors, waiting, cohort.policy)
    candidates = [pool.candidates(m, lines, frozenset(closed.get(m.id, ()))) for m in waiting]
    chosen = assign(candidates, [mentor.places for mentor in open_mentors])
    expires_at = now + timedelta(days=cohort.policy.proposal_days)
    proposals = [
        PairProposed(
            cohort_id=command.cohort_id,
            pair_id=pair_of(open_mentors[found.mentors[edge]].id, manager.id),
            mentor_id=open_mentors[found.mentors[edge]].id,
            manager_id=manager.id,
            round_id=command.round_id,
            score=round(float(found.scores[edge]), 2),
            reasons=reasons(found, edge, cohort.policy),
            tools=first_tools(open_mentors[found.mentors[edge]], manager),
            expires_at=expires_at,
        )
        for manager, found, edge in zip(waiting, candidates, chosen, strict=True)
        if edge is not None
    ]
    completed = RoundCompleted(
        cohort_id=command.cohort_id,
        round_id=command.round_id,
        proposed=len(proposals),
        managers_waiting=len(waiting) - len(proposals),
        places_free=sum(mentor.places for mentor in open_mentors) - len(proposals),
        score=round(sum(proposal.score for proposal in proposals), 2),
    )
    return [*proposals, completed]


def assign(candidates: Sequence[Candidates], places: Sequence[int]) -> list[int | None]:
    """For each manager the index of its chosen candidate, or None: most pairs, then best score.

    `places[i]` is how many managers mentor i can take.
    """
    if not candidates:
        return []
    first_place = np.concatenate([[0], np.cumsum(places)]).astype(np.int64)
    seats = int(first_place[-1])
    count = len(candidates)
    waits_on = 101.0 * (count + 1)
    rows: list[int] = []
    columns: list[int] = []
    weights: list[float] = []
    for row, found in enumerate(candidates):
        for edge, mentor in enumerate(found.mentors):
            taken = range(int(first_place[mentor]), int(first_place[mentor + 1]))
            rows.extend([row] * len(taken))
            columns.extend(taken)
            weights.extend([101.0 - float(found.scores[edge])] * len(taken))
        rows.append(row)
        columns.append(seats + row)
        weights.append(waits_on)
    graph = csr_matrix((weights, (rows, columns)), shape=(count, seats + count))
    _, seat_of = min_weight_full_bipartite_matching(graph)
    mentor_of = np.repeat(np.arange(len(places)), places)
    return [
        None if seat >= seats else int(np.searchsorted(candidates[row].mentors, mentor_of[seat]))
        for row, seat in enumerate(seat_of)
    ]
