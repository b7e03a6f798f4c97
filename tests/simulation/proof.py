"""The links of the simulation's letters, which prove an answer to a survey, and its seal.

Always holds: the key is the same on every machine, so that a seed leaves the same bytes behind.
"""

from datetime import timedelta

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
)

from services.chassis.http.links import Link, LinkSigner, LinkVerifier
from services.feedback.sealing import Seal
from services.notify.views import Letter

_KEY = Ed25519PrivateKey.from_private_bytes(b"the key of a simulation, no more")
_PEM = Encoding.PEM
SIGNER = LinkSigner(_KEY.private_bytes(_PEM, PrivateFormat.PKCS8, NoEncryption()).decode())
VERIFIER = LinkVerifier(
    _KEY.public_key().public_bytes(_PEM, PublicFormat.SubjectPublicKeyInfo).decode()
)
SEAL = Seal("the key of a simulation, no more")


def proof_of(letter: Letter, survey_id: str, after: int) -> str:
    """The token of the link that a letter has to a survey; `after`: as in `Link`."""
    link = Link(
        purpose="survey",
        cohort_id=letter.cohort_id,
        person_id=letter.person_id,
        side=letter.side,
        id=survey_id,
        after=after,
    )
    return SIGNER.sign(link, letter.owed_since + timedelta(days=60))
