"""What waits for whom about a session: to be confirmed, answered, reported. Pure.

Always holds: what is told here is what the pages offer, and what commands would be taken for.
"""

from collections.abc import Iterator
from datetime import datetime

from schemas.base import people_of
from services.scheduling.views import SIDES, Session, Wait


def waits_of(session: Session, now: datetime) -> Iterator[Wait]:
    """What has to be done about one session, and by whom; of one that is over, nothing."""
    for side, person_id in zip(SIDES, people_of(session.pair_id), strict=True):
        about = {
            "session_id": session.id,
            "pair_id": session.pair_id,
            "person_id": person_id,
            "side": side,
        }
        proposal = session.proposal
        if not session.is_open:
            continue
        if session.starts_at <= now:
            if session.asked and session.report_by is not None:
                yield Wait(**about, to_do="report", until=session.report_by)
        elif proposal is not None and proposal.by != side:
            yield Wait(**about, to_do="answer", until=proposal.answer_by)
        elif proposal is None and side not in session.confirmed_by:
            yield Wait(**about, to_do="confirm", until=session.starts_at)
