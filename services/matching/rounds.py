"""A round: asked for, then decided on part by part as the search finds its pairs.

Always holds: a pair is proposed only if it is legal and both are free at that very moment,
however long the search took and whatever went on meanwhile.
"""

from collections import Counter
from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from itertools import chain

import numpy as np

from schemas.base import Event, pair_of, recast
from schemas.matching import (
    ManagerWaitlisted,
    PairProposed,
    PairsSimulated,
    RoundCompleted,
    RoundRequested,
    RoundSimulated,
    RunRound,
)
from schemas.values import Profile, SimulatedPair, Waiting
from services.chassis.domain import Decision
from services.matching.couple import Couple
from services.matching.messages import PairsFound, SearchEnded
from services.matching.people import unknown_cohort
from services.matching.search.explaining import first_tools, reasons_of
from services.matching.search.scoring import Pool
from services.matching.views import Cohort, Manager, Mentor, Round, Simulation


def request(
    cohort: Cohort | None, past: Round | None, command: RunRound, now: datetime
) -> Decision:
    """Ask for a round. One that was asked for does nothing; a simulated one can be published."""
    if cohort is None:
        return unknown_cohort(command.cohort_id)
    if past is not None and (past.state, command.mode) != ("simulated", "publish"):
        return []
    return [
        RoundRequested(
            cohort_id=command.cohort_id,
            round_id=command.round_id,
            mode=command.mode,
            requested_at=now,
        )
    ]


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
    pool = Pool(
        list({couple.mentor.id: couple.mentor for couple in couples}.values()),
        list({couple.manager.id: couple.manager for couple in couples}.values()),
        cohort.policy,
    )
    proposals = [proposal(pool, i, j, round_.id, now) for i, j in _legal(pool, couples)]
    if round_.mode == "publish":
        return list(_free(pool, proposals))
    shown = tuple(SimulatedPair.model_validate(p, from_attributes=True) for p in proposals)
    if known is not None and known.pairs == shown:
        return []
    return [PairsSimulated(cohort_id=cohort.id, round_id=round_.id, part=part.part, pairs=shown)]


def proposal(
    pool: Pool, i: int, j: int, round_id: str, now: datetime, because: str | None = None
) -> PairProposed:
    """Manager i and mentor j of the pool, proposed to each other, with the reasons.

    `because`: that of the coordinator who chose the pair.
    """
    mentor, manager = pool.mentors[j], pool.managers[i]
    reasons, begin = reasons_of(pool, i, j), first_tools(mentor, manager)
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
        expires_at=now + timedelta(days=pool.policy.proposal_days),
    )


def _legal(pool: Pool, couples: Sequence[Couple]) -> Iterator[tuple[int, int]]:
    """Those of the couples that are legal, as indexes in the pool, in their order."""
    able = {
        i: set(mentors.tolist())
        for i, mentors, _ in chain.from_iterable(pool.legal(np.arange(len(pool.managers))))
    }
    mentors = {mentor.id: j for j, mentor in enumerate(pool.mentors)}
    managers = {manager.id: i for i, manager in enumerate(pool.managers)}
    for couple in couples:
        i, j = managers[couple.manager.id], mentors[couple.mentor.id]
        if j in able[i]:
            yield i, j


def _free(pool: Pool, proposals: Sequence[PairProposed]) -> Iterator[PairProposed]:
    """Those whose manager waits, and whose mentor has a place for them."""
    waiting = {manager.id for manager in pool.managers if manager.state == "waiting"}
    places = Counter({mentor.id: mentor.places for mentor in pool.mentors})
    for found in proposals:
        if found.manager_id in waiting and places[found.mentor_id] > 0:
            waiting.discard(found.manager_id)
            places[found.mentor_id] -= 1
            yield found


def tell_places(waiting: Sequence[tuple[Manager, Waiting]]) -> Sequence[Event]:
    """Tell managers who still wait their places on the list, where these are new."""
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


def complete(
    round_: Round, mentors: Sequence[Mentor], managers: Sequence[Manager], end: SearchEnded
) -> Sequence[Event]:
    """The round has its figures: those of the people as they now are, or of the simulation."""
    if round_.mode == "simulate":
        return [recast(RoundSimulated, end)]
    return [
        RoundCompleted(
            cohort_id=end.cohort_id,
            round_id=end.round_id,
            proposed=round_.proposed,
            managers_waiting=sum(manager.state == "waiting" for manager in managers),
            places_free=sum(mentor.places for mentor in mentors),
            score=round_.score,
            optimal=end.optimal and round_.proposed == end.proposed,
        )
    ]
