"""The other language is one link or button away on every page, and leads to the same page."""

import pytest

from schemas.base import Message
from services.portal.pages import ROUTES, Route, shown_at
from tests.portal.browser import Person
from tests.portal.site import COORDINATOR, Town
from tests.portal.stories import GOING_ON, JOINED, LETTER_FAILED, LISE, PROPOSED, SIMULATED

SHOWN = {route.path for route in ROUTES if route.method == "GET"}


async def at(address: str, path: str, *happened: Message) -> tuple[Town, Person]:
    town = Town().happens(*happened)
    person = await town.signed_in(address)
    return town, await person.goes_to(path)


def query_of(person: Person) -> dict[str, str]:
    assert person.answer is not None
    query = person.answer.url.params.items()
    return {name: value for name, value in query if value and name != "repris"}


@pytest.mark.parametrize(
    ("path", "asked"),
    [
        ("/coordonner/c/tour/a-la-main", {"manager": "g-1"}),
        ("/coordonner/c/tour/tour-1/ecarter", {"binome": "m-1~g-1"}),
        ("/coordonner/c/participants", {"q": "lise"}),
        ("/inscription/c/manager", {"poste": "budget"}),
        ("/connexion", {"vers": "/mon-espace/c/semaine"}),
        ("/coordonner/c", {"fait": "traite"}),
    ],
)
async def test_a_page_in_the_other_language_is_of_what_was_asked_for(
    path: str, asked: dict[str, str]
) -> None:
    query = "&".join(f"{name}={value}" for name, value in asked.items())
    _, anne = await at(COORDINATOR, f"{path}?{query}", *JOINED, *SIMULATED)
    for language, words in (("en", "English"), ("fr", "Français")):
        await anne.switches(words)
        assert (anne.status, query_of(anne)) == (200, {**asked, "langue": language})


async def test_to_leave_pages_as_they_are_keeps_what_was_asked_for_too() -> None:
    _, anne = await at(COORDINATOR, "/coordonner/c?genre=letters", *GOING_ON, LETTER_FAILED)
    await anne.follows("Ne plus actualiser")
    assert query_of(anne) == {"genre": "letters", "suivre": "non"}


async def test_what_a_rule_did_not_allow_can_be_left_in_the_other_language() -> None:
    town, lise = await at(LISE, "/mon-espace", *JOINED, PROPOSED)
    town.rule = "proposal-expired"
    await lise.presses("Accepter ce binôme et la charte")
    assert lise.status == 409
    await lise.switches("English")
    assert (lise.status, lise.heading) == (200, "My space")


@pytest.mark.parametrize(
    "route", [one for one in ROUTES if one.method == "POST"], ids=lambda route: route.path
)
def test_whatever_answers_to_a_form_there_is_a_page_in_the_other_language(route: Route) -> None:
    assert shown_at(route, route.path) in SHOWN
