"""What axe finds on a form that tells what is wrong with it; and the way from there to the field.

Every form that can be filled in wrongly is sent with nothing in it. Skipped where there is no
Chromium.
"""

from typing import Any

import pytest

from tests.portal.site import COORDINATOR, OF_THE_BANK
from tests.portal.stories import LISE, OPENED, PAUL, SHEET
from tests.portal.test_accessibility import EVERYTHING, JOINED, LISE_OF_A_BANK
from tests.portal.test_in_a_browser import (
    CHROMIUM,
    WIDTHS,
    browser,
    open_town,
    sign_in,
    violations,
)

pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="no Chromium is on the path")

FORMS: list[Any] = [
    ("", "/connexion", ()),
    ("", "/inscription/c/mentor", (OPENED,)),
    ("", "/inscription/c/manager?poste=budget", (OPENED,)),
    (LISE, "/mon-espace/c/modifier", EVERYTHING),
    (PAUL, "/mon-espace/c/assistant", EVERYTHING),
    (PAUL, "/mon-espace/c/absences", EVERYTHING),
    (COORDINATOR, "/administrer", (OPENED,)),
    (COORDINATOR, "/coordonner/ouvrir", ()),
    (COORDINATOR, "/coordonner/c/fiches/nouvelle", (OPENED,)),
    (COORDINATOR, "/coordonner/c/fiches/f-1", (OPENED, SHEET)),
    (COORDINATOR, "/coordonner/c/participants/m-1", EVERYTHING),
    (OF_THE_BANK, "/coordonner/c/participants/m-1", (*EVERYTHING, LISE_OF_A_BANK)),
    (COORDINATOR, "/coordonner/c/importer", (OPENED,)),
    (COORDINATOR, "/coordonner/c/tour/a-la-main?manager=g-1", JOINED),
    (COORDINATOR, "/coordonner/c/reglages", (OPENED,)),
]
EMPTIED = """() => document.querySelectorAll('main input:not([type=hidden]), main textarea')
  .forEach(one => { if (['checkbox', 'radio'].includes(one.type)) one.checked = false;
                    else one.value = ''; })"""


async def test_axe_finds_nothing_on_a_form_that_tells_what_is_wrong() -> None:
    found: list[str] = []
    async with browser() as opened:
        page = await opened.new_page()
        for who, path, happened in FORMS:
            async with open_town(happened) as town:
                await sign_in(town, who, page.context)
                await page.goto(town.url + path)
                await page.evaluate(EMPTIED)
                async with page.expect_navigation() as arrived:
                    await page.locator("main button.primary").click()
                answer = await (await arrived.value).request.response()
                assert answer.status == 422, path
                for width, scheme in zip(WIDTHS, ("dark", "light"), strict=True):
                    await page.set_viewport_size({"width": width, "height": 900})
                    await page.emulate_media(color_scheme=scheme)
                    found += [f"{path} {width}: {one['id']}" for one in await violations(page)]
                    wide = await page.evaluate("document.documentElement.scrollWidth")
                    if wide > width:
                        found.append(f"{path} is {wide} wide at {width}")
                await goes_to_each_field(page, path)
                await page.goto("about:blank")  # or the portal waits to the end of its news
    assert found == []


async def goes_to_each_field(page: Any, path: str) -> None:
    """The summary is an alert, the title says so first, and each of its lines leads to a field."""
    assert (await page.title()).startswith("Erreur"), path
    lines = page.get_by_role("alert").get_by_role("link")
    assert await lines.count() >= 1, path
    for number in range(await lines.count()):
        where = await lines.nth(number).get_attribute("href")
        field = page.locator(f"main [id='{where.removeprefix('#')}']")
        assert await field.count() == 1, (path, where)
        wrong = await field.get_attribute("aria-describedby") or ""
        assert f"{where.removeprefix('#')}-faute" in wrong.split(), (path, where)
