"""Links of letters that count no more: what is asked of matching, which knows who takes part.

A link is signed, and nothing of it is stored; so what is revoked is told by numbers. Each
revocation of a person's links has the next one, and a link says after which it was written.

Always holds: what was written after a revocation is not touched by it, whichever it was.
"""

from typing import Annotated, ClassVar

from schemas.base import Command, Count, Event, PersonId, Value, described
from schemas.roles import PARTICIPANTS

MOST_SINGLE = 100
"""Links of a person that can be revoked one by one; all of them make room again."""


def link_name(purpose: str, id: str) -> str:
    """By what a link is known: one name for all that let a person do the same."""
    return f"{purpose}:{id}"


class OneLink(Value):
    """One link: the same in every letter that has it, those of reminders and copies among them."""

    purpose: Annotated[
        str,
        described(
            "What it lets its reader do, as the link says it.", "session", pattern=r"^[a-z]{1,32}$"
        ),
    ]
    id: Annotated[
        str,
        described(
            "On what: the id of a pair, a session or a survey, as the link says it.",
            "m-017~g-004~3",
            min_length=1,
            max_length=240,
        ),
    ]

    @property
    def name(self) -> str:
        """By what it is known."""
        return link_name(self.purpose, self.id)


_LINK = described(
    "Which one; null: all links that the person and their assistant have.",
    {"purpose": "session", "id": "m-017~g-004~3"},
)


class RevokeLinks(Command):
    """Links that letters have brought to a person count no more, one of them or all.

    For whoever has lost a telephone or passed a letter on. Letters that are written from then on
    have links that count; calendars to subscribe to have addresses of their own.
    """

    asked_by = PARTICIPANTS
    subject_field: ClassVar[str] = "person_id"
    person_id: PersonId
    link: Annotated[OneLink | None, _LINK] = None


class LinksRevoked(Event):
    """Links of a person count no more, whatever service they lead to."""

    audience = "public"
    subject_field: ClassVar[str] = "person_id"
    person_id: PersonId
    number: Annotated[
        Count,
        described("The number of this revocation of links of theirs; the first is 1.", 1, ge=1),
    ]
    link: Annotated[OneLink | None, _LINK] = None
