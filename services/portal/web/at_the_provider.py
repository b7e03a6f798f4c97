"""Signing in at an identity provider: there, and back again.

Always holds: whoever comes back without having set out, in this browser and not long ago, or
without the provider vouching for them, is signed in as nobody, and told so in one sentence with a
way on. People are led there by a page and not by a form's answer, so that no form may lead out.
"""

import logging

from fastapi.responses import Response

from services.portal.web.provider import NotVouched, Person, ProviderAway, known_code
from services.portal.web.rendering import message, onward, page
from services.portal.web.signing_in import address_of, ask_again, home, own_way, provider_of
from services.portal.web.visit import Visit

logger = logging.getLogger(__name__)


async def set_out(visit: Visit) -> Response:
    """To the provider."""
    provider, onward_to = provider_of(visit), own_way(visit.typed("vers"))
    way = await visit.site.sessions.set_out(visit.token, onward_to)
    try:
        url = await provider.page_for(way)
    except (ProviderAway, NotVouched) as error:
        _tell(error)
        return _away(visit, onward_to)
    title = visit.say("Vous allez vous identifier", "You are about to sign in")
    return page(visit, "to_provider.html", title=title, url=url)


async def come_back(visit: Visit) -> Response:
    """From the provider: sign in, if it vouches for whoever comes."""
    provider, query = provider_of(visit), visit.query
    way = await visit.site.sessions.come_back(query.get("state", ""), visit.token)
    if way is None or query.get("iss", provider.issuer) != provider.issuer:
        return _of_no_way(visit)
    if "error" in query or not query.get("code"):
        code = known_code(query.get("error"))
        logger.info("a sign-in was not completed: %s", code)
        return _not_signed_in(visit, way.onward, _why_not(visit, code))
    try:
        person = await provider.whose(query["code"], way)
    except ProviderAway:
        return _away(visit, way.onward)
    except NotVouched as error:
        _tell(error)
        return _not_signed_in(visit, way.onward, _not_vouched(visit))
    return await _signed_in(visit, person, way.onward)


async def _signed_in(visit: Visit, person: Person, onward_to: str) -> Response:
    site = visit.site
    address = address_of(person.address or await site.sessions.confirmed(person.id))
    if address is None:
        return await _unconfirmed(visit, person, onward_to)
    if not await site.may_sign_in(address):
        title = visit.say("Votre adresse n’est pas de ce programme", "Your address is not of this")
        text = visit.say(
            "Vous êtes bien identifié·e, mais les adresses de votre domaine n’ouvrent pas ce site. "
            "Écrivez à l’équipe du programme si vous devriez y avoir accès.",
            "You are known to your provider, but addresses of your domain do not open this site. "
            "Write to the programme's team if they should.",
        )
        return message(visit, title, text, status=403, way=home(visit))
    if visit.session is not None:
        await site.sessions.end(visit.session)
    theirs = person.organisations
    of_theirs = (person.roles, person.cohorts, person.token, theirs, person.id, person.sid)
    began = site.sessions.begin(address, *of_theirs)
    visit.request.state.session = await began
    return onward(onward_to, "connecte")


def _tell(error: Exception) -> None:
    if isinstance(error, NotVouched):
        logger.warning("the identity provider vouched for nobody: %s", error)


def _of_no_way(visit: Visit) -> Response:
    if visit.session is not None:  # somebody went back a page
        title = visit.say("Vous êtes déjà connecté·e", "You are signed in already")
        text = visit.say("Cette étape est passée.", "This step is behind you.")
        way = ("/mon-espace", visit.say("Aller à mon espace", "Go to my space"))
        return message(visit, title, text, status=409, way=way)
    if "error" in visit.query:  # some providers leave the state out then
        return _not_signed_in(visit, "", _why_not(visit, known_code(visit.query["error"])))
    text = visit.say(
        "Cette page a déjà servi, a attendu trop longtemps, ou vient d’un autre navigateur.",
        "This page was used before, has waited for too long, or is of another browser.",
    )
    return _not_signed_in(visit, "", text)


_GIVEN_UP = {
    *("access_denied", "consent_required", "interaction_required", "login_required"),
    "account_selection_required",
}
_PASSING = {"server_error", "temporarily_unavailable"}


def _why_not(visit: Visit, code: str) -> str:
    """What the provider's answer means for whoever comes back with it."""
    name = provider_of(visit).client.name
    if code in _GIVEN_UP:
        return visit.say(
            f"Vous avez renoncé à vous identifier, ou {name} vous a refusé l’accès.",
            f"You gave up signing in, or {name} did not let you in.",
        )
    if code in _PASSING:
        return visit.say(
            f"{name} a rencontré un incident. Réessayez dans quelques minutes.",
            f"{name} has met with a fault. Try again in a few minutes.",
        )
    return visit.say(
        f"{name} n’a pas pu vous identifier. Si cela se répète, écrivez à l’équipe du programme.",
        f"{name} could not sign you in. If it happens again, write to the programme's team.",
    )


def _not_vouched(visit: Visit) -> str:
    return visit.say(
        "Votre identification n’a pas pu être vérifiée.", "Who you are could not be verified."
    )


def _not_signed_in(visit: Visit, onward_to: str, text: str) -> Response:
    title = visit.say("Vous n’êtes pas connecté·e", "You are not signed in")
    if onward_to:
        then = visit.say(
            "Une fois connecté·e, vous reprenez là où vous étiez. Ce que vous avez écrit est gardé "
            "jusqu’à demain.",
            "Once you are signed in you are back where you were. What you have typed is kept until "
            "tomorrow.",
        )
    else:
        then = visit.say(
            "Une fois connecté·e, vous arrivez dans votre espace.",
            "Once you are signed in you are in your space.",
        )
    return message(visit, title, text, then, status=400, way=ask_again(visit, onward_to))


def _away(visit: Visit, onward_to: str) -> Response:
    name = provider_of(visit).client.name
    title = visit.say(f"{name} ne répond pas", f"{name} does not answer")
    text = visit.say(
        "Personne n’est connecté. Réessayez dans quelques minutes : ce que vous avez écrit est "
        "gardé jusqu’à demain.",
        "Nobody is signed in. Try again in a few minutes: what you have typed is kept until "
        "tomorrow.",
    )
    by_link = visit.say("Vous pouvez aussi recevoir un lien.", "You can also be sent a link.")
    texts = [text, by_link] if visit.site.rules.by_link else [text]
    response = message(visit, title, *texts, status=503, way=ask_again(visit, onward_to))
    response.headers["Retry-After"] = "60"
    return response


async def _unconfirmed(visit: Visit, person: Person, onward_to: str) -> Response:
    name = provider_of(visit).client.name
    if not visit.site.rules.by_link:
        title = visit.say("Votre adresse n’est pas confirmée", "Your address is not confirmed")
        text = visit.say(
            f"{name} ne confirme aucune adresse pour vous. Faites confirmer la vôtre auprès de "
            "l’équipe qui gère votre compte, puis recommencez.",
            f"{name} confirms no address of yours. Have it confirmed by whoever runs your account, "
            "then try again.",
        )
        return message(visit, title, text, status=403, way=ask_again(visit, onward_to))
    return page(
        visit,
        "sign_in.html",
        403,
        way=onward_to,
        typed=person.unconfirmed,
        only_link=True,
        account=await visit.site.sessions.keep_account(person.id, visit.token),
        why=visit.say(
            f"{name} ne confirme aucune adresse pour vous. Recevez un lien à la vôtre.",
            f"{name} confirms no address of yours. Have a link sent to it.",
        ),
    )
