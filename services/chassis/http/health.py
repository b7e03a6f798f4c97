"""What probes, scrapes and the curious are told of a running service.

Always holds: alive means that what waits is being read, or that it is known why not: a restart
mends neither a database or broker that is away nor what the broker cannot give. Ready means that
partitions are assigned, their places known, all of them are read, the database answers and the
broker takes what is committed; what is not so is said in words.
"""

import time
from collections.abc import Awaitable, Callable, Iterable, Mapping
from typing import Any, Protocol

from fastapi import APIRouter
from fastapi.responses import JSONResponse, PlainTextResponse, Response
from prometheus_client import CONTENT_TYPE_LATEST

from services.chassis.log.contract import Spot
from services.chassis.step.stepper import Stepper

STUCK_SECONDS = 120.0


class Trouble(Protocol):
    """Why something is not read on, and from which offset."""

    @property
    def words(self) -> str: ...
    @property
    def offset(self) -> int: ...


class Reading(Protocol):
    """What is known of whoever reads from the broker.

    `polled`: when the broker was last asked for records, on the monotonic clock, and now while a
    step is made of some; `waits`: whether records are known that could be read; `stopped`: what
    cannot be, ("", -1) being all of it.
    """

    @property
    def polled(self) -> float: ...
    @property
    def waits(self) -> bool: ...
    @property
    def stopped(self) -> Mapping[Spot, Trouble]: ...


class Health:
    """The state of one process. `fault`: what ends it, if something does."""

    def __init__(self, stepper: Stepper, reading: Reading) -> None:
        self.fault: Exception | None = None
        self._stepper = stepper
        self._reading = reading

    @property
    def alive(self) -> bool:
        """Whether what waits is being read; nobody is to be ended for somebody else's outage."""
        if self.fault is not None:
            return False
        if not self.healthy:
            return True  # a step waits for the database or the broker, and is tried again
        now, reading = time.monotonic(), self._reading
        if now - self._stepper.progress >= STUCK_SECONDS:
            return False  # a step does not come to its end
        return now - reading.polled < STUCK_SECONDS or not reading.waits

    @property
    def ready(self) -> bool:
        """Whether there is nothing wrong."""
        return not self.wrong

    @property
    def wrong(self) -> list[str]:
        """What keeps the service from its work, a sentence each."""
        return list(self._wrong())

    def _wrong(self) -> Iterable[str]:
        if self.fault is not None:
            yield f"the process ends: {type(self.fault).__name__}"
        if not self.partitions:
            yield "no partition is assigned, or its place is not known yet"
        if not self.healthy:
            yield "the last attempt on the database or the broker failed; it is made again"
        for (topic, partition), trouble in sorted(self._reading.stopped.items()):
            where = f"{topic}/{partition} is not read on from offset {trouble.offset}"
            yield f"{where if topic else 'nothing is read'}: {trouble.words}"

    @property
    def partitions(self) -> int:
        """How many are assigned, with their places known."""
        return len(self._stepper.owned)

    @property
    def healthy(self) -> bool:
        """Whether the last attempt on database and broker worked."""
        return self._stepper.healthy


def operations_routes(
    health: Health, figures: Callable[[], Awaitable[bytes]], reads: Callable[[], str]
) -> APIRouter:
    """Probes, `/metrics` (`figures`, in Prometheus' format) and `/asyncapi` (`reads`, as JSON)."""
    router = APIRouter(tags=["operations"])

    no: dict[int | str, dict[str, Any]] = {
        503: {"model": dict[str, Any], "description": "It is not."}
    }

    @router.get("/health/live", response_model=dict[str, Any], responses=no)
    async def live() -> JSONResponse:
        """Whether what waits is being read, as far as a restart could mend it."""
        alive = health.alive
        return JSONResponse({"alive": alive}, 200 if alive else 503)

    @router.get("/health/ready", response_model=dict[str, Any], responses=no)
    async def ready() -> JSONResponse:
        """Whether partitions are assigned and read, and database and broker answer; if not, why."""
        wrong = health.wrong
        state = {"partitions": health.partitions, "healthy": health.healthy, "wrong": wrong}
        return JSONResponse({"ready": not wrong, **state}, 503 if wrong else 200)

    @router.get("/metrics", response_class=PlainTextResponse)
    async def metrics() -> Response:
        """For Prometheus."""
        return Response(await figures(), media_type=CONTENT_TYPE_LATEST)

    @router.get("/asyncapi", response_model=dict[str, Any])
    async def asyncapi() -> Response:
        """What the service reads, as AsyncAPI."""
        return Response(reads(), media_type="application/json")

    return router
