"""What is asked of matching, and what happens there: people, proposals, pairs, rounds."""

from typing import Annotated, ClassVar, Literal

from pydantic import Field

from schemas.base import (
    Command,
    Count,
    Event,
    ManagerCommand,
    ManagerEvent,
    MentorCommand,
    MentorEvent,
    Moment,
    PairCommand,
    PairEvent,
    PersonId,
    RoundId,
    at_most,
    described,
)
from schemas.charter import CharterVersion
from schemas.lines import LineRelation
from schemas.organisations import Organisation
from schemas.roles import ADMINISTRATORS, COORDINATORS, PARTICIPANTS, TAKING_PART
from schemas.text import TIDY
from schemas.values import (
    AskedExcludes,
    AskedName,
    AskedPolicy,
    Availability,
    CohortPolicy,
    Directorate,
    Excludes,
    FirstTool,
    JobFamily,
    LeftOut,
    LineManager,
    OfferedAvailability,
    Profile,
    Reason,
    RoundMode,
    ScoreReason,
    Side,
    Site,
    StatedReason,
    ToolName,
    Tools,
    Waiting,
)


class OpenCohort(Command):
    """Open a run of the programme for one population."""

    asked_by = ADMINISTRATORS
    name: AskedName
    policy: AskedPolicy = CohortPolicy()


class VolunteerAsMentor(MentorCommand):
    """Somebody offers to coach. Sent again, it changes nothing; after a pause, it resumes."""

    asked_by = TAKING_PART
    directorate: Annotated[Directorate, TIDY]
    site: Annotated[Site, TIDY]
    skills: Annotated[Tools, Field(min_length=1)]
    capacity: Annotated[int, described("Managers at a time.", 1, ge=1, le=5)] = 1
    availability: OfferedAvailability
    line_manager: LineManager = None
    excludes: AskedExcludes = ()
    organisation: Annotated[Organisation, TIDY] = None


class EnrolManager(ManagerCommand):
    """A manager asks to be coached."""

    asked_by = TAKING_PART
    directorate: Annotated[Directorate, TIDY]
    site: Annotated[Site, TIDY]
    job_family: Annotated[JobFamily, TIDY]
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
    excludes: AskedExcludes = ()
    organisation: Annotated[Organisation, TIDY] = None


class PauseMentor(MentorCommand):
    """No new proposals for this mentor; standing pairs go on."""

    asked_by = TAKING_PART


class ResumeMentor(MentorCommand):
    """A paused mentor is available again."""

    asked_by = TAKING_PART


class WithdrawMentor(MentorCommand):
    """A mentor leaves; their pairs are dissolved and the managers return to the pool."""

    asked_by = TAKING_PART


class WithdrawManager(ManagerCommand):
    """A manager leaves; their pair is dissolved and the mentor is free again."""

    asked_by = TAKING_PART


class ChangeAvailability(Command):
    """Somebody's week has changed."""

    asked_by = TAKING_PART
    subject_field: ClassVar[str] = "person_id"
    person_id: PersonId
    availability: OfferedAvailability


class RunRound(Command):
    """Pair the people who wait. The same `round_id` runs once; a simulation can still be run."""

    asked_by = COORDINATORS
    subject_field: ClassVar[str] = "round_id"
    round_id: RoundId
    mode: RoundMode = "publish"
    besides: Annotated[LeftOut, at_most(500)] = ()
    in_minutes: Annotated[
        int, described("Minutes until a round to be published begins.", 15, ge=0, le=10_080)
    ] = 0


class ProposePair(PairCommand):
    """A coordinator proposes a pair that no round has: skills, hours and score do not count.

    Exclusions, the reporting line, what has ended before and the mentor's capacity do. The reason
    is told to both people.
    """

    asked_by = COORDINATORS
    reason: Annotated[StatedReason, TIDY]


class KeepApart(PairCommand):
    """A coordinator rules a pair out, for every round to come."""

    asked_by = COORDINATORS
    reason: Annotated[StatedReason, TIDY]


class AcceptProposal(PairCommand):
    """One side says yes. The pair is formed when both have."""

    asked_by = PARTICIPANTS
    by: Side
    knowing_the_line: Annotated[
        bool,
        described("Agreed to where the two are in one reporting line.", True),
    ] = False
    charter: Annotated[
        CharterVersion | None,
        Field(description="The text of the charter that they saw; null where they saw none."),
    ] = None


class DeclineProposal(PairCommand):
    """One side says no. The pair is never proposed again in the cohort."""

    asked_by = PARTICIPANTS
    by: Side


class DissolvePair(PairCommand):
    """End a standing pair before its last session."""

    asked_by = COORDINATORS
    reason: Annotated[Reason, TIDY]


class CohortOpened(Event):
    """A run of the programme began, under this policy."""

    audience = "public"
    name: Annotated[str, described("The run's name, for people.", "Connecte ton manager 2017")]
    policy: Annotated[CohortPolicy, Field(description="The rules of the run.")]


class MentorVolunteered(MentorEvent):
    """Somebody offers to coach."""

    audience = "public"
    directorate: Directorate
    site: Site
    skills: Tools
    capacity: Annotated[Count, described("Managers at a time.", 1, ge=1)]
    availability: Availability
    line_manager: LineManager = None
    excludes: Excludes = ()
    organisation: Organisation = None


class MentorPaused(MentorEvent):
    """No new proposals for this mentor; standing pairs go on."""

    audience = "public"


class MentorResumed(MentorEvent):
    """A paused mentor is available again."""

    audience = "public"


class MentorWithdrew(MentorEvent):
    """A mentor left the cohort."""

    audience = "public"


class ManagerEnrolled(ManagerEvent):
    """A manager asks to be coached."""

    audience = "public"
    directorate: Directorate
    site: Site
    job_family: JobFamily
    needs: Tools
    availability: Availability
    line_manager: LineManager = None
    excludes: Excludes = ()
    organisation: Organisation = None
    enrolled_at: Annotated[
        Moment | None,
        described("Orders the waiting list; null in the oldest records.", "2017-03-01T09:00:00Z"),
    ] = None


class ManagerWithdrew(ManagerEvent):
    """A manager left the cohort."""

    audience = "public"


class AvailabilityChanged(Event):
    """Somebody's week has changed. Sessions already planned stay as they are."""

    audience = "public"
    subject_field: ClassVar[str] = "person_id"
    person_id: PersonId
    availability: Availability


class PairProposed(PairEvent):
    """A round proposes a pair, or a coordinator does; both are asked until `expires_at`."""

    audience = "public"
    round_id: Annotated[
        RoundId, described("`by-hand` where a coordinator proposes, and no round.", "round-1")
    ]
    score: Annotated[float, described("Points of 100.", 71.25, ge=0, le=100)]
    reasons: Annotated[tuple[ScoreReason, ...], Field(description="How the score came about.")]
    tools: Annotated[tuple[ToolName, ...], described("To begin with, best first.", ["linkedin"])]
    first_tools: Annotated[
        tuple[FirstTool, ...], Field(description="The same tools, with the reasons.")
    ] = ()
    mentor_profile: Annotated[
        Profile | None, Field(description="Of the mentor; null in the oldest records.")
    ] = None
    manager_profile: Annotated[
        Profile | None, Field(description="Of the manager; null in the oldest records.")
    ] = None
    reporting_line: Annotated[
        LineRelation | None,
        Field(description="Where both have to agree that they are in one reporting line."),
    ] = None
    chosen_because: Annotated[
        StatedReason | None,
        described("The coordinator's reason, which both are told.", "asked for by both"),
    ] = None
    expires_at: Annotated[
        Moment,
        described("Afterwards no answer counts. UTC, to the millisecond.", "2017-03-16T09:00:00Z"),
    ]


class ProposalAccepted(PairEvent):
    """One side said yes."""

    audience = "public"
    by: Annotated[Side, Field(description="Which side said yes.")]
    charter: Annotated[
        CharterVersion | None,
        Field(description="The text of the charter that they agreed to; null if none was shown."),
    ] = None


class ProposalDeclined(PairEvent):
    """One side said no; the pair is never proposed again in the cohort."""

    audience = "public"
    by: Annotated[Side, Field(description="Which side said no.")]


class ProposalExpired(PairEvent):
    """The proposal ended without an answer of both: too late, or one side has left."""

    audience = "public"
    cause: Annotated[
        Literal["deadline", "withdrawal"],
        described("The deadline passed, or one side has left.", "deadline"),
    ]


class PairFormed(PairEvent):
    """Both sides accepted: the sessions can be planned."""

    audience = "public"
    tools: Annotated[tuple[ToolName, ...], described("To begin with, best first.", ["linkedin"])]
    mentor_availability: Availability
    manager_availability: Availability
    mentor_site: Annotated[
        Site | None, Field(description="Where the mentor works; null in the oldest records.")
    ] = None
    manager_site: Annotated[
        Site | None, Field(description="Where the manager works; null in the oldest records.")
    ] = None


class PairDissolved(PairEvent):
    """A standing pair ended before its last session."""

    audience = "public"
    cause: Annotated[
        Literal["request", "mentor_withdrew", "manager_withdrew"],
        described("What ended it.", "request"),
    ]
    reason: Reason = ""


class RoundEvent(Event):
    """What concerns a round."""

    subject_field: ClassVar[str] = "round_id"
    round_id: RoundId


class RoundCompleted(RoundEvent):
    """A round has run: what it proposed, and who still waits."""

    audience = "public"
    proposed: Annotated[Count, described("Pairs proposed.", 40, ge=0)]
    managers_waiting: Annotated[Count, described("Managers left without a proposal.", 2, ge=0)]
    places_free: Annotated[Count, described("Capacity of the mentors left over.", 20, ge=0)]
    score: Annotated[float, described("Points, summed over the proposals.", 2800.5, ge=0)]
    optimal: Annotated[
        bool | None,
        described(
            "Whether it was proven that no round had more pairs, or as many with a "
            "higher score; null where nobody knows.",
            True,
        ),
    ] = None


class ManagerWaitlisted(ManagerEvent):
    """A round left a manager waiting who had not been told yet; or their place has changed."""

    audience = "public"
    waiting: Annotated[Waiting, Field(description="The place on the waiting list, and why.")]
    first: Annotated[
        bool, described("Whether they learn of it for the first time since they wait.", True)
    ]


class PairChosenByHand(PairEvent):
    """A coordinator proposed a pair, and why."""

    audience = "internal"
    reason: StatedReason


class PairKeptApart(PairEvent):
    """A coordinator ruled a pair out, and why."""

    audience = "internal"
    reason: StatedReason
