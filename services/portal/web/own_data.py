"""What is held about me: my letters and their links, my surveys, everything as a page and as JSON,
and its end.

Always holds: it is all of whoever is signed in, and names nobody else; to be forgotten is confirmed
by a page that says what will happen.
"""

import json
from dataclasses import dataclass
from typing import Any

from fastapi.responses import Response

from schemas.base import Command
from schemas.links import RevokeLinks
from schemas.matching import WithdrawManager, WithdrawMentor
from schemas.people import PersonErased
from services.chassis.store.contract import Where
from services.portal.views import Cohort, HeldRole, Letter, Pair, Participant, Session
from services.portal.web.doing import done
from services.portal.web.own_space import me_of
from services.portal.web.rendering import HEADS, message, page, refusal
from services.portal.web.site import NotHere, Site
from services.portal.web.visit import Visit

MANY = 500


@dataclass(frozen=True, slots=True)
class Held:
    """All that the portal holds about somebody in one programme."""

    cohort: Cohort
    me: Participant
    pairs: tuple[Pair, ...]
    sessions: tuple[Session, ...]
    letters: tuple[Letter, ...]
    roles: tuple[HeldRole, ...] = ()


async def held(visit: Visit, me: Participant) -> Held:
    """All of it; the newest letters first."""
    return await held_by(visit.site, me)


async def held_by(site: Site, me: Participant) -> Held:
    """The same, whoever asks for it."""
    store, at = site.store, me.cohort_id
    pairs: list[Pair] = []
    for field in ("mentor_id", "manager_id"):
        pairs += await store.page(Pair, Where(at, {field: me.id}), MANY)
    sessions: list[Session] = []
    for pair in pairs:
        sessions += await store.page(Session, Where(at, {"pair_id": pair.id}), MANY)
    letters = await store.page(Letter, Where(at, {"person_id": me.id}), MANY)
    letters.sort(key=lambda letter: (letter.owed_at, letter.id), reverse=True)
    roles = await store.page(HeldRole, Where(at, {"person_id": me.id}), MANY)
    cohort = await site.cohort(at)
    return Held(cohort, me, tuple(pairs), tuple(sessions), tuple(letters), tuple(roles))


async def letters(visit: Visit) -> Response:
    """What was written to me, and the surveys that I can still answer."""
    mine = await held(visit, await me_of(visit))
    surveys = [
        letter
        for letter in mine.letters
        if letter.closes_at is not None and letter.closes_at > visit.now and letter.state == "sent"
    ]
    return page(visit, "letters.html", mine=mine, surveys=surveys)


async def links_revoked(visit: Visit) -> Response:
    """The links of my letters so far, and of my assistant's, count no more."""
    me = await me_of(visit)
    if visit.typed("action") != "desactiver":
        raise NotHere
    command = RevokeLinks(cohort_id=me.cohort_id, person_id=me.id)
    return await done(visit, command, sent, "liens")


async def sent() -> bool:
    """There is nothing of it in the portal to wait for: matching has answered."""
    return True


async def data(visit: Visit) -> Response:
    """What is held about me, to be read."""
    return page(visit, "data.html", mine=await held(visit, await me_of(visit)))


async def data_as_json(visit: Visit) -> Response:
    """The same for machines."""
    mine = await held(visit, await me_of(visit))
    text = json.dumps(as_json(mine), ensure_ascii=False, indent=1)
    heads = {**HEADS, "Content-Disposition": 'attachment; filename="mes-donnees.json"'}
    return Response(text, media_type="application/json", headers=heads)


def as_json(mine: Held) -> dict[str, Any]:
    """Everything, with the calculation of each match; the other person by id alone."""
    return {
        "programme": {"id": mine.cohort.id, "name": mine.cohort.name},
        "person": mine.me.model_dump(mode="json", exclude={"words", "order"}),
        "pairs": [_pair(pair, mine.me) for pair in mine.pairs],
        "sessions": [session.model_dump(mode="json") for session in mine.sessions],
        "letters": [letter.model_dump(mode="json") for letter in mine.letters],
        "roles": [role.model_dump(mode="json") for role in mine.roles],
        "rules": mine.cohort.policy.model_dump(mode="json"),
    }


def _pair(pair: Pair, me: Participant) -> dict[str, Any]:
    """A pair; what the other has asked for in confidence is not mine."""
    told = pair.model_dump(mode="json", exclude={"wants_another"})
    side = "mentor" if pair.mentor_id == me.id else "manager"
    told["asked_another"] = [one for one in told["asked_another"] if one["by"] == side]
    return told


# --- to be forgotten --------------------------------------------------------------------------


async def erase_form(visit: Visit) -> Response:
    """What it means to be forgotten."""
    if not await _is_there(visit):
        return _forgotten_already(visit)
    return page(visit, "erase.html")


async def _is_there(visit: Visit) -> bool:
    there = Where(visit.path["cohort"], {"address": visit.address})
    return bool(await visit.site.store.page(Participant, there, 1))


def _forgotten_already(visit: Visit) -> Response:
    """To whoever presses twice, or takes the form up again after they have been signed out."""
    return message(
        visit,
        visit.say("Rien n’est gardé de vous ici", "Nothing is held about you here"),
        visit.say(
            "Ce programme n’a ni votre nom ni votre adresse, ou ne les a plus.",
            "This programme does not have your name and your address, or has them no longer.",
        ),
        way=("/", visit.say("Aller à l’accueil", "Start over")),
    )


async def erase_sent(visit: Visit) -> Response:
    """Leave wherever I take part, then be forgotten, in every programme; and be signed out."""
    if not await _is_there(visit):
        return _forgotten_already(visit)
    if visit.typed("compris") != "oui":
        wrong = visit.say("Cochez la case pour confirmer.", "Tick the box to confirm.")
        return page(visit, "erase.html", 422, errors={"compris": wrong})
    mine = await visit.site.store.page(Participant, Where(equal={"address": visit.address}), MANY)
    for me in mine:
        for command in goodbye(me):
            outcome = await visit.send(command)
            if outcome.rule is not None:
                return refusal(visit, outcome.rule, "/mon-espace")
        await visit.site.forget_person(me.cohort_id, visit.address)
    await visit.site.sessions.end_all(visit.address)
    visit.request.state.session = ""
    visit.session = None
    return message(
        visit,
        visit.say("Vous êtes oublié·e", "You are forgotten"),
        visit.say(
            "Votre nom, votre adresse et votre présentation sont effacés. Vous êtes déconnecté·e.",
            "Your name, address and presentation are erased. You are signed out.",
        ),
        visit.say(
            "Si vous vous inscrivez à nouveau un jour, ce sera comme une nouvelle personne.",
            "If you ever join again, it will be as somebody new.",
        ),
    )


def goodbye(me: Participant) -> list[Command]:
    """First gone, then forgotten: who is told that a pair has ended hears with whom."""
    found: list[Command] = []
    if me.mentor_state not in (None, "withdrawn"):
        found.append(WithdrawMentor(cohort_id=me.cohort_id, mentor_id=me.id))
    if me.manager_state not in (None, "withdrawn"):
        found.append(WithdrawManager(cohort_id=me.cohort_id, manager_id=me.id))
    return [*found, PersonErased(cohort_id=me.cohort_id, person_id=me.id)]
