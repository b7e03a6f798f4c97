"""The service's HTTP: commands in, projections out, health and metrics.

Always holds: HTTP changes no state. It validates, sends a command to the service's own topic and
answers 202; with `?wait=` it answers once the projection shows what came of the command. Every
error is a problem document (RFC 9457) that names what is wrong.
"""

import asyncio
import secrets
from collections.abc import Awaitable, Callable, Mapping, Sequence
from types import MappingProxyType
from typing import Annotated, Any

from fastapi import APIRouter, Query, Request
from fastapi.responses import JSONResponse
from fastapi.routing import APIRoute
from pydantic import BaseModel, WrapValidator
from pydantic_core import PydanticCustomError, to_json

from schemas.actors import Actor
from schemas.base import Command, read_message
from schemas.envelope import Record, attributes, encode
from schemas.journal import RefusalKind
from schemas.topics import Service, commands_topic, partition_of
from services.chassis.clock import Clock
from services.chassis.documents import RefusedCommand
from services.chassis.domain import Refusal
from services.chassis.http.effects import Aside, Effects, Sent
from services.chassis.http.identity import caller_of
from services.chassis.http.pressure import Busy, Pressure
from services.chassis.http.problems import AWAY, Problem
from services.chassis.log.contract import Log, NotTaken
from services.chassis.store.contract import Projections
from services.chassis.tracing import OFF, TRACEPARENT, Tracing

STATUS: dict[RefusalKind, int] = {"unknown": 404, "conflict": 409, "invalid": 422}
"""Which answer a refusal is, by its kind."""

PARKED = "parked"
"""The rule of what was set aside: an operator has it handled again, or drops it."""

_UNKNOWN = "the broker does not answer: it is not known whether the command was taken"


class Accepted(BaseModel):
    """The command has been sent. `done` says whether it has been carried out already."""

    command_id: str
    done: bool


class CommandTopic:
    """Where the commands of a service are written: its own topic, or one that a kind has."""

    def __init__(
        self, service: Service, log: Log, clock: Clock, partitions: int, tracing: Tracing = OFF
    ) -> None:
        self.service = service
        self.log = log
        self.clock = clock
        self.partitions = partitions
        self.tracing = tracing

    def spot(self, command: Command, topic: str | None) -> tuple[str, int]:
        """Topic and partition of a command."""
        partition = partition_of(command.cohort_id, self.partitions)
        return topic or commands_topic(self.service), partition

    def record(
        self,
        command: Command,
        command_id: str,
        spot: tuple[str, int],
        traceparent: str | None,
        actor: Actor | None,
    ) -> Record:
        """The command as it is written."""
        return encode(
            command,
            *spot,
            id=command_id,
            source=f"/mentoring/{self.service}/http",
            time=self.clock.now(),
            traceparent=self.tracing.here(traceparent),
            actor=actor,
        )


Checks = Mapping[
    type[Command], Callable[[Projections, Any, Actor | None], Awaitable[Command | Refusal]]
]
"""What is looked at before a command is sent that nobody decides on (of a mirrored topic): it is
refused, or as it is to be sent."""
NO_CHECKS: Checks = MappingProxyType({})


class Commands:
    """Sends commands to the service's own topic, and can wait for what comes of them."""

    def __init__(
        self,
        topic: CommandTopic,
        effects: Effects,
        pressure: Pressure | None = None,
        checks: Checks = NO_CHECKS,
    ) -> None:
        self.topic = topic
        self.effects = effects
        self.pressure = pressure or Pressure()
        self.checks = checks

    async def send(
        self,
        command: Command,
        wait: float = 0.0,
        topic: str | None = None,
        traceparent: str | None = None,
        actor: Actor | None = None,
    ) -> Accepted:
        """Send a command; with `wait` (seconds), see it done or raise its refusal as `Problem`.

        Raises `Problem` 503, with the time to come back, if the service has too much to do. A
        command is never refused so after it has been sent.
        """
        sent = await self.write(command, topic, traceparent, actor)
        return await self.outcome(sent, wait)

    async def write(
        self,
        command: Command,
        topic: str | None = None,
        traceparent: str | None = None,
        actor: Actor | None = None,
    ) -> Sent:
        """Send a command, and know where it lies. Raises `Problem` as `send` does."""
        command = await self._checked(command, actor)
        spot = self.topic.spot(command, topic)
        try:
            self.pressure.admit(*spot)
        except Busy as busy:
            raise Problem(503, str(busy), retry_after=busy.retry_after) from None
        command_id = secrets.token_hex(12)
        record = self.topic.record(command, command_id, spot, traceparent, actor)
        offset = await self._write(record)
        self.pressure.backlog.sent(*spot, offset)
        return Sent(command, command_id, *spot, offset)

    async def _checked(self, command: Command, actor: Actor | None) -> Command:
        check = self.checks.get(type(command))
        if check is None:
            return command
        checked = await check(self.effects.store, command, actor)
        if isinstance(checked, Refusal):
            raise Problem(STATUS[checked.kind], checked.detail, rule=checked.rule)
        return checked

    async def outcome(self, sent: Sent, wait: float) -> Accepted:
        """What comes of a command within `wait` seconds; raises `Problem` where that is nothing."""
        return Accepted(command_id=sent.id, done=wait > 0 and await self._done(sent, wait))

    async def _write(self, record: Record) -> int:
        try:
            with self.pressure.sending.taking():
                async with asyncio.timeout(self.pressure.bounds.send_seconds):
                    return await self.topic.log.send(record)
        except (NotTaken, TimeoutError):
            command_id = attributes(record.headers).id
            raise Problem(503, _UNKNOWN, command_id=command_id, retry_after=AWAY) from None

    async def _done(self, sent: Sent, wait: float) -> bool:
        if self.pressure.waiting.full:
            return False
        with self.pressure.waiting.taking():
            found = await self.effects.seen(sent, wait)
        if isinstance(found, RefusedCommand):
            status = STATUS[found.kind or "conflict"]
            raise Problem(status, found.detail, rule=found.rule, command_id=sent.id)
        if isinstance(found, Aside):
            aside = {"origin": sent.origin, "reason": found.reason, "detail": found.detail}
            title = f"it was set aside and not carried out ({found.reason}: {found.detail})"
            raise Problem(409, title, rule=PARKED, command_id=sent.id, parked=aside)
        return found

    async def look(self) -> None:
        """See which generation is live, and how far the service has read, for `Pressure`.

        Raises what the store does (`NoAnswer`).
        """
        store = self.effects.store
        await store.refresh()
        self.pressure.backlog.saw(await store.positions(range(self.topic.partitions)))


def traced(request: Request) -> str | None:
    """The caller's W3C trace context, which goes on in what follows; None if it is not one."""
    given = request.headers.get("traceparent", "")
    return given if TRACEPARENT.fullmatch(given) else None


Wait = Annotated[float, Query(ge=0, le=30, description="Seconds to wait for the outcome.")]


def as_a_record(kind: type[Command]) -> WrapValidator:
    """A body is read as a record is, and made tidy: what one door takes, the other takes."""

    def read(given: Any, _: object) -> Command:
        try:
            told = to_json(given, inf_nan_mode="constants")
        except ValueError:  # the library's own words would quote it
            half = "a text has half a sign in it (a surrogate without the other): send whole ones"
            raise PydanticCustomError("half_sign", half) from None
        return read_message(kind, told)

    return WrapValidator(read)


def command_routes(
    commands: Commands,
    kinds: Sequence[type[Command]],
    topics: Mapping[type[Command], str],
    kind_of_route: type[APIRoute] = APIRoute,
) -> APIRouter:
    """`POST /commands/TheCommand` for every kind."""
    router = APIRouter(prefix="/commands", tags=["commands"], route_class=kind_of_route)

    def add(kind: type[Command]) -> None:
        async def send(
            request: Request,
            body: Annotated[kind, as_a_record(kind)],  # type: ignore[valid-type]
            wait: Wait = 0.0,
        ) -> JSONResponse:
            caller, topic = caller_of(request), topics.get(kind)
            caller.check(body.cohort_id)  # type: ignore[attr-defined]
            accepted = await commands.send(body, wait, topic, traced(request), caller.actor)
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
