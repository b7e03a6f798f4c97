"""The proxy does to real connections what it says, and is a good network otherwise."""

import asyncio
import contextlib
import socket
import time
from collections.abc import AsyncIterator, Awaitable
from contextlib import asynccontextmanager
from typing import TypeVar

import pytest

from deploy.local.process import free_port
from deploy.local.proxy import HELD_BYTES, TcpProxy
from tests.conftest import PATIENCE

T = TypeVar("T")

A_MOMENT = 0.15  # in which a loopback connection has long done what it was going to do

Ends = tuple[asyncio.StreamReader, asyncio.StreamWriter]


class Echo:
    """A server that gives back what it gets, and remembers it."""

    def __init__(self) -> None:
        self.port = free_port()
        self.got = bytearray()
        self.clients = 0
        self.reading = asyncio.Event()
        self.reading.set()
        self._writers: set[asyncio.StreamWriter] = set()

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.clients += 1
        self._writers.add(writer)
        with contextlib.suppress(ConnectionError):
            while True:
                await self.reading.wait()
                if not (chunk := await reader.read(65536)):
                    break
                self.got += chunk
                writer.write(chunk)
                await writer.drain()
        self.clients -= 1
        self._writers.discard(writer)
        writer.close()

    def hang_up(self) -> None:
        for writer in self._writers:
            writer.close()


@asynccontextmanager
async def echoing() -> AsyncIterator[Echo]:
    echo = Echo()
    server = await asyncio.start_server(echo.serve, "127.0.0.1", echo.port)
    try:
        yield echo
    finally:
        server.close()
        echo.reading.set()
        echo.hang_up()
        await server.wait_closed()


@pytest.fixture
async def echo() -> AsyncIterator[Echo]:
    async with echoing() as echo:
        yield echo


@pytest.fixture
async def proxy(echo: Echo) -> AsyncIterator[TcpProxy]:
    before = asyncio.all_tasks()
    async with TcpProxy(echo.port) as proxy:
        yield proxy
    assert not proxy.links
    left = {task for task in asyncio.all_tasks() - before if "_connect" in repr(task)}
    assert not left


@asynccontextmanager
async def connected(proxy: TcpProxy) -> AsyncIterator[Ends]:
    reader, writer = await asyncio.open_connection("127.0.0.1", proxy.port)
    try:
        yield reader, writer
    finally:
        writer.close()
        with contextlib.suppress(ConnectionError):
            await writer.wait_closed()


async def soon(awaitable: Awaitable[T]) -> T:
    async with asyncio.timeout(PATIENCE):
        return await awaitable


async def eventually(holds: object) -> None:
    assert callable(holds)
    async with asyncio.timeout(PATIENCE):
        while not holds():
            await asyncio.sleep(0.01)


async def said(ends: Ends, words: bytes) -> bytes:
    """What comes back for these words."""
    ends[1].write(words)
    return await soon(ends[0].readexactly(len(words)))


async def nothing_comes(ends: Ends) -> bool:
    try:
        async with asyncio.timeout(A_MOMENT):
            await ends[0].read(1)
    except TimeoutError:
        return True
    return False


async def broken(ends: Ends) -> bytes:
    """What still came before the connection was reset or closed."""
    rest = b""
    with contextlib.suppress(ConnectionError):
        while chunk := await soon(ends[0].read(65536)):
            rest += chunk
    return rest


async def test_what_is_sent_comes_back_whole_and_in_order(echo: Echo, proxy: TcpProxy) -> None:
    everything = b"".join(b"%08d" % number for number in range(500_000))
    async with connected(proxy) as ends:
        ends[1].write(everything)
        assert await soon(ends[0].readexactly(len(everything))) == everything
    assert echo.got == everything
    assert (proxy.accepted, proxy.aborted) == (1, 0)
    assert proxy.carried == 2 * len(everything)


async def test_an_end_that_leaves_is_missed_at_the_other_after_all_that_it_sent(
    echo: Echo, proxy: TcpProxy
) -> None:
    async with connected(proxy) as ends:
        await said(ends, b"one")
        ends[1].write(b"two")
        await ends[1].drain()
    await eventually(lambda: not echo.clients)
    assert echo.got == b"onetwo"
    async with connected(proxy) as ends:
        await said(ends, b"three")
        echo.hang_up()
        assert await broken(ends) == b""
    await eventually(lambda: not proxy.links)


async def test_a_cut_resets_every_connection_and_every_new_one(echo: Echo, proxy: TcpProxy) -> None:
    async with connected(proxy) as ends:
        await said(ends, b"before")
        proxy.cut()
        with pytest.raises(ConnectionResetError):
            await soon(ends[0].read(1))
        await eventually(lambda: not echo.clients)
    async with connected(proxy) as ends:
        assert await broken(ends) == b""
    assert proxy.aborted == 2
    proxy.heal()
    async with connected(proxy) as ends:
        assert await said(ends, b"after") == b"after"


async def test_a_freeze_holds_both_ways_and_new_connections_until_it_is_healed(
    echo: Echo, proxy: TcpProxy
) -> None:
    async with connected(proxy) as old:
        await said(old, b"before")
        echo.got.clear()
        proxy.freeze()
        async with connected(proxy) as new:
            old[1].write(b"old")
            new[1].write(b"new")
            assert await nothing_comes(old)
            assert await nothing_comes(new)
            assert (echo.got, echo.clients) == (b"", 1)
            proxy.heal()
            assert await soon(old[0].readexactly(3)) == b"old"
            assert await soon(new[0].readexactly(3)) == b"new"


async def test_a_frozen_network_hides_that_an_end_has_gone(echo: Echo, proxy: TcpProxy) -> None:
    async with connected(proxy) as ends:
        await said(ends, b"before")
        proxy.freeze()
    async with connected(proxy):
        await asyncio.sleep(A_MOMENT)
        assert echo.clients == 1
    proxy.heal()
    await eventually(lambda: not echo.clients and not proxy.links)


async def test_a_half_open_connection_flows_to_the_server_and_not_back(
    echo: Echo, proxy: TcpProxy
) -> None:
    proxy.halve()
    async with connected(proxy) as ends:
        ends[1].write(b"request")
        await eventually(lambda: echo.got == b"request")
        assert await nothing_comes(ends)
        proxy.heal()
        assert await soon(ends[0].readexactly(7)) == b"request"


async def test_a_delay_is_a_line_and_no_throttle(proxy: TcpProxy) -> None:
    proxy.delay(0.2)
    async with connected(proxy) as ends:
        started = time.monotonic()
        for number in range(20):
            ends[1].write(b"%02d" % number)
            await asyncio.sleep(0.01)
        assert await soon(ends[0].readexactly(40)) == b"".join(b"%02d" % n for n in range(20))
        took = time.monotonic() - started
    assert 0.4 <= took < 8.0  # there and back; 20 chunks that wait for each other take 8 s


async def test_what_a_delay_holds_flows_at_once_when_it_is_healed(proxy: TcpProxy) -> None:
    async with connected(proxy) as ends:
        await said(ends, b"before")
        proxy.delay(3600)
        ends[1].write(b"late")
        assert await nothing_comes(ends)
        proxy.heal()
        assert await soon(ends[0].readexactly(4)) == b"late"
        assert await said(ends, b"after") == b"after"


async def test_a_tear_lets_half_of_the_next_chunk_through_and_ends_the_connection(
    echo: Echo, proxy: TcpProxy
) -> None:
    async with connected(proxy) as torn:
        await said(torn, b"before")
        echo.got.clear()
        proxy.tear()
        async with connected(proxy) as later:
            assert await said(later, b"untouched") == b"untouched"
        echo.got.clear()
        torn[1].write(b"12345678")
        assert await broken(torn) == b""
        await eventually(lambda: echo.got == b"1234" and not echo.clients)
    assert (proxy.torn, proxy.aborted) == (1, 1)


async def test_a_tear_that_has_not_happened_yet_does_not_after_healing(proxy: TcpProxy) -> None:
    async with connected(proxy) as ends:
        await said(ends, b"before")
        proxy.tear()
        proxy.heal()
        assert await said(ends, b"whole") == b"whole"
    assert proxy.torn == 0


@pytest.mark.parametrize("fault", ["frozen", "slow reader", "delayed"])
async def test_a_sender_waits_when_what_it_sends_does_not_flow(
    echo: Echo, proxy: TcpProxy, fault: str
) -> None:
    async with connected(proxy) as ends:
        await said(ends, b"before")
        match fault:
            case "frozen":
                proxy.freeze()
            case "delayed":
                proxy.delay(3600)
            case _:
                echo.reading.clear()
        much = b"x" * (24 * HELD_BYTES)
        echo.got.clear()
        ends[1].write(much)
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.5):
                await ends[1].drain()
        [link] = proxy.links
        assert link.up.held <= HELD_BYTES + 512 * 1024
        proxy.heal()
        echo.reading.set()
        back = 0
        while back < len(much):
            back += len(await soon(ends[0].read(1 << 20)))
        assert echo.got == much


async def test_a_connection_to_a_server_that_is_not_there_ends(proxy: TcpProxy) -> None:
    async with TcpProxy(free_port()) as nowhere:
        async with connected(nowhere) as ends:
            assert await broken(ends) == b""
        await eventually(lambda: not nowhere.links)


@pytest.mark.parametrize("state", ["open", "frozen", "delayed", "halved"])
async def test_leaving_ends_every_connection_whatever_is_held(echo: Echo, state: str) -> None:
    async with TcpProxy(echo.port) as proxy:
        reader, writer = await asyncio.open_connection("127.0.0.1", proxy.port)
        await said((reader, writer), b"before")
        {
            "open": lambda: None,
            "frozen": proxy.freeze,
            "delayed": lambda: proxy.delay(3600),
            "halved": proxy.halve,
        }[state]()
        late_reader, late_writer = await asyncio.open_connection("127.0.0.1", proxy.port)
        for each in (writer, late_writer):
            each.write(b"held")
        await asyncio.sleep(0.05)
    for ends in ((reader, writer), (late_reader, late_writer)):
        await broken(ends)
        ends[1].close()
    await eventually(lambda: not echo.clients)


async def test_a_connection_that_is_cut_at_the_moment_it_comes_leaves_nothing(
    proxy: TcpProxy,
) -> None:
    loop = asyncio.get_running_loop()
    for _ in range(20):
        with socket.socket() as client:
            client.setblocking(False)
            await loop.sock_connect(client, ("127.0.0.1", proxy.port))
            while not proxy.links:  # not a turn of the loop later than that
                await asyncio.sleep(0)
            proxy.cut()
        proxy.heal()
        async with asyncio.timeout(PATIENCE):
            while proxy.links:
                await asyncio.sleep(0.01)
