"""What a browser alone can tell: axe finds nothing, nothing is cut off, the keyboard reaches all.

Skipped where there is no Chromium. `CONNECTE_TEST_PICTURES`: a folder for a picture of each page.
"""

import asyncio
import os
import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from itertools import groupby
from pathlib import Path
from typing import Any

import pytest

from deploy.local.process import free_port
from schemas.base import Message
from schemas.scheduling import SessionRescheduled
from services.chassis.http.connections import server_of
from tests.conftest import eventually
from tests.portal.provider import Provider, served, town_of
from tests.portal.site import COORDINATOR, Town
from tests.portal.stories import GOING_ON, LETTER_FAILED, PAUL, of_session, planned
from tests.portal.test_accessibility import STATES, acts_of

playwright = pytest.importorskip("playwright.async_api")
axe = pytest.importorskip("axe_playwright_python.async_playwright")
CHROMIUM = shutil.which("chromium") or shutil.which("google-chrome")
pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="no Chromium is on the path")

WIDTHS = (390, 1280)
SOON = 2000
"""Milliseconds of a page's clock; where much goes on it looks every three seconds."""
PICTURES = os.environ.get("CONNECTE_TEST_PICTURES")


BROKEN = r"""() => {
  const found = [];
  for (const one of document.querySelectorAll("thead th, .address, h1, h2, button, legend")) {
    const texts = document.createTreeWalker(one, NodeFilter.SHOW_TEXT);
    while (texts.nextNode()) {
      for (const word of texts.currentNode.data.matchAll(/[^\s\-\/]+/g)) {
        const range = document.createRange();
        range.setStart(texts.currentNode, word.index);
        range.setEnd(texts.currentNode, word.index + word[0].length);
        const tops = new Set([...range.getClientRects()].map(part => Math.round(part.top)));
        if (tops.size > 1) found.push(word[0]);
      }
    }
  }
  return found;
}"""
"""The words of headings, buttons and addresses that go over the end of a line."""


@asynccontextmanager
async def open_town(happened: tuple[Message, ...]) -> AsyncIterator[Town]:
    """A portal at an address of this machine."""
    port = free_port()
    url, acts = f"http://127.0.0.1:{port}", acts_of(happened)
    town = Town(url=url, listens=5.0, acts=acts).happens(*happened)
    async with standing(town, port):
        yield town


@asynccontextmanager
async def standing(town: Town, port: int) -> AsyncIterator[None]:
    server = server_of(town.app, "127.0.0.1", port)
    serving = asyncio.create_task(server.serve())

    async def started() -> bool:
        return server.started

    await eventually(started)
    try:
        yield
    finally:
        server.should_exit = True
        await serving


@asynccontextmanager
async def browser() -> AsyncIterator[Any]:
    async with playwright.async_playwright() as engine:
        found = await engine.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        try:
            yield found
        finally:
            await found.close()


async def signed_in(town: Town, who: str, opened: Any, **options: Any) -> Any:
    context = await opened.new_context(**options)
    await sign_in(town, who, context)
    return await context.new_page()


async def sign_in(town: Town, who: str, context: Any) -> None:
    """Whoever was signed in here before is so no longer."""
    await context.clear_cookies()
    if who:
        token = await town.site.sessions.begin(who)
        await context.add_cookies([{"name": "session", "value": token, "url": town.url}])


async def violations(page: Any) -> list[dict[str, Any]]:
    """What axe finds. A page that is looked at twice is given its half megabyte once."""
    if not await page.evaluate("'axe' in window"):
        await page.evaluate(axe.Axe().axe_script)
    looked = "axe.run({resultTypes: ['violations']}).then(found => found.violations)"
    found: list[dict[str, Any]] = await page.evaluate(looked)
    return found


async def test_axe_finds_nothing_and_nothing_is_wider_than_the_screen() -> None:
    """Every page in its states, on a phone in the dark and on a desk by day.

    One window for all, and one portal for all states of a story: what new ones and a second loading
    cost is most of the time.
    """
    found: list[str] = []
    async with browser() as opened:
        page = await opened.new_page()
        for happened, states in groupby(enumerate(STATES), key=lambda state: state[1][2]):
            async with open_town(happened) as town:
                for number, (who, path, _) in states:
                    await sign_in(town, who, page.context)
                    await page.goto(town.url + path)
                    found += [f"{path} {one}" async for one in looked_at(page, f"{number:02d}")]
                await page.goto("about:blank")  # or the portal waits to the end of its news
    assert found == []


async def looked_at(page: Any, picture: str) -> AsyncIterator[str]:
    for width, scheme in zip(WIDTHS, ("dark", "light"), strict=True):
        await page.set_viewport_size({"width": width, "height": 900})
        await page.emulate_media(color_scheme=scheme)
        for one in await violations(page):
            yield f"{width}: {one['id']}"
        wide = await page.evaluate("document.documentElement.scrollWidth")
        if wide > width:
            yield f"is {wide} wide at {width}"
        for word in await page.evaluate(BROKEN):
            yield f"breaks {word!r} at {width}"
        if PICTURES:
            file = Path(PICTURES) / f"{picture}-{width}.png"
            await page.screenshot(path=str(file), full_page=True)


async def test_a_page_asks_nobody_else_and_is_whole_without_script() -> None:
    who, path, happened = next(s for s in STATES if s[1] == "/mon-espace" and len(s[2]) > 8)
    async with browser() as opened, open_town(happened) as town:
        page = await signed_in(town, who, opened, java_script_enabled=False)
        asked: list[str] = []
        page.on("request", lambda request: asked.append(request.url))
        await page.goto(town.url + path)
        assert all(url.startswith(town.url) for url in asked)
        assert len(asked) <= 3, asked  # the page, its style, an icon
        assert await page.get_by_role("heading", level=1).inner_text() == "Mon espace"


async def test_what_changes_shows_by_itself_and_is_said() -> None:
    async with browser() as opened, open_town(GOING_ON) as town:
        page = await signed_in(town, COORDINATOR, opened)
        await page.goto(f"{town.url}/coordonner/c?fait=traite")
        await page.evaluate("window.stayed = true")
        town.happens(LETTER_FAILED)
        await page.get_by_text("la messagerie refuse l’adresse").wait_for()
        await page.get_by_role("status").get_by_text("vient d’être mise à jour").wait_for()
        assert "C’est noté." in await page.get_by_role("status").inner_text(), "what was done stays"
        assert "(1)" in await page.locator("nav.nav a").first.inner_text()
        assert await page.evaluate("window.stayed"), "it was not loaded again"


async def test_what_changes_soon_after_shows_as_soon() -> None:
    """On the page's clock, which stands but for what the test turns it by."""
    async with browser() as opened, open_town(GOING_ON) as town:
        page = await signed_in(town, COORDINATOR, opened)
        await page.clock.install()
        await page.goto(f"{town.url}/coordonner/c")
        await page.clock.pause_at(await page.evaluate("Date.now()") + 1000)
        for number in (1, 2, 3):
            began = await page.evaluate("Date.now()")
            other = {"letter_id": f"matching.events.0.{number}:m-1"}
            town.happens(LETTER_FAILED.model_copy(update=other))

            async def shown(number: int = number) -> bool:
                await page.clock.run_for(20)
                return f"({number})" in await page.locator("nav.nav a").first.inner_text()

            await eventually(shown)
            assert await page.evaluate("Date.now()") - began < SOON, number
        await page.goto("about:blank")


async def test_nothing_typed_is_lost_to_what_changes() -> None:
    async with browser() as opened, open_town(GOING_ON) as town:
        page = await signed_in(town, PAUL, opened)
        await page.goto(f"{town.url}/mon-espace/c/seances/m-1~g-1~1")
        await page.get_by_label("Un lieu, ou un lien").fill("Salle 12")
        await page.evaluate("document.activeElement.blur()")
        moved = {"previously_at": planned().starts_at, "by": "mentor"}
        town.happens(of_session(SessionRescheduled, 1, 10, **moved))
        await page.get_by_role("status").get_by_text("Il y a du nouveau").wait_for()
        assert await page.get_by_label("Un lieu, ou un lien").input_value() == "Salle 12"
        await page.get_by_role("link", name="L’afficher").click()
        assert await page.get_by_label("Un lieu, ou un lien").input_value() == ""


async def test_a_date_is_confirmed_by_keyboard_alone() -> None:
    who, _, happened = next(s for s in STATES if s[1] == "/mon-espace" and len(s[2]) > 8)
    async with browser() as opened, open_town(happened) as town:
        page = await signed_in(town, who, opened)
        await page.goto(f"{town.url}/mon-espace/c/seances/m-1~g-1~1")
        await page.keyboard.press("Tab")
        assert await page.evaluate("document.activeElement.className") == "skip"
        await page.keyboard.press("Enter")
        await page.keyboard.press("Tab")
        assert await page.evaluate("document.activeElement.textContent") == "Confirmer cette date"
        width = await page.evaluate("getComputedStyle(document.activeElement).outlineWidth")
        assert width == "3px"
        await page.keyboard.press("Enter")
        await page.wait_for_url("**/mon-espace?fait=confirme*")
        assert len(town.sent) == 1


@pytest.mark.parametrize("script", [True, False])
async def test_somebody_is_led_to_the_provider_and_back_and_out_again(script: bool) -> None:
    """No policy of a page stands in the way, and nothing is to be pressed in between."""
    port = free_port()
    refused: list[str] = []
    async with browser() as opened, served(Provider()) as provider:
        town = town_of(provider, url=f"http://127.0.0.1:{port}").happens(*GOING_ON)
        async with standing(town, port):
            context = await opened.new_context(java_script_enabled=script)
            page = await context.new_page()
            page.on("console", lambda told: refused.append(told.text))
            await page.goto(f"{town.url}/mon-espace/c/semaine")
            await page.get_by_role("link", name="Me connecter").click()
            button = page.get_by_role("button", name="S’identifier avec ProConnect")
            await button.wait_for()
            if script:
                assert (await axe.Axe().run(page)).response["violations"] == []
            await button.click()
            await page.wait_for_url("**/mon-espace/c/semaine?fait=connecte")
            assert "Vous êtes connecté·e." in await page.get_by_role("status").inner_text()
            await page.get_by_role("button", name="Se déconnecter").click()
            await page.wait_for_url("**/?fait=deconnecte")
            assert "Vous êtes déconnecté·e." in await page.get_by_role("status").inner_text()
    assert len(provider.ended) == 1
    assert [text for text in refused if "Content Security Policy" in text] == []
