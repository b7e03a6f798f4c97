"""What is brought to mind, to whom and when, if nobody has answered until then. Pure.

Always holds: a reminder has one moment, outside of quiet hours; the date of a session is brought to
mind where it is the pair's first or has changed, to who has neither confirmed nor chosen it.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from schemas.base import Message
from schemas.feedback import SurveyOpened
from schemas.letter_rules import LetterRules
from schemas.matching import PairProposed
from schemas.saying import PARIS
from schemas.scheduling import (
    SessionEvent,
    SessionMoveProposed,
    SessionPlanned,
    SessionRescheduled,
    SessionShifted,
)
from schemas.values import QuietHours, Side
from services.notify.calendar import is_day_off, next_sending_time

NOTICE = timedelta(hours=1)
"""A reminder that comes later than that before its deadline is none."""
_DEADLINES = {
    "ProposalReminder": "expires_at",
    "SessionReminder": "starts_at",
    "SessionMoveReminder": "answer_by",
    "SurveyReminder": "closes_at",
}


@dataclass(frozen=True, slots=True)
class Reminder:
    """One reminder of a fact: its id without the person, and its moment.

    `joins_from`: from then on a letter that leaves for another reason can take it along.
    """

    template: str
    fact: str
    person_id: str
    side: Side
    tell_at: datetime
    joins_from: datetime
    deadline: datetime

    def comes_too_late(self, now: datetime) -> bool:
        """Whether its moment is past, or too near the deadline."""
        return self.tell_at <= now or self.tell_at + NOTICE > self.deadline


def deadline_of(template: str, facts: dict[str, Any]) -> datetime | None:
    """Until when a reminder is of any use; None for what is none."""
    name = _DEADLINES.get(template)
    return datetime.fromisoformat(facts[name]) if name else None


def reminders_of(
    event: Message, rules: LetterRules, quiet_hours: QuietHours, now: datetime
) -> Iterator[Reminder]:
    """What may have to be brought to mind of a fact."""
    match event:
        case PairProposed():
            deadline = event.expires_at
            for number, at in enumerate(_parts(rules, now, deadline, quiet_hours), 1):
                for side, person_id in _both(event):
                    fact = f"ProposalReminder:{event.pair_id}:{number}"
                    yield Reminder("ProposalReminder", fact, person_id, side, at, at, deadline)
        case SessionMoveProposed():
            name, deadline = "SessionMoveReminder", event.answer_by
            about = f"{name}:{event.session_id}:{event.attempt}.{event.revision}"
            for number, at in enumerate(_parts(rules, now, deadline, quiet_hours), 1):
                for side, person_id in _both(event):
                    if side != event.by:
                        fact = f"{about}.{number}"
                        yield Reminder(name, fact, person_id, side, at, at, deadline)
        case SessionPlanned() | SessionRescheduled() | SessionShifted():
            for days in _if(rules.session_reminders, _is_news(event)):
                at = _before(event.starts_at, days, quiet_hours)
                about = f"{event.session_id}:{event.attempt}.{event.revision}.{days}"
                for side, person_id in _both(event):
                    if side not in event.confirmed_by and side != getattr(event, "by", None):
                        fact = f"SessionReminder:{about}"
                        yield Reminder(
                            "SessionReminder", fact, person_id, side, at, at, event.starts_at
                        )
        case SurveyOpened():
            half = now + (event.closes_at - now) / 2
            for days in rules.survey_reminders:
                at = _before(event.closes_at, days, quiet_hours)
                fact = f"SurveyReminder:{event.survey_id}:{days}"
                yield Reminder(
                    "SurveyReminder",
                    fact,
                    event.person_id,
                    event.side,
                    at,
                    min(half, at),
                    event.closes_at,
                )
        case _:
            return


def _parts(
    rules: LetterRules, now: datetime, deadline: datetime, quiet_hours: QuietHours
) -> list[datetime]:
    """When what is proposed is brought to mind: after parts of its time."""
    return [
        next_sending_time(now + part * (deadline - now), quiet_hours)
        for part in rules.proposal_reminders
    ]


def _is_news(event: SessionPlanned | SessionRescheduled | SessionShifted) -> bool:
    """Who has come to the session before on its first date has this one from the same letter."""
    return not isinstance(event, SessionPlanned) or event.number == 1 or event.attempt > 1


def _if(days: Iterable[int], wanted: bool) -> Iterable[int]:
    return days if wanted else ()


def _both(event: PairProposed | SessionEvent) -> tuple[tuple[Side, str], ...]:
    return ("mentor", event.mentor_id), ("manager", event.manager_id)


def _before(moment: datetime, days: int, quiet_hours: QuietHours) -> datetime:
    """The same hour so many working days before, or as soon after that as letters are sent."""
    local = moment.astimezone(PARIS)
    while days:
        local -= timedelta(days=1)
        days -= not is_day_off(local.date())
    return next_sending_time(local, quiet_hours)
