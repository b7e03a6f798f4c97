"""Signing out: here, everywhere, at the provider by which somebody came, and by its word.

Always holds: here they are signed out, whatever becomes of it there.
"""

import logging

from fastapi.responses import JSONResponse, Response
from joserfc.errors import JoseError

from services.portal.web.provider import IdentityProvider, NotVouched, ProviderAway
from services.portal.web.rendering import message, onward, page
from services.portal.web.sessions import SignedIn, opened
from services.portal.web.signing_in import home, provider_of
from services.portal.web.site import SESSION
from services.portal.web.visit import Visit

logger = logging.getLogger(__name__)


async def leave(visit: Visit) -> Response:
    """Sign out here, or everywhere; then at the provider."""
    session, provider = visit.session, visit.site.provider
    if session is not None:
        if visit.typed("partout"):
            await visit.site.sessions.end_all(session.address)
        await visit.site.sessions.end(session)
    visit.request.state.session = ""
    visit.session = None
    if session is None or provider is None or not session.sealed:
        return onward("/", "deconnecte")
    try:
        url = await _way_out(visit, provider, session)
    except (ProviderAway, NotVouched, JoseError) as error:
        logger.warning("nobody signs out at the provider: %s", type(error).__name__)
        return _still_there(visit, provider.client.name)
    if url is None:
        return onward("/", "deconnecte")
    title = visit.say("Vous vous déconnectez", "You are signing out")
    return page(visit, "to_provider.html", title=title, url=url)


async def _way_out(visit: Visit, provider: IdentityProvider, session: SignedIn) -> str | None:
    token = opened(session.sealed, visit.request.cookies[visit.site.cookie(SESSION)])
    way = await visit.site.sessions.set_out(visit.token, "/")
    return await provider.way_out(token, way.state)


def _still_there(visit: Visit, name: str) -> Response:
    return message(
        visit,
        visit.say("Vous êtes déconnecté·e d’ici", "You are signed out here"),
        visit.say(
            f"{name} ne répond pas : vous y êtes peut-être encore connecté·e. Sur un poste "
            "partagé, fermez le navigateur.",
            f"{name} does not answer: you may still be signed in there. On a shared computer, "
            "close the browser.",
        ),
        way=home(visit),
    )


async def left(visit: Visit) -> Response:
    """From the provider, signed out of it."""
    provider_of(visit)
    way = await visit.site.sessions.come_back(visit.query.get("state", ""), visit.token)
    return onward("/") if way is None else onward("/", "deconnecte")


async def told_by_provider(visit: Visit) -> Response:
    """The provider says by the back channel that somebody has signed out there, or everywhere."""
    provider, heads = provider_of(visit), {"Cache-Control": "no-store"}
    try:
        ended = await provider.ended(visit.typed("logout_token"))
    except ProviderAway:
        return Response(status_code=503, headers={**heads, "Retry-After": "60"})
    except NotVouched as error:
        visit.site.rates.of_stranger(visit.request)
        logger.warning("nobody is signed out by the provider: %s", error)
        return JSONResponse({"error": "invalid_request"}, 400, heads)
    heard = await visit.site.sessions.end_at_provider(ended.jti, ended.id, ended.sid)
    return Response(status_code=200 if heard else 400, headers=heads)
