"""What scheduling tells beside its documents: free slots, and what waits for whom. Pure.

Always holds: what is told here is what the pages offer, and what commands would be taken for.
"""

from collections.abc import Iterator
from datetime import datetime

from schemas.base import parent_pair, people_of
from services.chassis.domain import State
from services.scheduling.agenda import agenda_of
from services.scheduling.moving import offers
from services.scheduling.views import SIDES, Calendar, Session, Slot, Slots, Wait, Waits


def slots(state: State, cohort_id: str, id: str, now: datetime) -> Slots | None:
    """The free times of a session; None if there is no such session."""
    if id.count("~") != 2:
        return None
    agenda = agenda_of(state, cohort_id, parent_pair(id))
    session = state.get(Session, cohort_id, id)
    if agenda is None or session is None:
        return None
    movable = session.is_open and now < session.starts_at
    found = offers(agenda, session, now) if movable else []
    return Slots(slots=tuple(Slot(starts_at=at, ends_at=at + agenda.length) for at in found))


def waits(state: State, cohort_id: str, id: str, now: datetime) -> Waits | None:
    """What waits about a person's sessions; None if nobody knows the person."""
    calendar = state.get(Calendar, cohort_id, id)
    if calendar is None:
        return None
    found: list[Wait] = []
    for busy in calendar.busy:
        session = state.get(Session, cohort_id, busy.session_id)
        if session is not None and session.is_open:
            found += _waits_of(session, now)
    return Waits(waits=tuple(found), without_hour=calendar.waiting)


def _waits_of(session: Session, now: datetime) -> Iterator[Wait]:
    """What has to be done about one session, and by whom."""
    for side, person_id in zip(SIDES, people_of(session.pair_id), strict=True):
        about = {
            "session_id": session.id,
            "pair_id": session.pair_id,
            "person_id": person_id,
            "side": side,
        }
        proposal = session.proposal
        if session.starts_at <= now:
            if session.asked and session.report_by is not None:
                yield Wait(**about, to_do="report", until=session.report_by)
        elif proposal is not None and proposal.by != side:
            yield Wait(**about, to_do="answer", until=proposal.answer_by)
        elif proposal is None and side not in session.confirmed_by:
            yield Wait(**about, to_do="confirm", until=session.starts_at)
