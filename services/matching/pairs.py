"""Decisions about a proposal and the pair that comes of it."""

from datetime import datetime
from typing import assert_never

from schemas.base import Event, recast
from schemas.matching import (
    AcceptProposal,
    DeclineProposal,
    DissolvePair,
    PairDissolved,
    PairFormed,
    ProposalAccepted,
    ProposalDeclined,
    ProposalExpired,
)
from schemas.scheduling import GraduationWithdrawn, PairGraduated
from schemas.taking_part import (
    AnotherPartnerAsked,
    AskForAnotherPartner,
    KeepPartner,
    PartnerKept,
)
from services.chassis.domain import Decision, Refusal
from services.matching.couple import Couple
from services.matching.views import Pair


def accept(couple: Couple | None, command: AcceptProposal, now: datetime) -> Decision:
    """One side says yes; with the other's yes the pair is formed."""
    found = _open(couple, command.pair_id, now)
    if isinstance(found, Refusal):
        return found
    couple, pair = found
    if command.by in pair.accepted:
        return Refusal(
            "conflict", "already-answered", "This side has accepted the proposal already."
        )
    if pair.reporting_line is not None and not command.knowing_the_line:
        return Refusal(
            "invalid",
            "line-not-agreed",
            "The two are in one reporting line, and each has to agree to it (knowing_the_line).",
        )
    yes = {"by": command.by, "charter": command.charter}
    accepted = recast(ProposalAccepted, pair, pair_id=pair.id, **yes)
    if not pair.accepted:
        return [accepted]
    formed = recast(
        PairFormed,
        pair,
        pair_id=pair.id,
        mentor_site=couple.mentor.site,
        manager_site=couple.manager.site,
        mentor_availability=couple.mentor.availability,
        manager_availability=couple.manager.availability,
    )
    return [accepted, formed]


def decline(couple: Couple | None, command: DeclineProposal, now: datetime) -> Decision:
    """One side says no, for good; having said yes before does not bind."""
    found = _open(couple, command.pair_id, now)
    if isinstance(found, Refusal):
        return found
    _, pair = found
    return [recast(ProposalDeclined, pair, pair_id=pair.id, by=command.by)]


def graduate(couple: Couple | None, event: PairGraduated) -> Decision:
    """A pair has had its last session: it is learned, and nothing follows from it."""
    if couple is None or couple.pair is None:
        return _unknown(event.pair_id)
    return []


def reopen(couple: Couple | None, event: GraduationWithdrawn) -> Decision:
    """A pair that had graduated has not: it stands again, unless somebody has left meanwhile.

    Who left and came back is in it again too, unless they have another mentor by now.
    """
    if couple is None or couple.pair is None:
        return _unknown(event.pair_id)
    pair = couple.pair
    if pair.state != "graduated":
        return []
    there = couple.manager.may_take(pair.id)
    gone = ((couple.mentor.state == "withdrawn", "mentor"), (not there, "manager"))
    for left, who in gone:
        if left:
            return [recast(PairDissolved, pair, pair_id=pair.id, cause=f"{who}_withdrew")]
    return []


def expire(pair: Pair | None, now: datetime) -> list[Event]:
    """The deadline of a proposal has come."""
    if pair is None or pair.state != "proposed" or pair.due_at is None or pair.due_at > now:
        return []
    return [recast(ProposalExpired, pair, pair_id=pair.id, cause="deadline")]


def end(pair: Pair) -> list[Event]:
    """Whatever stands of it ends, for nobody can be written to any more."""
    match pair.state:
        case "formed":
            return [recast(PairDissolved, pair, pair_id=pair.id, cause="request")]
        case "proposed":
            return [recast(ProposalExpired, pair, pair_id=pair.id, cause="deadline")]
        case "declined" | "expired" | "graduated" | "dissolved":
            return []
        case _:
            assert_never(pair.state)


def dissolve(pair: Pair | None, command: DissolvePair) -> Decision:
    """A standing pair ends before its last session."""
    if pair is None:
        return _unknown(command.pair_id)
    match pair.state:
        case "formed":
            cause = {"cause": "request", "reason": command.reason}
            return [recast(PairDissolved, pair, pair_id=pair.id, **cause)]
        case "dissolved":
            return []
        case "proposed" | "declined" | "expired" | "graduated":
            return _not_standing(pair)
        case _:
            assert_never(pair.state)


def ask_for_another(pair: Pair | None, command: AskForAnotherPartner) -> Decision:
    """One side would rather have another partner; nothing but a coordinator acts on it."""
    if pair is None:
        return _unknown(command.pair_id)
    if pair.state != "formed":
        return _not_standing(pair)
    if command.by in pair.asked_another:
        return []
    told = {"by": command.by, "reason": command.reason}
    return [recast(AnotherPartnerAsked, pair, pair_id=pair.id, **told)]


def keep(pair: Pair | None, command: KeepPartner) -> Decision:
    """Who had asked for another partner goes on with this one."""
    if pair is None:
        return _unknown(command.pair_id)
    if command.by not in pair.asked_another:
        return Refusal("conflict", "not-asked", "This side has not asked for another partner.")
    return [recast(PartnerKept, pair, pair_id=pair.id, by=command.by)]


def _open(couple: Couple | None, pair_id: str, now: datetime) -> tuple[Couple, Pair] | Refusal:
    """A proposal that can be answered, with its two people; or why there is none."""
    if couple is None or couple.pair is None:
        return _unknown(pair_id)
    pair = couple.pair
    match pair.state:
        case "proposed" if pair.due_at is not None and pair.due_at <= now:
            return Refusal(
                "conflict", "proposal-expired", "The time to answer this proposal has run out."
            )
        case "proposed":
            return couple, pair
        case "formed" | "graduated" | "dissolved":
            return Refusal(
                "conflict", "already-answered", "This proposal has been accepted already."
            )
        case "declined":
            return Refusal("conflict", "proposal-declined", "This proposal has been declined.")
        case "expired":
            return Refusal(
                "conflict", "proposal-expired", "The time to answer this proposal has run out."
            )
        case _:
            assert_never(pair.state)


def _not_standing(pair: Pair) -> Refusal:
    return Refusal(
        "conflict", "pair-not-standing", f"The pair {pair.id} does not stand but is {pair.state}."
    )


def _unknown(pair_id: str) -> Refusal:
    return Refusal(
        "unknown", "unknown-pair", f"The pair {pair_id} was never proposed in this cohort."
    )
