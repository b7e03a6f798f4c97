"""By what a letter that came back is known to be one of ours: a word that nobody else can make.

Ids of letters can be guessed, and anybody can write a delivery report.
"""

import hmac

HEADER = "X-Connecte-Proof"
"""Of a letter; mail servers send headers back with what could not be delivered."""


def proof(secret: str, letter: str) -> str:
    """The word for a letter (its key), 32 hex digits; the same again for the same two."""
    return hmac.digest(secret.encode(), f"letter {letter}".encode(), "sha256").hex()[:32]


def is_proof(given: str, secret: str, letter: str) -> bool:
    """Whether somebody had the letter who gives this word for it."""
    return hmac.compare_digest(given.encode(), proof(secret, letter).encode())
