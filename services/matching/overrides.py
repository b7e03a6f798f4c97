"""What a coordinator decides about a pair, against or beside the rounds; the reason is kept."""

from datetime import datetime

from schemas.base import people_of
from schemas.matching import KeepApart, PairChosenByHand, PairKeptApart, ProposePair
from schemas.values import BY_HAND
from services.chassis.domain import Decision, Refusal
from services.matching.rounds import proposal
from services.matching.search.fit import LineOf, kept_apart, to_agree_on
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
        return Refusal(
            "conflict", "pair-known", f"The pair {pair.id} was proposed before and is {pair.state}."
        )
    if manager.state != "waiting":
        return Refusal(
            "conflict",
            "not-waiting",
            f"The manager {manager.id} is {manager.state} and does not wait for a mentor.",
        )
    if mentor.places < 1:
        return Refusal(
            "conflict",
            "no-place",
            f"The mentor {mentor.id} is {mentor.state} and has no place for another manager.",
        )
    if override is not None and override.decision == "kept_apart":
        return Refusal("conflict", "kept-apart", f"A coordinator ruled out the pair {override.id}.")
    if (why := kept_apart(mentor, manager, cohort.policy, line_of)) is not None:
        return Refusal(
            "conflict",
            "kept-apart",
            f"The mentor {mentor.id} and the manager {manager.id} are kept apart: {why}.",
        )
    chosen = PairChosenByHand(
        cohort_id=command.cohort_id,
        pair_id=command.pair_id,
        mentor_id=mentor.id,
        manager_id=manager.id,
        reason=command.reason,
    )
    line = to_agree_on(mentor.id, manager.id, cohort.policy, line_of)
    shown = proposal(cohort.policy, mentor, manager, BY_HAND, now, command.reason, line)
    return [chosen, shown]


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
        return Refusal(
            "conflict",
            "pair-standing",
            f"The pair {pair.id} is {pair.state} and has to be ended first.",
        )
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
    return Refusal("unknown", "unknown-person", f"There is no {who} in this cohort.")
