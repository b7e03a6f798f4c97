"""Joining: what the programme is, and the two forms, "Je veux accompagner" and "être accompagné".

Always holds: nobody joins before their address is known to be theirs; what was typed stays, until
it has been sent; an age or a rank is never asked.
"""

from collections.abc import Collection, Mapping
from io import BytesIO
from typing import Any

import segno
from fastapi.responses import Response
from pydantic import ValidationError
from starlette.exceptions import HTTPException

from schemas.base import Command
from schemas.known.jobs import needs_of, recommended, said
from schemas.known.tools import catalogue
from schemas.known.tools import tools as known_tools
from schemas.matching import EnrolManager, VolunteerAsMentor
from schemas.people import PersonContact, tells_address
from schemas.values import Language, Side
from services.chassis.store.contract import Row, Where
from services.portal import refusals, weeks
from services.portal.jobs import jobs_by_name
from services.portal.tools import tool_of
from services.portal.views import Cohort, Participant
from services.portal.web.rendering import HEADS, message, onward, page
from services.portal.web.signing_in import address_of, letter_to
from services.portal.web.site import NotHere
from services.portal.web.visit import Visit

MOST_TOOLS = 40
_DEFAULT_LEVEL = 3


async def home(visit: Visit) -> Response:
    """Which programmes there are."""
    return page(visit, "home.html", cohorts=await visit.site.open_cohorts())


async def about(visit: Visit) -> Response:
    """What a programme is, what it takes, and the two ways in."""
    return page(visit, "about.html", cohort=await _cohort(visit))


async def qr_code(visit: Visit) -> Response:
    """The address of a programme's page as a QR code, for the intranet and for paper."""
    cohort = await _cohort(visit)
    drawn = BytesIO()
    address = f"{visit.site.url}/inscription/{cohort.id}"
    segno.make_qr(address, error="m").save(drawn, kind="svg", scale=8, light="#fff", xmldecl=False)
    return Response(drawn.getvalue(), media_type="image/svg+xml", headers=HEADS)


async def mentor_form(visit: Visit) -> Response:
    """What a mentor is asked."""
    return _form(visit, await _cohort(visit), "mentor", await _known(visit))


async def manager_form(visit: Visit) -> Response:
    """What a manager is asked."""
    given = await _known(visit) | {"poste": visit.query.get("poste", "")}
    return _form(visit, await _cohort(visit), "manager", given)


async def mentor_sent(visit: Visit) -> Response:
    """The answers of a mentor."""
    return await _sent(visit, "mentor")


async def manager_sent(visit: Visit) -> Response:
    """The answers of a manager."""
    return await _sent(visit, "manager")


async def confirm_form(visit: Visit) -> Response:
    """What was answered, to be sent now that the address is known to be theirs."""
    if (found := await _draft(visit)) is None:
        return await _joined_already(visit)
    cohort, side, given = found
    return page(visit, "confirm.html", cohort=cohort, side=side, **_summary(given, visit.language))


async def confirm_sent(visit: Visit) -> Response:
    """Join."""
    if (found := await _draft(visit)) is None:
        return await _joined_already(visit)
    cohort, side, given = found
    response = await _join(visit, cohort, side, given)
    await visit.site.drop_draft(visit.path["draft"])
    return response


async def _cohort(visit: Visit) -> Cohort:
    return await visit.site.cohort(visit.path["cohort"])


async def _joined_already(visit: Visit) -> Response:
    """What they typed is kept no longer: whoever presses twice, or goes back, has joined."""
    there = Where(visit.path["cohort"], {"address": visit.address})
    mine = await visit.site.store.page(Participant, there, 1)
    if not mine or not mine[0].sides:
        raise NotHere
    return onward("/mon-espace", "inscrit")


async def _draft(visit: Visit) -> tuple[Cohort, Side, Row] | None:
    """What was typed; None once it is kept no longer. Raises `NotHere` where it is another's."""
    found = await visit.site.draft(visit.path["draft"])
    cohort = await _cohort(visit)
    if found is None:
        return None
    if found.get("cohort") != cohort.id or "given" not in found:
        raise NotHere
    typed_here = visit.site.provider is not None and found.get("visit") == visit.token
    if found["given"]["adresse"].casefold() != visit.address and not typed_here:
        raise NotHere
    return cohort, found["side"], found["given"] | {"adresse": visit.address}


async def _known(visit: Visit) -> Row:
    """What is known of whoever is signed in: in this programme, or else in another."""
    known: Row = {"adresse": visit.address, "langue": visit.language}
    if not visit.address:
        return known
    mine = await visit.site.store.page(Participant, Where(equal={"address": visit.address}), 50)
    mine.sort(key=lambda one: one.cohort_id != visit.path["cohort"])
    for one in mine[:1]:
        told = {"nom": one.name, "direction": one.directorate, "site": one.site}
        told |= {"intitule": one.post, "presentation": one.presentation}
        told |= {"organisme": one.organisation}
        known |= {name: value for name, value in told.items() if value}
        half_days = weeks.half_days_of(one.availability)
        if weeks.of_half_days(half_days) == one.availability:
            known["demi_journees"] = half_days
        else:
            known["heures"] = weeks.written(one.availability)
    return known


def _form(
    visit: Visit,
    cohort: Cohort,
    side: Side,
    given: Row,
    errors: Mapping[str, str] | None = None,
) -> Response:
    chosen: Mapping[str, int] = given.get("outils") or {}
    if "outils" not in given and side == "manager" and given.get("poste"):
        chosen = needs_of(given["poste"])
    job = given.get("poste", "") if side == "manager" else ""
    return page(
        visit,
        "join.html",
        422 if errors else 200,
        cohort=cohort,
        side=side,
        given=given,
        jobs=jobs_by_name(visit.language),
        errors=errors or {},
        half_days_ticked=set(given.get("demi_journees", ())),
        **tools_to_choose(job, chosen, visit.language),
    )


def tools_to_choose(job: str, chosen: Mapping[str, int], language: Language) -> dict[str, Any]:
    """What a form of tools shows: those advised for a job, with the reasons; those chosen; others.

    A tool of the cohort's own that was chosen stands among the first.
    """
    advised = {
        tool: (need.level, need.fr if language == "fr" else need.en)
        for tool, need in (recommended(job) if job else {}).items()
    }
    first = [tool for tool in known_tools() if tool in advised or tool in chosen]
    return {
        "chosen": chosen,
        "first_tools": [*first, *(tool for tool in chosen if tool not in first)],
        "other_tools": _by_family({*advised, *chosen}, language),
        "advised": advised,
        "default_level": _DEFAULT_LEVEL,
    }


def _by_family(besides: set[str], language: Language) -> list[tuple[str, list[str]]]:
    """The tools but for some, by family: its name and its tools, as the catalogue has them."""
    found: dict[str, list[str]] = {}
    for tool, known in known_tools().items():
        if tool not in besides:
            found.setdefault(known.family, []).append(tool)
    families = catalogue().families
    return [(getattr(families[family], language), tools) for family, tools in found.items()]


def tools_ticked(visit: Visit, also: Collection[str] = (), prefix: str = "outil") -> dict[str, int]:
    """The tools of a form's fields of this name, with their levels: known ones, and `also`."""
    tools = {}
    for tool in visit.ticked(prefix)[:MOST_TOOLS]:
        level = visit.typed(f"niveau-{tool}" if prefix == "outil" else f"niveau-{prefix}-{tool}")
        if tool in known_tools() or tool in also:
            tools[tool] = int(level) if level in ("1", "2", "3", "4", "5") else _DEFAULT_LEVEL
    return tools


def _typed(visit: Visit, cohort: Cohort) -> Row:
    """What the form holds, as it was typed."""
    return {
        "organisme": organisation_chosen(visit, cohort),
        "adresse": visit.address or visit.typed("adresse"),
        "nom": visit.typed("nom"),
        "direction": visit.typed("direction"),
        "site": visit.typed("site"),
        "poste": visit.typed("poste"),
        "autre": visit.typed("autre"),
        "places": visit.typed("places") or "1",
        "intitule": visit.typed("intitule"),
        "presentation": visit.typed("presentation"),
        "outils": tools_ticked(visit),
        "demi_journees": visit.ticked("demi-journee"),
        "heures": visit.typed("heures"),
        "langue": visit.language,
    }


def organisation_chosen(visit: Visit, cohort: Cohort, stands: str = "") -> str:
    """The organisation of a form: one that the cohort names, or as it `stands`; "" its own."""
    named = ("", stands, *(cohort.policy.organisations or ()))
    chosen = visit.typed("organisme")
    return chosen if "organisme" in visit.form and chosen in named else stands


async def _sent(visit: Visit, side: Side) -> Response:
    cohort = await _cohort(visit)
    given = _typed(visit, cohort)
    if visit.typed("conseil"):  # "show me what is advised for this job"
        return _form(visit, cohort, side, {k: v for k, v in given.items() if k != "outils"})
    errors = errors_of(given, side, visit.language)
    if not visit.site.rules.by_link and visit.session is None:
        errors.pop("adresse", None)  # it is not asked for: the provider tells it
    if errors:
        return _form(visit, cohort, side, given, errors)
    if visit.session is not None:
        return await _join(visit, cohort, side, given)
    kept = {"cohort": cohort.id, "side": side, "given": given, "visit": visit.token}
    draft = await visit.keep(kept, given["adresse"])
    if draft is None:
        raise HTTPException(422, "no form of these pages holds it")
    way = f"/inscription/{cohort.id}/confirmer/{draft}"
    if visit.site.provider is not None:
        why = visit.say(
            "Ce que vous avez écrit est gardé jusqu’à demain. Il reste à dire qui vous êtes.",
            "What you have typed is kept until tomorrow. It remains to say who you are.",
        )
        return page(visit, "sign_in.html", way=way, typed=given["adresse"], why=why)
    await letter_to(visit, given["adresse"].casefold(), way)
    return page(visit, "letter_sent.html", address=given["adresse"])


def errors_of(given: Row, side: Side, language: Language) -> dict[str, str]:
    """What is wrong, by field."""
    fr = language == "fr"
    found: dict[str, str] = {}
    if address_of(given["adresse"]) is None:
        found["adresse"] = (
            "Écrivez une adresse complète, par exemple prenom.nom@ministere.gouv.fr."
            if fr
            else "Type a whole address, as first.last@ministry.example."
        )
    for name, fr_text, en_text in (
        ("nom", "Écrivez votre prénom et votre nom.", "Type your first and last name."),
        ("direction", "Écrivez votre direction ou service.", "Type your directorate."),
        ("site", "Écrivez où vous travaillez, par exemple Paris Bercy.", "Type where you work."),
    ):
        if not 1 <= len(given[name]) <= 64:
            long = "64 caractères au plus." if fr else "64 characters at most."
            found[name] = long if given[name] else (fr_text if fr else en_text)
    found |= own_words_wrong(given, language)
    if side == "manager" and not 1 <= len(given["poste"]) <= 64:
        found["poste"] = "Choisissez votre poste." if fr else "Choose your job."
    advised = side == "manager" and given["poste"]
    if not given["outils"] and not advised:
        found["outils"] = "Cochez au moins un outil." if fr else "Tick at least one tool."
    if given["autre"] and tool_of(given["autre"]) is None and len(given["autre"]) > 32:
        found["autre"] = "32 caractères au plus." if fr else "32 characters at most."
    if side == "mentor" and given["places"] not in ("1", "2", "3", "4", "5"):
        found["places"] = "Choisissez de 1 à 5." if fr else "Choose 1 to 5."
    try:
        _week(given)
    except weeks.NoWeek as error:
        wrong = f"« {error.part} » : il faut {error.fr}." if error.part else f"Il faut {error.fr}."
        found["semaine"] = wrong if fr else f"It takes {error.en}."
    return found


def own_words_wrong(given: Row, language: Language) -> dict[str, str]:
    """What is wrong with what somebody says of themselves, by field."""
    fr = language == "fr"
    found = {}
    for name, most in (("intitule", 64), ("presentation", 280)):
        text = given.get(name, "")
        if len(text) > most:
            found[name] = f"{most} caractères au plus." if fr else f"{most} characters at most."
        elif tells_address(text):
            found[name] = (
                "Retirez l’adresse, le lien ou le numéro : chacun reçoit l’adresse de l’autre "
                "quand le binôme est accepté."
                if fr
                else "Leave out the address, link or number: each of you gets the other's address "
                "when the pair is accepted."
            )
    return found


def _week(given: Row) -> Any:
    """The exact hours, if there are any; else the half-days."""
    if given["heures"]:
        return weeks.read_week(given["heures"])
    ticked = weeks.of_half_days(given["demi_journees"])
    return ticked or weeks.read_week("")


def _summary(given: Row, language: Language) -> dict[str, Any]:
    return {
        "given": given,
        "job": getattr(said(given["poste"]), language) if given["poste"] else "",
        "week": _week(given),
    }


def commands_of(cohort_id: str, person_id: str, side: Side, given: Row) -> tuple[Command, ...]:
    """What joining asks for: first the contact, so that every letter has an address."""
    contact = PersonContact(
        cohort_id=cohort_id,
        person_id=person_id,
        name=given["nom"],
        email=given["adresse"],
        language=given["langue"],
        post=given.get("intitule") or None,
        presentation=given.get("presentation") or None,
    )
    common = {
        "cohort_id": cohort_id,
        "directorate": given["direction"],
        "site": given["site"],
        "organisation": given.get("organisme") or None,
        "availability": [window.model_dump() for window in _week(given)],
    }
    if side == "mentor":
        own = {"mentor_id": person_id, "skills": given["outils"], "capacity": int(given["places"])}
        return contact, VolunteerAsMentor.model_validate(common | own)
    own = {"manager_id": person_id, "job_family": given["poste"], "needs": given["outils"]}
    return contact, EnrolManager.model_validate(common | own)


async def _join(visit: Visit, cohort: Cohort, side: Side, given: Row) -> Response:
    site = visit.site
    person_id = await site.person_id(cohort.id, visit.address)
    try:
        contact, command = commands_of(cohort.id, person_id, side, given)
    except ValidationError:
        return _form(visit, cohort, side, given, errors_of(given, side, visit.language))
    await visit.send(contact)
    outcome = await visit.send(command)
    if outcome.rule is not None:
        return message(
            visit,
            visit.say("Votre inscription n’a pas été prise", "You have not joined"),
            refusals.refused(outcome.rule, visit.language),
            status=409,
            way=("/mon-espace", visit.say("Voir mon espace", "See my space")),
        )

    async def shows() -> bool:
        person = await site.store.one(Participant, cohort.id, person_id)
        return person is not None and side in person.sides and person.name is not None

    return onward("/mon-espace", "inscrit" if await site.shown(shows) else "en-cours")
