"""Values of single dates: days, hours of a day, absences, holidays by region, a session's date."""

from datetime import date
from typing import Annotated, Literal

from pydantic import AfterValidator, Field, StringConstraints, model_validator

from schemas.base import Moment, Value, described

ClockTime = Annotated[
    str,
    StringConstraints(pattern=r"^([01][0-9]|2[0-3]):[0-5][0-9]$"),
    described("Wall-clock time in Europe/Paris.", "09:30"),
]


def minutes(time: str) -> int:
    """Minutes since midnight of a `ClockTime`."""
    return int(time[:2]) * 60 + int(time[3:])


def _real(day: str) -> str:
    date.fromisoformat(day)  # "day is out of range for month" says what is wrong
    return day


Day = Annotated[
    str,
    StringConstraints(pattern=r"^[0-9]{4}-[0-9]{2}-[0-9]{2}$"),
    AfterValidator(_real),
    described("A day, in Europe/Paris.", "2017-04-18"),
]
ProposedAt = Annotated[Moment, described("The date that is proposed. UTC.", "2017-03-21T09:00:00Z")]
StandsAt = Annotated[
    Moment | None,
    described(
        "The date that is meant, as whoever asks has seen it: if another one stands by now, "
        "nothing is done. Null: whichever stands. UTC.",
        "2017-03-14T09:00:00Z",
    ),
]
ShiftCause = Annotated[
    Literal["earlier_session", "absence"],
    described("An earlier session of the pair took its time, or somebody is away.", "absence"),
]
GivenAt = Annotated[
    Moment | None,
    described(
        "Since when this date stands, which the session may have from another of its pair; null "
        "where that was not told yet. UTC.",
        "2017-03-06T09:00:00Z",
    ),
]
Elsewhere = Annotated[
    bool,
    described("Whether who is away has a session in another cohort then, and no absence.", False),
]
Region = Annotated[
    Literal[
        "57",
        "67",
        "68",
        "971",
        "972",
        "973",
        "974",
        "975",
        "976",
        "977",
        "978",
        "986",
        "987",
        "988",
    ],
    described(
        "The number of a department or territory with public holidays of its own: Alsace-Moselle "
        "and overseas.",
        "67",
    ),
]


class Hours(Value):
    """Hours of one day, in Europe/Paris."""

    start: ClockTime
    end: Annotated[ClockTime, Field(examples=["12:00"])]

    @model_validator(mode="after")
    def _ends_after_start(self) -> "Hours":
        if self.end <= self.start:  # both are HH:MM
            raise ValueError("hours end after they start")
        return self


class Absence(Value):
    """Days on which somebody cannot meet, or hours of one day."""

    first_day: Day
    last_day: Annotated[Day, Field(examples=["2017-04-28"])]
    hours: Annotated[Hours | None, Field(description="Only these; null for whole days.")] = None


class OfferedDay(Value):
    """Hours of one date in which somebody can meet beyond their week."""

    day: Day
    hours: Annotated[
        tuple[Hours, ...],
        described(
            "In Europe/Paris; none take back what was said.", [{"start": "09:30", "end": "12:00"}]
        ),
    ]
