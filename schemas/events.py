"""What happened: the facts that the services publish. Past tense; never changed."""

from typing import Annotated, Any, ClassVar, Literal

from pydantic import Field

from schemas.base import Event, Moment, PairId, PersonId, SessionId, SurveyId
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
        Field(description="The run's name, for people.", examples=["Connecte ton manager 2017"]),
    ]
    policy: Annotated[CohortPolicy, Field(description="The rules of the run.")]


class MentorVolunteered(Event):
    """Somebody offers to coach."""

    subject_field: ClassVar[str] = "mentor_id"
    mentor_id: PersonId
    directorate: Directorate
    site: Site
    skills: Tools
    capacity: Annotated[int, Field(ge=1, description="Managers at a time.")]
    availability: Availability
    line_manager: LineManager = None
    excludes: Excludes = ()


class MentorPaused(Event):
    """No new proposals for this mentor; standing pairs go on."""

    subject_field: ClassVar[str] = "mentor_id"
    mentor_id: PersonId


class MentorResumed(Event):
    """A paused mentor is available again."""

    subject_field: ClassVar[str] = "mentor_id"
    mentor_id: PersonId


class MentorWithdrew(Event):
    """A mentor left the cohort."""

    subject_field: ClassVar[str] = "mentor_id"
    mentor_id: PersonId


class ManagerEnrolled(Event):
    """A manager asks to be coached."""

    subject_field: ClassVar[str] = "manager_id"
    manager_id: PersonId
    directorate: Directorate
    site: Site
    job_family: JobFamily
    needs: Tools
    availability: Availability
    line_manager: LineManager = None
    excludes: Excludes = ()
    enrolled_at: Annotated[
        Moment | None, Field(description="Orders the waiting list; null in the oldest records.")
    ] = None


class ManagerWithdrew(Event):
    """A manager left the cohort."""

    subject_field: ClassVar[str] = "manager_id"
    manager_id: PersonId


class AvailabilityChanged(Event):
    """Somebody's week has changed. Sessions already planned stay as they are."""

    subject_field: ClassVar[str] = "person_id"
    person_id: PersonId
    availability: Availability


class PairEvent(Event):
    """What concerns a pair."""

    subject_field: ClassVar[str] = "pair_id"
    pair_id: PairId
    mentor_id: PersonId
    manager_id: PersonId


BY_HAND = "by-hand"
"""The round of what a coordinator proposes."""


class PairProposed(PairEvent):
    """A round proposes a pair, or a coordinator does; both are asked until `expires_at`."""

    round_id: Annotated[
        PersonId, Field(description="`by-hand` where a coordinator proposes, and no round.")
    ]
    score: Annotated[float, Field(ge=0, le=100, description="Points of 100.")]
    reasons: Annotated[tuple[ScoreReason, ...], Field(description="How the score came about.")]
    tools: Annotated[tuple[ToolName, ...], Field(description="To begin with, best first.")]
    first_tools: Annotated[
        tuple[FirstTool, ...], Field(description="The same tools, with the reasons.")
    ] = ()
    expires_at: Moment


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
        Field(description="The deadline passed, or one side has left."),
    ]


class PairFormed(PairEvent):
    """Both sides accepted: the sessions can be planned."""

    tools: Annotated[tuple[ToolName, ...], Field(description="To begin with, best first.")]
    mentor_availability: Availability
    manager_availability: Availability


class PairDissolved(PairEvent):
    """A standing pair ended before its last session."""

    cause: Annotated[
        Literal["request", "mentor_withdrew", "manager_withdrew"],
        Field(description="What ended it."),
    ]
    reason: Reason = ""


class RoundCompleted(Event):
    """A round has run: what it proposed, and who still waits."""

    subject_field: ClassVar[str] = "round_id"
    round_id: PersonId
    proposed: Annotated[int, Field(ge=0, description="Pairs proposed.")]
    managers_waiting: Annotated[int, Field(ge=0, description="Managers left without a proposal.")]
    places_free: Annotated[int, Field(ge=0, description="Capacity of the mentors left over.")]
    score: Annotated[float, Field(ge=0, description="Sum over the proposals.")]
    optimal: Annotated[
        bool | None,
        Field(
            description="Whether it was proven that no round had more pairs, or as many with a "
            "higher score; null where nobody knows."
        ),
    ] = None


class ManagerWaitlisted(Event):
    """A round left a manager waiting who had not been told yet; or their place has changed."""

    subject_field: ClassVar[str] = "manager_id"
    manager_id: PersonId
    waiting: Annotated[Waiting, Field(description="The place on the waiting list, and why.")]
    first: Annotated[
        bool, Field(description="Whether they learn of it for the first time since they wait.")
    ]


# --- matching, private ------------------------------------------------------------------------


class RoundRequested(Event):
    """A round is to be run; it is searched beside everything else that goes on."""

    subject_field: ClassVar[str] = "round_id"
    round_id: PersonId
    mode: RoundMode
    requested_at: Moment


class PairsSimulated(Event):
    """Some of the pairs that a round would propose."""

    subject_field: ClassVar[str] = "round_id"
    round_id: PersonId
    part: Annotated[int, Field(ge=1, description="1, and so on; a part replaces its like.")]
    pairs: Annotated[tuple[SimulatedPair, ...], Field(description="Best first.")]


class RoundSimulated(Event):
    """What a round would do."""

    subject_field: ClassVar[str] = "round_id"
    round_id: PersonId
    proposed: Annotated[int, Field(ge=0, description="Pairs it would propose.")]
    managers_waiting: Annotated[int, Field(ge=0, description="Managers it would leave.")]
    places_free: Annotated[int, Field(ge=0, description="Capacity it would leave over.")]
    score: Annotated[float, Field(ge=0, description="Sum over these pairs.")]
    optimal: Annotated[bool, Field(description="Whether nothing better is proven to exist.")]


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
    mentor_id: PersonId
    manager_id: PersonId
    number: Annotated[int, Field(ge=1, description="1 is the pair's first session.")]
    attempt: Annotated[int, Field(ge=1, description="1, and one more each time it is planned.")]
    revision: Annotated[int, Field(ge=0, description="Grows with every change (iTIP SEQUENCE).")]
    starts_at: Moment
    ends_at: Moment


class SessionPlanned(SessionEvent):
    """A session has its time: the first, or a new one after it was missed or cancelled."""


class SessionConfirmed(SessionEvent):
    """One side confirmed."""

    by: Annotated[Side, Field(description="Which side confirmed.")]


class SessionRescheduled(SessionEvent):
    """A planned session moved to `starts_at`."""

    by: Annotated[Side, Field(description="Which side moved it.")]
    previously_at: Annotated[Moment, Field(description="When it would have begun.")]


class SessionCancelled(SessionEvent):
    """A planned session will not take place."""

    cause: Annotated[
        Literal["request", "pair_dissolved"],
        Field(description="Somebody asked, or the pair has ended."),
    ]
    by: Annotated[Side | None, Field(description="Which side asked; null if none did.")] = None


class SessionMissed(SessionEvent):
    """A session did not take place, or nobody reported it in time."""

    cause: Annotated[
        Literal["reported", "unreported"],
        Field(description="Somebody said so, or nobody reported in time."),
    ]
    by: Annotated[Side | None, Field(description="Which side reported it; null if none did.")] = (
        None
    )


class SessionCompleted(SessionEvent):
    """A session took place."""

    by: Annotated[Side, Field(description="Which side reported it.")]
    completed: Annotated[int, Field(ge=1, description="Completed sessions of the pair so far.")]


class PairStalled(PairEvent):
    """No session took place for too long."""

    since: Annotated[
        Moment, Field(description="When the last session was held, or the plan began.")
    ]


class PairGraduated(PairEvent):
    """All sessions of the pair took place."""

    sessions: Annotated[int, Field(ge=1, description="Sessions of the pair.")]


# --- scheduling, private ----------------------------------------------------------------------


class PlanningBegan(PairEvent):
    """Scheduling took a pair on; until a session is held, it is idle since `at`."""

    at: Moment


class PlanningPostponed(PairEvent):
    """These sessions have no common free slot; it is sought again at `retry_at`."""

    numbers: Annotated[
        tuple[int, ...], Field(min_length=1, description="Which sessions of the pair.")
    ]
    retry_at: Moment


class AttendanceRequested(SessionEvent):
    """A session's end has passed: each side is asked, until `report_by`, whether it took place."""

    report_by: Annotated[
        Moment | None, Field(description="Afterwards the session counts as missed.")
    ] = None


# --- feedback ---------------------------------------------------------------------------------


class CohortMeasured(Event):
    """The figures of a cohort. No figure speaks of fewer people than the smallest group."""

    measured_at: Moment
    next_at: Annotated[Moment, Field(description="Not measured again before this.")]
    mentors: Annotated[int, Field(ge=0, description="Mentors, those who left not counted.")]
    managers: Annotated[int, Field(ge=0, description="Managers, those who left not counted.")]
    pairs_formed: Annotated[int, Field(ge=0, description="Pairs formed so far.")]
    pairs_graduated: Annotated[int, Field(ge=0, description="Pairs with all their sessions.")]
    pairs_dissolved: Annotated[int, Field(ge=0, description="Pairs that ended early.")]
    sessions_completed: Annotated[int, Field(ge=0, description="Sessions held.")]
    sessions_missed: Annotated[int, Field(ge=0, description="Sessions that were not held.")]
    surveys_closed: Annotated[int | None, Field(description="Null below the smallest group.")]
    surveys_answered: Annotated[int | None, Field(description="Null below the smallest group.")]
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
    questions: Annotated[tuple[QuestionId, ...], Field(description="What is asked, in order.")]
    closes_at: Moment


class SurveyClosed(Event):
    """A survey was answered or ran out. What was answered is not here."""

    subject_field: ClassVar[str] = "survey_id"
    survey_id: SurveyId
    kind: SurveyKind
    side: Side
    outcome: Annotated[Literal["answered", "expired"], Field(description="How it ended.")]


class SurveyAnswered(Event):
    """Answers, without the person, the pair or the survey that they came from."""

    anonymous: ClassVar[bool] = True

    kind: SurveyKind
    side: Side
    scores: Annotated[dict[QuestionId, Level], Field(description="Question to answer.")]


class PairAtRisk(PairEvent):
    """A pair that a coordinator should speak with."""

    cause: Annotated[
        Literal["low_scores", "stalled", "missed_sessions"], Field(description="What points to it.")
    ]


# --- notify -----------------------------------------------------------------------------------


class LetterEvent(Event):
    """What concerns one letter: one fact for one person."""

    subject_field: ClassVar[str] = "letter_id"
    letter_id: Annotated[
        str, Field(max_length=240, description="`fact:person`; the fact is an event's id.")
    ]
    person_id: PersonId


class LetterQueued(LetterEvent):
    """A fact is owed to a person. `facts` is the event that it tells, no name or address."""

    template: Annotated[str, Field(description="The type of the event that it tells.")]
    side: Side
    facts: Annotated[dict[str, Any], Field(description="The event that it tells.")]
    send_at: Annotated[Moment, Field(description="Not before this, for the quiet hours.")]


class LetterSent(LetterEvent):
    """The mail server took the letter."""

    template: Annotated[str, Field(description="The type of the event that it tells.")]
    channel: Annotated[Literal["smtp"], Field(description="How it went out.")]
    attempt: Annotated[int, Field(ge=1, description="Hand-overs tried, this one included.")]


class LetterDeferred(LetterEvent):
    """The letter could not be handed over yet; it is tried again at `retry_at`."""

    attempt: Annotated[int, Field(ge=0, description="Hand-overs tried.")]
    cause: Annotated[
        str, Field(max_length=80, description="What the mail server said.", examples=["smtp 451"])
    ]
    retry_at: Moment


class LetterFailed(LetterEvent):
    """The letter was given up. A coordinator sees it and can have it retried."""

    template: Annotated[str, Field(description="The type of the event that it tells.")]
    attempt: Annotated[int, Field(ge=0, description="Hand-overs tried.")]
    cause: Annotated[
        str, Field(max_length=80, description="Why.", examples=["smtp 550", "no contact"])
    ]
