"""What people ask of a session that is planned: to confirm it, to cancel it.

Always holds: a session that has started is not changed any more, only reported on; one that is
cancelled is planned again, or stays pending; whoever says which date they mean changes no other, so
a form that is sent twice cancels one date.
"""

from datetime import datetime, timedelta

from schemas.scheduling import (
    CancelSession,
    ConfirmSession,
    SessionCancelled,
    SessionConfirmed,
)
from services.chassis.domain import Decision, Refusal
from services.scheduling.agenda import Agenda
from services.scheduling.planning import plan
from services.scheduling.views import PlanLine, Session

LATE = timedelta(hours=24)
"""A session that is cancelled so soon before it begins is cancelled late."""

STARTED = Refusal(
    "conflict", "session-started", "The session has started: report whether it took place."
)

OUTDATED = Refusal(
    "conflict", "outdated-answer", "The session has another date than the one that was answered."
)


def confirm(
    agenda: Agenda | None, session: Session | None, command: ConfirmSession, now: datetime
) -> Decision:
    """One side confirms."""
    opened = open_session(agenda, session, command.session_id)
    if isinstance(opened, Refusal):
        return opened
    agenda, line, session = opened
    if command.stands_at not in (None, session.starts_at):
        return OUTDATED
    if command.by in session.confirmed_by:
        return []
    if now >= session.starts_at:
        return STARTED
    both = bool(session.confirmed_by)
    said = {"by": command.by, "on_behalf": command.on_behalf}
    return [agenda.session_event(SessionConfirmed, line, both=both, **said)]


def cancel(
    agenda: Agenda | None, session: Session | None, command: CancelSession, now: datetime
) -> Decision:
    """One side cancels; the session is planned again."""
    opened = open_session(agenda, session, command.session_id)
    if isinstance(opened, Refusal):
        waits = opened.rule == "not-planned"
        return [] if waits and session is not None and session.state == "cancelled" else opened
    agenda, line, session = opened
    if command.stands_at not in (None, session.starts_at):
        return OUTDATED
    if now >= session.starts_at:
        return STARTED
    late = now > session.starts_at - LATE
    said = {"cause": "request", "by": command.by, "on_behalf": command.on_behalf}
    cancelled = agenda.session_event(SessionCancelled, line, late=late, **said)
    return [cancelled, *plan(agenda.after(cancelled), now)]


def known_session(agenda: Agenda | None, session_id: str) -> tuple[Agenda, PlanLine] | Refusal:
    """The line of a session in its pair's plan, with the agenda; or that there is none."""
    line = agenda.line_of(session_id) if agenda else None
    if agenda is None or line is None:
        return Refusal("unknown", "unknown-session", "There is no such session in this cohort.")
    return agenda, line


def open_session(
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


def is_in_order(agenda: Agenda, line: PlanLine, starts_at: datetime) -> bool:
    """Whether the sessions of the pair stay in the order of their numbers."""
    return all(
        (other.number < line.number) == (other.starts_at < starts_at)
        for other in agenda.pair.plan
        if other.number != line.number
        and other.state in ("planned", "completed")
        and other.starts_at is not None
    )
