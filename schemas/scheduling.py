"""What is asked of scheduling, and what happens there: a pair's sessions."""

from typing import Annotated, ClassVar, Literal

from pydantic import Field, model_validator

from schemas.base import (
    Count,
    Event,
    ManagerId,
    MentorId,
    Moment,
    PairEvent,
    PairId,
    SessionCommand,
    SessionId,
    described,
)
from schemas.dates import Elsewhere, GivenAt, ProposedAt, ShiftCause, StandsAt
from schemas.roles import COORDINATORS, KEEPERS_OF_THE_DIARY, PARTICIPANTS
from schemas.values import Side

OnBehalf = Annotated[
    bool, described("Whether that side's assistant does it, on their behalf.", False)
]


class ConfirmSession(SessionCommand):
    """One side confirms a planned session."""

    asked_by = KEEPERS_OF_THE_DIARY
    by: Side
    stands_at: StandsAt = None
    on_behalf: OnBehalf = False


class RescheduleSession(SessionCommand):
    """Move a planned session: to `starts_at`, or to the next free common slot.

    A time that lies in both weeks, and is free, takes effect at once; any other is proposed to the
    other side.
    """

    asked_by = KEEPERS_OF_THE_DIARY
    by: Side
    starts_at: Annotated[
        Moment | None,
        described("The new time; null for the next free common slot.", "2017-03-21T09:00:00Z"),
    ] = None
    stands_at: StandsAt = None
    on_behalf: OnBehalf = False


class AcceptMove(SessionCommand):
    """One side agrees to the date that the other has proposed."""

    asked_by = KEEPERS_OF_THE_DIARY
    by: Side
    proposed_at: ProposedAt
    on_behalf: OnBehalf = False


class DeclineMove(SessionCommand):
    """One side refuses the date that is proposed; or objects to a move that has taken effect.

    Then `proposed_at` is the date to which it was moved: the one before holds again.
    """

    asked_by = KEEPERS_OF_THE_DIARY
    by: Side
    proposed_at: ProposedAt
    on_behalf: OnBehalf = False


class CancelSession(SessionCommand):
    """Cancel a planned session; it is planned again."""

    asked_by = KEEPERS_OF_THE_DIARY
    by: Side
    stands_at: StandsAt = None
    on_behalf: OnBehalf = False


Absent = Annotated[Literal["mentor", "manager", "both"], described("Who was not there.", "mentor")]
SaidAbsent = Annotated[
    Absent | None, described("Who was not there; null if that is not said.", None)
]
WasAbsent = Annotated[
    Absent | None, Field(description="Who was not there; null if that was not said.")
]


def _absent_where_not_held(command: "ReportAttendance | CorrectAttendance") -> None:
    if command.held and command.absent is not None:
        raise ValueError("absent: nobody was, of a session that took place")


class ReportAttendance(SessionCommand):
    """One side says whether a session took place. The first report counts, until it is corrected.

    For thirty days after the last moment to report, either side can say otherwise: who had said it,
    or where nobody had, corrects it; the other side disputes it.
    """

    asked_by = PARTICIPANTS
    attempt: Annotated[Count, described("Which planning of the session is meant.", 1, ge=1)]
    by: Side
    held: Annotated[bool, described("Whether it took place.", True)]
    absent: SaidAbsent = None

    @model_validator(mode="after")
    def _nobody_was_absent(self) -> "ReportAttendance":
        _absent_where_not_held(self)
        return self


class CorrectAttendance(SessionCommand):
    """A coordinator says whether a session took place, at any time; a dispute is settled so."""

    asked_by = COORDINATORS
    attempt: Annotated[Count, described("Which planning of the session is meant.", 1, ge=1)]
    held: Annotated[bool, described("Whether it took place.", True)]
    absent: SaidAbsent = None

    @model_validator(mode="after")
    def _nobody_was_absent(self) -> "CorrectAttendance":
        _absent_where_not_held(self)
        return self


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


class SessionPlanned(SessionEvent):
    """A session has its time: the first, or a new one after it was missed or cancelled."""

    audience = "public"
    confirmed_by: ConfirmedBy = ()
    given_at: GivenAt = None


class SessionConfirmed(SessionEvent):
    """One side confirmed."""

    audience = "public"
    by: Annotated[Side, Field(description="Which side confirmed.")]
    both: Annotated[bool, described("Whether both have now, and are told so.", True)] = False
    on_behalf: OnBehalf = False


class SessionRescheduled(SessionEvent):
    """A planned session moved to `starts_at`."""

    audience = "public"
    by: Annotated[Side, Field(description="Which side moved it.")]
    previously_at: Annotated[Moment, described("When it would have begun.", "2017-03-19T09:00:00Z")]
    confirmed_by: ConfirmedBy = ()
    may_object: Annotated[
        bool, described("Whether the other side was not asked, and can object.", True)
    ] = False
    on_behalf: OnBehalf = False
    given_at: GivenAt = None


class SessionMoveProposed(SessionEvent):
    """One side proposes to move a session, which stays at `starts_at` until the other agrees."""

    audience = "public"
    by: Annotated[Side, Field(description="Which side proposes it.")]
    proposed_at: ProposedAt
    answer_by: Annotated[
        Moment,
        described("Unanswered, the date that stands holds from then on.", "2017-03-19T09:00:00Z"),
    ]
    on_behalf: OnBehalf = False


class SessionMoveAccepted(SessionEvent):
    """The other side agrees; the `SessionRescheduled` that follows moves the session."""

    audience = "public"
    by: Annotated[Side, Field(description="Which side agrees.")]
    proposed_at: ProposedAt
    on_behalf: OnBehalf = False


class SessionMoveDeclined(SessionEvent):
    """A date that was proposed will not be: somebody said no, or nobody answered in time.

    Of a move that had taken effect, the `SessionRescheduled` that follows takes it back.
    """

    audience = "public"
    by: Annotated[Side | None, Field(description="Which side said no; null if nobody answered.")]
    proposed_at: ProposedAt
    on_behalf: OnBehalf = False


class SessionShifted(SessionEvent):
    """A planned session moved to `starts_at`, because another of its pair or an absence needs it.

    Nobody has asked for this very move: it follows from what somebody asked for, or did.
    """

    audience = "public"
    previously_at: Annotated[Moment, described("When it would have begun.", "2017-03-19T09:00:00Z")]
    cause: ShiftCause
    confirmed_by: ConfirmedBy = ()
    given_at: GivenAt = None
    elsewhere: Elsewhere = False


class SessionPostponed(SessionEvent):
    """A planned session gave up its time, and waits until both have an hour in common again."""

    audience = "public"
    cause: ShiftCause
    elsewhere: Elsewhere = False


class SessionCancelled(SessionEvent):
    """A planned session will not take place."""

    audience = "public"
    cause: Annotated[
        Literal["request", "pair_dissolved"],
        described("Somebody asked, or the pair has ended.", "request"),
    ]
    by: Annotated[Side | None, Field(description="Which side asked; null if none did.")] = None
    late: Annotated[bool, described("Whether it was within a day of its beginning.", False)] = False
    on_behalf: OnBehalf = False


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
    absent: WasAbsent = None


class SessionCompleted(SessionEvent):
    """A session took place."""

    audience = "public"
    by: Annotated[
        Side,
        Field(description="Whose word it rests on: a report, or, presumed, a confirmation before."),
    ]
    completed: Annotated[Count, described("Completed sessions of the pair so far.", 3, ge=1)]
    presumed: Annotated[
        bool, described("Whether both had confirmed it, and nobody reported.", False)
    ] = False


class SessionWithdrawn(SessionEvent):
    """A session that was planned again is not needed: it had been held, as a correction says."""

    audience = "public"


class AttendanceCorrected(SessionEvent):
    """Whether a session took place is told anew, or a dispute about it is settled."""

    audience = "public"
    held: Annotated[bool, described("Whether it took place.", True)]
    was_held: Annotated[bool, described("What counted until now.", False)]
    was_presumed: Annotated[bool, described("Whether that was presumed.", False)] = False
    by: Annotated[Side | None, Field(description="Which side; null for a coordinator.")] = None
    absent: WasAbsent = None
    completed: Annotated[Count, described("Completed sessions of the pair so far.", 3, ge=0)]


class SessionDisputed(SessionEvent):
    """The two sides tell contrary things of a session; the first report counts meanwhile."""

    audience = "public"
    by: Annotated[Side, Field(description="Which side contradicts the other.")]
    held: Annotated[bool, described("What that side says.", True)]


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
    again: Annotated[Count, described("How often that had been taken back before.", 0, ge=0)] = 0


class GraduationWithdrawn(PairEvent):
    """A session counted that had not taken place: the pair goes on."""

    audience = "public"
    again: Annotated[Count, described("How often that has happened, with this.", 1, ge=1)]
    completed: Annotated[Count, described("Completed sessions of the pair so far.", 4, ge=0)]


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
    attempts: Annotated[
        tuple[Count, ...],
        described("How often each of them had a date before, in their order.", [1, 0]),
    ] = ()
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
        described("Afterwards what nobody has told is presumed.", "2017-04-03T10:00:00Z"),
    ] = None
    remind_at: Annotated[
        Moment | None,
        described("Who is silent until then is reminded; null for nobody.", "2017-03-27T10:00:00Z"),
    ] = None
    presumed: Annotated[
        bool, described("Whether silence counts as held: both had confirmed.", False)
    ] = False


class AttendanceReminded(SessionEvent):
    """Half of the time to report has passed in silence: each side is asked once more, the last."""

    audience = "internal"
    report_by: Annotated[
        Moment,
        described("Afterwards what nobody has told is presumed.", "2017-04-03T10:00:00Z"),
    ]
    presumed: Annotated[
        bool, described("Whether silence counts as held: both had confirmed.", False)
    ] = False
