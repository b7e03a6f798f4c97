"""The documents of the portal, shaped like its pages.

Always holds: all of it can be folded again from the journal and the people topic. A participant is
the only document of the platform that holds a name and says what the person does.
"""

from datetime import datetime, timedelta
from typing import ClassVar, Literal

from pydantic import Field

from schemas.appointments import ActorId, GivenRole
from schemas.base import Moment, Value
from schemas.community import Meeting
from schemas.dates import Absence
from schemas.lines import LineRelation
from schemas.people import Assistant
from schemas.places import MeetingPlace
from schemas.saying import PARIS
from schemas.values import (
    Availability,
    CohortPolicy,
    Criterion,
    FirstTool,
    JobFamily,
    Language,
    RoundMode,
    ScoreReason,
    Side,
    SimulatedPair,
    SimulatedPlace,
    ToolName,
    Tools,
    Waiting,
    WaitingCause,
)
from services.chassis.domain import Document

MentorState = Literal["available", "paused", "withdrawn"]
ManagerState = Literal["waiting", "paused", "proposed", "paired", "graduated", "withdrawn"]
PairState = Literal["proposed", "formed", "declined", "expired", "dissolved", "graduated"]
LIVING: tuple[PairState, ...] = ("proposed", "formed", "graduated")
"""The pairs of which the two are shown to each other, what is to be answered first."""
SessionState = Literal["planned", "postponed", "completed", "missed", "cancelled"]


class Line(Document):
    """Who somebody reports to; `id` is theirs. `said`: what they say themselves.

    It is shown to nobody: by it is known from whom what is hidden (`web/wall.py`).
    """

    collection: ClassVar[str] = "lines"
    indexes: ClassVar[tuple[tuple[str, ...], ...]] = (
        ("cohort_id", "line_manager"),
        ("cohort_id", "said"),
    )

    line_manager: str | None = None
    said: str | None = None


class Figures(Value):
    """What was last measured of a cohort."""

    measured_at: Moment
    mentors: int
    managers: int
    pairs_formed: int
    pairs_graduated: int
    pairs_dissolved: int
    sessions_completed: int
    sessions_missed: int


class Cohort(Document):
    """A programme, as it is listed and followed; `id` is the cohort's own.

    `ready`: whether it counts as run in; None before anybody could tell. `closed`: nobody joins any
    more. `changes`: how often its rules have changed. `kept_until`: when the names and
    addresses of its people are erased.
    """

    collection: ClassVar[str] = "cohorts"

    name: str
    policy: CohortPolicy
    room: str | None = None
    meeting: Meeting | None = None
    figures: Figures | None = None
    criteria: tuple[Criterion, ...] = ()
    ready: bool | None = None
    closed: bool = False
    kept_until: Moment | None = None
    changes: int = 0


class Participant(Document):
    """A person of a cohort on every side; `id` is the person's.

    `address` is the e-mail address without case, by which a person is known when they sign in.
    `order` is what lists are sorted by, and one person's alone; `words` are what a search finds.
    `waiting_for`: the cause in `waiting`. `pair_id`: the pair, proposed or standing, in which they
    are coached; `paused`: they are to be proposed no other. `role`: whether they are told what is
    to be handled.
    """

    collection: ClassVar[str] = "participants"
    indexes: ClassVar[tuple[tuple[str, ...], ...]] = (
        ("address",),
        ("cohort_id", "order"),
        ("cohort_id", "words"),
        ("cohort_id", "mentor_state", "order"),
        ("cohort_id", "manager_state", "order"),
        ("cohort_id", "listed", "order"),
        ("cohort_id", "organisation", "order"),
        ("cohort_id", "role"),
    )

    order: str
    words: tuple[str, ...] = ()
    name: str | None = None
    email: str | None = None
    address: str | None = None
    language: Language = "fr"
    post: str | None = None
    presentation: str | None = None
    role: Literal["coordinator"] | None = None
    assistant: Assistant | None = None

    directorate: str = ""
    site: str = ""
    organisation: str | None = None
    availability: Availability = ()
    absences: tuple[Absence, ...] = ()

    mentor_state: MentorState | None = None
    skills: Tools = Field(default_factory=dict)
    capacity: int = 0

    manager_state: ManagerState | None = None
    job_family: str = ""
    needs: Tools = Field(default_factory=dict)
    waiting: Waiting | None = None
    listed: bool = False
    waiting_for: WaitingCause | None = None
    enrolled_at: Moment | None = None
    paused: bool = False
    pair_id: str | None = None

    @property
    def sides(self) -> tuple[Side, ...]:
        """What the person is in the programme."""
        mentor: tuple[Side, ...] = ("mentor",) if self.mentor_state else ()
        return (*mentor, "manager") if self.manager_state else mentor


class HeldRole(Document):
    """A role that somebody was given in a cohort; `id` is `person~role`.

    `holder`: by what whoever has the address to which it was given acts, and by which they are
    known when they sign in. `asker`: who gave it, by the same.
    """

    collection: ClassVar[str] = "roles"
    indexes: ClassVar[tuple[tuple[str, ...], ...]] = (("holder",),)

    person_id: str
    role: GivenRole
    organisations: tuple[str, ...] = ()
    holder: ActorId
    given_at: Moment
    asker: ActorId | None = None


class Asked(Value):
    """One side would rather have another partner, and why, in confidence."""

    by: Side
    reason: str


class Pair(Document):
    """A pair, from the proposal on. `chosen_because`: why a coordinator chose it, if one did.

    `undated`: sessions for which no common hour was found. `stalled`: no session took place for
    too long. `wants_another`: whether there is anything in `asked_another`. `often_missed`: it
    stands, and missed three sessions or more. `at_risk`: a word may help it, and there is nothing
    else to say of why.
    `order` sorts proposals by the end of their time.
    """

    collection: ClassVar[str] = "pairs"
    indexes: ClassVar[tuple[tuple[str, ...], ...]] = (
        ("cohort_id", "state", "id"),
        ("cohort_id", "round_id", "id"),
        ("cohort_id", "mentor_id"),
        ("cohort_id", "manager_id"),
        ("cohort_id", "without_date", "id"),
        ("cohort_id", "stalled", "id"),
        ("cohort_id", "wants_another", "id"),
        ("cohort_id", "often_missed", "id"),
        ("cohort_id", "at_risk", "id"),
        ("cohort_id", "state", "order"),
    )

    mentor_id: str
    manager_id: str
    round_id: str
    state: PairState
    accepted: tuple[Side, ...] = ()
    score: float = 0.0
    reasons: tuple[ScoreReason, ...] = ()
    first_tools: tuple[FirstTool, ...] = ()
    chosen_because: str | None = None
    expires_at: Moment | None = None
    reporting_line: LineRelation | None = None
    order: str = ""
    completed: int = 0
    missed: int = 0
    often_missed: bool = False
    at_risk: bool = False
    stalled: bool = False
    stalled_since: Moment | None = None
    undated: tuple[int, ...] = ()
    without_date: bool = False
    place: MeetingPlace | None = None
    asked_another: tuple[Asked, ...] = ()
    wants_another: bool = False


class Proposal(Value):
    """Another date that one side has proposed, until the other answers."""

    by: Side
    proposed_at: Moment
    answer_by: Moment


class Session(Document):
    """A session as it was last planned; `id` is `mentor~manager~number`.

    `week` is the Monday of its date. `postponed`: it gave up its date, and waits for another.
    `presumed`: it counts as held, because both had confirmed it and nobody told anything.
    """

    collection: ClassVar[str] = "sessions"
    indexes: ClassVar[tuple[tuple[str, ...], ...]] = (
        ("cohort_id", "pair_id", "id"),
        ("cohort_id", "state"),
        ("cohort_id", "week", "state"),
    )

    pair_id: str
    mentor_id: str
    manager_id: str
    number: int
    attempt: int
    starts_at: Moment
    ends_at: Moment
    week: str = ""
    state: SessionState
    confirmed_by: tuple[Side, ...] = ()
    proposal: Proposal | None = None
    presumed: bool = False


class Dispute(Document):
    """An attempt at a session of which the two tell contrary things, until it is settled.

    `id` is `mentor~manager~number~attempt`; `by` said last, and said `held`.
    """

    collection: ClassVar[str] = "disputes"

    session_id: str
    pair_id: str
    mentor_id: str
    manager_id: str
    number: int
    attempt: int
    starts_at: Moment
    ends_at: Moment
    by: Side
    held: bool


def week_of(moment: datetime) -> str:
    """The Monday of a moment's week in Paris, as `2017-03-06`: by it sessions are counted."""
    day = moment.astimezone(PARIS).date()
    return (day - timedelta(days=day.weekday())).isoformat()


def dispute_of(session_id: str, attempt: int) -> str:
    """The id of a dispute about an attempt at a session."""
    return f"{session_id}~{attempt}"


class Round(Document):
    """A round, as it was asked for, and what came of it, or would come (`simulated`).

    `begins_at`: until then what is to be published can be called off.
    """

    collection: ClassVar[str] = "rounds"

    state: Literal["requested", "simulated", "completed", "called-off"]
    mode: RoundMode
    requested_at: Moment | None = None
    begins_at: Moment | None = None
    besides: tuple[str, ...] = ()
    simulated: bool = False
    proposed: int = 0
    managers_waiting: int = 0
    places_free: int = 0
    score: float = 0.0
    optimal: bool | None = None


class Simulation(Document):
    """Some of the pairs that a simulated round would propose, or of those it would leave."""

    collection: ClassVar[str] = "simulations"
    indexes: ClassVar[tuple[tuple[str, ...], ...]] = (("cohort_id", "round_id", "id"),)

    round_id: str
    part: int
    pairs: tuple[SimulatedPair, ...]
    left: tuple[SimulatedPlace, ...] = ()


class ProgrammeSheet(Document):
    """What coordinators have written for a programme's people to read before a session.

    Words by language: French, and English where there is some. `minutes`: to read it. `edition`:
    how often it has changed. `taken_back`: people read it no more.
    """

    collection: ClassVar[str] = "sheets"
    indexes: ClassVar[tuple[tuple[str, ...], ...]] = (("cohort_id", "taken_back", "id"),)

    tool: ToolName
    jobs: tuple[JobFamily, ...] = ()
    titles: dict[Language, str]
    bodies: dict[Language, str]
    minutes: dict[Language, int]
    edition: int
    taken_back: bool = False


class Apart(Document):
    """Two people whom a coordinator keeps apart, and why; `id` is that of the pair."""

    collection: ClassVar[str] = "kept_apart"

    mentor_id: str
    manager_id: str
    reason: str


class FailedLetter(Document):
    """A letter that was given up, until it is tried again; `id` is the letter's.

    `about`: whom it tells of, whoever it is written to.
    """

    collection: ClassVar[str] = "failed_letters"

    person_id: str
    about: tuple[str, ...] = ()
    template: str
    cause: str
    failed_at: Moment | None = None


class Letter(Document):
    """A letter to somebody; `id` is the letter's. What stands in it is not kept here.

    `owed_at`: when it could first be sent. `closes_at`: until when its survey can be answered.
    `about`: whom it tells of, whoever it is written to.
    """

    collection: ClassVar[str] = "letters"
    indexes: ClassVar[tuple[tuple[str, ...], ...]] = (("cohort_id", "person_id", "id"),)

    person_id: str
    about: tuple[str, ...] = ()
    side: Side | None = None
    template: str
    owed_at: Moment
    closes_at: Moment | None = None
    state: Literal["queued", "sent", "failed"] = "queued"


LISTED: dict[type[Document], tuple[str, ...]] = {}
"""What whoever has the token can list: nothing. Names are on pages, for whom they concern."""
