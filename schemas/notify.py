"""What is asked of notify, and what happens there: letters."""

from typing import Annotated, Any, ClassVar, Literal

from pydantic import Field

from schemas.base import (
    Command,
    Count,
    Event,
    Moment,
    PersonId,
    described,
)
from schemas.values import (
    Side,
)


class RetryLetter(Command):
    """Try a failed letter again, now."""

    subject_field: ClassVar[str] = "letter_id"
    letter_id: Annotated[
        str,
        described(
            "The id of the letter, as the list of letters shows it.",
            "scheduling.events.3.1042:m-017",
            min_length=1,
            max_length=240,
        ),
    ]


class ReportBounce(Command):
    """A letter that the mail server had taken came back for good (a delivery report, RFC 3464)."""

    subject_field: ClassVar[str] = "letter_id"
    letter_id: Annotated[
        str,
        described(
            "The id of the letter, as its headers tell it.",
            "scheduling.events.3.1042:m-017",
            min_length=1,
            max_length=240,
        ),
    ]
    status: Annotated[
        str,
        described("Why (RFC 3463).", "5.1.1", pattern=r"^[245]\.[0-9]{1,3}\.[0-9]{1,3}$"),
    ]


class LetterEvent(Event):
    """What concerns one letter: one fact for one person."""

    subject_field: ClassVar[str] = "letter_id"
    letter_id: Annotated[
        str,
        described(
            "`fact:person`; the fact is an event's id.",
            "scheduling.events.3.1042:m-017",
            max_length=240,
        ),
    ]
    person_id: PersonId


class LetterQueued(LetterEvent):
    """A fact is owed to a person. `facts` is the event that it tells, no name or address."""

    audience = "internal"
    template: Annotated[str, described("The type of the event that it tells.", "SessionPlanned")]
    side: Side
    facts: Annotated[
        dict[str, Any],
        described(
            "The event that it tells.", {"cohort_id": "bercy-2017", "session_id": "m-017~g-004~3"}
        ),
    ]
    send_at: Annotated[
        Moment,
        described("Not before this, for the quiet hours.", "2017-03-06T09:00:00Z"),
    ]


class LetterSent(LetterEvent):
    """The mail server took the letter."""

    audience = "internal"
    template: Annotated[str, described("The type of the event that it tells.", "SessionPlanned")]
    channel: Annotated[Literal["smtp"], described("How it went out.", "smtp")]
    attempt: Annotated[Count, described("Hand-overs tried, this one included.", 1, ge=1)]


class LetterDeferred(LetterEvent):
    """The letter could not be handed over yet; it is tried again at `retry_at`."""

    audience = "internal"
    attempt: Annotated[Count, described("Hand-overs tried.", 1, ge=0)]
    cause: Annotated[str, described("What the mail server said.", "smtp 451", max_length=80)]
    retry_at: Annotated[
        Moment,
        described("When it is tried again. UTC, to the millisecond.", "2017-03-07T09:00:00Z"),
    ]


class LetterFailed(LetterEvent):
    """The letter was given up. A coordinator sees it and can have it retried."""

    audience = "internal"
    template: Annotated[str, described("The type of the event that it tells.", "SessionPlanned")]
    attempt: Annotated[Count, described("Hand-overs tried.", 8, ge=0)]
    cause: Annotated[
        str, Field(max_length=80, description="Why.", examples=["smtp 550", "no contact"])
    ]
