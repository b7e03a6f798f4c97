"""Whether the documents of the databases say what the log says: each of them, once counted.

A document without a fact is reported as lost: it is the fact that is missing.
"""

from collections import Counter
from collections.abc import Mapping
from typing import Any

from deploy.trial.check.evidence import Evidence
from deploy.trial.check.findings import Report
from deploy.trial.check.pairs import Matched, Pair
from deploy.trial.check.sessions import Planned
from deploy.trial.check.wire import Entry, Log
from schemas.topics import partition_of

Fields = Mapping[str, Any]
Expected = Mapping[str, Fields]
"""`_id` to the fields that are known."""

_OPEN = {"planned": "open", "confirmed": "open", "postponed": "cancelled"}


def check_documents(
    evidence: Evidence,
    log: Log,
    matched: Matched,
    planned: Planned,
    surveys: Mapping[str, str],
    letters: Mapping[str, str],
    report: Report,
) -> None:
    """Hold every collection against what the log accounts for."""
    expected: dict[str, dict[str, Expected]] = {
        "matching": _of_matching(log, matched),
        "scheduling": _of_scheduling(log, matched, planned),
        "feedback": {
            "cohorts": _counters(log),
            "pairs": _pairs_of_feedback(log, matched),
            "surveys": {key: {"state": state} for key, state in surveys.items()},
            "turnouts": _turnouts(log),
        },
        "notify": {
            "cohorts": _heard(log, "notify", "CohortOpened"),
            "people": _people(log),
            "letters": {key: {"state": state} for key, state in letters.items()},
            "roles": _roles(log),
        },
    }
    for service, collections in expected.items():
        collections["revoked_links"] = _revoked(log, service)
    if "portal" in log.services:
        expected["portal"] = _of_portal(log, matched, planned)
    for service, collections in expected.items():
        for name, documents in collections.items():
            _compare(evidence, service, name, documents, report)
    for service in log.services:
        mine = [entry for entry in log.facts("CommandRefused") if entry.service == service]
        refused = {f"{entry.cohort}/{entry.text('command_id')}": _NOTHING for entry in mine}
        _compare(evidence, service, "refusals", refused, report)
        for row in evidence.databases.get(service, {}).get("parked", ()):
            if str(row["_id"]).partition("/")[2] not in log.parked.get(service, ()):
                report.lost.append(f"{service} has parked {row['_id']}, the log knows nothing.")


_NOTHING: Fields = {}
_OPTIONAL = {("feedback", "pairs"), ("feedback", "turnouts")}
"""Collections that may hold more documents than are looked at here."""


def _compare(
    evidence: Evidence, service: str, name: str, expected: Expected, report: Report
) -> None:
    rows = {str(r["_id"]): r for r in evidence.databases.get(service, {}).get(name, ())}
    for key, fields in expected.items():
        row = rows.get(key)
        if row is None:
            report.lost.append(f"{service} has no document {key} in {name}.")
            continue
        for field, value in fields.items():
            found = _plain(row.get(field))
            if found != value:
                report.lost.append(
                    f"{service} says that {field} of {key} in {name} is {found}, the log {value}."
                )
    if (service, name) not in _OPTIONAL:
        for key in sorted(rows.keys() - expected.keys()):
            report.lost.append(f"{service} has a document {key} in {name}, and the log no cause.")
    for key, row in rows.items():
        right = partition_of(key.partition("/")[0], evidence.partitions)
        if row.get("partition") != right:
            report.lost.append(f"{service} keeps {key} in {name} where its cohort is not.")


def _plain(value: Any) -> Any:
    """A field as the log would have it."""
    if isinstance(value, list):
        return sorted(value)
    return _OPEN.get(value, value) if isinstance(value, str) else value


def _heard(log: Log, service: str, *names: str) -> dict[str, Fields]:
    """The subjects of the facts that a service has handled, as documents."""
    return {entry.key: _NOTHING for entry in _handled(log, service, *names)}


def _handled(log: Log, service: str, *names: str) -> list[Entry]:
    return [entry for entry in log.facts(*names) if not log.excused(service, entry)]


def _of_matching(log: Log, matched: Matched) -> dict[str, Expected]:
    cohorts = {f"{entry.cohort}/{entry.cohort}": _NOTHING for entry in log.facts("CohortOpened")}
    mentors: dict[str, Fields] = {}
    for key in matched.capacity:
        pairs = matched.engaged.get(("mentor", key), ())
        mentors[key] = {"engaged": sorted(pair.partition("/")[2] for pair in pairs)}
    return {
        "cohorts": cohorts,
        "mentors": mentors,
        "managers": dict.fromkeys(matched.managers, _NOTHING),
        "pairs": {pair.key: {"state": _in_matching(log, pair)} for pair in matched.pairs.values()},
        "rounds": _heard(log, "matching", "RoundRequested", "RoundCompleted"),
    }


def _in_matching(log: Log, pair: Pair) -> str:
    unheard = pair.graduated is not None and log.excused("matching", pair.graduated)
    return "formed" if unheard and pair.state == "graduated" else pair.state


def _of_scheduling(log: Log, matched: Matched, planned: Planned) -> dict[str, Expected]:
    pairs: dict[str, Fields] = {}
    for pair in matched.pairs.values():
        if pair.formed is None or log.excused("scheduling", pair.formed):
            continue
        state = "active"
        if pair.graduated is not None:
            state = "graduated"
        elif pair.dissolved is not None and not log.excused("scheduling", pair.dissolved):
            state = "dissolved"
        pairs[pair.key] = {"state": state}
    sessions = {
        session.key: {"state": session.last.state, "attempt": session.last.number}
        for session in planned.sessions.values()
    }
    outcomes = {
        f"{session.key}~{attempt.number}": {"outcome": attempt.state}
        for session in planned.sessions.values()
        for attempt in session.attempts.values()
        if attempt.state != "open"
    }
    return {
        "cohorts": _heard(log, "scheduling", "CohortOpened"),
        "pairs": pairs,
        "sessions": sessions,
        "outcomes": outcomes,
    }


def _of_portal(log: Log, matched: Matched, planned: Planned) -> dict[str, Expected]:
    """What its pages show: each pair from its proposal on, and each session, as it stands.

    Nothing is said of the state of what it has set aside a part of, nor of a pair that two services
    ended, of which it shows what it heard last.
    """
    whole = not log.parked.get("portal")
    pairs: dict[str, Fields] = {}
    for pair in matched.pairs.values():
        once = pair.graduated is None or pair.dissolved is None
        pairs[pair.key] = {"state": pair.state} if whole and once else _NOTHING
    sessions: dict[str, Fields] = {}
    for session in planned.sessions.values():
        sessions[session.key] = {"state": session.last.state} if whole else _NOTHING
    return {
        "cohorts": _heard(log, "portal", "CohortOpened"),
        "pairs": pairs,
        "sessions": sessions,
    }


def _pairs_of_feedback(log: Log, matched: Matched) -> dict[str, Fields]:
    """To feedback, a pair that all the sessions of took place has graduated, come what may."""
    found: dict[str, Fields] = {}
    for pair in matched.pairs.values():
        if pair.formed is None or log.excused("feedback", pair.formed):
            continue
        state = "standing"
        if pair.graduated is not None and not log.excused("feedback", pair.graduated):
            state = "graduated"
        elif pair.dissolved is not None and not log.excused("feedback", pair.dissolved):
            state = "dissolved"
        found[pair.key] = {"state": state}
    return found


def _counters(log: Log) -> dict[str, Fields]:
    """What feedback counts per cohort, each fact once."""
    counts = Counter((entry.cohort, entry.name) for entry in _handled(log, "feedback", *_COUNTED))
    corrected = _handled(log, "feedback", "AttendanceCorrected")
    for entry in corrected:
        by = bool(entry.data.get("held")) - bool(entry.data.get("was_held"))
        counts[entry.cohort, "SessionCompleted"] += by
        counts[entry.cohort, "SessionMissed"] -= by
    presumed = Counter(
        entry.cohort
        for entry in _handled(log, "feedback", "SessionCompleted")
        if entry.data.get("presumed")
    )
    presumed.subtract(entry.cohort for entry in corrected if entry.data.get("was_presumed"))
    times = Counter(entry.key for entry in _handled(log, "feedback", "PairGraduated"))
    for entry in _handled(log, "feedback", "GraduationWithdrawn"):
        counts[entry.cohort, "PairGraduated"] -= 1
        times[entry.key] -= 1
    graduated = {key for key, held in times.items() if held > 0}
    for entry in _handled(log, "feedback", "PairDissolved"):
        if entry.key not in graduated:  # or else it counts as graduated, once
            counts[entry.cohort, "PairDissolved"] += 1
    found: dict[str, Fields] = {}
    for cohort in (entry.cohort for entry in _handled(log, "feedback", "CohortOpened")):
        mentors = counts[cohort, "MentorVolunteered"] + counts[cohort, "MentorReturned"]
        mentors -= counts[cohort, "MentorWithdrew"]
        managers = counts[cohort, "ManagerEnrolled"] + counts[cohort, "ManagerReturned"]
        managers -= counts[cohort, "ManagerWithdrew"]
        found[f"{cohort}/{cohort}"] = {
            "mentors": max(0, mentors),
            "managers": max(0, managers),
            "pairs_formed": counts[cohort, "PairFormed"],
            "pairs_graduated": counts[cohort, "PairGraduated"],
            "pairs_dissolved": counts[cohort, "PairDissolved"],
            "sessions_completed": counts[cohort, "SessionCompleted"],
            "sessions_missed": counts[cohort, "SessionMissed"],
            "sessions_presumed": presumed[cohort],
        }
    return found


_COUNTED = (
    "MentorVolunteered",
    "MentorWithdrew",
    "MentorReturned",
    "ManagerEnrolled",
    "ManagerWithdrew",
    "ManagerReturned",
    "PairFormed",
    "PairGraduated",
    "SessionCompleted",
    "SessionMissed",
)


def _turnouts(log: Log) -> dict[str, Fields]:
    """How many surveys were opened, closed and answered: in all, and by kind and side."""
    found: dict[str, dict[str, int]] = {}
    for entry in log.facts("SurveyOpened", "SurveyClosed"):
        for name in ("all", f"{entry.text('kind')}~{entry.text('side')}"):
            turnout = found.setdefault(
                f"{entry.cohort}/{name}", {"opened": 0, "closed": 0, "answered": 0}
            )
            if entry.name == "SurveyOpened":
                turnout["opened"] += 1
            else:
                turnout["closed"] += 1
                turnout["answered"] += entry.text("outcome") == "answered"
    return dict(found)


def _roles(log: Log) -> dict[str, Fields]:
    """Who has which role: given, and not taken since."""
    known: dict[str, Fields] = {}
    told = [one for one in log.facts("RoleGiven", "RoleTaken") if not one.copy]
    for fact in sorted(told, key=lambda one: (one.partition, one.order or 0)):
        key = f"{fact.key}~{fact.text('role')}"
        known.pop(key, None)
        if fact.name == "RoleGiven":
            known[key] = {"holder": fact.text("holder")}
    return known


def _revoked(log: Log, service: str) -> dict[str, Fields]:
    """Whose links were revoked: the number of the last time, and of the last for all of them."""
    known: dict[str, Fields] = {}
    for fact in (one for one in _handled(log, service, "LinksRevoked") if not one.copy):
        number, before = int(fact.data["number"]), known.get(fact.key, {})
        every = number if fact.data.get("link") is None else 0
        known[fact.key] = {
            "number": max(number, before.get("number", 0)),
            "every": max(every, before.get("every", 0)),
        }
    return known


def _people(log: Log) -> dict[str, Fields]:
    """Whoever can be reached: the newest word on each person, unless it was set aside."""
    known: dict[str, Fields] = {}
    for key, record in log.contacts:
        if record.origin in log.parked.get("notify", ()):
            continue
        if record.value is None:
            known.pop(key, None)
        else:
            known[key] = _NOTHING
    return known
