"""Which pairs need a coordinator's help, and why.

Always holds: a pair is at risk at most once for each cause.
"""

from collections.abc import Sequence

from schemas.feedback import PairAtRisk
from schemas.scheduling import AttendanceCorrected, PairStalled, SessionMissed
from services.chassis.domain import Decision, Refusal
from services.feedback.cohorts import opened
from services.feedback.views import Cause, Cohort, Pair

MISSES_AT_RISK = 3
LITTLE_USE = 2
"""A usefulness of at most this (of 5) is a reason to speak with the pair."""


def miss(cohort: Cohort | None, pair: Pair, event: SessionMissed | AttendanceCorrected) -> Decision:
    """Say that a pair is at risk once it has missed too many sessions, this one included."""
    known = opened(cohort, event)
    if isinstance(known, Refusal):
        return known
    return raised(pair, "missed_sessions") if pair.missed + 1 >= MISSES_AT_RISK else []


def stall(cohort: Cohort | None, pair: Pair, event: PairStalled) -> Decision:
    """Say that a pair that has not met for too long is at risk."""
    known = opened(cohort, event)
    return known if isinstance(known, Refusal) else raised(pair, "stalled")


def of_usefulness(pair: Pair, usefulness: int | None) -> Sequence[PairAtRisk]:
    """Say that a pair is at risk whose session was of little use; None where it was not asked."""
    little = usefulness is not None and usefulness <= LITTLE_USE
    return raised(pair, "low_scores") if little else []


def raised(pair: Pair, cause: Cause) -> Sequence[PairAtRisk]:
    """The pair is at risk, unless that was said before for this cause."""
    if cause in pair.causes:
        return []
    return [
        PairAtRisk(
            cohort_id=pair.cohort_id,
            pair_id=pair.id,
            mentor_id=pair.mentor_id,
            manager_id=pair.manager_id,
            cause=cause,
        )
    ]
