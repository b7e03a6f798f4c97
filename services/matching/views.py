"""What matching knows: cohorts, mentors, managers, pairs and rounds, and how they are listed."""

from typing import ClassVar, Literal

from schemas.base import Moment
from schemas.community import Meeting
from schemas.lines import LineRelation
from schemas.sheets import SheetText
from schemas.values import (
    Availability,
    CohortPolicy,
    FirstTool,
    JobFamily,
    RoundMode,
    ScoreReason,
    Side,
    SimulatedPair,
    SimulatedPlace,
    ToolName,
    Tools,
    Waiting,
)
from services.chassis.documents import RevokedLinks
from services.chassis.domain import Document, Personal, RunningCount, Timed

PairState = Literal["proposed", "formed", "declined", "expired", "dissolved", "graduated"]


class Cohort(Timed):
    """One run of the programme; `id` is the cohort's own. `closed`: nobody joins any more.

    `kept_until`: when its people's contacts are erased. `due_at`: when what still stands by then
    ends; `over`: it has.
    """

    collection: ClassVar[str] = "cohorts"

    name: str
    policy: CohortPolicy
    room: str | None = None
    meeting: Meeting | None = None
    closed: bool = False
    closed_at: Moment | None = None
    kept_until: Moment | None = None
    over: bool = False


class Mentor(Document):
    """A volunteer. `engaged` are the pairs, proposed or standing, that take up capacity."""

    collection: ClassVar[str] = "mentors"
    indexes: ClassVar[tuple[tuple[str, ...], ...]] = (("cohort_id", "state", "id"),)

    directorate: str
    site: str
    skills: Tools
    capacity: int
    availability: Availability
    line_manager: str | None
    excludes: tuple[str, ...]
    organisation: str | None = None
    state: Literal["available", "engaged", "paused", "withdrawn"] = "available"
    engaged: tuple[str, ...] = ()
    returns: int = 0
    listed: bool = False

    @property
    def places(self) -> int:
        """How many more managers this mentor can take."""
        return self.capacity - len(self.engaged) if self.state == "available" else 0


class Manager(Document):
    """Somebody who asked to be coached. `pair_id` is the pair, proposed or standing.

    `paused`: whether they would be `paused` rather than `waiting` if they were in no pair.
    """

    collection: ClassVar[str] = "managers"
    indexes: ClassVar[tuple[tuple[str, ...], ...]] = (("cohort_id", "state", "id"),)

    directorate: str
    site: str
    job_family: str
    needs: Tools
    availability: Availability
    line_manager: str | None
    excludes: tuple[str, ...]
    organisation: str | None = None
    state: Literal["waiting", "paused", "proposed", "paired", "graduated", "withdrawn"] = "waiting"
    paused: bool = False
    pair_id: str | None = None
    enrolled_at: Moment | None = None
    waiting: Waiting | None = None
    returns: int = 0

    def may_take(self, pair_id: str) -> bool:
        """Whether this pair would be their only one."""
        engaged = self.state in ("proposed", "paired") and self.pair_id != pair_id
        return self.state != "withdrawn" and not engaged

    def free(self) -> "Manager":
        """They, in no pair."""
        state = "paused" if self.paused else "waiting"
        return self.model_copy(update={"state": state, "pair_id": None})


class Pair(Timed):
    """A mentor and a manager, from the proposal on. It has one life: what ended stays ended.

    `asked_another`: the sides that would rather have another partner, which the other is not told.
    """

    collection: ClassVar[str] = "pairs"
    indexes: ClassVar[tuple[tuple[str, ...], ...]] = (("cohort_id", "state", "id"),)

    mentor_id: str
    manager_id: str
    round_id: str
    state: PairState
    accepted: tuple[Side, ...] = ()
    score: float
    reasons: tuple[ScoreReason, ...]
    tools: tuple[str, ...]
    first_tools: tuple[FirstTool, ...] = ()
    reporting_line: LineRelation | None = None
    asked_another: tuple[Side, ...] = ()


class Round(Timed):
    """A round: searched while it is `requested`, once it is due. `besides`: pairs it leaves out."""

    collection: ClassVar[str] = "rounds"

    state: Literal["requested", "completed", "simulated", "called-off"] = "completed"
    mode: RoundMode = "publish"
    besides: tuple[str, ...] = ()
    proposed: int = 0
    score: float = 0.0
    managers_waiting: int | None = None
    places_free: int | None = None
    optimal: bool | None = None


class Simulation(Document):
    """Some of the pairs that a simulated round would propose, or of those it would leave."""

    collection: ClassVar[str] = "simulations"

    round_id: str
    part: int
    pairs: tuple[SimulatedPair, ...]
    left: tuple[SimulatedPlace, ...] = ()


class Line(Document):
    """Who somebody reports to, as a directory has it; `id` is the person's."""

    collection: ClassVar[str] = "lines"

    line_manager: str | None


class Sheet(Document):
    """What coordinators have written for their cohort to read; `edition`: how often it changed.

    `taken_back`: nobody reads it, until it is written again.
    """

    collection: ClassVar[str] = "sheets"

    tool: ToolName
    jobs: tuple[JobFamily, ...] = ()
    fr: SheetText
    en: SheetText | None = None
    edition: int
    taken_back: bool = False


class Override(Document):
    """What a coordinator decided about a pair, and why; `id` is the pair's."""

    collection: ClassVar[str] = "overrides"

    mentor_id: str
    manager_id: str
    decision: Literal["proposed", "kept_apart"]
    reason: str


LISTED: dict[type[Document], tuple[str, ...]] = {
    Cohort: (),
    Mentor: ("id", "state", "directorate", "site", "organisation"),
    Manager: ("id", "state", "directorate", "site", "job_family", "organisation"),
    Pair: ("state", "mentor_id", "manager_id", "round_id"),
    Round: ("state", "mode"),
    Simulation: ("round_id",),
    Override: ("decision", "mentor_id", "manager_id"),
}
"""What a coordinator can list, and by what."""

PERSONAL: dict[type[Document], Personal] = {
    Mentor: Personal(("id",)),
    Manager: Personal(("id",)),
    Line: Personal(("id",)),
    RevokedLinks: Personal(("id",)),
    # Who would rather have another partner is told to coordinators alone.
    Pair: Personal(("mentor_id", "manager_id"), withheld=("asked_another",)),
    # Why two are kept apart can be about the other one.
    Override: Personal(("mentor_id", "manager_id"), withheld=("reason",)),
}
"""What is kept about a person, for them; with the calculation of each pair."""

_BY_STATE = (("cohort", "cohort_id"), ("state", "state"))
MEASURES = (
    RunningCount("mentoring_mentors", "Mentors", Mentor, _BY_STATE),
    RunningCount("mentoring_managers", "Managers", Manager, _BY_STATE),
    RunningCount("mentoring_pairs", "Pairs", Pair, _BY_STATE),
)
