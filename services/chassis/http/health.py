"""What probes, scrapes and the curious are told of a running service.

Always holds: alive means that steps make progress; ready means that partitions are assigned, their
places known, the database answers and the broker takes what is committed.
"""

import time
from collections.abc import Awaitable, Callable
from typing import Any

from fastapi import APIRouter
from fastapi.responses import JSONResponse, PlainTextResponse, Response
from prometheus_client import CONTENT_TYPE_LATEST

from services.chassis.step.stepper import Stepper

STUCK_SECONDS = 120.0


class Health:
    """The state of one process. `fault`: what ends it, if something does."""

    def __init__(self, stepper: Stepper) -> None:
        self.fault: Exception | None = None
        self._stepper = stepper

    @property
    def alive(self) -> bool:
        """Whether steps make progress."""
        silent = time.monotonic() - self._stepper.progress
        return self.fault is None and silent < STUCK_SECONDS

    @property
    def ready(self) -> bool:
        """Partitions assigned, places known, and the last attempt on database and broker worked."""
        return self.partitions > 0 and self.healthy and self.fault is None

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
        """Whether steps make progress."""
        alive = health.alive
        return JSONResponse({"alive": alive}, 200 if alive else 503)

    @router.get("/health/ready", response_model=dict[str, Any], responses=no)
    async def ready() -> JSONResponse:
        """Whether partitions are assigned, their places known, and the database answers."""
        state = {"partitions": health.partitions, "healthy": health.healthy}
        return JSONResponse({"ready": health.ready, **state}, 200 if health.ready else 503)

    @router.get("/metrics", response_class=PlainTextResponse)
    async def metrics() -> Response:
        """For Prometheus."""
        return Response(await figures(), media_type=CONTENT_TYPE_LATEST)

    @router.get("/asyncapi", response_model=dict[str, Any])
    async def asyncapi() -> Response:
        """What the service reads, as AsyncAPI."""
        return Response(reads(), media_type="application/json")

    return router
