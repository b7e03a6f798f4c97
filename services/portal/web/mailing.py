"""The one letter that the portal writes itself: the link by which somebody signs in.

Always holds: whoever asked for it does not wait for the mail server, so nobody can tell by the time
of an answer whether a letter was sent; neither an address nor a link is logged.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from email.headerregistry import Address
from email.message import EmailMessage
from email.utils import localtime, make_msgid

import aiosmtplib

from services.chassis.settings import MailSettings

logger = logging.getLogger(__name__)

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

    def post(self, address: str, subject: str, text: str) -> None:
        """Send it, by and by. If the mail server does not take it, whoever waits asks again."""
        message = EmailMessage()
        message["From"] = self._sender
        message["To"] = Address(addr_spec=address)
        message["Subject"] = subject
        message["Date"] = localtime()
        message["Message-ID"] = make_msgid(domain=self._sender.partition("@")[2])
        message["Auto-Submitted"] = "auto-generated"
        message.set_content(text)
        task = asyncio.create_task(self._posted(message))
        self._under_way.add(task)
        task.add_done_callback(self._under_way.discard)

    async def _posted(self, message: EmailMessage) -> None:
        try:
            await self._send(message)
        except (aiosmtplib.SMTPException, OSError, ValueError) as error:
            logger.warning("a sign-in letter was not handed over: %s", type(error).__name__)

    async def settle(self) -> None:
        """Wait for what is under way."""
        await asyncio.gather(*self._under_way, return_exceptions=True)
