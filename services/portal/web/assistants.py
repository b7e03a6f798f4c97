"""My assistant: who confirms, moves and cancels sessions on my behalf.

Always holds: an assistant is named, replaced and taken back by the person alone; their name and
address are part of the person's contact, and are forgotten with it.
"""

from fastapi.responses import Response
from pydantic import ValidationError

from schemas.people import PersonContact
from services.portal.views import Participant
from services.portal.web.doing import done
from services.portal.web.handling import contact_of
from services.portal.web.own_space import me_of
from services.portal.web.rendering import page
from services.portal.web.visit import Visit


async def assistant_form(visit: Visit) -> Response:
    """Who my assistant is, and what naming one will do."""
    me = await me_of(visit)
    known = me.assistant
    typed = {"nom": known.name, "adresse": known.email} if known else {"nom": "", "adresse": ""}
    return _page(visit, me, typed, {})


def _page(visit: Visit, me: Participant, typed: dict[str, str], errors: dict[str, str]) -> Response:
    status = 422 if errors else 200
    return page(visit, "assistant.html", status, me=me, typed=typed, errors=errors)


async def assistant_sent(visit: Visit) -> Response:
    """I name an assistant, or nobody any more."""
    me = await me_of(visit)
    typed = {"nom": visit.typed("nom"), "adresse": visit.typed("adresse")}
    nobody = visit.typed("action") == "retirer"
    errors = {} if nobody else _wrong(visit, me, typed)
    if errors:
        return _page(visit, me, typed, errors)
    named = None if nobody else {"name": typed["nom"], "email": typed["adresse"]}
    try:
        command: PersonContact = contact_of(me, assistant=named)
    except ValidationError as error:
        about = {str(part) for one in error.errors() for part in one["loc"]}
        return _page(visit, me, typed, _refused(visit, "nom" if "name" in about else "adresse"))

    async def shows() -> bool:
        now = await visit.site.store.one(Participant, me.cohort_id, me.id)
        return now is not None and now.assistant == command.assistant

    return await done(visit, command, shows, "assistant-retire" if nobody else "assistant")


def _wrong(visit: Visit, me: Participant, typed: dict[str, str]) -> dict[str, str]:
    """What is wrong, by field."""
    found = {}
    if not typed["nom"]:
        found["nom"] = visit.say("Écrivez son nom.", "Write their name.")
    if typed["adresse"].casefold() == me.address:
        found["adresse"] = visit.say(
            "C’est votre propre adresse : écrivez celle de votre assistant·e.",
            "This is your own address: write your assistant's.",
        )
    return found


def _refused(visit: Visit, field: str) -> dict[str, str]:
    """What the language of the platform does not take."""
    if field == "nom":
        return {"nom": visit.say("De 1 à 64 caractères.", "1 to 64 characters.")}
    wrong = visit.say(
        "Écrivez une adresse, comme prenom.nom@exemple.fr.",
        "Write an address, as name@example.org.",
    )
    return {"adresse": wrong}
