"""What is noted of a cohort that was opened; of another nothing is."""

from schemas.base import Event
from services.chassis.domain import Decision, Refusal
from services.feedback.views import Cohort


def opened(cohort: Cohort | None, event: Event) -> Cohort | Refusal:
    """The cohort that an event is about; or that it was not opened."""
    if cohort is None:
        return Refusal("unknown", "unknown-cohort", f"There is no cohort {event.cohort_id}.")
    return cohort


def note(cohort: Cohort | None, event: Event) -> Decision:
    """Take note of what happened: nothing else follows from it."""
    found = opened(cohort, event)
    return found if isinstance(found, Refusal) else []
