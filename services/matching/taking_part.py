"""Decisions about the part of somebody who has joined: what they say now, a pause, coming back.

Always holds: no pair and no proposal that stands is touched by any of them.
"""

from datetime import datetime

from schemas.base import recast
from schemas.known.jobs import needs_of
from schemas.taking_part import (
    ChangeManager,
    ChangeMentor,
    ManagerChanged,
    ManagerPaused,
    ManagerResumed,
    ManagerReturned,
    MentorChanged,
    MentorReturned,
    PauseManager,
    ResumeManager,
    ReturnManager,
    ReturnMentor,
)
from services.chassis.domain import Decision
from services.matching.people import unknown_person, unnamed, withdrawn
from services.matching.views import Cohort, Manager, Mentor


def change_mentor(cohort: Cohort | None, mentor: Mentor | None, command: ChangeMentor) -> Decision:
    """What a mentor says now; what they say already changes nothing."""
    if mentor is None:
        return unknown_person(command.mentor_id)
    if mentor.state == "withdrawn":
        return withdrawn(mentor.id)
    new = _new(mentor, command, tuple(MentorChanged.model_fields))
    if "organisation" in new and (no := unnamed(cohort, command.organisation)) is not None:
        return no
    return [recast(MentorChanged, mentor, mentor_id=mentor.id, **new)] if new else []


def change_manager(
    cohort: Cohort | None, manager: Manager | None, command: ChangeManager
) -> Decision:
    """What a manager says now; what they say already changes nothing. No needs: the job's."""
    if manager is None:
        return unknown_person(command.manager_id)
    if manager.state == "withdrawn":
        return withdrawn(manager.id)
    if command.needs == {}:
        job = command.job_family or manager.job_family
        command = command.model_copy(update={"needs": needs_of(job)})
    new = _new(manager, command, tuple(ManagerChanged.model_fields))
    if "organisation" in new and (no := unnamed(cohort, command.organisation)) is not None:
        return no
    return [recast(ManagerChanged, manager, manager_id=manager.id, **new)] if new else []


def pause_manager(manager: Manager | None, command: PauseManager) -> Decision:
    """No new proposals; a standing pair goes on."""
    if manager is None:
        return unknown_person(command.manager_id)
    if manager.state == "withdrawn":
        return withdrawn(manager.id)
    return [] if manager.paused else [recast(ManagerPaused, command)]


def resume_manager(manager: Manager | None, command: ResumeManager) -> Decision:
    """A paused manager waits again."""
    if manager is None:
        return unknown_person(command.manager_id)
    if manager.state == "withdrawn":
        return withdrawn(manager.id)
    return [recast(ManagerResumed, command)] if manager.paused else []


def return_mentor(mentor: Mentor | None, command: ReturnMentor) -> Decision:
    """A mentor who has left is there again."""
    if mentor is None:
        return unknown_person(command.mentor_id)
    if mentor.state != "withdrawn":
        return []
    return [recast(MentorReturned, command, again=mentor.returns + 1)]


def return_manager(manager: Manager | None, command: ReturnManager, now: datetime) -> Decision:
    """A manager who has left waits again, behind all others."""
    if manager is None:
        return unknown_person(command.manager_id)
    if manager.state != "withdrawn":
        return []
    return [recast(ManagerReturned, command, again=manager.returns + 1, enrolled_at=now)]


def _new(
    person: Mentor | Manager, command: ChangeMentor | ChangeManager, fields: tuple[str, ...]
) -> dict[str, object]:
    """What the command says otherwise than the person has said."""
    asked = {name: getattr(command, name, None) for name in fields}
    told = {name: value for name, value in asked.items() if value is not None}
    if "organisation" in told:
        told["organisation"] = told["organisation"] or None  # nothing: the cohort's own again
    return {
        name: value
        for name, value in told.items()
        if hasattr(person, name) and getattr(person, name) != value
    }
