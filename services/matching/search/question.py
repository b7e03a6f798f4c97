"""What a search is asked and what it answers: plain data, which can be sent to another process."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime

from schemas.lines import LineRelation
from schemas.values import CohortPolicy, Tools, WaitingCause
from services.chassis.domain import Document
from services.matching.views import Cohort, Line, Manager, Mentor, Override, Pair

_LONG_AGO = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class People:
    """Everybody of a cohort, as a search sees them."""

    policy: CohortPolicy
    mentors: Sequence[Mentor]
    managers: Sequence[Manager]
    closed: Mapping[str, Sequence[str]]
    lines: Mapping[str, str | None] = field(default_factory=dict)
    """Who people report to, as a directory has it: before what they say themselves."""

    @property
    def free(self) -> list[Mentor]:
        return [mentor for mentor in self.mentors if mentor.places > 0]

    @property
    def waiting(self) -> list[Manager]:
        """In the order of the waiting list."""
        rows = [manager for manager in self.managers if manager.state == "waiting"]
        return sorted(rows, key=lambda m: (m.enrolled_at or _LONG_AGO, m.id))


SEEN: Mapping[type[Document], Sequence[str]] = {
    Cohort: ("policy",),
    Mentor: tuple(Mentor.model_fields),
    # What the last round told them is nothing that a search asks.
    Manager: tuple(name for name in Manager.model_fields if name != "waiting"),
    # Of pairs there are more with every round, and two ids of each are all that is asked.
    Pair: ("manager_id", "mentor_id"),
    Override: ("manager_id", "mentor_id", "decision"),
    Line: ("id", "line_manager"),
}
"""What a search sees of which documents."""


@dataclass(frozen=True, slots=True)
class Roll:
    """The same as the database has it: some documents of a kind in each portion, as bytes.

    Whoever only hands them on to where they are searched pays nothing for each of them. `besides`:
    the pairs that are left out of this round.
    """

    portions: Mapping[type[Document], Sequence[bytes]]
    besides: Sequence[str] = ()


@dataclass(frozen=True, slots=True)
class Found:
    """What came of one search: pairs (mentor, manager), best first, and of those who stay on the
    waiting list, in its order: id, why, and what they need."""

    pairs: Sequence[tuple[str, str]] = ()
    related: Mapping[tuple[str, str], LineRelation] = field(default_factory=dict)
    """Of those pairs: the ones in one reporting line, where both have to agree to it."""
    waiting: Sequence[tuple[str, WaitingCause, Tools]] = ()
    score: float = 0.0
    places_free: int = 0
    proven: bool = True
