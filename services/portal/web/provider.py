"""The identity provider at which people sign in (OpenID Connect): code with PKCE, and out again.

Always holds: who somebody is, the provider's own signature says, of a token that is for this portal
and this very way there and back; nothing that it hands out is logged. It is waited for a few
seconds and no longer.
"""

import asyncio
import hmac
import logging
import time
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any, Literal
from urllib.parse import urlencode

import httpx
from authlib.common.errors import AuthlibBaseError

from schemas.actors import pseudonym
from schemas.retention import WAY_MINUTES
from schemas.roles import Role
from schemas.text import tidied
from services.chassis.http.discovery import AS_IT_IS, LARGEST, IssuerAway, check_plain
from services.chassis.http.issuers import Claims, Provider, check_whole
from services.chassis.settings import Issuer
from services.portal.web.sessions import Way

logger = logging.getLogger(__name__)

LOGOUT = "http://schemas.openid.net/event/backchannel-logout"
LOGOUT_TYPES = frozenset({"jwt", "logout+jwt"})
WAIT_SECONDS = 10.0
"""For all that is asked of the provider while somebody waits."""
TOLD_CODES = frozenset(
    {
        *("invalid_client", "invalid_grant", "invalid_request", "invalid_scope"),
        *("unauthorized_client", "unsupported_grant_type", "unsupported_response_type"),
        *("access_denied", "login_required", "interaction_required", "consent_required"),
        *("account_selection_required", "server_error", "temporarily_unavailable"),
    }
)
"""What a provider may answer, by the standards: whatever else it says is not logged."""


class ProviderAway(Exception):
    """The provider does not answer, or not in time."""


class NotVouched(Exception):
    """The provider vouches for nobody; the text says why, to operators."""


@dataclass(frozen=True, slots=True)
class Client:
    """As what the portal is known to the provider, and what it asks of it.

    `name`: what people call the provider. `acr`: the assurances of which one is asked for, and has
    to be given. `confirmed`: an address counts of which the provider does not say whether it is.
    """

    id: str
    secret: str
    name: str
    scopes: str = "openid email"
    acr: tuple[str, ...] = ()
    confirmed: bool = False


@dataclass(frozen=True, slots=True)
class Person:
    """Whom the provider vouches for: `address` (None: it confirms none), roles and their cohorts.

    `id`: a pseudonym of their account; `sid`: by what the provider calls its session, if it does.
    `unconfirmed`: the address that they say is theirs. `token`: by which the provider says so.
    `organisations`: those for whose people a partner is.
    """

    id: str
    address: str | None
    unconfirmed: str
    roles: tuple[Role, ...]
    cohorts: frozenset[str] | None
    token: str
    organisations: frozenset[str] = frozenset()
    sid: str = ""


@dataclass(frozen=True, slots=True)
class Ended:
    """What a provider has ended: the session `sid` of its own or, where that is "", all of the
    account `id`, which is the pseudonym of it. `jti`: by which one such word is told from another.
    """

    id: str
    sid: str
    jti: str


class IdentityProvider:
    """One provider, for one portal. `back`, `gone`: where it sends people, signed in and out.

    `tells`: what its claims say of roles.

    `wait`: the seconds that somebody waits for it, at most.
    """

    def __init__(
        self,
        issuer: Issuer,
        client: Client,
        url: str,
        secret: str,
        now: Callable[[], float] = time.time,
        wait: float = WAIT_SECONDS,
    ) -> None:
        """`secret`: what pseudonyms are made with."""
        # Loaded only if it is used: a portal without a provider starts without it.
        from authlib.integrations.httpx_client import AsyncOAuth2Client  # noqa: PLC0415
        from authlib.oauth2.client import OAuth2Client  # noqa: PLC0415

        self._writes, self._asks = OAuth2Client, AsyncOAuth2Client
        self._tls = httpx.create_ssl_context()
        self.client = client
        self.back, self.gone = f"{url}/connexion/retour", f"{url}/deconnexion/retour"
        self.issuer, self.tells = issuer.issuer, issuer
        self._address_claim = issuer.address_claim or "email"
        self._provider = Provider(issuer, secret, now, "CONNECTE_SIGN_IN_CLIENT")
        self._secret, self._now = secret, now
        self.wait = wait

    async def page_for(self, way: Way) -> str:
        """Where somebody signs in who sets out on this way. Raises `ProviderAway`."""
        async with self._within():
            address = await self._of("authorization")
        writing = self._writes(
            None,
            self.client.id,
            scope=self.client.scopes,
            redirect_uri=self.back,
            code_challenge_method="S256",
        )
        more = {"acr_values": " ".join(self.client.acr)} if self.client.acr else {}
        url, _ = writing.create_authorization_url(
            address, state=way.state, nonce=way.nonce, code_verifier=way.verifier, **more
        )
        return str(url)

    async def whose(self, code: str, way: Way) -> Person:
        """Who has come back with this code. Raises `ProviderAway` and `NotVouched`."""
        async with self._within(), self._asking() as asking:
            given = await asking.fetch_token(
                await self._of("token"),
                grant_type="authorization_code",
                code=code,
                code_verifier=way.verifier,
                redirect_uri=self.back,
            )
            token = given.get("id_token")
            if not isinstance(token, str):
                raise NotVouched("there is no ID token")
            claims = await self._signed_for(way, token)
            return self._person({**await self._told(asking, claims["sub"]), **claims}, token)

    async def way_out(self, token: str, state: str) -> str | None:
        """Where somebody signs out of the provider, too; None if nowhere. Raises `ProviderAway`."""
        async with self._within():
            address = (await self._provider.published.addresses()).of("end_session")
        if address is None:
            return None
        query = {
            "id_token_hint": token,
            "client_id": self.client.id,
            "post_logout_redirect_uri": self.gone,
            "state": state,
        }
        return f"{address}{'&' if '?' in address else '?'}{urlencode(query)}"

    async def ended(self, token: str) -> Ended:
        """What a logout token ends. Raises `ProviderAway` and `NotVouched`."""
        async with self._within():
            try:
                claims = await self._provider.signed(token, nameless=True, types=LOGOUT_TYPES)
                return self._ended(claims)
            except IssuerAway:
                raise
            except Exception as error:  # noqa: BLE001  # whatever is wrong with it, it ends nothing
                told = type(error).__name__
                raise NotVouched(f"its logout token does not count: {told}") from None

    def _ended(self, claims: Claims) -> Ended:
        """Raises whatever of claims that are no fresh word of a log-out, and those of ID tokens."""
        said = {name: claims.get(name, "") for name in ("sub", "sid", "jti")}
        if not all(isinstance(one, str) for one in said.values()) or not said["jti"]:
            raise ValueError("no text")
        if LOGOUT not in claims["events"] or "nonce" in claims or not (said["sub"] or said["sid"]):
            raise ValueError("no log-out")
        # Providers of before the standard was final say no `exp`; and by `sid` nobody is named.
        self._provider.check({"exp": claims["iat"] + 1, **claims, "sub": said["sub"] or "nobody"})
        if self._now() - claims["iat"] > WAY_MINUTES * 60:
            raise ValueError("not in its time")
        whose = pseudonym(self._secret, self.issuer, said["sub"]) if said["sub"] else ""
        return Ended(whose, said["sid"], said["jti"])

    async def _of(self, what: Literal["authorization", "token"]) -> str:
        address = (await self._provider.published.addresses()).of(what)
        if address is None:
            raise NotVouched(f"its discovery names no {what}_endpoint that is reached by TLS")
        return address

    @asynccontextmanager
    async def _asking(self) -> AsyncIterator[Any]:
        known = (await self._provider.published.addresses()).token_endpoint_auth_methods_supported
        basic = "client_secret_basic" in known or "client_secret_post" not in known
        async with self._asks(
            self.client.id,
            self.client.secret,
            token_endpoint_auth_method="client_secret_basic" if basic else "client_secret_post",
            leeway=0,  # some access tokens live no longer than the library's own of a minute
            timeout=self.wait,
            verify=self._tls,
            headers=AS_IT_IS,
            event_hooks={"response": [_bounded]},
        ) as client:
            yield client

    async def _signed_for(self, way: Way, token: str) -> Claims:
        """What the ID token says, if it is for this portal and this way."""
        try:
            claims = await self._provider.verified(token, nameless=True)
        except IssuerAway:
            raise
        except Exception as error:  # noqa: BLE001  # whatever is wrong with it, it does not count
            raise NotVouched(f"its ID token does not count: {type(error).__name__}") from None
        nonce = claims.get("nonce")
        if not isinstance(nonce, str) or not hmac.compare_digest(nonce, way.nonce):
            raise NotVouched("the ID token is of another sign-in: its nonce")
        if claims.get("azp", self.client.id) != self.client.id:
            raise NotVouched("the ID token is for another client: its azp")
        if self.client.acr and claims.get("acr") not in self.client.acr:
            raise NotVouched("the ID token has none of CONNECTE_SIGN_IN_ACR")
        return claims

    async def _told(self, asking: Any, subject: str) -> Claims:
        """What the provider tells of whoever it is beside the token, signed or not."""
        address = (await self._provider.published.addresses()).of("userinfo")
        if address is None:
            return {}
        answer = await asking.get(address)
        if answer.status_code != httpx.codes.OK:
            raise NotVouched(f"its userinfo answers {answer.status_code}")
        if answer.headers.get("content-type", "").lower().startswith("application/jwt"):
            told = await self._signed_userinfo(answer.text.strip())
        else:
            check_whole(told := answer.json())
        if not isinstance(told, Mapping) or told.get("sub") != subject:
            raise NotVouched("userinfo is of somebody else: its sub")
        return told

    async def _signed_userinfo(self, token: str) -> Claims:
        try:
            told = await self._provider.signed(token, nameless=True)
            # The standard wants neither of these; where they are, they have to be right.
            named = {"iss": self.issuer, "aud": self.client.id, "exp": self._now() + 1}
            self._provider.check({**named, **told})
        except IssuerAway:
            raise
        except Exception as error:  # noqa: BLE001  # whatever is wrong with it, it does not count
            raise NotVouched(f"its userinfo does not count: {type(error).__name__}") from None
        return told

    def _person(self, claims: Claims, token: str) -> Person:
        found = self._provider.principal(claims)
        said = claims.get(self._address_claim)
        address = said if isinstance(said, str) else ""
        verified = claims.get("email_verified", self.client.confirmed) is True
        return Person(
            pseudonym(self._secret, self.issuer, claims["sub"]),
            address if verified and address else None,
            address,
            found.roles,
            found.cohorts,
            token,
            frozenset(map(tidied, found.organisations)),
            claims["sid"] if isinstance(claims.get("sid"), str) else "",
        )

    @asynccontextmanager
    async def _within(self) -> AsyncIterator[None]:
        """Whatever goes wrong at the provider is one of two things, in time."""
        try:
            async with asyncio.timeout(self.wait):
                yield
        except (httpx.HTTPError, TimeoutError, IssuerAway) as error:
            logger.warning("the identity provider does not answer: %s", type(error).__name__)
            raise ProviderAway from None
        except AuthlibBaseError as error:
            raise NotVouched(f"it answers {known_code(error.error)}") from None
        except (NotVouched, ProviderAway):
            raise
        except Exception as error:  # noqa: BLE001  # whatever it answers, nobody is signed in by it
            raise NotVouched(f"it answers what is no answer: {type(error).__name__}") from None


class _Bounded(httpx.AsyncByteStream):
    """An answer that is read as far as it may be long."""

    def __init__(self, stream: httpx.AsyncByteStream) -> None:
        self._stream = stream

    async def __aiter__(self) -> AsyncIterator[bytes]:
        read = 0
        async for part in self._stream:
            read += len(part)
            if read > LARGEST:
                raise httpx.ReadError("too large")
            yield part

    async def aclose(self) -> None:
        await self._stream.aclose()


async def _bounded(answer: httpx.Response) -> None:
    check_plain(answer)
    if isinstance(answer.stream, httpx.AsyncByteStream):
        answer.stream = _Bounded(answer.stream)


def known_code(told: object) -> str:
    """A code of the standards, to be logged."""
    known = isinstance(told, str) and told in TOLD_CODES
    return str(told) if known else "with an error of its own"


def issuer_for(
    issuer: str, client_id: str, algorithms: Sequence[str], known: Sequence[Issuer]
) -> Issuer:
    """The issuer of ID tokens; roles and cohorts as its entry among the `known` ones has them."""
    told: dict[str, Any] = {"issuer": issuer, "role": "participant", "cohorts": ("*",)}
    for one in known:
        if one.issuer == issuer:
            told = one.model_dump()
    return Issuer.model_validate(told | {"audience": client_id, "algorithms": algorithms})
