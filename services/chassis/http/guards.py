"""What is checked of a request's head, before any of its body is read.

Always holds: who has no right to a route, or asks too often, makes it read and parse nothing; a
body that nobody here can read is refused by what its head says of it.
"""

from collections import Counter
from collections.abc import Callable, Coroutine, Sequence
from email.message import Message
from typing import Any, Protocol

from fastapi import Request, Response
from fastapi.routing import APIRoute
from starlette.exceptions import HTTPException

from schemas.rights import about_people
from schemas.roles import Rights
from services.chassis.http.identity import Authority, Caller, Principal, admitted, principal_of
from services.chassis.http.problems import Problem
from services.chassis.http.rates import Rates

JSON = "application/json"
FORMS = frozenset({"application/x-www-form-urlencoded", "multipart/form-data"})


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
    in_utf8(request)
    return True


def in_utf8(request: Request) -> None:
    """Raises 415 where a form is in another encoding: the library would try whatever is named."""
    charset = _head(request).get_param("charset", "utf-8")
    if not isinstance(charset, str) or charset.strip().lower() not in ("", "utf-8", "utf8"):
        title = "the form is in another encoding (charset of Content-Type): send UTF-8"
        raise HTTPException(415, title, {"Accept": JSON})


def _type(request: Request) -> str:
    # Without one, or with nonsense, the library says text/plain.
    return _head(request).get_content_type()


def _head(request: Request) -> Message:
    head = Message()
    head["content-type"] = request.headers.get("content-type", "")
    return head


def _unreadable(request: Request, wanted: str) -> HTTPException:
    given = "of another type" if "content-type" in request.headers else "without a Content-Type"
    return HTTPException(415, f"the body is {given}: {wanted}", {"Accept": JSON})


Table = Callable[[str, str], Rights | None]
"""`(method, path)` to who may; None: nobody, for it does not stand there."""


class Admission(Protocol):
    """As `admitted` does it."""

    def __call__(
        self, request: Request, principal: Principal, rights: Rights, *, about_people: bool
    ) -> Caller: ...


def protected(
    authorities: Sequence[Authority],
    table: Table,
    rates: Rates | None = None,
    admit: Admission = admitted,
) -> type[APIRoute]:
    """The kind of a route for those alone whom the table lets in, with a token of an authority.

    FastAPI's own would read the body before. `rates`: how often people, and strangers, may ask;
    `admit`: what a principal's request is made for.
    """
    counted = rates or Rates()

    class Protected(APIRoute):
        def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
            handle = super().get_route_handler()
            told = [table(method, self.path) or {} for method in sorted(self.methods or ())]
            rights = told[0] if len(told) == 1 else {}  # of one method, or for nobody
            of_people = any(about_people(method, self.path) for method in self.methods or ())

            async def checked(request: Request) -> Response:
                principal = await _told_apart(request, authorities, counted)
                request.state.caller = admit(request, principal, rights, about_people=of_people)
                await said_once(request)
                await readable(request)
                return await handle(request)

            return checked

    return Protected


async def _told_apart(
    request: Request, authorities: Sequence[Authority], rates: Rates
) -> Principal:
    """Whose token it is, if they have not asked too often; who has none counts by their address.

    Programs are not counted: how much the service takes on at all is what bounds them.
    """
    try:
        principal = await principal_of(request, authorities)
    except HTTPException:
        rates.of_stranger(request)
        raise
    if principal.type == "user":
        rates.of_person(principal.id)
    return principal
