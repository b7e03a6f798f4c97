"""What is asked of scheduling about single dates of a person, and what is noted of them."""

from typing import Annotated, ClassVar

from pydantic import Field, model_validator

from schemas.base import Command, Event, PersonId, described
from schemas.dates import Absence, Day, Hours, OfferedDay
from schemas.roles import PARTICIPANTS


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
