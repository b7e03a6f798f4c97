"""How HTTP is measured: by route, never by address.

Always holds: a label is a template of ours (`/links/{token}`), a method and a status that HTTP
knows; what was asked for, which can hold a token or an id, is nowhere.
"""

import time
from functools import cache

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from services.chassis.watch.metrics import Metrics

NO_ROUTE = "none"
"""Of an address that there is not, whatever it is."""
METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})


class Measured:
    """Counts and times every request, around what answers it."""

    def __init__(self, app: ASGIApp, metrics: Metrics) -> None:
        self.app = app
        self.metrics = metrics
        # To look a label up costs more than to count.
        self._requests = cache(metrics.http_requests.labels)
        self._seconds = cache(metrics.http_seconds.labels)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        status = 500  # what the server answers where the application answers nothing

        async def noticed(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        began = time.perf_counter()
        self.metrics.http_in_flight.inc()
        try:
            await self.app(scope, receive, noticed)
        finally:
            self.metrics.http_in_flight.dec()
            self._count(scope, status, time.perf_counter() - began)

    def _count(self, scope: Scope, status: int, seconds: float) -> None:
        route = getattr(scope.get("route"), "path", NO_ROUTE)
        method = scope["method"] if scope["method"] in METHODS else "other"
        self._requests(method, route, str(status)).inc()
        self._seconds(route).observe(seconds)
