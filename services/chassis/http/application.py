"""The HTTP application of a service: its error answers and its guards."""

import hmac
import logging
from collections import Counter
from collections.abc import Awaitable, Callable

from fastapi import APIRouter, Depends, FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from pymongo.errors import PyMongoError
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect

from services.chassis.http.bodies import Bodies
from services.chassis.http.openapi import describe
from services.chassis.http.problems import Problem, problem

logger = logging.getLogger(__name__)


AWAY = 5
"""Seconds to come back after, where the broker or the database does not answer."""


def create_app(title: str, description: str) -> FastAPI:
    """The service's HTTP application, with its error answers."""
    app = FastAPI(title=title, description=description, docs_url="/docs", redoc_url=None)
    app.add_middleware(Bodies)
    describe(app)

    @app.exception_handler(Problem)
    async def _problem(_: Request, error: Problem) -> JSONResponse:
        return error.answer

    @app.exception_handler(PyMongoError)
    async def _away(_: Request, error: PyMongoError) -> JSONResponse:
        logger.warning("not answered: %s", type(error).__name__)
        return problem(503, "the database does not answer", retry_after=AWAY)

    @app.exception_handler(ClientDisconnect)
    async def _gone(_: Request, __: ClientDisconnect) -> JSONResponse:
        return problem(400, "the body was cut off")

    @app.exception_handler(Exception)
    async def _fault(_: Request, __: Exception) -> JSONResponse:
        return problem(500, "a fault of the service")

    @app.exception_handler(HTTPException)
    async def _http(_: Request, error: HTTPException) -> JSONResponse:
        headers = dict(error.headers or {})
        again = headers.pop("Retry-After", None)
        extra = {} if again is None else {"retry_after": int(again)}
        response = problem(error.status_code, str(error.detail), **extra)
        response.headers.update(headers)
        return response

    @app.exception_handler(RequestValidationError)
    async def _invalid(_: Request, error: RequestValidationError) -> JSONResponse:
        errors = [
            {"field": ".".join(str(p) for p in e["loc"] if p != "body"), "message": e["msg"]}
            for e in error.errors()
        ]
        named = "; ".join(f"{e['field'] or 'body'}: {e['message']}" for e in errors)
        return problem(422, f"the request is not valid: {named}"[:500], errors=errors)

    return app


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
