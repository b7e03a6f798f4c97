"""For coordinators: a round is simulated, looked at by name, and published."""

import secrets

from fastapi.responses import Response

from schemas.matching import RunRound
from schemas.values import RoundMode
from services.chassis.store.contract import Where
from services.portal import phrases
from services.portal.views import Pair, Participant, Round, Simulation
from services.portal.web.coordinating import tasks_of
from services.portal.web.rendering import message, onward, page
from services.portal.web.site import NotHere
from services.portal.web.visit import Visit
from services.portal.why import sentence

MANY = 1000

Proposal = tuple[str, str, float, tuple[str, ...], str]
"""Mentor, manager, points, tools to begin with, and the pair's state ("" where it is none yet)."""


async def rounds(visit: Visit) -> Response:
    """The rounds so far, who waits, and the button for the next one."""
    cohort = await visit.site.cohort(visit.path["cohort"])
    store = visit.site.store
    found = await store.page(Round, Where(cohort.id), 100)
    found.sort(key=lambda one: (one.requested_at is None, one.requested_at, one.id), reverse=True)
    return page(
        visit,
        "rounds.html",
        **await tasks_of(visit, cohort),
        rounds=found,
        waiting=await store.count(Participant, Where(cohort.id, {"manager_state": "waiting"})),
        mentors=await store.count(Participant, Where(cohort.id, {"mentor_state": "available"})),
    )


async def run(visit: Visit) -> Response:
    """Simulate a new round, or publish one that was simulated."""
    cohort = await visit.site.cohort(visit.path["cohort"])
    round_id = visit.typed("tour")
    mode: RoundMode = "publish" if visit.typed("action") == "publier" else "simulate"
    if mode == "publish":
        simulated = await visit.site.store.one(Round, cohort.id, round_id)
        if simulated is None:
            raise NotHere
    else:
        round_id = f"tour-{secrets.token_hex(4)}"
    command = RunRound(cohort_id=cohort.id, round_id=round_id, mode=mode)
    outcome = await visit.send(command)
    here = f"/coordonner/{cohort.id}/tour"
    if outcome.rule is not None:
        return message(
            visit,
            visit.say("Ce n’est plus possible", "This is no longer possible"),
            phrases.refused(outcome.rule, visit.language),
            status=409,
            way=(here, visit.say("Revenir", "Back")),
        )
    ended = "simulated" if mode == "simulate" else "completed"

    async def shows() -> bool:
        one = await visit.site.store.one(Round, cohort.id, round_id)
        return one is not None and one.state == ended

    done = await visit.site.shown(shows)
    said = ("simule" if mode == "simulate" else "publie") if done else "en-cours"
    return onward(f"{here}/{round_id}", said)


async def one_round(visit: Visit) -> Response:
    """The pairs of a round by name, each with one sentence why."""
    cohort = await visit.site.cohort(visit.path["cohort"])
    store = visit.site.store
    found = await store.one(Round, cohort.id, visit.path["round"])
    if found is None:
        raise NotHere
    pairs = await _pairs(visit, found)
    ids = [id_ for mentor, manager, *_ in pairs for id_ in (mentor, manager)]
    people = await visit.site.people(cohort.id, ids)
    rows = [
        {
            "mentor": people.get(mentor),
            "manager": people.get(manager),
            "score": score,
            "why": sentence(people.get(mentor), people.get(manager), tools, visit.language),
            "state": state,
        }
        for mentor, manager, score, tools, state in sorted(pairs, key=lambda pair: -pair[2])
    ]
    left = await store.page(Participant, Where(cohort.id, {"manager_state": "waiting"}), MANY)
    paired = {manager for _, manager, *_ in pairs}
    return page(
        visit,
        "round.html",
        **await tasks_of(visit, cohort),
        round=found,
        rows=rows,
        left=[one for one in left if one.id not in paired],
    )


async def _pairs(visit: Visit, found: Round) -> list[Proposal]:
    """What a round proposed, or would propose."""
    store, by_round = visit.site.store, Where(found.cohort_id, {"round_id": found.id})
    if found.mode == "publish":
        return [
            (p.mentor_id, p.manager_id, p.score, tuple(t.tool for t in p.first_tools), p.state)
            for p in await store.page(Pair, by_round, MANY)
        ]
    parts = await store.page(Simulation, by_round, MANY)
    return [
        (p.mentor_id, p.manager_id, p.score, p.tools, "")
        for part in sorted(parts, key=lambda part: part.part)
        for p in part.pairs
    ]
