"""What probes, scrapes and the curious are told of a running service.

Always holds: alive means that what waits is being read, or that it is known why not: a restart
mends neither a database or broker that is away nor what the broker cannot give. Ready means that
at least one partition is owned, read and worked on: one in trouble takes the HTTP of a service from
nobody. Whatever is wrong is said in words, whether the service is ready or not.
"""

import time
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from typing import Any, Protocol

from fastapi import APIRouter
from fastapi.responses import JSONResponse, PlainTextResponse, Response
from prometheus_client import CONTENT_TYPE_LATEST

from services.chassis.log.contract import Spot
from services.chassis.step.retrying import Waiting, What
from services.chassis.step.stepper import TROUBLES, Stepper
from services.chassis.step.stepper import Trouble as Reason

STUCK_SECONDS = 120.0

WORDS: Mapping[str, str] = {
    "away": "the last attempt on the database or the broker failed; it is made again",
    "denied": "the database or the broker does not permit what is asked; somebody has to permit it",
    "environment": "whatever is tried fails, so the fault is in no record; somebody has to mend it",
    "late": "the broker has not said for long that it took what was committed",
    "parked-limit": "too many records of a partition stand aside; nothing more of it is handled",
    "unpublished": "the broker takes nothing of a partition, which waits for it",
}
"""What each of a stepper's troubles means, for whoever operates the service."""

WHOLE: frozenset[str] = frozenset({"away", "denied", "environment", "late"})
"""Those that keep a process from all of its work; the others are of single partitions."""


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
    cannot be, ("", -1) being all of it; `absent`: the topics that the broker does not have.
    """

    @property
    def polled(self) -> float: ...
    @property
    def waits(self) -> bool: ...
    @property
    def stopped(self) -> Mapping[Spot, Trouble]: ...
    @property
    def absent(self) -> Sequence[str]: ...


class Health:
    """The state of one process. `fault`: what ends it, if something does.

    `starting`: which parts have not been there since the start, and what that waits for.
    """

    def __init__(
        self, stepper: Stepper, reading: Reading, starting: Mapping[What, Waiting] | None = None
    ) -> None:
        self.fault: Exception | None = None
        self._stepper = stepper
        self._reading = reading
        self._starting = {} if starting is None else starting

    @property
    def alive(self) -> bool:
        """Whether what waits is being read; nobody is to be ended for somebody else's outage."""
        if self.fault is not None:
            return False
        if self._starting or self._stepped(WHOLE):
            return True  # a step waits for the database or the broker, and is tried again
        now, reading = time.monotonic(), self._reading
        if now - self._stepper.progress >= STUCK_SECONDS:
            return False  # a step does not come to its end
        return now - reading.polled < STUCK_SECONDS or not reading.waits

    @property
    def ready(self) -> bool:
        """Whether it can do anything of its work."""
        return not any(True for _ in self._for_all()) and bool(self._working)

    @property
    def wrong(self) -> list[str]:
        """What keeps the service from its work, or from a part of it, a sentence each."""
        return [*self._for_all(), *self._for_some()]

    def _for_all(self) -> Iterable[str]:
        if self.fault is not None:
            yield f"the process ends: {type(self.fault).__name__}"
        for part, waiting in self._starting.items():
            yield f"the {part} has not been there since the start: {WORDS[waiting]}"
        if not self.partitions:
            yield "no partition is assigned, or its place is not known yet"
            if absent := self._reading.absent:
                yield f"the broker has no {', '.join(absent)}: `connecte topics apply` makes topics"
        yield from (WORDS[reason] for reason in self._stepped(WHOLE))
        if (refused := self._reading.stopped.get(("", -1))) is not None:
            yield f"nothing is read: {refused.words}"

    def _for_some(self) -> Iterable[str]:
        yield from (WORDS[reason] for reason in self._stepped(WORDS.keys() - WHOLE))
        for (topic, partition), trouble in sorted(self._reading.stopped.items()):
            if topic:
                where = f"{topic}/{partition} is not read on from offset {trouble.offset}"
                yield f"{where}: {trouble.words}"

    def _stepped(self, among: AbstractSet[str]) -> list[Reason]:
        """Which of these the stepper suffers from, in the order of the table."""
        troubles = self._stepper.troubles & among
        if "unpublished" in self._stepper.troubles:
            troubles -= {"late"}  # it is late with those
        return [reason for reason in TROUBLES if reason in troubles]

    @property
    def _working(self) -> set[int]:
        """The partitions of which everything is read and steps are made."""
        unread = {partition for _, partition in self._reading.stopped}
        return set(self._stepper.owned) - self._stepper.stopped.keys() - unread

    @property
    def troubles(self) -> set[Reason]:
        """Why it is not well, since its start or now."""
        return self._stepper.troubles | set(self._starting.values())

    def suffers(self, reason: Reason) -> float:
        """1 while this is among the troubles, else 0."""
        return float(reason in self.troubles)

    @property
    def partitions(self) -> int:
        """How many are assigned, with their places known."""
        return len(self._stepper.owned)

    @property
    def healthy(self) -> bool:
        """Whether the last attempt on database and broker worked, and no partition is stopped."""
        return not self.troubles


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
        """Whether any partition is read and worked on; and all that is wrong, a sentence each."""
        ready, wrong = health.ready, health.wrong
        state = {"partitions": health.partitions, "healthy": health.healthy, "wrong": wrong}
        return JSONResponse({"ready": ready, **state}, 200 if ready else 503)

    @router.get("/metrics", response_class=PlainTextResponse)
    async def metrics() -> Response:
        """For Prometheus."""
        return Response(await figures(), media_type=CONTENT_TYPE_LATEST)

    @router.get("/asyncapi", response_model=dict[str, Any])
    async def asyncapi() -> Response:
        """What the service reads, as AsyncAPI."""
        return Response(reads(), media_type="application/json")

    return router
