"""Who asks: told by the token in the head of a request, before anything of its body is read.

Always holds: an unknown token opens nothing; who asks is known by an id, never by a name; only a
machine speaks for others, and whatever it says of them is held against the rights of their role.
"""

import hmac
import re
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import get_args

from fastapi import Request
from starlette.exceptions import HTTPException

from schemas.actors import Actor, ActorType
from schemas.roles import BY_TOKEN, Rights, Role
from services.chassis.http.problems import Problem

ON_BEHALF, VIA = "Connecte-On-Behalf-Of", "Connecte-Via"
"""Headers: role and id of whoever a machine speaks for; through what they ask."""

LONGEST_TOKEN = 8192
ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")


@dataclass(frozen=True, slots=True)
class Principal:
    """Whose token it is. `cohorts` are those that it is good for; None: all.

    `address`: the one that their provider vouches for, where it is trusted to. `organisations`:
    those for whose people a partner is.
    """

    type: ActorType
    id: str
    roles: tuple[Role, ...]
    cohorts: frozenset[str] | None = frozenset()
    address: str | None = None
    organisations: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Caller:
    """Whoever a request is made for: who acts, and for which cohorts it may be; None: all.

    `address`: by which somebody is known who asks for their own things.
    """

    actor: Actor | None = None
    cohorts: frozenset[str] | None = None
    address: str = ""

    def check(self, cohort_id: str) -> None:
        """Raises `Problem` 403 of other cohorts, whether there are such or not."""
        if self.cohorts is not None and cohort_id not in self.cohorts:
            raise Problem(403, "this token is not for that cohort", rule="other-cohort")


Authority = Callable[[str], Awaitable[Principal | None]]
"""Whose token it is; None: not one of this authority's. Raises `HTTPException` 401 of one that is
no good (any more), and `Problem` 503 where that cannot be told now."""

UNAUTHENTICATED = Principal("unauthenticated", "loopback", ("machine",), None)
"""Whoever is on the machine of a service that knows no token."""


def static(tokens: Sequence[tuple[str, Principal]]) -> Authority:
    """The authority of tokens that settings name."""
    known = [(token.encode(), principal) for token, principal in tokens]

    async def whose(given: str) -> Principal | None:
        told = given.encode()
        right = [p for token, p in known if hmac.compare_digest(told, token)]  # each, always
        return right[0] if right else None

    return whose


async def principal_of(request: Request, authorities: Sequence[Authority]) -> Principal:
    """Whose token the request bears; without any authority, that of the loopback."""
    if not authorities:
        return UNAUTHENTICATED
    scheme, _, given = request.headers.get("authorization", "").partition(" ")
    token = given.strip(" ")
    if scheme.lower() == "bearer" and 0 < len(token) <= LONGEST_TOKEN:
        for authority in authorities:
            if (found := await authority(token)) is not None:
                return found
    raise not_known()


def not_known() -> HTTPException:
    """The answer to every token that is no good: nobody learns why."""
    return HTTPException(401, "a valid bearer token is needed", {"WWW-Authenticate": "Bearer"})


def admitted(
    request: Request, principal: Principal, rights: Rights, *, about_people: bool = False
) -> Caller:
    """What a principal's request is made for. Raises `Problem` 403 where it may not be.

    What is `about_people` is shown to somebody where it is known who reports to them: not here.
    """
    if about_people and principal.type == "user":
        raise Problem(403, "of people a person asks in the portal", rule="in-the-portal")
    speaks_for, via = request.headers.get(ON_BEHALF), request.headers.get(VIA, "api")
    machine = "machine" in principal.roles
    if via not in ("api", "roster", *(("portal",) if machine else ())):
        raise Problem(422, f"{VIA}: it is api or roster")
    # Whose own things they are, or of which organisation somebody is, a token cannot tell: who
    # says so has seen to it.
    role = next((one for one in principal.roles if rights.get(one) in BY_TOKEN), None)
    if role is None:
        raise _not_for_them()
    actor = Actor(principal.type, principal.id, role, via)
    if speaks_for is not None:
        if not machine:
            raise Problem(403, "this token speaks for nobody else", rule="not-on-behalf")
        actor = _other(speaks_for, via)
        if actor.role not in rights:
            raise _not_for_them()
    caller = Caller(actor, None if rights[role] == "all" else principal.cohorts)
    if (cohort_id := request.path_params.get("cohort_id")) is not None:
        caller.check(cohort_id)
    return caller


def own_things(
    request: Request, principal: Principal, rights: Rights, *, about_people: bool = True
) -> Caller:
    """The same of what is a person's own, by the address that they are known by.

    Raises `Problem` 403 of everybody else: whoever has more to say says it elsewhere.
    """
    theirs = "participant" in principal.roles and principal.address is not None
    if not theirs or rights.get("participant") != "own" or not about_people:
        raise _not_for_them()
    if request.headers.get(ON_BEHALF) is not None:
        raise Problem(403, "this token speaks for nobody else", rule="not-on-behalf")
    actor = Actor(principal.type, principal.id, "participant", "api")
    return Caller(actor, principal.cohorts, principal.address or "")


def _not_for_them() -> Problem:
    return Problem(403, "this is not for the role of this token", rule="other-role")


def _other(told: str, via: str) -> Actor:
    role, _, who = told.partition(" ")
    if role not in get_args(Role) or not ID.fullmatch(who):
        raise Problem(422, f"{ON_BEHALF}: a role and an id, as in: participant m-017")
    return Actor("app_user" if role in ("participant", "assistant") else "user", who, role, via)


def caller_of(request: Request) -> Caller:
    """Whoever the request is made for, as its guard has found."""
    found: Caller = getattr(request.state, "caller", Caller())
    return found
