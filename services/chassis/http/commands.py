"""The service's HTTP: commands in, projections out, health and metrics.

Always holds: HTTP changes no state. It validates, sends a command to the service's own topic and
answers 202; with `?wait=` it answers once the projection shows what came of the command. Every
error is a problem document (RFC 9457) that names what is wrong.
"""

import asyncio
import secrets
from collections.abc import Mapping, Sequence
from typing import Annotated

from fastapi import APIRouter, Query, Request
from fastapi.responses import JSONResponse
from pydantic import BaseModel

from schemas.base import Command
from schemas.envelope import Record, encode
from schemas.journal import RefusalKind
from schemas.topics import commands_topic, partition_of
from services.chassis.clock import Clock
from services.chassis.documents import RefusedCommand
from services.chassis.domain import Domain, Timed
from services.chassis.http.application import AWAY
from services.chassis.http.pressure import Busy, Pressure
from services.chassis.http.problems import Problem
from services.chassis.log import kafka
from services.chassis.log.contract import Log
from services.chassis.store import mongo
from services.chassis.store.mongo import MongoStore
from services.chassis.tracing import OFF, TRACEPARENT, Tracing

_STATUS: dict[RefusalKind, int] = {"unknown": 404, "conflict": 409, "invalid": 422}
"""Which answer a refusal is, by its kind."""

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
        done_when: Mapping[type[Command], type[Timed]] | None = None,
        tracing: Tracing = OFF,
    ) -> None:
        """`done_when`: commands that only ask for something; it is done once the document of
        this kind, named by the command's subject, is not due any more."""
        self.domain = domain
        self.log = log
        self.store = store
        self.clock = clock
        self.partitions = partitions
        self.pressure = pressure or Pressure()
        self.done_when = dict(done_when or {})
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
        if (kind := self.done_when.get(type(command))) is None:
            return True
        found = await self.store.find(kind, {"_id": f"{command.cohort_id}/{command.subject}"})
        return bool(found) and found[0]["due_at"] is None

    async def _raise_refusal(self, command: Command, command_id: str) -> None:
        key = f"{command.cohort_id}/{command_id}"
        refused = await self.store.find(RefusedCommand, {"_id": key})
        if refused:
            refusal = RefusedCommand.model_validate(refused[0])
            status = _STATUS[refusal.kind or "conflict"]
            raise Problem(status, refusal.detail, rule=refusal.rule, command_id=command_id)

    async def look(self) -> None:
        """See which generation is live, and how far the service has read, for `Pressure`.

        Raises what the database raises.
        """
        await self.store.refresh()
        self.pressure.backlog.saw(await self.store.positions(range(self.partitions)))


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
