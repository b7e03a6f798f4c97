"""Decisions about a cohort: its rules change for those to come, it closes, and its time ends.

Always holds: what stands ends before those whom it concerns can be reached no more.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta

from schemas.base import Event
from schemas.charter import CHARTER
from schemas.cohorts import (
    CHANGEABLE,
    ChangePolicy,
    CloseCohort,
    CohortClosed,
    PolicyChanged,
    RetentionEnded,
)
from schemas.retention import KEPT_DAYS, TOLD_DAYS
from schemas.values import CohortPolicy
from services.chassis.domain import Decision, Refusal
from services.matching.pairs import end
from services.matching.people import unknown_cohort
from services.matching.views import Cohort, Pair

ENDED_AT_ONCE = 50  # pairs
PAUSE = timedelta(minutes=1)


def change_policy(cohort: Cohort | None, command: ChangePolicy) -> Decision:
    """Other rules for what is yet to come; what was promised to those who are there stays."""
    if cohort is None:
        return unknown_cohort(command.cohort_id)
    if cohort.closed:
        return closed(cohort.id)
    if cohort.policy == command.policy:
        return []
    fixed = [
        name
        for name in CohortPolicy.model_fields
        if name not in CHANGEABLE and getattr(cohort.policy, name) != getattr(command.policy, name)
    ]
    if fixed:
        return Refusal(
            "conflict", "policy-fixed", f"These rules stay as they are: {', '.join(fixed)}."
        )
    told, asked = cohort.policy.charter or CHARTER, command.policy.charter or CHARTER
    if told.version == asked.version and told != asked:
        return Refusal(
            "conflict",
            "charter-version",
            f"Version {told.version} of the charter has another text: give this one its own.",
        )
    return [PolicyChanged(cohort_id=cohort.id, before=cohort.policy, after=command.policy)]


def close(cohort: Cohort | None, command: CloseCohort, now: datetime) -> Decision:
    """Nobody joins any more, and no round runs. What stands goes on; its people's time is counted.

    Of a cohort that was closed before anybody counted, it is counted from now on.
    """
    if cohort is None:
        return unknown_cohort(command.cohort_id)
    days = command.keep_days
    if days is None and cohort.kept_until is not None:
        return []
    closed_at = cohort.closed_at or now
    until = closed_at + timedelta(days=days or KEPT_DAYS)
    if until == cohort.kept_until:
        return []
    if cohort.over:
        return Refusal(
            "conflict", "retention-ended", f"The time of the people of {cohort.id} is over."
        )
    return [CohortClosed(cohort_id=cohort.id, closed_at=closed_at, kept_until=until)]


def end_retention(
    cohort: Cohort | None, standing: Sequence[Pair | None], number: int, now: datetime
) -> list[Event]:
    """The time of a closed cohort's people comes to its end: what stands ends, or some of it.

    `number`: of all that stands.
    """
    if cohort is None or cohort.due_at is None or cohort.due_at > now:
        return []
    ended = [event for pair in standing if pair is not None for event in end(pair)]
    told = {"cohort_id": cohort.id, "ended": len(ended)}
    if number > len(standing):
        return [*ended, RetentionEnded(**told, next_at=now + PAUSE)]
    return [*ended, RetentionEnded(**told, erase_at=now + timedelta(days=TOLD_DAYS))]


def closed(cohort_id: str) -> Refusal:
    """Why nobody can join, and no round runs."""
    return Refusal("conflict", "cohort-closed", f"The cohort {cohort_id} is closed.")
