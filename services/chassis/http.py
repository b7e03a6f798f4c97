"""The service's HTTP: commands in, projections out, health and metrics.

Always holds: HTTP changes no state. It validates, sends a command to the service's own topic and
answers 202; with `?wait=` it answers once the projection shows what came of the command. Every
error is a problem document (RFC 9457) that names what is wrong.
"""

import asyncio
import hmac
import secrets
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Annotated, Any

from fastapi import APIRouter, Depends, FastAPI, Query, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from pydantic import BaseModel, TypeAdapter, ValidationError
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Receive, Scope, Send
from starlette.types import Message as AsgiMessage

from schemas.base import Command
from schemas.envelope import encode
from schemas.topics import commands_topic, partition_of
from services.chassis.clock import Clock
from services.chassis.domain import Document, Domain
from services.chassis.journal import ParkedRecord, RefusedCommand
from services.chassis.log import Log
from services.chassis.mongo import MongoStore

MAX_BODY = 256 * 1024
PROBLEM = "application/problem+json"

# Which answer a refusal is; any other rule is a conflict with the present state.
_STATUS = (("unknown-", 404), ("invalid-", 422))


class Accepted(BaseModel):
    """The command has been sent. `done` says whether it has been carried out already."""

    command_id: str
    done: bool


class Problem(Exception):
    """An answer that is a problem document."""

    def __init__(self, status: int, title: str, **extra: Any) -> None:
        super().__init__(title)
        self.status = status
        self.body = {"type": "about:blank", "status": status, "title": title, **extra}


def problem(status: int, title: str, **extra: Any) -> JSONResponse:
    """A problem document."""
    error = Problem(status, title, **extra)
    return JSONResponse(error.body, error.status, media_type=PROBLEM)


class Commands:
    """Sends commands to the service's own topic, and can wait for what comes of them."""

    def __init__(
        self, domain: Domain, log: Log, store: MongoStore, clock: Clock, partitions: int
    ) -> None:
        self.domain = domain
        self.log = log
        self.store = store
        self.clock = clock
        self.partitions = partitions

    async def send(self, command: Command, wait: float = 0.0, topic: str | None = None) -> Accepted:
        """Send a command; with `wait` (seconds), see it done or raise its refusal as `Problem`."""
        topic = topic or commands_topic(self.domain.name)
        partition = partition_of(command.cohort_id, self.partitions)
        command_id = secrets.token_hex(12)
        record = encode(
            command,
            topic,
            partition,
            id=command_id,
            source=f"/mentoring/{self.domain.name}/http",
            time=self.clock.now(),
        )
        offset = await self.log.send(record)
        done = wait > 0 and await self._done(topic, partition, offset, wait)
        if done:
            await self._raise_refusal(command, command_id)
        return Accepted(command_id=command_id, done=done)

    async def _done(self, topic: str, partition: int, offset: int, wait: float) -> bool:
        loop = asyncio.get_running_loop()
        deadline, pause = loop.time() + wait, 0.01
        while loop.time() < deadline:
            place = (await self.store.places([partition])).get(partition)
            if place is not None and place.positions.get(topic, 0) > offset:
                return True
            await asyncio.sleep(pause)
            pause = min(pause * 1.5, 0.2)
        return False

    async def _raise_refusal(self, command: Command, command_id: str) -> None:
        key = f"{command.cohort_id}/{command_id}"
        refused = await self.store.find(RefusedCommand, {"_id": key})
        if refused:
            rule, detail = refused[0]["rule"], refused[0]["detail"]
            status = next((s for prefix, s in _STATUS if rule.startswith(prefix)), 409)
            raise Problem(status, detail, rule=rule, command_id=command_id)


class BodyLimit:
    """Refuses bodies over `MAX_BODY` before they are in memory."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        taken = 0

        async def counted() -> AsgiMessage:
            nonlocal taken
            message = await receive()
            taken += len(message.get("body", b""))
            if taken > MAX_BODY:
                # Not `Problem`: FastAPI takes other faults in a body for a body that is not JSON.
                raise HTTPException(413, f"the body is larger than {MAX_BODY} bytes")
            return message

        length = dict(scope["headers"]).get(b"content-length", b"0")
        if length.isdigit() and int(length) > MAX_BODY:
            refusal = problem(413, f"the body is larger than {MAX_BODY} bytes")
            await refusal(scope, receive, send)
            return
        await self.app(scope, counted, send)


def create_app(title: str, description: str) -> FastAPI:
    """The service's HTTP application, with its error answers."""
    app = FastAPI(title=title, description=description, docs_url="/docs", redoc_url=None)
    app.add_middleware(BodyLimit)

    @app.exception_handler(Problem)
    async def _problem(_: Request, error: Problem) -> JSONResponse:
        return JSONResponse(error.body, error.status, media_type=PROBLEM)

    @app.exception_handler(HTTPException)
    async def _http(_: Request, error: HTTPException) -> JSONResponse:
        response = problem(error.status_code, str(error.detail))
        response.headers.update(error.headers or {})
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


Wait = Annotated[float, Query(ge=0, le=30, description="Seconds to wait for the outcome.")]


def command_routes(
    commands: Commands, kinds: Sequence[type[Command]], topics: Mapping[type[Command], str]
) -> APIRouter:
    """`POST /commands/TheCommand` for every kind."""
    router = APIRouter(prefix="/commands", tags=["commands"])

    def add(kind: type[Command]) -> None:
        async def send(body: kind, wait: Wait = 0.0) -> JSONResponse:  # type: ignore[valid-type]
            accepted = await commands.send(body, wait, topics.get(kind))
            return JSONResponse(accepted.model_dump(), 200 if accepted.done else 202)

        router.add_api_route(
            f"/{kind.__name__}",
            send,
            methods=["POST"],
            name=kind.__name__,
            summary=(kind.__doc__ or "").strip().splitlines()[0],
            status_code=202,
            response_model=Accepted,
        )

    for kind in kinds:
        add(kind)
    return router


def projection_routes(
    store: MongoStore,
    kinds: Mapping[type[Document], Sequence[str]],
    counted: Sequence[type[Document]] = (),
) -> APIRouter:
    """`GET /cohorts/{cohort_id}/{collection}` for every kind, with its filters; by id, paged."""
    router = APIRouter(tags=["projections"])

    def add(kind: type[Document], filters: Sequence[str]) -> None:
        async def listing(
            request: Request,
            cohort_id: str,
            limit: Annotated[int, Query(ge=1, le=1000)] = 100,
            after: Annotated[str, Query(description="The last id of the page before.")] = "",
        ) -> JSONResponse:
            query: dict[str, Any] = {"cohort_id": cohort_id, "id": {"$gt": after}}
            for name in set(request.query_params) - {"limit", "after"}:
                if name not in filters:
                    known = ", ".join(filters) or "none"
                    raise Problem(422, f"{name}: no such filter; there is {known}")
                query[name] = _typed(kind, name, request.query_params[name])
            rows = await store.find(kind, query, limit)
            documents = [kind.model_validate(row).model_dump(mode="json") for row in rows]
            total = await store.count(kind, {k: v for k, v in query.items() if k != "id"})
            return JSONResponse({"items": documents, "total": total})

        shown = ", ".join(f"`{name}`" for name in filters) or "none"
        router.add_api_route(
            f"/cohorts/{{cohort_id}}/{kind.collection}",
            listing,
            methods=["GET"],
            name=f"list {kind.collection}",
            summary=(kind.__doc__ or "").strip().splitlines()[0],
            description=f"Filters: {shown}.",
        )

    for kind, filters in kinds.items():
        add(kind, filters)

    @router.get("/cohorts/{cohort_id}")
    async def overview(cohort_id: str) -> JSONResponse:
        """How many documents of each kind the cohort has, by state."""
        found: dict[str, dict[str, int]] = {}
        for kind in (*kinds, *counted):
            fields = ["state"] if "state" in kind.model_fields else ["cohort_id"]
            tally = await store.tally(kind, fields, {"cohort_id": cohort_id})
            by_state = {state: count for (state,), count in sorted(tally.items())}
            found[kind.collection] = (
                by_state if fields == ["state"] else {"all": sum(by_state.values())}
            )
        return JSONResponse(found)

    @router.get("/refusals/{cohort_id}/{command_id}")
    async def refusal(cohort_id: str, command_id: str) -> JSONResponse:
        """Why a command was refused; 404 if it was not."""
        rows = await store.find(RefusedCommand, {"_id": f"{cohort_id}/{command_id}"})
        if not rows:
            raise Problem(404, "no refusal of this command is known")
        return JSONResponse(RefusedCommand.model_validate(rows[0]).model_dump(mode="json"))

    @router.get("/parked")
    async def parked(limit: Annotated[int, Query(ge=1, le=1000)] = 100) -> JSONResponse:
        """Records that stand aside, with reason and origin; not their bytes."""
        rows = await store.find(ParkedRecord, {}, limit)
        hidden = {"value", "headers", "record_key"}
        items = [
            ParkedRecord.model_validate(r).model_dump(mode="json", exclude=hidden) for r in rows
        ]
        return JSONResponse({"items": items, "total": await store.count(ParkedRecord, {})})

    return router


def _typed(kind: type[Document], name: str, text: str) -> Any:
    """A filter's value, as the document's field has it."""
    try:
        annotation: Any = kind.model_fields[name].annotation
        return TypeAdapter(annotation).validate_strings(text)
    except ValidationError as error:
        raise Problem(422, f"{name}: {error.errors()[0]['msg']}") from None


def protected(app: FastAPI, router: APIRouter, token: str | None) -> None:
    """Mount routes that only bearers of the token may use."""
    app.include_router(router, dependencies=[Depends(bearer(token))])
