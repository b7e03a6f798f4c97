"""Answers that wait to be counted, sealed: whoever reads the topics or the database learns nothing.

Always holds: the same answers to the same survey, in place of the same seal, make the same seal, so
a step that is made again makes the same events; of any others nobody without the key can tell
whether they hold the same, nor how much. What was sealed by a key of before can be opened, and
found by its survey, while that key is known.
"""

import base64
import hashlib
import hmac
import json
from collections.abc import Iterable, Mapping

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
        mark = self.mark(what)
        return mark + self._cipher.encrypt(plain, [mark])

    def mark(self, what: str) -> bytes:
        """What all seals of the same begin with."""
        return hmac.new(self._marks, what.encode(), hashlib.sha256).digest()[:_MARK]

    def open(self, sealed: bytes) -> bytes:
        """Raises `InvalidTag` or `ValueError` of what was not sealed by it."""
        return self._cipher.decrypt(sealed[_MARK:], [sealed[:_MARK]])


class Seal:
    """Seals by the first of some secrets, and opens what any of them has sealed."""

    def __init__(self, secret: str, *before: str) -> None:
        self._keys = [_Key(one) for one in (secret, *before)]

    def seal(self, survey: str, scores: Mapping[str, int], replaces: str = "") -> str:
        """Answers as a text. `survey`: what no two people's are to have in common.

        `replaces`: the seal in whose place it comes. Whoever comes back to what they had answered
        at first makes another seal than at first.
        """
        plain = json.dumps(dict(scores), separators=(",", ":")).encode()
        filled = plain + _filling(-len(plain) % _BLOCK, replaces)
        return base64.urlsafe_b64encode(self._keys[0].seal(survey, filled)).decode()

    def find(self, survey: str, among: Iterable[str]) -> tuple[str, dict[str, int]] | None:
        """The seal of a survey's answers, and the answers; None where it is not among them."""
        marks = {key.mark(survey) for key in self._keys}
        for sealed in among:
            if _bytes(sealed)[:_MARK] in marks and (scores := self.open(sealed)) is not None:
                return sealed, scores
        return None

    def open(self, sealed: str) -> dict[str, int] | None:
        """The answers; None where no key of ours has sealed them."""
        given = _bytes(sealed)
        for key in self._keys:
            try:
                found: dict[str, int] = json.loads(key.open(given))
            except (InvalidTag, ValueError):
                continue
            return found
        return None


def _filling(length: int, replaces: str) -> bytes:
    """Blanks, which mean nothing to whoever opens them; in the place of another seal other ones."""
    bits = hashlib.shake_128(replaces.encode()).digest(length) if replaces else bytes(length)
    return bytes(b" \t"[bit & 1] for bit in bits)


def _bytes(sealed: str) -> bytes:
    """What a text stands for; of one that was never a seal, nothing."""
    try:
        return base64.urlsafe_b64decode(sealed.encode())
    except ValueError:
        return b""


def _derived(secret: str, purpose: str) -> bytes:
    """64 bytes of a secret, for one purpose: what else it is used for tells nothing of them."""
    return hashlib.blake2b(f"feedback {purpose}".encode(), key=_short(secret)).digest()


def _short(secret: str) -> bytes:
    return hashlib.sha512(secret.encode()).digest()
