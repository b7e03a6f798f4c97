"""Signing in at a provider that others have written, in a process of its own: there, back, and out.

It registers the portal as its client, and holds it to the secret and to the addresses that it gave.
Challenges of PKCE it does not look at: `test_at_the_provider.py` has one that does.
"""

import re
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from html import unescape
from importlib.util import find_spec
from pathlib import Path
from typing import Any
from urllib.parse import urljoin

import httpx
import pytest

from deploy.local.process import free_port, running
from services.portal.web.provider import Client, IdentityProvider, issuer_for
from tests.conftest import eventually
from tests.portal.browser import Person
from tests.portal.site import SECRET, Town
from tests.portal.stories import GOING_ON, LISE

pytestmark = pytest.mark.skipif(
    find_spec("oidc_provider_mock") is None, reason="there is no oidc-provider-mock"
)
URL = "https://portal.example"


@dataclass
class Another:
    """The provider, and what it is asked beside."""

    url: str
    client: httpx.AsyncClient

    async def registers(self) -> Town:
        """A portal that is known to it."""
        body = {"redirect_uris": [f"{URL}/connexion/retour"], "scope": "openid email"}
        told = (await self.client.post("/oauth2/clients", json=body)).json()
        client = Client(told["client_id"], told["client_secret"], "Passage")
        issuer = issuer_for(self.url, client.id, ("RS256",), ())
        provider = IdentityProvider(issuer, client, URL, SECRET)
        return Town(url=URL, provider=provider, by_link=False).happens(*GOING_ON)

    async def knows(self, sub: str, **claims: Any) -> None:
        answer = await self.client.put(f"/users/{sub}", json=claims)
        assert answer.is_success, answer.text


@asynccontextmanager
async def another(folder: Path) -> AsyncIterator[Another]:
    port = free_port()
    command = [sys.executable, "-m", "oidc_provider_mock", "--port", str(port)]
    options = ["--require-registration", "true", "--require-nonce", "true"]
    url = f"http://127.0.0.1:{port}"
    limits = httpx.Limits(max_keepalive_connections=0)
    async with (
        running("provider", [*command, *options], log=folder / "provider.log"),
        httpx.AsyncClient(base_url=url, limits=limits, timeout=30) as client,
    ):

        async def answers() -> bool:
            try:
                return (await client.get("/jwks")).is_success
            except httpx.ConnectError:
                return False

        await eventually(answers)
        yield Another(url, client)


async def presses_there(somebody: Person, path: str = "", **typed: str) -> None:
    """Send a form of the provider's page: to the page itself, or to a path of the provider."""
    assert somebody.answer is not None
    hidden = re.findall(r'type="hidden" name="(\w+)" value="([^"]*)"', somebody.answer.text)
    given = {name: unescape(value) for name, value in hidden} | typed
    where = urljoin(str(somebody.answer.url), path)
    somebody.answer = await somebody.client.post(where, data=given, follow_redirects=True)


async def sets_out(town: Town) -> Person:
    somebody = await town.person().goes_to("/mon-espace")
    await somebody.follows("Me connecter")
    await somebody.presses("S’identifier avec Passage")
    return await somebody.follows("Continuer")


async def test_there_back_and_out_again(tmp_path: Path) -> None:
    async with another(tmp_path) as provider:
        town = await provider.registers()
        await provider.knows("lise", email=LISE, email_verified=True)
        lise = await sets_out(town)
        assert lise.answer is not None
        assert "<h1>Authorize Client</h1>" in lise.answer.text
        await presses_there(lise, sub="lise")
        assert lise.heading == "Mon espace"
        assert "Paul Lenoir" in lise.says
        await lise.presses("Se déconnecter")
        await lise.follows("Continuer")
        assert "<h1>End Session</h1>" in lise.answer.text
        await presses_there(lise, "/oauth2/end_session/confirm")
    assert "Vous êtes déconnecté·e." in lise.says
    assert (await lise.goes_to("/mon-espace")).status == 401


@pytest.mark.parametrize(
    ("claims", "typed", "status", "says"),
    [
        ({"email": LISE}, {"sub": "lise"}, 403, "ne confirme aucune adresse"),
        ({"email": LISE, "email_verified": True}, {"action": "deny"}, 400, "Vous avez renoncé"),
    ],
)
async def test_whom_it_does_not_let_in_or_does_not_confirm_is_nobody(
    tmp_path: Path, claims: dict[str, Any], typed: dict[str, str], status: int, says: str
) -> None:
    async with another(tmp_path) as provider:
        town = await provider.registers()
        await provider.knows("lise", **claims)
        lise = await sets_out(town)
        await presses_there(lise, **typed)
    assert lise.status == status
    assert says in lise.says
    assert "__Host-session" not in lise.client.cookies
