"""Every page of the portal, asked for with what nobody would type: an answer, and never a fault."""

import random
import re
from pathlib import Path
from urllib.parse import quote

import httpx
import pytest

import services.portal.web
from services.portal.owners import digest
from services.portal.pages import ROUTES, Route
from services.portal.web.site import VISIT
from tests.portal.browser import Person
from tests.portal.site import COORDINATOR, OF_THE_BANK, Town
from tests.portal.stories import GOING_ON, LISE
from tests.portal.test_routes import NAMED

SOURCE = "\n".join(
    path.read_text(encoding="utf-8")
    for path in sorted(Path(services.portal.web.__file__).parent.rglob("*"))
    if path.suffix in (".py", ".html")
)
ASKED = sorted(set(re.findall(r'query\.get\("(\w+)"', SOURCE)))
FIELDS = sorted(
    set(re.findall(r'(?:typed|ticked)\("([\w-]+)"', SOURCE))
    | set(re.findall(r'name="([\w-]+)"', SOURCE))
)
ODD = (
    *("", " ", "\0", "..", "/", "%", "{{ 7*7 }}", "<b>", "\u202e", "\U0001f600" * 40, "x" * 5000),
    *("-1", "0", "1e999", "9" * 400, "²", "٣", "NaN", "m-1", "m-1~g-1", "m-1~g-1~1", "~~", "~"),
    *("2017-03-26", "2017-02-30", "9999-12-31", "0001-01-01", "0000-00-00", "2017-03-26T02:30"),
    *("24:00", "9999-12-31T23:59:59.999999+00:00", "//x.example", "https://[::1", "lundi", "fr"),
    *(
        "mentor",
        "manager",
        "retirer",
        "oui",
        "autre",
        "g-1 m-1",
        "a@b.example",
        "c-0-name",
        "tchap",
    ),
)
WHO = (COORDINATOR, OF_THE_BANK, LISE, "")
TABLE = [pytest.param(route, id=f"{route.method} {route.path}") for route in ROUTES]


@pytest.mark.parametrize("route", TABLE)
async def test_whatever_is_asked_there_is_an_answer_and_no_fault(route: Route) -> None:
    town = Town().happens(*GOING_ON)
    chance = random.Random(route.path)
    for address in WHO:
        person = await town.signed_in(address) if address else town.person()
        await person.goes_to("/")
        token = digest(f"form:{person.client.cookies[town.site.cookie(VISIT)]}")
        for _ in range(6):
            answer = await asked(person, route, token, chance)
            assert answer.status_code < 500, (answer.request.url, answer.request.content)


NO_NUMBER = ("²", "٣", "9" * 5000, "9" * 400 + ".5", "1e3", "-1", ".", "", "1.2.3", "NaN")


@pytest.mark.parametrize("path", ["/coordonner/ouvrir", "/coordonner/c/reglages"])
@pytest.mark.parametrize("typed", NO_NUMBER, ids=range(len(NO_NUMBER)))
async def test_what_is_no_number_is_told_beside_its_field(path: str, typed: str) -> None:
    town = Town().happens(*GOING_ON)
    anne = await (await town.signed_in(COORDINATOR)).goes_to(path)
    form = max(anne.page.all("form"), key=lambda one: len(one.all("input")))
    numbers = [
        one.get("name")
        for one in form.all("input")
        if one.get("type") == "number" or one.get("inputmode")
    ]
    assert len(numbers) > 5
    filled = {**anne._filled(form, {}), "nom": ["Un nom"], "id": ["c-2"]}
    for name in numbers:
        answer = await anne.client.post(path, data={**filled, name: [typed]})
        assert answer.status_code == 422, name
        assert f'id="{name}-faute"' in answer.text, name
    assert town.sent == []


async def asked(person: Person, route: Route, token: str, chance: random.Random) -> httpx.Response:
    """One request, of which something is odd."""

    def part(found: re.Match[str]) -> str:
        odd = chance.choice([one for one in ODD if one not in ("", ".", "..", "/")])
        known = NAMED[found.group(1)]
        return quote(odd if chance.random() < 0.3 else known, safe="")

    path = re.sub(r"\{(\w+)\}", part, route.path)
    query = {name: chance.choice(ODD) for name in ASKED if chance.random() < 0.3}
    if route.method == "GET":
        return await person.client.get(path, params=query)
    form = {name: chance.choice(ODD) for name in FIELDS if chance.random() < 0.5}
    return await person.client.post(path, params=query, data={**form, "jeton": token})
