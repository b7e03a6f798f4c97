"""What follows when a pair is formed, somebody acts on a session, or a deadline has come.

Always holds: nobody is in two sessions at once; a session that did not take place is planned
again, or stays pending and is tried again; what is planned lies in the future.
"""

from datetime import datetime, timedelta
from typing import Literal

from schemas.base import Event
from schemas.scheduling import (
    AttendanceRequested,
    CancelSession,
    ConfirmSession,
    PairGraduated,
    PairStalled,
    PlanningBegan,
    PlanningPostponed,
    ReportAttendance,
    RescheduleSession,
    SessionCancelled,
    SessionCompleted,
    SessionConfirmed,
    SessionMissed,
    SessionPlanned,
    SessionRescheduled,
)
from schemas.values import Side
from services.chassis.domain import Decision, Refusal
from services.scheduling.agenda import Agenda
from services.scheduling.slots import HORIZON, days_later, fault_of, next_slot, overlaps
from services.scheduling.views import Outcome, PlanLine, Session

NOTICE_DAYS = 3
"""How many days ahead a session is planned at least, so that people can arrange for it."""
RETRY = timedelta(weeks=1)
"""After how long a common free slot is sought again where there was none."""

_UNKNOWN = Refusal("unknown", "unknown-session", "There is no such session in this cohort.")
_STARTED = Refusal(
    "conflict", "session-started", "The session has started: report whether it took place."
)
_NO_SLOT = Refusal(
    "conflict", "no-common-slot", "Both have no free time in common in the next 26 weeks."
)


# --- planning -----------------------------------------------------------------------------------


def begin(new: Agenda | None, known: Agenda | None, now: datetime) -> Decision:
    """A pair was formed: all its sessions are planned."""
    if known is not None:
        return []
    if new is None:
        return Refusal("unknown", "unknown-cohort", "The cohort of this pair has not been opened.")
    began = new.pair_event(PlanningBegan, at=now)
    return [began, *plan_pending(new.after(began), now)]


def plan_pending(agenda: Agenda, now: datetime) -> list[Event]:
    """Plan what is pending, each session at the cadence after all others of the pair.

    What finds no slot stays pending, and is tried again a week later.
    """
    events: list[Event] = []
    for line in agenda.pending:
        starts_at = next_slot(
            agenda.mentor.availability,
            agenda.manager.availability,
            agenda.length,
            _not_before(agenda, now),
            agenda.taken(),
        )
        if starts_at is None:
            break  # the others would be sought in the same time, in vain
        planned = agenda.session_event(
            SessionPlanned, line, attempt=line.attempt + 1, starts_at=starts_at
        )
        agenda = agenda.after(planned)
        events.append(planned)
    if agenda.pending:
        numbers = tuple(line.number for line in agenda.pending)
        events.append(agenda.pair_event(PlanningPostponed, numbers=numbers, retry_at=now + RETRY))
    return events


def _not_before(agenda: Agenda, now: datetime) -> datetime:
    earliest = days_later(now, NOTICE_DAYS)
    starts = [line.starts_at for line in agenda.pair.plan if line.starts_at is not None]
    if not starts:
        return earliest
    return max(earliest, days_later(max(starts), agenda.policy.cadence_days))


def dissolve(agenda: Agenda | None) -> Decision:
    """A pair has ended: its open sessions are cancelled."""
    if agenda is None:
        return Refusal("unknown", "unknown-pair", "There is no such pair in this cohort.")
    if agenda.pair.state != "active":
        return []
    return [
        agenda.session_event(SessionCancelled, line, cause="pair_dissolved")
        for line in agenda.pair.plan
        if line.state == "planned"
    ]


# --- what people ask ----------------------------------------------------------------------------


def confirm(
    agenda: Agenda | None, session: Session | None, command: ConfirmSession, now: datetime
) -> Decision:
    """One side confirms."""
    found = _open(agenda, session, command.session_id)
    if isinstance(found, Refusal):
        return found
    its_agenda, line, it = found
    if command.by in it.confirmed_by:
        return []
    if now >= it.starts_at:
        return _STARTED
    return [its_agenda.session_event(SessionConfirmed, line, by=command.by)]


def reschedule(
    agenda: Agenda | None, session: Session | None, command: RescheduleSession, now: datetime
) -> Decision:
    """One side moves a session, to a given time or to the next common free slot."""
    found = _open(agenda, session, command.session_id)
    if isinstance(found, Refusal):
        return found
    its_agenda, line, it = found
    if command.starts_at == it.starts_at:
        return []
    if now >= it.starts_at:
        return _STARTED
    if command.starts_at is not None:
        fault = _fault(its_agenda, it, command.starts_at, now)
        if fault is not None:
            return fault
    starts_at = command.starts_at or next_slot(
        its_agenda.mentor.availability,
        its_agenda.manager.availability,
        its_agenda.length,
        it.ends_at,
        its_agenda.taken(but=it.id),
    )
    if starts_at is None:
        return _NO_SLOT
    return [
        its_agenda.session_event(
            SessionRescheduled,
            line,
            starts_at=starts_at,
            previously_at=it.starts_at,
            by=command.by,
        )
    ]


def cancel(
    agenda: Agenda | None, session: Session | None, command: CancelSession, now: datetime
) -> Decision:
    """One side cancels; the session is planned again."""
    found = _open(agenda, session, command.session_id)
    if isinstance(found, Refusal):
        waits = found.rule == "not-planned"
        return [] if waits and session is not None and session.state == "cancelled" else found
    its_agenda, line, it = found
    if now >= it.starts_at:
        return _STARTED
    cancelled = its_agenda.session_event(SessionCancelled, line, cause="request", by=command.by)
    return [cancelled, *plan_pending(its_agenda.after(cancelled), now)]


def report(
    agenda: Agenda | None,
    session: Session | None,
    outcome: Outcome | None,
    command: ReportAttendance,
    now: datetime,
) -> Decision:
    """One side says whether an attempt at a session took place. The first report counts."""
    line = agenda.line_of(command.session_id) if agenda else None
    if agenda is None or line is None:
        return _UNKNOWN
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


def _open(
    agenda: Agenda | None, session: Session | None, session_id: str
) -> tuple[Agenda, PlanLine, Session] | Refusal:
    """A session that may still change, with its agenda and its line; or why there is none."""
    line = agenda.line_of(session_id) if agenda else None
    if agenda is None or line is None:
        return _UNKNOWN
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
    if overlaps(starts_at, starts_at + agenda.length, agenda.taken(but=session.id)):
        return Refusal("conflict", "slot-taken", "One of the two has another session at that time.")
    return None


# --- how a session ends -------------------------------------------------------------------------


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
    return [missed, *plan_pending(agenda.after(missed), now)]


# --- deadlines ----------------------------------------------------------------------------------


def session_due(agenda: Agenda | None, session: Session | None, now: datetime) -> list[Event]:
    """A session has ended, or nobody has reported on it in time."""
    if agenda is None or session is None or session.due_at is None or session.due_at > now:
        return []
    line = agenda.pair.line(session.number)
    if session.asked:
        return _miss(agenda, line, "unreported", None, now)
    # Counted from the moment of asking: after an outage, too, people get all their days.
    report_by = now + timedelta(days=agenda.policy.report_days)
    return [
        agenda.session_event(
            AttendanceRequested, line, revision=session.revision, report_by=report_by
        )
    ]


def pair_due(agenda: Agenda | None, now: datetime) -> list[Event]:
    """A pair has been idle for too long, or it is time to seek a slot for it again."""
    if agenda is None or agenda.pair.due_at is None or agenda.pair.due_at > now:
        return []
    events: list[Event] = []
    pair = agenda.pair
    if pair.stalls_at is not None and pair.stalls_at <= now:
        events.append(agenda.pair_event(PairStalled, since=pair.idle_since))
    if pair.retry_at is not None and pair.retry_at <= now:
        events.extend(plan_pending(agenda, now))
    return events
