"""What people ask of a session that is planned: to confirm it, to move it, to cancel it.

Always holds: a session that has started is not changed any more, only reported on; one that is
cancelled is planned again, or stays pending.
"""

from datetime import datetime

from schemas.scheduling import (
    CancelSession,
    ConfirmSession,
    RescheduleSession,
    SessionCancelled,
    SessionConfirmed,
    SessionRescheduled,
)
from services.chassis.domain import Decision, Refusal
from services.scheduling.agenda import Agenda
from services.scheduling.planning import plan
from services.scheduling.slots import HORIZON, fault_of, next_slot, overlaps
from services.scheduling.views import PlanLine, Session

_STARTED = Refusal(
    "conflict", "session-started", "The session has started: report whether it took place."
)
_NO_SLOT = Refusal(
    "conflict", "no-common-slot", "Both have no free time in common before their next session."
)


def confirm(
    agenda: Agenda | None, session: Session | None, command: ConfirmSession, now: datetime
) -> Decision:
    """One side confirms."""
    opened = _open(agenda, session, command.session_id)
    if isinstance(opened, Refusal):
        return opened
    agenda, line, session = opened
    if command.by in session.confirmed_by:
        return []
    if now >= session.starts_at:
        return _STARTED
    return [agenda.session_event(SessionConfirmed, line, by=command.by)]


def reschedule(
    agenda: Agenda | None, session: Session | None, command: RescheduleSession, now: datetime
) -> Decision:
    """One side moves a session, to a given time or to the next common free slot."""
    opened = _open(agenda, session, command.session_id)
    if isinstance(opened, Refusal):
        return opened
    agenda, line, session = opened
    if command.starts_at == session.starts_at:
        return []
    if now >= session.starts_at:
        return _STARTED
    if command.starts_at is not None:
        fault = _fault(agenda, session, command.starts_at, now)
        if fault is not None:
            return fault
    starts_at = command.starts_at or next_slot(
        *agenda.free, agenda.length, session.ends_at, agenda.taken(session.id)
    )
    if starts_at is None or not _in_order(agenda, line, starts_at):
        return _NO_SLOT
    return [
        agenda.session_event(
            SessionRescheduled,
            line,
            starts_at=starts_at,
            previously_at=session.starts_at,
            by=command.by,
        )
    ]


def cancel(
    agenda: Agenda | None, session: Session | None, command: CancelSession, now: datetime
) -> Decision:
    """One side cancels; the session is planned again."""
    opened = _open(agenda, session, command.session_id)
    if isinstance(opened, Refusal):
        waits = opened.rule == "not-planned"
        return [] if waits and session is not None and session.state == "cancelled" else opened
    agenda, line, session = opened
    if now >= session.starts_at:
        return _STARTED
    cancelled = agenda.session_event(SessionCancelled, line, cause="request", by=command.by)
    return [cancelled, *plan(agenda.after(cancelled), now)]


def known_session(agenda: Agenda | None, session_id: str) -> tuple[Agenda, PlanLine] | Refusal:
    """The line of a session in its pair's plan, with the agenda; or that there is none."""
    line = agenda.line_of(session_id) if agenda else None
    if agenda is None or line is None:
        return Refusal("unknown", "unknown-session", "There is no such session in this cohort.")
    return agenda, line


def _open(
    agenda: Agenda | None, session: Session | None, session_id: str
) -> tuple[Agenda, PlanLine, Session] | Refusal:
    """A session that may still change, with its agenda and its line; or why there is none."""
    known = known_session(agenda, session_id)
    if isinstance(known, Refusal):
        return known
    agenda, line = known
    match line.state:
        case "completed":
            return Refusal("conflict", "session-completed", "The session has taken place.")
        case "cancelled":
            return Refusal("conflict", "pair-dissolved", "The pair was dissolved.")
        case "pending" if agenda.pair.state == "dissolved":
            return Refusal("conflict", "pair-dissolved", "The pair was dissolved.")
        case "planned" if session is not None:
            return agenda, line, session
        case "pending" | "planned":
            return Refusal(
                "conflict", "not-planned", "The session waits for a time that suits both."
            )


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
    if not _in_order(agenda, agenda.pair.line(session.number), starts_at):
        return Refusal(
            "conflict",
            "out-of-order",
            "A session stays between the one before and the one after: move that one first.",
        )
    return None


def _in_order(agenda: Agenda, line: PlanLine, starts_at: datetime) -> bool:
    """Whether the sessions of the pair stay in the order of their numbers."""
    return all(
        (other.number < line.number) == (other.starts_at < starts_at)
        for other in agenda.pair.plan
        if other.number != line.number
        and other.state in ("planned", "completed")
        and other.starts_at is not None
    )
