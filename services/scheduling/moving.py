"""Moving a session by agreement: at once where both are free, as a proposal everywhere else.

Always holds: the date that stands is the one that both have agreed to, or that lies in both weeks;
a proposal moves nothing until the other side has accepted it; a day before the date that stands, an
unanswered one is closed, and both are told what holds.
"""

from datetime import datetime, timedelta

from schemas.base import Event
from schemas.scheduling import (
    AcceptMove,
    DeclineMove,
    RescheduleSession,
    SessionMoveAccepted,
    SessionMoveDeclined,
    SessionMoveProposed,
    SessionRescheduled,
)
from services.chassis.domain import Decision, Refusal
from services.scheduling.agenda import Agenda
from services.scheduling.sessions import OUTDATED, STARTED, is_in_order, open_session
from services.scheduling.slots import (
    HORIZON,
    fault_of,
    is_common,
    next_slot,
    overlaps,
    spread_slots,
)
from services.scheduling.views import SIDES, PlanLine, Session

ANSWER_BEFORE = timedelta(hours=24)
"""How long before the date that stands a proposal has to be answered."""
OFFERED_AHEAD = timedelta(weeks=3)
"""In which time slots are offered."""
OFFERED_NOTICE = timedelta(hours=24)
"""Nobody is offered a slot that is nearer."""

_NO_SLOT = Refusal(
    "conflict", "no-common-slot", "Both have no free time in common before their next session."
)
_NO_PROPOSAL = Refusal(
    "conflict", "no-proposal", "No such date is proposed, or it has had its answer."
)


def offers(agenda: Agenda, session: Session, now: datetime) -> list[datetime]:
    """At most six common free slots of the next three weeks to which the session can move."""
    line = agenda.pair.line(session.number)
    start = now + OFFERED_NOTICE
    after = [other for other in agenda.pair.plan if other.number > line.number]
    before = [other for other in agenda.pair.plan if other.number < line.number]
    held = (at for other in before if other.state != "pending" and (at := other.starts_at))
    ahead = (at for other in after if other.state == "planned" and (at := other.starts_at))
    start = max((start, *(at + agenda.length for at in held)))
    end = min((now + OFFERED_AHEAD, *ahead))
    taken = [*agenda.taken(session.id), (session.starts_at, session.ends_at)]
    return spread_slots(*agenda.free, agenda.length, (start, end), taken)


def reschedule(
    agenda: Agenda | None, session: Session | None, command: RescheduleSession, now: datetime
) -> Decision:
    """One side moves a session: to the next common slot, to one of their choice, or proposes it."""
    opened = open_session(agenda, session, command.session_id)
    if isinstance(opened, Refusal):
        return opened
    agenda, line, session = opened
    wanted, proposal = command.starts_at, session.proposal
    if wanted == session.starts_at:
        return []
    if command.stands_at not in (None, session.starts_at):
        return OUTDATED
    if now >= session.starts_at:
        return STARTED
    free, length, taken = agenda.free, agenda.length, agenda.taken(session.id)
    if wanted is None:
        wanted = next_slot(*free, length, session.ends_at, taken)
        if wanted is None or not is_in_order(agenda, line, wanted):
            return _NO_SLOT
    elif (fault := _fault(agenda, session, wanted, now)) is not None:
        return fault
    if proposal is not None and proposal.proposed_at == wanted:
        return [] if proposal.by == command.by else _agreed(agenda, line, session, command, now)
    if is_common(*free, length, wanted, taken):
        return [
            agenda.session_event(
                SessionRescheduled,
                line,
                starts_at=wanted,
                previously_at=session.starts_at,
                by=command.by,
                on_behalf=command.on_behalf,
                may_object=True,
                given_at=now,
            )
        ]
    answer_by = session.starts_at - ANSWER_BEFORE
    if answer_by <= now:
        return Refusal(
            "conflict",
            "too-late-to-propose",
            "Within a day of the session it moves to a common free time, or is cancelled.",
        )
    asked = {"by": command.by, "on_behalf": command.on_behalf, "answer_by": answer_by}
    return [agenda.session_event(SessionMoveProposed, line, proposed_at=wanted, **asked)]


def accept(
    agenda: Agenda | None, session: Session | None, command: AcceptMove, now: datetime
) -> Decision:
    """The other side agrees to the date that is proposed."""
    opened = open_session(agenda, session, command.session_id)
    if isinstance(opened, Refusal):
        return opened
    agenda, line, session = opened
    proposal = session.proposal
    if proposal is None or proposal.proposed_at != command.proposed_at:
        return _NO_PROPOSAL
    if proposal.by == command.by:
        return Refusal("conflict", "own-proposal", "The other side answers a proposal.")
    if now >= session.starts_at:
        return STARTED
    fault = _fault(agenda, session, command.proposed_at, now)
    return _agreed(agenda, line, session, command, now) if fault is None else fault


def decline(
    agenda: Agenda | None, session: Session | None, command: DeclineMove, now: datetime
) -> Decision:
    """One side refuses a proposal, takes its own back, or objects to a move that took effect."""
    opened = open_session(agenda, session, command.session_id)
    if isinstance(opened, Refusal):
        return opened
    agenda, line, session = opened
    proposal, moved = session.proposal, session.moved
    if proposal is not None and proposal.proposed_at == command.proposed_at:
        return [_declined(agenda, line, command.proposed_at, command)]
    if moved is None or command.by == moved.by or session.starts_at != command.proposed_at:
        return _NO_PROPOSAL
    if _fault(agenda, session, moved.previously_at, now) is not None:
        return Refusal(
            "conflict",
            "former-date-gone",
            "The date before is no longer free: propose another, or cancel.",
        )
    declined = _declined(agenda, line, command.proposed_at, command)
    after = agenda.after(declined)
    returned = after.session_event(
        SessionRescheduled,
        after.pair.line(line.number),
        starts_at=moved.previously_at,
        previously_at=session.starts_at,
        by=command.by,
        on_behalf=command.on_behalf,
        given_at=now,
    )
    return [declined, returned]


def unanswered(agenda: Agenda, session: Session, now: datetime) -> list[Event]:
    """A proposal that nobody has answered in time is closed."""
    proposal = session.proposal
    if proposal is None or proposal.answer_by > now:
        return []
    line = agenda.pair.line(session.number)
    return [_declined(agenda, line, proposal.proposed_at, None)]


def _agreed(
    agenda: Agenda,
    line: PlanLine,
    session: Session,
    command: AcceptMove | RescheduleSession,
    now: datetime,
) -> list[Event]:
    """The date that one side proposed, and the other agrees to: so both have confirmed it."""
    proposal = session.proposal
    if proposal is None:
        return []
    said = {"by": command.by, "on_behalf": command.on_behalf}
    accepted = agenda.session_event(
        SessionMoveAccepted, line, proposed_at=proposal.proposed_at, **said
    )
    after = agenda.after(accepted)
    moved = after.session_event(
        SessionRescheduled,
        after.pair.line(line.number),
        starts_at=proposal.proposed_at,
        previously_at=session.starts_at,
        by=proposal.by,
        confirmed_by=SIDES,
        given_at=now,
    )
    return [accepted, moved]


def _declined(
    agenda: Agenda, line: PlanLine, proposed_at: datetime, command: DeclineMove | None
) -> SessionMoveDeclined:
    """`command`: by which somebody says no; None if nobody has answered."""
    said = {} if command is None else {"by": command.by, "on_behalf": command.on_behalf}
    about = {"by": None, "proposed_at": proposed_at}
    return agenda.session_event(SessionMoveDeclined, line, **(about | said))


def _fault(agenda: Agenda, session: Session, starts_at: datetime, now: datetime) -> Refusal | None:
    """What speaks against a time that was chosen by hand."""
    if starts_at <= now:
        return Refusal("conflict", "not-in-future", "A session is moved to a time to come.")
    if starts_at > max(now, session.starts_at) + HORIZON:
        return Refusal("conflict", "too-far-ahead", "A session is moved by 26 weeks at most.")
    if (fault := fault_of(starts_at, agenda.length)) is not None:
        return fault
    if overlaps(starts_at, starts_at + agenda.length, agenda.taken(session.id)):
        return Refusal("conflict", "slot-taken", "One of the two has another session at that time.")
    if not is_in_order(agenda, agenda.pair.line(session.number), starts_at):
        return Refusal(
            "conflict",
            "out-of-order",
            "A session stays between the one before and the one after: move that one first.",
        )
    return None
