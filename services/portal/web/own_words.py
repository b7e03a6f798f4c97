"""What I said of myself: shown, and changed by a form that is filled with it.

Always holds: what somebody else has changed since the form was shown is told, and nothing is
overwritten without a second look; what is typed stays.
"""

import hashlib
from collections.abc import Mapping
from typing import Any

from fastapi.responses import Response

from schemas.base import Command
from schemas.taking_part import ChangeManager, ChangeMentor
from schemas.text import tidied
from services.portal.jobs import jobs_by_name
from services.portal.views import Cohort, Participant
from services.portal.web.doing import done, refused
from services.portal.web.handling import contact_of
from services.portal.web.joining import (
    organisation_chosen,
    own_words_wrong,
    tools_ticked,
    tools_to_choose,
)
from services.portal.web.own_space import me_of
from services.portal.web.rendering import onward, page
from services.portal.web.visit import Visit

Given = dict[str, Any]


def said_by(me: Participant) -> Given:
    """What somebody has said, by the fields of the form."""
    return {
        "nom": me.name or "",
        "intitule": me.post or "",
        "presentation": me.presentation or "",
        "langue": me.language,
        "direction": me.directorate,
        "site": me.site,
        "organisme": me.organisation or "",
        "competences": dict(me.skills),
        "places": str(me.capacity),
        "poste": me.job_family,
        "besoins": dict(me.needs),
    }


async def change_form(visit: Visit) -> Response:
    """What I said, to be changed."""
    me = await me_of(visit)
    return _form(visit, await visit.site.cohort(me.cohort_id), me, said_by(me), {})


def _form(
    visit: Visit, cohort: Cohort, me: Participant, given: Given, errors: Mapping[str, str]
) -> Response:
    coaches = me.mentor_state not in (None, "withdrawn")
    learns = me.manager_state not in (None, "withdrawn")
    job = given["poste"] if learns else ""
    return page(
        visit,
        "change.html",
        422 if errors else 200,
        me=me,
        given=given,
        organisations=cohort.policy.organisations,
        coaches=coaches,
        learns=learns,
        seen=_seal(me),
        errors=errors,
        jobs=jobs_by_name(visit.language),
        skills=tools_to_choose("", given["competences"], visit.language),
        needs=tools_to_choose(job, given["besoins"], visit.language),
    )


def _seal(me: Participant) -> str:
    """By which a form knows whether what it was filled with still stands."""
    return hashlib.sha256(repr(said_by(me)).encode()).hexdigest()[:16]


async def change_sent(visit: Visit) -> Response:
    """I say something else."""
    me = await me_of(visit)
    cohort = await visit.site.cohort(me.cohort_id)
    before, given = said_by(me), _typed(visit, cohort, me)
    if visit.typed("conseil"):  # "show me what is advised for this job"
        advised = tools_to_choose(given["poste"], {}, visit.language)["advised"]
        given["besoins"] = {tool: level for tool, (level, _) in advised.items()}
        return _form(visit, cohort, me, given, {})
    errors = _wrong(visit, me, given)
    if visit.typed("vu") != _seal(me):
        errors = _changed_meanwhile(visit, before, given) | errors
    if errors:
        return _form(visit, cohort, me, given, errors)
    commands = _commands(me, before, given)
    if not commands:
        return onward("/mon-espace", "rien-de-neuf")
    for command in commands[:-1]:
        outcome = await visit.send(command)
        if outcome.rule is not None:
            return refused(visit, outcome.rule)

    async def shows() -> bool:
        now = await visit.site.store.one(Participant, me.cohort_id, me.id)
        return now is not None and said_by(now) == given

    return await done(visit, commands[-1], shows, "dit")


def _typed(visit: Visit, cohort: Cohort, me: Participant) -> Given:
    """What the form holds; what it does not ask of this person stays as it was."""
    given = said_by(me)
    for name in given:
        if name in visit.form:
            given[name] = tidied(visit.typed(name))  # as it will be kept
    given["organisme"] = organisation_chosen(visit, cohort, me.organisation or "")
    for name, prefix in (("competences", "competence"), ("besoins", "besoin")):
        if f"{prefix}s-posees" in visit.form:
            given[name] = tools_ticked(visit, given[name], prefix)
    return given


def _wrong(visit: Visit, me: Participant, given: Given) -> dict[str, str]:
    """What is wrong, by field."""
    say, found = visit.say, dict[str, str]()
    for name in ("nom", "direction", "site"):
        if not 1 <= len(given[name]) <= 64:
            found[name] = say("De 1 à 64 caractères.", "1 to 64 characters.")
    found |= own_words_wrong(given, visit.language)
    if me.mentor_state and not given["competences"]:
        found["competence"] = say("Cochez au moins un outil.", "Tick at least one tool.")
    if me.mentor_state and given["places"] not in ("1", "2", "3", "4", "5"):
        found["places"] = say("Choisissez de 1 à 5.", "Choose 1 to 5.")
    if me.manager_state and not 1 <= len(given["poste"]) <= 64:
        found["poste"] = say("Choisissez votre poste.", "Choose your job.")
    if given["langue"] not in ("fr", "en"):
        found["langue"] = say("Choisissez une langue.", "Choose a language.")
    return found


def _changed_meanwhile(visit: Visit, before: Given, given: Given) -> dict[str, str]:
    """What stands now where it is other than what was typed; sent again, what is typed counts."""
    fields = {"competences": "competence", "besoins": "besoin"}
    told = visit.say(
        "Cette réponse a pu changer entre-temps. Vérifiez, puis enregistrez à nouveau.",
        "This answer may have changed meanwhile. Check it, then save again.",
    )
    found = {}
    for name, stands in before.items():
        if stands != given[name]:
            now = f" {visit.say('Enregistré', 'On record')} : « {stands} »."
            found[fields.get(name, name)] = told + (now if isinstance(stands, str) else "")
    return found


def _commands(me: Participant, before: Given, given: Given) -> list[Command]:
    """What has changed, as commands: the contact first. Raises nothing that `_wrong` lets by."""
    commands: list[Command] = []
    if any(before[name] != given[name] for name in ("nom", "intitule", "presentation", "langue")):
        told = {
            "name": given["nom"],
            "language": given["langue"],
            "post": given["intitule"] or None,
            "presentation": given["presentation"] or None,
            "assistant": me.assistant,
        }
        commands.append(contact_of(me, **told))
    common = {"directorate": "direction", "site": "site", "organisation": "organisme"}
    mentor = common | {"skills": "competences", "capacity": "places"}
    manager = common | {"job_family": "poste", "needs": "besoins"}
    for state, kind, id_, fields in (
        (me.mentor_state, ChangeMentor, "mentor_id", mentor),
        (me.manager_state, ChangeManager, "manager_id", manager),
    ):
        new = {
            name: given[field] for name, field in fields.items() if before[field] != given[field]
        }
        if new and state not in (None, "withdrawn"):
            about = {"cohort_id": me.cohort_id, id_: me.id}
            commands.append(kind.model_validate({**about, **new}))
    return commands
