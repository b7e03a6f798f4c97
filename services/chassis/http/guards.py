"""What is checked of a request's head, before any of its body is read.

Always holds: who has no right to a route makes it read and parse nothing; a body that nobody here
can read is refused by what its head says of it.
"""

import hmac
from collections import Counter
from collections.abc import Awaitable, Callable, Coroutine
from email.message import Message
from typing import Any

from fastapi import Request, Response
from fastapi.routing import APIRoute
from starlette.exceptions import HTTPException

from services.chassis.http.problems import Problem

Guard = Callable[[Request], Awaitable[None]]

JSON = "application/json"
FORMS = frozenset({"application/x-www-form-urlencoded", "multipart/form-data"})


def bearer(*tokens: str) -> Guard:
    """A guard that lets only bearers of one of these in; none of them, no guard (loopback only)."""
    known = [token.encode() for token in tokens]

    async def guard(request: Request) -> None:
        if not known:
            return
        scheme, _, given = request.headers.get("authorization", "").partition(" ")
        told = given.strip(" ").encode()
        right = [hmac.compare_digest(told, token) for token in known]  # as long for each of them
        if scheme.lower() != "bearer" or not any(right):
            headers = {"WWW-Authenticate": "Bearer"}
            raise HTTPException(401, "a valid bearer token is needed", headers)

    return guard


async def said_once(request: Request) -> None:
    """A guard against query parameters given twice: nobody can tell which one is meant."""
    given = Counter(name for name, _ in request.query_params.multi_items())
    for name, times in given.items():
        if times > 1:
            raise Problem(422, f"{name}: given {times} times, give it once")


async def readable(request: Request) -> None:
    """A guard against bodies that are not JSON, as far as their heads tell."""
    if request.method == "POST" and not is_json(request):
        raise _unreadable(request, f"send {JSON}")


def is_json(request: Request) -> bool:
    """Whether the body is JSON as it is. Raises 415 where it is compressed."""
    coding = request.headers.get("content-encoding", "").strip().lower()
    if coding not in ("", "identity"):
        title = "the body is compressed (Content-Encoding): send it as it is"
        raise HTTPException(415, title, {"Accept-Encoding": "identity"})
    found = _type(request)
    return found == JSON or (found.startswith("application/") and found.endswith("+json"))


def is_form(request: Request) -> bool:
    """Whether the body is a form, as browsers send it; raises 415 where it is nothing we read."""
    if is_json(request):
        return False
    if _type(request) not in FORMS and request.headers.get("content-length") != "0":
        raise _unreadable(request, f"send {JSON}, or a form as browsers do")
    return True


def _type(request: Request) -> str:
    head = Message()
    head["content-type"] = request.headers.get("content-type", "")
    # Without one, or with nonsense, the library says text/plain.
    return head.get_content_type()


def _unreadable(request: Request, wanted: str) -> HTTPException:
    given = "of another type" if "content-type" in request.headers else "without a Content-Type"
    return HTTPException(415, f"the body is {given}: {wanted}", {"Accept": JSON})


def guarded(*guards: Guard) -> type[APIRoute]:
    """The kind of a route that asks these first; FastAPI's own would read the body before."""

    class Guarded(APIRoute):
        def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
            handle = super().get_route_handler()

            async def checked(request: Request) -> Response:
                for guard in guards:
                    await guard(request)
                return await handle(request)

            return checked

    return Guarded


def protected(*tokens: str) -> type[APIRoute]:
    """The kind of a route that only bearers of one of these may use."""
    return guarded(bearer(*tokens), said_once, readable)
