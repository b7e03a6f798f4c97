"""People at the portal's pages: each has a browser, signs in by a letter's link, fills forms in.

Always holds: whoever gets no answer looks at the page again before they send a form once more, as
people do, so what came about unseen is not asked for twice.
"""

import asyncio
import re
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import httpx

from deploy.local.mail import Mailbox
from deploy.trial.browser import Browser

MOST_PEOPLE = 250
"""In a quarter of an hour the portal sends 300 letters with links to one place; some to spare."""
COORDINATOR = "coordination@pilote.example"
AT_ONCE = 16
PATIENCE = 300.0  # real seconds that somebody goes on trying when a page does not load
LETTER_WITHIN = 20.0
_LINK = re.compile(r"https?://\S+(/connexion/\S+)")

Press = Callable[[Browser], Awaitable[object]]


class PortalAway(RuntimeError):
    """A page did not come for as long as anybody goes on trying."""


@dataclass
class _Seat:
    browser: Browser
    taken: asyncio.Lock = field(default_factory=asyncio.Lock)
    link: str | None = None


class AtPortal:
    """Everybody who comes to the portal of a platform, by their address."""

    def __init__(self, url: str, mailbox: Mailbox) -> None:
        self._url = url
        self._mailbox = mailbox
        self._seats: dict[str, _Seat] = {}
        self._turn = asyncio.Semaphore(AT_ONCE)

    @asynccontextmanager
    async def open(self) -> AsyncIterator[None]:
        """For as long as the block lasts."""
        try:
            yield
        finally:
            for seat in self._seats.values():
                await seat.browser.client.aclose()

    async def does(self, address: str, path: str, press: Press) -> Browser:
        """Open a page, and press what is there. Raises `NotOffered`, `PortalAway`.

        If no answer comes, the page tells whether what was sent came about: then it is another.
        """
        if address not in self._seats:
            self._seats[address] = _Seat(Browser(httpx.AsyncClient(base_url=self._url, timeout=60)))
        seat, seen = self._seats[address], None
        deadline = asyncio.get_running_loop().time() + PATIENCE
        async with seat.taken, self._turn:
            while asyncio.get_running_loop().time() < deadline:
                try:
                    await self._at(seat, address, path)
                    if _is_a_page(seat.browser):
                        if seen not in (None, seat.browser.says):
                            return seat.browser
                        seen = seat.browser.says
                        await press(seat.browser)
                        if _is_a_page(seat.browser):
                            return seat.browser
                except (httpx.TransportError, TimeoutError):
                    pass
                await asyncio.sleep(0.3)
        raise PortalAway(f"{path.rpartition('/')[2]} does not come")

    async def _at(self, seat: _Seat, address: str, path: str) -> None:
        browser = seat.browser
        await browser.goes_to(path)
        if browser.status != httpx.codes.UNAUTHORIZED:
            return
        if seat.link is None:
            seat.link = await self._asked_for(browser, address)
        await browser.goes_to(seat.link)
        if browser.status < httpx.codes.INTERNAL_SERVER_ERROR:
            seat.link = None  # it signs in, or no longer does
            if browser.status == httpx.codes.OK:
                await browser.presses("Me connecter")
        await browser.goes_to(path)

    async def _asked_for(self, browser: Browser, address: str) -> str:
        """The link of a letter that somebody asks for. Raises `TimeoutError`: none has come."""
        letters = self._mailbox.letters()  # from now on
        await browser.goes_to("/connexion")
        if browser.status != httpx.codes.OK:
            raise TimeoutError
        await browser.presses("Recevoir mon lien", adresse=address)
        async with asyncio.timeout(LETTER_WITHIN):
            async for letter in letters:
                body = letter.get_body(("plain",))
                found = _LINK.search(body.get_content()) if body else None
                if letter["Delivered-To"] == address and found:
                    return found[1]
        raise TimeoutError


def _is_a_page(browser: Browser) -> bool:
    """Whether what came is what was asked for: neither "later" nor "sign in first"."""
    later = browser.status >= httpx.codes.INTERNAL_SERVER_ERROR
    return not later and browser.status != httpx.codes.UNAUTHORIZED
