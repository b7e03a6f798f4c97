"""What every address of a service does alike: HEAD, and which methods there are.

Always holds: HEAD is answered as GET is, without the body; no other address is ever named in an
answer (a redirect would send the token of a link wherever it points); every answer tells browsers
to take it for what it says it is, and to ask for no camera and no place. What every request passes
here hands on what it is given to wait for, and waits for nothing itself: that would cost as much as
the rest of it.
"""

from collections.abc import Awaitable

from fastapi import FastAPI, Request
from fastapi.routing import iter_route_contexts
from starlette.types import ASGIApp, Message, Receive, Scope, Send


class Heads:
    """Lets the application answer GET where HEAD was asked, and keeps the body back."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    def __call__(self, scope: Scope, receive: Receive, send: Send) -> Awaitable[None]:
        if scope["type"] != "http" or scope["method"] != "HEAD":
            return self.app(scope, receive, send)

        def bodiless(message: Message) -> Awaitable[None]:
            if message["type"] == "http.response.body":
                message = {**message, "body": b""}
            return send(message)

        return self.app({**scope, "method": "GET"}, receive, bodiless)


class Careful:
    """Puts into every answer what browsers have to be told, faults included."""

    def __init__(self, app: ASGIApp, hsts_seconds: int = 0) -> None:
        self.app = app
        self.headers = [
            (b"x-content-type-options", b"nosniff"),
            (b"permissions-policy", _NOTHING),
        ]
        if hsts_seconds:
            policy = f"max-age={hsts_seconds}".encode()
            self.headers.append((b"strict-transport-security", policy))

    def __call__(self, scope: Scope, receive: Receive, send: Send) -> Awaitable[None]:
        if scope["type"] != "http":
            return self.app(scope, receive, send)

        def carefully(message: Message) -> Awaitable[None]:
            if message["type"] == "http.response.start":
                message = {**message, "headers": [*message["headers"], *self.headers]}
            return send(message)

        return self.app(scope, receive, carefully)


def from_outside(scope: Scope, proxies: int) -> Scope:
    """The request as the outermost of so many proxies had it: from whoever came to that one.

    Each adds to `X-Forwarded-For` whom it has it from, so what stands further to the left is what
    anybody may have written. Where fewer have spoken it came by another way, and stays as it is.
    """
    if not proxies or scope["type"] != "http":
        return scope
    said = b",".join(text for name, text in scope["headers"] if name == b"x-forwarded-for")
    hops = [hop.strip() for hop in said.decode("latin-1").split(",") if hop.strip()]
    return {**scope, "client": (hops[-proxies], 0)} if len(hops) >= proxies else scope


_NOTHING = b"camera=(), geolocation=(), microphone=(), payment=(), usb=()"


def allowed(request: Request) -> str:
    """The methods that an address has, for the header `Allow`."""
    app: FastAPI = request.app
    path = request.scope["path"]
    methods: set[str] = set()
    for route in iter_route_contexts(app.routes):
        if route.path_regex.match(path):
            methods |= route.methods or set()
    return ", ".join(sorted(methods | ({"HEAD"} if "GET" in methods else set())))
