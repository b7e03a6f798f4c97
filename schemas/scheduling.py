"""What is asked of scheduling, and what happens there: a pair's sessions."""

from typing import Annotated, ClassVar, Literal

from pydantic import Field, model_validator

from schemas.base import (
    Command,
    Count,
    Event,
    ManagerId,
    MentorId,
    Moment,
    PairEvent,
    PairId,
    PersonId,
    SessionId,
    closed,
    described,
)
from schemas.dates import Absence, Day, Hours, OfferedDay
from schemas.values import Side

ProposedAt = Annotated[Moment, described("The date that is proposed. UTC.", "2017-03-21T09:00:00Z")]


class ConfirmSession(Command):
    """One side confirms a planned session."""

    subject_field: ClassVar[str] = "session_id"
    session_id: SessionId
    by: Side


class RescheduleSession(Command):
    """Move a planned session: to `starts_at`, or to the next free common slot.

    A time that lies in both weeks, and is free, takes effect at once; any other is proposed to the
    other side.
    """

    subject_field: ClassVar[str] = "session_id"
    session_id: SessionId
    by: Side
    starts_at: Annotated[
        Moment | None,
        described("The new time; null for the next free common slot.", "2017-03-21T09:00:00Z"),
    ] = None


class AcceptMove(Command):
    """One side agrees to the date that the other has proposed."""

    subject_field: ClassVar[str] = "session_id"
    session_id: SessionId
    by: Side
    proposed_at: ProposedAt


class DeclineMove(Command):
    """One side refuses the date that is proposed; or objects to a move that has taken effect.

    Then `proposed_at` is the date to which it was moved: the one before holds again.
    """

    subject_field: ClassVar[str] = "session_id"
    session_id: SessionId
    by: Side
    proposed_at: ProposedAt


class CancelSession(Command):
    """Cancel a planned session; it is planned again."""

    subject_field: ClassVar[str] = "session_id"
    session_id: SessionId
    by: Side


class ReportAttendance(Command):
    """One side says whether a session took place. The first report counts."""

    subject_field: ClassVar[str] = "session_id"
    session_id: SessionId
    attempt: Annotated[Count, described("Which planning of the session is meant.", 1, ge=1)]
    by: Side
    held: Annotated[bool, described("Whether it took place.", True)]


class DeclareAbsence(Command):
    """Somebody cannot meet on these days, or in these hours of one day; sessions then move."""

    subject_field: ClassVar[str] = "person_id"
    person_id: PersonId
    first_day: Day
    last_day: Annotated[Day, Field(examples=["2017-04-28"])]
    hours: Annotated[
        Hours | None,
        Field(description="Only in these hours, of one day; null for whole days."),
        closed(Hours),
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

    subject_field: ClassVar[str] = "person_id"
    person_id: PersonId
    first_day: Day
    hours: Annotated[
        Hours | None,
        Field(description="The hours that were declared; null for whole days."),
        closed(Hours),
    ] = None


class OfferHours(Command):
    """Somebody can meet in these hours of one date, beyond their week. It replaces what was said.

    Without hours, the week alone counts for that date again.
    """

    subject_field: ClassVar[str] = "person_id"
    person_id: PersonId
    day: Day
    hours: Annotated[
        tuple[Hours, ...],
        described("Europe/Paris.", [{"start": "09:30", "end": "12:00"}], max_length=8),
        closed(Hours),
    ]


class SessionEvent(Event):
    """What concerns one session. `attempt` counts its plannings, `revision` its changes."""

    subject_field: ClassVar[str] = "session_id"
    session_id: SessionId
    pair_id: PairId
    mentor_id: MentorId
    manager_id: ManagerId
    number: Annotated[Count, described("1 is the pair's first session.", 3, ge=1)]
    attempt: Annotated[Count, described("1, and one more each time it is planned.", 1, ge=1)]
    revision: Annotated[Count, described("Grows with every change (iTIP SEQUENCE).", 0, ge=0)]
    starts_at: Annotated[
        Moment,
        described("When the session begins. UTC, to the millisecond.", "2017-03-20T09:00:00Z"),
    ]
    ends_at: Annotated[
        Moment,
        described("When the session ends. UTC, to the millisecond.", "2017-03-20T10:00:00Z"),
    ]


ConfirmedBy = Annotated[
    tuple[Side, ...],
    described(
        "Who had confirmed this very time when it was another session's of the pair.", ["mentor"]
    ),
]
ShiftCause = Annotated[
    Literal["earlier_session", "absence"],
    described("An earlier session of the pair took its time, or somebody is away.", "absence"),
]


class SessionPlanned(SessionEvent):
    """A session has its time: the first, or a new one after it was missed or cancelled."""

    audience = "public"
    confirmed_by: ConfirmedBy = ()


class SessionConfirmed(SessionEvent):
    """One side confirmed."""

    audience = "public"
    by: Annotated[Side, Field(description="Which side confirmed.")]


class SessionRescheduled(SessionEvent):
    """A planned session moved to `starts_at`."""

    audience = "public"
    by: Annotated[Side, Field(description="Which side moved it.")]
    previously_at: Annotated[Moment, described("When it would have begun.", "2017-03-19T09:00:00Z")]
    confirmed_by: ConfirmedBy = ()
    may_object: Annotated[
        bool, described("Whether the other side was not asked, and can object.", True)
    ] = False


class SessionMoveProposed(SessionEvent):
    """One side proposes to move a session, which stays at `starts_at` until the other agrees."""

    audience = "public"
    by: Annotated[Side, Field(description="Which side proposes it.")]
    proposed_at: ProposedAt
    answer_by: Annotated[
        Moment,
        described("Unanswered, the date that stands holds from then on.", "2017-03-19T09:00:00Z"),
    ]


class SessionMoveAccepted(SessionEvent):
    """The other side agrees; the `SessionRescheduled` that follows moves the session."""

    audience = "public"
    by: Annotated[Side, Field(description="Which side agrees.")]
    proposed_at: ProposedAt


class SessionMoveDeclined(SessionEvent):
    """A date that was proposed will not be: somebody said no, or nobody answered in time.

    Of a move that had taken effect, the `SessionRescheduled` that follows takes it back.
    """

    audience = "public"
    by: Annotated[Side | None, Field(description="Which side said no; null if nobody answered.")]
    proposed_at: ProposedAt


class SessionShifted(SessionEvent):
    """A planned session moved to `starts_at`, because another of its pair or an absence needs it.

    Nobody has asked for this very move: it follows from what somebody asked for, or did.
    """

    audience = "public"
    previously_at: Annotated[Moment, described("When it would have begun.", "2017-03-19T09:00:00Z")]
    cause: ShiftCause
    confirmed_by: ConfirmedBy = ()


class SessionPostponed(SessionEvent):
    """A planned session gave up its time, and waits until both have an hour in common again."""

    audience = "public"
    cause: ShiftCause


class SessionCancelled(SessionEvent):
    """A planned session will not take place."""

    audience = "public"
    cause: Annotated[
        Literal["request", "pair_dissolved"],
        described("Somebody asked, or the pair has ended.", "request"),
    ]
    by: Annotated[Side | None, Field(description="Which side asked; null if none did.")] = None


class SessionMissed(SessionEvent):
    """A session did not take place, or nobody reported it in time."""

    audience = "public"
    cause: Annotated[
        Literal["reported", "unreported"],
        described("Somebody said so, or nobody reported in time.", "reported"),
    ]
    by: Annotated[Side | None, Field(description="Which side reported it; null if none did.")] = (
        None
    )


class SessionCompleted(SessionEvent):
    """A session took place."""

    audience = "public"
    by: Annotated[Side, Field(description="Which side reported it.")]
    completed: Annotated[Count, described("Completed sessions of the pair so far.", 3, ge=1)]


class PairStalled(PairEvent):
    """No session took place for too long."""

    audience = "public"
    since: Annotated[
        Moment,
        described("When the last session was held, or the plan began.", "2017-03-20T09:00:00Z"),
    ]


class PairGraduated(PairEvent):
    """All sessions of the pair took place."""

    audience = "public"
    sessions: Annotated[Count, described("Sessions of the pair.", 5, ge=1)]


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


class PlanningBegan(PairEvent):
    """Scheduling took a pair on; until a session is held, it is idle since `at`."""

    audience = "internal"
    at: Annotated[
        Moment,
        described("Since when it is idle. UTC, to the millisecond.", "2017-03-06T09:00:00Z"),
    ]


class PlanningPostponed(PairEvent):
    """These sessions have no common free slot; it is sought again at `retry_at`."""

    audience = "internal"
    numbers: Annotated[
        tuple[Count, ...],
        described("Which sessions of the pair.", [4, 5], min_length=1),
    ]
    retry_at: Annotated[
        Moment,
        described("When it is tried again. UTC, to the millisecond.", "2017-03-07T09:00:00Z"),
    ]
    first: Annotated[
        bool, described("Whether none of the pair's sessions waited before.", True)
    ] = False


class AttendanceRequested(SessionEvent):
    """A session's end has passed: each side is asked, until `report_by`, whether it took place."""

    audience = "internal"
    report_by: Annotated[
        Moment | None,
        described("Afterwards the session counts as missed.", "2017-04-03T10:00:00Z"),
    ] = None
