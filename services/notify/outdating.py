"""Which facts make untrue what waits to be told, and what is read after them. Pure.

Always holds: what is said of a session, a proposal, a pair or a survey is what stands when the
letter is written, not what stood when somebody wanted to write it; in whichever order the two were
read, for topics know no order among each other.
"""

from collections.abc import Collection, Iterable
from datetime import datetime
from typing import Any

from schemas.base import Event, Message, PairEvent, session_of
from schemas.feedback import SurveyClosed, SurveyOpened
from schemas.matching import (
    ManagerWaitlisted,
    ManagerWithdrew,
    MentorWithdrew,
    PairDissolved,
    PairFormed,
    PairProposed,
    ProposalAccepted,
    ProposalDeclined,
    ProposalExpired,
)
from schemas.meeting import SessionMoveRefused, SessionRelocated
from schemas.scheduling import (
    AttendanceCorrected,
    AttendanceReminded,
    AttendanceRequested,
    GraduationWithdrawn,
    PairGraduated,
    PairStalled,
    PlanningPostponed,
    SessionCancelled,
    SessionCompleted,
    SessionConfirmed,
    SessionEvent,
    SessionMissed,
    SessionMoveDeclined,
    SessionMoveProposed,
    SessionPlanned,
    SessionPostponed,
    SessionRescheduled,
    SessionShifted,
    SessionWithdrawn,
)
from schemas.taking_part import ManagerPaused
from services.notify.views import Entry

_MENTOR_WAITS = {"MentorVolunteered", "MentorReturned"}
_MANAGER_WAITS = {"ManagerEnrolled", "ManagerReturned", "ManagerWaitlisted"}
"""What says that somebody will be written to as soon as there is a proposal."""
_STAYS = {"ProposalDeclined", "ProposalExpired"}
"""What says that somebody's place in the programme stands."""
_PROPOSED = {"PairProposed", "ProposalReminder"}
_ASKED = {"AttendanceRequested", "AttendanceReminded"}
_ASKED_TO_MOVE = {"SessionMoveProposed", "SessionMoveReminder"}
_MOVING = {*_ASKED_TO_MOVE, "SessionMoveDeclined"}
_DATED = {
    "SessionPlanned",
    "SessionRescheduled",
    "SessionShifted",
    "SessionRelocated",
    "SessionConfirmed",
    "SessionReminder",
}
_STOOD = {
    *(*_DATED, *_MOVING, *_ASKED),
    *("SessionMoveRefused", "SessionPostponed", "SessionCancelled"),
}
"""What is said of the date of a session."""

_OF_SESSION: dict[type[SessionEvent], set[str]] = {
    SessionPlanned: {*_STOOD, "SessionMissed", "SessionWithdrawn"},
    SessionRescheduled: _STOOD,
    SessionShifted: _STOOD,
    SessionPostponed: _STOOD,
    SessionCancelled: _STOOD,
    SessionWithdrawn: {*_STOOD, "SessionMissed"},
    SessionMissed: _STOOD,
    SessionCompleted: _STOOD,
    SessionMoveProposed: _MOVING,
    SessionMoveDeclined: _ASKED_TO_MOVE,
    SessionRelocated: {"SessionRelocated"},
    AttendanceReminded: {"AttendanceRequested"},
    AttendanceCorrected: {*_ASKED, "AttendanceCorrected", "SessionDisputed", "SessionMissed"},
}
_OF_PAIR: dict[type[PairEvent], set[str]] = {
    PairFormed: _PROPOSED,
    ProposalDeclined: _PROPOSED,
    ProposalExpired: _PROPOSED,
    PairDissolved: {
        *("PairFormed", "PairStalled", "PlanningPostponed"),
        *("SessionReminder", "SessionMoveReminder", "SessionMissed", "GraduationWithdrawn"),
    },
    PairGraduated: {"GraduationWithdrawn", "PairStalled", "PlanningPostponed"},
    GraduationWithdrawn: {"PairGraduated"},
}
OUTDATING: tuple[type[Event], ...] = (
    *_OF_SESSION,
    *_OF_PAIR,
    ManagerPaused,
    ManagerWaitlisted,
    ManagerWithdrew,
    MentorWithdrew,
    PairProposed,
    ProposalAccepted,
    SessionConfirmed,
    SurveyClosed,
)
"""The facts that can make another untrue."""


def makes_untrue(event: Message, entry: Entry) -> bool:
    """Whether what waits to be told to somebody does not hold any more after this event."""
    told, facts = entry.template, entry.facts
    match event:
        case PairProposed():
            mentor = told in _MENTOR_WAITS and facts["mentor_id"] == event.mentor_id
            manager = told in _MANAGER_WAITS and facts["manager_id"] == event.manager_id
            return mentor or manager
        case ManagerWaitlisted():
            enrolled = event.first and told in ("ManagerEnrolled", "ManagerReturned")
            return enrolled and bool(facts["manager_id"] == event.manager_id)
        case MentorWithdrew():
            waits = told in _MENTOR_WAITS or (told in _STAYS and entry.side == "mentor")
            return waits and bool(facts["mentor_id"] == event.mentor_id)
        case ManagerWithdrew():
            waits = told in _MANAGER_WAITS or (told in _STAYS and entry.side == "manager")
            return waits and bool(facts["manager_id"] == event.manager_id)
        case ManagerPaused():
            return told == "ManagerWaitlisted" and bool(facts["manager_id"] == event.manager_id)
        case ProposalAccepted():
            mine = told in _PROPOSED and entry.side == event.by
            return mine and facts["pair_id"] == event.pair_id
        case SessionConfirmed():
            mine = told == "SessionReminder" and entry.side == event.by
            return mine and facts["session_id"] == event.session_id
        case SurveyClosed():
            return facts.get("survey_id") == event.survey_id
        case SessionEvent():
            if told in _OF_THE_PAIR:
                return facts["pair_id"] == event.pair_id and _of_its_pair(event, told, facts)
            stale = told in _OF_SESSION.get(type(event), ()) and not _is_newer(facts, told, event)
            return stale and facts["session_id"] == event.session_id
        case PairEvent():
            stale = told in _OF_PAIR.get(type(event), ()) or (
                isinstance(event, PairDissolved) and _asks_what_is_hoped(told, facts)
            )
            return stale and facts["pair_id"] == event.pair_id
        case _:
            return False


_PRIVATE = {"AttendanceRequested", "AttendanceReminded", "SessionMoveRefused", "SessionRelocated"}
"""What concerns a session, and is on another topic than what becomes of its date."""
_OF_THE_PAIR = {"PlanningPostponed", "PairStalled", "SurveyOpened", "SurveyReminder"}


def _of_its_pair(event: SessionEvent, told: str, facts: dict[str, Any]) -> bool:
    """Whether a session's fact makes untrue what is said of its pair, or asked about it."""
    match event:
        case SessionPlanned():  # the last one that waited for a common hour has its date
            waited = told == "PlanningPostponed" and facts["numbers"][-1] == event.number
            return waited and not any(n >= event.attempt for n in facts["attempts"][-1:])
        case SessionCompleted():
            return told == "PairStalled" and _ends_after(event, facts["since"])
        case AttendanceCorrected() if event.held:
            if told == "PlanningPostponed":
                return bool(facts["numbers"] == [event.number])
            return told == "PairStalled" and _ends_after(event, facts["since"])
        case AttendanceCorrected() if event.was_held:
            asks = told in ("SurveyOpened", "SurveyReminder") and facts["kind"] == "session"
            return asks and f"~s{event.number}~" in facts["survey_id"]
        case _:
            return False


def _is_newer(facts: dict[str, Any], told: str, event: SessionEvent) -> bool:
    """Whether what was read first, since it is on another topic, happened after this fact."""
    apart = told in _PRIVATE and type(event).__name__ not in _PRIVATE
    return apart and bool(facts["revision"] >= event.revision)


def _ends_after(event: SessionEvent, since: str) -> bool:
    return event.ends_at > datetime.fromisoformat(since)


def _asks_what_is_hoped(told: str, facts: dict[str, Any]) -> bool:
    """Whether it asks what somebody hopes for of a pair."""
    return told in ("SurveyOpened", "SurveyReminder") and bool(facts["kind"] == "start")


# --- what is read after the fact that makes it untrue ------------------------------------------

_OUTDATED = {
    kind.__name__: frozenset(_OF_SESSION[kind])
    for kind in (
        *(SessionPlanned, SessionRescheduled, SessionShifted, SessionPostponed, SessionCancelled),
        *(SessionWithdrawn, SessionMissed, SessionCompleted, AttendanceCorrected),
    )
}
LAST = frozenset({*_OUTDATED, "PairDissolved"})
"""The facts that are remembered: what is told of the date of a session is not what was, once one
of them has been read, and nothing goes on in a pair that was dissolved."""
_APART = ("PairDissolved", "AttendanceCorrected")
"""Of those, what holds beside the last other one of the same session or pair."""
LATE = (
    *(SessionRelocated, SessionMoveRefused, AttendanceRequested, AttendanceReminded),
    *(SessionMissed, PairStalled, GraduationWithdrawn, PlanningPostponed, SurveyOpened),
)
"""What comes on another topic than something that can make it untrue."""


def with_last(last: tuple[str, ...], fact: str, facts: dict[str, Any]) -> tuple[str, ...]:
    """The last facts of sessions and pairs after this one, each by its id; that of a correction,
    which says what it has changed, if that is anything, stands beside it.

    The oldest letters have a record's id for a fact, which names no subject: it is passed over.
    """
    if ":" not in fact:
        return last
    name, subject = fact.split(":")[:2]
    about = f":{subject}:"
    if name == "AttendanceCorrected":
        if facts["held"] == facts["was_held"]:
            return last
        fact = f"{fact}:{'held' if facts['held'] else 'not-held'}"
    if name in _APART:
        return (*[one for one in last if not f"{one}:".startswith(f"{name}{about}")], fact)
    stay = _APART if name != "SessionCompleted" else _APART[:1]
    return (*[one for one in last if about not in f"{one}:" or one.startswith(stay)], fact)


def read_late(event: Event, last: Collection[str]) -> str | None:
    """The id of what was read before and makes an event untrue; None if it holds.

    `last`: the last facts of sessions and pairs that are remembered.
    """
    if not isinstance(event, LATE):
        return None
    for fact in last:
        name, subject, *at = fact.split(":")
        match name:
            case "PairDissolved":
                hopes = isinstance(event, SurveyOpened) and event.kind == "start"
                ended = hopes or type(event).__name__ in _OF_PAIR[PairDissolved]
                late = ended and event.pair_id == subject
            case "AttendanceCorrected":
                corrected = _is_corrected(event, subject, held=at.pop() == "held")
                late = corrected or _is_of_a_newer(event, name, subject, at)
            case _:
                late = _is_of_a_newer(event, name, subject, at)
        if late:
            return ":".join((name, subject, *at))
    return None


def has_ended(event: Message, last: Collection[str]) -> bool:
    """Whether it is about a session of a pair that was dissolved: nothing is brought to mind."""
    return isinstance(event, SessionEvent) and f"PairDissolved:{event.pair_id}" in last


def _is_corrected(event: Event, session_id: str, *, held: bool) -> bool:
    """Whether it asks about a session that was not held after all, or seeks an hour for one that
    was."""
    match event:
        case SurveyOpened() if event.kind == "session":
            asked = session_of(event.pair_id, int(event.survey_id.split("~")[2].removeprefix("s")))
            return not held and asked == session_id
        case PlanningPostponed():
            waits = [session_of(event.pair_id, number) for number in event.numbers]
            return held and waits == [session_id]
        case _:
            return False


def _is_of_a_newer(event: Event, name: str, session_id: str, at: Iterable[str]) -> bool:
    """Whether a fact of a session is newer than an event, which it makes untrue."""
    attempt, revision = (int(number) for part in at for number in part.split("."))
    match event:
        case SessionEvent():
            of_it = event.session_id == session_id and type(event).__name__ in _OUTDATED[name]
            return of_it and revision > event.revision
        case PlanningPostponed() if event.attempts:
            waited = session_of(event.pair_id, event.numbers[-1])
            return session_id == waited and attempt > event.attempts[-1]  # it has had a date since
        case _:
            return False
