"""What a calendar program's answer to an invitation comes to.

Always holds: an answer to an invitation from before the date that stands changes nothing; whoever
proposes a time that cannot be is told so, once, for their calendar program believes that it did.
"""

from datetime import datetime
from typing import assert_never, get_args

from schemas.meeting import AnswerInvitation, NoTime, SessionMoveRefused
from schemas.scheduling import CancelSession, ConfirmSession, RescheduleSession
from services.chassis.domain import Decision, Refusal
from services.scheduling import moving, sessions
from services.scheduling.agenda import Agenda
from services.scheduling.views import PlanLine, Session


def answer(
    agenda: Agenda | None, session: Session | None, command: AnswerInvitation, now: datetime
) -> Decision:
    """As if they had said it on the page of the session, if it is its date that they answer."""
    opened = sessions.open_session(agenda, session, command.session_id)
    if isinstance(opened, Refusal):
        return opened
    agenda, line, session = opened
    if command.sequence < session.invited:
        return sessions.OUTDATED
    about = {"cohort_id": command.cohort_id, "session_id": command.session_id, "by": command.by}
    match command.answer:
        case "accepted":
            confirming = ConfirmSession.model_validate(about)
            return sessions.confirm(agenda, session, confirming, now)
        case "declined":
            return sessions.cancel(agenda, session, CancelSession.model_validate(about), now)
        case "countered":
            moved = about | {"starts_at": command.proposed_at}
            moving_it = RescheduleSession.model_validate(moved)
            decision = moving.reschedule(agenda, session, moving_it, now)
            return _told(agenda, line, session, command, decision)
        case _:
            assert_never(command.answer)


def _told(
    agenda: Agenda, line: PlanLine, session: Session, command: AnswerInvitation, decision: Decision
) -> Decision:
    """What came of another time; that it cannot be is no refusal that nobody reads, but a fact."""
    if not isinstance(decision, Refusal) or decision.rule not in get_args(NoTime):
        return decision
    before = session.refused
    if before and (before.by, before.proposed_at) == (command.by, command.proposed_at):
        return []
    about = {"by": command.by, "proposed_at": command.proposed_at, "cause": decision.rule}
    return [agenda.session_event(SessionMoveRefused, line, **about)]
