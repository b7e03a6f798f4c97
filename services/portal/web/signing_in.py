"""Signing in by a link in a letter, and what is alike however somebody signs in.

Always holds: whatever the address, the answer is the same, and comes before any letter is sent; a
link that is opened changes nothing until its button is pressed.
"""

from urllib.parse import quote, unquote

from fastapi.responses import Response
from pydantic import TypeAdapter, ValidationError

from schemas.people import Address
from services.portal.web.provider import IdentityProvider
from services.portal.web.rendering import message, onward, page
from services.portal.web.site import NotHere
from services.portal.web.visit import Visit

_ADDRESS: TypeAdapter[str] = TypeAdapter(Address)


def own_way(asked: str) -> str:
    """A way within the portal; anything else leads to one's own space."""
    way = unquote(asked)
    return way if is_inside(way) else "/mon-espace"


def is_inside(way: str) -> bool:
    """Whether it leads to a page of the portal: behind two slashes browsers see another host."""
    return way.startswith("/") and way[1:2] != "/" and "\\" not in way and way.isprintable()


def address_of(typed: str) -> str | None:
    """An address in small letters; None if no letter can be sent to it."""
    try:
        return _ADDRESS.validate_python(typed).casefold()
    except ValidationError:
        return None


async def ask(visit: Visit) -> Response:
    """Ask for an address."""
    return page(visit, "sign_in.html", way=own_way(visit.query.get("vers", "")), typed="")


def ask_again(visit: Visit, onward_to: str) -> tuple[str, str]:
    """The way back to where somebody signs in, and its words."""
    query = f"?vers={quote(onward_to, safe='')}" if onward_to else ""
    return f"/connexion{query}", visit.say("Recommencer", "Try again")


def home(visit: Visit) -> tuple[str, str]:
    """The way to the first page, and its words."""
    return "/", visit.say("Aller à l’accueil", "Start over")


def provider_of(visit: Visit) -> IdentityProvider:
    """At which people sign in. Raises `NotHere` where they do so at none."""
    found = visit.site.provider
    if found is None:
        raise NotHere
    return found


async def send_link(visit: Visit) -> Response:
    """Send the letter, if one may be sent."""
    if not visit.site.rules.by_link:
        raise NotHere
    typed, way = visit.typed("adresse"), own_way(visit.typed("vers"))
    address = address_of(typed)
    if address is None:
        errors = {
            "adresse": visit.say(
                "Écrivez une adresse complète, par exemple prenom.nom@ministere.gouv.fr.",
                "Type a whole address, as first.last@ministry.example.",
            )
        }
        return page(visit, "sign_in.html", 422, way=way, typed=typed, errors=errors)
    subject = await visit.site.sessions.account(visit.typed("compte"), visit.token)
    await letter_to(visit, address, way, subject)
    return page(visit, "letter_sent.html", address=typed)


async def letter_to(visit: Visit, address: str, way: str, subject: str = "") -> None:
    """A letter with a link, if this address may sign in and has not asked too often."""
    site = visit.site
    allowed = await site.sessions.may_ask(address, visit.place)
    if allowed and await site.may_sign_in(address):
        site.mailing.later(_letter(visit, address, way, subject))


async def _letter(visit: Visit, address: str, way: str, subject: str) -> tuple[str, str, str]:
    site = visit.site
    token = await site.sessions.make_link(address, way, subject, visit.token)
    url = f"{site.url}/connexion/{token}"
    minutes = int(site.sessions.link_lasts.total_seconds() // 60)
    subject = visit.say("Votre lien de connexion", "Your link to sign in")
    text = visit.say(
        f"Bonjour,\n\nPour vous connecter à Connecte ton manager, ouvrez ce lien :\n\n{url}\n\n"
        f"Il sert une seule fois, pendant {minutes} minutes. Si vous n’avez rien demandé, ne "
        "faites rien : personne n’est connecté sans ce lien.\n",
        f"Hello,\n\nTo sign in to Connecte ton manager, open this link:\n\n{url}\n\nIt works once, "
        f"for {minutes} minutes. If you did not ask for it, do nothing: nobody is signed in "
        "without this link.\n",
    )
    return address, subject, text


def _over(visit: Visit) -> Response:
    return message(
        visit,
        visit.say("Ce lien ne sert plus", "This link no longer works"),
        visit.say(
            "Un lien sert une seule fois et expire vite. Demandez-en un autre.",
            "A link works once, and expires soon. Ask for another one.",
        ),
        status=410,
        way=("/connexion", visit.say("Recevoir un nouveau lien", "Get a new link")),
    )


async def open_link(visit: Visit) -> Response:
    """Show the button. Changes nothing."""
    found = await visit.site.sessions.look_at_link(visit.path["link"])
    if found is None:
        return _over(visit)
    return page(visit, "use_link.html", address=found[0])


async def use_link(visit: Visit) -> Response:
    """Sign in."""
    found = await visit.site.sessions.use_link(visit.path["link"], visit.token)
    if found is None:
        return _over(visit)
    address, way = found
    if visit.session is not None:
        await visit.site.sessions.end(visit.session)
    visit.request.state.session = await visit.site.sessions.begin(address)
    return onward(way, "connecte")
