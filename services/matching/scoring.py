"""Which mentor may coach which manager, and how well they fit. No score buys what is not legal.

Always holds: the result depends on who the people are, never on the order in which they come.
Age and rank are not criteria; they are not even in the data.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from schemas.values import WEEKDAYS, Availability, CohortPolicy, ScoreReason, minutes
from services.matching.views import Manager, Mentor

QUARTER = 15  # minutes
DAY_SLOTS = 24 * 60 // QUARTER
FULL_WEEK = 4 * 60  # shared minutes a week that count as fully available


@dataclass(frozen=True, slots=True)
class Candidates:
    """Legal mentors of one manager: their indexes, scores (0..100) and criteria (0..1)."""

    mentors: NDArray[np.int64]
    scores: NDArray[np.float64]
    criteria: dict[str, NDArray[np.float64]]


def week(availability: Availability, length: int = QUARTER) -> NDArray[np.bool_]:
    """The week in quarter hours: where somebody can start something of `length` minutes."""
    slots = np.zeros(len(WEEKDAYS) * DAY_SLOTS, dtype=np.bool_)
    for window in availability:
        day = WEEKDAYS.index(window.day) * DAY_SLOTS
        first = -(-minutes(window.start) // QUARTER)
        last = (minutes(window.end) - length) // QUARTER
        slots[day + first : day + last + 1] = True
    return slots


class Pool:
    """The mentors with room, and everybody's line, laid out for scoring one manager at a time."""

    def __init__(
        self, mentors: Sequence[Mentor], managers: Sequence[Manager], policy: CohortPolicy
    ) -> None:
        self.mentors = mentors
        self.policy = policy
        tools = sorted(
            {t for m in mentors for t in m.skills} | {t for g in managers for t in g.needs}
        )
        self.tools = {tool: i for i, tool in enumerate(tools)}
        self.skills = np.zeros((len(mentors), len(tools)))
        for i, mentor in enumerate(mentors):
            for tool, level in mentor.skills.items():
                self.skills[i, self.tools[tool]] = level
        length = policy.session_minutes
        empty = np.zeros((0, len(WEEKDAYS) * DAY_SLOTS), dtype=np.bool_)
        self.free = np.array([week(m.availability) for m in mentors]) if mentors else empty
        self.starts = (
            np.array([week(m.availability, length) for m in mentors]) if mentors else empty
        )
        self.directorates = np.array([m.directorate for m in mentors], dtype=object)
        self.sites = np.array([m.site for m in mentors], dtype=object)
        self.places = {mentor.id: i for i, mentor in enumerate(mentors)}

    def candidates(
        self, manager: Manager, lines: dict[str, str | None], closed: frozenset[str]
    ) -> Candidates:
        """The legal mentors of a manager; `closed` are mentors with whom a pair has ended."""
        needs = np.zeros(len(self.tools))
        for tool, level in manager.needs.items():
            needs[self.tools[tool]] = level
        asked = needs > 0
        skills = self.skills[:, asked]
        levels = needs[asked]
        able = (skills >= levels).any(axis=1)
        meet = self.starts @ week(manager.availability, self.policy.session_minutes) > 0
        legal = able & meet
        for mentor_id in closed | {manager.id, *manager.excludes}:
            if mentor_id in self.places:
                legal[self.places[mentor_id]] = False
        for i in np.flatnonzero(legal).tolist():
            mentor = self.mentors[i]
            if manager.id in mentor.excludes or (
                self.policy.reporting_line == "forbid" and in_line(mentor.id, manager.id, lines)
            ):
                legal[i] = False
        found = np.flatnonzero(legal)
        shared = self.free[found].astype(np.float64) @ week(manager.availability) * QUARTER
        criteria = {
            "coverage": np.minimum(skills[found] / levels, 1.0) @ levels / levels.sum(),
            "availability": np.minimum(shared / FULL_WEEK, 1.0),
            "bridge": (self.directorates[found] != manager.directorate).astype(np.float64),
            "proximity": (self.sites[found] == manager.site).astype(np.float64),
        }
        weights = self.policy.weights
        total = sum(getattr(weights, name) for name in criteria)
        scores = sum(criteria[n] * (getattr(weights, n) / total * 100) for n in criteria)
        return Candidates(found, np.round(scores, 6), criteria)


def in_line(one: str, other: str, lines: dict[str, str | None]) -> bool:
    """Whether one reports to the other, at any height, or both to the same manager directly."""
    if lines.get(one) is not None and lines.get(one) == lines.get(other):
        return True
    return other in _above(one, lines) or one in _above(other, lines)


def _above(person: str, lines: dict[str, str | None]) -> set[str]:
    found: set[str] = set()
    above = lines.get(person)
    while above is not None and above not in found:
        found.add(above)
        above = lines.get(above)
    return found


def reasons(candidates: Candidates, index: int, policy: CohortPolicy) -> tuple[ScoreReason, ...]:
    """The score of one candidate, criterion by criterion."""
    total = sum(getattr(policy.weights, name) for name in candidates.criteria)
    return tuple(
        ScoreReason(
            criterion=name,
            value=round(float(values[index]), 4),
            weight=getattr(policy.weights, name),
            contribution=round(
                float(values[index]) * getattr(policy.weights, name) / total * 100, 2
            ),
        )
        for name, values in candidates.criteria.items()
    )


def first_tools(mentor: Mentor, manager: Manager, most: int = 3) -> tuple[str, ...]:
    """The tools to begin with: what the manager needs most and the mentor masters."""
    able = [t for t, level in manager.needs.items() if mentor.skills.get(t, 0) >= level]
    return tuple(sorted(able, key=lambda tool: (-manager.needs[tool], tool))[:most])
