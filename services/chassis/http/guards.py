"""Who may use a route, and how it may be asked."""

import hmac
from collections import Counter
from collections.abc import Awaitable, Callable

from fastapi import APIRouter, Depends, FastAPI, Request
from starlette.exceptions import HTTPException

from services.chassis.http.problems import Problem


def bearer(token: str | None) -> Callable[[Request], Awaitable[None]]:
    """A guard that lets only bearers of the token in; no token, no guard (loopback only)."""

    async def guard(request: Request) -> None:
        if token is None:
            return
        given = request.headers.get("authorization", "")
        if not hmac.compare_digest(given.encode(), f"Bearer {token}".encode()):
            headers = {"WWW-Authenticate": "Bearer"}
            raise HTTPException(401, "a valid bearer token is needed", headers)

    return guard


async def said_once(request: Request) -> None:
    """A guard against a query parameter given twice: nobody can tell which one is meant."""
    given = Counter(name for name, _ in request.query_params.multi_items())
    for name, times in given.items():
        if times > 1:
            raise Problem(422, f"{name}: given {times} times, give it once")


def protected(app: FastAPI, router: APIRouter, token: str | None) -> None:
    """Mount routes that only bearers of the token may use."""
    app.include_router(router, dependencies=[Depends(bearer(token)), Depends(said_once)])
