"""What a connection may do to the service: nobody holds one for ever, nothing piles up."""

import asyncio
import contextlib
import json
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any

import pytest
from fastapi import APIRouter, Request
from fastapi.responses import Response

from deploy.local.process import free_port
from services.chassis.http import bodies, connections
from services.chassis.http.application import create_app
from services.chassis.http.connections import server_of

MEGABYTE = 1024 * 1024
GET = b"GET /small HTTP/1.1\r\nhost: here\r\n\r\n"
POST = b"POST /count HTTP/1.1\r\nhost: here\r\ncontent-type: text/plain\r\n"
PATIENCE = 60.0
"""Seconds for what comes after half a second where nobody else needs the machine."""
CHUNKED = POST + b"transfer-encoding: chunked\r\n\r\n"


@dataclass
class Client:
    """One connection, byte by byte."""

    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter

    async def say(self, data: bytes) -> None:
        self.writer.write(data)
        await self.writer.drain()

    async def answer(self) -> tuple[int, Any]:
        """The status and the body of the next answer."""
        async with asyncio.timeout(PATIENCE):
            head = await self.reader.readuntil(b"\r\n\r\n")
        lines = head.decode().lower().split("\r\n")
        [length] = [int(line[15:]) for line in lines if line.startswith("content-length:")]
        body = await self.reader.readexactly(length)
        return int(lines[0].split()[1]), json.loads(body) if body[:1] == b"{" else body

    async def closed(self, within: float = PATIENCE) -> float:
        """Seconds until the service has closed the connection."""
        start = time.monotonic()
        with contextlib.suppress(ConnectionError):
            async with asyncio.timeout(within):
                await self.reader.read()
        return time.monotonic() - start


@dataclass
class Site:
    port: int

    @contextlib.asynccontextmanager
    async def client(self) -> AsyncIterator[Client]:
        client = Client(*await asyncio.open_connection("127.0.0.1", self.port))
        try:
            yield client
        finally:
            client.writer.transport.abort()


@pytest.fixture
async def site(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Site]:
    """A server with the service's bounds, made short."""
    monkeypatch.setattr(connections, "HEAD_SECONDS", 0.5)
    monkeypatch.setattr(connections, "UNREAD_SECONDS", 0.5)
    monkeypatch.setattr(bodies, "BODY_SECONDS", 0.5)
    router = APIRouter(tags=["operations"])

    @router.get("/small")
    async def small() -> Response:
        return Response(b"small")

    @router.get("/large")
    async def large() -> Response:
        return Response(b" " * 20 * MEGABYTE)

    @router.post("/count")
    async def count(request: Request) -> Response:
        return Response(str(len(await request.body())))

    @router.post("/slow")
    async def slow() -> Response:
        await asyncio.sleep(30)
        return Response(b"at last")

    app = create_app("limits", "For tests.")
    app.include_router(router)
    port = free_port()
    server = server_of(app, "127.0.0.1", port)
    serving = asyncio.create_task(server.serve())
    while not server.started:
        await asyncio.sleep(0.01)
    yield Site(port)
    server.should_exit = True
    await serving


async def test_who_says_nothing_is_let_go(site: Site) -> None:
    async with site.client() as client:
        assert await client.closed() > 0.3


async def test_who_says_it_byte_by_byte_has_no_more_time_than_who_says_nothing(site: Site) -> None:
    async with site.client() as client:
        start = time.monotonic()
        with contextlib.suppress(ConnectionError):
            for byte in GET * 100:
                if client.reader.at_eof():
                    break
                await client.say(bytes([byte]))
                await asyncio.sleep(0.02)
        assert 0.3 < time.monotonic() - start < PATIENCE  # all of it takes longer
        await client.closed()


async def test_one_connection_serves_several_requests_and_is_let_go_when_idle(site: Site) -> None:
    async with site.client() as client:
        for _ in range(4):
            await client.say(GET)
            assert await client.answer() == (200, b"small")
            await asyncio.sleep(0.2)  # each within the time, all of them beyond it
        await client.closed()


async def test_a_body_that_does_not_end_is_refused_in_time(site: Site) -> None:
    async with site.client() as client:
        await client.say(POST + b"content-length: 100\r\n\r\n")
        for _ in range(10):
            await client.say(b"x")
            await asyncio.sleep(0.06)
        status, document = await client.answer()
        assert (status, document["status"]) == (408, 408)
        await client.closed()


@pytest.mark.parametrize("announced", [True, False])
async def test_a_body_of_5_mb_is_refused_at_once_and_the_connection_can_go_on(
    site: Site, announced: bool
) -> None:
    size = 5 * MEGABYTE
    async with site.client() as client:
        if announced:
            await client.say(POST + b"content-length: %d\r\n\r\n" % size + b"x" * size)
        else:
            await client.say(CHUNKED + b"10000\r\n" + b"x" * 65536 + b"\r\n")
            for _ in range(size // 65536 - 1):
                await client.say(b"10000\r\n" + b"x" * 65536 + b"\r\n")
            await client.say(b"0\r\n\r\n")
        status, document = await client.answer()
        assert (status, document["title"]) == (413, "the body is larger than 262144 bytes")
        await client.say(GET)
        assert await client.answer() == (200, b"small")


async def test_a_body_that_goes_on_after_its_answer_is_cut_off_in_time(site: Site) -> None:
    async with site.client() as client:
        await client.say(CHUNKED)
        start = time.monotonic()
        with contextlib.suppress(ConnectionError):
            while time.monotonic() - start < PATIENCE:
                await client.say(b"10000\r\n" + b"x" * 65536 + b"\r\n")
        assert time.monotonic() - start < PATIENCE


async def test_who_does_not_read_the_answer_is_let_go(site: Site) -> None:
    async with site.client() as client:
        client.writer.transport.pause_reading()  # type: ignore[attr-defined]
        await client.say(b"GET /large HTTP/1.1\r\nhost: here\r\n\r\n" * 3)
        await asyncio.sleep(1.5)
        client.writer.transport.resume_reading()  # type: ignore[attr-defined]
        with contextlib.suppress(ConnectionError):
            async with asyncio.timeout(PATIENCE):
                whole = await client.reader.read()
            assert len(whole) < 20 * MEGABYTE


@pytest.mark.parametrize(
    "noise",
    [
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + b"\x00" * 200,  # TLS
        b"\r\n" * 100_000,
        b"GET /" + b"a" * 100_000 + b" HTTP/1.1\r\n\r\n",
        b"GET / HTTP/1.1\r\n" + b"".join(b"h%d: x\r\n" % n for n in range(50_000)),
        b"GET / HTTP/1.1\r\nhost: a\r\nhost: b\r\n\r\n",
        POST + b"content-length: 1\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n",
        CHUNKED + b"zz\r\n",
        POST + b"content-length: 9999999\r\n\r\n" + b"x" * 100 + GET,
        CHUNKED.replace(b"/count", b"/nothing") + b"zz\r\n",
        b"GET /small HTTP/1.1\r\nhost: h\r\nconnection: upgrade\r\nupgrade: websocket\r\n\r\n",
        GET * 500,
    ],
)
async def test_no_noise_holds_a_connection_or_is_a_fault(
    site: Site, noise: bytes, caplog: pytest.LogCaptureFixture
) -> None:
    for stays in (True, False):
        async with site.client() as client:
            with contextlib.suppress(ConnectionError):
                await client.say(noise)
            if stays:
                await client.closed()
    async with site.client() as client:
        await client.say(GET)
        assert await client.answer() == (200, b"small")
    assert not [record for record in caplog.records if record.exc_info]


async def test_beyond_the_most_connections_new_ones_are_closed_and_old_ones_served(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connections, "most_connections", lambda: 2)
    monkeypatch.setattr(connections, "HEAD_SECONDS", 2 * PATIENCE)
    async with site.client() as first, site.client() as second, site.client() as third:
        await third.closed()
        for client in (first, second):
            await client.say(GET)
            assert await client.answer() == (200, b"small")


async def test_many_half_read_bodies_are_refused_before_they_fill_the_memory(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bodies, "BODY_SECONDS", 60.0)
    monkeypatch.setattr(bodies, "ALL_BODIES", 4 * MEGABYTE)
    async with contextlib.AsyncExitStack() as stack:
        clients = [await stack.enter_async_context(site.client()) for _ in range(30)]
        part = b"x" * (bodies.MAX_BODY - 1)
        for client in clients:
            await client.say(POST + b"content-length: %d\r\n\r\n" % bodies.MAX_BODY + part)
        answers = await asyncio.gather(*(_is_refused(client) for client in clients))
        refused = [client for client, is_so in zip(clients, answers, strict=True) if is_so]
        assert len(refused) >= 30 - bodies.ALL_BODIES // len(part) - 1
        async with site.client() as another:
            await another.say(GET)
            assert await another.answer() == (200, b"small")
        for client in clients:
            if client not in refused:
                await client.say(b"x")
                assert await client.answer() == (200, b"%d" % bodies.MAX_BODY)
    async with site.client() as client:  # the room is free again
        await client.say(POST + b"content-length: 2\r\n\r\nxx")
        assert await client.answer() == (200, b"2")


async def _is_refused(client: Client) -> bool:
    try:
        async with asyncio.timeout(2.0):
            status, document = await client.answer()
    except TimeoutError:
        return False
    assert (status, document["retry_after"]) == (503, 1)
    return True


async def test_a_request_that_takes_too_long_is_answered_all_the_same(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bodies, "ANSWER_SECONDS", 0.2)
    async with site.client() as client:
        await client.say(b"POST /slow HTTP/1.1\r\nhost: here\r\ncontent-length: 0\r\n\r\n")
        status, document = await client.answer()
        assert (status, document["retry_after"]) == (503, 5)
