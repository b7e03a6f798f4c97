"""The letters that the portal writes itself: links by which somebody signs in.

Always holds: whoever asked for it does not wait for the mail server, so nobody can tell by the time
of an answer whether a letter was sent; neither an address nor a link is logged or counted by.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Coroutine
from email.headerregistry import Address
from email.message import EmailMessage
from email.utils import localtime, make_msgid

import aiosmtplib
from prometheus_client import Counter, disable_created_metrics

from services.chassis.settings import MailSettings
from services.chassis.store.contract import NoAnswer

logger = logging.getLogger(__name__)

OUTCOMES = TAKEN, REFUSED, AWAY, UNWRITTEN = "taken", "refused", "away", "unwritten"
"""What becomes of a letter: the mail server takes it, or does not, or is not there; or the database
did not answer before it was written."""

Send = Callable[[EmailMessage], Awaitable[None]]


def by_smtp(settings: MailSettings) -> Send:
    """Hands a letter over to the mail server of the settings."""
    password = settings.smtp_password

    async def send(message: EmailMessage) -> None:
        await aiosmtplib.send(
            message,
            hostname=settings.smtp_host,
            port=settings.smtp_port,
            use_tls=settings.smtp_security == "tls",
            start_tls=settings.smtp_security == "starttls",
            username=settings.smtp_username,
            password=password.get_secret_value() if password else None,
            timeout=settings.smtp_timeout,
        )

    return send


class Mailing:
    """Sends letters behind the back of the request that asked for them."""

    def __init__(self, sender: str, send: Send) -> None:
        self._sender = sender
        self._send = send
        self._under_way: set[asyncio.Task[None]] = set()
        # When each outcome was first counted: as many series again, as in `watch/metrics.py`.
        disable_created_metrics()  # type: ignore[no-untyped-call]
        self.counted = Counter(
            "mentoring_sign_in_letters",
            "Letters that the portal writes itself, by what became of them",
            ["outcome"],
            registry=None,
        )
        for outcome in OUTCOMES:  # what is not there before cannot be seen to grow
            self.counted.labels(outcome)

    @property
    def domain(self) -> str:
        """The domain of who writes: that of ids in letters and calendars."""
        return self._sender.rpartition("@")[2]

    def later(self, letter: Coroutine[None, None, tuple[str, str, str]]) -> None:
        """Write a letter (address, subject, text) and send it, by and by.

        If the mail server does not take it, whoever waits for it asks again.
        """
        task = asyncio.create_task(self._written(letter))
        self._under_way.add(task)
        task.add_done_callback(self._under_way.discard)

    async def _written(self, letter: Coroutine[None, None, tuple[str, str, str]]) -> None:
        try:
            address, subject, text = await letter
        except NoAnswer as error:
            logger.warning("a sign-in letter was not written: %s", type(error.__cause__).__name__)
            self.counted.labels(UNWRITTEN).inc()
            return
        message = EmailMessage()
        message["From"] = self._sender
        message["To"] = Address(addr_spec=address)
        message["Subject"] = subject
        message["Date"] = localtime()
        message["Message-ID"] = make_msgid(domain=self._sender.partition("@")[2])
        message["Auto-Submitted"] = "auto-generated"
        message.set_content(text)
        try:
            await self._send(message)
        except (aiosmtplib.SMTPException, OSError, ValueError) as error:
            logger.warning("a sign-in letter was not handed over: %s", type(error).__name__)
            self.counted.labels(AWAY if isinstance(error, OSError) else REFUSED).inc()
        else:
            self.counted.labels(TAKEN).inc()

    async def settle(self) -> None:
        """Wait for what is under way."""
        await asyncio.gather(*self._under_way, return_exceptions=True)
