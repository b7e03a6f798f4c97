"""Connections that end: nobody holds one by saying little or nothing, or by not listening.

Always holds: a connection on which no whole request head came for `HEAD_SECONDS`, since it was
opened or since its last answer, is closed, whatever else it goes on sending; and so is one whose
client does not take its answer for `UNREAD_SECONDS`. (The body that an answer waits for is bounded
in `bodies.py`.) Why the ingress does not do it: docs/decisions/0024.
"""

import asyncio
import contextlib
import logging
import resource
import socket
import sys
from collections.abc import Iterator
from typing import Any

import h11
import uvicorn
from starlette.types import ASGIApp
from uvicorn.protocols.http.h11_impl import H11Protocol

HEAD_SECONDS = 30
UNREAD_SECONDS = 20.0
SPARE_FILES = 256
"""Files that connections leave to the rest: database, broker, logs."""
EVERYWHERE = "::"

logger = logging.getLogger(__name__)


class Connection(H11Protocol):
    """uvicorn's, with its keep-alive timer as a timer for the next request's whole head."""

    def connection_made(self, transport: Any) -> None:
        super().connection_made(transport)
        self._unread: asyncio.TimerHandle | None = None
        if len(self.connections) > most_connections():
            transport.abort()
            return
        self.timeout_keep_alive_task = self.loop.call_later(
            self.timeout_keep_alive, self.timeout_keep_alive_handler
        )

    def data_received(self, data: bytes) -> None:
        # Not uvicorn's own, which forgets the timer at the first byte of a head.
        self.conn.receive_data(data)
        self.handle_events()

    def send_400_response(self, msg: str) -> None:
        cycle = self.cycle
        if self.conn.our_state not in (h11.IDLE, h11.SEND_RESPONSE):  # it has its answer already
            self.transport.close()
            return
        super().send_400_response(msg)
        if cycle is not None and not cycle.response_complete:
            # The application is still at it, and its own answer would come second.
            cycle.disconnected = True
            cycle.message_event.set()

    def timeout_keep_alive_handler(self) -> None:
        if self.transport.get_write_buffer_size():
            self.transport.abort()  # a close would wait for a client that does not read
        else:
            super().timeout_keep_alive_handler()

    def pause_writing(self) -> None:
        super().pause_writing()
        self._unread = self.loop.call_later(UNREAD_SECONDS, self.transport.abort)

    def resume_writing(self) -> None:
        super().resume_writing()
        if self._unread is not None:
            self._unread.cancel()
            self._unread = None

    def connection_lost(self, exc: Exception | None) -> None:
        super().connection_lost(exc)
        self._unset_keepalive_if_required()
        if self._unread is not None:
            self._unread.cancel()


def most_connections() -> int:
    """How many connections a process takes, by the files that it may open."""
    soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    return 1_000_000 if soft == resource.RLIM_INFINITY else max(soft - SPARE_FILES, soft // 2)


class Server(uvicorn.Server):
    """Leaves signals to the service: uvicorn raises them again, before anything is closed.

    `::` is every address of both families, where asyncio would take IPv6 alone.
    """

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        try:
            if self.config.host == EVERYWHERE:
                sockets = [listening_everywhere(self.config.port)]
            await super().startup(sockets)
        except (OSError, SystemExit):  # uvicorn ends the process with a code of its own
            logger.critical(
                "HTTP cannot listen: CONNECTE_HTTP_HOST is no address of this machine, or "
                "CONNECTE_HTTP_PORT is taken, or wants a permission"
            )
            sys.exit(1)


def listening_everywhere(port: int) -> socket.socket:
    """One socket for IPv6 and IPv4; for IPv4 alone on a machine without the other."""
    if socket.has_dualstack_ipv6():
        return socket.create_server((EVERYWHERE, port), family=socket.AF_INET6, dualstack_ipv6=True)
    return socket.create_server(("", port))


def server_of(app: ASGIApp, host: str, port: int) -> Server:
    """What serves a service.

    Not used: `limit_concurrency`, which counts idle connections and so lets probes fail.
    """
    config = uvicorn.Config(
        app,
        host=host,
        port=port,
        http=Connection,
        ws="none",
        log_config=None,
        access_log=False,
        lifespan="off",
        timeout_keep_alive=HEAD_SECONDS,
        timeout_graceful_shutdown=5,
        server_header=False,
        proxy_headers=False,
    )
    return Server(config)
