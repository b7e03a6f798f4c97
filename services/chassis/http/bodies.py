"""What a request may take of a service: bytes of its body, bytes of all bodies, and time.

Always holds: a body that is too large, too slow or one too many is refused as a problem document
before it is in memory; every request has an answer within `ANSWER_SECONDS` of its head.
"""

import asyncio

from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from services.chassis.http.pressure import Room
from services.chassis.http.problems import problem

MAX_BODY = 256 * 1024
ALL_BODIES = 64 * 1024 * 1024
BODY_SECONDS = 20.0
ANSWER_SECONDS = 75.0
"""More than a slow body, a slow broker and the longest `?wait=` together."""


class Bodies:
    """Counts and times what comes in, around the whole application."""

    def __init__(self, app: ASGIApp, largest: int = MAX_BODY) -> None:
        self.app = app
        self.largest = largest
        self.room = Room(ALL_BODIES)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        length = dict(scope["headers"]).get(b"content-length", b"0")
        if length.isdigit() and int(length) > self.largest:
            await problem(413, _too_large(self.largest))(scope, receive, send)
            return
        await self._timed(scope, _Body(receive, self.room, self.largest), send)

    async def _timed(self, scope: Scope, body: "_Body", send: Send) -> None:
        started = False

        async def noticed(message: Message) -> None:
            nonlocal started
            started = True
            await send(message)

        try:
            async with asyncio.timeout(ANSWER_SECONDS):
                await self.app(scope, body, noticed)
        except TimeoutError:
            if started:
                raise
            await problem(503, "there was no answer in time", retry_after=5)(scope, body, send)
        finally:
            body.forget()


def _too_large(largest: int) -> str:
    return f"the body is larger than {largest} bytes"


class _Body:
    """The body of one request, piece by piece."""

    def __init__(self, receive: Receive, room: Room, largest: int) -> None:
        self.receive = receive
        self.room = room
        self.largest = largest
        self.taken = 0
        self.complete = False
        self.deadline = asyncio.get_running_loop().time() + BODY_SECONDS

    async def __call__(self) -> Message:
        if self.complete:
            return await self.receive()
        # Not `Problem`: FastAPI takes other faults in a body for a body that is not JSON.
        try:
            async with asyncio.timeout_at(self.deadline):
                message = await self.receive()
        except TimeoutError:
            slow = f"the body did not come within {BODY_SECONDS:g} seconds"
            raise HTTPException(408, slow) from None
        size = len(message.get("body", b""))
        self.taken += size
        self.room.taken += size
        self.complete = not message.get("more_body", False)
        if self.taken > self.largest:
            raise HTTPException(413, _too_large(self.largest))
        if self.room.full:
            raise HTTPException(503, "too many requests are being read", {"Retry-After": "1"})
        return message

    def forget(self) -> None:
        self.room.taken -= self.taken
        self.taken = 0
