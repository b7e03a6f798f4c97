"""Decisions about an open cohort: its rules change for those to come, and it closes."""

from schemas.charter import CHARTER
from schemas.cohorts import CHANGEABLE, ChangePolicy, CloseCohort, CohortClosed, PolicyChanged
from schemas.values import CohortPolicy
from services.chassis.domain import Decision, Refusal
from services.matching.people import unknown_cohort
from services.matching.views import Cohort


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


def close(cohort: Cohort | None, command: CloseCohort) -> Decision:
    """Nobody joins any more, and no round runs. What stands goes on."""
    if cohort is None:
        return unknown_cohort(command.cohort_id)
    return [] if cohort.closed else [CohortClosed(cohort_id=cohort.id)]


def closed(cohort_id: str) -> Refusal:
    """Why nobody can join, and no round runs."""
    return Refusal("conflict", "cohort-closed", f"The cohort {cohort_id} is closed.")
