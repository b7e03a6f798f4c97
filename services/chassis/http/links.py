"""Links that let one person act on one thing until a moment: signed, expiring, URL-safe.

Always holds: whoever has only the public key can check a link and can make none; a token of
which any character was changed is refused; time is passed in, never asked for.
"""

import base64
import contextlib
import json
from datetime import datetime
from typing import Any, Literal, cast

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from joserfc import jwt
from joserfc.errors import BadSignatureError
from joserfc.jwk import OKPKey

from schemas.base import Value
from schemas.links import link_name
from schemas.roles import Role

_ALGORITHM = "Ed25519"
_LONGEST = 4096  # characters; far above what `sign` makes of the longest ids


class Link(Value):
    """What a link allows: `person_id` (on `side`) may act on `id`, for one `purpose`.

    `attempt` narrows it to one attempt at the thing, where there can be several. `role`: who acts
    on the person's behalf, if it is somebody else. `after`: how many revocations of the person's
    links there had been when it was written.
    """

    purpose: str
    cohort_id: str
    person_id: str
    side: str
    id: str
    attempt: int | None = None
    role: Role | None = None
    after: int = 0

    @property
    def name(self) -> str:
        """By what it is revoked."""
        return link_name(self.purpose, self.id)


class LinkError(Exception):
    """A token that allows nothing: `forged` (not ours, or changed) or `expired`.

    `link`: what it has allowed, once.
    """

    def __init__(self, reason: Literal["forged", "expired"], link: Link | None = None) -> None:
        super().__init__(reason)
        self.reason: Literal["forged", "expired"] = reason
        self.link = link


def _segment(part: dict[str, Any]) -> bytes:
    return _encoded(json.dumps(part, ensure_ascii=False, separators=(",", ":")).encode())


def _encoded(octets: bytes) -> bytes:
    return base64.urlsafe_b64encode(octets).rstrip(b"=")


_HEAD = _segment({"typ": "JWT", "alg": _ALGORITHM})
"""What every token begins with: a library would write it anew for each."""


class LinkSigner:
    """Makes links. Only the service that writes to people holds the private key."""

    def __init__(self, private_key_pem: str) -> None:
        """`ValueError` if the PEM is not an Ed25519 private key."""
        key = _key(private_key_pem, private=True)
        self._key = cast(Ed25519PrivateKey, key.private_key)

    def sign(self, link: Link, expires_at: datetime) -> str:
        """The token (a JWT, about 350 characters); the same two give the same token."""
        claims = link.model_dump(exclude_defaults=True) | {"exp": int(expires_at.timestamp())}
        signed = _HEAD + b"." + _segment(claims)
        return (signed + b"." + _encoded(self._key.sign(signed))).decode()


class LinkVerifier:
    """Checks links: those of one key, and of another while it is being changed."""

    def __init__(self, *public_key_pems: str) -> None:
        """`ValueError` if a PEM is not an Ed25519 public key."""
        self._keys = [_key(pem, private=False) for pem in public_key_pems]

    def verify(self, token: str, now: datetime) -> Link:
        """What the token allows at `now`. Raises `LinkError` and nothing else."""
        try:
            claims = self._claims(token)
            link, expires_at = Link.model_validate(claims), int(claims["exp"])
        except Exception:  # noqa: BLE001 - whatever a stranger sends, it is not our token
            raise LinkError("forged") from None
        if now.timestamp() >= expires_at:
            raise LinkError("expired", link)
        return link

    def _claims(self, token: str) -> dict[str, Any]:
        if len(token) > _LONGEST or not all(_is_canonical(part) for part in token.split(".")):
            raise ValueError("not a token")
        *others, last = self._keys
        for key in others:
            with contextlib.suppress(BadSignatureError):
                return jwt.decode(token, key, algorithms=[_ALGORITHM]).claims
        return jwt.decode(token, last, algorithms=[_ALGORITHM]).claims


def generate_keys() -> tuple[str, str]:
    """A new (private, public) pair of keys, as PEM."""
    key = OKPKey.generate_key("Ed25519")
    return key.as_pem(private=True).decode(), key.as_pem(private=False).decode()


def _key(pem: str, *, private: bool) -> OKPKey:
    wanted = f"an Ed25519 {'private' if private else 'public'} key"
    try:
        key = OKPKey.import_key(pem)
    except Exception:  # noqa: BLE001 - the library's message could quote the key
        raise ValueError(f"not {wanted}") from None
    if key.is_private is not private or key.curve_name != "Ed25519":
        raise ValueError(f"not {wanted}")
    return key


def _is_canonical(part: str) -> bool:
    """Whether no other text stands for the same bytes.

    The last character of base64 has bits that many decoders ignore: a changed token could verify.
    Not every version of the library may be strict about them, so this is.
    """
    raw = base64.b64decode(part + "=" * (-len(part) % 4), altchars=b"-_", validate=True)
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode() == part
