"""Which wishes about roles lead to which decision. Translation only."""

from collections.abc import Iterable
from datetime import datetime

from schemas.appointments import GIVEN_ROLES, GiveRole, RoleGiven, RoleTaken, TakeRole, held_id
from schemas.base import Event
from schemas.people import PersonErased
from services.chassis.domain import Columns, Decision, Need, One, Refusal, State
from services.notify import appointing
from services.notify.views import Cohort, HeldRole, Letter, Person


def needs_of_role(message: GiveRole | TakeRole | RoleGiven | RoleTaken) -> Iterable[Need]:
    """What a message about a role will touch."""
    yield One(HeldRole, message.cohort_id, held_id(message.person_id, message.role))
    match message:
        case GiveRole():
            yield One(Cohort, message.cohort_id, message.cohort_id)
            yield One(Person, message.cohort_id, message.person_id)
        case TakeRole():
            yield One(Cohort, message.cohort_id, message.cohort_id)
            yield _administrators(message.cohort_id)


def roles_of(erased: PersonErased) -> Iterable[One]:
    """Every role that somebody may have."""
    return [
        One(HeldRole, erased.cohort_id, held_id(erased.person_id, role)) for role in GIVEN_ROLES
    ]


def _administrators(cohort_id: str) -> Columns:
    return Columns(HeldRole, cohort_id, ("person_id",), (("role", "administrator"),))


def give(state: State, command: GiveRole, now: datetime, secret: str = "") -> Decision:
    at = command.cohort_id
    cohort, person = state.get(Cohort, at, at), state.get(Person, at, command.person_id)
    known = state.get(HeldRole, at, held_id(command.person_id, command.role))
    decided = appointing.give(cohort, person, known, command, now, secret)
    return _and_told(state, decided, now)


def take(state: State, command: TakeRole, now: datetime) -> Decision:
    known = state.get(HeldRole, command.cohort_id, held_id(command.person_id, command.role))
    administrators = state.columns(_administrators(command.cohort_id))
    others = [person_id for (person_id,) in administrators]
    return _and_told(state, appointing.take(known, others, command, now), now)


def _and_told(state: State, decided: Decision, now: datetime) -> Decision:
    """What was decided, and its letter, unless there is one of the same moment already."""
    if isinstance(decided, Refusal):
        return decided
    events = list(decided)
    for event in decided:
        if not isinstance(event, RoleGiven | RoleTaken):
            continue
        letter = appointing.told(state.get(Cohort, event.cohort_id, event.cohort_id), event, now)
        if state.get(Letter, event.cohort_id, letter.letter_id) is None:
            events.append(letter)
    return events


def ended(state: State, erased: PersonErased) -> list[Event]:
    """What becomes of the roles of somebody who is erased."""
    found = (state.get(one.kind, one.cohort_id, one.id) for one in roles_of(erased))
    return appointing.forgotten(one for one in found if isinstance(one, HeldRole))
