"""A person's own things for programs: read and changed with a token of their identity provider.

Always holds: whoever asks is known by an address that their provider vouches for, and gets and
changes what is theirs alone; what is somebody else's is refused in the same words whether there is
such a thing or not; by no way can somebody take another address or role.
"""

from collections.abc import Sequence
from functools import partial
from itertools import chain
from typing import Annotated, Any

from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse
from pydantic import BaseModel

from schemas.actors import Actor
from schemas.base import Command
from schemas.own import is_own, whose
from schemas.people import PersonContact, PersonErased
from schemas.rights import own_rights
from schemas.topics import COMMANDS
from services.chassis.http.commands import as_a_record
from services.chassis.http.guards import protected
from services.chassis.http.identity import Authority, Caller, caller_of, own_things
from services.chassis.http.problems import AWAY, Problem
from services.chassis.store.contract import Where
from services.portal.views import Participant
from services.portal.web.engine import Away, Outcome
from services.portal.web.own_data import as_json, goodbye, held_by
from services.portal.web.site import Site

MANY = 500
_ASKED: tuple[type[Command], ...] = (*chain(*COMMANDS.values()), PersonContact, PersonErased)
OWN: tuple[type[Command], ...] = tuple(kind for kind in _ASKED if is_own(kind))
"""What somebody can ask for in their own name."""


class Programme(BaseModel):
    """A programme in which somebody is known, and by which id."""

    cohort_id: str
    person_id: str
    name: str


class Own(BaseModel):
    """In which programmes somebody is known."""

    items: Sequence[Programme]


class Done(BaseModel):
    """It has been sent; `done` says whether it has been carried out already."""

    done: bool


def own_routes(site: Site, authorities: Sequence[Authority]) -> APIRouter:
    """`GET /own`, `GET /own/{cohort_id}` and `POST /own/commands/NAME`."""
    kind_of_route = protected(authorities, own_rights, site.rates, own_things)
    router = APIRouter(prefix="/own", route_class=kind_of_route)
    mine = partial(_mine, site)

    async def programmes(request: Request) -> JSONResponse:
        """The programmes in which you are known, with your id in each."""
        caller = caller_of(request)
        where = Where(equal={"address": await _address(site, caller)})
        found = await site.store.page(Participant, where, MANY)
        items = []
        for me in found:
            if caller.cohorts is None or me.cohort_id in caller.cohorts:
                cohort = await site.cohort(me.cohort_id)
                items.append({"cohort_id": cohort.id, "person_id": me.id, "name": cohort.name})
        return _private({"items": items})

    async def everything(request: Request, cohort_id: str) -> JSONResponse:
        """All that is held about you in a programme, with the calculation of each match."""
        me = await mine(caller_of(request), cohort_id)
        return _private(as_json(await held_by(site, me)))

    router.add_api_route("", programmes, response_model=Own, tags=["projections"])
    router.add_api_route(
        "/{cohort_id}", everything, response_model=dict[str, Any], tags=["projections"]
    )
    for kind in OWN:
        _add(router, site, kind)
    return router


def _add(router: APIRouter, site: Site, kind: type[Command]) -> None:
    async def send(
        request: Request,
        body: Annotated[kind, as_a_record(kind)],  # type: ignore[valid-type]
    ) -> JSONResponse:
        command: Command = body
        me = await _mine(site, caller_of(request), command.cohort_id)
        _check(me, command)
        outcome = Outcome(done=False)
        for wish in goodbye(me) if isinstance(command, PersonErased) else [command]:
            outcome = await _sent(site, me, wish)
        if isinstance(command, PersonErased):
            await site.forget_person(me.cohort_id, me.address or "")
        return JSONResponse({"done": outcome.done}, 200 if outcome.done else 202)

    router.add_api_route(
        f"/commands/{kind.__name__}",
        send,
        methods=["POST"],
        name=f"own {kind.__name__}",
        summary=(kind.__doc__ or "").strip().splitlines()[0],
        status_code=202,
        response_model=Done,
        responses={200: {"model": Done, "description": "Carried out."}},
        tags=["commands"],
    )


def _check(me: Participant, command: Command) -> None:
    """Raises `Problem` 403 of what is not for whoever asks."""
    if whose(command) != me.id:
        raise Problem(403, "this is not yours", rule="not-your-own")
    if getattr(command, "on_behalf", False):
        raise Problem(403, "you ask for yourself: leave on_behalf out", rule="not-on-behalf")
    if isinstance(command, PersonContact):
        if command.email.casefold() != me.address:
            title = "email: your address is the one that you are known by; a coordinator changes it"
            raise Problem(403, title, rule="other-address")
        if command.role != me.role:
            raise Problem(403, "role: an administrator gives and takes it", rule="other-role")


async def _mine(site: Site, caller: Caller, cohort_id: str) -> Participant:
    """Whoever asks, in a cohort. Raises `Problem` 403 or 404."""
    caller.check(cohort_id)
    where = Where(cohort_id, {"address": await _address(site, caller)})
    found = await site.store.page(Participant, where, 1)
    if not found:
        raise Problem(404, "nothing is kept about you in this programme", rule="not-known")
    return found[0]


async def _address(site: Site, caller: Caller) -> str:
    address = caller.address.casefold()
    if not await site.may_sign_in(address):
        raise Problem(403, "nobody signs in from this domain", rule="other-domain")
    return address


async def _sent(site: Site, me: Participant, command: Command) -> Outcome:
    try:
        outcome = await site.engine.send(command, Actor("app_user", me.id, "participant", "api"))
    except Away:
        title = "it is not known whether it was taken: sent again it does nothing twice"
        raise Problem(503, title, retry_after=AWAY) from None
    if outcome.rule is not None:
        raise Problem(outcome.status, outcome.detail, rule=outcome.rule)
    return outcome


def _private(body: Any) -> JSONResponse:
    return JSONResponse(body, headers={"Cache-Control": "no-store"})
