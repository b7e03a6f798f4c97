"""What is asked of scheduling about single dates of a person, and what is noted of them."""

from typing import Annotated, ClassVar

from pydantic import Field, model_validator

from schemas.base import (
    Command,
    Count,
    Event,
    Moment,
    PersonId,
    Value,
    at_most,
    described,
)
from schemas.dates import Absence, Day, Hours, OfferedDay
from schemas.roles import MACHINES, PARTICIPANTS


class DeclareAbsence(Command):
    """Somebody cannot meet on these days, or in these hours of one day; sessions then move."""

    asked_by = PARTICIPANTS
    subject_field: ClassVar[str] = "person_id"
    person_id: PersonId
    first_day: Day
    last_day: Annotated[Day, Field(examples=["2017-04-28"])]
    hours: Annotated[
        Hours | None,
        described("Only in these hours, of one day; null for whole days.", None),
    ] = None

    @model_validator(mode="after")
    def _in_order(self) -> "DeclareAbsence":
        if self.last_day < self.first_day:  # both are YYYY-MM-DD
            raise ValueError("last_day: an absence ends on the day it begins, or later")
        if self.hours is not None and self.last_day != self.first_day:
            raise ValueError("hours: those of one day; last_day is first_day then")
        return self


class WithdrawAbsence(Command):
    """Somebody can meet after all in what they had declared an absence that begins like this."""

    asked_by = PARTICIPANTS
    subject_field: ClassVar[str] = "person_id"
    person_id: PersonId
    first_day: Day
    hours: Annotated[
        Hours | None,
        Field(description="The hours that were declared; null for whole days."),
    ] = None


class OfferHours(Command):
    """Somebody can meet in these hours of one date, beyond their week. It replaces what was said.

    Without hours, the week alone counts for that date again.
    """

    asked_by = PARTICIPANTS
    subject_field: ClassVar[str] = "person_id"
    person_id: PersonId
    day: Day
    hours: Annotated[
        tuple[Hours, ...],
        described("Europe/Paris.", [{"start": "09:30", "end": "12:00"}], max_length=8),
    ]


class TakenHours(Value):
    """A time that a session of another cohort takes."""

    starts_at: Annotated[Moment, described("When it begins. UTC.", "2017-03-20T09:00:00Z")]
    ends_at: Annotated[Moment, described("When it ends. UTC.", "2017-03-20T10:00:00Z")]
    given_at: Annotated[
        Moment | None,
        described("Since when that date stands; null: for longest. UTC.", "2017-03-06T09:00:00Z"),
    ] = None

    @model_validator(mode="after")
    def _in_order(self) -> "TakenHours":
        if self.ends_at <= self.starts_at:
            raise ValueError("ends_at: it ends after it begins")
        return self


Taken = Annotated[
    tuple[TakenHours, ...],
    described(
        "All of that calendar's hours that are taken, and to come.",
        [
            {
                "starts_at": "2017-03-20T09:00:00Z",
                "ends_at": "2017-03-20T10:00:00Z",
                "given_at": "2017-03-06T09:00:00Z",
            }
        ],
    ),
]
OtherCalendar = Annotated[
    str,
    described(
        "Which other calendar of this person's: a word made with a secret, from which nobody "
        "reads whose it is, nor of which cohort.",
        "9f86d081884c7d65",
        pattern=r"^[0-9a-f]{8,64}$",
    ),
]
HoursRevision = Annotated[
    Count, described("Grows with every change of that calendar; the newest list counts.", 3, ge=0)
]
GoesFirst = Annotated[
    bool,
    described("Whether its date stays where two were given in the same moment.", True),
]
Gone = Annotated[
    bool,
    described("Whether it is this person's no more: all that was noted of it is forgotten.", False),
]


class NoteHoursElsewhere(Command):
    """Which hours somebody has taken in another cohort; sessions whose dates are newer give way.

    Notify tells it, which knows people's addresses. Told twice, it changes nothing.
    """

    asked_by = MACHINES
    subject_field: ClassVar[str] = "person_id"
    person_id: PersonId
    calendar: OtherCalendar
    revision: HoursRevision
    goes_first: GoesFirst
    hours: Annotated[Taken, at_most(500)] = ()
    gone: Gone = False

    @model_validator(mode="after")
    def _nothing_is_left(self) -> "NoteHoursElsewhere":
        if self.gone and self.hours:
            raise ValueError("hours: what is gone takes none")
        return self


class CalendarEvent(Event):
    """What concerns somebody's calendar."""

    subject_field: ClassVar[str] = "person_id"
    person_id: PersonId
    said_on: Annotated[Day, Field(description="The day on which it was said, in Europe/Paris.")]


class AbsenceDeclared(CalendarEvent):
    """Somebody cannot meet on these days, or in these hours."""

    audience = "internal"
    absence: Annotated[Absence, Field(description="When.")]


class AbsenceWithdrawn(CalendarEvent):
    """Somebody can meet on these days, or in these hours, after all."""

    audience = "internal"
    absence: Annotated[Absence, Field(description="When.")]


class HoursOffered(CalendarEvent):
    """Somebody can meet in these hours of a date beyond their week; without any, no more."""

    audience = "internal"
    offered: Annotated[OfferedDay, Field(description="When.")]


class HoursElsewhereNoted(CalendarEvent):
    """Somebody has these hours taken in another cohort, and no others there."""

    audience = "internal"
    calendar: OtherCalendar
    revision: HoursRevision
    goes_first: GoesFirst
    hours: Taken = ()
    gone: Gone = False
