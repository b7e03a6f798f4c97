"""How often somebody may ask: people as themselves, strangers by their address."""

from collections.abc import Callable
from datetime import timedelta

import httpx
import pytest
from fastapi import FastAPI
from hypothesis import given
from hypothesis import strategies as st

from services.chassis.http.application import create_app
from services.chassis.http.guards import protected
from services.chassis.http.identity import Principal, static
from services.chassis.http.links import LinkVerifier
from services.chassis.http.pages import link_routes
from services.chassis.http.problems import Problem
from services.chassis.http.rates import PERIOD, Rate, Rates, place_of
from tests.chassis.http.site import NARROW, PUBLIC_KEY, TOKEN, Site, problem, token
from tests.chassis.toy import NOW

A_MINUTE = 5
PEOPLE = {f"the token of {name}": Principal("user", name, ("machine",), None) for name in "ab"}
"""People, who may ask here for what a machine may: what they may ask for is not the question."""


class Hand:
    """A clock that a test turns."""

    def __init__(self) -> None:
        self.at = 1000.0

    def __call__(self) -> float:
        return self.at


def taken(rate: Rate, who: str, times: int) -> int:
    """How many of so many requests are let through."""
    found = 0
    for _ in range(times):
        try:
            rate.take(who)
        except Problem:
            continue
        found += 1
    return found


# --- the count ----------------------------------------------------------------------------------


@given(st.integers(1, 60), st.lists(st.floats(0, 90), max_size=20))
def test_in_no_minute_does_anybody_get_more_than_twice_what_a_minute_has(
    a_minute: int, pauses: list[float]
) -> None:
    hand = Hand()
    rate, let = Rate(a_minute, hand), list[float]()
    for pause in pauses:
        hand.at += pause
        let += [hand.at] * taken(rate, "a", a_minute + 3)
    for moment in let:
        assert sum(moment <= other < moment + PERIOD for other in let) <= 2 * a_minute
    assert not pauses or len(let) >= a_minute


@given(st.integers(1, 600), st.integers(0, 40))
def test_who_comes_back_when_told_to_is_let_in(a_minute: int, more: int) -> None:
    hand = Hand()
    rate = Rate(a_minute, hand)
    assert taken(rate, "a", a_minute + more) == a_minute
    with pytest.raises(Problem) as refused:
        rate.take("a")
    hand.at += refused.value.body["retry_after"]
    assert taken(rate, "a", 1) == 1


def test_whoever_asks_too_often_takes_nothing_from_anybody_else() -> None:
    rate = Rate(A_MINUTE, Hand())
    assert taken(rate, "a", 100) == A_MINUTE
    assert taken(rate, "b", A_MINUTE) == A_MINUTE


def test_of_many_only_the_last_are_remembered() -> None:
    rate = Rate(A_MINUTE, Hand(), most=10)
    for number in range(1000):
        rate.take(str(number))
        assert taken(rate, "always", 1) == (number < A_MINUTE)
        assert len(rate) <= 10


def test_without_a_bound_nobody_is_counted() -> None:
    rate = Rate()
    assert taken(rate, "a", 1000) == 1000
    assert len(rate) == 0


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("10.0.0.1", "10.0.0.2", False),
        ("2001:db8:1:2::1", "2001:db8:1:2:ffff::1", True),
        ("2001:db8:1:2::1", "2001:db8:1:3::1", False),
        ("::ffff:10.0.0.1", "10.0.0.1", True),
        ("[2001:db8:1:2::1]", "2001:db8:1:2::9", True),
        ("nonsense" * 100, "nonsense" * 200, True),
    ],
)
def test_one_place_is_an_address_or_what_one_subscriber_has_of_ipv6(
    one: str, other: str, same: bool
) -> None:
    assert (place_of(one) == place_of(other)) is same
    assert len(place_of(one)) <= 64


# --- at a service -------------------------------------------------------------------------------


async def _thing(cohort_id: str) -> str:
    return cohort_id


def guarded(rates: Rates) -> FastAPI:
    """A route behind the guard."""
    app = create_app("guarded", "A route.")
    anything = Principal("api_key", "token", ("machine",), None)
    known = [(TOKEN, anything), *PEOPLE.items(), *NARROW.items()]
    kind = protected([static(known)], lambda *_: {"machine": "cohorts"}, rates)
    path = "/cohorts/{cohort_id}/cohorts"
    app.router.add_api_route(path, _thing, route_class_override=kind)
    return app


def asker(app: FastAPI, token: str | None, host: str = "10.0.0.1") -> httpx.AsyncClient:
    """Somebody with a token, at an address."""
    headers = {} if token is None else {"authorization": f"Bearer {token}"}
    transport = httpx.ASGITransport(app, client=(host, 1))
    return httpx.AsyncClient(transport=transport, base_url="http://here", headers=headers)


@pytest.fixture
def hand() -> Hand:
    return Hand()


@pytest.fixture
def rates(hand: Hand) -> Rates:
    return Rates(Rate(A_MINUTE, hand), Rate(A_MINUTE, hand))


async def statuses(client: httpx.AsyncClient, times: int) -> list[int]:
    async with client:
        return [(await client.get("/cohorts/c/cohorts")).status_code for _ in range(times)]


async def test_a_person_is_told_when_to_come_back(rates: Rates, hand: Hand) -> None:
    app = guarded(rates)
    assert await statuses(asker(app, "the token of a"), A_MINUTE) == [200] * A_MINUTE
    async with asker(app, "the token of a", "10.0.0.9") as client:  # from wherever
        answer = await client.get("/cohorts/c/cohorts")
        told = problem(answer, 429)
        assert told["rule"] == "too-often"
        assert answer.headers["retry-after"] == str(told["retry_after"]) == "12"
        assert set(told) == {"type", "status", "title", "rule", "retry_after"}
        hand.at += 12
        assert (await client.get("/cohorts/c/cohorts")).status_code == 200
    assert await statuses(asker(app, "the token of b"), 1) == [200]


async def test_who_has_no_token_counts_by_their_address_and_bars_nobody_who_has_one(
    rates: Rates,
) -> None:
    app = guarded(rates)
    assert await statuses(asker(app, None), A_MINUTE + 2) == [*[401] * A_MINUTE, 429, 429]
    assert await statuses(asker(app, "guessed"), 1) == [429]
    assert await statuses(asker(app, "guessed", "10.0.0.2"), 1) == [401]
    assert await statuses(asker(app, "the token of a"), 1) == [200]


async def test_programs_are_bounded_by_what_the_service_takes_on_alone(rates: Rates) -> None:
    app = guarded(rates)
    assert set(await statuses(asker(app, TOKEN), 10 * A_MINUTE)) == {200}


# --- at links -----------------------------------------------------------------------------------

Opened = Callable[[str, str], httpx.AsyncClient]


@pytest.fixture
def linked(site: Site, rates: Rates) -> FastAPI:
    """The pages of links, without any purpose: what a link is for is not the question."""
    app = create_app("linked", "Links.")
    app.include_router(link_routes({}, LinkVerifier(PUBLIC_KEY), site.answering, rates))
    return app


async def opened(app: FastAPI, link: str, times: int, **heads: str) -> list[httpx.Response]:
    async with asker(app, None) as client:
        return [await client.get(f"/links/{link}", headers=heads) for _ in range(times)]


async def test_a_link_counts_as_the_person_whose_it_is(linked: FastAPI) -> None:
    mine, other = token(), token(person_id="n")
    answers = await opened(linked, mine, A_MINUTE + 1)
    assert [answer.status_code for answer in answers] == [*[403] * A_MINUTE, 429]
    [answer] = await opened(linked, token(id="m~g~2"), 1)  # another of their links
    assert answer.status_code == 429
    [answer] = await opened(linked, other, 1)
    assert answer.status_code == 403


async def test_a_link_that_is_none_counts_by_the_address(linked: FastAPI) -> None:
    answers = await opened(linked, "guessed", A_MINUTE + 1)
    assert [answer.status_code for answer in answers][-2:] == [403, 429]
    late = token(NOW - timedelta(days=1))  # whoever has one, or had, is not barred by that
    answers = await opened(linked, late, 2) + await opened(linked, token(), 2)
    assert [answer.status_code for answer in answers] == [410, 410, 403, 403]


async def test_a_link_that_is_over_counts_as_the_person_whose_it_was(linked: FastAPI) -> None:
    late = token(NOW - timedelta(days=1))
    answers = await opened(linked, late, A_MINUTE + 1)
    assert [answer.status_code for answer in answers] == [*[410] * A_MINUTE, 429]


async def test_the_page_says_it_in_plain_words(linked: FastAPI) -> None:
    *_, last = await opened(linked, "guessed", A_MINUTE + 1, accept="text/html")
    assert last.status_code == 429
    assert "Trop de demandes en peu de temps" in last.text
    assert int(last.headers["retry-after"]) > 0
