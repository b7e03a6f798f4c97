"""How roles follow from what the portal learned. A fold: no time, no rules, no I/O."""

from collections.abc import Iterable

from schemas.appointments import RoleGiven, RoleTaken, held_id
from schemas.base import recast
from services.chassis.domain import Change, Evolution, Gone, State
from services.portal.views import HeldRole


def _given(_: State, event: RoleGiven) -> Iterable[Change]:
    yield recast(HeldRole, event, id=held_id(event.person_id, event.role))


def _taken(state: State, event: RoleTaken) -> Iterable[Change]:
    known = state.get(HeldRole, event.cohort_id, held_id(event.person_id, event.role))
    if known is not None:
        yield Gone(known)


ROLES: Evolution = {RoleGiven: _given, RoleTaken: _taken}
