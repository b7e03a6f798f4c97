"""Whether a session took place: both sides are asked once it has ended, and reminded once.

Always holds: a session that did not take place is planned again, or stays pending, while its pair
goes on; nobody's silence leaves one open for longer than the cohort's policy allows; what was told
can be corrected, and what the two sides tell differently is for a coordinator to settle.
"""

from datetime import datetime, timedelta
from typing import Literal

from schemas.base import Event
from schemas.scheduling import (
    Absent,
    AttendanceCorrected,
    AttendanceReminded,
    AttendanceRequested,
    CorrectAttendance,
    GraduationWithdrawn,
    PairGraduated,
    ReportAttendance,
    SessionCompleted,
    SessionDisputed,
    SessionMissed,
    SessionWithdrawn,
)
from schemas.values import Side
from services.chassis.domain import Decision, Refusal
from services.scheduling.agenda import Agenda
from services.scheduling.moving import unanswered
from services.scheduling.planning import plan
from services.scheduling.sessions import known_session
from services.scheduling.views import SIDES, Outcome, PlanLine, Session

CORRECTED_FOR = timedelta(days=30)
"""For how long after the last moment to report either side can still say otherwise."""


def report(
    agenda: Agenda | None,
    session: Session | None,
    outcome: Outcome | None,
    command: ReportAttendance,
    now: datetime,
) -> Decision:
    """One side says whether an attempt at a session took place: for the first time, or anew."""
    known = known_session(agenda, command.session_id)
    if isinstance(known, Refusal):
        return known
    agenda, line = known
    if outcome is not None:
        return _report_again(agenda, line, session, outcome, command, now)
    if session is None or command.attempt != session.attempt:
        return Refusal(
            "conflict", "other-attempt", "The session is not planned for the time that is meant."
        )
    if now < session.starts_at:
        return Refusal("conflict", "not-started", "The session has not started yet.")
    if command.held:
        return _complete(agenda, line, command.by)
    return _miss(agenda, line, "reported", command.by, now, command.absent)


def _report_again(
    agenda: Agenda,
    line: PlanLine,
    session: Session | None,
    outcome: Outcome,
    command: ReportAttendance,
    now: datetime,
) -> Decision:
    """A report on an attempt that has ended already: the same, a correction, or a dispute."""
    if outcome.outcome == "cancelled":
        return Refusal("conflict", "session-cancelled", "The session was cancelled.")
    if command.held == (outcome.outcome == "completed"):
        return []
    last = outcome.starts_at + agenda.length + timedelta(days=agenda.policy.report_days)
    if now > last + CORRECTED_FOR:
        return Refusal(
            "conflict", "report-too-late", "After thirty days it is for a coordinator to correct."
        )
    if outcome.cause == "settled":
        return Refusal("conflict", "already-settled", "A coordinator has settled it.")
    if outcome.cause in ("presumed", "unreported") or outcome.by == command.by:
        return _correct(agenda, line, session, outcome, command, now, command.by)
    if outcome.disputed:
        return []
    return [
        agenda.session_event(
            SessionDisputed,
            line,
            attempt=outcome.attempt,
            starts_at=outcome.starts_at,
            by=command.by,
            held=command.held,
        )
    ]


def settle(
    agenda: Agenda | None,
    session: Session | None,
    outcome: Outcome | None,
    command: CorrectAttendance,
    now: datetime,
) -> Decision:
    """A coordinator says whether an attempt took place."""
    known = known_session(agenda, command.session_id)
    if isinstance(known, Refusal):
        return known
    agenda, line = known
    if outcome is None:
        return Refusal("conflict", "not-reported", "Nothing is told yet of this planning.")
    if outcome.outcome == "cancelled":
        return Refusal("conflict", "session-cancelled", "The session was cancelled.")
    if command.held == (outcome.outcome == "completed") and not outcome.disputed:
        return Refusal("conflict", "counts-already", "It counts like that already.")
    return _correct(agenda, line, session, outcome, command, now, None)


def _correct(
    agenda: Agenda,
    line: PlanLine,
    session: Session | None,
    outcome: Outcome,
    command: ReportAttendance | CorrectAttendance,
    now: datetime,
    by: Side | None,
) -> Decision:
    """What follows from what was told wrongly is taken back, or made good."""
    was_held = outcome.outcome == "completed"
    changes = command.held != was_held
    events: list[Event] = []
    if changes and was_held and agenda.pair.parted:
        return Refusal("conflict", "pair-dissolved", "The pair has ended: nothing is made up.")
    if changes and command.held:
        if line.state == "completed":
            return Refusal(
                "conflict", "held-since", "The session has been held on another date since."
            )
        if line.state == "planned" and session is not None:
            events.append(agenda.session_event(SessionWithdrawn, line))
            agenda = agenda.after(events[-1])
            line = agenda.pair.line(line.number)
    corrected = agenda.session_event(
        AttendanceCorrected,
        line,
        attempt=outcome.attempt,
        starts_at=outcome.starts_at,
        held=command.held,
        was_held=was_held,
        was_presumed=outcome.cause == "presumed",
        by=by,
        absent=command.absent,
        completed=agenda.pair.completed + changes * (1 if command.held else -1),
    )
    agenda = agenda.after(corrected)
    return [*events, corrected, *(_made_good(agenda, now) if changes else ())]


def _made_good(agenda: Agenda, now: datetime) -> list[Event]:
    """A pair that was done goes on, one that is done now graduates; what waits is planned.

    A pair that was dissolved meanwhile graduates too, if all its sessions were held before.
    """
    pair = agenda.pair
    if pair.state != "graduated" and pair.completed == len(pair.plan):
        return [_graduated(agenda)]
    events: list[Event] = []
    if pair.state == "graduated" and pair.completed < len(pair.plan):
        again = pair.graduations_withdrawn + 1
        events.append(agenda.pair_event(GraduationWithdrawn, completed=pair.completed, again=again))
        agenda = agenda.after(events[-1])
    waits = agenda.pair.state == "active" and agenda.pending
    return [*events, *(plan(agenda, now) if waits else ())]


def session_due(agenda: Agenda | None, session: Session | None, now: datetime) -> list[Event]:
    """Its proposal had no answer, it has ended, or nobody has reported on it so far, or in time."""
    if agenda is None or session is None or session.due_at is None or session.due_at > now:
        return []
    closed = unanswered(agenda, session, now)
    for event in closed:
        agenda = agenda.after(event)
    if now < session.ends_at:
        return closed
    line = agenda.pair.line(session.number)
    presumed = set(session.confirmed_by) == set(SIDES)
    if session.asked:
        report_by = session.report_by or session.due_at
        if now < report_by:
            return [
                agenda.session_event(
                    AttendanceReminded,
                    line,
                    revision=session.revision,
                    report_by=report_by,
                    presumed=presumed,
                )
            ]
        if presumed:
            return _complete(agenda, line, session.confirmed_by[-1], presumed=True)
        return _miss(agenda, line, "unreported", None, now)
    # Counted from the moment of asking: after an outage, too, people get all their days.
    days = timedelta(days=agenda.policy.report_days)
    requested = agenda.session_event(
        AttendanceRequested,
        line,
        revision=session.revision + len(closed),
        report_by=now + days,
        remind_at=now + days / 2,
        presumed=presumed,
    )
    return [*closed, requested]


def _complete(agenda: Agenda, line: PlanLine, by: Side, *, presumed: bool = False) -> list[Event]:
    completed = agenda.pair.completed + 1
    more = {"by": by, "completed": completed, "presumed": presumed}
    events: list[Event] = [agenda.session_event(SessionCompleted, line, **more)]
    if completed == len(agenda.pair.plan):
        events.append(_graduated(agenda))
    return events


def _graduated(agenda: Agenda) -> PairGraduated:
    again = agenda.pair.graduations_withdrawn
    return agenda.pair_event(PairGraduated, sessions=len(agenda.pair.plan), again=again)


def _miss(
    agenda: Agenda,
    line: PlanLine,
    cause: Literal["reported", "unreported"],
    by: Side | None,
    now: datetime,
    absent: Absent | None = None,
) -> list[Event]:
    missed = agenda.session_event(SessionMissed, line, cause=cause, by=by, absent=absent)
    return [missed, *plan(agenda.after(missed), now)]
