"""What the texts of a letter can speak of: a fact, in the words of its reader. Pure."""

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

from schemas import saying
from schemas.base import Event
from schemas.feedback import SurveyOpened
from schemas.known.tools import listed
from schemas.matching import ManagerWaitlisted, PairFormed, PairProposed
from schemas.meeting import SessionMoveRefused
from schemas.notify import News, SessionDate
from schemas.scheduling import (
    AttendanceReminded,
    AttendanceRequested,
    PairGraduated,
    PairStalled,
    PlanningPostponed,
    SessionEvent,
    SessionMoveDeclined,
    SessionMoveProposed,
    SessionRescheduled,
    SessionShifted,
)
from schemas.values import BY_HAND, Language, Profile
from services.notify import words
from services.notify.letters import REMINDERS
from services.notify.views import Person


def facts_of(
    event: Event,
    part: News,
    other: Person | None,
    dates: Iterable[SessionDate],
    language: Language,
) -> dict[str, Any]:
    """The words of one fact for `part.side` of the pair; `dates` are the sessions to come."""
    facts: dict[str, Any] = {
        "other_email": other.email if other else None,
        "me": part.side,
        "by": getattr(event, "by", None),
        "cause": getattr(event, "cause", None),
        "elsewhere": getattr(event, "elsewhere", False),
        "on_behalf": getattr(event, "on_behalf", False),
        "begin_with": None,
    }
    match event:
        case PairProposed() if part.template in REMINDERS:
            facts["expires"] = saying.day_and_time(event.expires_at, language)
        case PairProposed():
            facts |= _proposal_facts(event, part, other, language)
        case ManagerWaitlisted():
            facts["position"] = event.waiting.position
            facts["because"] = words.sentence(words.said(event.waiting.words, language))
        case PairFormed():
            facts["tools"] = words.said(listed(event.tools), language)
            facts["card"] = words.card(other.post if other else None, None, language)
            facts["sessions"] = _sessions(event.pair_id, dates, language)
        case PairStalled():
            facts["since"] = saying.day(event.since, language)
        case PlanningPostponed():
            facts["numbers"] = saying.listed([str(n) for n in event.numbers], language)
            facts["several"] = len(event.numbers) > 1
        case PairGraduated():
            facts["held"] = event.sessions
        case SurveyOpened():
            facts["kind"], facts["questions"] = event.kind, len(event.questions)
            facts["closes"] = saying.day_and_time(event.closes_at, language)
            if event.kind == "session":
                facts["which"] = event.survey_id.split("~")[2].removeprefix("s")
                facts["upcoming"] = _upcoming(event.pair_id, dates, language)
        case SessionEvent():
            facts |= _session_facts(event, dates, language)
        case _:
            pass
    return facts


def _proposal_facts(
    event: PairProposed, part: News, other: Person | None, language: Language
) -> dict[str, Any]:
    """Who it is, why, and what the two begin with; a coordinator's choice has their reason."""
    theirs: Profile | None = (
        event.manager_profile if part.side == "mentor" else event.mentor_profile
    )
    facts: dict[str, Any] = {
        "expires": saying.day_and_time(event.expires_at, language),
        "by_hand": event.round_id == BY_HAND,
        "line": event.reporting_line,
        "because": event.chosen_because,
        "card": words.card(other.post if other else None, theirs, language),
        "presentation": other.presentation if other else None,
        "tools": words.said(listed(event.tools), language),
        "begin_with": words.tools(event.first_tools, language),
    }
    if not facts["by_hand"]:
        facts["why"] = words.best(event.reasons, language)
    return facts


def _session_facts(
    event: SessionEvent, dates: Iterable[SessionDate], language: Language
) -> dict[str, Any]:
    facts: dict[str, Any] = {
        "number": event.number,
        "attempt": event.attempt,
        "starts": saying.day_and_time(event.starts_at, language),
        "when": saying.span(event.starts_at, event.ends_at, language),
    }
    if isinstance(event, SessionMoveProposed | SessionMoveDeclined | SessionMoveRefused):
        end = event.proposed_at + (event.ends_at - event.starts_at)
        facts["proposed"] = saying.span(event.proposed_at, end, language)
    if isinstance(event, SessionMoveProposed):
        facts["answer_by"] = saying.day_and_time(event.answer_by, language)
    if isinstance(event, SessionRescheduled | SessionShifted):
        facts["previously"] = saying.day_and_time(event.previously_at, language)
    facts |= {
        name: getattr(event, name)
        for name in ("presumed", "held", "was_held")
        if hasattr(event, name)
    }
    if isinstance(event, AttendanceRequested | AttendanceReminded):
        by = event.report_by
        facts["report_by"] = saying.day_and_time(by, language) if by else None
        facts["upcoming"] = _upcoming(event.pair_id, dates, language, event.ends_at)
    return facts


def _sessions(
    pair_id: str, dates: Iterable[SessionDate], language: Language
) -> list[Mapping[str, Any]]:
    """The number and the date of each session to come of a pair, in order."""
    return [
        {"number": date.number, "when": saying.span(date.starts_at, date.ends_at, language)}
        for date in dates
        if date.pair_id == pair_id
    ]


def _upcoming(
    pair_id: str,
    dates: Iterable[SessionDate],
    language: Language,
    after: datetime | None = None,
) -> Mapping[str, Any] | None:
    """The next session of a pair, if its date is known."""
    later = (date for date in dates if after is None or date.starts_at >= after)
    return next(iter(_sessions(pair_id, later, language)), None)
