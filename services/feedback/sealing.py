"""Answers that wait to be counted, sealed: whoever reads the topics or the database learns nothing.

Always holds: the same answers to the same survey make the same seal, so a step that is made again
makes the same events; of two seals nobody without the key can tell whether they hold the same, nor
how much. What was sealed by a key of before can be opened while that key is known.
"""

import base64
import hashlib
import hmac
import json
from collections.abc import Mapping

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESSIV

_BLOCK = 256
"""Bytes: answers are filled up to a multiple of it, so that their length does not tell them."""
_MARK = 16


class _Key:
    def __init__(self, secret: str) -> None:
        self._cipher = AESSIV(_derived(secret, "answers"))
        self._marks = _derived(secret, "marks")

    def seal(self, what: str, plain: bytes) -> bytes:
        mark = hmac.new(self._marks, what.encode(), hashlib.sha256).digest()[:_MARK]
        return mark + self._cipher.encrypt(plain, [mark])

    def open(self, sealed: bytes) -> bytes:
        """Raises `InvalidTag` or `ValueError` of what was not sealed by it."""
        return self._cipher.decrypt(sealed[_MARK:], [sealed[:_MARK]])


class Seal:
    """Seals by the first of some secrets, and opens what any of them has sealed."""

    def __init__(self, secret: str, *before: str) -> None:
        self._keys = [_Key(one) for one in (secret, *before)]

    def seal(self, survey: str, scores: Mapping[str, int]) -> str:
        """Answers as a text. `survey`: what no two of them are to have in common."""
        plain = json.dumps(dict(scores), separators=(",", ":")).encode()
        filled = plain.ljust(-(-len(plain) // _BLOCK) * _BLOCK)
        return base64.urlsafe_b64encode(self._keys[0].seal(survey, filled)).decode()

    def open(self, sealed: str) -> dict[str, int] | None:
        """The answers; None where no key of ours has sealed them."""
        try:
            given = base64.urlsafe_b64decode(sealed.encode())
        except ValueError:
            return None
        for key in self._keys:
            try:
                found: dict[str, int] = json.loads(key.open(given))
            except (InvalidTag, ValueError):
                continue
            return found
        return None


def _derived(secret: str, purpose: str) -> bytes:
    """64 bytes of a secret, for one purpose: what else it is used for tells nothing of them."""
    return hashlib.blake2b(f"feedback {purpose}".encode(), key=_short(secret)).digest()


def _short(secret: str) -> bytes:
    return hashlib.sha512(secret.encode()).digest()
