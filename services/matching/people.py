"""Decisions about cohorts and people: opening, volunteering, enrolling, pausing, leaving."""

from collections.abc import Sequence
from datetime import datetime

from schemas.base import Event, recast
from schemas.known.jobs import needs_of
from schemas.matching import (
    AvailabilityChanged,
    ChangeAvailability,
    CohortOpened,
    EnrolManager,
    ManagerEnrolled,
    ManagerWithdrew,
    MentorPaused,
    MentorResumed,
    MentorVolunteered,
    MentorWithdrew,
    OpenCohort,
    PairDissolved,
    PauseMentor,
    ProposalExpired,
    VolunteerAsMentor,
    WithdrawManager,
    WithdrawMentor,
)
from schemas.text import tidied
from services.chassis.domain import Decision, Refusal
from services.matching.views import Cohort, Manager, Mentor, Pair

_SAID = ("directorate", "site", "line_manager", "excludes", "organisation")
_OFFER = (*_SAID, "skills", "capacity")
_REQUEST = (*_SAID, "job_family", "needs")


def unknown_cohort(cohort_id: str) -> Refusal:
    return Refusal("unknown", "unknown-cohort", f"There is no cohort {cohort_id}.")


def open_cohort(cohort: Cohort | None, command: OpenCohort) -> Decision:
    """A cohort is opened once; the same wish again changes nothing."""
    if cohort is None:
        return [recast(CohortOpened, command)]
    if (tidied(cohort.name), cohort.policy) == (command.name, command.policy):
        return []
    return Refusal(
        "conflict", "cohort-exists", f"The cohort {command.cohort_id} was opened with other terms."
    )


def volunteer(cohort: Cohort | None, mentor: Mentor | None, command: VolunteerAsMentor) -> Decision:
    """Somebody volunteers; the same offer again changes nothing, or resumes a paused mentor."""
    if cohort is None:
        return unknown_cohort(command.cohort_id)
    if mentor is None:
        no = unnamed(cohort, command.organisation)
        return no or [recast(MentorVolunteered, command)]
    if mentor.state == "withdrawn":
        return withdrawn(mentor.id)
    if any(_told(mentor, name) != getattr(command, name) for name in _OFFER):
        return Refusal(
            "conflict",
            "already-volunteered",
            f"The mentor {mentor.id} has volunteered with another offer.",
        )
    return resume(mentor, mentor.id) if mentor.state == "paused" else []


def enrol(
    cohort: Cohort | None, manager: Manager | None, command: EnrolManager, now: datetime
) -> Decision:
    """A manager enrols; the same request again changes nothing. No needs are those of the job."""
    if cohort is None:
        return unknown_cohort(command.cohort_id)
    if manager is None:
        no = unnamed(cohort, command.organisation)
        needs = command.needs or needs_of(command.job_family)
        return no or [recast(ManagerEnrolled, command, needs=needs, enrolled_at=now)]
    if manager.state == "withdrawn":
        return withdrawn(manager.id)
    asked = command if command.needs else recast(EnrolManager, command, needs=manager.needs)
    if any(_told(manager, name) != getattr(asked, name) for name in _REQUEST):
        return Refusal(
            "conflict",
            "already-enrolled",
            f"The manager {manager.id} has enrolled with another request.",
        )
    return []


def pause(mentor: Mentor | None, command: PauseMentor) -> Decision:
    """No new proposals; standing pairs go on."""
    if mentor is None:
        return unknown_person(command.mentor_id)
    if mentor.state == "withdrawn":
        return withdrawn(mentor.id)
    if mentor.state == "paused":
        return []
    return [MentorPaused(cohort_id=command.cohort_id, mentor_id=mentor.id)]


def resume(mentor: Mentor | None, mentor_id: str) -> Decision:
    """A paused mentor is available again."""
    if mentor is None:
        return unknown_person(mentor_id)
    if mentor.state == "withdrawn":
        return withdrawn(mentor.id)
    if mentor.state != "paused":
        return []
    return [MentorResumed(cohort_id=mentor.cohort_id, mentor_id=mentor.id)]


def change_availability(
    mentor: Mentor | None, manager: Manager | None, command: ChangeAvailability
) -> Decision:
    """Somebody's week changes, in whichever role they have."""
    people: list[Mentor | Manager] = [p for p in (mentor, manager) if p is not None]
    if not people:
        return unknown_person(command.person_id)
    if all(person.state == "withdrawn" for person in people):
        return withdrawn(command.person_id)
    if all(person.availability == command.availability for person in people):
        return []
    return [recast(AvailabilityChanged, command)]


def withdraw_mentor(
    mentor: Mentor | None, pairs: Sequence[Pair], command: WithdrawMentor
) -> Decision:
    """A mentor leaves: `pairs` are those that they are engaged in; each of them ends."""
    if mentor is None:
        return unknown_person(command.mentor_id)
    if mentor.state == "withdrawn":
        return []
    left = MentorWithdrew(cohort_id=command.cohort_id, mentor_id=mentor.id)
    return [left, *(_ended(pair, "mentor") for pair in pairs)]


def withdraw_manager(
    manager: Manager | None, pair: Pair | None, command: WithdrawManager
) -> Decision:
    """A manager leaves: their pair, if there is one, ends."""
    if manager is None:
        return unknown_person(command.manager_id)
    if manager.state == "withdrawn":
        return []
    left = ManagerWithdrew(cohort_id=command.cohort_id, manager_id=manager.id)
    return [left, _ended(pair, "manager")] if pair is not None else [left]


def _told(person: Mentor | Manager, field: str) -> object:
    """What somebody told; a command is tidy, and what was told before commands were may not be."""
    value = getattr(person, field)
    return tidied(value) if isinstance(value, str) else value


def _ended(pair: Pair, who: str) -> Event:
    if pair.state == "proposed":
        return recast(ProposalExpired, pair, pair_id=pair.id, cause="withdrawal")
    return recast(PairDissolved, pair, pair_id=pair.id, cause=f"{who}_withdrew")


def unnamed(cohort: Cohort | None, organisation: str | None) -> Refusal | None:
    """What is said of an organisation that the cohort's policy does not name among others.

    Which there are is not told: who asks may be of another one.
    """
    named = cohort.policy.organisations if cohort else None
    if not organisation or named is None or organisation in named:
        return None
    return Refusal(
        "invalid", "organisation-not-named", f"The cohort has no organisation {organisation!r}."
    )


def unknown_person(person_id: str) -> Refusal:
    return Refusal("unknown", "unknown-person", f"Nobody is known as {person_id} in this cohort.")


def withdrawn(person_id: str) -> Refusal:
    return Refusal("conflict", "withdrawn", f"The person {person_id} has left the cohort.")
