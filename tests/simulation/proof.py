"""The links of the simulation's letters: what proves an answer to a survey.

Always holds: the key is the same on every machine, so that a seed leaves the same bytes behind.
"""

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
)

from services.chassis.http.links import LinkSigner, LinkVerifier
from services.notify.actions import ANSWERED_BY, Links
from services.notify.views import Letter

_KEY = Ed25519PrivateKey.from_private_bytes(b"the key of a simulation, no more")
_PEM = Encoding.PEM
SIGNER = LinkSigner(_KEY.private_bytes(_PEM, PrivateFormat.PKCS8, NoEncryption()).decode())
VERIFIER = LinkVerifier(
    _KEY.public_key().public_bytes(_PEM, PublicFormat.SubjectPublicKeyInfo).decode()
)
_LINKS = Links(SIGNER, dict.fromkeys(ANSWERED_BY.values(), "http://nowhere"))


def proof_in(letter: Letter) -> str:
    """The token of the link in a letter."""
    url = _LINKS.of(letter, "fr") or ""
    return url.rpartition("/")[2].partition("?")[0]
