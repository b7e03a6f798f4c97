"""What is promised of one person in several cohorts, looked at again and again in a world.

Whenever nothing is under way between notify and scheduling, no two sessions to come of one address
overlap. Where a record stands aside, a promise rests on whoever sees to it.
"""

from itertools import combinations
from typing import TYPE_CHECKING

from schemas.base import people_of
from services.chassis.documents import ParkedRecord
from services.notify.views import Person
from services.scheduling.views import Session

if TYPE_CHECKING:
    from tests.simulation.world import World


def double_bookings(world: "World") -> list[str]:
    """Two sessions to come of one address that overlap, when all is still."""
    groups = [world.groups[name] for name in ("notify", "scheduling")]
    if any(group.overdue() or not group.has_done_all() for group in groups):
        return []
    rows = (row for g in groups for _, row in g.store.rows.get(ParkedRecord, {}).values())
    keys = (row.record_key or b"" for row in rows if isinstance(row, ParkedRecord))
    aside = {key.partition(b"/")[0].decode(errors="replace") for key in keys}
    booked: dict[str, list[Session]] = {}
    for _, session in groups[1].store.rows.get(Session, {}).values():
        assert isinstance(session, Session)
        to_come = session.is_open and session.starts_at > world.now()
        if to_come and session.cohort_id not in aside:
            for address in _addresses(world, session):
                booked.setdefault(address, []).append(session)
    return [
        f"double-booked: {one.key} and {other.key} at {one.starts_at}, seen at {world.now()}"
        for sessions in booked.values()
        for one, other in combinations(sessions, 2)
        if one.starts_at < other.ends_at and other.starts_at < one.ends_at
    ]


def _addresses(world: "World", session: Session) -> set[str]:
    people = world.groups["notify"].store.rows.get(Person, {})
    keys = (f"{session.cohort_id}/{person}" for person in people_of(session.pair_id))
    found = (people[key][1] for key in keys if key in people)
    return {person.address for person in found if isinstance(person, Person)}
