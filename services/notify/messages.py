"""What notify tells itself: how a hand-over to the mail server went, an erasure, what was told."""

from typing import Annotated, ClassVar, Literal

from pydantic import Field

from schemas.base import Message
from schemas.notify import ToldHours

Outcome = Literal["sent", "transient", "permanent", "no-contact", "quiet-hours"]


class LetterAttempted(Message):
    """A due letter was handed over, or could not be. Not a record: the sender reports it.

    - `sent`: the mail server took it.
    - `transient`: it may be taken later (4xx, no connection, timeout).
    - `permanent`: it will never be taken as it is (5xx, or it cannot be written).
    - `no-contact`: an address that it needs is not known (yet, or any more).
    - `quiet-hours`: nothing was tried, for it is not a time to write to people.
    """

    subject_field: ClassVar[str] = "letter_id"
    letter_id: str
    outcome: Outcome
    cause: Annotated[str, Field(max_length=80, description="No names, no addresses.")] = ""
    copied: Annotated[
        bool, Field(description="Whether the person has an assistant, who gets a copy.")
    ] = False


class TombstonesWritten(Message):
    """Some people of a cohort whose time is over were erased, or none was left. Not a record."""

    erased: int


class HoursGathered(Message):
    """The hours of people of a cohort were told, to whom there was anybody. Not a record."""

    told: tuple[ToldHours, ...]
