"""An identity provider by real HTTP, which checks what a strict one checks, and errs when told to.

It wants PKCE (S256), the client's secret, the registered address, and gives each code once. Whoever
comes to its sign-in page is let in at once, as `person`.
"""

import asyncio
import base64
import contextlib
import hashlib
import secrets
import time
from collections import Counter
from collections.abc import AsyncIterator, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

from fastapi import FastAPI, Request
from fastapi.responses import JSONResponse, RedirectResponse, Response
from joserfc import jwt
from joserfc.jwk import RSAKey

from deploy.local.process import free_port
from services.chassis.http.connections import server_of
from services.chassis.settings import Issuer
from services.portal.web.provider import Client, IdentityProvider, issuer_for
from tests.conftest import eventually
from tests.portal.browser import Person
from tests.portal.site import SECRET, Town
from tests.portal.stories import LISE

CLIENT, CLIENT_SECRET = "le-portail", "a secret of the portal's"
PROCONNECT = {
    "sub": "4f1f2b7c-9d0e-8a6b",
    "uid": "7121",
    "siret": "13002526500013",
    "usual_name": "Martin",
    "given_name": "Lise",
    "email": LISE,
}
"""Userinfo as ProConnect tells it."""


@dataclass
class Provider:
    """One provider. `forge` makes another ID token of its claims; `late`: it answers only then.

    `odd`: what it answers instead, by path.
    """

    port: int = field(default_factory=free_port)
    person: dict[str, Any] = field(
        default_factory=lambda: {"sub": "lise", "email": LISE, "email_verified": True}
    )
    claims: dict[str, Any] = field(default_factory=dict)
    userinfo: dict[str, Any] = field(default_factory=dict)
    signs_userinfo: bool = False
    refuses: str | None = None
    nonce: str | None = None
    forge: Callable[["Provider", Mapping[str, Any]], str] | None = None
    late: asyncio.Event | None = None
    away: bool = False
    methods: tuple[str, ...] = ("client_secret_basic",)
    odd: dict[str, Response] = field(default_factory=dict)
    asked: Counter[str] = field(default_factory=Counter)
    codes: dict[str, Mapping[str, str]] = field(default_factory=dict)
    ended: list[Mapping[str, str]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.url = f"http://127.0.0.1:{self.port}"
        self.redirect = ""
        self.rotate()
        self.app = FastAPI()
        self.app.middleware("http")(self._as_told)
        self.app.get("/.well-known/openid-configuration")(self._discovery)
        self.app.get("/keys")(self._keys)
        self.app.get("/authorize")(self._authorize)
        self.app.post("/token")(self._token)
        self.app.get("/userinfo")(self._userinfo)
        self.app.get("/end")(self._end)

    def rotate(self) -> None:
        """From now on it signs with another key, and publishes no other."""
        self.key = RSAKey.generate_key(2048, {"kid": secrets.token_hex(4), "use": "sig"})

    async def _as_told(self, request: Request, go_on: Any) -> Response:
        self.asked[request.url.path] += 1
        if self.late is not None:
            await self.late.wait()
        if (odd := self.odd.get(request.url.path)) is not None:
            return odd
        return Response(status_code=503) if self.away else await go_on(request)

    async def _discovery(self) -> Any:
        places = {"authorization": "authorize", "userinfo": "userinfo", "end_session": "end"}
        return {
            "issuer": self.url,
            "jwks_uri": f"{self.url}/keys",
            "token_endpoint": f"{self.url}/token",
            "token_endpoint_auth_methods_supported": self.methods,
            **{f"{name}_endpoint": f"{self.url}/{path}" for name, path in places.items()},
        }

    async def _keys(self) -> Any:
        return {"keys": [self.key.as_dict(private=False)]}

    async def _authorize(self, request: Request) -> Response:
        asked = dict(request.query_params)
        assert asked["response_type"] == "code"
        assert asked["client_id"] == CLIENT
        assert asked["redirect_uri"] == self.redirect, "as it was registered"
        assert asked["code_challenge_method"] == "S256"
        told = {"state": asked["state"], "iss": self.url}
        if self.refuses:
            told["error"] = self.refuses
        else:
            told["code"] = secrets.token_urlsafe(16)
            self.codes[told["code"]] = asked
        return RedirectResponse(f"{asked['redirect_uri']}?{urlencode(told)}", 302)

    async def _token(self, request: Request) -> Response:
        form = {name: str(value) for name, value in (await request.form()).items()}
        known = base64.b64encode(f"{CLIENT}:{CLIENT_SECRET}".encode()).decode()
        basic = request.headers.get("authorization") == f"Basic {known}"
        posted = (form.get("client_id"), form.get("client_secret")) == (CLIENT, CLIENT_SECRET)
        if not (basic if "client_secret_basic" in self.methods else posted):
            return JSONResponse({"error": "invalid_client"}, 401)
        asked = self.codes.pop(form["code"], None)
        made = hashlib.sha256(form["code_verifier"].encode()).digest()
        challenge = base64.urlsafe_b64encode(made).rstrip(b"=").decode()
        if (
            asked is None
            or asked["code_challenge"] != challenge
            or form["redirect_uri"] != asked["redirect_uri"]
        ):
            return JSONResponse({"error": "invalid_grant"}, 400)
        told = {"access_token": "an access token", "token_type": "Bearer", "expires_in": 60}
        claims = self._claims(nonce=self.nonce or asked["nonce"], **self.claims)
        return JSONResponse({**told, "id_token": (self.forge or Provider.sign)(self, claims)})

    def _claims(self, **more: Any) -> dict[str, Any]:
        now = int(time.time())
        told = {"iss": self.url, "aud": CLIENT, "iat": now, "exp": now + 300}
        found = told | {"sub": self.person["sub"]} | more
        return {name: value for name, value in found.items() if value is not None}

    def sign(self, claims: Mapping[str, Any], head: Mapping[str, Any] | None = None) -> str:
        header = {"alg": "RS256", "kid": self.key.kid, **(head or {})}
        return jwt.encode(header, dict(claims), self.key, algorithms=["RS256"])

    async def _userinfo(self, request: Request) -> Response:
        assert request.headers["authorization"] == "Bearer an access token"
        told = self.person | self.userinfo
        if not self.signs_userinfo:
            return JSONResponse(told)
        signed = (self.forge or Provider.sign)(self, self._claims(**told))
        return Response(signed, media_type="application/jwt")

    async def _end(self, request: Request) -> Response:
        asked = dict(request.query_params)
        self.ended.append(asked)
        where = asked["post_logout_redirect_uri"]
        return RedirectResponse(f"{where}?{urlencode({'state': asked['state']})}", 302)


@contextlib.asynccontextmanager
async def served(provider: Provider) -> AsyncIterator[Provider]:
    """The provider, at its address."""
    server = server_of(provider.app, "127.0.0.1", provider.port)
    serving = asyncio.create_task(server.serve())

    async def started() -> bool:
        return server.started

    await eventually(started)
    try:
        yield provider
    finally:
        if provider.late is not None:
            provider.late.set()
        server.should_exit = True
        await serving


def town_of(
    provider: Provider,
    *,
    known: tuple[Issuer, ...] = (),
    by_link: bool = False,
    url: str = "https://portal.example",
    now: Callable[[], float] = time.time,
    **client: Any,
) -> Town:
    """A portal at whose sign-in page the provider stands first."""
    told = {"id": CLIENT, "secret": CLIENT_SECRET, "name": "ProConnect"} | client
    issuer = issuer_for(provider.url, told["id"], ("RS256",), known)
    made = IdentityProvider(issuer, Client(**told), url, SECRET, now)
    provider.redirect = made.back
    return Town(url=url, provider=made, by_link=by_link)


@dataclass
class Hour:
    """The real time, which a test moves on."""

    ahead: float = 0.0

    def __call__(self) -> float:
        return time.time() + self.ahead


BUTTON = "S’identifier avec ProConnect"


async def at_the_door(town: Town, way: str = "/connexion") -> Person:
    """Somebody who has pressed the button, and is about to go to the provider."""
    somebody = town.person(LISE)
    await somebody.goes_to(way)
    return await somebody.presses(BUTTON)


async def comes(town: Town, way: str = "/connexion") -> Person:
    """Somebody who goes there and comes back."""
    return await (await at_the_door(town, way)).follows("Continuer")


def is_signed_in(somebody: Person) -> bool:
    return "__Host-session" in somebody.client.cookies


def is_nobody(somebody: Person, status: int = 400) -> bool:
    """Whether they are told so, with a way back, and are signed in as nobody."""
    ways = [link.get("href") for link in somebody.page.all("main")[0].all("a")]
    assert any(way.startswith("/connexion") for way in ways)
    assert somebody.status == status
    return not is_signed_in(somebody)


def way_of(somebody: Person) -> dict[str, str]:
    """What the page's link to the provider asks for."""
    (link,) = [one for one in somebody.page.all("a") if one.text == "Continuer"]
    found = parse_qs(urlsplit(link.get("href")).query)
    return {name: value for name, (value,) in found.items()}
