"""Whose it is that the portal keeps beside its documents (`Kept`): by this it is forgotten at once.

Always holds: what is kept for longer than a session and is of an address names it by its digest.
"""

import hashlib


def digest(text: str) -> str:
    """What is kept of a token, or of an address that is not to be read."""
    return hashlib.sha256(text.encode()).hexdigest()


def owner_in(cohort_id: str, address: str) -> str:
    """Of which address something in one cohort is."""
    return f"{cohort_id}/{digest(address.casefold())}"


def owners_of(cohort_id: str, address: str) -> tuple[str, ...]:
    """Everything of an address, and what is of it in a cohort."""
    address = address.casefold()
    return address, digest(address), owner_in(cohort_id, address)
