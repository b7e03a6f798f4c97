"""What becomes of a cohort that is open: its rules change for those to come, and it closes.

It is matching's, like all that concerns a cohort.
"""

from typing import Annotated

from pydantic import Field

from schemas.base import Command, Event
from schemas.roles import ADMINISTRATORS
from schemas.values import AskedPolicy, CohortPolicy

CHANGEABLE = (
    *("cadence_days", "proposal_days", "report_days", "stalled_days", "survey_days"),
    *("reporting_line", "weights", "quiet_hours", "languages"),
    *("letters", "charter"),
)
"""Rules that may change: what was promised or published by the others stays as it is."""


class ChangePolicy(Command):
    """Give an open cohort other rules, for what is yet to come.

    Dates, proposals and surveys that stand keep what they were made with.
    """

    asked_by = ADMINISTRATORS
    policy: AskedPolicy


class CloseCohort(Command):
    """Nobody joins any more and no round runs; pairs and proposals that stand go on."""

    asked_by = ADMINISTRATORS


class PolicyChanged(Event):
    """A cohort has other rules, for what is yet to come."""

    audience = "public"
    before: Annotated[CohortPolicy, Field(description="The rules as they were.")]
    after: Annotated[CohortPolicy, Field(description="The rules from now on.")]


class CohortClosed(Event):
    """Nobody joins any more and no round runs; pairs and proposals that stand go on."""

    audience = "public"
