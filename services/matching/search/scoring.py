"""Which mentor may coach which manager, and how well they fit. No score buys what is not legal.

Always holds: the result depends on who the people are, never on the order in which they come.
Age and rank are not criteria; they are not even in the data.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from hashlib import blake2b

import numpy as np
from numpy.typing import NDArray

from schemas.dates import minutes
from schemas.values import WEEKDAYS, Availability, CohortPolicy, Tools
from services.matching.families import needs_of
from services.matching.search.assignment import BEST, AnyInts, Ints
from services.matching.views import Manager, Mentor

QUARTER = 15  # minutes
DAY_SLOTS = 24 * 60 // QUARTER
FULL_WEEK = 4 * 60  # shared minutes a week that count as fully available
FULL = FULL_WEEK // QUARTER
CRITERIA = ("coverage", "job", "availability", "bridge", "proximity")
REMOTE = "remote"
"""The site of whoever meets at a distance: anybody's."""

_CHUNK = 64  # managers whose weeks are compared with the mentors' at once


@dataclass(frozen=True, slots=True)
class Bonds:
    """What keeps people apart beyond their own exclusions.

    `lines`: everybody's direct manager, whether or not they take part. `closed`: by manager, the
    mentors with whom a pair has ended.
    """

    lines: Mapping[str, str | None] = field(default_factory=dict)
    closed: Mapping[str, Iterable[str]] = field(default_factory=dict)


def week(availability: Availability, length: int = QUARTER) -> NDArray[np.bool_]:
    """The week in quarter hours: where somebody can start something of `length` minutes."""
    slots = np.zeros(len(WEEKDAYS) * DAY_SLOTS, dtype=np.bool_)
    for window in availability:
        day = WEEKDAYS.index(window.day) * DAY_SLOTS
        first = -(-minutes(window.start) // QUARTER)
        last = (minutes(window.end) - length) // QUARTER
        slots[day + first : day + last + 1] = True
    return slots


class Weeks:
    """The different weeks of some people: `of[i]` is the row of person i."""

    def __init__(self, people: Sequence[Mentor | Manager], length: int) -> None:
        rows: dict[Availability, int] = {}
        self.of = np.array([rows.setdefault(p.availability, len(rows)) for p in people], np.int64)
        shape = (len(rows), len(WEEKDAYS) * DAY_SLOTS)
        self.free = np.array([week(a) for a in rows], np.float32).reshape(shape)
        self.starts = np.array([week(a, length) for a in rows], np.float32).reshape(shape)


@dataclass(frozen=True, slots=True)
class Block:
    """The legal pairs of some managers: those of `managers[k]` are `mentor[start[k]:start[k + 1]]`,
    in rising order, worth `points` each (0 to `BEST`)."""

    managers: Ints
    start: Ints
    mentor: AnyInts
    points: AnyInts

    @property
    def rows(self) -> Ints:
        """The manager of every pair."""
        return np.repeat(self.managers, np.diff(self.start))

    def __iter__(self) -> Iterator[tuple[int, AnyInts, AnyInts]]:
        """Manager, mentors and points, manager by manager."""
        for k, i in enumerate(self.managers.tolist()):
            own = slice(self.start[k], self.start[k + 1])
            yield i, self.mentor[own], self.points[own]


class Pool:
    """The mentors with room and the managers who wait, laid out for looking up who fits whom.

    `mentors` and `managers` are in an order of their own, which their content decides (and their
    ids among equals); indexes and results refer to it. `ties(i, mentors)` tells equals apart, by
    content alone.
    """

    def __init__(
        self,
        mentors: Sequence[Mentor],
        managers: Sequence[Manager],
        policy: CohortPolicy,
        bonds: Bonds | None = None,
    ) -> None:
        self.policy = policy
        keyed = sorted((_key(p, p.skills, p.places), p.id, p) for p in mentors)
        waiting = sorted((_key(p, p.needs, p.job_family), p.id, p) for p in managers)
        self.mentors = [mentor for _, _, mentor in keyed]
        self.managers = [manager for _, _, manager in waiting]
        self.capacities = np.array([mentor.places for mentor in self.mentors], np.int64)
        self._keys = np.array([key for key, _, _ in keyed], np.uint64)
        self._waiting_keys = np.array([key for key, _, _ in waiting], np.uint64)
        self._waiting_keys *= np.uint64(0x94D049BB133111EB)  # two people may be equal in content
        self._apart = _apart(self.mentors, self.managers, policy, bonds or Bonds())
        weights = [getattr(policy.weights, name) for name in CRITERIA]
        self.shares = [weight / sum(weights) * BEST for weight in weights]
        self._tell_skills()
        self._weeks = Weeks(self.mentors, policy.session_minutes)
        self._waiting_weeks = Weeks(self.managers, policy.session_minutes)
        self._directorate = _numbered(self.mentors, self.managers, "directorate")
        self._site = _numbered(self.mentors, self.managers, "site")

    def _tell_skills(self) -> None:
        """The inverted index: who masters a tool at a level or above."""
        families = {manager.job_family for manager in self.managers}
        jobs = {family: needs_of(family) for family in families}
        tools = {tool for manager in self.managers for tool in manager.needs}
        tools.update(*jobs.values())
        self._levels = {tool: np.zeros(len(self.mentors), np.uint8) for tool in tools}
        for j, mentor in enumerate(self.mentors):
            for tool in mentor.skills.keys() & tools:
                self._levels[tool][j] = mentor.skills[tool]
        everybody = np.arange(len(self.mentors))
        self._for_job = {
            family: self._covered(tools, everybody, self.shares[1])
            for family, tools in jobs.items()
        }

    def legal(self, managers: Ints) -> Iterator[Block]:
        """The legal pairs of the managers, some managers at a time.

        In whatever order is quickest: managers who have the same week come together.
        """
        coverage, _, availability, bridge, proximity = self.shares
        by_quarters = np.floor(availability * np.arange(FULL + 1) / FULL).astype(np.int32)
        elsewhere, here = np.int32(bridge), np.int32(proximity)
        by_week = managers[np.argsort(self._waiting_weeks.of[managers], kind="stable")]
        for begin in range(0, len(by_week), _CHUNK):
            chunk = by_week[begin : begin + _CHUNK]
            rows, row_of = np.unique(self._waiting_weeks.of[chunk], return_inverse=True)
            meet = (self._waiting_weeks.starts[rows] @ self._weeks.starts.T) > 0
            shared = self._waiting_weeks.free[rows] @ self._weeks.free.T
            worth = by_quarters[np.minimum(shared, FULL).astype(np.int32)]
            mentors: list[NDArray[np.int32]] = []
            points: list[NDArray[np.int32]] = []
            last = -1
            for i, row in zip(chunk.tolist(), row_of.tolist(), strict=True):
                if row != last:
                    meets = meet[row].take(self._weeks.of)
                    hours = worth[row].take(self._weeks.of)
                    last = row
                manager = self.managers[i]
                found = np.flatnonzero(self._able(i) & meets)
                fit = self._covered(manager.needs, found, coverage)
                fit += self._for_job[manager.job_family].take(found)
                fit += hours.take(found)
                fit += elsewhere * (self._directorate[0].take(found) != self._directorate[1][i])
                fit += here * self._near(i, found)
                mentors.append(found.astype(np.int32))
                points.append(fit)
            start = np.cumsum([0, *map(len, mentors)])
            yield Block(chunk, start, np.concatenate(mentors), np.concatenate(points))

    def _able(self, i: int) -> NDArray[np.bool_]:
        """Who masters something that the manager needs, and is not to be kept apart."""
        (tool, level), *others = self.managers[i].needs.items()
        able: NDArray[np.bool_] = self._levels[tool] >= level
        for tool, level in others:
            able |= self._levels[tool] >= level
        able[self._apart.get(i, [])] = False
        return able

    def able_anybody(self, i: int) -> bool:
        """Whether anybody masters what the manager needs, and nothing keeps the two apart."""
        return bool(self._able(i).any())

    def _covered(self, tools: Tools, mentors: Ints, share: float) -> NDArray[np.int32]:
        """The part of `share` that the mentors' levels are of the levels asked for."""
        total = sum(tools.values())
        by_levels = np.floor(share * np.arange(total + 1) / max(total, 1)).astype(np.int32)
        covered = np.zeros(len(self.mentors), np.uint8)  # 40 tools at most, of level 5
        for tool, level in tools.items():
            covered += np.minimum(self._levels[tool], np.uint8(level))
        found: NDArray[np.int32] = by_levels.take(covered.take(mentors))
        return found

    def _near(self, i: int, mentors: Ints) -> NDArray[np.bool_]:
        """Whether the mentors' site is the manager's, or either of them meets at a distance."""
        site = self._site[1][i]
        if site == 0:
            return np.ones(len(mentors), np.bool_)
        theirs = self._site[0].take(mentors)
        near: NDArray[np.bool_] = (theirs == site) | (theirs == 0)
        return near

    def ties(self, i: int | Ints, mentors: AnyInts) -> Ints:
        """What tells pairs of equal points apart: 0 to 4,095, from the two people's content."""
        mixed = self._keys[mentors] ^ self._waiting_keys[i]
        mixed = (mixed ^ (mixed >> np.uint64(31))) * np.uint64(0x9E3779B97F4A7C15)
        mixed = (mixed ^ (mixed >> np.uint64(29))) * np.uint64(0xBF58476D1CE4E5B9)
        ties: Ints = (mixed >> np.uint64(52)).astype(np.int64)
        return ties

    def shared(self, i: int, j: int) -> int:
        """Quarter hours of the week in which both are free."""
        week_i, week_j = self._waiting_weeks.of[i], self._weeks.of[j]
        return int(self._waiting_weeks.free[week_i] @ self._weeks.free[week_j])

    def parts(self, i: int, j: int) -> tuple[tuple[float, float], ...]:
        """For each criterion, how much of how much manager i and mentor j have of it."""
        manager, mentor = self.managers[i], self.mentors[j]
        return (
            _levels(mentor.skills, manager.needs),
            _levels(mentor.skills, needs_of(manager.job_family)),
            (min(self.shared(i, j), FULL), FULL),
            (mentor.directorate != manager.directorate, 1),
            (mentor.site == manager.site or REMOTE in (mentor.site, manager.site), 1),
        )


def _levels(skills: Tools, tools: Tools) -> tuple[int, int]:
    """What the skills reach of the levels asked for, and how much is asked for (at least 1)."""
    return sum(min(skills.get(t, 0), level) for t, level in tools.items()), max(
        sum(tools.values()), 1
    )


def _key(person: Mentor | Manager, tools: Tools, extra: object) -> int:
    """A number of the person's content, the same whatever their id is."""
    windows = [(w.day, w.start, w.end) for w in person.availability]
    content = (person.directorate, person.site, sorted(tools.items()), extra, windows)
    return int.from_bytes(blake2b(repr(content).encode(), digest_size=8).digest())


def _numbered(
    mentors: Sequence[Mentor], managers: Sequence[Manager], field: str
) -> tuple[Ints, Ints]:
    numbers = {REMOTE: 0}

    def of(people: Sequence[Mentor] | Sequence[Manager]) -> Ints:
        names = (getattr(person, field) for person in people)
        return np.array([numbers.setdefault(name, len(numbers)) for name in names], np.int64)

    return of(mentors), of(managers)


def _apart(
    mentors: Sequence[Mentor], managers: Sequence[Manager], policy: CohortPolicy, bonds: Bonds
) -> dict[int, list[int]]:
    """By manager, the mentors to keep apart from them, whatever they master."""
    place = {mentor.id: j for j, mentor in enumerate(mentors)}
    waiting = {manager.id: i for i, manager in enumerate(managers)}
    apart: dict[int, set[int]] = defaultdict(set)
    for i, manager in enumerate(managers):
        ids = {manager.id, *manager.excludes, *bonds.closed.get(manager.id, ())}
        apart[i].update(place[other] for other in ids & place.keys())
    for j, mentor in enumerate(mentors):
        for other in set(mentor.excludes) & waiting.keys():
            apart[waiting[other]].add(j)
    if policy.reporting_line == "forbid":
        team: dict[str, list[int]] = defaultdict(list)
        for j, mentor in enumerate(mentors):
            if (lead := bonds.lines.get(mentor.id)) is not None:
                team[lead].append(j)
            for lead in above(mentor.id, bonds.lines.get) & waiting.keys():
                apart[waiting[lead]].add(j)
        for i, manager in enumerate(managers):
            if (lead := bonds.lines.get(manager.id)) is not None:
                apart[i].update(team.get(lead, ()))
            ids = above(manager.id, bonds.lines.get)
            apart[i].update(place[other] for other in ids & place.keys())
    return {i: sorted(found) for i, found in apart.items() if found}


LineOf = Callable[[str], str | None]
"""Whom somebody reports to, as far as anybody knows."""


def above(person: str, line_of: LineOf) -> set[str]:
    """Everybody to whom somebody reports, at any height. A circle ends."""
    found: set[str] = set()
    lead = line_of(person)
    while lead is not None and lead not in found:
        found.add(lead)
        lead = line_of(lead)
    return found


def kept_apart(
    mentor: Mentor, manager: Manager, policy: CohortPolicy, line_of: LineOf
) -> str | None:
    """What keeps two people apart whatever they master, or None."""
    if mentor.id == manager.id:
        return "they are the same person"
    if mentor.id in manager.excludes or manager.id in mentor.excludes:
        return "one of them excludes the other"
    if policy.reporting_line != "forbid":
        return None
    if manager.id in above(mentor.id, line_of) or mentor.id in above(manager.id, line_of):
        return "one of them reports to the other"
    lead = line_of(mentor.id)
    if lead is not None and lead == line_of(manager.id):
        return "they report to the same person"
    return None
