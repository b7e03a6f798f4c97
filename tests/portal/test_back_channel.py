"""Signing out at the provider ends the sessions here, by its signed word and by nothing else."""

import time
from datetime import timedelta
from typing import Any

import pytest

from services.portal.web.provider import LOGOUT
from tests.portal.browser import Person
from tests.portal.provider import CLIENT, Provider, comes, served, town_of
from tests.portal.site import COORDINATOR, Town
from tests.portal.stories import GOING_ON

HERE = "/deconnexion/fournisseur"


def word(provider: Provider, **more: Any) -> dict[str, Any]:
    """What a provider says when Lise has signed out of it; what is None it does not say."""
    now = int(time.time())
    told = {"iss": provider.url, "aud": CLIENT, "iat": now, "exp": now + 120, "jti": "j-1"}
    told |= {"sub": "lise", "events": {LOGOUT: {}}, **more}
    return {name: value for name, value in told.items() if value is not None}


async def says(town: Town, token: str) -> int:
    """The provider says so, from where no browser is."""
    answer = await town.person().client.post(HERE, data={"logout_token": token})
    assert answer.headers["cache-control"] == "no-store"
    return answer.status_code


async def is_in(somebody: Person) -> bool:
    return (await somebody.goes_to("/mon-espace")).status == 200


@pytest.mark.parametrize("head", [{}, {"typ": "logout+jwt"}])
async def test_the_word_of_an_account_ends_its_sessions_and_nobody_else_s(
    head: dict[str, str],
) -> None:
    async with served(Provider()) as provider:
        town = town_of(provider).happens(*GOING_ON)
        lise, again = await comes(town), await comes(town)
        anne = await town.signed_in(COORDINATOR)
        other = provider.sign(word(provider, sub="paul", jti="j-0"), head)
        assert await says(town, other) == 200
        assert await is_in(lise)
        assert await says(town, provider.sign(word(provider), head)) == 200
        assert not await is_in(lise)
        assert not await is_in(again)
        assert await is_in(anne)


async def test_the_word_of_a_session_ends_that_one_alone() -> None:
    async with served(Provider(claims={"sid": "first"})) as provider:
        town = town_of(provider).happens(*GOING_ON)
        first = await comes(town)
        provider.claims = {"sid": "second"}
        second = await comes(town)
        told = word(provider, sub=None, sid="first", exp=None)
        assert await says(town, provider.sign(told)) == 200
        assert not await is_in(first)
        assert await is_in(second)


async def test_a_word_is_heard_once_and_ends_no_later_session() -> None:
    async with served(Provider()) as provider:
        town = town_of(provider).happens(*GOING_ON)
        token = provider.sign(word(provider))
        assert await says(town, token) == 200
        town.real += timedelta(seconds=1)
        lise = await comes(town)
        assert await says(town, token) == 400
        assert await is_in(lise)


NO_WORD: dict[str, dict[str, Any]] = {
    "another audience": {"aud": "another"},
    "another issuer": {"iss": "https://another.example"},
    "over": {"exp": int(time.time()) - 600},
    "of yesterday": {"iat": int(time.time()) - 86_400},
    "of tomorrow": {"iat": int(time.time()) + 86_400},
    "no event": {"events": None},
    "another event": {"events": {"https://example.org": {}}},
    "events that are none": {"events": 7},
    "an ID token": {"nonce": "n"},
    "of nobody": {"sub": None},
    "of a number": {"sub": 7},
    "without its own id": {"jti": None},
    "without its moment": {"iat": None},
}


@pytest.mark.parametrize("wrong", NO_WORD.values(), ids=NO_WORD)
async def test_what_is_no_such_word_ends_nothing(wrong: dict[str, Any]) -> None:
    async with served(Provider()) as provider:
        town = town_of(provider).happens(*GOING_ON)
        lise = await comes(town)
        assert await says(town, provider.sign(word(provider, **wrong))) == 400
        assert await is_in(lise)


async def test_what_the_provider_has_not_signed_ends_nothing_and_is_counted() -> None:
    async with served(Provider()) as provider:
        town = town_of(provider).happens(*GOING_ON)
        lise, forger = await comes(town), Provider()
        told = word(provider)
        body, signature = forger.sign(told, {"kid": provider.key.kid}).rsplit(".", 1)
        for token in ("", "x", f"{body}.", f"{body}.{signature}", "a.b.c" * 900):
            assert await says(town, token) == 400
        assert await is_in(lise)


async def test_while_the_provider_is_away_it_is_asked_to_say_it_again() -> None:
    async with served(Provider()) as provider:
        town = town_of(provider)
        provider.away = True
        assert await says(town, provider.sign(word(provider))) == 503


async def test_where_there_is_no_provider_nobody_says_anything() -> None:
    answer = await Town().person().client.post(HERE, data={"logout_token": "x"})
    assert answer.status_code == 404


async def test_a_session_that_goes_on_is_ended_however_long_it_has_gone_on() -> None:
    async with served(Provider()) as provider:
        town = town_of(provider).happens(*GOING_ON)
        lise = await comes(town)
        for _ in range(10):
            town.real += timedelta(hours=1)
            assert await is_in(lise)
        assert await says(town, provider.sign(word(provider))) == 200
        assert not await is_in(lise)
