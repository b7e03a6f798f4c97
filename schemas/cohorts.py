"""What becomes of a cohort that is open: its rules change for those to come, and it closes.

It is matching's, like all that concerns a cohort.
"""

from typing import Annotated

from pydantic import Field

from schemas.base import Command, Count, Event, Moment, described
from schemas.retention import KEPT_DAYS, LEAST_DAYS, MOST_DAYS
from schemas.roles import ADMINISTRATORS
from schemas.values import AskedPolicy, CohortPolicy

CHANGEABLE = (
    *("cadence_days", "proposal_days", "report_days", "stalled_days", "survey_days"),
    *("reporting_line", "weights", "quiet_hours", "languages"),
    *("letters", "charter", "organisations"),
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
    keep_days: Annotated[
        int | None,
        described(
            "Days from the close until names and addresses are erased; null: as it was said "
            f"before, or {KEPT_DAYS}. Closed again, other days count from the same close.",
            KEPT_DAYS,
            ge=LEAST_DAYS,
            le=MOST_DAYS,
        ),
    ] = None


class PolicyChanged(Event):
    """A cohort has other rules, for what is yet to come."""

    audience = "public"
    before: Annotated[CohortPolicy, Field(description="The rules as they were.")]
    after: Annotated[CohortPolicy, Field(description="The rules from now on.")]


class CohortClosed(Event):
    """Nobody joins any more and no round runs; pairs and proposals that stand go on."""

    audience = "public"
    closed_at: Annotated[
        Moment | None,
        described("When it was closed; null in the oldest records.", "2017-07-31T09:00:00Z"),
    ] = None
    kept_until: Annotated[
        Moment | None,
        described(
            "When the names and addresses of its people are erased; null in the oldest records: "
            "not before somebody asks.",
            "2018-07-31T09:00:00Z",
        ),
    ] = None


class RetentionEnded(Event):
    """The time for which a closed cohort's people are kept is nearly over, and what stood ends.

    Each tells of some pairs; the last one says when names and addresses are erased.
    """

    audience = "internal"
    ended: Annotated[Count, described("Pairs and proposals that ended with it.", 2)]
    next_at: Annotated[
        Moment | None,
        described("When the next ones end; null once none is left.", "2018-07-24T09:01:00Z"),
    ] = None
    erase_at: Annotated[
        Moment | None,
        described(
            "From when on names and addresses are erased; null while something stands.",
            "2018-07-31T09:00:00Z",
        ),
    ] = None
