"""Routes that read their requests themselves, and files that never change.

Always holds: each is measured by its path. FastAPI's own routes would find out much about every
function that nothing here asks for: most of what it takes to put the portal together.
"""

from collections.abc import Awaitable, Callable

from fastapi import APIRouter, Request
from fastapi.responses import Response
from starlette.routing import Route

Handler = Callable[[Request], Awaitable[Response]]


def add(router: APIRouter, method: str, path: str, answer: Handler, name: str) -> None:
    """Have a router answer this method at this path."""

    async def named(request: Request) -> Response:
        request.scope["route"] = route  # what is measured reads its path
        return await answer(request)

    route = Route(path, named, methods=[method], name=name, include_in_schema=False)
    router.routes.append(route)


def kept(content: bytes, media_type: str) -> Handler:
    """A file whose address changes whenever it does."""

    async def answer(_: Request) -> Response:
        heads = {"Cache-Control": "public, max-age=31536000, immutable"}
        return Response(content, media_type=media_type, headers=heads)

    return answer
