"""An identity provider that answers what nobody expects: it is said so, and nobody is signed in."""

import gzip
import tracemalloc

import pytest
from fastapi.responses import Response

from services.chassis.http.discovery import LARGEST
from tests.portal.provider import Provider, at_the_door, comes, is_nobody, served, town_of
from tests.portal.stories import GOING_ON

DEEP = b"[" * 100_000
DISCOVERY = "/.well-known/openid-configuration"
BOMB = gzip.compress(b" " * 64 * LARGEST)
"""A hundredth of what there may be, and sixty-four times as much inside."""


def told(body: bytes, status: int = 200, encoding: str | None = None) -> Response:
    headers = {} if encoding is None else {"content-encoding": encoding}
    return Response(body, status, headers, "application/json")


@pytest.mark.parametrize(
    "answer",
    [
        told(DEEP),
        told(b"[]"),
        told(b"5"),
        told(b'{"error": ["invalid_grant"]}', 400),
        told(b'{"error": {"a": 1}}', 400),
        told(b'{"access_token": "a", "expires_in": 1e999, "id_token": "x"}'),
        told(b'{"access_token": ["a"], "token_type": "Bearer", "id_token": "x"}'),
    ],
    ids=range(7),
)
async def test_whatever_it_answers_of_a_code_nobody_is_signed_in(answer: Response) -> None:
    async with served(Provider(odd={"/token": answer})) as provider:
        assert is_nobody(await comes(town_of(provider).happens(*GOING_ON)))


HALF = b'{"sub": "lise", "email": "\\ud800@ministere.example"}'


@pytest.mark.parametrize("answer", [told(one) for one in (DEEP, b"[]", b"5", HALF)], ids=range(4))
async def test_whatever_it_tells_of_somebody_nobody_is_signed_in(answer: Response) -> None:
    async with served(Provider(odd={"/userinfo": answer})) as provider:
        assert is_nobody(await comes(town_of(provider).happens(*GOING_ON)))


@pytest.mark.parametrize("path", [DISCOVERY, "/keys"])
async def test_whatever_it_publishes_of_itself_it_is_said_to_be_away(path: str) -> None:
    async with served(Provider(odd={path: told(DEEP)})) as provider:
        somebody = await at_the_door(town_of(provider))
        if path != DISCOVERY:
            await somebody.follows("Continuer")
        assert is_nobody(somebody, 503)


@pytest.mark.parametrize("path", ["/token", "/userinfo", "/keys"])
async def test_what_it_compresses_unasked_is_not_opened(path: str) -> None:
    async with served(Provider(odd={path: told(BOMB, encoding="gzip")})) as provider:
        somebody = await at_the_door(town_of(provider))
        tracemalloc.start()
        await somebody.follows("Continuer")
        _, most = tracemalloc.get_traced_memory()
        tracemalloc.stop()
    assert is_nobody(somebody, 503)
    assert most < 16 * LARGEST
