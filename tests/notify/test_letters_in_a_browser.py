"""What a browser alone can tell of letters: axe finds nothing, and nothing is cut off.

Skipped where there is no Chromium. `CONNECTE_TEST_PICTURES`: a folder for a picture of each.
"""

from collections.abc import Iterator
from pathlib import Path

import pytest

from deploy.operating.letters_preview import Previewed, letters

playwright = pytest.importorskip("playwright.async_api")
pytest.importorskip("axe_playwright_python.async_playwright")

from tests.portal.test_in_a_browser import (  # noqa: E402
    CHROMIUM,
    PICTURES,
    WIDTHS,
    browser,
    violations,
)

pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="no Chromium is on the path")


def longest() -> Iterator[Previewed]:
    """Of each template, in the language of most readers, the letter in which most is said."""
    of_each: dict[str, Previewed] = {}
    for one in letters("Connecte ton manager", "aide@programme.example"):
        before = of_each.get(one.template)
        if one.language == "fr" and (before is None or len(one.html) > len(before.html)):
            of_each[one.template] = one
    yield from of_each.values()


async def test_axe_finds_nothing_in_a_letter_on_a_phone_in_the_dark_and_on_a_desk_by_day() -> None:
    found: list[str] = []
    async with browser() as opened:
        page = await opened.new_page()
        for letter in longest():
            await page.set_content(letter.html)
            for width, scheme in zip(WIDTHS, ("dark", "light"), strict=True):
                await page.set_viewport_size({"width": width, "height": 900})
                await page.emulate_media(color_scheme=scheme)
                said = (f"{v['id']}: {v['help']}" for v in await violations(page))
                found += [f"{letter.name} {width}: {one}" for one in said]
                wide = await page.evaluate("document.documentElement.scrollWidth")
                if wide > width:
                    found.append(f"{letter.name} is {wide} wide at {width}")
                if PICTURES:
                    file = Path(PICTURES) / f"{letter.template}-{width}.png"
                    await page.screenshot(path=str(file), full_page=True)
    assert found == []


async def test_a_letter_asks_nobody_for_anything() -> None:
    """No picture tells who has read it, and no font who reads where."""
    async with browser() as opened:
        page = await opened.new_page()
        asked: list[str] = []
        page.on("request", lambda request: asked.append(request.url))
        for letter in longest():
            await page.set_content(letter.html)
    assert asked == []
