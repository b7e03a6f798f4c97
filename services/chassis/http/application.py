"""The HTTP application of a service, and its answer to every error: a problem document."""

import logging
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect
from starlette.types import Receive, Scope, Send

from schemas.invalid import wrong_fields
from services.chassis.http.bodies import MAX_BODY, Bodies
from services.chassis.http.manners import Careful, Heads, allowed, from_outside
from services.chassis.http.measuring import Measured
from services.chassis.http.openapi import describe
from services.chassis.http.problems import AWAY, Problem, invalid, problem
from services.chassis.http.reference import serve_reference
from services.chassis.store.contract import NoAnswer
from services.chassis.watch.metrics import Metrics

logger = logging.getLogger(__name__)


class _Service(FastAPI):
    """Its manners hold for what goes wrong as well, which middleware of an application does not
    see.
    """

    def __init__(self, hsts_seconds: int, proxies: int, **more: Any) -> None:
        super().__init__(**more)
        self._proxies = proxies
        # Not in the stack of middleware, which tracing expects to be that of every application.
        self._careful = Careful(super().__call__, hsts_seconds)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await self._careful(from_outside(scope, self._proxies), receive, send)


def create_app(
    title: str,
    description: str,
    metrics: Metrics | None = None,
    *,
    largest_body: int = MAX_BODY,
    hsts_seconds: int = 0,
    proxies: int = 0,
) -> FastAPI:
    """The service's HTTP application, without any route; measured if there are `metrics`.

    `hsts_seconds`: for how long browsers come by TLS only; 0 where they are not told. `proxies`:
    how many there are between it and whoever asks, each saying whom it has a request from.
    """
    app = _Service(
        hsts_seconds,
        proxies,
        title=title,
        description=description,
        docs_url=None,  # it would load its scripts from elsewhere
        redoc_url=None,
        # To an absolute address, which behind a proxy is one without TLS: the links in letters
        # would travel in clear.
        redirect_slashes=False,
    )
    app.add_middleware(Bodies, largest=largest_body)
    if metrics is not None:
        app.add_middleware(Measured, metrics=metrics)
    app.add_middleware(Heads)
    describe(app)
    serve_reference(app)
    answers: dict[type[Exception], Any] = {
        Problem: _problem,
        NoAnswer: _away,
        ClientDisconnect: _cut_off,
        Exception: _fault,
        HTTPException: _http,
        RequestValidationError: _invalid,
    }
    for kind, answer in answers.items():
        app.add_exception_handler(kind, answer)
    return app


async def _problem(_: Request, error: Problem) -> JSONResponse:
    return error.answer


async def _away(_: Request, error: NoAnswer) -> JSONResponse:
    logger.warning("not answered: %s", type(error.__cause__ or error).__name__)
    return problem(503, "the database does not answer", retry_after=AWAY)


async def _cut_off(_: Request, __: ClientDisconnect) -> JSONResponse:
    return problem(400, "the body was cut off")


async def _fault(_: Request, __: Exception) -> JSONResponse:
    return problem(500, "a fault of the service")


_NO_JSON = (
    "the body cannot be read: it is not UTF-8, is nested too deeply, or has a number of "
    "too many digits"
)


async def _http(request: Request, error: HTTPException) -> JSONResponse:
    headers = dict(error.headers or {})
    if error.status_code == 405:
        headers["Allow"] = allowed(request)
    again = headers.pop("Retry-After", None)
    extra = {} if again is None else {"retry_after": int(again)}
    told = str(error.detail)
    if isinstance(error.__cause__, RecursionError | ValueError):  # of which FastAPI says nothing
        told = _NO_JSON
    response = problem(error.status_code, told, **extra)
    response.headers.update(headers)
    return response


async def _invalid(_: Request, error: RequestValidationError) -> JSONResponse:
    return invalid("the request is not valid", wrong_fields(error.errors())).answer
