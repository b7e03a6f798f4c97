"""A page shows by itself what has changed, once the portal has made its step; and says no more."""

import re
from datetime import timedelta

import pytest

from services.portal.web.rendering import SCRIPT_PATH
from services.portal.web.site import MANY_LISTENERS
from tests.portal.browser import Person
from tests.portal.site import COORDINATOR, OF_OTHERS, Town
from tests.portal.stories import GOING_ON, LETTER_FAILED, LISE, PAUL, SIMULATED, planned

FOLLOWING = [
    (COORDINATOR, "/coordonner/c"),
    (COORDINATOR, "/coordonner/c/suivi"),
    (COORDINATOR, "/coordonner/c/tour/tour-1"),
    (PAUL, "/mon-espace"),
    (PAUL, "/mon-espace/c/seances/m-1~g-1~1"),
]


async def looking(address: str, path: str) -> tuple[Town, Person, str]:
    """Somebody at a page, and where the page hears of news."""
    town = Town().happens(*GOING_ON, *SIMULATED)
    person = await town.signed_in(address)
    await person.goes_to(path)
    (main,) = person.page.all("main")
    return town, person, main.get("data-suivre")


async def told(person: Person, path: str, **heads: str) -> str:
    answer = await person.client.get(path, headers=heads)
    assert answer.headers["content-type"].startswith("text/event-stream")
    assert answer.headers["cache-control"] == "no-store"
    return answer.text


@pytest.mark.parametrize(("address", "path"), FOLLOWING)
async def test_a_page_is_told_once_there_is_news_and_not_before(address: str, path: str) -> None:
    town, person, hears = await looking(address, path)
    assert "data" not in await told(person, hears)
    town.happens(LETTER_FAILED)
    said = await told(person, hears)
    assert said.count("data:") == 1
    last = re.findall(r"id: (\w+)", said)[0]
    assert "data" not in await told(person, hears, **{"last-event-id": last}), "told already"
    town.happens(planned(2, 14))
    assert "data" in await told(person, hears, **{"last-event-id": last})


async def test_what_is_told_says_neither_what_nor_of_whom_nor_how_much() -> None:
    town, anne, hears = await looking(COORDINATOR, "/coordonner/c")
    town.happens(LETTER_FAILED)
    assert re.fullmatch(r"retry: \d+\n\nid: [0-9a-f]{16}\ndata:\n\n", await told(anne, hears)), (
        "nothing but that there is some"
    )


async def test_nobody_hears_of_a_programme_that_is_none_of_theirs() -> None:
    town = Town().happens(*GOING_ON)
    for address, path in (
        ("eve@ministere.example", "/mon-espace/c/nouvelles"),
        (COORDINATOR, "/mon-espace/c/nouvelles"),
        (PAUL, "/coordonner/c/nouvelles"),
        (OF_OTHERS, "/coordonner/c/nouvelles"),
    ):
        somebody = await town.signed_in(address)
        assert (await somebody.goes_to(path)).status == 404, address
    assert (await town.person().goes_to("/mon-espace/c/nouvelles")).status == 401


async def test_a_page_that_was_left_open_keeps_nobody_signed_in() -> None:
    town, paul, hears = await looking(PAUL, "/mon-espace")
    for _ in range(5):
        town.real += timedelta(minutes=30)
        await paul.client.get(hears)
        await paul.client.get("/mon-espace", headers={"connecte-suivi": "1"})
    assert (await paul.goes_to("/mon-espace")).status == 401
    lise = await town.signed_in(LISE)
    for _ in range(5):
        town.real += timedelta(minutes=30)
        await lise.goes_to("/mon-espace")
    assert lise.status == 200, "who looks is there"


async def test_where_many_listen_one_more_is_asked_to_be_content() -> None:
    town, paul, hears = await looking(PAUL, "/mon-espace")
    with town.site.listening.taking(MANY_LISTENERS):
        answer = await paul.client.get(hears)
    assert answer.status_code == 204, "a browser does not come back"
    assert town.site.listening.taken == 0
    await paul.client.get(hears)
    assert town.site.listening.taken == 0


def listens(person: Person) -> bool:
    """Whether the page hears of news. The script alone, without a place to ask, hears nothing."""
    (main,) = person.page.all("main")
    return bool(main.get("data-suivre")) and len(person.page.all("script")) == 1


async def test_a_page_with_a_form_that_is_to_be_corrected_is_left_alone() -> None:
    _, paul, _ = await looking(PAUL, "/mon-espace/c/seances/m-1~g-1~1")
    await paul.presses("Déplacer la séance", jour="")
    assert paul.status == 422
    assert not listens(paul)


async def test_whoever_would_rather_not_has_pages_that_stay_as_they_are() -> None:
    _, paul, _ = await looking(PAUL, "/mon-espace")
    await paul.follows("Ne plus actualiser")
    for path in ("/mon-espace", "/mon-espace/c/seances/m-1~g-1~1"):
        await paul.goes_to(path)
        assert not listens(paul), path
    await paul.follows("Actualiser les pages")
    assert listens(paul)


async def test_the_script_is_ours_and_kept_by_browsers() -> None:
    answer = await Town().person().client.get(SCRIPT_PATH)
    assert answer.headers["content-type"].startswith("text/javascript")
    assert "immutable" in answer.headers["cache-control"]
    assert len(answer.content) < 4000
