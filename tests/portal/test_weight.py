"""A first visit weighs less than 100 kB: the page, its style, its script and its picture."""

import pytest

from services.portal.web.look import STYLE
from services.portal.web.rendering import SCRIPT
from tests.portal.site import Town
from tests.portal.stories import PAUL
from tests.portal.test_accessibility import EVERYTHING

MOST = 100_000
VISITS = [
    ("", "/"),
    ("", "/connexion"),
    ("", "/inscription/c"),
    ("", "/inscription/c/mentor"),
    ("", "/inscription/c/manager"),
    ("", "/guides"),
    (PAUL, "/mon-espace"),
]


@pytest.mark.parametrize(("who", "path"), VISITS)
async def test_a_first_visit_weighs_less_than_100_kilobytes(who: str, path: str) -> None:
    town = Town().happens(*EVERYTHING)
    person = await town.signed_in(who) if who else town.person()
    await person.goes_to(path)
    assert person.status == 200
    assert person.answer is not None
    weight = len(person.answer.content) + len(STYLE) + len(SCRIPT)
    for picture in person.page.all("img"):
        weight += len((await person.client.get(picture.get("src"))).content)
    assert weight < MOST
