"""Decisions about links of letters: those that a person has count no more.

Always holds: every revocation has a number of its own, one above the person's last.
"""

from schemas.base import recast
from schemas.links import MOST_SINGLE, LinksRevoked, RevokeLinks
from services.chassis.documents import RevokedLinks
from services.chassis.domain import Decision, Refusal
from services.matching.people import unknown_person
from services.matching.views import Manager, Mentor


def revoke(
    mentor: Mentor | None,
    manager: Manager | None,
    known: RevokedLinks | None,
    command: RevokeLinks,
) -> Decision:
    """They are revoked, again if they were: in between a letter can have brought others."""
    if mentor is None and manager is None:
        return unknown_person(command.person_id)
    if command.link is not None and known is not None:
        names = {name for name, _ in known.single}
        if command.link.name not in names and len(names) >= MOST_SINGLE:
            return Refusal(
                "conflict",
                "too-many-links",
                f"Of theirs {MOST_SINGLE} links were revoked one by one, so revoke all of them.",
            )
    return [recast(LinksRevoked, command, number=known.number + 1 if known else 1)]
