"""Which facts make untrue what waits to be told. Pure.

Always holds: what is said of a session, a proposal, a pair or a survey is what stands when the
letter is written, not what stood when somebody wanted to write it.
"""

from typing import Any

from schemas.base import Event, Message, PairEvent
from schemas.feedback import SurveyClosed
from schemas.matching import (
    ManagerWaitlisted,
    PairDissolved,
    PairFormed,
    PairProposed,
    ProposalAccepted,
    ProposalDeclined,
    ProposalExpired,
)
from schemas.scheduling import (
    AttendanceCorrected,
    AttendanceReminded,
    GraduationWithdrawn,
    PairGraduated,
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
from services.notify.views import Entry

_MENTOR_WAITS = {"MentorVolunteered", "MentorReturned"}
_MANAGER_WAITS = {"ManagerEnrolled", "ManagerReturned", "ManagerWaitlisted"}
"""What says that somebody will be written to as soon as there is a proposal."""
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
    SessionPlanned: {*_STOOD, "SessionMissed"},
    SessionRescheduled: _STOOD,
    SessionShifted: _STOOD,
    SessionPostponed: _STOOD,
    SessionCancelled: _STOOD,
    SessionWithdrawn: {*_STOOD, "SessionMissed"},
    SessionMissed: _STOOD,
    SessionCompleted: _STOOD,
    SessionMoveProposed: _MOVING,
    SessionMoveDeclined: _ASKED_TO_MOVE,
    AttendanceReminded: {"AttendanceRequested"},
    AttendanceCorrected: {*_ASKED, "AttendanceCorrected", "SessionDisputed", "SessionMissed"},
}
_OF_PAIR: dict[type[PairEvent], set[str]] = {
    PairFormed: _PROPOSED,
    ProposalDeclined: _PROPOSED,
    ProposalExpired: _PROPOSED,
    PairDissolved: {
        *("PairFormed", "PairStalled", "PlanningPostponed"),
        *("SessionReminder", "SessionMoveReminder"),
    },
    PairGraduated: {"GraduationWithdrawn", "PairStalled"},
    GraduationWithdrawn: {"PairGraduated"},
}
OUTDATING: tuple[type[Event], ...] = (
    *_OF_SESSION,
    *_OF_PAIR,
    ManagerWaitlisted,
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
        case ProposalAccepted():
            mine = told == "ProposalReminder" and entry.side == event.by
            return mine and facts["pair_id"] == event.pair_id
        case SessionConfirmed():
            mine = told == "SessionReminder" and entry.side == event.by
            return mine and facts["session_id"] == event.session_id
        case SurveyClosed():
            return facts.get("survey_id") == event.survey_id
        case SessionEvent():
            if isinstance(event, SessionPlanned) and _found_its_hour(event, told, facts):
                return True
            stale = told in _OF_SESSION.get(type(event), ())
            return stale and facts["session_id"] == event.session_id
        case PairEvent():
            stale = told in _OF_PAIR.get(type(event), ())
            return stale and facts["pair_id"] == event.pair_id
        case _:
            return False


def _found_its_hour(event: SessionPlanned, told: str, facts: dict[str, Any]) -> bool:
    """Whether the last session that waited for a common hour has its date."""
    waited = told == "PlanningPostponed" and facts["pair_id"] == event.pair_id
    return waited and bool(facts["numbers"][-1] == event.number)
