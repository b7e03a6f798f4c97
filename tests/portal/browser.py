"""A person at a browser without script, who gets letters and signs in by them."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from email.message import EmailMessage
from typing import Self

from deploy.trial.browser import Browser, Element, parsed

__all__ = ["Element", "Person", "parsed"]


@dataclass
class Person(Browser):
    """Somebody with a browser, an address, and a mailbox that `letters` reads."""

    address: str = ""
    letters: Callable[[], list[EmailMessage]] | None = None

    async def signs_in(self) -> Self:
        """Ask for a link, and use the newest one that came."""
        await self.goes_to("/connexion")
        before = len(self._links())
        await self.presses("Recevoir mon lien", adresse=self.address)
        return await self.opens_the_letter(before)

    async def switches(self, words: str) -> Self:
        """To the other language: by a link, or a button that keeps what is typed."""
        buttons = (button.text for button in self.page.all("button"))
        return await (self.presses(words) if words in buttons else self.follows(words))

    async def opens_the_letter(self, before: int = 0) -> Self:
        links = await self.links_after(before)
        await self.goes_to(links[-1])
        return await self.presses("Me connecter")

    async def links_after(self, before: int) -> list[str]:
        from tests.conftest import eventually  # noqa: PLC0415

        async def came() -> list[str]:
            found = self._links()
            return found if len(found) > before else []

        return await eventually(came)

    def _links(self) -> list[str]:
        assert self.letters is not None
        found = []
        for letter in self.letters():
            if letter["Delivered-To"] != self.address:
                continue
            body = letter.get_body(("plain",))
            text = body.get_content() if body else ""
            found += re.findall(r"https?://\S+/connexion/\S+", text)
        return found
