"""When a cohort is measured, and whether its programme is recommended for roll-out.

Always holds: the verdict is published whenever it, or a value that it rests on, has changed.
"""

from collections.abc import Mapping
from datetime import datetime

from schemas.feedback import RolloutRecommended, RolloutWithheld
from services.chassis.domain import Decision
from services.feedback import figures
from services.feedback.views import Cohort, Group, Turnout


def measure(
    cohort: Cohort | None,
    groups: Mapping[str, Group],
    turnouts: Mapping[str, Turnout],
    now: datetime,
) -> Decision:
    """Publish a cohort's figures, and the verdict if it or a value it rests on has changed."""
    if cohort is None or cohort.due_at is None or cohort.due_at > now:
        return []
    measured = figures.measured(cohort, groups, turnouts, now)
    criteria = figures.criteria(measured, cohort.policy)
    verdict = figures.verdict(criteria)
    # Every change was published when it came, so the last measure's criteria are the last
    # verdict's.
    if verdict == cohort.verdict and criteria == cohort.criteria:
        return [measured]
    ruling = RolloutRecommended if verdict == "recommended" else RolloutWithheld
    return [measured, ruling(cohort_id=cohort.cohort_id, criteria=criteria)]
