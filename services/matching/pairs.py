"""Decisions about a proposal and the pair that comes of it."""

from datetime import datetime
from typing import assert_never

from schemas.base import Event
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
from services.chassis.domain import Decision, Refusal
from services.matching.views import Manager, Mentor, Pair


def accept(
    pair: Pair | None,
    mentor: Mentor | None,
    manager: Manager | None,
    command: AcceptProposal,
    now: datetime,
) -> Decision:
    """One side says yes; with the other's yes the pair is formed."""
    if (no := _not_open(pair, command.pair_id, now)) is not None:
        return no
    assert pair is not None and mentor is not None and manager is not None
    if command.by in pair.accepted:
        return Refusal(
            "conflict", "already-answered", "This side has accepted the proposal already."
        )
    accepted = ProposalAccepted(**_people(pair), by=command.by)
    if not pair.accepted:
        return [accepted]
    formed = PairFormed(
        **_people(pair),
        tools=pair.tools,
        mentor_availability=mentor.availability,
        manager_availability=manager.availability,
    )
    return [accepted, formed]


def decline(pair: Pair | None, command: DeclineProposal, now: datetime) -> Decision:
    """One side says no, for good; having said yes before does not bind."""
    if (no := _not_open(pair, command.pair_id, now)) is not None:
        return no
    assert pair is not None
    return [ProposalDeclined(**_people(pair), by=command.by)]


def expire(pair: Pair | None, now: datetime) -> list[Event]:
    """The deadline of a proposal has come."""
    if pair is None or pair.state != "proposed" or pair.due_at is None or pair.due_at > now:
        return []
    return [ProposalExpired(**_people(pair), cause="deadline")]


def dissolve(pair: Pair | None, command: DissolvePair) -> Decision:
    """A standing pair ends before its last session."""
    if pair is None:
        return _unknown(command.pair_id)
    match pair.state:
        case "formed":
            return [PairDissolved(**_people(pair), cause="request", reason=command.reason)]
        case "dissolved":
            return []
        case "proposed" | "declined" | "expired" | "graduated":
            return Refusal(
                "conflict",
                "pair-not-standing",
                f"The pair {pair.id} does not stand but is {pair.state}.",
            )
        case _:
            assert_never(pair.state)


def _not_open(pair: Pair | None, pair_id: str, now: datetime) -> Refusal | None:
    if pair is None:
        return _unknown(pair_id)
    match pair.state:
        case "proposed" if pair.due_at is not None and pair.due_at <= now:
            return Refusal(
                "conflict", "proposal-expired", "The time to answer this proposal has run out."
            )
        case "proposed":
            return None
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


def _unknown(pair_id: str) -> Refusal:
    return Refusal(
        "unknown", "unknown-pair", f"The pair {pair_id} was never proposed in this cohort."
    )


def _people(pair: Pair) -> dict[str, str]:
    return {
        "cohort_id": pair.cohort_id,
        "pair_id": pair.id,
        "mentor_id": pair.mentor_id,
        "manager_id": pair.manager_id,
    }
