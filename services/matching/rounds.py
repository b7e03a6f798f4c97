"""A round: as many managers paired as possible, and among these pairings the best score."""

from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime, timedelta

from schemas.base import pair_of
from schemas.commands import RunRound
from schemas.events import PairProposed, RoundCompleted
from services.chassis.domain import Decision, Refusal
from services.matching.pairing import pair
from services.matching.scoring import Bonds, Pool, first_tools
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
    pool = _pool(cohort, mentors, managers, pairs)
    found = pair(pool)
    expires_at = now + timedelta(days=cohort.policy.proposal_days)
    proposals = [
        PairProposed(
            cohort_id=command.cohort_id,
            pair_id=pair_of(pool.mentors[j].id, pool.managers[i].id),
            mentor_id=pool.mentors[j].id,
            manager_id=pool.managers[i].id,
            round_id=command.round_id,
            score=score,
            reasons=pool.reasons(i, j),
            tools=first_tools(pool.mentors[j], pool.managers[i]),
            expires_at=expires_at,
        )
        for i, j, score in found.pairs
    ]
    completed = RoundCompleted(
        cohort_id=command.cohort_id,
        round_id=command.round_id,
        proposed=len(proposals),
        managers_waiting=len(pool.managers) - len(proposals),
        places_free=int(pool.capacities.sum()) - len(proposals),
        score=found.score,
    )
    return [*sorted(proposals, key=lambda proposal: proposal.manager_id), completed]


def _pool(
    cohort: Cohort,
    mentors: Sequence[Mentor],
    managers: Sequence[Manager],
    pairs: Sequence[Pair],
) -> Pool:
    """Who has room and who waits; `lines` go through whoever does not, too."""
    everybody: list[Mentor | Manager] = [*mentors, *managers]
    closed: dict[str, set[str]] = defaultdict(set)
    for past in pairs:
        closed[past.manager_id].add(past.mentor_id)
    return Pool(
        [mentor for mentor in mentors if mentor.places > 0],
        [manager for manager in managers if manager.state == "waiting"],
        cohort.policy,
        Bonds({person.id: person.line_manager for person in everybody}, closed),
    )
