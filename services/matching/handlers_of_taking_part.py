"""Which wishes about the part of somebody who has joined lead where. Translation only."""

from datetime import datetime

from schemas.base import Message
from schemas.links import RevokeLinks
from schemas.taking_part import ChangeManager, ChangeMentor, PauseManager, ResumeManager
from services.chassis.documents import RevokedLinks
from services.chassis.domain import Decision, Handlers, State
from services.matching import revoking, taking_part
from services.matching.views import Cohort, Manager, Mentor


def _cohort(state: State, message: Message) -> Cohort | None:
    return state.get(Cohort, message.cohort_id, message.cohort_id)


def _mentor(state: State, command: ChangeMentor) -> Mentor | None:
    return state.get(Mentor, command.cohort_id, command.mentor_id)


def _manager(state: State, command: ChangeManager | PauseManager | ResumeManager) -> Manager | None:
    return state.get(Manager, command.cohort_id, command.manager_id)


def _change_mentor(state: State, command: ChangeMentor, _: datetime) -> Decision:
    return taking_part.change_mentor(_cohort(state, command), _mentor(state, command), command)


def _change_manager(state: State, command: ChangeManager, _: datetime) -> Decision:
    return taking_part.change_manager(_cohort(state, command), _manager(state, command), command)


def _pause_manager(state: State, command: PauseManager, _: datetime) -> Decision:
    return taking_part.pause_manager(_manager(state, command), command)


def _resume_manager(state: State, command: ResumeManager, _: datetime) -> Decision:
    return taking_part.resume_manager(_manager(state, command), command)


def _revoke_links(state: State, command: RevokeLinks, _: datetime) -> Decision:
    who = command.cohort_id, command.person_id
    mentor, manager = state.get(Mentor, *who), state.get(Manager, *who)
    return revoking.revoke(mentor, manager, state.get(RevokedLinks, *who), command)


TAKING_PART: Handlers = {
    ChangeMentor: _change_mentor,
    ChangeManager: _change_manager,
    PauseManager: _pause_manager,
    ResumeManager: _resume_manager,
    RevokeLinks: _revoke_links,
}
"""Message to decision."""
