"""The pages of the portal: the one table of what there is, and who may use it.

Always holds: nothing is served that does not stand in `ROUTES`; whoever may not use a page of
coordinators is told that there is none; a form without its token does nothing; every fault is a
page that says what to do.
"""

import logging
import secrets
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Literal

from fastapi import APIRouter, Request
from fastapi.responses import Response
from pydantic import ValidationError
from starlette.exceptions import HTTPException

from schemas.roles import Role
from schemas.values import Language
from services.chassis.http.guards import in_utf8
from services.chassis.http.problems import Problem
from services.chassis.store.contract import NoAnswer
from services.portal.owners import digest
from services.portal.web import (
    assistants,
    at_the_provider,
    auditing_pages,
    community_pages,
    coordinating,
    feed,
    following,
    guides_pages,
    half_filled,
    handling,
    importing,
    joining,
    news,
    own_data,
    own_part,
    own_space,
    own_words,
    pairing_pages,
    people_pages,
    plain,
    policy_pages,
    programme_sheets,
    roles_page,
    rounds_pages,
    session_pages,
    sheet_pages,
    signing_in,
    signing_out,
)
from services.portal.web.engine import Away
from services.portal.web.entering import Entry
from services.portal.web.rendering import SCRIPT, SCRIPT_PATH, message
from services.portal.web.site import LANGUAGE, SESSION, VISIT, NotHere, Site
from services.portal.web.visit import FOLLOWS, Visit

logger = logging.getLogger(__name__)

Who = Literal[
    "anybody",
    "signed-in",
    "partner",
    "coordinator",
    "administrator",
    "some-administrator",
    "auditor",
    "provider",
]
"""`coordinator`: of the programme in the address, where there is one; `administrator`: of it, or of
all where there is none, and `some-administrator` of any, who is told of theirs;
`partner`: these, and whoever coordinates the people of an organisation, of these people."""
Answer = Callable[[Visit], Awaitable[Response]]

MOST_FIELDS = 3000
BY_ITSELF = "connecte-suivi"
"""The header of a page that looks for itself whether it has changed."""
LISTENING: tuple[Answer, ...] = (news.of_mine, news.of_programme)


@dataclass(frozen=True, slots=True)
class Route:
    """One address of the portal: who may use it, and what answers."""

    method: Literal["GET", "POST"]
    path: str
    who: Who
    answer: Answer


_C = "/coordonner/{cohort}"
_MINE = "/mon-espace/{cohort}"
_SESSION = f"{_MINE}/seances/{{session}}"

ROUTES: tuple[Route, ...] = (
    Route("GET", "/", "anybody", joining.home),
    Route("GET", "/connexion", "anybody", signing_in.ask),
    Route("POST", "/connexion", "anybody", signing_in.send_link),
    Route("POST", "/connexion/fournisseur", "anybody", at_the_provider.set_out),
    Route("GET", "/connexion/retour", "anybody", at_the_provider.come_back),
    Route("GET", "/connexion/{link}", "anybody", signing_in.open_link),
    Route("POST", "/connexion/{link}", "anybody", signing_in.use_link),
    Route("POST", "/deconnexion", "anybody", signing_out.leave),
    Route("POST", "/deconnexion/fournisseur", "provider", signing_out.told_by_provider),
    Route("GET", "/deconnexion/retour", "anybody", signing_out.left),
    Route("GET", "/reprendre/{draft}", "signed-in", half_filled.take_up),
    Route("POST", "/langue", "anybody", half_filled.other_language),
    Route("GET", "/guides", "anybody", guides_pages.all_guides),
    Route("GET", "/guides/{guide}", "anybody", guides_pages.one_guide),
    Route("GET", "/inscription/{cohort}", "anybody", joining.about),
    Route("GET", "/inscription/{cohort}/qr.svg", "anybody", joining.qr_code),
    Route("GET", "/inscription/{cohort}/mentor", "anybody", joining.mentor_form),
    Route("POST", "/inscription/{cohort}/mentor", "anybody", joining.mentor_sent),
    Route("GET", "/inscription/{cohort}/manager", "anybody", joining.manager_form),
    Route("POST", "/inscription/{cohort}/manager", "anybody", joining.manager_sent),
    Route("GET", "/inscription/{cohort}/confirmer/{draft}", "signed-in", joining.confirm_form),
    Route("POST", "/inscription/{cohort}/confirmer/{draft}", "signed-in", joining.confirm_sent),
    Route("GET", "/mon-espace", "signed-in", own_space.space),
    Route("POST", "/mon-espace/{cohort}/proposition", "signed-in", own_space.answer_proposal),
    Route("GET", _SESSION, "signed-in", session_pages.session_page),
    Route("POST", _SESSION, "signed-in", session_pages.session_sent),
    Route("GET", f"{_MINE}/modifier", "signed-in", own_words.change_form),
    Route("POST", f"{_MINE}/modifier", "signed-in", own_words.change_sent),
    Route("GET", f"{_MINE}/communaute", "signed-in", community_pages.community),
    Route("POST", f"{_MINE}/communaute", "signed-in", community_pages.community_sent),
    Route("GET", f"{_MINE}/communaute/rencontre.ics", "signed-in", community_pages.meeting_file),
    Route("GET", f"{_MINE}/nouvelles", "signed-in", news.of_mine),
    Route("GET", f"{_MINE}/fiches/{{sheet}}", "signed-in", programme_sheets.read),
    Route("GET", f"{_MINE}/lettres", "signed-in", own_data.letters),
    Route("POST", f"{_MINE}/lettres", "signed-in", own_data.links_revoked),
    Route("GET", f"{_MINE}/donnees", "signed-in", own_data.data),
    Route("GET", f"{_MINE}/donnees.json", "signed-in", own_data.data_as_json),
    Route("GET", f"{_MINE}/effacer", "signed-in", own_data.erase_form),
    Route("POST", f"{_MINE}/effacer", "signed-in", own_data.erase_sent),
    Route("GET", f"{_MINE}/semaine", "signed-in", own_part.week_form),
    Route("POST", f"{_MINE}/semaine", "signed-in", own_part.week_sent),
    Route("GET", f"{_MINE}/absences", "signed-in", own_part.absences_form),
    Route("POST", f"{_MINE}/absences", "signed-in", own_part.absences_sent),
    Route("GET", f"{_MINE}/agenda", "signed-in", feed.form),
    Route("POST", f"{_MINE}/agenda", "signed-in", feed.sent),
    Route("GET", "/agenda/{token}", "anybody", feed.feed),
    Route("GET", f"{_MINE}/assistant", "signed-in", assistants.assistant_form),
    Route("POST", f"{_MINE}/assistant", "signed-in", assistants.assistant_sent),
    Route("GET", f"{_MINE}/participation", "signed-in", own_part.part_form),
    Route("POST", f"{_MINE}/participation", "signed-in", own_part.part_sent),
    Route("GET", f"{_MINE}/binomes/{{pair}}/autre", "signed-in", own_part.another_form),
    Route("POST", f"{_MINE}/binomes/{{pair}}/autre", "signed-in", own_part.another_sent),
    Route("GET", "/coordonner", "partner", coordinating.cohorts),
    Route("GET", "/administrer", "some-administrator", roles_page.roles),
    Route("POST", "/administrer", "some-administrator", roles_page.role_given),
    Route("GET", "/administrer/{cohort}/{held}", "administrator", roles_page.taking),
    Route("POST", "/administrer/{cohort}/{held}", "administrator", roles_page.role_taken),
    Route("GET", "/controler", "auditor", auditing_pages.programmes),
    Route("GET", "/controler/{cohort}", "auditor", auditing_pages.acts),
    Route("GET", "/coordonner/ouvrir", "administrator", coordinating.opening_form),
    Route("POST", "/coordonner/ouvrir", "administrator", coordinating.opening_sent),
    Route("GET", f"{_C}/communaute", "coordinator", community_pages.telling_form),
    Route("POST", f"{_C}/communaute", "coordinator", community_pages.telling_sent),
    Route("GET", f"{_C}/nouvelles", "coordinator", news.of_programme),
    Route("GET", f"{_C}/fiches", "coordinator", programme_sheets.listed),
    Route("GET", f"{_C}/fiches/nouvelle", "coordinator", programme_sheets.form),
    Route("POST", f"{_C}/fiches/nouvelle", "coordinator", programme_sheets.sent),
    Route("GET", f"{_C}/fiches/{{sheet}}", "coordinator", programme_sheets.form),
    Route("POST", f"{_C}/fiches/{{sheet}}", "coordinator", programme_sheets.sent),
    Route("GET", _C, "coordinator", handling.to_handle),
    Route("POST", f"{_C}/lettres", "coordinator", handling.letter_again),
    Route("POST", f"{_C}/souhaits", "coordinator", handling.wish_settled),
    Route("POST", f"{_C}/presences", "coordinator", handling.dispute_settled),
    Route("POST", f"{_C}/binomes", "coordinator", handling.pair_ended),
    Route("POST", f"{_C}/traite", "coordinator", handling.handled),
    Route("GET", f"{_C}/participants", "partner", people_pages.participants),
    Route("GET", f"{_C}/participants/{{person}}", "partner", sheet_pages.sheet),
    Route("POST", f"{_C}/participants/{{person}}", "partner", sheet_pages.sheet_sent),
    Route("GET", f"{_C}/importer", "partner", importing.form),
    Route("POST", f"{_C}/importer", "partner", importing.read),
    Route("GET", f"{_C}/importer/{{draft}}", "partner", importing.preview),
    Route("POST", f"{_C}/importer/{{draft}}", "partner", importing.correct_or_enter),
    Route("GET", f"{_C}/tour", "coordinator", rounds_pages.rounds),
    Route("POST", f"{_C}/tour", "coordinator", rounds_pages.run),
    Route("GET", f"{_C}/tour/a-la-main", "coordinator", pairing_pages.by_hand),
    Route("POST", f"{_C}/tour/a-la-main", "coordinator", pairing_pages.by_hand_sent),
    Route("GET", f"{_C}/tour/separer", "coordinator", pairing_pages.apart),
    Route("POST", f"{_C}/tour/separer", "coordinator", pairing_pages.apart_sent),
    Route("GET", f"{_C}/tour/{{round}}", "coordinator", rounds_pages.one_round),
    Route("POST", f"{_C}/tour/{{round}}", "coordinator", rounds_pages.round_sent),
    Route("GET", f"{_C}/tour/{{round}}/ecarter", "coordinator", pairing_pages.set_aside),
    Route("POST", f"{_C}/tour/{{round}}/ecarter", "coordinator", pairing_pages.set_aside_sent),
    Route("GET", f"{_C}/reglages", "coordinator", policy_pages.settings),
    Route("POST", f"{_C}/reglages", "administrator", policy_pages.settings_sent),
    Route("GET", f"{_C}/suivi", "partner", following.following),
    Route("GET", f"{_C}/suivi/export", "partner", following.exported),
)


_SHOWN = frozenset(route.path for route in ROUTES if route.method == "GET")


def shown_at(route: Route, path: str) -> str:
    """The address that shows what answers at `path`; of a form with one of its own, that above."""
    template = route.path
    while route.method == "POST" and template and template not in _SHOWN:
        template, path = template.rpartition("/")[0], path.rpartition("/")[0]
    return path or "/"


def page_routes(site: Site) -> APIRouter:
    """Every route of the table, the stylesheet, and an answer for every other address."""
    router = APIRouter()
    entry = Entry(site)

    files = {
        site.look.style_path: plain.kept(site.look.style, "text/css"),
        SCRIPT_PATH: plain.kept(SCRIPT, "text/javascript"),
        **{path: plain.kept(font, "font/woff2") for path, font in site.look.fonts.items()},
    }
    for route in ROUTES:
        plain.add(router, route.method, route.path, _guarded(route, entry), route.path)
    for path, answer in files.items():
        plain.add(router, "GET", path, answer, "file")
    nowhere = Route("GET", "/{anything:path}", "anybody", _nowhere)
    plain.add(router, nowhere.method, nowhere.path, _guarded(nowhere, entry), "nowhere")
    return router


async def _nowhere(_: Visit) -> Response:
    raise NotHere


def _guarded(route: Route, entry: Entry) -> plain.Handler:
    site = entry.site

    async def answer(request: Request) -> Response:
        cookie = request.cookies.get(site.cookie(VISIT)) or secrets.token_urlsafe(18)
        visit = Visit(request, entry, _language(request), digest(f"form:{cookie}"))
        visit.shown_at = shown_at(route, request.url.path)
        try:
            response = await _answered(route, visit)
        except (NotHere, Away, NoAnswer, HTTPException, Problem) as error:
            response = _fault(visit, error)
        except ValidationError:
            if route.method == "GET":  # then it is nothing that was sent
                raise
            response = _fault(visit, HTTPException(422, "no form of these pages holds it"))
        finally:
            await visit.form.close()
        _set_cookies(visit, response, cookie)
        return response

    return answer


async def _answered(route: Route, visit: Visit) -> Response:
    token = visit.request.cookies.get(visit.site.cookie(SESSION))
    if token:
        by_itself = BY_ITSELF in visit.request.headers or route.answer in LISTENING
        visit.session = await visit.site.sessions.find(token, by_itself=by_itself)
    if visit.session is not None:
        # Asked anew with every page: what was taken is gone from a session that goes on.
        visit.given = await visit.site.given(visit.address)
    _count(route, visit)
    if route.method == "POST":
        in_utf8(visit.request)
        visit.form = await visit.request.form(max_files=1, max_fields=MOST_FIELDS)
        if route.who == "provider":  # which has a token of its own
            return await route.answer(visit)
        if not secrets.compare_digest(visit.typed("jeton").encode(), visit.token.encode()):
            return _stale(visit)
    else:
        await half_filled.find(visit)
    if route.who != "anybody" and visit.session is None:
        return await half_filled.to_sign_in(visit)
    if route.who not in ("anybody", "signed-in"):
        visit.coordinate(_coordinating(route, visit))
    return await route.answer(visit)


def _count(route: Route, visit: Visit) -> None:
    """See that nobody asks too often. Raises `Problem` 429.

    Strangers are counted where they send something: behind one address there may be a ministry, all
    of which looks at the page that a letter to everybody names.
    """
    rates = visit.site.rates
    if visit.session is not None:
        rates.of_person(visit.address)
    elif route.method == "POST" and route.who != "provider":
        rates.of_stranger(visit.request)


def _coordinating(route: Route, visit: Visit) -> Role:
    """In which role somebody uses a page of coordinators. Raises `NotHere` where in none."""
    its_cohort = visit.path.get("cohort")
    if route.who == "some-administrator":
        if visit.administered == frozenset():
            raise NotHere
        return "administrator"
    if route.who == "auditor":
        if visit.audited == frozenset() if its_cohort is None else not visit.audits_in(its_cohort):
            raise NotHere
        return "auditor"
    if visit.administers if its_cohort is None else visit.administers_in(its_cohort):
        return "administrator"
    theirs = visit.coordinates if its_cohort is None else visit.coordinates_in(its_cohort)
    if theirs and route.who != "administrator":
        return "coordinator"
    its = visit.answers_for_others if its_cohort is None else visit.organisations_in(its_cohort)
    if its and route.who == "partner":
        return "partner"
    raise NotHere


def _stale(visit: Visit) -> Response:
    return message(
        visit,
        visit.say("Ce formulaire n’est plus valable", "This form is no longer valid"),
        visit.say(
            "Rien n’a été envoyé. Revenez à la page précédente, rechargez-la, puis recommencez. "
            "Votre navigateur doit accepter les cookies de ce site.",
            "Nothing was sent. Go back, reload the page, and try again. Your browser has to "
            "accept this site's cookies.",
        ),
        status=403,
    )


def _fault(visit: Visit, error: Exception) -> Response:
    match error:
        case NotHere():
            visit.shown_at = ""
            title = visit.say("Cette page n’existe pas", "There is no such page")
            text = visit.say(
                "Vérifiez l’adresse, ou partez de l’accueil.", "Check the address, or start over."
            )
            way = ("/", visit.say("Aller à l’accueil", "Start over"))
            return message(visit, title, text, status=404, way=way)
        case Problem(body={"retry_after": int(wait)}):
            title = visit.say("Trop de demandes en peu de temps", "Too many requests")
            text = visit.say(
                "Rien n’a été enregistré. Revenez à la page précédente et réessayez dans une "
                "minute.",
                "Nothing was recorded. Go back, and try again in a minute.",
            )
            response = message(visit, title, text, status=429)
            response.headers["Retry-After"] = str(wait)
            return response
        case HTTPException():
            title = visit.say("Cette demande n’a pas pu être lue", "This could not be read")
            text = visit.say(
                "Le fichier ou le formulaire est trop grand, ou est arrivé incomplet ou changé. "
                "Rien n’a été enregistré. Rechargez la page, puis recommencez.",
                "The file or form is too large, or came incomplete or changed. Nothing was "
                "recorded. Reload the page, and try again.",
            )
            return message(visit, title, text, status=error.status_code)
        case _:
            logger.warning("a page could not be made: %s", type(error).__name__)
            title = visit.say("Le service est momentanément indisponible", "Not available now")
            text = visit.say(
                "Revenez à la page précédente et réessayez dans quelques minutes : renvoyer le "
                "même formulaire ne fait rien deux fois.",
                "Go back and try again in a few minutes: the same form sent again does nothing "
                "twice.",
            )
            response = message(visit, title, text, status=503)
            response.headers["Retry-After"] = "30"
            return response


def _language(request: Request) -> Language:
    asked = request.query_params.get("langue") or request.cookies.get(LANGUAGE)
    return "en" if asked == "en" else "fr"


def _set_cookies(visit: Visit, response: Response, cookie: str) -> None:
    site = visit.site
    secure = {"httponly": True, "samesite": "lax", "secure": site.secure, "path": "/"}
    if site.cookie(VISIT) not in visit.request.cookies:
        response.set_cookie(site.cookie(VISIT), cookie, **secure)  # type: ignore[arg-type]
    if visit.query.get(FOLLOWS) in ("oui", "non"):
        response.set_cookie(FOLLOWS, visit.query[FOLLOWS], max_age=31536000, **secure)  # type: ignore[arg-type]
    if visit.query.get("langue") in ("fr", "en"):
        response.set_cookie(LANGUAGE, visit.language, max_age=31536000, **secure)  # type: ignore[arg-type]
    session = getattr(visit.request.state, "session", None)
    if session is not None:  # signed in or out just now
        name = site.cookie(SESSION)
        if session:
            response.set_cookie(name, session, **secure)  # type: ignore[arg-type]
        else:
            response.delete_cookie(name, **secure)  # type: ignore[arg-type]
