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
            stale = told in _OF_SESSION.get(type(event), ())
            return stale and facts["session_id"] == event.session_id
        case PairEvent():
            stale = told in _OF_PAIR.get(type(event), ()) or (
                isinstance(event, PairDissolved) and _asks_what_is_hoped(told, facts)
            )
            return stale and facts["pair_id"] == event.pair_id
        case _:
            return False


_OF_THE_PAIR = {"PlanningPostponed", "PairStalled", "SurveyOpened", "SurveyReminder"}


def _of_its_pair(event: SessionEvent, told: str, facts: dict[str, Any]) -> bool:
    """Whether a session's fact makes untrue what is said of its pair, or asked about it."""
    match event:
        case SessionPlanned():  # the last one that waited for a common hour has its date
            return told == "PlanningPostponed" and bool(facts["numbers"][-1] == event.number)
        case SessionCompleted():
            return told == "PairStalled" and _ends_after(event, facts["since"])
        case AttendanceCorrected() if event.held:
            if told == "PlanningPostponed":
                return bool(facts["numbers"] == [event.number])
            return told == "PairStalled" and _ends_after(event, facts["since"])
        case AttendanceCorrected():
            asks = told in ("SurveyOpened", "SurveyReminder") and facts["kind"] == "session"
            return asks and f"~s{event.number}~" in facts["survey_id"]
        case _:
            return False


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
        *(SessionWithdrawn, SessionMissed, SessionCompleted),
    )
} | {PairDissolved.__name__: frozenset(_OF_PAIR[PairDissolved])}
LAST = frozenset(_OUTDATED)
"""The facts that are remembered: what is told of the date of a session is not what was, once one
of them has been read, and nothing goes on in a pair that was dissolved."""
LATE = (
    *(SessionRelocated, SessionMoveRefused, AttendanceRequested, AttendanceReminded),
    *(SessionMissed, PairStalled, GraduationWithdrawn, PlanningPostponed, SurveyOpened),
)
"""What comes on another topic than something that can make it untrue."""


def with_last(last: tuple[str, ...], fact: str) -> tuple[str, ...]:
    """The last facts of sessions and pairs, by their ids, after this one.

    The oldest letters have a record's id for a fact, which names no subject: it is passed over.
    """
    if ":" not in fact:
        return last
    about = f":{fact.split(':')[1]}:"
    return (*[known for known in last if about not in f"{known}:"], fact)


def read_late(event: Event, last: Collection[str]) -> str | None:
    """The id of what was read before and makes an event untrue; None if it holds.

    `last`: the last facts of sessions and pairs that are remembered, by their ids.
    """
    if not isinstance(event, LATE):
        return None
    for fact in last:
        name, subject, *at = fact.split(":")
        if name == PairDissolved.__name__:
            hopes = isinstance(event, SurveyOpened) and event.kind == "start"
            ended = hopes or type(event).__name__ in _OUTDATED[name]
            if ended and event.pair_id == subject:
                return fact
        elif _is_of_a_newer(event, name, subject, at):
            return fact
    return None


def _is_of_a_newer(event: Event, name: str, session_id: str, at: Iterable[str]) -> bool:
    """Whether a fact of a session is newer than an event, which it makes untrue."""
    attempt, revision = (int(number) for part in at for number in part.split("."))
    match event:
        case SessionEvent():
            newer = (attempt, revision) > (event.attempt, event.revision)
            return (
                newer and event.session_id == session_id and type(event).__name__ in _OUTDATED[name]
            )
        case PlanningPostponed() if event.attempts:
            waited = session_of(event.pair_id, event.numbers[-1])
            found = session_id == waited and name == SessionPlanned.__name__
            return found and attempt > event.attempts[-1]
        case _:
            return False
