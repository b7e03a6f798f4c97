"""The one restricted message: how a person can be reached.

Only `mentoring.people` carries it. The topic is compacted by key, so the newest record of a
person is what counts, and a record without a value (a tombstone) erases the person.
"""

from typing import Annotated, ClassVar

from pydantic import Field

from schemas.base import Command, PersonId, described
from schemas.values import Language, Place

Address = Annotated[
    str,
    described(
        "E-mail address.",
        "camille.roux@example.org",
        pattern=r"^[^@\s<>,;:\"()\[\]\\]{1,64}@[A-Za-z0-9-]{1,63}(\.[A-Za-z0-9-]{1,63})+$",
        max_length=254,
    ),
]


class PersonContact(Command):
    """How to reach a person, in which language. The newest one counts."""

    audience = "restricted"
    subject_field: ClassVar[str] = "person_id"
    person_id: PersonId
    name: Annotated[
        Place,
        described("The person's name, as letters address them.", "Camille Roux"),
    ]
    email: Address
    language: Annotated[Language, Field(description="Language of their letters.")] = "fr"


class PersonErased(Command):
    """The tombstone of a person, as a service sees it: the record had a key and no value."""

    audience = "restricted"
    subject_field: ClassVar[str] = "person_id"
    person_id: PersonId
