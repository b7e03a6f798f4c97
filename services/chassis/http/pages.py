"""The page behind a link in a letter: a short form, in French first and English second.

Always holds: looking at the page changes nothing (mail scanners follow links); sending the form
sends one command, and the answer says what came of it. A forged, expired or used link gets its
own clear answer, as a page for people and as a problem document for programs.
"""

import contextlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

import jinja2
from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse, JSONResponse, Response
from pydantic import ValidationError

from schemas.base import Command
from services.chassis.domain import State
from services.chassis.http.answering import Answering
from services.chassis.http.commands import PARKED, Accepted
from services.chassis.http.guards import is_form
from services.chassis.http.links import Link, LinkError, LinkVerifier
from services.chassis.http.problems import Problem, invalid
from services.chassis.store.contract import NoAnswer


@dataclass(frozen=True, slots=True)
class Text:
    """The same in French and English."""

    fr: str
    en: str


@dataclass(frozen=True, slots=True)
class Choice:
    """One question with its possible answers: value and text."""

    name: str
    label: Text
    options: Sequence[tuple[str, Text]]


@dataclass(frozen=True, slots=True)
class Field:
    """Something to enter; `kind` is that of an HTML input. Nobody has to."""

    name: str
    label: Text
    kind: Literal["date", "time", "checkbox"]


@dataclass(frozen=True, slots=True)
class Form:
    """What a person is asked."""

    title: Text
    choices: Sequence[Choice]
    notice: Text | None = None
    fields: Sequence[Field] = ()


@dataclass(frozen=True, slots=True)
class LinkPage:
    """What a link is for: what its page asks, and the command that the answers make.

    `command` raises `Problem` or pydantic's error where the answers do not make one; the token is
    for commands that carry a proof. `seen` makes the form from the documents as they stand; `form`
    is what is shown where they cannot be read. What `seen` notices is also said after an answer.
    """

    form: Callable[[Link], Form]
    command: Callable[[Link, Mapping[str, str], str], Command]
    seen: Callable[[State, Link, datetime], Form] | None = None


_FORGED = Text("Ce lien n’est pas valable.", "This link is not valid.")
_EXPIRED = Text("Ce lien a expiré.", "This link has expired.")
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
    "Cette réponse est incomplète : merci de répondre à chaque question.",
    "This answer is not complete: please answer every question.",
)
_TOO_SOON = Text(
    "Une première réponse est en cours d’enregistrement : celle-ci n’a pas été prise en compte.",
    "A first answer is being recorded: this one was not taken.",
)
_OF_STATUS = {403: _FORGED, 410: _EXPIRED, 422: _INCOMPLETE, 429: _TOO_SOON, 503: _LATER}

_ANSWERED: dict[str, Any] = {
    "model": Accepted,
    "description": "Carried out.",
    "content": {"text/html": {"schema": {"type": "string"}}},
}
_FIELDS = {"schema": {"type": "object", "description": "The form's fields by name."}}
_BODY = {"application/json": _FIELDS, "application/x-www-form-urlencoded": _FIELDS}

_templates = jinja2.Environment(
    loader=jinja2.PackageLoader("services.chassis.http", "."), autoescape=True
)


def link_routes(
    link_pages: Mapping[str, LinkPage], verifier: LinkVerifier, answering: Answering
) -> APIRouter:
    """`GET` shows the form of a link, `POST` sends it."""
    router = APIRouter(tags=["links"])

    def opened(token: str) -> tuple[Link, LinkPage]:
        try:
            link = verifier.verify(token, answering.clock.now())
        except LinkError as error:
            if error.reason == "expired":
                raise Problem(410, _EXPIRED.en, rule="link-expired") from None
            raise Problem(403, _FORGED.en, rule="link-forged") from None
        purpose = link_pages.get(link.purpose)
        if purpose is None:
            raise Problem(403, _FORGED.en, rule="link-forged")
        return link, purpose

    @router.get("/links/{token}", response_class=HTMLResponse)
    async def show(token: str, request: Request) -> Response:
        """The form of a link. Changes nothing."""
        try:
            link, purpose = opened(token)
        except Problem as error:
            return _answer(request, error)
        return _page(await _form(purpose, link, answering))

    @router.post(
        "/links/{token}",
        responses={200: _ANSWERED, 202: {**_ANSWERED, "description": "Sent, not decided on yet."}},
        openapi_extra={"requestBody": {"required": True, "content": _BODY}},
    )
    async def send(token: str, request: Request) -> Response:
        """Send the form of a link, as a form or as JSON; answers when it has been decided on."""
        try:
            link, purpose = opened(token)
            answers = await _answers(request)
            accepted = await answering.send(link, _command(purpose, link, answers, token))
        except Problem as error:
            return _answer(request, error)
        if _wants_page(request):
            after = await _form(purpose, link, answering) if purpose.seen else None
            notice = after.notice if after and accepted.done else None
            return _page(Form(_DONE if accepted.done else _SENT, (), notice))
        return JSONResponse(accepted.model_dump(), 200 if accepted.done else 202)

    return router


async def _form(purpose: LinkPage, link: Link, answering: Answering) -> Form:
    seen, now = purpose.seen, answering.clock.now()
    if seen is not None:
        with contextlib.suppress(NoAnswer):
            return await answering.foresight.look(lambda state: seen(state, link, now))
    return purpose.form(link)


def _command(purpose: LinkPage, link: Link, answers: Mapping[str, str], token: str) -> Command:
    try:
        return purpose.command(link, answers, token)
    except ValidationError as error:
        errors = [
            {"field": ".".join(str(part) for part in e["loc"]), "message": e["msg"]}
            for e in error.errors(include_url=False, include_input=False)
        ]
        raise invalid("the answer is not valid", errors) from None


async def _answers(request: Request) -> dict[str, str]:
    if not is_form(request):
        try:
            body = await request.json()
        except (ValueError, RecursionError):
            raise Problem(422, "the body is not JSON") from None
        if not isinstance(body, dict):
            raise Problem(422, "the body is not an object of answers")
        return {str(name): str(value) for name, value in body.items()}
    async with request.form(max_files=0, max_fields=50) as form:
        return {name: str(value) for name, value in form.items()}


def _wants_page(request: Request) -> bool:
    return "text/html" in request.headers.get("accept", "")


def _answer(request: Request, error: Problem) -> Response:
    if not _wants_page(request):
        raise error
    aside = error.body.get("rule") == PARKED
    text = _ASIDE if aside else _OF_STATUS.get(error.status, _USED)
    page = _page(Form(text, ()), error.status)
    if "retry_after" in error.body:
        page.headers["Retry-After"] = str(error.body["retry_after"])
    return page


def _page(form: Form, status: int = 200) -> Response:
    html = _templates.get_template("page.html").render(form=form)
    # The token is in the address: it must not travel on to anybody.
    headers = {
        "Referrer-Policy": "no-referrer",
        "Cache-Control": "no-store",
        "Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'; "
        "form-action 'self'; frame-ancestors 'none'; base-uri 'none'",
    }
    return HTMLResponse(html, status, headers=headers)
