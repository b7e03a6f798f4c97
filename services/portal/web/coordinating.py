"""For coordinators: which programmes there are, and opening one."""

from typing import Any

from fastapi.responses import Response
from pydantic import ValidationError

from schemas.matching import OpenCohort
from schemas.values import CohortPolicy, RolloutCriteria
from services.chassis.store.contract import Where
from services.portal import refusals
from services.portal.spelling import count_of, folded
from services.portal.views import Cohort, Pair, Participant
from services.portal.web.queues import how_many_stuck
from services.portal.web.rendering import onward, page
from services.portal.web.visit import Visit

NUMBERS: dict[str, tuple[int, int]] = {
    "sessions": (1, 20),
    "session_minutes": (15, 240),
    "cadence_days": (1, 90),
    "proposal_days": (1, 90),
    "stalled_days": (1, 365),
    "smallest_group": (3, 50),
}
"""The rules of a programme that the form asks for, with their bounds."""
LINES = ("forbid", "both_consent", "allow")
RESERVED = "ouvrir"
"""No programme's id: the page at which programmes are opened stands where its own would."""


async def tasks_of(visit: Visit, cohort: Cohort) -> dict[str, Any]:
    """What stands above every page of a programme: its name, and how much there is to handle."""
    stuck = 0 if visit.role == "partner" else await how_many_stuck(visit, cohort)
    return {"cohort": cohort, "to_handle_count": stuck}


async def cohorts(visit: Visit) -> Response:
    """Every programme that the visitor coordinates, with its figures; or an organisation in it."""
    rows = []
    for cohort in await visit.site.cohorts():
        organisations = visit.organisations_in(cohort.id)
        if organisations is not None and not organisations:
            continue
        mentors = await tally_of(visit, cohort, "mentor_state")
        managers = await tally_of(visit, cohort, "manager_state")
        pairs = await visit.site.store.tally(Pair, ["state"], Where(cohort.id))
        rows.append(
            {
                "cohort": cohort,
                "organisations": organisations,
                "mentors": sum(n for state, n in mentors.items() if state != "withdrawn"),
                "managers": sum(n for state, n in managers.items() if state != "withdrawn"),
                "pairs": sum(n for (s,), n in pairs.items() if s in ("formed", "graduated")),
            }
        )
    return page(visit, "cohorts.html", rows=rows)


async def tally_of(visit: Visit, cohort: Cohort, field: str) -> dict[str, int]:
    found = await visit.site.store.tally(Participant, [field], Where(cohort.id))
    return {state: n for (state,), n in found.items() if state}


async def opening_form(visit: Visit) -> Response:
    """A programme's rules, as they are if nobody says otherwise."""
    given = {"nom": "", "id": "", "reporting_line": CohortPolicy().reporting_line}
    given |= {name: str(getattr(CohortPolicy(), name)) for name in NUMBERS}
    given["pairs_graduated"] = str(RolloutCriteria().pairs_graduated)
    return page(visit, "open.html", given=given, bounds=NUMBERS, lines=LINES)


async def opening_sent(visit: Visit) -> Response:
    """Open it."""
    names = ("nom", "id", "reporting_line", "pairs_graduated", *NUMBERS)
    given = {name: visit.typed(name) for name in names}
    given["id"] = given["id"] or id_of(given["nom"])
    errors, command = _opening(visit, given)
    if command is not None:
        outcome = await visit.send(command)
        if outcome.rule is None:

            async def shows() -> bool:
                return await visit.site.store.one(Cohort, given["id"], given["id"]) is not None

            shown = await visit.site.shown(shows)
            here = f"/coordonner/{given['id']}/importer" if shown else "/coordonner"
            return onward(here, "ouvert" if shown else "en-cours")
        errors = {"id": refusals.refused(outcome.rule, visit.language)}
    again = {"given": given, "bounds": NUMBERS, "lines": LINES, "errors": errors}
    return page(visit, "open.html", 422, **again)


def id_of(name: str) -> str:
    """An id made of a programme's name."""
    plain = "".join(c if c.isascii() and c.isalnum() else "-" for c in folded(name))
    return "-".join(part for part in plain.split("-") if part)[:40]


def _opening(visit: Visit, given: dict[str, str]) -> tuple[dict[str, str], OpenCohort | None]:
    errors: dict[str, str] = {}
    if not 1 <= len(given["nom"]) <= 120:
        errors["nom"] = visit.say("Écrivez un nom, 120 caractères au plus.", "Type a name.")
    policy: dict[str, Any] = {"reporting_line": given["reporting_line"]}
    for name, (least, most) in {**NUMBERS, "pairs_graduated": (0, 1_000_000)}.items():
        count = count_of(given[name])
        if count is None or not least <= count <= most:
            errors[name] = visit.say(
                f"Écrivez un nombre de {least} à {most}.", f"Type a number from {least} to {most}."
            )
        elif name == "pairs_graduated":
            policy["rollout"] = {"pairs_graduated": count}
        else:
            policy[name] = count
    if given["id"] == RESERVED:
        errors["id"] = visit.say(
            "Cette page a déjà ce nom : choisissez-en un autre.",
            "This page has that name already: choose another one.",
        )
    if errors:
        return errors, None
    try:
        wish = {"cohort_id": given["id"], "name": given["nom"], "policy": policy}
        return {}, OpenCohort.model_validate(wish)
    except ValidationError as error:
        field = "id" if error.errors()[0]["loc"][0] == "cohort_id" else "nom"
        wrong = visit.say(
            "Une lettre ou un chiffre, puis des lettres, chiffres ou tirets (47 au plus).",
            "A letter or digit, then letters, digits or dashes (47 at most).",
        )
        return {field: wrong}, None
