"""What an issuer of OpenID Connect publishes of itself: its addresses, and its public keys.

Always holds: it is fetched when it is needed, and asked for again when it is old or does not have
what is looked for, but never more often than `ASKED_EVERY`; while an issuer is away, what it said
last counts for a day. What it says counts where it says that it is this issuer, and leads nowhere
but by TLS, or to this machine if the issuer is there. Times are real ones.
"""

import asyncio
import contextlib
import json
import logging
from collections.abc import Awaitable, Callable
from typing import Any, Generic, Literal, TypeVar

import httpx
from joserfc.jwk import JWKRegistry, Key
from pydantic import BaseModel, ValidationError

from services.chassis.settings import Issuer

logger = logging.getLogger(__name__)

FETCH_SECONDS = 5.0
FRESH_SECONDS = 600.0
KEPT_SECONDS = 24 * 3600.0
ASKED_EVERY = 10.0
LARGEST = 256 * 1024
MOST_KEYS = 100
AS_IT_IS = {"Accept-Encoding": "identity"}
_ASYMMETRIC = ("RSA", "EC", "OKP")

T = TypeVar("T")


class IssuerAway(Exception):
    """What the issuer publishes cannot be had."""


class Published(Generic[T]):
    """Something that an issuer publishes, as it was fetched last. `what`: its name in the log."""

    def __init__(
        self, what: str, fetch: Callable[[], Awaitable[T]], now: Callable[[], float]
    ) -> None:
        self._what = what
        self._fetch = fetch
        self._now = now
        self._found: T | None = None
        self._fetched = self._asked = float("-inf")
        self._turn = asyncio.Lock()

    async def get(self, enough: Callable[[T], bool] = lambda _: True) -> T:
        """The newest, asked for again where it is not `enough`. Raises `IssuerAway`."""
        if self._wanting(enough):
            async with self._turn:
                if self._wanting(enough):
                    await self._refresh()
        if self._found is None or self._now() - self._fetched > KEPT_SECONDS:
            raise IssuerAway
        return self._found

    def _wanting(self, enough: Callable[[T], bool]) -> bool:
        old = self._now() - self._fetched > FRESH_SECONDS
        return old or self._found is None or not enough(self._found)

    async def _refresh(self) -> None:
        if self._now() - self._asked < ASKED_EVERY:
            return
        self._asked = self._now()
        try:
            async with asyncio.timeout(FETCH_SECONDS):
                self._found = await self._fetch()
        except IssuerAway:
            pass  # it has been told
        except Exception as error:  # noqa: BLE001  # whatever it answers, what it said last counts
            logger.warning("%s of an issuer are not to be had: %s", self._what, _named(error))
        else:
            self._fetched = self._now()


def _named(error: Exception) -> str:
    return type(error).__name__


class Addresses(BaseModel):
    """Where an issuer's keys are, and where people and their tokens are sent."""

    issuer: str
    jwks_uri: str
    authorization_endpoint: str | None = None
    token_endpoint: str | None = None
    userinfo_endpoint: str | None = None
    end_session_endpoint: str | None = None
    token_endpoint_auth_methods_supported: tuple[str, ...] = ("client_secret_basic",)

    def of(self, what: Literal["authorization", "token", "userinfo", "end_session"]) -> str | None:
        """Where it is; None where there is none, or none that is reached by TLS."""
        address: str | None = getattr(self, f"{what}_endpoint")
        return address if address and _secure(address, self.issuer) else None


def _secure(address: str, issuer: str) -> bool:
    return address.startswith(("https://", issuer))


class Discovery:
    """One issuer's addresses and keys."""

    def __init__(self, issuer: Issuer, now: Callable[[], float]) -> None:
        self._issuer = issuer
        self._addresses = Published("the addresses", self._fetch_addresses, now)
        self._keys = Published("the keys", self._fetch_keys, now)

    async def addresses(self) -> Addresses:
        """Where it says that everything is. Raises `IssuerAway`."""
        return await self._addresses.get()

    async def key(self, kid: str) -> Key | None:
        """Its public key of this id; None if it has none such. Raises `IssuerAway`."""
        return (await self._keys.get(lambda keys: kid in keys)).get(kid)

    async def only_key(self) -> Key | None:
        """Its public key, if it has no more than one. Raises `IssuerAway`."""
        keys = await self._keys.get()
        return next(iter(keys.values())) if len(keys) == 1 else None

    async def _fetch_addresses(self) -> Addresses:
        well_known = f"{self._issuer.issuer.rstrip('/')}/.well-known/openid-configuration"
        try:
            told = Addresses.model_validate(await _document(well_known))
        except ValidationError:
            raise ValueError("not what an issuer says of itself") from None
        if told.issuer != self._issuer.issuer:
            raise ValueError("it is another issuer")
        if not _secure(told.jwks_uri, told.issuer):
            raise ValueError("not by TLS")
        return told

    async def _fetch_keys(self) -> dict[str, Key]:
        address = self._issuer.jwks_uri or (await self.addresses()).jwks_uri
        keys = (await _document(address)).get("keys")
        if not isinstance(keys, list):
            raise TypeError("no keys")
        return dict(filter(None, map(_key, keys[:MOST_KEYS])))


def check_plain(answer: httpx.Response) -> None:
    """Raise `httpx.DecodingError` of an answer that comes compressed, though nobody asked for it.

    The client would open it, piece by piece, before anybody sees how large it is.
    """
    if answer.headers.get("content-encoding", "identity").lower() != "identity":
        raise httpx.DecodingError("compressed", request=answer.request)


async def _document(address: str) -> dict[str, Any]:
    found = bytearray()
    async with (
        httpx.AsyncClient(timeout=FETCH_SECONDS, headers=AS_IT_IS) as client,
        client.stream("GET", address) as answer,
    ):
        if answer.status_code != httpx.codes.OK:
            raise ValueError(f"status {answer.status_code}")
        check_plain(answer)
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
    with contextlib.suppress(Exception):  # whatever libraries make of it
        if told["kty"] in _ASYMMETRIC and told.get("use", "sig") == "sig":
            return str(told["kid"]), JWKRegistry.import_key(told)
    return None
