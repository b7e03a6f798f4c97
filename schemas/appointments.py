"""Who has which role in a cohort because an administrator gave it: what is asked, and what is so.

It is notify's, which knows people by their contacts, and forgets them. Roles that settings or the
claims of an identity provider give are no messages, and stand beside these.

Always holds: a role is given to a person of the cohort, and holds for the address that reaches
them at that moment: whoever changes an address later changes nobody's role. Whoever is given one,
or from whom one is taken, is told by letter.
"""

from typing import Annotated, Any, ClassVar, Literal

from pydantic import Field

from schemas.base import Command, Event, Moment, PersonId, described
from schemas.notify import LetterEvent
from schemas.organisations import MOST_NAMED, AskedName
from schemas.roles import ADMINISTRATORS

GivenRole = Annotated[
    Literal["administrator", "coordinator", "partner", "auditor"],
    described("The role, in this cohort.", "partner"),
]
GIVEN_ROLES: tuple[GivenRole, ...] = ("administrator", "coordinator", "partner", "auditor")

ActorId = Annotated[
    str,
    described("An actor's id, as `ce_authid` has it.", "s-4f1f2b7c9d0e8a6b5c3d", max_length=128),
]


def held_id(person_id: str, role: str) -> str:
    """The id of a role of somebody."""
    return f"{person_id}~{role}"


class GiveRole(Command):
    """Give a person a role in a cohort; of a role that they have, other organisations.

    They are known in the cohort by a contact, whether they take part or not.
    """

    asked_by = ADMINISTRATORS
    subject_field: ClassVar[str] = "person_id"
    person_id: PersonId
    role: GivenRole
    organisations: Annotated[
        tuple[AskedName, ...],
        described(
            "Of a partner, the organisations whose people they coordinate; else none.",
            ["Natixis"],
            max_length=MOST_NAMED,
        ),
    ] = ()


class TakeRole(Command):
    """Take a role that was given from a person. What they do from then on, they do without it."""

    asked_by = ADMINISTRATORS
    subject_field: ClassVar[str] = "person_id"
    person_id: PersonId
    role: GivenRole


class RoleGiven(Event):
    """A person has a role in a cohort."""

    audience = "internal"
    subject_field: ClassVar[str] = "person_id"
    person_id: PersonId
    role: GivenRole
    organisations: Annotated[
        tuple[str, ...],
        described("Of a partner, the organisations whose people they coordinate.", ["Natixis"]),
    ] = ()
    holder: Annotated[ActorId, Field(description="By what whoever has their address acts.")]
    given_at: Annotated[Moment, described("When it was given. UTC.", "2017-03-06T09:00:00Z")]
    asker: Annotated[
        ActorId | None, Field(description="Who gave it; null where nobody is known.")
    ] = None


class RoleTaken(Event):
    """A person has a role in a cohort no more."""

    audience = "internal"
    subject_field: ClassVar[str] = "person_id"
    person_id: PersonId
    role: GivenRole
    because: Annotated[
        Literal["asked", "erased"],
        described("An administrator asked for it, or the person was erased.", "asked"),
    ]
    taken_at: Annotated[
        Moment | None,
        described(
            "When, where it was asked for; null in the oldest records. UTC.", "2017-09-01T08:00:00Z"
        ),
    ] = None
    asker: Annotated[
        ActorId | None, Field(description="Who asked for it; null where nobody is known.")
    ] = None


class RoleLetterQueued(LetterEvent):
    """A letter is owed to somebody of whose role it tells. `facts` is what happened to that."""

    audience = "internal"
    template: Annotated[
        Literal["RoleGiven", "RoleTaken"],
        described("The type of the event that it tells.", "RoleGiven"),
    ]
    facts: Annotated[
        dict[str, Any],
        described(
            "The event that it tells, without who asked for it.",
            {"cohort_id": "bercy-2017", "person_id": "c-1", "role": "coordinator"},
        ),
    ]
    send_at: Annotated[
        Moment,
        described("Not before this, for the quiet hours.", "2017-03-06T09:00:00Z"),
    ]
