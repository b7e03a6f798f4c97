"""From volunteers to pairs: that each pair came about as the rules want it, in matching's order.

A graduation is scheduling's to tell, and frees the two people where matching learned of it: only
for its turn in that order is matching's copy looked at.
"""

from dataclasses import dataclass, field

from deploy.trial.check.findings import Report
from deploy.trial.check.wire import Entry, Log

_AFTER = {
    "ProposalDeclined": "declined",
    "ProposalExpired": "expired",
    "PairFormed": "formed",
    "PairDissolved": "dissolved",
}
_BY_HAND = "by-hand"
_ONCE = (
    "CohortOpened",
    "MentorVolunteered",
    "ManagerEnrolled",
    "RoundCompleted",
)
_TURNS = (
    ("MentorWithdrew", "MentorReturned"),
    ("ManagerWithdrew", "ManagerReturned"),
)
"""Neither happens twice without the other in between."""


@dataclass(slots=True)
class Pair:
    """A pair as its events leave it; `formed`, `dissolved`, `graduated` are these events."""

    key: str
    state: str
    accepted: set[str] = field(default_factory=set)
    formed: Entry | None = None
    dissolved: Entry | None = None
    graduated: Entry | None = None


@dataclass(slots=True)
class Matched:
    """What matching made, by `cohort/id`; `engaged`: (side, person) to pairs that take a place."""

    pairs: dict[str, Pair] = field(default_factory=dict)
    capacity: dict[str, int] = field(default_factory=dict)
    managers: set[str] = field(default_factory=set)
    engaged: dict[tuple[str, str], set[str]] = field(default_factory=dict)


def check_pairs(log: Log, report: Report) -> Matched:
    """Follow matching's journal, event by event."""
    _once(log, report)
    made = Matched()
    for entry in log.journal("matching"):
        match entry.name:
            case "MentorVolunteered" | "MentorChanged":
                made.capacity[entry.key] = entry.number("capacity")
            case "ManagerEnrolled":
                made.managers.add(entry.key)
            case "PairProposed":
                _proposed(made, entry, report)
            case "ProposalAccepted" | "ProposalDeclined" | "ProposalExpired" | "PairFormed":
                _answered(made, entry, report)
            case "PairDissolved":
                _dissolved(made, entry, report)
            case "PairGraduated":
                _leave(made, entry.key)
            case "GraduationWithdrawn":
                for seat in _seats(entry.key):
                    made.engaged.setdefault(seat, set()).add(entry.key)
    for entry in log.journal("scheduling"):
        if entry.name == "PairGraduated" and not entry.copy:
            _graduated(made, entry, report)
        elif entry.name == "GraduationWithdrawn" and not entry.copy:
            _goes_on(made, entry, report)
    _rounds(log, report)
    return made


def _once(log: Log, report: Report) -> None:
    for name in _ONCE:
        known: set[str] = set()
        for entry in log.facts(name):
            if entry.key in known:
                report.doubled.append(f"{entry} happened before.")
            known.add(entry.key)
    journal = log.journal("matching")
    for begins, ends in _TURNS:
        begun: set[str] = set()
        for entry in journal:
            if entry.copy or entry.name not in (begins, ends):
                continue
            if (entry.name == begins) == (entry.key in begun):
                report.doubled.append(f"{entry} happened before.")
            (begun.add if entry.name == begins else begun.discard)(entry.key)


def _proposed(made: Matched, entry: Entry, report: Report) -> None:
    before = made.pairs.get(entry.key)
    if before is not None:  # a pair has one life in its cohort
        report.doubled.append(f"{entry} was proposed again, after it was {before.state}.")
    made.pairs[entry.key] = Pair(entry.key, "proposed")
    mentor = f"{entry.cohort}/{entry.text('mentor_id')}"
    manager = f"{entry.cohort}/{entry.text('manager_id')}"
    if mentor not in made.capacity:
        report.lost.append(f"{entry}: its mentor {mentor} never volunteered.")
    if manager not in made.managers:
        report.lost.append(f"{entry}: its manager {manager} never enrolled.")
    places_of = (("mentor", mentor, made.capacity.get(mentor, 1)), ("manager", manager, 1))
    for side, person, places in places_of:
        pairs = made.engaged.setdefault((side, person), set())
        pairs.add(entry.key)
        if len(pairs) > places:
            report.doubled.append(
                f"{entry}: {person} has {places} place(s) and is in {', '.join(sorted(pairs))}."
            )


def _answered(made: Matched, entry: Entry, report: Report) -> None:
    pair = _known(made, entry, report)
    if pair.state != "proposed":
        report.doubled.append(f"{entry}: the pair was {pair.state} already.")
        return
    if entry.name == "ProposalAccepted":
        if entry.text("by") in pair.accepted:
            report.doubled.append(f"{entry}: {entry.text('by')} had accepted already.")
        pair.accepted.add(entry.text("by"))
        return
    pair.state = _AFTER[entry.name]
    if pair.state == "formed":
        pair.formed = entry
        for side in ("mentor", "manager"):
            if side not in pair.accepted:
                report.lost.append(f"{entry}: the {side} had not accepted.")
    else:
        _leave(made, entry.key)


def _dissolved(made: Matched, entry: Entry, report: Report) -> None:
    pair = _known(made, entry, report)
    if pair.state == "dissolved":
        report.doubled.append(f"{entry}: the pair was dissolved already.")
    elif pair.state != "formed":
        report.lost.append(f"{entry}: the pair was never formed, it was {pair.state}.")
    pair.state, pair.dissolved = "dissolved", entry
    _leave(made, entry.key)


def _known(made: Matched, entry: Entry, report: Report) -> Pair:
    pair = made.pairs.get(entry.key)
    if pair is None:
        report.lost.append(f"{entry}: the pair was never proposed.")
        pair = made.pairs[entry.key] = Pair(entry.key, "proposed")
    return pair


def _leave(made: Matched, pair: str) -> None:
    for pairs in (made.engaged.get(seat, set()) for seat in _seats(pair)):
        pairs.discard(pair)


def _seats(pair: str) -> tuple[tuple[str, str], tuple[str, str]]:
    """`cohort/mentor~manager` to (side, `cohort/person`) of both."""
    cohort, _, both = pair.partition("/")
    mentor, _, manager = both.partition("~")
    return ("mentor", f"{cohort}/{mentor}"), ("manager", f"{cohort}/{manager}")


def _graduated(made: Matched, entry: Entry, report: Report) -> None:
    """Scheduling says so; a pair that was dissolved in the meantime stays dissolved here."""
    pair = made.pairs.get(entry.key)
    if pair is None or pair.formed is None:
        report.lost.append(f"{entry}: the pair was never formed.")
        return
    if pair.graduated is not None:
        report.doubled.append(f"{entry}: the pair had graduated already.")
    pair.graduated = entry
    if pair.dissolved is None:
        pair.state = "graduated"


def _goes_on(made: Matched, entry: Entry, report: Report) -> None:
    pair = made.pairs.get(entry.key)
    if pair is None or pair.graduated is None:
        report.lost.append(f"{entry}: the pair had not graduated.")
        return
    pair.graduated = None
    if pair.state == "graduated":
        pair.state = "formed"


def _rounds(log: Log, report: Report) -> None:
    """A round that was asked for has ended, and has proposed as many pairs as it says."""
    proposed: dict[str, int] = {}
    ended = {entry.key for entry in log.facts("RoundCompleted", "RoundSimulated", "RoundCalledOff")}
    for entry in log.facts("RoundRequested"):
        if entry.key not in ended:
            report.lost.append(f"{entry}: the round has no end.")
    for entry in log.facts("PairProposed"):
        if entry.text("round_id") == _BY_HAND:
            continue
        key = f"{entry.cohort}/{entry.text('round_id')}"
        proposed[key] = proposed.get(key, 0) + 1
    for entry in log.facts("RoundCompleted"):
        told, found = entry.number("proposed"), proposed.pop(entry.key, 0)
        if found < told:
            report.lost.append(f"{entry}: of its {told} proposals the log has {found}.")
        elif found > told:
            report.doubled.append(f"{entry}: of its {told} proposals the log has {found}.")
    for key in proposed:
        report.lost.append(f"Round {key} has proposed pairs and was never completed.")
