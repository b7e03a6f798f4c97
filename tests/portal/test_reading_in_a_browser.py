"""Text twice as large, a screen of 320 pixels, wide spacing, very long names: nothing is cut off.

Skipped where there is no Chromium.
"""

from typing import Any

import pytest

from tests.portal.site import COORDINATOR
from tests.portal.stories import ASKED, LISE, OPENED, PAUL
from tests.portal.test_accessibility import EVERYTHING, JOINED, SIMULATED
from tests.portal.test_in_a_browser import CHROMIUM, WIDTHS, browser, open_town, sign_in

pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="no Chromium is on the path")

PAGES: list[Any] = [
    ("", "/inscription/c/manager?poste=budget", (OPENED,)),
    (PAUL, "/mon-espace", EVERYTHING),
    (LISE, "/mon-espace/c/semaine", EVERYTHING),
    (COORDINATOR, "/coordonner/c", EVERYTHING),
    (COORDINATOR, "/coordonner/c/participants", EVERYTHING),
    (COORDINATOR, "/coordonner/c/tour/tour-1", (*JOINED, *SIMULATED)),
    (COORDINATOR, "/coordonner/c/suivi", EVERYTHING),
    (COORDINATOR, "/coordonner/c/reglages", EVERYTHING),
]
WAYS = {
    "twice as large": (1280, "document.documentElement.style.fontSize = '200%'"),
    "320 pixels": (320, ""),
    "wide spacing": (
        1280,
        "document.body.style.cssText = 'line-height: 1.5; letter-spacing: .12em; "
        "word-spacing: .16em'; document.querySelectorAll('p')"
        ".forEach(p => p.style.marginBottom = '2em')",
    ),
}
ALLOWED = ".hidden, .scroll, details:not([open]), input, textarea, select"
"""What is hidden on purpose, and what scrolls by itself."""
CUT_OFF = """allowed => [...document.querySelectorAll("main *")].filter(one =>
  !one.closest(allowed) && ["hidden", "clip"].includes(getComputedStyle(one).overflowX) &&
  one.scrollWidth > one.clientWidth + 1
).map(one => one.tagName)"""


RESET = "document.querySelectorAll('html, body, main p').forEach(p => p.removeAttribute('style'))"


async def test_pages_stand_large_text_narrow_screens_and_wide_spacing() -> None:
    found: list[str] = []
    async with browser() as opened:
        page = await opened.new_page()
        for who, path, happened in PAGES:
            async with open_town(happened) as town:
                await sign_in(town, who, page.context)
                await page.goto(town.url + path)
                for name, (width, change) in WAYS.items():
                    await page.set_viewport_size({"width": width, "height": 900})
                    await page.evaluate(RESET)
                    await page.evaluate(change or "0")
                    wide = await page.evaluate("document.documentElement.scrollWidth")
                    if wide > width:
                        found.append(f"{path}, {name}: {wide} pixels wide")
                    cut = await page.evaluate(CUT_OFF, ALLOWED)
                    found += [f"{path}, {name}: {one} is cut off" for one in cut]
                await page.goto("about:blank")  # or the portal waits to the end of its news
    assert found == []


LONG = "W" * 64
AS_LONG_AS_THEY_MAY_BE: dict[str, dict[str, Any]] = {
    "CohortOpened": {"name": "W" * 120},
    "PersonContact": {"name": LONG, "post": LONG, "presentation": "W" * 280},
    "MentorVolunteered": {"directorate": LONG, "site": LONG},
    "ManagerEnrolled": {"directorate": LONG, "site": LONG, "job_family": LONG},
    "AnotherPartnerAsked": {"reason": "W" * 200},
}
WITH_NAMES = (
    (PAUL, "/mon-espace/c/donnees", EVERYTHING),
    (PAUL, "/mon-espace/c/modifier", EVERYTHING),
    (PAUL, "/mon-espace/c/seances/m-1~g-1~1", EVERYTHING),
    (COORDINATOR, "/coordonner", EVERYTHING),
    (COORDINATOR, "/coordonner/c", (*EVERYTHING, ASKED)),
    (COORDINATOR, "/coordonner/c/participants/m-1", EVERYTHING),
    (COORDINATOR, "/coordonner/c/tour", (*JOINED, *SIMULATED)),
    (COORDINATOR, "/coordonner/c/tour/a-la-main?manager=g-1", JOINED),
    (COORDINATOR, "/administrer", EVERYTHING),
    ("", "/", (OPENED,)),
)


async def test_names_as_long_as_they_may_be_fit_on_a_telephone_and_on_a_desk() -> None:
    found: list[str] = []
    async with browser() as opened:
        page = await opened.new_page()
        for who, path, happened in (*PAGES, *WITH_NAMES):
            long = tuple(
                one.model_copy(update=AS_LONG_AS_THEY_MAY_BE.get(type(one).__name__, {}))
                for one in happened
            )
            async with open_town(long) as town:
                await sign_in(town, who, page.context)
                await page.goto(town.url + path)
                for width in WIDTHS:
                    await page.set_viewport_size({"width": width, "height": 900})
                    wide = await page.evaluate("document.documentElement.scrollWidth")
                    if wide > width:
                        found.append(f"{path} is {wide} pixels wide at {width}")
                await page.goto("about:blank")
    assert found == []


BROKEN = """() => [...document.querySelectorAll(".week th, .week label")].flatMap(one =>
  [...one.childNodes].filter(text => text.nodeType === Node.TEXT_NODE).flatMap(text =>
    [...text.data.matchAll(/\\S+/g)].filter(word => {
      const range = document.createRange();
      range.setStart(text, word.index);
      range.setEnd(text, word.index + word[0].length);
      return new Set([...range.getClientRects()].map(line => Math.round(line.top))).size > 1;
    }).map(word => word[0])))"""
"""Words of the week that begin in one line and end in another."""


@pytest.mark.parametrize("language", ["Français", "English"])
async def test_no_word_of_a_week_is_broken_on_a_telephone(language: str) -> None:
    async with browser() as opened, open_town(EVERYTHING) as town:
        page = await opened.new_page()
        await sign_in(town, LISE, page.context)
        await page.goto(f"{town.url}/mon-espace/c/semaine")
        if language == "English":
            await page.locator("#autre-langue").get_by_text(language).click()
            await page.locator("html[lang=en]").wait_for(state="attached")
        for width in (320, *WIDTHS):
            await page.set_viewport_size({"width": width, "height": 900})
            assert await page.evaluate(BROKEN) == [], width
