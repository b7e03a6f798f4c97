"""What a coordinator decides about a pair, against or beside the rounds; the reason is kept."""

from datetime import datetime

from schemas.base import people_of
from schemas.matching import BY_HAND, KeepApart, PairChosenByHand, PairKeptApart, ProposePair
from services.chassis.domain import Decision, Refusal
from services.matching.rounds import proposal
from services.matching.search.scoring import LineOf, Pool, kept_apart
from services.matching.views import Cohort, Manager, Mentor, Override, Pair


def propose(
    cohort: Cohort | None,
    mentor: Mentor | None,
    manager: Manager | None,
    pair: Pair | None,
    override: Override | None,
    line_of: LineOf,
    command: ProposePair,
    now: datetime,
) -> Decision:
    """Propose a pair by hand: what it would score does not count, what keeps two apart does."""
    if cohort is None or mentor is None or manager is None:
        return _unknown(command.pair_id, mentor)
    if pair is not None:
        return Refusal("pair-known", f"the pair {pair.id} was proposed before; it is {pair.state}")
    if manager.state != "waiting":
        return Refusal("not-waiting", f"{manager.id} does not wait for a mentor: {manager.state}")
    if mentor.places < 1:
        return Refusal("no-place", f"{mentor.id} has no place for another manager: {mentor.state}")
    if override is not None and override.decision == "kept_apart":
        return Refusal("kept-apart", f"a coordinator ruled {override.id} out")
    if (why := kept_apart(mentor, manager, cohort.policy, line_of)) is not None:
        return Refusal("kept-apart", f"{mentor.id} and {manager.id} are kept apart: {why}")
    chosen = PairChosenByHand(
        cohort_id=command.cohort_id,
        pair_id=command.pair_id,
        mentor_id=mentor.id,
        manager_id=manager.id,
        reason=command.reason,
    )
    return [chosen, proposal(Pool([mentor], [manager], cohort.policy), 0, 0, BY_HAND, now)]


def keep_apart(
    mentor: Mentor | None,
    manager: Manager | None,
    pair: Pair | None,
    override: Override | None,
    command: KeepApart,
) -> Decision:
    """Rule a pair out for every round to come; a standing one has to be ended first."""
    if mentor is None or manager is None:
        return _unknown(command.pair_id, mentor)
    if pair is not None and pair.state in ("proposed", "formed"):
        return Refusal("pair-standing", f"{pair.id} is {pair.state}: decline or dissolve it first")
    if override is not None and override.decision == "kept_apart":
        return []
    return [
        PairKeptApart(
            cohort_id=command.cohort_id,
            pair_id=command.pair_id,
            mentor_id=mentor.id,
            manager_id=manager.id,
            reason=command.reason,
        )
    ]


def _unknown(pair_id: str, mentor: Mentor | None) -> Refusal:
    mentor_id, manager_id = people_of(pair_id)
    who = f"mentor {mentor_id}" if mentor is None else f"manager {manager_id}"
    return Refusal("unknown-person", f"there is no {who} in this cohort")
