"""A mail server of our own that keeps the letters it receives, for demonstrations and tests.

What always holds: a letter is on disk before the sender is told that it was accepted; and each
recipient has a letter once, however often it is delivered, because a second delivery with a
Message-ID that this recipient already has is acknowledged and dropped, as mail servers do. So a
sender that repeats a letter under its first Message-ID does no harm, and one that gives it a new
one is found out.
"""

import asyncio
import hashlib
import time
from collections.abc import AsyncIterator, Callable
from email.message import EmailMessage
from email.parser import BytesParser
from email.policy import SMTP as SMTP_POLICY
from pathlib import Path
from types import TracebackType
from typing import AnyStr, NamedTuple, Self
from uuid import uuid4

from aiosmtpd.smtp import SMTP, Envelope, Session

from deploy.local.process import free_port

HOST = "127.0.0.1"
MAX_BYTES = 8 * 1024 * 1024
CLOSING = "421"


class Verdict(NamedTuple):
    """What becomes of a letter that came whole. `answer`: None where the server breaks off."""

    kept: bool
    answer: str | None


TAKEN = Verdict(True, "250 2.0.0 OK")
Judge = Callable[[EmailMessage, float], Verdict]
"""Given a letter's headers, and when (`time.monotonic`) its connection was opened."""


class Mailbox:
    """An SMTP server on a free loopback port and the Maildir behind it, as a context manager.

    `directory` may hold an earlier mailbox's letters: they count as received; with its `port` too,
    this is that mailbox come back. A letter to several recipients is kept, and counted, once for
    each. Each file begins with the headers that a delivery adds: `Return-Path` (envelope sender)
    and `Delivered-To` (envelope recipient).

    `refuse`, if set, is asked for each recipient and may give an SMTP reply such as
    "451 4.2.1 busy" or "550 5.1.1 unknown", which then refuses that recipient. `judge`, if set, is
    asked of each letter that came whole. With a 421 the connection ends.
    Between `stop` and `start` nobody listens, and what was open has been broken off.
    Between `hang` and `heal` it accepts connections and answers nothing. A letter that came whole
    meanwhile is delivered at the end, even if its sender has given it up by then.
    `again` has a row for each delivery that was dropped because the recipient had it already: when
    the letter came first and when it came again, in seconds of the machine's clock.
    """

    host = HOST

    def __init__(self, directory: Path, *, port: int | None = None) -> None:
        self.refuse: Callable[[str], str | None] | None = None
        self.judge: Judge | None = None
        self.again: list[tuple[float, float]] = []
        self.hanging = False
        self.port = port or free_port()
        self.directory = directory
        self._new = directory / "new"
        self._tmp = directory / "tmp"
        for folder in (self._new, self._tmp, directory / "cur"):
            folder.mkdir(parents=True, exist_ok=True)
        self._letters = sorted(self._new.iterdir(), key=lambda path: path.stat().st_mtime_ns)
        self._server: asyncio.Server | None = None
        self._over = False
        self._connections: set[_Connection] = set()
        self._change = asyncio.Event()

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self.stop()
        self._over = True
        self._announce()

    async def start(self) -> None:
        """Listen, for the first time or again."""
        self._server = await asyncio.get_running_loop().create_server(
            lambda: _Connection(self, self._connections), HOST, self.port
        )

    async def stop(self) -> None:
        """Break off what is open, and listen no more. Whoever reads `letters` goes on waiting."""
        server, self._server = self._server, None
        if server is None:
            return
        server.close()
        # A client that keeps its connection open would keep the server from ending.
        connections = list(self._connections)
        for connection in connections:
            connection.abort()
        await asyncio.gather(*(connection.gone.wait() for connection in connections))
        await server.wait_closed()

    def hang(self) -> None:
        """Leave every command unanswered until `heal`."""
        self.hanging = True

    def heal(self) -> None:
        """Answer again, first what has come meanwhile."""
        self.hanging = False
        for connection in list(self._connections):
            connection.wake()

    @property
    def count(self) -> int:
        """How many letters it holds, over all recipients."""
        return len(self._letters)

    @property
    def redelivered(self) -> int:
        """How many deliveries were dropped because the recipient had them already."""
        return len(self.again)

    def held(self) -> list[EmailMessage]:
        """Every letter it holds, oldest first."""
        return [_read(path.read_bytes()) for path in self._letters]

    def letters(self) -> AsyncIterator[EmailMessage]:
        """The letters that arrive from this call on, until the mailbox closes.

        Any number of readers may listen side by side; each gets all of them, in order.
        """
        # Not itself a generator: that would begin to listen at the first step only, and miss
        # what arrives between the call and that step.
        return self._follow(len(self._letters))

    async def _follow(self, position: int) -> AsyncIterator[EmailMessage]:
        while True:
            change = self._change
            while position < len(self._letters):
                position += 1
                yield _read(self._letters[position - 1].read_bytes())
            # Letters may have arrived while the reader was busy with the last one.
            if change is not self._change:
                continue
            if self._over:
                return
            await change.wait()

    async def handle_RCPT(  # noqa: N802 - aiosmtpd's name for it, and so are those below
        self,
        _server: SMTP,
        _session: Session,
        envelope: Envelope,
        address: str,
        _options: list[str],
    ) -> str:
        if self.refuse is not None and (reply := self.refuse(address)) is not None:
            return reply
        envelope.rcpt_tos.append(address)
        return "250 2.1.5 OK"

    async def handle_DATA(  # noqa: N802
        self, connection: "_Connection", _session: Session, envelope: Envelope
    ) -> str:
        content = envelope.original_content or b""
        headers = _read(content, headersonly=True)
        kept, answer = TAKEN if self.judge is None else self.judge(headers, connection.opened_at)
        if kept:
            self._keep(envelope, headers, content)
        if answer is None:
            connection.break_off()
        return answer or ""

    def _keep(self, envelope: Envelope, headers: EmailMessage, content: bytes) -> None:
        # Without a Message-ID two deliveries cannot be known to be one letter: keep both.
        message_id = str(headers["Message-ID"] or f"<{uuid4()}@{HOST}>").strip()
        # The same letter may name one recipient twice.
        for recipient in dict.fromkeys(envelope.rcpt_tos):
            self._deliver(envelope.mail_from or "", recipient, message_id, content)

    def _deliver(self, sender: str, recipient: str, message_id: str, content: bytes) -> None:
        name = hashlib.sha256(f"{recipient}\n{message_id}".encode()).hexdigest() + ".eml"
        path = self._new / name
        if path.exists():
            self.again.append((path.stat().st_mtime, time.time()))
            return
        trace = f"Return-Path: <{sender}>\r\nDelivered-To: {recipient}\r\n"
        draft = self._tmp / name
        draft.write_bytes(trace.encode() + content)
        # The last step, and indivisible: a crash before it leaves no half letter in the mailbox.
        draft.replace(path)
        self._letters.append(path)
        self._announce()

    def _announce(self) -> None:
        self._change.set()
        self._change = asyncio.Event()


class _Connection(SMTP):
    """One client's connection; a member of `connections` for as long as it lasts."""

    def __init__(self, mailbox: Mailbox, connections: set["_Connection"]) -> None:
        # The name is given because looking up the machine's own can take seconds.
        super().__init__(
            mailbox,
            hostname="localhost",
            ident="mailbox",
            data_size_limit=MAX_BYTES,
            loop=asyncio.get_running_loop(),
        )
        self._mailbox = mailbox
        self._connections = connections
        self._unheard: list[bytes] = []
        self._left = False  # while we did not listen, or by ourselves
        self.opened_at = time.monotonic()
        self.gone = asyncio.Event()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._connections.add(self)
        super().connection_made(transport)

    def connection_lost(self, error: Exception | None) -> None:
        super().connection_lost(error)
        self._connections.discard(self)
        self.gone.set()

    def data_received(self, data: bytes) -> None:
        if self._mailbox.hanging:
            self._unheard.append(data)
        else:
            super().data_received(data)

    def eof_received(self) -> bool | None:
        if not self._mailbox.hanging:
            return bool(super().eof_received())
        self._left = True
        return True  # keep our end open

    def wake(self) -> None:
        """Hear what was said while the mailbox hung."""
        unheard, self._unheard = self._unheard, []
        for data in unheard:
            super().data_received(data)
        if self._left and not unheard:
            self.abort()

    def break_off(self) -> None:
        """End without the answer that would be next."""
        self._left = True

    async def push(self, status: AnyStr) -> None:
        if self._left:
            self.abort()  # what it said last has been done, and nobody waits for the answer
            return
        await super().push(status)
        said = status if isinstance(status, str) else status.decode()
        if said.startswith(CLOSING) and isinstance(self.transport, asyncio.Transport):
            self.transport.close()

    def abort(self) -> None:
        if isinstance(self.transport, asyncio.Transport):
            self.transport.abort()


def _read(content: bytes, *, headersonly: bool = False) -> EmailMessage:
    message = BytesParser(policy=SMTP_POLICY).parsebytes(content, headersonly=headersonly)
    assert isinstance(message, EmailMessage)  # what this policy makes
    return message
