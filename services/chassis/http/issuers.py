"""Tokens of identity providers (OpenID Connect): who somebody is, as their issuer has signed it.

Always holds: a token counts only with a signature of its own issuer's keys, by an algorithm that
the settings name, for this audience, within its time; whatever is wrong, the answer is the same,
and no reason is told (of a wrong audience the log tells operators). Keys are those that the issuer
publishes (`discovery.py`). Times are real ones.
"""

import hashlib
import json
import logging
import time
from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any

from joserfc import jws
from joserfc.jwk import Key
from joserfc.util import urlsafe_b64decode

from schemas.actors import pseudonym
from schemas.roles import Role
from services.chassis.http.discovery import Discovery, IssuerAway
from services.chassis.http.identity import ID, Authority, Principal, not_known
from services.chassis.http.problems import AWAY, Problem
from services.chassis.settings import Issuer

logger = logging.getLogger(__name__)

TOLD_EVERY = 60.0
MOST_KNOWN = 1000
"""Tokens whose signature has been checked, by a digest; of some kilobytes each."""
_TYPES = ("jwt", "at+jwt", "application/at+jwt")

Claims = Mapping[str, Any]


class Provider:
    """One issuer: whose a token of it is, and what it is good for here."""

    def __init__(
        self,
        issuer: Issuer,
        secret: str,
        now: Callable[[], float],
        setting: str = "`audience` in CONNECTE_OIDC_ISSUERS",
    ) -> None:
        """`setting`: where an operator says for whom its tokens are."""
        self.issuer = issuer
        self.published = Discovery(issuer, now)
        self._setting = setting
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
            return self.principal(await self.verified(token))
        except IssuerAway:
            title = "the identity provider does not answer"
            raise Problem(503, title, retry_after=AWAY) from None
        except Exception:  # noqa: BLE001  # whatever a stranger sends, it is not our token
            raise not_known() from None

    async def verified(self, token: str, *, nameless: bool = False) -> Claims:
        """The claims of a token that counts. Raises `IssuerAway`, and of any other whatever.

        `nameless`: whether it counts without the id of its key, where the issuer has no other.
        """
        claims = await self.signed(token, nameless=nameless)
        self.check(claims)
        return claims

    async def signed(
        self, token: str, *, nameless: bool = False, types: Collection[str] = _TYPES
    ) -> Claims:
        """What the issuer has signed, for whomever and whenever. Raises the same.

        `types`: of which a token may be that says of which it is.
        """
        header = _part(token, 0)
        if str(header.get("typ", "JWT")).lower() not in types:
            raise ValueError("another type")
        if header.get("alg") not in self.issuer.algorithms:
            raise ValueError("another algorithm")  # before a key is asked for
        if nameless and "kid" not in header:
            key = await self.published.only_key()
        else:
            key = await self.published.key(_text(header["kid"]))
        if key is None:
            raise ValueError("unknown key")
        return self._signed(token, key)

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
        check_whole(claims)
        if len(self._known) >= MOST_KNOWN:
            del self._known[next(iter(self._known))]
        self._known[mark] = key, claims
        return claims

    def check(self, claims: Claims) -> None:
        """Raises whatever of claims that are not this issuer's, for this audience, now."""
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
                "audience (aud), or change %s",
                self.issuer.issuer,
                self.issuer.audience,
                self._setting,
            )

    def principal(self, claims: Claims) -> Principal:
        """Who it is whose claims these are, and what they may."""
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
        address = _address(claims, issuer.address_claim)
        told = _said(claims, issuer.organisation_claim)
        theirs = frozenset(name for claim, name in issuer.organisations.items() if claim in told)
        return Principal("user", person, roles, scope, address, theirs)


def check_whole(told: Any) -> None:
    """Raise `ValueError` of what JSON can say and no text can: half a sign of a surrogate pair."""
    json.dumps(told, ensure_ascii=False).encode()


def _text(given: Any) -> str:
    if not isinstance(given, str):
        raise TypeError("no text")
    return given


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
