"""Pages of the portal stay light: in bytes for who comes first, in questions to the database."""

from typing import Any

import pytest

from services.chassis.store.memory import MemoryStore
from tests.portal.site import COORDINATOR, Town
from tests.portal.stories import GOING_ON, LISE, OPENED
from tests.portal.test_coordinating import crowd

FIRST_VISIT = 100_000
"""Bytes, uncompressed: the page, its style, and what else it has the browser ask for."""
QUESTIONS = {
    "": 21,
    "/participants": 8,
    "/participants/m-1": 12,
    "/tour": 12,
    "/suivi": 14,
    "/importer": 6,
}
"""That a page asks of the database, however many people there are: each is a way to it and back."""
ASKED = ("one", "several", "page", "count", "counts", "tally", "extract", "positions")


@pytest.mark.parametrize(
    ("who", "path"),
    [
        ("", "/"),
        ("", "/connexion"),
        ("", "/inscription/c"),
        ("", "/inscription/c/mentor"),
        ("", "/inscription/c/manager?poste=budget"),
        ("", "/guides"),
        (LISE, "/mon-espace"),
        (LISE, "/mon-espace/c/seances/m-1~g-1~1"),
        (COORDINATOR, "/coordonner/c"),
    ],
)
async def test_a_first_visit_is_below_100_kilobytes(who: str, path: str) -> None:
    town = Town().happens(*GOING_ON)
    person = await town.signed_in(who) if who else town.person()
    await person.goes_to(path)
    assert person.answer is not None
    page = person.page
    also = [one.get("href") for one in page.all("link") if one.get("rel") == "stylesheet"]
    also += [one.get("src") for one in page.all("img", "script")]
    size = len(person.answer.content)
    for address in filter(None, also):
        size += len((await person.client.get(address)).content)
    assert also
    assert size < FIRST_VISIT


class Asked(MemoryStore):
    """Counts what it is asked."""

    times = 0

    def __getattribute__(self, name: str) -> Any:
        if name in ASKED:
            self.times += 1
        return super().__getattribute__(name)


@pytest.mark.parametrize("path", QUESTIONS)
async def test_a_page_asks_as_much_of_a_large_programme_as_of_a_small_one(path: str) -> None:
    times = []
    for size in (60, 1200):
        store = Asked()
        town = Town(store=store).happens(OPENED, *crowd(size), *GOING_ON[1:])
        anne = await town.signed_in(COORDINATOR)
        store.times = 0
        await anne.goes_to(f"/coordonner/c{path}")
        assert anne.status == 200
        times.append(store.times)
    assert times[0] == times[1] <= QUESTIONS[path]
