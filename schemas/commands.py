"""What can be asked of each service. Imperative; carried out or refused, exactly once."""

from typing import Annotated, ClassVar, Literal

from pydantic import Field

from schemas.base import (
    Command,
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
    CohortPolicy,
    Directorate,
    Excludes,
    JobFamily,
    Level,
    LineManager,
    OfferedAvailability,
    QuestionId,
    Reason,
    RoundMode,
    Side,
    Site,
    StatedReason,
    Tools,
)

# --- matching ---------------------------------------------------------------------------------


class OpenCohort(Command):
    """Open a run of the programme for one population."""

    name: Annotated[
        str,
        described(
            "The run's name, for people.", "Connecte ton manager 2017", min_length=1, max_length=120
        ),
    ]
    policy: Annotated[CohortPolicy, Field(description="The rules of the run.")] = CohortPolicy()


class VolunteerAsMentor(Command):
    """Somebody offers to coach. Sent again, it changes nothing; after a pause, it resumes."""

    subject_field: ClassVar[str] = "mentor_id"
    mentor_id: MentorId
    directorate: Directorate
    site: Site
    skills: Annotated[Tools, Field(min_length=1)]
    capacity: Annotated[int, described("Managers at a time.", 1, ge=1, le=5)] = 1
    availability: OfferedAvailability
    line_manager: LineManager = None
    excludes: Excludes = ()


class EnrolManager(Command):
    """A manager asks to be coached."""

    subject_field: ClassVar[str] = "manager_id"
    manager_id: ManagerId
    directorate: Directorate
    site: Site
    job_family: JobFamily
    needs: Annotated[
        Tools,
        described(
            "Tool to level; without any, those that the job family asks for.",
            {"mind-mapping": 2},
            default_factory=dict,
        ),
    ]
    availability: OfferedAvailability
    line_manager: LineManager = None
    excludes: Excludes = ()


class PauseMentor(Command):
    """No new proposals for this mentor; standing pairs go on."""

    subject_field: ClassVar[str] = "mentor_id"
    mentor_id: MentorId


class ResumeMentor(Command):
    """A paused mentor is available again."""

    subject_field: ClassVar[str] = "mentor_id"
    mentor_id: MentorId


class WithdrawMentor(Command):
    """A mentor leaves; their pairs are dissolved and the managers return to the pool."""

    subject_field: ClassVar[str] = "mentor_id"
    mentor_id: MentorId


class WithdrawManager(Command):
    """A manager leaves; their pair is dissolved and the mentor is free again."""

    subject_field: ClassVar[str] = "manager_id"
    manager_id: ManagerId


class ChangeAvailability(Command):
    """Somebody's week has changed."""

    subject_field: ClassVar[str] = "person_id"
    person_id: PersonId
    availability: OfferedAvailability


class RunRound(Command):
    """Pair the people who wait. The same `round_id` runs once; a simulation can still be run."""

    subject_field: ClassVar[str] = "round_id"
    round_id: RoundId
    mode: RoundMode = "publish"


class ProposePair(Command):
    """A coordinator proposes a pair that no round has: skills, hours and score do not count.

    Exclusions, the reporting line, what has ended before and the mentor's capacity do.
    """

    subject_field: ClassVar[str] = "pair_id"
    pair_id: PairId
    reason: StatedReason


class KeepApart(Command):
    """A coordinator rules a pair out, for every round to come."""

    subject_field: ClassVar[str] = "pair_id"
    pair_id: PairId
    reason: StatedReason


class AcceptProposal(Command):
    """One side says yes. The pair is formed when both have."""

    subject_field: ClassVar[str] = "pair_id"
    pair_id: PairId
    by: Side


class DeclineProposal(Command):
    """One side says no. The pair is never proposed again in the cohort."""

    subject_field: ClassVar[str] = "pair_id"
    pair_id: PairId
    by: Side


class DissolvePair(Command):
    """End a standing pair before its last session."""

    subject_field: ClassVar[str] = "pair_id"
    pair_id: PairId
    reason: Reason


# --- scheduling -------------------------------------------------------------------------------


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
    attempt: Annotated[int, described("Which planning of the session is meant.", 1, ge=1)]
    by: Side
    held: Annotated[bool, described("Whether it took place.", True)]


# --- feedback ---------------------------------------------------------------------------------


class AnswerSurvey(Command):
    """The answers to one survey: question to 1 (not at all) … 5 (fully)."""

    subject_field: ClassVar[str] = "survey_id"
    survey_id: SurveyId
    scores: Annotated[
        dict[QuestionId, Level],
        described("Question to answer.", {"usefulness": 4}, min_length=1, max_length=10),
    ]


# --- notify -----------------------------------------------------------------------------------


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


Service = Literal["matching", "scheduling", "feedback", "notify"]

COMMANDS: dict[Service, tuple[type[Command], ...]] = {
    "matching": (
        OpenCohort,
        VolunteerAsMentor,
        EnrolManager,
        PauseMentor,
        ResumeMentor,
        WithdrawMentor,
        WithdrawManager,
        ChangeAvailability,
        RunRound,
        ProposePair,
        KeepApart,
        AcceptProposal,
        DeclineProposal,
        DissolvePair,
    ),
    "scheduling": (ConfirmSession, RescheduleSession, CancelSession, ReportAttendance),
    "feedback": (AnswerSurvey,),
    "notify": (RetryLetter,),
}
"""Which service carries out which command."""
