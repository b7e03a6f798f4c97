"""Letters: every fact told to everybody whom it concerns, each letter once, each in the mailbox.

Who is owed what is written down from the rules of the programme, not taken from notify: what each
fact tells to whom (`OWED`); that a letter can tell several; that what another fact has made untrue
before it left is told to nobody; that the questions after a session are in the letter that asks
whether it took place; that an assistant gets a copy of what tells the date of a session.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC
from typing import Any

from deploy.trial.check.digests import check_digests
from deploy.trial.check.effects import OWED
from deploy.trial.check.evidence import Evidence, Mail
from deploy.trial.check.findings import Report
from deploy.trial.check.stale import REPLACING, replaces
from deploy.trial.check.wire import Entry, Log, tells

REMINDED: dict[str, tuple[str, ...]] = {
    "ProposalReminder": ("PairProposed",),
    "SessionReminder": ("SessionPlanned", "SessionRescheduled", "SessionShifted"),
    "SessionMoveReminder": ("SessionMoveProposed",),
    "SurveyReminder": ("SurveyOpened",),
}
"""What can be brought to mind, and of which facts."""
ROLES = {"RoleGiven": "given_at", "RoleTaken": "taken_at"}
"""What is told to whoever has a role or had it, and when it was; of an erasure nobody is told."""


COPY = "assistant:"
"""What the id of a copy for an assistant begins with."""
UNDATED = ("SessionMissed", "SessionDisputed")


def is_copied(template: str) -> bool:
    """Whether an assistant gets a copy of what tells it: of the dates of sessions alone."""
    return template.startswith("Session") and template not in UNDATED


def letters_owed(fact: Entry) -> list[tuple[str, str, str]]:
    """(letter_id, person, side) of each telling that a fact owes."""
    sides: Iterable[str] = OWED.get(fact.name, ())
    if fact.name in ("ProposalDeclined", "SessionMoveProposed"):
        sides = [side for side in sides if side != fact.text("by")]
    if fact.name in ("ManagerWaitlisted", "PlanningPostponed") and not fact.data.get("first"):
        sides = []
    if fact.name == "SessionConfirmed" and not fact.data.get("both"):
        sides = []
    if fact.name == "SurveyOpened":
        sides = [fact.text("side")]
    if fact.name == "SessionMoveRefused":
        sides = [fact.text("by")]
    people = [(_person(fact, side), side) for side in sides]
    return [(f"{fact_id(fact)}:{person}", person, side) for person, side in people]


def _person(fact: Entry, side: str) -> str:
    return fact.text("person_id" if fact.name == "SurveyOpened" else f"{side}_id")


def fact_id(fact: Entry) -> str:
    """What a letter about this fact is called, without its reader."""
    told = f"{fact.name}:{fact.subject}"
    if fact.name.startswith(("Session", "Attendance")):
        return f"{told}:{fact.number('attempt')}.{fact.number('revision')}"
    if fact.name == "PlanningPostponed":
        return f"{told}:{fact.moment('retry_at').astimezone(UTC):%Y%m%dT%H%M%SZ}"
    if fact.data.get("again"):  # of what happens once, unless it is taken back
        return f"{told}:{fact.number('again')}"
    if fact.name in ROLES:
        at = fact.moment(ROLES[fact.name]).astimezone(UTC)
        return f"{told}~{fact.text('role')}:{at:%Y%m%dT%H%M%S.%fZ}"
    if fact.name == "PairStalled":
        return f"{told}:{fact.moment('since').astimezone(UTC):%Y%m%dT%H%M%SZ}"
    if fact.name == "ManagerWaitlisted":
        waiting = fact.data["waiting"]
        return f"{told}:{waiting['round_id']}"
    return told


@dataclass(frozen=True, slots=True)
class Telling:
    """A fact in a letter, as its first thing or among others."""

    letter: Entry
    person: str
    side: str
    template: str
    facts: Any


def check_letters(evidence: Evidence, log: Log, *, over: bool, report: Report) -> dict[str, str]:
    """The letters (`cohort/letter`) that were queued, and the state in which they are.

    `over`: nothing is to follow, so a letter that is still queued is lost.
    """
    queued = _queued(log, report)
    told = _told([letter for letter in queued.values() if letter.name == "LetterQueued"], report)
    digests = [one for one in queued.values() if one.name == "DigestQueued"]
    check_digests(log, digests, report, evidence.secret)
    _of_roles(log, queued, report)
    _owed(log, told, over, report)
    states = _followed(log, queued, report)
    # What the portal writes, links to sign in, is of no journal.
    own = [mail for mail in evidence.mails if mail.letter_id or "portal" not in log.services]
    mails = _mailed(own, report)
    sent = {entry.key for entry in log.facts("LetterSent")}
    _copies(queued, sent, report)
    for key, state in states.items():
        if state == "queued" and over:
            report.lost.append(f"Letter {key} was queued, and neither sent nor given up.")
        if state == "sent" and key not in mails:
            report.lost.append(f"Letter {key} was sent, and is not in the mailbox.")
    for key in sorted(mails):
        if key not in queued:
            report.lost.append(f"Letter {key} is in the mailbox, and was never queued.")
        elif key not in sent and (states[key] == "failed" or (over and states[key] == "queued")):
            report.lost.append(f"Letter {key} is in the mailbox, and has no LetterSent.")
    return states


def _queued(log: Log, report: Report) -> dict[str, Entry]:
    queued: dict[str, Entry] = {}
    for entry in log.facts("LetterQueued", "DigestQueued", "RoleLetterQueued"):
        first = queued.setdefault(entry.key, entry)
        if first is not entry:
            report.doubled.append(f"{entry}: the letter had been queued already.")
    return queued


def _of_roles(log: Log, queued: dict[str, Entry], report: Report) -> None:
    """Whoever was given a role, or from whom one was taken, has a letter that says so."""
    owed: set[str] = set()
    for fact in log.facts(*ROLES):
        if fact.copy or fact.data.get("because") == "erased":
            continue  # who was erased cannot be reached
        key = f"{fact.cohort}/{fact_id(fact)}:{fact.subject}"
        owed.add(key)
        letter = queued.get(key)
        if letter is None:
            report.lost.append(f"{fact}: letter {key} was never queued.")
            continue
        told = {name: value for name, value in fact.data.items() if name != "asker"}
        if letter.text("person_id") != fact.subject or not tells(letter.data["facts"], told):
            report.lost.append(f"{letter} does not tell what {fact} says.")
    for key, letter in sorted(queued.items()):
        if letter.name == "RoleLetterQueued" and key not in owed:
            report.lost.append(f"Letter {key} was queued, and there is nothing that it tells.")


def tellings(letter: Entry) -> Iterator[tuple[str, Telling]]:
    """(key, telling) of all that a letter tells; the key is `cohort/fact:person`."""
    person, side = letter.text("person_id"), letter.text("side")
    yield letter.key, Telling(letter, person, side, letter.text("template"), letter.data["facts"])
    for more in letter.data.get("also") or ():
        key = f"{letter.cohort}/{more['news_id']}"
        yield key, Telling(letter, person, more["side"], more["template"], more["facts"])


def _copies(queued: dict[str, Entry], sent: set[str], report: Report) -> None:
    """Each copy for an assistant is of a letter that was sent, and tells its dates, no more."""
    for copy in queued.values():
        if not copy.data.get("to_assistant"):
            continue
        original = queued.get(f"{copy.cohort}/{copy.subject.removeprefix(COPY)}")
        if original is None or not copy.subject.startswith(COPY) or original.key not in sent:
            report.lost.append(f"{copy} is a copy of no letter that was sent.")
            continue
        both = (
            [(t.person, t.side, t.template, t.facts) for _, t in tellings(letter)]
            for letter in (copy, original)
        )
        copied, written = both
        if copied != [one for one in written if is_copied(one[2])]:
            report.lost.append(f"{copy} does not tell what {original} says of dates.")


def _told(queued: Iterable[Entry], report: Report) -> dict[str, Telling]:
    told: dict[str, Telling] = {}
    for letter in queued:
        if letter.data.get("to_assistant"):
            continue  # what it tells was told before
        for key, telling in tellings(letter):
            first = told.setdefault(key, telling)
            if first is not telling:
                report.doubled.append(f"{letter} tells {key}, as {first.letter} did before.")
    return told


def _owed(log: Log, told: dict[str, Telling], over: bool, report: Report) -> None:
    """Every fact is told or made untrue by another, every letter has its fact, and tells that."""
    owed: dict[str, Entry] = {}
    dropped = _dropped(log, told, report)
    held = {entry.key for entry in log.facts("NewsHeld")}
    for fact in log.facts(*OWED):
        for letter_id, person, side in letters_owed(fact):
            key = f"{fact.cohort}/{letter_id}"
            first = owed.setdefault(key, fact)
            telling = told.get(key)
            if first is not fact:
                if not _waits_anew(log, first, fact):
                    report.doubled.append(f"{fact} happened before: {first}.")
            elif telling is None:
                waits = not over and key in held
                if not (
                    key in dropped or waits or _is_covered(fact, person, told)
                ) and not log.excused("notify", fact):
                    report.lost.append(f"{fact}: letter {key} was never queued.")
            elif (telling.person, telling.side) != (person, side):
                report.lost.append(f"{telling.letter} is not for {side} {person}.")
            elif telling.template != fact.name or not tells(telling.facts, fact.data):
                report.lost.append(f"{telling.letter} does not tell what {fact} says.")
    _reminded(log, told, report)
    for key in sorted(told.keys() - owed.keys()):
        if told[key].template not in REMINDED:
            report.lost.append(f"Letter {key} was queued, and there is no fact that it tells.")


def _dropped(log: Log, told: dict[str, Telling], report: Report) -> set[str]:
    """What is told to nobody, since another fact has made it untrue, or it is a late reminder."""
    facts: dict[str, list[Entry]] = {}  # a list that somebody waits on is told anew under one id
    for fact in log.facts(*REPLACING):
        facts.setdefault(f"{fact.cohort}/{fact_id(fact)}", []).append(fact)
    found: set[str] = set()
    for entry in log.facts("NewsDropped"):
        by = facts.get(f"{entry.cohort}/{entry.text('by')}", ())
        reminder = entry.text("template") in REMINDED
        if entry.text("cause") == "too-late" and not reminder:
            report.lost.append(f"{entry}: only a reminder can come too late.")
        elif entry.text("cause") != "too-late" and not any(replaces(one, entry) for one in by):
            report.lost.append(f"{entry}: {entry.text('by')} does not make it untrue.")
        elif entry.key in told and entry.text("template") != "ManagerWaitlisted":  # waits anew
            report.doubled.append(f"{entry}: it was told all the same.")
        elif entry.key in found:
            report.doubled.append(f"{entry}: it had been dropped already.")
        found.add(entry.key)
    return found


def _is_covered(fact: Entry, person: str, told: dict[str, Telling]) -> bool:
    """Whether the letter that asked about the session had the way to these questions."""
    if fact.name != "SurveyOpened" or fact.text("kind") != "session":
        return False
    number = fact.subject.split("~")[2].removeprefix("s")
    start = f"{fact.cohort}/AttendanceRequested:{fact.text('pair_id')}~{number}:"
    return any(key.startswith(start) and t.person == person for key, t in told.items())


def _reminded(log: Log, told: dict[str, Telling], report: Report) -> None:
    """A reminder brings a fact to mind that there is, to somebody whom it concerns."""
    known = {
        (fact.cohort, fact.subject, person, side)
        for fact in log.facts(*{name for names in REMINDED.values() for name in names})
        for _, person, side in letters_owed(fact)
    }
    for key, telling in told.items():
        if telling.template in REMINDED:
            subject = key.partition("/")[2].split(":")[1]
            if (telling.letter.cohort, subject, telling.person, telling.side) not in known:
                report.lost.append(f"{telling.letter} reminds of {subject}, which is not theirs.")


def _waits_anew(log: Log, first: Entry, fact: Entry) -> bool:
    """Whether a manager had a proposal in between: a round whose search is made again, since its
    process has died, can leave somebody waiting, propose to them, and leave them waiting again."""
    return fact.name == "ManagerWaitlisted" and any(
        first.sequence < proposed.sequence < fact.sequence
        for proposed in log.facts("PairProposed")
        if (proposed.source, proposed.cohort) == (fact.source, fact.cohort)
        and proposed.text("manager_id") == fact.subject
    )


def _followed(log: Log, queued: dict[str, Entry], report: Report) -> dict[str, str]:
    """Each letter's way: queued, put off any number of times, then sent or given up, once."""
    states = dict.fromkeys(queued, "queued")
    ends = {"LetterSent": "sent", "LetterFailed": "failed", "LetterDeferred": "queued"}
    told = sorted(log.facts(*ends), key=lambda entry: (entry.source, entry.sequence))
    for entry in told:
        state = states.get(entry.key)
        # Only a letter that was given up can be asked for again, and then waits again.
        again = state == "failed" and entry.name == "LetterDeferred"
        back = str(entry.data.get("cause", "")).startswith("bounced")
        if state is None:
            report.lost.append(f"{entry}: the letter was never queued.")
        elif state != "queued" and not again and not (state == "sent" and back):
            report.doubled.append(f"{entry}: the letter was {state} already.")
        states[entry.key] = ends[entry.name]
    return states


def _mailed(mails: Iterable[Mail], report: Report) -> set[str]:
    """The letters in the mailbox. One that comes again comes under its first Message-ID."""
    first: dict[str, Mail] = {}
    for mail in mails:
        if not mail.letter_id:
            report.lost.append(f"Mail {mail.message_id} does not say which letter it is.")
            continue
        key = f"{mail.cohort}/{mail.letter_id}"
        before = first.setdefault(key, mail)
        if before != mail:
            report.doubled.append(
                f"Letter {key} is in the mailbox twice: {before.message_id}, {mail.message_id}."
            )
    return set(first)
