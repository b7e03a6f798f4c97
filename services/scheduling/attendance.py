"""Whether a session took place: people are asked once it has ended, and the first report counts.

Always holds: a session that did not take place is planned again, or stays pending; nobody's
silence leaves one open for longer than the cohort's policy allows.
"""

from datetime import datetime, timedelta
from typing import Literal

from schemas.base import Event
from schemas.scheduling import (
    AttendanceRequested,
    PairGraduated,
    ReportAttendance,
    SessionCompleted,
    SessionMissed,
)
from schemas.values import Side
from services.chassis.domain import Decision, Refusal
from services.scheduling.agenda import Agenda
from services.scheduling.moving import unanswered
from services.scheduling.planning import plan
from services.scheduling.sessions import known_session
from services.scheduling.views import Outcome, PlanLine, Session


def report(
    agenda: Agenda | None,
    session: Session | None,
    outcome: Outcome | None,
    command: ReportAttendance,
    now: datetime,
) -> Decision:
    """One side says whether an attempt at a session took place. The first report counts."""
    known = known_session(agenda, command.session_id)
    if isinstance(known, Refusal):
        return known
    agenda, line = known
    if outcome is not None:
        return _report_again(outcome, held=command.held)
    if session is None or command.attempt != session.attempt:
        return Refusal(
            "conflict", "other-attempt", "The session is not planned for the time that is meant."
        )
    if now < session.starts_at:
        return Refusal("conflict", "not-started", "The session has not started yet.")
    if command.held:
        return _complete(agenda, line, command.by)
    return _miss(agenda, line, "reported", command.by, now)


def _report_again(outcome: Outcome, *, held: bool) -> Decision:
    """A report on an attempt that has ended already."""
    match outcome.outcome:
        case "cancelled":
            return Refusal("conflict", "session-cancelled", "The session was cancelled.")
        case "completed" | "missed":
            if held == (outcome.outcome == "completed"):
                return []
            if outcome.cause == "unreported":
                return Refusal(
                    "conflict", "report-too-late", "Nobody reported in time: it counts as missed."
                )
            return Refusal("conflict", "already-reported", "The opposite was reported before.")


def session_due(agenda: Agenda | None, session: Session | None, now: datetime) -> list[Event]:
    """Its proposal had no answer, it has ended, or nobody has reported on it in time."""
    if agenda is None or session is None or session.due_at is None or session.due_at > now:
        return []
    closed = unanswered(agenda, session, now)
    for event in closed:
        agenda = agenda.after(event)
    if now < session.ends_at:
        return closed
    line = agenda.pair.line(session.number)
    if session.asked:
        return _miss(agenda, line, "unreported", None, now)
    # Counted from the moment of asking: after an outage, too, people get all their days.
    report_by = now + timedelta(days=agenda.policy.report_days)
    revision = session.revision + len(closed)
    requested = agenda.session_event(
        AttendanceRequested, line, revision=revision, report_by=report_by
    )
    return [*closed, requested]


def _complete(agenda: Agenda, line: PlanLine, by: Side) -> list[Event]:
    completed = agenda.pair.completed + 1
    events: list[Event] = [agenda.session_event(SessionCompleted, line, by=by, completed=completed)]
    if completed == len(agenda.pair.plan):
        events.append(agenda.pair_event(PairGraduated, sessions=completed))
    return events


def _miss(
    agenda: Agenda,
    line: PlanLine,
    cause: Literal["reported", "unreported"],
    by: Side | None,
    now: datetime,
) -> list[Event]:
    missed = agenda.session_event(SessionMissed, line, cause=cause, by=by)
    return [missed, *plan(agenda.after(missed), now)]
