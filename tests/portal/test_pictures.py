"""The README's pictures of pages are what a browser shows of them.

`CONNECTE_WRITE_PICTURES=1` takes them anew. Skipped where there is no Chromium.
"""

import os
import struct
from pathlib import Path
from typing import Any

import pytest

from tests.portal.round_of_several import ROUND_OF_SEVERAL
from tests.portal.site import COORDINATOR
from tests.portal.stories import PAUL
from tests.portal.test_accessibility import ASKED, EVERYTHING
from tests.portal.test_in_a_browser import CHROMIUM, browser, open_town, signed_in

pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="no Chromium is on the path")

FOLDER = Path(__file__).parents[2] / "docs" / "images"
PICTURES: dict[str, Any] = {
    "portal-mon-espace": (PAUL, "/mon-espace", EVERYTHING, 390),
    "portal-a-traiter": (COORDINATOR, "/coordonner/c", (*EVERYTHING, ASKED), 1280),
    "portal-tour": (COORDINATOR, "/coordonner/c/tour/tour-1", ROUND_OF_SEVERAL, 1280),
}
HIGH = 720


def size_of(picture: bytes) -> tuple[int, int]:
    """Width and height of a PNG."""
    assert picture.startswith(b"\x89PNG")
    width, height = struct.unpack(">II", picture[16:24])
    return width, height


async def test_the_readme_shows_its_pages_as_they_are() -> None:
    async with browser() as opened:
        for name, (who, path, happened, width) in PICTURES.items():
            async with open_town(happened) as town:
                size = {"width": width, "height": HIGH}
                page = await signed_in(town, who, opened, viewport=size, color_scheme="light")
                await page.goto(town.url + path)
                taken = await page.screenshot()
                file = FOLDER / f"{name}.png"
                if os.environ.get("CONNECTE_WRITE_PICTURES"):
                    file.write_bytes(taken)
                assert size_of(file.read_bytes()) == size_of(taken) == (width, HIGH), name


def test_the_readme_shows_every_picture_and_says_what_is_in_it() -> None:
    readme = (FOLDER.parents[1] / "README.md").read_text(encoding="utf-8")
    for name in PICTURES:
        before, found, _ = readme.partition(f"](docs/images/{name}.png)")
        assert found, name
        assert len(before.rpartition("![")[2]) > 20, "words for who does not see it"
