"""What is asked of notify, and what happens there: letters."""

from typing import Annotated, Any, ClassVar, Literal

from pydantic import Field

from schemas.base import (
    CohortId,
    Command,
    Count,
    Event,
    Moment,
    PairId,
    PersonId,
    Value,
    described,
)
from schemas.calendars import HoursRevision, OtherCalendar
from schemas.roles import COORDINATORS
from schemas.values import (
    Side,
)

Template = Annotated[str, described("The type of the event that it tells.", "SessionPlanned")]
Facts = Annotated[
    dict[str, Any],
    described(
        "The event that it tells.", {"cohort_id": "bercy-2017", "session_id": "m-017~g-004~3"}
    ),
]


class RetryLetter(Command):
    """Try a failed letter again, now."""

    asked_by = COORDINATORS
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

    asked_by = COORDINATORS
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


class News(Value):
    """A fact that a letter tells beside its first."""

    news_id: Annotated[
        str,
        described(
            "`fact:person`, as that of a letter.",
            "SurveyOpened:m-017~g-004~start~mentor:m-017",
            max_length=240,
        ),
    ]
    template: Template
    side: Side
    facts: Facts


class SessionDate(Value):
    """When a session of a pair is planned."""

    pair_id: PairId
    number: Annotated[Count, described("1 is the pair's first session.", 3, ge=1)]
    starts_at: Annotated[Moment, described("When it begins. UTC.", "2017-03-20T09:00:00Z")]
    ends_at: Annotated[Moment, described("When it ends. UTC.", "2017-03-20T10:00:00Z")]
    given_at: Annotated[
        Moment | None,
        described("Since when that date stands, if it is known. UTC.", "2017-03-06T09:00:00Z"),
    ] = None


class LetterEvent(Event):
    """What concerns one letter: one fact for one person, or several that one letter tells."""

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


class NewsHeld(LetterEvent):
    """A fact is to be told to a person, in the letter that leaves at `tell_at` or before."""

    audience = "internal"
    template: Template
    side: Side
    facts: Facts
    tell_at: Annotated[Moment, described("When it is told at the latest.", "2017-03-06T10:00:00Z")]
    joins_from: Annotated[
        Moment,
        described(
            "From then on a letter that leaves before takes it along.", "2017-03-06T09:00:00Z"
        ),
    ]


class NewsDropped(LetterEvent):
    """A fact that was held is told to nobody: another has made it untrue, or it is too late."""

    audience = "internal"
    template: Template
    cause: Annotated[
        Literal["outdated", "too-late"],
        described("Another fact came, or a reminder could not leave in time.", "outdated"),
    ]
    by: Annotated[
        str | None,
        described(
            "The fact that made it untrue; null where it is too late.",
            "SessionCancelled:m-017~g-004~3:1.2",
            max_length=240,
        ),
    ] = None


class LetterQueued(LetterEvent):
    """A fact is owed to a person. `facts` is the event that it tells, no name or address."""

    audience = "internal"
    template: Template
    side: Side
    facts: Facts
    send_at: Annotated[
        Moment,
        described("Not before this, for the quiet hours.", "2017-03-06T09:00:00Z"),
    ]
    also: Annotated[
        tuple[News, ...], Field(description="What the same letter tells beside that, in order.")
    ] = ()
    dates: Annotated[
        tuple[SessionDate, ...], Field(description="The sessions to come that it names, in order.")
    ] = ()
    urgent: Annotated[
        bool, described("Whether it leaves in quiet hours, too: tomorrow is too late.", False)
    ] = False
    to_assistant: Annotated[
        bool, described("Whether it is the copy for the person's assistant.", False)
    ] = False


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
    failed_at: Annotated[
        Moment | None,
        described("When it was given up; null in the oldest records.", "2017-03-07T09:00:00Z"),
    ] = None


class ContactsErased(Event):
    """The time of a closed cohort's people is over: tombstones were written for some of them.

    With none erased: there is somebody who can be reached, or nobody any more.
    """

    audience = "internal"
    erased: Annotated[Count, described("How many people can be reached no more.", 40)]
    next_at: Annotated[
        Moment | None,
        described("When it is looked for others; null: nobody is left.", "2018-07-31T09:10:00Z"),
    ] = None


class Hearer(Value):
    """The same person in another cohort, where their hours of this one are told to scheduling."""

    cohort_id: CohortId
    person_id: PersonId
    calendar: Annotated[OtherCalendar, Field(description="By which word they are told there.")]
    heard_as: Annotated[OtherCalendar, Field(description="By which word those of there come here.")]


class ToldHours(Value):
    """Whose hours were told, and to whom."""

    person_id: PersonId
    revision: HoursRevision
    hearers: Annotated[
        tuple[Hearer, ...],
        described(
            "The same person in other cohorts; nobody, where they take part in this one alone.",
            [
                {
                    "cohort_id": "bercy-2018",
                    "person_id": "m-003",
                    "calendar": "9f86d081884c7d65",
                    "heard_as": "60303ae22b998861",
                }
            ],
        ),
    ] = ()


class HoursTold(Event):
    """Whoever has these people's addresses in other cohorts was looked for, and told their hours.

    Who was told before and is not named any more was told that they are gone.
    """

    audience = "internal"
    told: Annotated[
        tuple[ToldHours, ...],
        described("Each of them.", [{"person_id": "m-017", "revision": 3, "hearers": []}]),
    ]


class AddressChanged(Event):
    """Somebody who is or was in a pair has another address, a first one, or none any more."""

    audience = "internal"
    subject_field: ClassVar[str] = "person_id"
    person_id: PersonId
