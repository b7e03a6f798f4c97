"""How HTTP is measured: by route, never by address.

Always holds: a label is a template of ours (`/links/{token}`), a method and a status that HTTP
knows; what was asked for, which can hold a token or an id, is nowhere.
"""

import time
from collections.abc import Awaitable

from prometheus_client import Counter, Histogram
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from services.chassis.watch.metrics import Metrics

NO_ROUTE = "none"
"""Of an address that there is not, whatever it is."""
METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})


class Measured:
    """Counts and times every request, around what answers it."""

    def __init__(self, app: ASGIApp, metrics: Metrics) -> None:
        self.app = app
        self._in_flight = 0
        metrics.http_in_flight.set_function(lambda: self._in_flight)
        self._metrics = metrics
        self._known: dict[tuple[str, str, int], tuple[Counter, Histogram]] = {}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        status = 500  # what the server answers where the application answers nothing

        def noticed(message: Message) -> Awaitable[None]:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            return send(message)

        began = time.perf_counter()
        self._in_flight += 1
        try:
            await self.app(scope, receive, noticed)
        finally:
            self._in_flight -= 1
            self._count(scope, status, time.perf_counter() - began)

    def _count(self, scope: Scope, status: int, seconds: float) -> None:
        route = getattr(scope.get("route"), "path", NO_ROUTE)
        method = scope["method"] if scope["method"] in METHODS else "other"
        found = self._known.get((method, route, status))
        if found is None:  # to look labels up costs more than to count
            counter = self._metrics.http_requests.labels(method, route, str(status))
            found = counter, self._metrics.http_seconds.labels(route)
            self._known[method, route, status] = found
        counted, timed = found
        counted.inc()
        timed.observe(seconds)
