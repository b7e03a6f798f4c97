"""What matching knows: cohorts, mentors, managers, pairs and rounds, and how they are listed."""

from typing import ClassVar, Literal

from schemas.values import Availability, CohortPolicy, ScoreReason, Side, Tools
from services.chassis.domain import Document, Timed
from services.chassis.metrics import Measure

PairState = Literal["proposed", "formed", "declined", "expired", "dissolved", "graduated"]


class Cohort(Document):
    """One run of the programme; `id` is the cohort's own."""

    collection: ClassVar[str] = "cohorts"

    name: str
    policy: CohortPolicy


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
    state: Literal["available", "engaged", "paused", "withdrawn"] = "available"
    engaged: tuple[str, ...] = ()

    @property
    def places(self) -> int:
        """How many more managers this mentor can take."""
        return self.capacity - len(self.engaged) if self.state == "available" else 0


class Manager(Document):
    """Somebody who asked to be coached. `pair_id` is the pair, proposed or standing."""

    collection: ClassVar[str] = "managers"
    indexes: ClassVar[tuple[tuple[str, ...], ...]] = (("cohort_id", "state", "id"),)

    directorate: str
    site: str
    job_family: str
    needs: Tools
    availability: Availability
    line_manager: str | None
    excludes: tuple[str, ...]
    state: Literal["waiting", "proposed", "paired", "graduated", "withdrawn"] = "waiting"
    pair_id: str | None = None


class Pair(Timed):
    """A mentor and a manager, from the proposal on. It has one life: what ended stays ended."""

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


class Round(Document):
    """A round that has run."""

    collection: ClassVar[str] = "rounds"

    proposed: int
    managers_waiting: int
    places_free: int
    score: float


LISTED: dict[type[Document], tuple[str, ...]] = {
    Cohort: (),
    Mentor: ("state", "directorate", "site"),
    Manager: ("state", "directorate", "site", "job_family"),
    Pair: ("state", "mentor_id", "manager_id", "round_id"),
    Round: (),
}
"""What a coordinator can list, and by what."""

_BY_STATE = (("cohort", "cohort_id"), ("state", "state"))
MEASURES = (
    Measure("mentoring_mentors", "Mentors", Mentor, _BY_STATE),
    Measure("mentoring_managers", "Managers", Manager, _BY_STATE),
    Measure("mentoring_pairs", "Pairs", Pair, _BY_STATE),
)
