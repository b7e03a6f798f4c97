"""The sessions of every pair that was formed: planned, held or not, and counted to the last.

Follows scheduling's journal. An attempt is one planning of a session; it is open until it is
completed, missed or cancelled.
"""

from dataclasses import dataclass, field
from datetime import datetime

from deploy.trial.check.findings import Report
from deploy.trial.check.pairs import Matched, Pair
from deploy.trial.check.wire import Entry, Log

_ENDS = {
    "SessionCompleted": "completed",
    "SessionMissed": "missed",
    "SessionCancelled": "cancelled",
    "SessionPostponed": "cancelled",
    "SessionWithdrawn": "cancelled",
}
_MOVES = ("SessionRescheduled", "SessionShifted")
_TALKS = ("SessionMoveProposed", "SessionMoveAccepted", "SessionMoveDeclined", "SessionMoveRefused")
_ASKS = ("AttendanceRequested", "AttendanceReminded")
_CHANGES = ("SessionConfirmed", "SessionRelocated", *_ASKS, *_MOVES, *_TALKS)


@dataclass(slots=True)
class Attempt:
    """One planning of a session. `freed_at` is when its time could be given to another."""

    number: int
    starts_at: datetime
    ends_at: datetime
    state: str = "open"
    freed_at: datetime | None = None


@dataclass(slots=True)
class Session:
    """A session of a pair; `attempts` by their count."""

    key: str
    pair: str
    number: int
    attempts: dict[int, Attempt] = field(default_factory=dict)

    @property
    def last(self) -> Attempt:
        """The attempt that stands: the one that was held, or else the last."""
        held = [a for a in self.attempts.values() if a.state == "completed"]
        return held[0] if held else self.attempts[max(self.attempts)]


@dataclass(slots=True)
class Planned:
    """What scheduling made. Keys are `cohort/id`; `postponed` is pair to numbers without a slot."""

    sessions: dict[str, Session] = field(default_factory=dict)
    of_pair: dict[str, dict[int, Session]] = field(default_factory=dict)
    postponed: dict[str, set[int]] = field(default_factory=dict)
    began: set[str] = field(default_factory=set)


def check_sessions(log: Log, matched: Matched, report: Report) -> Planned:
    """Follow scheduling's journal, then look at each pair, then at each person's calendar."""
    planned = Planned()
    for entry in log.journal("scheduling"):
        if not entry.copy:
            _follow(planned, entry, report)
    policies = {e.cohort: e.data.get("policy", {}).get("sessions", 0) for e in log.facts(_OPENED)}
    for pair in matched.pairs.values():
        cohort = pair.key.partition("/")[0]
        if pair.formed is not None:
            if cohort not in policies:
                report.lost.append(f"Pair {pair.key} was formed in a cohort that was never opened.")
            elif not log.excused("scheduling", pair.formed):
                _pair(pair, int(policies[cohort]), planned, log, report)
    for key in planned.of_pair.keys() | planned.began:
        if key not in matched.pairs or matched.pairs[key].formed is None:
            report.lost.append(f"Pair {key} has a plan, and was never formed.")
    _overlaps(planned, report)
    return planned


_OPENED = "CohortOpened"


# --- one event after the other ------------------------------------------------------------------


def _follow(planned: Planned, entry: Entry, report: Report) -> None:
    match entry.name:
        case "PlanningBegan":
            if entry.key in planned.began:
                report.doubled.append(f"{entry}: its planning had begun already.")
            planned.began.add(entry.key)
        case "PlanningPostponed":
            planned.postponed[entry.key] = {int(n) for n in entry.data.get("numbers", ())}
        case "SessionPlanned":
            _plan(planned, entry, report)
        case "AttendanceCorrected" | "SessionDisputed":
            _told_anew(planned, entry, report)
        case name if name in _CHANGES or name in _ENDS:
            attempt = _open(planned, entry, report)
            if attempt is not None:
                _change(attempt, entry, report)


def _plan(planned: Planned, entry: Entry, report: Report) -> None:
    pair, number = f"{entry.cohort}/{entry.text('pair_id')}", entry.number("number")
    attempt = entry.number("attempt")
    session = planned.sessions.setdefault(entry.key, Session(entry.key, pair, number))
    planned.of_pair.setdefault(pair, {})[number] = session
    if attempt in session.attempts:
        report.doubled.append(f"{entry}: attempt {attempt} was planned already.")
        return
    if session.attempts and session.last.state in ("open", "completed"):
        report.doubled.append(f"{entry}: attempt {session.last.number} is {session.last.state}.")
    if attempt != len(session.attempts) + 1:
        report.lost.append(f"{entry}: attempt {attempt} came after {len(session.attempts)}.")
    session.attempts[attempt] = Attempt(attempt, entry.moment("starts_at"), entry.moment("ends_at"))


def _open(planned: Planned, entry: Entry, report: Report) -> Attempt | None:
    session = planned.sessions.get(entry.key)
    attempt = session.attempts.get(entry.number("attempt")) if session else None
    if attempt is None:
        report.lost.append(f"{entry}: its attempt {entry.number('attempt')} was never planned.")
    elif attempt.state != "open":
        report.doubled.append(f"{entry}: attempt {attempt.number} was {attempt.state} already.")
    else:
        return attempt
    return None


def _told_anew(planned: Planned, entry: Entry, report: Report) -> None:
    """Of what was held or missed: it was the other of the two, or the two sides disagree."""
    session = planned.sessions.get(entry.key)
    attempt = session.attempts.get(entry.number("attempt")) if session else None
    if attempt is None or attempt.state not in ("completed", "missed"):
        report.lost.append(f"{entry}: nobody had told anything of this attempt.")
        return
    if entry.name == "SessionDisputed":
        return
    before = "completed" if entry.data.get("was_held") else "missed"
    if attempt.state != before:
        report.lost.append(f"{entry}: attempt {attempt.number} was {attempt.state}.")
    attempt.state = "completed" if entry.data.get("held") else "missed"
    attempt.freed_at = entry.time


def _change(attempt: Attempt, entry: Entry, report: Report) -> None:
    if entry.name in _MOVES:
        if entry.moment("previously_at") != attempt.starts_at:
            report.lost.append(f"{entry}: before, it was not at {entry.text('previously_at')}.")
        attempt.starts_at, attempt.ends_at = entry.moment("starts_at"), entry.moment("ends_at")
    elif entry.moment("starts_at") != attempt.starts_at:
        report.lost.append(f"{entry}: it was not planned at {entry.text('starts_at')}.")
    if entry.name in _ENDS:
        attempt.state, attempt.freed_at = _ENDS[entry.name], entry.time


# --- pair by pair -------------------------------------------------------------------------------


def _pair(pair: Pair, count: int, planned: Planned, log: Log, report: Report) -> None:
    sessions = planned.of_pair.get(pair.key, {})
    if pair.key not in planned.began:
        report.lost.append(f"Pair {pair.key} was formed, and its planning never began.")
    for number in sorted(sessions):
        if not 1 <= number <= count:
            report.doubled.append(f"Pair {pair.key} has a session {number} of {count}.")
    states = {number: session.last.state for number, session in sessions.items()}
    held = sorted(number for number, state in states.items() if state == "completed")
    if pair.graduated is not None:
        if held != list(range(1, count + 1)):
            report.lost.append(
                f"Pair {pair.key} graduated with sessions {held}, not with 1 to {count}."
            )
        if pair.graduated.number("sessions") != count:
            report.lost.append(f"{pair.graduated} does not speak of {count} sessions.")
    elif len(held) >= count:
        report.lost.append(f"Pair {pair.key} held all its sessions, and never graduated.")
    if pair.graduated is not None or pair.dissolved is not None:
        _ended(pair, states, log, report)
    else:
        _standing(pair, states, count, planned.postponed.get(pair.key, set()), report)


def _ended(pair: Pair, states: dict[int, str], log: Log, report: Report) -> None:
    if pair.dissolved is not None and log.excused("scheduling", pair.dissolved):
        return
    for number, state in states.items():
        if state == "open":
            report.lost.append(f"Pair {pair.key} has ended, and its session {number} has not.")


def _standing(
    pair: Pair, states: dict[int, str], count: int, postponed: set[int], report: Report
) -> None:
    for number in range(1, count + 1):
        state = states.get(number)
        if state in ("open", "completed") or number in postponed:
            continue
        what = "was never planned" if state is None else f"was {state} and not planned again"
        report.lost.append(f"Session {pair.key}~{number} {what}.")


# --- person by person ---------------------------------------------------------------------------


def _overlaps(planned: Planned, report: Report) -> None:
    """Nobody is in two sessions at once; what is missed or cancelled frees its time."""
    taken: dict[str, list[tuple[datetime, datetime, str]]] = {}
    for session in planned.sessions.values():
        cohort, _, pair = session.pair.partition("/")
        for attempt in session.attempts.values():
            end = attempt.ends_at
            if attempt.state in ("missed", "cancelled") and attempt.freed_at is not None:
                end = min(end, attempt.freed_at)
            if attempt.starts_at < end:
                slot = (attempt.starts_at, end, f"{session.key} (attempt {attempt.number})")
                for person in pair.split("~"):
                    taken.setdefault(f"{cohort}/{person}", []).append(slot)
    for person, slots in taken.items():
        slots.sort()
        until, longest = slots[0][1], slots[0][2]
        for start, end, session_key in slots[1:]:
            if start < until:
                report.doubled.append(
                    f"{person} is in two sessions at {start.isoformat()}: {longest}, {session_key}."
                )
            if end > until:
                until, longest = end, session_key
