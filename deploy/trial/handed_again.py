"""Why a letter was handed to the mail server again: by what befell somebody in between.

Always holds: a fault explains a second hand-over only if it was going on between the first one and
the second. So what is `otherwise` was handed over twice for no fault that was made.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

OTHERWISE = "otherwise"
"""The cause of what no fault explains."""


@dataclass(frozen=True, slots=True)
class Fault:
    """What befell the sender or the server, from a moment until another; seconds of one clock."""

    cause: str
    since: float
    until: float


def explained(
    again: Iterable[tuple[float, float]], faults: Sequence[Fault], causes: Iterable[str]
) -> list[str]:
    """The cause of each second hand-over, by the moments of the first and of the second.

    `causes`: of several that fit, the first of these counts.
    """
    ranked = tuple(causes)
    found = []
    for first, second in again:
        between = {f.cause for f in faults if f.since <= second and f.until >= first}
        found.append(next((cause for cause in ranked if cause in between), OTHERWISE))
    return found
