"""For coordinators: a pair by hand, two people kept apart, a pair that a round leaves out.

Always holds: whoever decides for others says why, and nothing is sent before both are seen by name.
"""

import hashlib
from dataclasses import dataclass
from typing import Any

from fastapi.responses import Response
from pydantic import ValidationError

from schemas.base import Command, pair_of, people_of
from schemas.matching import KeepApart, ProposePair
from services.chassis.domain import Document
from services.chassis.store.contract import Where
from services.portal.spelling import words_of
from services.portal.views import Apart, Cohort, Pair, Participant
from services.portal.web.coordinating import tasks_of
from services.portal.web.rendering import onward, page, refusal
from services.portal.web.rounds_pages import simulated, the_round
from services.portal.web.site import NotHere
from services.portal.web.visit import Visit
from services.portal.why import sentence

PAGE = 50


@dataclass(frozen=True, slots=True)
class Purpose:
    """What two people are chosen for. `managers` and `mentors`: in which state they can be."""

    name: str
    command: type[ProposePair | KeepApart]
    shown_as: type[Document]
    said: str
    managers: str | None = None
    mentors: str | None = None


BY_HAND = Purpose("a-la-main", ProposePair, Pair, "a-la-main", "waiting", "available")
APART = Purpose("separer", KeepApart, Apart, "separe")


async def by_hand(visit: Visit) -> Response:
    """Choose a manager, then a mentor for them."""
    return await _choice(visit, BY_HAND, {})


async def by_hand_sent(visit: Visit) -> Response:
    """Propose the two to each other."""
    return await _decided(visit, BY_HAND)


async def apart(visit: Visit) -> Response:
    """Choose two people who are never to be a pair."""
    return await _choice(visit, APART, {})


async def apart_sent(visit: Visit) -> Response:
    """Keep them apart."""
    return await _decided(visit, APART)


async def _choice(visit: Visit, purpose: Purpose, errors: dict[str, str]) -> Response:
    """First the manager, then the mentor and the reason: found by name, fifty at most."""
    cohort = await visit.site.cohort(visit.path["cohort"])
    chosen = visit.query.get("manager", "")
    manager = await visit.site.store.one(Participant, cohort.id, chosen) if chosen else None
    if chosen and manager is None:
        raise NotHere
    field, state = ("manager_state", purpose.managers)
    if manager is not None:
        field, state = "mentor_state", purpose.mentors
    search = visit.query.get("q", "")[:80]
    starting = tuple(("words", word) for word in words_of(search))
    where = Where(cohort.id, {field: state} if state else {}, starting=starting)
    found = await visit.site.store.page(Participant, where, PAGE + 1, by="order")
    people = [one for one in found[:PAGE] if getattr(one, field) not in (None, "withdrawn")]
    people = [one for one in people if manager is None or one.id != manager.id]
    why = {
        one.id: sentence(one, manager, sorted(one.skills.keys() & manager.needs), visit.language)
        for one in people
        if manager is not None
    }
    return page(
        visit,
        "two_people.html",
        422 if errors else 200,
        **await tasks_of(visit, cohort),
        purpose=purpose.name,
        manager=manager,
        people=people,
        more=len(found) > PAGE,
        why=why,
        search=search,
        picked=visit.typed("mentor") or visit.query.get("mentor", ""),
        reason=visit.typed("raison"),
        errors=errors,
    )


async def _decided(visit: Visit, purpose: Purpose) -> Response:
    cohort = await visit.site.cohort(visit.path["cohort"])
    mentor_id, manager_id = visit.typed("mentor"), visit.query.get("manager", "")
    if await visit.site.store.one(Participant, cohort.id, manager_id) is None:
        raise NotHere
    errors: dict[str, str] = {}
    if not mentor_id:
        errors["mentor"] = visit.say("Choisissez un mentor.", "Choose a mentor.")
    elif await visit.site.store.one(Participant, cohort.id, mentor_id) is None:
        raise NotHere
    command = about_two(visit, purpose, cohort, f"{mentor_id or 'm'}~{manager_id}", errors)
    if errors or command is None:
        return await _choice(visit, purpose, errors)
    here = f"/coordonner/{cohort.id}/tour"
    outcome = await visit.send(command)
    if outcome.rule is not None:
        return refusal(visit, outcome.rule, f"{here}/{purpose.name}?manager={manager_id}")
    pair_id = pair_of(mentor_id, manager_id)

    async def shows() -> bool:
        return await visit.site.store.one(purpose.shown_as, cohort.id, pair_id) is not None

    return onward(here, purpose.said if await visit.site.shown(shows) else "en-cours")


def about_two(
    visit: Visit, purpose: Purpose, cohort: Cohort, pair_id: str, errors: dict[str, str]
) -> Command | None:
    """The command with the reason that was typed; what is wrong with it goes to `errors`."""
    wish: dict[str, Any] = {"cohort_id": cohort.id, "pair_id": pair_id}
    try:
        return purpose.command.model_validate({**wish, "reason": visit.typed("raison")})
    except ValidationError as error:
        if any(e["loc"][:1] == ("pair_id",) for e in error.errors()):
            raise NotHere from None
        errors["raison"] = visit.say(
            "Dites pourquoi, en 3 à 200 caractères.", "Say why, in 3 to 200 characters."
        )
        return None


async def set_aside(visit: Visit) -> Response:
    """A pair of a simulated round: to be left out this time, or for good."""
    return await _set_aside(visit, {})


async def _set_aside(visit: Visit, errors: dict[str, str]) -> Response:
    cohort, found = await the_round(visit)
    mentor, manager = await _the_two(visit, cohort)
    return page(
        visit,
        "set_aside.html",
        422 if errors else 200,
        **await tasks_of(visit, cohort),
        round=found,
        mentor=mentor,
        manager=manager,
        until=visit.typed("duree") or "ce-tour",
        reason=visit.typed("raison"),
        errors=errors,
    )


async def set_aside_sent(visit: Visit) -> Response:
    """Leave it out, and simulate again."""
    cohort, found = await the_round(visit)
    mentor, manager = await _the_two(visit, cohort)
    pair_id = pair_of(mentor.id, manager.id)
    besides = tuple(sorted({*found.besides, pair_id}))
    if visit.typed("duree") == "toujours":
        errors: dict[str, str] = {}
        command = about_two(visit, APART, cohort, pair_id, errors)
        if command is None:
            return await _set_aside(visit, errors)
        outcome = await visit.send(command)
        if outcome.rule is not None:
            here = f"/coordonner/{cohort.id}/tour/{found.id}"
            return refusal(visit, outcome.rule, here)
    return await simulated(visit, cohort, _without(found.id, besides), besides, "ecarte")


def _without(round_id: str, besides: tuple[str, ...]) -> str:
    """The id of a round that leaves these pairs out: the same one, however often it is sent."""
    pairs = hashlib.sha256(",".join(besides).encode()).hexdigest()
    return f"{round_id.partition('.')[0][:32]}.{pairs[:8]}"


async def _the_two(visit: Visit, cohort: Cohort) -> tuple[Participant, Participant]:
    pair_id = visit.query.get("binome", "")
    if pair_id.count("~") != 1:
        raise NotHere
    mentor_id, manager_id = people_of(pair_id)
    people = await visit.site.people(cohort.id, [mentor_id, manager_id])
    if mentor_id not in people or manager_id not in people:
        raise NotHere
    return people[mentor_id], people[manager_id]
