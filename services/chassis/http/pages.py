"""The page behind a link in a letter: a short form, in the language of the letter.

Always holds: looking at the page changes nothing (mail scanners follow links); sending the form
sends one command, and the answer says what came of it. A forged, expired, revoked or used link
gets its own clear answer, as a page for people, with what holds now, and as a problem document for
programs. An answer that is missing is asked for again, and what was answered stays.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

import jinja2
from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse, JSONResponse, Response
from pydantic import ValidationError

from schemas.base import Command
from schemas.invalid import wrong_fields
from schemas.saying import LANGUAGES, Language, typeset
from services.chassis.documents import RevokedLinks
from services.chassis.domain import State
from services.chassis.http.answering import Answering
from services.chassis.http.commands import PARKED, STATUS, Accepted
from services.chassis.http.foresight import Unread
from services.chassis.http.forms import NOTHING, About, Choice, Field, Form, LinkPage, Text
from services.chassis.http.guards import is_form
from services.chassis.http.links import Link, LinkError, LinkVerifier
from services.chassis.http.problems import Problem, invalid
from services.chassis.http.rates import RULE as TOO_OFTEN
from services.chassis.http.rates import Rates

_FORGED = Text("Ce lien n’est pas valable.", "This link is not valid.")
_EXPIRED = Text("Ce lien a expiré.", "This link has expired.")
_REVOKED = Text("Ce lien a été désactivé.", "This link has been switched off.")
_REVOKED_WHY = Text(
    "Il l’a été à votre demande ou à celle de l’équipe du programme, et ne permet plus rien.",
    "You or the programme's team asked for it. The link opens nothing any more.",
)
_DONE = Text("C’est noté, merci.", "Your answer has been recorded. Thank you.")
_SENT = Text("Votre réponse est en cours d’enregistrement.", "Your answer is being recorded.")
_LATER = Text(
    "Le service est très sollicité : merci de réessayer dans quelques minutes.",
    "The service has much to do: please try again in a few minutes.",
)
_USED = Text(
    "Cette réponse n’a pas pu être prise en compte : la demande est close ou a déjà sa réponse.",
    "This answer could not be recorded: the request is closed or has been answered already.",
)

_ASIDE = Text(
    "Votre réponse est arrivée, mais elle n’a pas encore pu être enregistrée. Elle est conservée : "
    "l’équipe du programme doit intervenir. Inutile de la renvoyer.",
    "Your answer has arrived, but it could not be recorded yet. It is kept: the programme's team "
    "has to see to it. There is no need to send it again.",
)
_INCOMPLETE = Text(
    "Cette réponse n’est pas de celles que la page propose.",
    "This answer is none of those that the page offers.",
)
_ASK_AGAIN = Text("Il manque une réponse", "An answer is missing")
_ANY = Text(
    "Choisissez au moins une réponse, ou fermez simplement cette page.",
    "Choose at least one answer, or simply close this page.",
)
_WORDS = {
    "skip": Text("Aller au contenu", "Go to the content"),
    "next": Text("Et ensuite ?", "What next?"),
    "optional": Text("facultatif", "optional"),
    "machine": Text("Les mêmes données, pour un programme", "The same data, for a program"),
    "yours": Text(
        "Cette page est la vôtre : ne transférez pas son adresse.",
        "This page is yours alone: do not pass its address on.",
    ),
}
_TOO_SOON = Text(
    "Une première réponse est en cours d’enregistrement : celle-ci n’a pas été prise en compte.",
    "A first answer is being recorded: this one was not taken.",
)
_OFTEN = Text(
    "Trop de demandes en peu de temps : merci de réessayer dans une minute.",
    "Too many requests in a short time: please try again in a minute.",
)
REVOKED = "link-revoked"
IN_OTHER_LANGUAGE = "lang"
"""The button by which a half-filled form is shown again, and nothing is sent."""
_OF_STATUS = {403: _FORGED, 410: _EXPIRED, 422: _INCOMPLETE, 429: _TOO_SOON, 503: _LATER}
_OF_RULE = {PARKED: _ASIDE, TOO_OFTEN: _OFTEN, REVOKED: _REVOKED}

_WRITE_TO_US = (
    "Sinon, écrivez à l’équipe du programme.",
    "Otherwise, please write to the programme's team.",
)
_NEXT = {
    "link-forged": Text(
        f"Il a pu être coupé en chemin : ouvrez-le dans le courriel lui-même. {_WRITE_TO_US[0]}",
        f"It may have been cut off on its way: open it in the e-mail itself. {_WRITE_TO_US[1]}",
    ),
    "link-expired": Text(
        f"Cherchez un courriel plus récent : son lien est valable. {_WRITE_TO_US[0]}",
        f"Look for a newer e-mail: its link works. {_WRITE_TO_US[1]}",
    ),
    REVOKED: Text(
        "Votre prochain courriel du programme aura un lien valable. Si cela ne peut pas attendre, "
        "écrivez à l’équipe du programme.",
        "The next e-mail from the programme will have a link that works. If it cannot wait, please "
        "write to the programme's team.",
    ),
}
"""What somebody can do whose link opens nothing, by the rule."""

_ANSWERED: dict[str, Any] = {
    "model": Accepted,
    "description": "Carried out.",
    "content": {"text/html": {"schema": {"type": "string"}}},
}
_FIELDS = {"schema": {"type": "object", "description": "The form's fields by name."}}
_BODY = {"application/json": _FIELDS, "application/x-www-form-urlencoded": _FIELDS}

_templates = jinja2.Environment(
    loader=jinja2.PackageLoader("services.chassis.http", "."),
    autoescape=True,
    undefined=jinja2.StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)


@dataclass(frozen=True, slots=True)
class _View:
    """A page to show. `asked_again` is what the form asks and has no answer yet."""

    title: Text
    text: Text | None = None
    after: Text | None = None
    about: About = field(default_factory=About)
    form: Form | None = None
    answers: Mapping[str, str] = field(default_factory=dict)
    asked_again: Sequence[Choice | Field] = ()

    @property
    def problem(self) -> Text | None:
        """What is wrong with what was sent, where no question stands out."""
        choices = self.form.choices if self.form else ()
        blank = bool(choices) and list(self.asked_again) == list(choices)
        return _ANY if blank and not any(choice.required for choice in choices) else None


def link_routes(
    link_pages: Mapping[str, LinkPage],
    verifier: LinkVerifier,
    answering: Answering,
    rates: Rates | None = None,
) -> APIRouter:
    """`GET` shows the form of a link, `POST` sends it; `rates`: how often."""
    router = APIRouter(tags=["links"])
    counted = rates or Rates()

    def count(request: Request, link: Link | None) -> None:
        """Whoever has or had a link of ours is known by it, from wherever they come."""
        if link is None:
            counted.of_stranger(request)
        else:
            counted.of_person(link.cohort_id, link.person_id, link.role or "")

    async def opened(token: str, request: Request) -> tuple[Link, LinkPage]:
        try:
            link = verifier.verify(token, answering.clock.now())
        except LinkError as error:
            count(request, error.link)
            if error.reason == "expired":
                raise Problem(410, _EXPIRED.en, rule="link-expired") from None
            raise Problem(403, _FORGED.en, rule="link-forged") from None
        count(request, link)
        purpose = link_pages.get(link.purpose)
        if purpose is None:
            raise Problem(403, _FORGED.en, rule="link-forged")
        if await answering.look(lambda state, _: _is_revoked(state, link)):
            raise Problem(410, _REVOKED.en, rule=REVOKED)
        return link, purpose

    async def seen(link: Link, page: LinkPage) -> tuple[About, Form]:
        return await answering.look(
            lambda state, now: (page.about(state, link), page.form(state, link, now))
        )

    @router.get("/links/{token}", response_class=HTMLResponse)
    async def show(token: str, request: Request) -> Response:
        """The form of a link. Changes nothing. `?lang=fr` or `?lang=en` is its language."""
        try:
            link, purpose = await opened(token, request)
        except Problem as error:
            return _answer(request, error)
        about, form = await seen(link, purpose)
        as_json = request.query_params.get("format") == "json" or not _wants_page(request)
        if about.facts and as_json:
            return JSONResponse(about.facts, headers=_PRIVATE)
        return _page(request, _View(form.title, form.notice or form.hint, about=about, form=form))

    @router.post(
        "/links/{token}",
        responses={200: _ANSWERED, 202: {**_ANSWERED, "description": "Sent, not decided on yet."}},
        openapi_extra={"requestBody": {"required": True, "content": _BODY}},
    )
    async def send(token: str, request: Request) -> Response:
        """Send the form of a link, as a form or as JSON; answers when it has been decided on."""
        try:
            link, purpose = await opened(token, request)
        except Problem as error:
            return _answer(request, error)
        try:
            answers = await _answers(request)
            if _wants_page(request):
                about, form = await seen(link, purpose)
                missing = form.missing(answers)
                if missing or IN_OTHER_LANGUAGE in answers:
                    return _asked_again(request, about, form, answers, missing)
            command = _command(purpose, link, answers, token)
            accepted = await answering.send(link, command)
        except Problem as error:
            if error.status != STATUS["conflict"] or not _wants_page(request):
                return _answer(request, error, purpose.refusals)
            about, form = await seen(link, purpose)
            return _answer(request, error, purpose.refusals, about, form.notice)
        if _wants_page(request):
            return _page(request, await _done(purpose, link, command, accepted, answering))
        return JSONResponse(accepted.model_dump(), 200 if accepted.done else 202)

    return router


def _asked_again(
    request: Request,
    about: About,
    form: Form,
    answers: Mapping[str, str],
    missing: Sequence[Choice | Field],
) -> Response:
    """The form with what was answered: in the other language, or with what is missing."""
    said = form.notice or form.hint
    if IN_OTHER_LANGUAGE in answers:
        return _page(request, _View(form.title, said, None, about, form, answers))
    return _page(request, _View(form.title, said, None, about, form, answers, missing), 422)


def _is_revoked(state: State, link: Link) -> bool:
    known = state.get(RevokedLinks, link.cohort_id, link.person_id)
    return known is not None and not known.counts(link.name, link.after)


async def _done(
    page: LinkPage, link: Link, command: Command, accepted: Accepted, answering: Answering
) -> _View:
    """What has been done, how it stands now, and what comes next."""
    if not accepted.done:  # the documents are still those from before
        return _View(_SENT, after=page.after(Unread(), link, command))
    return await answering.look(
        lambda state, _: _View(
            _DONE, after=page.after(state, link, command), about=page.about(state, link)
        )
    )


def _command(purpose: LinkPage, link: Link, answers: Mapping[str, str], token: str) -> Command:
    try:
        return purpose.command(link, answers, token)
    except ValidationError as error:
        raise invalid("the answer is not valid", wrong_fields(error.errors())) from None


async def _answers(request: Request) -> dict[str, str]:
    if not is_form(request):
        try:
            body = await request.json()
        except (ValueError, RecursionError):
            raise Problem(422, "the body is not JSON") from None
        if not isinstance(body, dict):
            raise Problem(422, "the body is not an object of answers")
        return {_whole(str(name)): _whole(str(value)) for name, value in body.items()}
    async with request.form(max_files=0, max_fields=50) as form:
        return {name: str(value) for name, value in form.items()}


def _whole(text: str) -> str:
    """The text, if a page can show it again. Raises `Problem` where JSON says half a sign."""
    try:
        text.encode()
    except UnicodeEncodeError:
        title = "an answer has half a sign in it (a surrogate without the other): send whole ones"
        raise Problem(422, title) from None
    return text


def _wants_page(request: Request) -> bool:
    return "text/html" in request.headers.get("accept", "")


def _answer(
    request: Request,
    error: Problem,
    refusals: Mapping[str, Text] = MappingProxyType({}),
    about: About = NOTHING,
    notice: Text | None = None,
) -> Response:
    """The page that says why not, in the words of the rule where its service has some; what holds.

    A page whose form was sent twice, or too late, so says what came of it the first time.
    """
    if not _wants_page(request):
        raise error
    rule = str(error.body.get("rule", ""))
    plain = _OF_RULE.get(rule) or _OF_STATUS.get(error.status, _USED)
    text = refusals.get(rule, plain)
    why = _REVOKED_WHY if rule == REVOKED else notice
    page = _page(request, _View(text, why, _NEXT.get(rule), about), error.status)
    if "retry_after" in error.body:
        page.headers["Retry-After"] = str(error.body["retry_after"])
    return page


def _language(request: Request) -> Language:
    """That of the letter, which is in its link; else the first that the browser asks for."""
    asked = request.query_params.get("lang", "")
    accepted = [part.strip()[:2].lower() for part in _accepted(request).split(",")]
    return next((ours for wish in (asked, *accepted) for ours in LANGUAGES if wish == ours), "fr")


def _accepted(request: Request) -> str:
    return request.headers.get("accept-language", "")


# The token is in the address: it must not travel on to anybody.
_PRIVATE = {"Referrer-Policy": "no-referrer", "Cache-Control": "no-store"}
_POLICY = (
    "default-src 'none'; style-src 'unsafe-inline'; form-action 'self'; frame-ancestors 'none'; "
    "base-uri 'none'"
)


def _page(request: Request, view: _View, status: int = 200) -> Response:
    language = _language(request)

    def say(text: Text) -> str:
        return typeset(text.en if language == "en" else text.fr, language)

    html = _templates.get_template("page.html").render(
        view=view, language=language, say=say, words=_WORDS, ask_again=_ASK_AGAIN
    )
    return HTMLResponse(html, status, headers={**_PRIVATE, "Content-Security-Policy": _POLICY})
