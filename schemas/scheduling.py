"""What is asked of scheduling, and what happens there: a pair's sessions."""

from typing import Annotated, ClassVar, Literal

from pydantic import Field

from schemas.base import (
    Command,
    Count,
    Event,
    ManagerId,
    MentorId,
    Moment,
    PairEvent,
    PairId,
    SessionId,
    described,
)
from schemas.values import (
    Side,
)


class ConfirmSession(Command):
    """One side confirms a planned session."""

    subject_field: ClassVar[str] = "session_id"
    session_id: SessionId
    by: Side


class RescheduleSession(Command):
    """Move a planned session: to `starts_at`, or to the next free common slot."""

    subject_field: ClassVar[str] = "session_id"
    session_id: SessionId
    by: Side
    starts_at: Annotated[
        Moment | None,
        described("The new time; null for the next free common slot.", "2017-03-21T09:00:00Z"),
    ] = None


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


class SessionPlanned(SessionEvent):
    """A session has its time: the first, or a new one after it was missed or cancelled."""

    audience = "public"


class SessionConfirmed(SessionEvent):
    """One side confirmed."""

    audience = "public"
    by: Annotated[Side, Field(description="Which side confirmed.")]


class SessionRescheduled(SessionEvent):
    """A planned session moved to `starts_at`."""

    audience = "public"
    by: Annotated[Side, Field(description="Which side moved it.")]
    previously_at: Annotated[Moment, described("When it would have begun.", "2017-03-19T09:00:00Z")]


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


class AttendanceRequested(SessionEvent):
    """A session's end has passed: each side is asked, until `report_by`, whether it took place."""

    audience = "internal"
    report_by: Annotated[
        Moment | None,
        described("Afterwards the session counts as missed.", "2017-04-03T10:00:00Z"),
    ] = None
