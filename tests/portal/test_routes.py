"""Who may use which page: the whole table, for everybody, in every state."""

import re
from typing import get_args

import httpx
import pytest
from fastapi.routing import iter_route_contexts

from services.chassis.http.application import create_app
from services.chassis.watch.metrics import Metrics
from services.portal.pages import ROUTES, Route, Who, page_routes
from tests.portal.browser import Person
from tests.portal.site import COORDINATOR, OF_C, OF_OTHERS, OF_THE_BANK, Town
from tests.portal.stories import GOING_ON, LISE, PAUL

NAMED = {
    "cohort": "c",
    "session": "m-1~g-1~1",
    "pair": "m-1~g-1",
    "guide": "tchap",
    "sheet": "f-1",
    "person": "m-1",
    "round": "round-1",
    "link": "no-such-link",
    "held": "m-1~coordinator",
    "token": "no-such-token",
    "draft": "no-such-draft",
}
COORDINATING = ("partner", "coordinator", "administrator", "some-administrator", "auditor")
NOT_PAGES = {"file", "nowhere", "openapi", "docs"}
TABLE = [pytest.param(route, id=f"{route.method} {route.path}") for route in ROUTES]


def path_of(route: Route) -> str:
    return re.sub(r"\{(\w+)\}", lambda found: NAMED[found.group(1)], route.path)


def token_of(person: Person) -> str:
    """The token of the forms of the page that somebody sees."""
    fields = person.page.all("input")
    return next(one.get("value") for one in fields if one.get("name") == "jeton")


def town() -> Town:
    return Town().happens(*GOING_ON)


def test_whatever_is_served_stands_in_the_table_with_who_may_use_it() -> None:
    served = {
        (method, route.path)
        for route in iter_route_contexts(town().app.routes)
        if route.name not in NOT_PAGES
        for method in route.methods or ()
        if method != "HEAD"  # as GET, whatever the address
    }
    assert served == {(route.method, route.path) for route in ROUTES}
    assert {route.who for route in ROUTES} <= set(get_args(Who))


async def test_a_page_is_measured_by_its_path_and_never_by_its_address() -> None:
    metrics = Metrics("portal")
    app = create_app("portal", "The portal.", metrics)
    app.include_router(page_routes(town().site))
    transport = httpx.ASGITransport(app)
    async with httpx.AsyncClient(transport=transport, base_url="http://portal.example") as client:
        for path in ("/inscription/c/mentor", "/guides/tchap", "/c-secret"):
            await client.get(path)
        await client.head("/guides/tchap")
    counted = metrics.http_requests.collect()
    found = {
        (sample.labels["route"], sample.labels["status"]): sample.value
        for family in counted
        for sample in family.samples
        if sample.name.endswith("_total")
    }
    assert found == {
        ("/inscription/{cohort}/mentor", "200"): 1.0,
        ("/guides/{guide}", "200"): 2.0,
        ("/{anything:path}", "404"): 1.0,
    }


def test_no_address_stands_twice_in_the_table() -> None:
    assert len({(route.method, route.path) for route in ROUTES}) == len(ROUTES)


@pytest.mark.parametrize("route", TABLE)
async def test_nobody_who_is_not_signed_in_sees_or_does_what_is_not_for_anybody(
    route: Route,
) -> None:
    place = town()
    visitor = place.person()
    if route.who in ("anybody", "provider"):
        return
    if route.method == "GET":
        await visitor.goes_to(path_of(route))
    else:
        await visitor.goes_to("/connexion")
        token = token_of(visitor)
        visitor.answer = await visitor.client.post(path_of(route), data={"jeton": token})
    assert visitor.status == 401
    assert visitor.heading == "Connectez-vous pour continuer"
    assert "Lise" not in visitor.says
    assert place.sent == []


@pytest.mark.parametrize("route", TABLE)
async def test_to_whoever_does_not_coordinate_the_pages_of_coordinators_do_not_exist(
    route: Route,
) -> None:
    if route.who not in COORDINATING:
        return
    await is_not_there(route, PAUL)


@pytest.mark.parametrize("route", TABLE)
async def test_to_whoever_coordinates_other_programmes_the_pages_of_this_one_do_not_exist(
    route: Route,
) -> None:
    if route.who in COORDINATING and "{cohort}" in route.path:
        await is_not_there(route, OF_OTHERS)


@pytest.mark.parametrize("route", TABLE)
async def test_who_coordinates_one_programme_has_its_pages_and_opens_none(route: Route) -> None:
    if route.who not in COORDINATING:
        return
    if route.who in ("administrator", "some-administrator", "auditor"):
        await is_not_there(route, OF_C)
        return
    asked = []
    for address in (OF_C, COORDINATOR):
        somebody, place = await asks_for(route, address)
        asked.append((somebody.status, [type(one) for one in place.sent]))
    assert asked[0] == asked[1]


@pytest.mark.parametrize("route", TABLE)
async def test_who_coordinates_an_organisation_has_the_pages_of_its_people_and_no_others(
    route: Route,
) -> None:
    if route.who not in COORDINATING:
        return
    if route.who != "partner":
        await is_not_there(route, OF_THE_BANK)
        return
    somebody, place = await asks_for(route, OF_THE_BANK)
    if "{person}" in route.path or "{draft}" in route.path:  # nobody of theirs, nothing of theirs
        assert somebody.status == 404
    else:
        assert somebody.status in (200, 404, 422)
    assert "Œuvrard" not in somebody.says
    assert place.sent == []


async def asks_for(route: Route, address: str) -> tuple[Person, Town]:
    place = town()
    somebody = await place.signed_in(address)
    if route.method == "GET":
        await somebody.goes_to(path_of(route))
    else:
        await somebody.goes_to("/mon-espace")
        data = {"jeton": token_of(somebody)}
        somebody.answer = await somebody.client.post(path_of(route), data=data)
    return somebody, place


async def is_not_there(route: Route, address: str) -> None:
    somebody, place = await asks_for(route, address)
    nowhere = await place.person().goes_to("/no/such/page")
    assert somebody.status == nowhere.status == 404
    assert somebody.says == nowhere.says
    assert place.sent == []


async def test_programmes_are_listed_for_those_who_coordinate_them() -> None:
    theirs = await (await town().signed_in(OF_C)).goes_to("/coordonner")
    others = await (await town().signed_in(OF_OTHERS)).goes_to("/coordonner")
    partner = await (await town().signed_in(OF_THE_BANK)).goes_to("/coordonner")
    assert "/coordonner/c/participants" in [one.get("href") for one in partner.page.all("a")]
    assert "/coordonner/c" in [one.get("href") for one in theirs.page.all("a")]
    hrefs = [one.get("href") for one in others.page.all("a")]
    assert others.status == 200
    assert not {"/coordonner/c", "/coordonner/ouvrir"} & set(hrefs)


@pytest.mark.parametrize("route", TABLE)
@pytest.mark.parametrize("token", ["", "0" * 64])
async def test_a_form_without_its_token_does_nothing(route: Route, token: str) -> None:
    if route.method == "GET" or route.who == "provider":
        return
    place = town()
    place.mails.clear()
    somebody = await place.signed_in(COORDINATOR)
    await somebody.goes_to("/coordonner")
    data = {"jeton": token, "adresse": LISE, "action": "pause", "binome": "m-1~g-1"}
    somebody.answer = await somebody.client.post(path_of(route), data=data)
    await place.site.mailing.settle()
    assert somebody.status == 403
    assert (place.sent, place.mails) == ([], [])


@pytest.mark.parametrize("route", TABLE)
async def test_no_page_is_kept_by_anybody_or_asks_anybody_else_for_anything(route: Route) -> None:
    if route.method == "POST":
        return
    coordinator = await town().signed_in(COORDINATOR)
    await coordinator.goes_to(path_of(route))
    assert coordinator.answer is not None
    heads = coordinator.answer.headers
    assert heads["cache-control"] == "no-store"
    policy = heads["content-security-policy"]
    assert "default-src 'none'" in policy
    assert coordinator.page.all("iframe", "object") == []
    scripts = coordinator.page.all("script")
    assert bool(scripts) == ("script-src 'self'" in policy), "ours alone, and where there is one"
    assert "unsafe" not in policy
    for one in (*scripts, *coordinator.page.all("link", "img")):
        assert (one.get("href") or one.get("src")).startswith("/")
        assert not one.text


async def test_somebody_else_s_session_is_not_there() -> None:
    place = town()
    stranger = await place.signed_in("zoe@ministere.example")
    await stranger.goes_to("/mon-espace/c/seances/m-1~g-1~1")
    assert stranger.status == 404


async def test_a_page_that_cannot_be_made_says_so_and_loses_nothing() -> None:
    place = town()
    paul = await place.signed_in(PAUL)
    await paul.goes_to("/mon-espace/c/seances/m-1~g-1~1")
    place.away = True
    await paul.presses("Confirmer cette date")
    assert paul.status == 503
    assert paul.answer is not None
    assert paul.answer.headers["retry-after"] == "30"
    assert place.sent == []
