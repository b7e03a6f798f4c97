"""One mentor and one manager: whether they may be a pair, and what each criterion is worth.

What decisions ask of two people, in plain Python: the service's own process loads neither NumPy nor
the solver for it. Always holds: `Pool`, which says the same of thousands at once, agrees.
"""

from collections.abc import Callable, Iterator
from functools import lru_cache

from schemas.dates import minutes
from schemas.known.jobs import needs_of
from schemas.lines import LineRelation
from schemas.values import REMOTE, WEEKDAYS, Availability, CohortPolicy, Tools
from services.matching.views import Manager, Mentor

POINT = 10_000
"""Scores are whole ten-thousandths of a point."""
BEST = 100 * POINT
"""The highest score of a pair."""

QUARTER = 15  # minutes
DAY_SLOTS = 24 * 60 // QUARTER
FULL_WEEK = 4 * 60  # shared minutes a week that count as fully available
FULL = FULL_WEEK // QUARTER
CRITERIA = ("coverage", "job", "availability", "bridge", "proximity")

LineOf = Callable[[str], str | None]
"""Whom somebody reports to, as far as anybody knows."""


def shares_of(policy: CohortPolicy) -> list[float]:
    """Of `BEST`, how much each criterion can bring."""
    weights = [getattr(policy.weights, name) for name in CRITERIA]
    return [weight / sum(weights) * BEST for weight in weights]


def starts(availability: Availability, length: int = QUARTER) -> Iterator[tuple[int, int]]:
    """Where in the week, in quarter hours, somebody can start something of `length` minutes: from
    the first of each row to before the second."""
    for window in availability:
        day = WEEKDAYS.index(window.day) * DAY_SLOTS
        first = -(-minutes(window.start) // QUARTER)
        last = (minutes(window.end) - length) // QUARTER
        if last >= first:
            yield day + first, day + last + 1


@lru_cache(maxsize=4096)
def _week(availability: Availability, length: int = QUARTER) -> int:
    """The same as a number of a bit for each quarter hour."""
    found = 0
    for begin, end in starts(availability, length):
        found |= (1 << end) - (1 << begin)
    return found


def shared_quarters(mentor: Mentor, manager: Manager) -> int:
    """Quarter hours of the week in which both are free."""
    return (_week(mentor.availability) & _week(manager.availability)).bit_count()


def may_pair(mentor: Mentor, manager: Manager, policy: CohortPolicy) -> bool:
    """Whether the mentor masters something that is needed, both can meet, and nothing that the two
    themselves say keeps them apart."""
    length = policy.session_minutes
    meet = _week(mentor.availability, length) & _week(manager.availability, length)
    able = any(mentor.skills.get(tool, 0) >= level for tool, level in manager.needs.items())
    return able and meet > 0 and kept_apart(mentor, manager, policy, lambda _: None) is None


def parts(mentor: Mentor, manager: Manager) -> tuple[tuple[float, float], ...]:
    """For each criterion, how much of how much the two have of it."""
    return (
        _levels(mentor.skills, manager.needs),
        _levels(mentor.skills, needs_of(manager.job_family)),
        (min(shared_quarters(mentor, manager), FULL), FULL),
        (mentor.directorate != manager.directorate, 1),
        (mentor.site == manager.site or REMOTE in (mentor.site, manager.site), 1),
    )


def _levels(skills: Tools, tools: Tools) -> tuple[int, int]:
    """What the skills reach of the levels asked for, and how much is asked for (at least 1)."""
    return sum(min(skills.get(t, 0), level) for t, level in tools.items()), max(
        sum(tools.values()), 1
    )


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
    relation = relation_of(mentor.id, manager.id, line_of)
    return None if relation is None else _APART[relation]


_APART: dict[LineRelation, str] = {
    "manager-above": "one of them reports to the other",
    "mentor-above": "one of them reports to the other",
    "same-manager": "they report to the same person",
}


def relation_of(mentor: str, manager: str, line_of: LineOf) -> LineRelation | None:
    """How the two stand to each other in the reporting line, at any height; None: not at all."""
    if manager in above(mentor, line_of):
        return "manager-above"
    if mentor in above(manager, line_of):
        return "mentor-above"
    lead = line_of(mentor)
    return "same-manager" if lead is not None and lead == line_of(manager) else None


def to_agree_on(
    mentor: str, manager: str, policy: CohortPolicy, line_of: LineOf
) -> LineRelation | None:
    """What both have to agree to beside the pair itself, by the cohort's policy."""
    both = policy.reporting_line == "both_consent"
    return relation_of(mentor, manager, line_of) if both else None
