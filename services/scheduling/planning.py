"""What is planned for a pair, and when: from its forming to its end.

Always holds: nobody is in two sessions at once; what is planned lies in the future; what finds no
slot stays pending, and is tried again.
"""

from datetime import datetime, timedelta

from schemas.base import Event
from schemas.scheduling import (
    PairStalled,
    PlanningBegan,
    PlanningPostponed,
    SessionCancelled,
    SessionPlanned,
)
from services.chassis.domain import Decision, Refusal
from services.scheduling.agenda import Agenda
from services.scheduling.slots import days_later, next_slot

NOTICE_DAYS = 3
"""How many days ahead a session is planned at least, so that people can arrange for it."""
RETRY = timedelta(weeks=1)
"""After how long a common free slot is sought again where there was none."""


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
