"""For coordinators: one person's sheet, and what is corrected or done on their behalf.

Always holds: a sheet that somebody else has changed meanwhile is shown as it is now, with what was
typed, and not written over; what has been done already is done once.
"""

import hashlib
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

from fastapi.responses import Response
from pydantic import ValidationError

from schemas.base import Command
from schemas.known.jobs import said as job_said
from schemas.known.tools import label
from schemas.links import RevokeLinks
from schemas.matching import ChangeAvailability
from schemas.taking_part import ChangeManager, ChangeMentor
from schemas.values import Language, Side, Tools
from services.chassis.store.contract import Where
from services.portal import weeks
from services.portal.jobs import job_of
from services.portal.roster import read_tools
from services.portal.tools import tool_of
from services.portal.views import Letter, Pair, Participant, Session
from services.portal.web.coordinating import tasks_of
from services.portal.web.deeds import Deed, deeds_of
from services.portal.web.handling import contact_of
from services.portal.web.own_space import own_pair
from services.portal.web.rendering import onward, page, refusal
from services.portal.web.site import NotHere
from services.portal.web.visit import Visit

MANY = 200
FIELDS = (
    *("nom", "adresse", "langue", "fonction", "presentation", "direction", "site", "heures"),
    "organisme",
    *("outils-mentor", "places", "poste", "outils-manager"),
)

NOT_FOR_PARTNERS = ("adresse", "organisme")
"""By what somebody is known, and whose they are."""


async def sheet(visit: Visit) -> Response:
    """One person: what they said, their pairs, sessions and letters."""
    person = await _person(visit)
    return await _sheet(visit, person, typed_of(person, visit.language))


async def _sheet(
    visit: Visit,
    person: Participant,
    given: Mapping[str, str],
    errors: Mapping[str, str] | None = None,
    *,
    changed: bool = False,
) -> Response:
    cohort = await visit.site.cohort(visit.path["cohort"])
    store = visit.site.store
    sides: tuple[tuple[Side, str], ...] = (("mentor", "mentor_id"), ("manager", "manager_id"))
    pairs = [
        (pair, side)
        for side, field in sides
        for pair in await store.page(Pair, Where(person.cohort_id, {field: person.id}), MANY)
    ]
    others = [p.manager_id if side == "mentor" else p.mentor_id for p, side in pairs]
    people = await visit.site.people(cohort.id, others)
    own = []
    for (pair, side), other in zip(pairs, others, strict=True):
        where = Where(cohort.id, {"pair_id": pair.id})
        sessions = await store.page(Session, where, cohort.policy.sessions)
        own.append(own_pair(pair, side, people.get(other), sessions, cohort, visit.now))
    letters = await store.page(Letter, Where(cohort.id, {"person_id": person.id}), MANY)
    return page(
        visit,
        "sheet.html",
        409 if changed else 422 if errors else 200,
        **await tasks_of(visit, cohort),
        person=person,
        pairs=own,
        letters=sorted(letters, key=lambda letter: (letter.owed_at, letter.id), reverse=True),
        errors=errors or {},
        given=given,
        changed=changed,
        version=version_of(person),
    )


async def _person(visit: Visit) -> Participant:
    cohort_id, id_ = visit.path["cohort"], visit.path["person"]
    found = await visit.site.store.one(Participant, cohort_id, id_)
    if found is None:
        raise NotHere
    return found


def version_of(person: Participant) -> str:
    """Another one whenever anything on the sheet that can be changed is other."""
    shown = person.model_dump_json(exclude={"waiting", "order", "words", "pair_id"})
    return hashlib.sha256(shown.encode()).hexdigest()[:16]


async def sheet_sent(visit: Visit) -> Response:
    """Correct what somebody said, pause, resume, withdraw or bring them back."""
    person = await _person(visit)
    action = visit.typed("action")
    if action == "corriger":
        given = {name: visit.typed(name) for name in FIELDS}
        if visit.role == "partner":
            known = typed_of(person, visit.language)
            given |= {name: known[name] for name in NOT_FOR_PARTNERS}
        deeds, errors = _corrections(visit, person, given)
    elif action == "liens" and visit.role != "partner":
        return await _links_revoked(visit, person)
    elif (deed := deeds_of(person).get(action)) is not None:
        given, deeds, errors = typed_of(person, visit.language), [deed], {}
    else:
        raise NotHere
    left = [deed for deed in deeds if not deed.done(person)]
    here = f"/coordonner/{person.cohort_id}/participants/{person.id}"
    said = deeds[-1].said if deeds else "corrige"
    if errors:
        return await _sheet(visit, person, given, errors)
    if not left:
        return onward(here, said)
    if visit.typed("version") != version_of(person):
        return await _sheet(visit, person, given, changed=True)
    for deed in left:
        outcome = await visit.send(deed.command)
        if outcome.rule is not None:
            return refusal(visit, outcome.rule, here)

    async def shows() -> bool:
        now = await visit.site.store.one(Participant, person.cohort_id, person.id)
        return now is not None and all(deed.done(now) for deed in left)

    return onward(here, said if await visit.site.shown(shows) else "en-cours")


async def _links_revoked(visit: Visit, person: Participant) -> Response:
    """The links of their letters so far count no more; each time anew, for there can be others."""
    here = f"/coordonner/{person.cohort_id}/participants/{person.id}"
    outcome = await visit.send(RevokeLinks(cohort_id=person.cohort_id, person_id=person.id))
    if outcome.rule is not None:
        return refusal(visit, outcome.rule, here)
    return onward(here, "liens-pour")


# --- corrections --------------------------------------------------------------------------------


def typed_of(person: Participant, language: Language) -> dict[str, str]:
    """What is known of somebody, as it would be typed."""
    return {
        "nom": person.name or "",
        "adresse": person.email or "",
        "langue": person.language,
        "fonction": person.post or "",
        "presentation": person.presentation or "",
        "direction": person.directorate,
        "site": person.site,
        "organisme": person.organisation or "",
        "heures": weeks.written(person.availability),
        "outils-mentor": _written(person.skills, language),
        "places": str(person.capacity or 1),
        "poste": getattr(job_said(person.job_family), language) if person.job_family else "",
        "outils-manager": _written(person.needs, language),
    }


def _written(tools: Tools, language: Language) -> str:
    """`LinkedIn:4, Tableur:3`, as it is read again."""
    named = {tool: label(tool, language) for tool in tools}
    return ", ".join(
        f"{named[tool] if tool_of(named[tool]) == tool else tool}:{level}"
        for tool, level in sorted(tools.items())
    )


def _corrections(
    visit: Visit, person: Participant, given: Mapping[str, str]
) -> tuple[list[Deed], dict[str, str]]:
    """The commands that make the sheet what was typed, and what is wrong by field."""
    known, errors = typed_of(person, visit.language), {}
    new = {name for name, text in given.items() if text != known[name]}
    deeds: list[Deed] = []

    def add(names: Mapping[str, str], make: Callable[[], Command]) -> None:
        try:
            command = make()
        except ValidationError as error:
            for one in error.errors():
                field = names.get(str(one["loc"][0]), next(iter(names.values())))
                errors[field] = _wrong(visit, field)
        else:
            asked = {name: getattr(command, name) for name in names}
            deeds.append(Deed(command, lambda p: _says(p, asked), "corrige"))

    if new & {"nom", "adresse", "langue", "fonction", "presentation"}:
        contact = {
            **{"name": given["nom"], "email": given["adresse"], "language": given["langue"]},
            **{"post": given["fonction"] or None, "presentation": given["presentation"] or None},
        }
        names = {"name": "nom", "email": "adresse", "language": "langue", "post": "fonction"}
        names |= {"presentation": "presentation"}
        add(names, lambda: contact_of(person, **contact))
    if "heures" in new:
        about = {"cohort_id": person.cohort_id, "person_id": person.id}
        try:
            week = weeks.read_week(given["heures"])
        except weeks.NoWeek as error:
            errors["heures"] = visit.say(f"Il faut {error.fr}.", f"It takes {error.en}.")
        else:
            wish = {**about, "availability": week}
            add({"availability": "heures"}, lambda: ChangeAvailability.model_validate(wish))
    for side in person.sides:
        if fields := _said_by(side, visit, given, new, errors):
            its = {name: OF_FIELD[name] for name in fields} | {"cohort_id": "direction"}
            add(its, partial(_change, side, person, fields))
    return deeds, errors


OF_FIELD = {
    **{"directorate": "direction", "site": "site", "organisation": "organisme"},
    "skills": "outils-mentor",
    **{"capacity": "places", "job_family": "poste", "needs": "outils-manager"},
}


def _change(side: Side, person: Participant, fields: Mapping[str, Any]) -> Command:
    kind = ChangeMentor if side == "mentor" else ChangeManager
    subject = {"cohort_id": person.cohort_id, f"{side}_id": person.id}
    return kind.model_validate({**subject, **fields})


def _says(person: Participant, asked: Mapping[str, Any]) -> bool:
    """Whether all of it stands on the sheet; what was left to the job cannot be compared."""
    told = {name: value for name, value in asked.items() if value != {}}
    return all((getattr(person, name) or None) == (value or None) for name, value in told.items())


def _said_by(
    side: Side, visit: Visit, given: Mapping[str, str], new: set[str], errors: dict[str, str]
) -> dict[str, Any]:
    """What was typed of a mentor or a manager, by the name of the command's field."""
    names = {"direction": "directorate", "site": "site", "organisme": "organisation"}
    found: dict[str, Any] = {field: given[name] for name, field in names.items() if name in new}
    tools = f"outils-{side}"
    if tools in new:
        try:
            found["skills" if side == "mentor" else "needs"] = read_tools(given[tools])
            if side == "mentor" and not given[tools]:
                errors[tools] = _wrong(visit, tools)
        except ValueError:
            errors[tools] = _wrong(visit, tools)
    if side == "mentor" and "places" in new:
        if given["places"] in ("1", "2", "3", "4", "5"):
            found["capacity"] = int(given["places"])
        else:
            errors["places"] = _wrong(visit, "places")
    if side == "manager" and "poste" in new:
        found["job_family"] = job_of(given["poste"])
    return found


def _wrong(visit: Visit, field: str) -> str:
    """What a field takes."""
    if field == "adresse":
        return visit.say(
            "Écrivez une adresse complète, par exemple prenom.nom@ministere.gouv.fr.",
            "Type a whole address, as first.last@ministry.example.",
        )
    if field.startswith("outils"):
        return visit.say(
            "Écrivez des outils connus, avec un niveau de 1 à 5 : LinkedIn:4, Tableur:3.",
            "Type known tools, with a level of 1 to 5: LinkedIn:4, Spreadsheets:3.",
        )
    if field == "places":
        return visit.say("Écrivez un nombre de 1 à 5.", "Type a number from 1 to 5.")
    if field in ("fonction", "presentation"):
        most = 64 if field == "fonction" else 280
        return visit.say(
            f"{most} caractères au plus, sans adresse, lien ni téléphone.",
            f"{most} characters at most, without an address, a link or a telephone number.",
        )
    if field == "organisme":
        return visit.say("64 caractères au plus.", "64 characters at most.")
    return visit.say("Écrivez de 1 à 64 caractères.", "Type 1 to 64 characters.")
