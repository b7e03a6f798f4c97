"""When a cohort is measured, and whether its programme is recommended for roll-out.

Always holds: what many have answered is counted before it is measured; the verdict is published
whenever it, or a value that it rests on, has changed.
"""

from collections.abc import Mapping
from datetime import datetime

from schemas.feedback import RolloutRecommended, RolloutWithheld
from services.chassis.domain import Decision
from services.feedback import counting, figures
from services.feedback.questionnaire import KINDS, SIDES
from services.feedback.sealing import Seal
from services.feedback.views import Cohort, Group, Turnout, group_id


def measure(
    cohort: Cohort | None,
    groups: Mapping[str, Group],
    turnouts: Mapping[str, Turnout],
    now: datetime,
    seal: Seal,
) -> Decision:
    """Count what many have answered, and publish a cohort's figures.

    And the verdict, if it or a value that it rests on has changed.
    """
    if cohort is None or cohort.due_at is None or cohort.due_at > now:
        return []
    counts, known = [], dict(groups)
    for kind, side in ((kind, side) for kind in KINDS for side in SIDES):
        name, smallest = group_id(kind, side), cohort.policy.smallest_group
        for count in counting.count(groups[name], turnouts[name], kind, side, smallest, seal):
            counts.append(count)
            known[name] = counting.counted(groups[name], count)
    measured = figures.measured(cohort, known, turnouts, now)
    criteria = figures.criteria(measured, cohort.policy)
    verdict = figures.verdict(criteria)
    # Every change was published when it came, so the last measure's criteria are the last
    # verdict's.
    if verdict == cohort.verdict and criteria == cohort.criteria:
        return [*counts, measured]
    ruling = RolloutRecommended if verdict == "recommended" else RolloutWithheld
    return [*counts, measured, ruling(cohort_id=cohort.cohort_id, criteria=criteria)]
