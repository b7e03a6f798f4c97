"""A TCP proxy on the loopback interface that can do to a connection what a bad network does.

Always holds: between two ends that stay, bytes are neither lost, repeated nor reordered, whatever
is done in between: they are held back, late, or end with the connection. What is held back is
bounded: an end that sends more than that into a connection that does not flow has to wait.
An end that says that it has sent everything counts as gone: nothing is brought back to it.
"""

import asyncio
import socket
import struct
from collections import deque
from types import TracebackType
from typing import Literal, Self

from deploy.local.process import free_port

HOST = "127.0.0.1"
HELD_BYTES = 1024 * 1024  # each way of each connection; one chunk more may have been read
RESET = struct.pack("ii", 1, 0)  # linger for no time: the other end sees a reset, not a farewell

State = Literal["open", "cut", "frozen", "halved"]


class TcpProxy:
    """Carries connections from `port` to `target_port`, well or badly. A context manager.

    `port` is chosen if not given, and known before the proxy is entered. The target may come and
    go: a connection that cannot be carried on to it is reset. Of `cut`, `freeze` and `halve` the
    last one called holds; `delay` and `tear` come on top; `heal` ends all of them.

    Counts, from its start: `accepted`, `aborted` (by `cut` and `tear`) and `torn` connections,
    and the bytes that it has `carried`, both ways.
    """

    host = HOST

    def __init__(self, target_port: int, port: int | None = None) -> None:
        self.target_port = target_port
        self.port = port or free_port()
        self.accepted = self.aborted = self.torn = self.carried = 0
        self.state: State = "open"
        self.late = 0.0
        self.flowing = asyncio.Event()
        self.flowing.set()
        self.links: set[_Link] = set()
        self._server: asyncio.Server | None = None

    async def __aenter__(self) -> Self:
        self._server = await asyncio.get_running_loop().create_server(
            lambda: _Link(self).client, HOST, self.port, backlog=1000
        )
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        assert self._server is not None
        self._server.close()
        links = list(self.links)
        for link in links:
            link.abort()
        await asyncio.gather(*(link.gone.wait() for link in links))
        await self._server.wait_closed()

    def cut(self) -> None:
        """Reset every connection, and every new one at once."""
        self._become("cut")
        for link in list(self.links):
            self.aborted += 1
            link.abort()

    def freeze(self) -> None:
        """Let nothing through either way; connections stay, and new ones are accepted."""
        self._become("frozen")

    def halve(self) -> None:
        """Let nothing through from the server to its clients; the other way flows."""
        self._become("halved")

    def delay(self, seconds: float) -> None:
        """Bring every chunk that comes from now on later by that much, in order, side by side."""
        self.late = seconds

    def tear(self) -> None:
        """Break each present connection off in the middle of the next chunk that flows on it."""
        for link in self.links:
            link.tearing = True

    def heal(self) -> None:
        """Be a good network again; what was held back flows at once."""
        self.late = 0.0
        for link in self.links:
            link.tearing = False
        self._become("open")

    def _become(self, state: State) -> None:
        self.state = state
        if state == "frozen":
            self.flowing.clear()
        else:
            self.flowing.set()
        for link in list(self.links):
            link.up.flow()
            link.down.flow()


class _Link:
    """One connection through the proxy: its two ends, and the line for each way between them."""

    def __init__(self, proxy: TcpProxy) -> None:
        self.proxy = proxy
        self.client = _End(self)
        self.server = _End(self)
        self.up = _Line(self, self.client, self.server, stops=("frozen",))
        self.down = _Line(self, self.server, self.client, stops=("frozen", "halved"))
        self.client.outgoing = self.server.incoming = self.up
        self.server.outgoing = self.client.incoming = self.down
        self.tearing = False
        self.gone = asyncio.Event()
        self._connecting: asyncio.Task[None] | None = None

    def made(self, end: "_End") -> None:
        if end is self.server:
            self.up.flow()
            return
        self.proxy.accepted += 1
        self.proxy.links.add(self)
        if self.proxy.state == "cut":
            self.proxy.aborted += 1
            self.abort()
        else:
            self._connecting = asyncio.create_task(self._connect())
            # Not at the end of the task itself: one that is cancelled at once never begins.
            self._connecting.add_done_callback(self._connected)

    async def _connect(self) -> None:
        try:
            await self.proxy.flowing.wait()
            loop = asyncio.get_running_loop()
            await loop.create_connection(lambda: self.server, HOST, self.proxy.target_port)
        except OSError:
            self.abort()

    def _connected(self, _: asyncio.Task[None]) -> None:
        self._connecting = None
        self._settle()

    def lost(self, end: "_End", error: Exception | None) -> None:
        if self._connecting is not None:
            self._connecting.cancel()
        end.incoming.drop()
        end.outgoing.end(reset=error is not None)
        self._settle()

    def abort(self) -> None:
        if self._connecting is not None:
            self._connecting.cancel()
        for end in (self.client, self.server):
            end.reset()

    def _settle(self) -> None:
        """It is over once neither end is there nor may yet come."""
        if self._connecting is None and self.client.away and self.server.away:
            self.up.drop()
            self.down.drop()
            self.proxy.links.discard(self)
            self.gone.set()


class _Line:
    """One way of a link: what was read at its `source` and is not yet written to its `sink`."""

    def __init__(self, link: _Link, source: "_End", sink: "_End", stops: tuple[State, ...]) -> None:
        self._link = link
        self._proxy = link.proxy
        self._source = source
        self._sink = sink
        self._stops = stops
        self._chunks: deque[tuple[float, bytes]] = deque()
        self.held = 0  # bytes
        self._ended: Literal["", "closed", "reset"] = ""
        self._end_due = 0.0
        self._timer: asyncio.TimerHandle | None = None

    def take(self, chunk: bytes) -> None:
        self._chunks.append((self._due(), chunk))
        self.held += len(chunk)
        self.flow()

    def end(self, *, reset: bool) -> None:
        """The source is gone; the sink hears of it after all that was sent."""
        self._ended = "reset" if reset else "closed"
        self._end_due = self._due()
        self.flow()

    def drop(self) -> None:
        """The sink is gone."""
        self._chunks.clear()
        self.held = 0
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def flow(self) -> None:
        """Hand on whatever may be handed on now."""
        sink = self._sink
        while self._chunks and self._passes(self._chunks[0][0]) and not sink.full:
            chunk = self._chunks.popleft()[1]
            self.held -= len(chunk)
            self._hand_on(chunk)
        if self._ended and not self._chunks and self._passes(self._end_due):
            if self._ended == "reset":
                sink.reset()
            else:
                sink.close()
        self._source.pause(self.held > HELD_BYTES or sink.full)

    def _due(self) -> float:
        if not self._proxy.late:
            return 0.0
        return asyncio.get_running_loop().time() + self._proxy.late

    def _passes(self, due: float) -> bool:
        if self._sink.away or self._proxy.state in self._stops:
            return False
        # Once the proxy has healed, nothing is late any more.
        if not due or not self._proxy.late:
            return True
        loop = asyncio.get_running_loop()
        if loop.time() >= due:
            return True
        if self._timer is None:
            self._timer = loop.call_at(due, self._rung)
        return False

    def _rung(self) -> None:
        self._timer = None
        self.flow()

    def _hand_on(self, chunk: bytes) -> None:
        if self._link.tearing:
            chunk = chunk[: len(chunk) // 2]
            self._proxy.torn += 1
            self._proxy.aborted += 1
        self._proxy.carried += len(chunk)
        self._sink.write(chunk)
        if self._link.tearing:
            self._link.tearing = False
            self.drop()
            self._sink.close()  # not reset, so that the half surely arrives
            self._source.reset()


class _End(asyncio.Protocol):
    """The proxy's side of a connection with a client, or with the server."""

    outgoing: _Line  # what is read here goes there
    incoming: _Line  # what is written here comes from there

    def __init__(self, link: _Link) -> None:
        self._link = link
        self._transport: asyncio.Transport | None = None
        self._paused = False
        self.full = False

    @property
    def away(self) -> bool:
        """Whether it is not there: not yet, or no more."""
        return self._transport is None

    def write(self, chunk: bytes) -> None:
        if self._transport is not None:
            self._transport.write(chunk)

    def pause(self, paused: bool) -> None:
        """Read no further, or go on reading."""
        if self._transport is None or self._transport.is_closing() or paused == self._paused:
            return
        self._paused = paused
        if paused:
            self._transport.pause_reading()
        else:
            self._transport.resume_reading()

    def close(self) -> None:
        if self._transport is not None:
            self._transport.close()

    def reset(self) -> None:
        if self._transport is not None:
            connection: socket.socket = self._transport.get_extra_info("socket")
            if connection.fileno() >= 0:
                connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)
            self._transport.abort()

    # what asyncio tells

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        self._link.made(self)

    def data_received(self, data: bytes) -> None:
        self.outgoing.take(data)

    def pause_writing(self) -> None:
        self.full = True

    def resume_writing(self) -> None:
        self.full = False
        self.incoming.flow()

    def connection_lost(self, error: Exception | None) -> None:
        self._transport = None
        self._link.lost(self, error)
