"""A round: asked for, then decided on part by part as the search finds its pairs.

Always holds: a pair is proposed only if it is legal and both are free at that very moment,
however long the search took and whatever went on meanwhile.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime, timedelta
from typing import assert_never

from schemas.base import Event, pair_of, recast
from schemas.lines import LineRelation
from schemas.matching import (
    ManagerWaitlisted,
    PairProposed,
    RoundCompleted,
    RunRound,
)
from schemas.rounds import (
    CallOffRound,
    PairsSimulated,
    RoundCalledOff,
    RoundRequested,
    RoundSimulated,
)
from schemas.values import (
    BY_HAND,
    CohortPolicy,
    Profile,
    SimulatedPair,
    SimulatedPlace,
    Waiting,
)
from services.chassis.domain import Decision, Refusal
from services.matching.couple import Couple
from services.matching.messages import PairsFound, SearchEnded
from services.matching.people import unknown_cohort
from services.matching.search.explaining import first_tools, reasons_of
from services.matching.search.fit import may_pair
from services.matching.views import Cohort, Manager, Mentor, Round, Simulation

_RESERVED = Refusal(
    "invalid", "reserved-round", f"A round is not called {BY_HAND}: so are pairs that no round has."
)


def request(
    cohort: Cohort | None, past: Round | None, command: RunRound, now: datetime
) -> Decision:
    """Ask for a round. One that was asked for does nothing; a simulated one can be published.

    Pairs that the simulation has left out are left out of what is published.
    """
    if cohort is None:
        return unknown_cohort(command.cohort_id)
    if command.round_id == BY_HAND:
        return _RESERVED
    held = command.mode == "publish" and command.in_minutes > 0
    begins_at = now + timedelta(minutes=command.in_minutes) if held else None
    if past is not None and not _can_be_asked_for(past, command, begins_at or now):
        return []
    left_out = {*command.besides, *(past.besides if past else ())}
    return [
        RoundRequested(
            cohort_id=command.cohort_id,
            round_id=command.round_id,
            mode=command.mode,
            requested_at=now,
            begins_at=begins_at,
            besides=tuple(sorted(left_out)),
        )
    ]


def _can_be_asked_for(past: Round, command: RunRound, begins_at: datetime) -> bool:
    match past.state:
        case "called-off":
            return True
        case "simulated":
            return command.mode == "publish"
        case "requested":  # to be published later: it can be sooner
            sooner = past.due_at is not None and begins_at < past.due_at
            return past.mode == command.mode == "publish" and sooner
        case "completed":
            return False
        case _:
            assert_never(past.state)


def call_off(past: Round | None, command: CallOffRound, now: datetime) -> Decision:
    """Do not publish a round after all, as long as it has not begun."""
    if past is None:
        return Refusal("unknown", "unknown-round", f"There is no round {command.round_id}.")
    if past.state == "called-off":
        return []
    if past.mode != "publish" or past.state != "requested":
        return Refusal(
            "conflict", "round-not-waiting", f"The round {past.id} does not wait to be published."
        )
    if past.due_at is None or past.due_at <= now:
        return Refusal("conflict", "round-begun", f"The round {past.id} has begun.")
    return [RoundCalledOff(cohort_id=past.cohort_id, round_id=past.id)]


def propose(
    cohort: Cohort,
    round_: Round,
    couples: Sequence[Couple],
    known: Simulation | None,
    part: PairsFound,
    now: datetime,
) -> Sequence[Event]:
    """Propose the couples that still hold, or show them. None of them was a pair before.

    `known` is the part of the simulation as it has been shown.
    """
    policy = cohort.policy
    legal = [couple for couple in couples if may_pair(couple.mentor, couple.manager, policy)]
    if round_.mode == "publish":
        legal = list(_free(legal))
    proposals = [
        proposal(
            policy,
            c.mentor,
            c.manager,
            round_.id,
            now,
            line=part.related.get(pair_of(c.mentor.id, c.manager.id)),
        )
        for c in legal
    ]
    if round_.mode == "publish":
        return proposals
    shown = tuple(SimulatedPair.model_validate(p, from_attributes=True) for p in proposals)
    if known is not None and known.pairs == shown:
        return []
    return [PairsSimulated(cohort_id=cohort.id, round_id=round_.id, part=part.part, pairs=shown)]


def proposal(
    policy: CohortPolicy,
    mentor: Mentor,
    manager: Manager,
    round_id: str,
    now: datetime,
    because: str | None = None,
    line: LineRelation | None = None,
) -> PairProposed:
    """The two, proposed to each other, with the reasons.

    `because`: that of who chose the pair. `line`: how they stand in the reporting line, where both
    have to agree to it.
    """
    reasons, begin = reasons_of(mentor, manager, policy), first_tools(mentor, manager)
    return PairProposed(
        cohort_id=manager.cohort_id,
        pair_id=pair_of(mentor.id, manager.id),
        mentor_id=mentor.id,
        manager_id=manager.id,
        round_id=round_id,
        score=round(sum(reason.contribution for reason in reasons), 4),
        reasons=reasons,
        tools=tuple(first.tool for first in begin),
        first_tools=begin,
        mentor_profile=Profile(directorate=mentor.directorate, site=mentor.site),
        manager_profile=recast(Profile, manager),
        chosen_because=because,
        reporting_line=line,
        expires_at=now + timedelta(days=policy.proposal_days),
    )


def _free(couples: Iterable[Couple]) -> Iterator[Couple]:
    """Those whose manager waits, and whose mentor has a place for them."""
    proposed: set[str] = set()
    taken: Counter[str] = Counter()
    for couple in couples:
        mentor, manager = couple.mentor, couple.manager
        waits = manager.state == "waiting" and manager.id not in proposed
        if waits and taken[mentor.id] < mentor.places:
            proposed.add(manager.id)
            taken[mentor.id] += 1
            yield couple


def tell_places(
    round_: Round,
    known: Simulation | None,
    part: int,
    waiting: Sequence[tuple[Manager, Waiting]],
) -> Sequence[Event]:
    """Tell managers who still wait their places on the list, where these are new; or show them."""
    if round_.mode == "simulate":
        left = tuple(SimulatedPlace(manager_id=who.id, waiting=place) for who, place in waiting)
        if known is not None and known.left == left:
            return []
        about = {"cohort_id": round_.cohort_id, "round_id": round_.id, "part": part}
        return [PairsSimulated.model_validate({**about, "pairs": (), "left": left})]
    return [
        ManagerWaitlisted(
            cohort_id=manager.cohort_id,
            manager_id=manager.id,
            waiting=place,
            first=manager.waiting is None,
        )
        for manager, place in waiting
        if manager.state == "waiting" and not _knows(manager, place)
    ]


def _knows(manager: Manager, place: Waiting) -> bool:
    known = manager.waiting
    return known is not None and (known.position, known.cause) == (place.position, place.cause)


def complete(round_: Round, waiting: int, places: int, end: SearchEnded) -> Sequence[Event]:
    """The round has its figures: those of the people as they now are, or of the simulation.

    `waiting`: managers who wait now; `places`: how many more managers all mentors can take.
    """
    if round_.mode == "simulate":
        return [recast(RoundSimulated, end)]
    return [
        RoundCompleted(
            cohort_id=end.cohort_id,
            round_id=end.round_id,
            proposed=round_.proposed,
            managers_waiting=waiting,
            places_free=places,
            score=round_.score,
            optimal=end.optimal and round_.proposed == end.proposed,
        )
    ]
