"""How roles follow from what happened. A fold: no time, no rules, no I/O."""

from collections.abc import Iterable

from schemas.appointments import RoleGiven, RoleLetterQueued, RoleTaken, held_id
from schemas.base import recast
from services.chassis.domain import Change, Evolution, Gone, State
from services.notify.views import HeldRole, Letter


def _given(_: State, event: RoleGiven) -> Iterable[Change]:
    yield recast(HeldRole, event, id=held_id(event.person_id, event.role))


def _taken(state: State, event: RoleTaken) -> Iterable[Change]:
    known = state.get(HeldRole, event.cohort_id, held_id(event.person_id, event.role))
    if known is not None:
        yield Gone(known)


def _told(_: State, event: RoleLetterQueued) -> Iterable[Change]:
    due = {"owed_since": event.send_at, "due_at": event.send_at}
    yield recast(Letter, event, id=event.letter_id, state="queued", **due)


ROLES: Evolution = {RoleGiven: _given, RoleTaken: _taken, RoleLetterQueued: _told}
