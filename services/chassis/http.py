"""The service's HTTP: commands in, projections out, health and metrics.

Always holds: HTTP changes no state. It validates, sends a command to the service's own topic and
answers 202; with `?wait=` it answers once the projection shows what came of the command. Every
error is a problem document (RFC 9457) that names what is wrong.
"""

import asyncio
import hmac
import logging
import secrets
from collections import Counter
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Annotated, Any

from fastapi import APIRouter, Depends, FastAPI, Query, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from pydantic import BaseModel, TypeAdapter, ValidationError, create_model
from pymongo.errors import PyMongoError
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect

from schemas.base import Command
from schemas.envelope import Record, encode
from schemas.topics import commands_topic, partition_of
from services.chassis import kafka, mongo
from services.chassis.bodies import Bodies
from services.chassis.clock import Clock
from services.chassis.domain import Document, Domain, Timed
from services.chassis.journal import ParkedRecord, RefusedCommand
from services.chassis.log import Log
from services.chassis.mongo import MongoStore
from services.chassis.openapi import describe
from services.chassis.pressure import Busy, Pressure
from services.chassis.problems import Problem, problem
from services.chassis.tracing import OFF, TRACEPARENT, Tracing

logger = logging.getLogger(__name__)

# Which answer a refusal is; any other rule is a conflict with the present state.
_STATUS = (("unknown-", 404), ("invalid-", 422))

_OVERFLOW = 2**63  # what the database cannot be asked for
AWAY = 5
"""Seconds to come back after, where the broker or the database does not answer."""
_UNKNOWN = "the broker does not answer: it is not known whether the command was taken"


class Accepted(BaseModel):
    """The command has been sent. `done` says whether it has been carried out already."""

    command_id: str
    done: bool


class Commands:
    """Sends commands to the service's own topic, and can wait for what comes of them."""

    def __init__(
        self,
        domain: Domain,
        log: Log,
        store: MongoStore,
        clock: Clock,
        partitions: int,
        pressure: Pressure | None = None,
        performed: Mapping[type[Command], type[Timed]] | None = None,
        tracing: Tracing = OFF,
    ) -> None:
        """`performed`: commands that only ask for something; it is done once the document of
        this kind, named by the command's subject, is not due any more."""
        self.domain = domain
        self.log = log
        self.store = store
        self.clock = clock
        self.partitions = partitions
        self.pressure = pressure or Pressure()
        self.performed = dict(performed or {})
        self.tracing = tracing

    async def send(
        self,
        command: Command,
        wait: float = 0.0,
        topic: str | None = None,
        traceparent: str | None = None,
    ) -> Accepted:
        """Send a command; with `wait` (seconds), see it done or raise its refusal as `Problem`.

        Raises `Problem` 503, with the time to come back, if the service has too much to do. A
        command is never refused so after it has been sent.
        """
        topic = topic or commands_topic(self.domain.name)
        partition = partition_of(command.cohort_id, self.partitions)
        try:
            self.pressure.admit(topic, partition)
        except Busy as busy:
            raise Problem(503, str(busy), retry_after=busy.retry_after) from None
        command_id = secrets.token_hex(12)
        record = encode(
            command,
            topic,
            partition,
            id=command_id,
            source=f"/mentoring/{self.domain.name}/http",
            time=self.clock.now(),
            traceparent=self.tracing.here(traceparent),
        )
        offset = await self._sent(record, command_id)
        self.pressure.backlog.sent(topic, partition, offset)
        done = False
        if wait > 0 and not self.pressure.waiting.full:
            with self.pressure.waiting.taking():
                done = await self._done(command, command_id, topic, partition, offset, wait)
        return Accepted(command_id=command_id, done=done)

    async def _sent(self, record: Record, command_id: str) -> int:
        try:
            with self.pressure.sending.taking():
                async with asyncio.timeout(self.pressure.bounds.send_seconds):
                    return await self.log.send(record)
        except Exception as error:
            if not kafka.is_transient(error):
                raise
            raise Problem(503, _UNKNOWN, command_id=command_id, retry_after=AWAY) from None

    async def _done(
        self,
        command: Command,
        command_id: str,
        topic: str,
        partition: int,
        offset: int,
        wait: float,
    ) -> bool:
        """Whether the command was carried out in time. False too where nobody can tell now."""
        pause = 0.01
        try:
            async with asyncio.timeout(wait):
                while True:
                    positions = await self.store.positions([partition])
                    if positions.get((topic, partition), 0) > offset:
                        await self._raise_refusal(command, command_id)
                        if await self._performed(command):
                            return True
                    await asyncio.sleep(pause)
                    pause = min(pause * 1.5, 0.2)
        except TimeoutError:
            return False
        except Exception as error:
            if not mongo.is_transient(error):
                raise
            return False

    async def _performed(self, command: Command) -> bool:
        if (kind := self.performed.get(type(command))) is None:
            return True
        found = await self.store.find(kind, {"_id": f"{command.cohort_id}/{command.subject}"})
        return bool(found) and found[0]["due_at"] is None

    async def _raise_refusal(self, command: Command, command_id: str) -> None:
        key = f"{command.cohort_id}/{command_id}"
        refused = await self.store.find(RefusedCommand, {"_id": key})
        if refused:
            rule, detail = refused[0]["rule"], refused[0]["detail"]
            status = next((s for prefix, s in _STATUS if rule.startswith(prefix)), 409)
            raise Problem(status, detail, rule=rule, command_id=command_id)

    async def look(self) -> None:
        """See which generation is live, and how far the service has read, for `Pressure`.

        Raises what the database raises.
        """
        await self.store.refresh()
        self.pressure.backlog.saw(await self.store.positions(range(self.partitions)))


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


def traced(request: Request) -> str | None:
    """The caller's W3C trace context, which goes on in what follows; None if it is not one."""
    given = request.headers.get("traceparent", "")
    return given if TRACEPARENT.fullmatch(given) else None


Wait = Annotated[float, Query(ge=0, le=30, description="Seconds to wait for the outcome.")]


def command_routes(
    commands: Commands, kinds: Sequence[type[Command]], topics: Mapping[type[Command], str]
) -> APIRouter:
    """`POST /commands/TheCommand` for every kind."""
    router = APIRouter(prefix="/commands", tags=["commands"])

    def add(kind: type[Command]) -> None:
        async def send(
            request: Request,
            body: kind,  # type: ignore[valid-type]
            wait: Wait = 0.0,
        ) -> JSONResponse:
            accepted = await commands.send(body, wait, topics.get(kind), traced(request))
            return JSONResponse(accepted.model_dump(), 200 if accepted.done else 202)

        router.add_api_route(
            f"/{kind.__name__}",
            send,
            methods=["POST"],
            name=kind.__name__,
            summary=(kind.__doc__ or "").strip().splitlines()[0],
            status_code=202,
            response_model=Accepted,
            responses={
                200: {"model": Accepted, "description": "Carried out."},
                202: {"description": "Sent; not known yet what comes of it."},
            },
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
        fields: dict[str, Any] = {"items": (Sequence[kind], ...), "total": (int, ...)}  # type: ignore[valid-type]
        page = create_model(f"{kind.__name__}Page", **fields)
        router.add_api_route(
            f"/cohorts/{{cohort_id}}/{kind.collection}",
            listing,
            methods=["GET"],
            name=f"list {kind.collection}",
            summary=(kind.__doc__ or "").strip().splitlines()[0],
            description=f"Filters: {shown}.",
            response_model=page,
            openapi_extra={"parameters": [_filter(kind, name) for name in filters]},
        )

    for kind, filters in kinds.items():
        add(kind, filters)

    @router.get("/cohorts/{cohort_id}", response_model=dict[str, dict[str, int]])
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

    @router.get("/refusals/{cohort_id}/{command_id}", response_model=RefusedCommand)
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


def _filter(kind: type[Document], name: str) -> dict[str, Any]:
    """A filter as OpenAPI has it."""
    schema = TypeAdapter(_annotation(kind, name)).json_schema()
    return {"name": name, "in": "query", "required": False, "schema": schema}


def _annotation(kind: type[Document], name: str) -> Any:
    return kind.model_fields[name].annotation


def _typed(kind: type[Document], name: str, text: str) -> Any:
    """A filter's value, as the document's field has it."""
    try:
        value = TypeAdapter(_annotation(kind, name)).validate_strings(text)
    except ValidationError as error:
        raise Problem(422, f"{name}: {error.errors()[0]['msg']}") from None
    if isinstance(value, int) and abs(value) >= _OVERFLOW:
        raise Problem(422, f"{name}: no number is as large as that")
    return value


def protected(app: FastAPI, router: APIRouter, token: str | None) -> None:
    """Mount routes that only bearers of the token may use."""
    app.include_router(router, dependencies=[Depends(bearer(token)), Depends(said_once)])
