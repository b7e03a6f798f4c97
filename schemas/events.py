"""What happened: the facts that the services publish. Past tense; never changed."""

from typing import Annotated, Any, ClassVar, Literal

from pydantic import Field

from schemas.base import (
    Event,
    ManagerId,
    MentorId,
    Moment,
    PairId,
    PersonId,
    RoundId,
    SessionId,
    SurveyId,
    described,
)
from schemas.values import (
    Availability,
    CohortPolicy,
    Criterion,
    Directorate,
    Excludes,
    FirstTool,
    JobFamily,
    Level,
    LineManager,
    QuestionId,
    Reason,
    RoundMode,
    ScoreReason,
    Side,
    SimulatedPair,
    Site,
    StatedReason,
    SurveyFigure,
    SurveyKind,
    ToolName,
    Tools,
    Waiting,
)

# --- matching, public -------------------------------------------------------------------------


class CohortOpened(Event):
    """A run of the programme began, under this policy."""

    name: Annotated[
        str,
        described("The run's name, for people.", "Connecte ton manager 2017"),
    ]
    policy: Annotated[CohortPolicy, Field(description="The rules of the run.")]


class MentorVolunteered(Event):
    """Somebody offers to coach."""

    subject_field: ClassVar[str] = "mentor_id"
    mentor_id: MentorId
    directorate: Directorate
    site: Site
    skills: Tools
    capacity: Annotated[int, described("Managers at a time.", 1, ge=1)]
    availability: Availability
    line_manager: LineManager = None
    excludes: Excludes = ()


class MentorPaused(Event):
    """No new proposals for this mentor; standing pairs go on."""

    subject_field: ClassVar[str] = "mentor_id"
    mentor_id: MentorId


class MentorResumed(Event):
    """A paused mentor is available again."""

    subject_field: ClassVar[str] = "mentor_id"
    mentor_id: MentorId


class MentorWithdrew(Event):
    """A mentor left the cohort."""

    subject_field: ClassVar[str] = "mentor_id"
    mentor_id: MentorId


class ManagerEnrolled(Event):
    """A manager asks to be coached."""

    subject_field: ClassVar[str] = "manager_id"
    manager_id: ManagerId
    directorate: Directorate
    site: Site
    job_family: JobFamily
    needs: Tools
    availability: Availability
    line_manager: LineManager = None
    excludes: Excludes = ()
    enrolled_at: Annotated[
        Moment | None,
        described("Orders the waiting list; null in the oldest records.", "2017-03-01T09:00:00Z"),
    ] = None


class ManagerWithdrew(Event):
    """A manager left the cohort."""

    subject_field: ClassVar[str] = "manager_id"
    manager_id: ManagerId


class AvailabilityChanged(Event):
    """Somebody's week has changed. Sessions already planned stay as they are."""

    subject_field: ClassVar[str] = "person_id"
    person_id: PersonId
    availability: Availability


class PairEvent(Event):
    """What concerns a pair."""

    subject_field: ClassVar[str] = "pair_id"
    pair_id: PairId
    mentor_id: MentorId
    manager_id: ManagerId


BY_HAND = "by-hand"
"""The round of what a coordinator proposes."""


class PairProposed(PairEvent):
    """A round proposes a pair, or a coordinator does; both are asked until `expires_at`."""

    round_id: Annotated[
        RoundId,
        described("`by-hand` where a coordinator proposes, and no round.", "round-1"),
    ]
    score: Annotated[float, described("Points of 100.", 71.25, ge=0, le=100)]
    reasons: Annotated[tuple[ScoreReason, ...], Field(description="How the score came about.")]
    tools: Annotated[
        tuple[ToolName, ...],
        described("To begin with, best first.", ["linkedin"]),
    ]
    first_tools: Annotated[
        tuple[FirstTool, ...], Field(description="The same tools, with the reasons.")
    ] = ()
    expires_at: Annotated[
        Moment,
        described("Afterwards no answer counts. UTC, to the millisecond.", "2017-03-16T09:00:00Z"),
    ]


class ProposalAccepted(PairEvent):
    """One side said yes."""

    by: Annotated[Side, Field(description="Which side said yes.")]


class ProposalDeclined(PairEvent):
    """One side said no; the pair is never proposed again in the cohort."""

    by: Annotated[Side, Field(description="Which side said no.")]


class ProposalExpired(PairEvent):
    """The proposal ended without an answer of both: too late, or one side has left."""

    cause: Annotated[
        Literal["deadline", "withdrawal"],
        described("The deadline passed, or one side has left.", "deadline"),
    ]


class PairFormed(PairEvent):
    """Both sides accepted: the sessions can be planned."""

    tools: Annotated[
        tuple[ToolName, ...],
        described("To begin with, best first.", ["linkedin"]),
    ]
    mentor_availability: Availability
    manager_availability: Availability


class PairDissolved(PairEvent):
    """A standing pair ended before its last session."""

    cause: Annotated[
        Literal["request", "mentor_withdrew", "manager_withdrew"],
        described("What ended it.", "request"),
    ]
    reason: Reason = ""


class RoundCompleted(Event):
    """A round has run: what it proposed, and who still waits."""

    subject_field: ClassVar[str] = "round_id"
    round_id: RoundId
    proposed: Annotated[int, described("Pairs proposed.", 40, ge=0)]
    managers_waiting: Annotated[int, described("Managers left without a proposal.", 2, ge=0)]
    places_free: Annotated[int, described("Capacity of the mentors left over.", 20, ge=0)]
    score: Annotated[float, described("Points, summed over the proposals.", 2800.5, ge=0)]
    optimal: Annotated[
        bool | None,
        described(
            "Whether it was proven that no round had more pairs, or as many with a "
            "higher score; null where nobody knows.",
            True,
        ),
    ] = None


class ManagerWaitlisted(Event):
    """A round left a manager waiting who had not been told yet; or their place has changed."""

    subject_field: ClassVar[str] = "manager_id"
    manager_id: ManagerId
    waiting: Annotated[Waiting, Field(description="The place on the waiting list, and why.")]
    first: Annotated[
        bool,
        described("Whether they learn of it for the first time since they wait.", True),
    ]


# --- matching, private ------------------------------------------------------------------------


class RoundRequested(Event):
    """A round is to be run; it is searched beside everything else that goes on."""

    subject_field: ClassVar[str] = "round_id"
    round_id: RoundId
    mode: RoundMode
    requested_at: Annotated[
        Moment,
        described("When it was asked for. UTC, to the millisecond.", "2017-03-06T09:00:00Z"),
    ]


class PairsSimulated(Event):
    """Some of the pairs that a round would propose."""

    subject_field: ClassVar[str] = "round_id"
    round_id: RoundId
    part: Annotated[int, described("1, and so on; a part replaces its like.", 1, ge=1)]
    pairs: Annotated[tuple[SimulatedPair, ...], Field(description="Best first.")]


class RoundSimulated(Event):
    """What a round would do."""

    subject_field: ClassVar[str] = "round_id"
    round_id: RoundId
    proposed: Annotated[int, described("Pairs it would propose.", 40, ge=0)]
    managers_waiting: Annotated[int, described("Managers it would leave.", 2, ge=0)]
    places_free: Annotated[int, described("Capacity it would leave over.", 20, ge=0)]
    score: Annotated[float, described("Points, summed over these pairs.", 2800.5, ge=0)]
    optimal: Annotated[bool, described("Whether nothing better is proven to exist.", True)]


class PairChosenByHand(PairEvent):
    """A coordinator proposed a pair, and why."""

    reason: StatedReason


class PairKeptApart(PairEvent):
    """A coordinator ruled a pair out, and why."""

    reason: StatedReason


# --- scheduling, public -----------------------------------------------------------------------


class SessionEvent(Event):
    """What concerns one session. `attempt` counts its plannings, `revision` its changes."""

    subject_field: ClassVar[str] = "session_id"
    session_id: SessionId
    pair_id: PairId
    mentor_id: MentorId
    manager_id: ManagerId
    number: Annotated[int, described("1 is the pair's first session.", 3, ge=1)]
    attempt: Annotated[int, described("1, and one more each time it is planned.", 1, ge=1)]
    revision: Annotated[int, described("Grows with every change (iTIP SEQUENCE).", 0, ge=0)]
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


class SessionConfirmed(SessionEvent):
    """One side confirmed."""

    by: Annotated[Side, Field(description="Which side confirmed.")]


class SessionRescheduled(SessionEvent):
    """A planned session moved to `starts_at`."""

    by: Annotated[Side, Field(description="Which side moved it.")]
    previously_at: Annotated[Moment, described("When it would have begun.", "2017-03-19T09:00:00Z")]


class SessionCancelled(SessionEvent):
    """A planned session will not take place."""

    cause: Annotated[
        Literal["request", "pair_dissolved"],
        described("Somebody asked, or the pair has ended.", "request"),
    ]
    by: Annotated[Side | None, Field(description="Which side asked; null if none did.")] = None


class SessionMissed(SessionEvent):
    """A session did not take place, or nobody reported it in time."""

    cause: Annotated[
        Literal["reported", "unreported"],
        described("Somebody said so, or nobody reported in time.", "reported"),
    ]
    by: Annotated[Side | None, Field(description="Which side reported it; null if none did.")] = (
        None
    )


class SessionCompleted(SessionEvent):
    """A session took place."""

    by: Annotated[Side, Field(description="Which side reported it.")]
    completed: Annotated[int, described("Completed sessions of the pair so far.", 3, ge=1)]


class PairStalled(PairEvent):
    """No session took place for too long."""

    since: Annotated[
        Moment,
        described("When the last session was held, or the plan began.", "2017-03-20T09:00:00Z"),
    ]


class PairGraduated(PairEvent):
    """All sessions of the pair took place."""

    sessions: Annotated[int, described("Sessions of the pair.", 5, ge=1)]


# --- scheduling, private ----------------------------------------------------------------------


class PlanningBegan(PairEvent):
    """Scheduling took a pair on; until a session is held, it is idle since `at`."""

    at: Annotated[
        Moment,
        described("Since when it is idle. UTC, to the millisecond.", "2017-03-06T09:00:00Z"),
    ]


class PlanningPostponed(PairEvent):
    """These sessions have no common free slot; it is sought again at `retry_at`."""

    numbers: Annotated[
        tuple[int, ...],
        described("Which sessions of the pair.", [4, 5], min_length=1),
    ]
    retry_at: Annotated[
        Moment,
        described("When it is tried again. UTC, to the millisecond.", "2017-03-07T09:00:00Z"),
    ]


class AttendanceRequested(SessionEvent):
    """A session's end has passed: each side is asked, until `report_by`, whether it took place."""

    report_by: Annotated[
        Moment | None,
        described("Afterwards the session counts as missed.", "2017-04-03T10:00:00Z"),
    ] = None


# --- feedback ---------------------------------------------------------------------------------


class CohortMeasured(Event):
    """The figures of a cohort. No figure speaks of fewer people than the smallest group."""

    measured_at: Annotated[
        Moment,
        described("When it was counted. UTC, to the millisecond.", "2017-03-20T09:00:00Z"),
    ]
    next_at: Annotated[
        Moment,
        described("Not measured again before this.", "2017-03-27T09:00:00Z"),
    ]
    mentors: Annotated[int, described("Mentors, those who left not counted.", 60, ge=0)]
    managers: Annotated[int, described("Managers, those who left not counted.", 40, ge=0)]
    pairs_formed: Annotated[int, described("Pairs formed so far.", 40, ge=0)]
    pairs_graduated: Annotated[int, described("Pairs with all their sessions.", 0, ge=0)]
    pairs_dissolved: Annotated[int, described("Pairs that ended early.", 1, ge=0)]
    sessions_completed: Annotated[int, described("Sessions held.", 80, ge=0)]
    sessions_missed: Annotated[int, described("Sessions that were not held.", 4, ge=0)]
    surveys_closed: Annotated[int | None, described("Null below the smallest group.", 150)]
    surveys_answered: Annotated[int | None, described("Null below the smallest group.", 120)]
    surveys: Annotated[
        tuple[SurveyFigure, ...], Field(description="One figure per question and side.")
    ]


class RolloutRecommended(Event):
    """Every criterion is met: the programme is run in and can open further."""

    criteria: Annotated[tuple[Criterion, ...], Field(description="Every criterion of the policy.")]


class RolloutWithheld(Event):
    """At least one criterion is not met yet."""

    criteria: Annotated[tuple[Criterion, ...], Field(description="Every criterion of the policy.")]


class SurveyOpened(Event):
    """Somebody is asked; the survey closes at `closes_at`."""

    subject_field: ClassVar[str] = "survey_id"
    survey_id: SurveyId
    pair_id: PairId
    person_id: PersonId
    kind: SurveyKind
    side: Side
    questions: Annotated[
        tuple[QuestionId, ...],
        described("What is asked, in order.", ["usefulness"]),
    ]
    closes_at: Annotated[
        Moment,
        described("Afterwards no answer counts. UTC, to the millisecond.", "2017-04-03T10:00:00Z"),
    ]


class SurveyClosed(Event):
    """A survey was answered or ran out. What was answered is not here."""

    subject_field: ClassVar[str] = "survey_id"
    survey_id: SurveyId
    kind: SurveyKind
    side: Side
    outcome: Annotated[Literal["answered", "expired"], described("How it ended.", "answered")]


class SurveyAnswered(Event):
    """Answers, without the person, the pair or the survey that they came from."""

    anonymous: ClassVar[bool] = True

    kind: SurveyKind
    side: Side
    scores: Annotated[
        dict[QuestionId, Level],
        described("Question to answer.", {"usefulness": 4}),
    ]


class PairAtRisk(PairEvent):
    """A pair that a coordinator should speak with."""

    cause: Annotated[
        Literal["low_scores", "stalled", "missed_sessions"],
        described("What points to it.", "low_scores"),
    ]


# --- notify -----------------------------------------------------------------------------------


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

    template: Annotated[str, described("The type of the event that it tells.", "SessionPlanned")]
    channel: Annotated[Literal["smtp"], described("How it went out.", "smtp")]
    attempt: Annotated[int, described("Hand-overs tried, this one included.", 1, ge=1)]


class LetterDeferred(LetterEvent):
    """The letter could not be handed over yet; it is tried again at `retry_at`."""

    attempt: Annotated[int, described("Hand-overs tried.", 1, ge=0)]
    cause: Annotated[str, described("What the mail server said.", "smtp 451", max_length=80)]
    retry_at: Annotated[
        Moment,
        described("When it is tried again. UTC, to the millisecond.", "2017-03-07T09:00:00Z"),
    ]


class LetterFailed(LetterEvent):
    """The letter was given up. A coordinator sees it and can have it retried."""

    template: Annotated[str, described("The type of the event that it tells.", "SessionPlanned")]
    attempt: Annotated[int, described("Hand-overs tried.", 8, ge=0)]
    cause: Annotated[
        str, Field(max_length=80, description="Why.", examples=["smtp 550", "no contact"])
    ]
