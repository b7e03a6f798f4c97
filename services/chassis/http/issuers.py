"""Tokens of identity providers (OpenID Connect): who somebody is, as their issuer has signed it.

Always holds: a token counts only with a signature of its own issuer's keys, by an algorithm that
the settings name, for this audience, within its time; whatever is wrong, the answer is the same,
and no reason is told (of a wrong audience the log tells operators). Keys are fetched when they are
needed and are asked for again when one is not known, but never more often than `ASKED_EVERY`; while
an issuer is away, its last keys count. Times are real ones.
"""

import asyncio
import contextlib
import hashlib
import json
import logging
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import httpx
from joserfc import jws
from joserfc.errors import JoseError
from joserfc.jwk import JWKRegistry, Key
from joserfc.util import urlsafe_b64decode

from schemas.roles import Role
from services.chassis.http.identity import ID, Authority, Principal, not_known, pseudonym
from services.chassis.http.problems import AWAY, Problem
from services.chassis.settings import Issuer

logger = logging.getLogger(__name__)

FETCH_SECONDS = 5.0
FRESH_SECONDS = 600.0
KEPT_SECONDS = 24 * 3600.0
ASKED_EVERY = 10.0
TOLD_EVERY = 60.0
LARGEST = 256 * 1024
MOST_KEYS = 100
MOST_KNOWN = 1000
"""Tokens whose signature has been checked, by a digest; of some kilobytes each."""
_ASYMMETRIC = ("RSA", "EC", "OKP")
_TYPES = ("jwt", "at+jwt", "application/at+jwt")

Claims = Mapping[str, Any]


class KeysAway(Exception):
    """The issuer's keys cannot be had."""


class Keys:
    """The public keys of one issuer, by their ids."""

    def __init__(self, issuer: Issuer, now: Callable[[], float]) -> None:
        self._issuer = issuer
        self._now = now
        self._found: dict[str, Key] = {}
        self._fetched = self._asked = float("-inf")
        self._turn = asyncio.Lock()

    async def find(self, kid: str) -> Key | None:
        """The key; None if the issuer has none of this id. Raises `KeysAway`."""
        if kid not in self._found or self._now() - self._fetched > FRESH_SECONDS:
            async with self._turn:
                if kid not in self._found or self._now() - self._fetched > FRESH_SECONDS:
                    await self._refresh()
        if self._now() - self._fetched > KEPT_SECONDS:
            raise KeysAway
        return self._found.get(kid)

    async def _refresh(self) -> None:
        if self._now() - self._asked < ASKED_EVERY:
            return
        self._asked = self._now()
        try:
            async with asyncio.timeout(FETCH_SECONDS):
                self._found = await self._fetch()
        except (httpx.HTTPError, httpx.InvalidURL, ValueError, TypeError, TimeoutError) as error:
            logger.warning("the keys of an issuer are not to be had: %s", type(error).__name__)
        else:
            self._fetched = self._now()

    async def _fetch(self) -> dict[str, Key]:
        async with httpx.AsyncClient(timeout=FETCH_SECONDS) as client:
            address = self._issuer.jwks_uri
            if address is None:
                well_known = f"{self._issuer.issuer.rstrip('/')}/.well-known/openid-configuration"
                told = await _document(client, well_known)
                if told.get("issuer") != self._issuer.issuer:
                    raise ValueError("it is another issuer")
                address = str(told.get("jwks_uri"))
                if not address.startswith(("https://", self._issuer.issuer)):
                    raise ValueError("not by TLS")
            keys = (await _document(client, address)).get("keys")
        if not isinstance(keys, list):
            raise TypeError("no keys")
        return dict(filter(None, map(_key, keys[:MOST_KEYS])))


async def _document(client: httpx.AsyncClient, address: str) -> dict[str, Any]:
    found = bytearray()
    async with client.stream("GET", address) as answer:
        if answer.status_code != httpx.codes.OK:
            raise ValueError(f"status {answer.status_code}")
        async for part in answer.aiter_bytes():
            found += part
            if len(found) > LARGEST:
                raise ValueError("too large")
    document = json.loads(found)
    if not isinstance(document, dict):
        raise TypeError("no object")
    return document


def _key(told: Any) -> tuple[str, Key] | None:
    """A key for signatures, by its id; None of any other, for one that is odd spoils no set."""
    with contextlib.suppress(JoseError, ValueError, TypeError, KeyError, AttributeError):
        if told["kty"] in _ASYMMETRIC and told.get("use", "sig") == "sig":
            return str(told["kid"]), JWKRegistry.import_key(told)
    return None


class Provider:
    """One issuer: whose a token of it is, and what it is good for here."""

    def __init__(self, issuer: Issuer, secret: str, now: Callable[[], float]) -> None:
        self.issuer = issuer
        self.keys = Keys(issuer, now)
        self._secret = secret
        self._now = now
        self._known: dict[bytes, tuple[Key, Claims]] = {}
        self._told = float("-inf")
        self._registry = jws.JWSRegistry(
            algorithms=list(issuer.algorithms), strict_check_header=False
        )

    async def whose(self, token: str) -> Principal:
        """Whose it is. Raises `HTTPException` 401, or `Problem` 503 where that cannot be told."""
        try:
            claims = await self._verified(token)
        except KeysAway:
            title = "the identity provider does not answer"
            raise Problem(503, title, retry_after=AWAY) from None
        except Exception:  # noqa: BLE001  # whatever a stranger sends, it is not our token
            raise not_known() from None
        return self._principal(claims)

    async def _verified(self, token: str) -> Claims:
        """The claims of a token that counts. Raises whatever."""
        header = _part(token, 0)
        if str(header.get("typ", "JWT")).lower() not in _TYPES:
            raise ValueError("another type")
        if header.get("alg") not in self.issuer.algorithms or not isinstance(header["kid"], str):
            raise ValueError("another algorithm")  # before a key is asked for
        key = await self.keys.find(header["kid"])
        if key is None:
            raise ValueError("unknown key")
        claims = self._signed(token, key)
        self._check(claims)
        return claims

    def _signed(self, token: str, key: Key) -> Claims:
        """What this very key has signed. Raises whatever.

        A token comes many times: of the last ones it is known, and neither their times nor
        whether the key still counts. A key that was fetched again is another one.
        """
        mark = hashlib.sha256(token.encode()).digest()
        known = self._known.get(mark)
        if known is not None and known[0] is key:
            return known[1]
        signed = jws.deserialize_compact(token, key, registry=self._registry)
        claims: Claims = json.loads(signed.payload or b"")
        if len(self._known) >= MOST_KNOWN:
            del self._known[next(iter(self._known))]
        self._known[mark] = key, claims
        return claims

    def _check(self, claims: Claims) -> None:
        now, skew = self._now(), self.issuer.skew_seconds
        audience = claims["aud"]
        meant = audience if isinstance(audience, list) else [audience]
        if claims["iss"] != self.issuer.issuer:
            raise ValueError("of another")
        if self.issuer.audience not in meant:
            self._tell_of_audience()
            raise ValueError("for another")
        until, since = _moment(claims["exp"]), _moment(claims.get("nbf", 0))
        if not (since - skew <= now < until + skew) or _moment(claims.get("iat", 0)) - skew > now:
            raise ValueError("not in its time")
        if not isinstance(claims["sub"], str) or not claims["sub"]:
            raise ValueError("nobody's")

    def _tell_of_audience(self) -> None:
        """Say now and then what only an operator can mend; no stranger can sign such a token."""
        if self._now() - self._told >= TOLD_EVERY:
            self._told = self._now()
            logger.warning(
                "tokens of %s are refused: they are not for %s; have the provider name it as their "
                "audience (aud), or change `audience` in CONNECTE_OIDC_ISSUERS",
                self.issuer.issuer,
                self.issuer.audience,
            )

    def _principal(self, claims: Claims) -> Principal:
        issuer = self.issuer
        if issuer.role is not None:
            roles: tuple[Role, ...] = (issuer.role,)
        else:
            said = _said(claims, issuer.role_claim)
            roles = tuple(dict.fromkeys(r for claim, r in issuer.roles.items() if claim in said))
        given = issuer.cohorts
        cohorts = _said(claims, issuer.cohorts_claim) if given is None else given
        scope = None if "*" in cohorts else frozenset(cohorts)
        if issuer.role == "machine":
            name = str(claims.get("client_id", claims.get("azp", claims["sub"])))
            known = name if ID.fullmatch(name) else pseudonym(self._secret, issuer.issuer, name)
            return Principal("service_account", known, roles, scope)
        person = pseudonym(self._secret, issuer.issuer, claims["sub"])
        return Principal("user", person, roles, scope, _address(claims, issuer.address_claim))


def _moment(given: Any) -> float:
    if isinstance(given, bool) or not isinstance(given, int | float):
        raise TypeError("no moment")
    return float(given)


def _said(claims: Claims, name: str | None) -> Sequence[str]:
    """The values of a claim: a list, or a text of several words as a scope is."""
    found = claims.get(name or "", ())
    if isinstance(found, str):
        return found.split()
    return [one for one in found if isinstance(one, str)] if isinstance(found, list) else ()


def _address(claims: Claims, name: str | None) -> str | None:
    """The address that a claim has, unless its issuer says that it is not confirmed."""
    found = claims.get(name or "")
    vouched = claims.get("email_verified", True) is True
    return found if isinstance(found, str) and found and vouched else None


def _part(token: str, place: int) -> dict[str, Any]:
    """A part of a token, as nobody has checked it yet."""
    found = json.loads(urlsafe_b64decode(token.split(".")[place].encode()))
    if not isinstance(found, dict):
        raise TypeError("no object")
    return found


def providers(
    issuers: Sequence[Issuer], secret: str, now: Callable[[], float] = time.time
) -> Authority:
    """The authority of these issuers: a token names its own, and is checked by no other."""
    known = {issuer.issuer: Provider(issuer, secret, now) for issuer in issuers}

    async def whose(token: str) -> Principal | None:
        try:
            provider = known.get(_part(token, 1).get("iss", ""))
        except Exception:  # noqa: BLE001  # no token of anybody's
            return None
        return None if provider is None else await provider.whose(token)

    return whose
