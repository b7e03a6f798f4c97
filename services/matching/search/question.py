"""What a search is asked and what it answers: plain data, which can be sent to another process."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime

from schemas.values import CohortPolicy, WaitingCause
from services.matching.views import Manager, Mentor

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


@dataclass(frozen=True, slots=True)
class Found:
    """What came of one search: pairs (mentor, manager), best first, and why others wait."""

    pairs: Sequence[tuple[str, str]] = ()
    causes: Mapping[str, WaitingCause] = field(default_factory=dict)
    score: float = 0.0
    places_free: int = 0
    proven: bool = True
