"""Letters: every fact told to everybody whom it concerns, each letter once, each in the mailbox.

Who is owed what is written down here from the rules of the programme, not taken from notify.
"""

from collections.abc import Iterable
from datetime import UTC

from deploy.trial.check.evidence import Evidence, Mail
from deploy.trial.check.findings import Report
from deploy.trial.check.wire import Entry, Log, tells

BOTH = ("mentor", "manager")
OWED: dict[str, tuple[str, ...]] = {
    "MentorVolunteered": ("mentor",),
    "ManagerEnrolled": ("manager",),
    "MentorReturned": ("mentor",),
    "ManagerReturned": ("manager",),
    "ManagerWaitlisted": ("manager",),  # but only the first time
    "PairProposed": BOTH,
    "ProposalDeclined": BOTH,  # but not who declined
    "ProposalExpired": BOTH,
    "PairFormed": BOTH,
    "PairDissolved": BOTH,
    "SessionPlanned": BOTH,
    "SessionRescheduled": BOTH,
    "SessionMoveProposed": BOTH,  # but not who proposed it
    "SessionMoveDeclined": BOTH,
    "SessionShifted": BOTH,
    "SessionConfirmed": BOTH,  # but only once both have
    "SessionRelocated": BOTH,
    "SessionPostponed": BOTH,
    "SessionCancelled": BOTH,
    "SessionMissed": BOTH,
    "AttendanceRequested": BOTH,
    "AttendanceReminded": BOTH,
    "AttendanceCorrected": BOTH,
    "SessionDisputed": BOTH,
    "SessionWithdrawn": BOTH,
    "GraduationWithdrawn": BOTH,
    "PlanningPostponed": BOTH,  # but only the first time
    "PairStalled": BOTH,
    "PairGraduated": BOTH,
    "SurveyOpened": BOTH,  # but only the side that is asked
}
"""The facts that are told, and to which sides. Nothing else is told to anybody."""


def letters_owed(fact: Entry) -> list[tuple[str, str, str]]:
    """(letter_id, person, side) of each letter that a fact owes."""
    sides: Iterable[str] = OWED.get(fact.name, ())
    if fact.name in ("ProposalDeclined", "SessionMoveProposed"):
        sides = [side for side in sides if side != fact.text("by")]
    if fact.name in ("ManagerWaitlisted", "PlanningPostponed") and not fact.data.get("first"):
        sides = []
    if fact.name == "SessionConfirmed" and not fact.data.get("both"):
        sides = []
    if fact.name == "SurveyOpened":
        sides = [fact.text("side")]
    people = [(_person(fact, side), side) for side in sides]
    return [(f"{_fact_id(fact)}:{person}", person, side) for person, side in people]


def _person(fact: Entry, side: str) -> str:
    return fact.text("person_id" if fact.name == "SurveyOpened" else f"{side}_id")


def _fact_id(fact: Entry) -> str:
    told = f"{fact.name}:{fact.subject}"
    if fact.name.startswith(("Session", "Attendance")):
        return f"{told}:{fact.number('attempt')}.{fact.number('revision')}"
    if fact.name == "PlanningPostponed":
        return f"{told}:{fact.moment('retry_at').astimezone(UTC):%Y%m%dT%H%M%SZ}"
    if fact.data.get("again"):  # of what happens once, unless it is taken back
        return f"{told}:{fact.number('again')}"
    if fact.name == "PairStalled":
        return f"{told}:{fact.moment('since').astimezone(UTC):%Y%m%dT%H%M%SZ}"
    if fact.name == "ManagerWaitlisted":
        waiting = fact.data["waiting"]
        return f"{told}:{waiting['round_id']}"
    return told


def check_letters(evidence: Evidence, log: Log, *, over: bool, report: Report) -> dict[str, str]:
    """The letters (`cohort/letter`) that were queued, and the state in which they are.

    `over`: nothing is to follow, so a letter that is still queued is lost.
    """
    queued = _queued(log, report)
    _owed(log, queued, report)
    states = _followed(log, queued, report)
    mails = _mailed(evidence.mails, report)
    sent = {entry.key for entry in log.facts("LetterSent")}
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
    for entry in log.facts("LetterQueued"):
        first = queued.setdefault(entry.key, entry)
        if first is not entry:
            report.doubled.append(f"{entry}: the letter had been queued already.")
    return queued


def _owed(log: Log, queued: dict[str, Entry], report: Report) -> None:
    """Every fact has its letters, every letter its fact, and it tells just that."""
    owed: dict[str, Entry] = {}
    for fact in log.facts(*OWED):
        for letter_id, person, side in letters_owed(fact):
            key = f"{fact.cohort}/{letter_id}"
            first = owed.setdefault(key, fact)
            letter = queued.get(key)
            if first is not fact:
                if not _waits_anew(log, first, fact):
                    report.doubled.append(f"{fact} happened before: {first}.")
            elif letter is None:
                if not log.excused("notify", fact):
                    report.lost.append(f"{fact}: letter {key} was never queued.")
            elif (letter.text("person_id"), letter.text("side")) != (person, side):
                report.lost.append(f"{letter} is not for {side} {person}.")
            elif letter.text("template") != fact.name or not tells(
                letter.data.get("facts"), fact.data
            ):
                report.lost.append(f"{letter} does not tell what {fact} says.")
    for key in sorted(queued.keys() - owed.keys()):
        report.lost.append(f"Letter {key} was queued, and there is no fact that it tells.")


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
