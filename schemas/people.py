"""The one restricted message: how a person can be reached.

Only `mentoring.people` carries it. The topic is compacted by key, so the newest record of a
person is what counts, and a record without a value (a tombstone) erases the person.

Always holds: a contact that is taken in can be written to, as far as its spelling tells. What was
taken in when less was asked stays what it was: a database that is built again is the same.
"""

import re
from typing import Annotated, ClassVar, Literal

from email_validator import EmailNotValidError, validate_email
from pydantic import AfterValidator, BeforeValidator, Field, ValidationInfo, model_validator

from schemas.base import Command, PersonId, Value, described
from schemas.roles import CONCERNED, TAKING_PART
from schemas.text import tidied
from schemas.values import Language, Place


def _mailable(address: str, info: ValidationInfo) -> str:
    """The address as it is. Nobody is asked whether it exists."""
    if info.context != "taken-in":
        try:
            validate_email(
                address,
                check_deliverability=False,
                allow_smtputf8=False,
                globally_deliverable=False,
                test_environment=True,
            )
        except EmailNotValidError as error:
            raise ValueError(f"no letter can be sent to this address: {error}") from None
        if "=?" in address:  # a mail program would take it for an encoded word
            raise ValueError("no letter can be sent to this address: it has a '=?'")
    return address


def _tidied_here(name: object, info: ValidationInfo) -> object:
    """A record's name stays as it is: whoever reads it, now or in a rebuild, finds the same.

    One of which nothing is drawn is none, and is empty.
    """
    if not isinstance(name, str) or info.context == "taken-in":
        return name
    tidy = tidied(name)
    return name if tidy and info.context == "record" else tidy


Address = Annotated[
    str,
    described(
        "E-mail address.",
        "camille.roux@example.org",
        pattern=r"^[^@\s<>,;:\"()\[\]\\]{1,64}@[A-Za-z0-9-]{1,63}(\.[A-Za-z0-9-]{1,63})+$",
        max_length=254,
    ),
    AfterValidator(_mailable),
]


_REACHES = re.compile(r"@|https?:|www\.|(?:\d[ .-]?){8}", re.IGNORECASE)


def tells_address(text: str) -> bool:
    """Whether a text says how its writer can be reached."""
    return _REACHES.search(text) is not None


def _tells_no_address(text: str | None, info: ValidationInfo) -> str | None:
    """Whoever reads it has not accepted yet: an address comes with the pair."""
    if text is not None and info.context != "taken-in" and tells_address(text):
        raise ValueError(
            "it has an address, a link or a telephone number: leave it out, each of the two gets "
            "the other's address when both have accepted"
        )
    return text


class Assistant(Value):
    """Who sees to a person's dates: they get copies of the letters about sessions."""

    name: Annotated[
        Place,
        described("The assistant's name, as letters address them.", "Dominique Petit"),
        BeforeValidator(_tidied_here),
    ]
    email: Address


class PersonContact(Command):
    """How to reach a person, in which language, and what others are told of them.

    The newest one counts.
    """

    asked_by = TAKING_PART
    audience = "restricted"
    version: ClassVar[int] = 4
    subject_field: ClassVar[str] = "person_id"
    person_id: PersonId
    name: Annotated[
        Place,
        described("The person's name, as letters address them.", "Camille Roux"),
        BeforeValidator(_tidied_here),
    ]
    email: Address
    language: Annotated[Language, Field(description="Language of their letters.")] = "fr"
    post: Annotated[
        str | None,
        described(
            "What they do, in their own words; told to whoever they are proposed to.",
            "Cheffe du bureau des achats",
            min_length=1,
            max_length=64,
        ),
        BeforeValidator(_tidied_here),
        AfterValidator(_tells_no_address),
    ] = None
    presentation: Annotated[
        str | None,
        described(
            "What they say of themselves; told to whoever they are proposed to.",
            "J’aime expliquer LinkedIn sans jargon.",
            min_length=1,
            max_length=280,
        ),
        BeforeValidator(_tidied_here),
        AfterValidator(_tells_no_address),
    ] = None
    assistant: Annotated[
        Assistant | None,
        described(
            "Who confirms, moves and cancels their sessions on their behalf; null for nobody.",
            {"name": "Dominique Petit", "email": "dominique.petit@example.org"},
        ),
    ] = None
    role: Annotated[
        Literal["coordinator"] | None,
        described(
            "Whether they are told what wants a coordinator's attention in this cohort.",
            "coordinator",
        ),
    ] = None

    @model_validator(mode="after")
    def _somebody_else(self) -> "PersonContact":
        if self.assistant is not None and self.assistant.email.casefold() == self.email.casefold():
            raise ValueError("assistant.email: it is the person's own: name somebody else, or null")
        return self


class PersonErased(Command):
    """A person is forgotten. Its record is a tombstone: it has a key and no value."""

    asked_by = CONCERNED
    audience = "restricted"
    subject_field: ClassVar[str] = "person_id"
    person_id: PersonId
