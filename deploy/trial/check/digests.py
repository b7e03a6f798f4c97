"""Letters to coordinators: what wants attention is noticed, and told to whoever is named for it.

Written down from the rules of the programme, not taken from notify. Always holds: what notify knew
is read from its own journal, in its order; of who stands above whom only what it surely knew counts
against it, and all that it may have known for it.
"""

import json
from collections.abc import Iterable, Mapping, Set
from dataclasses import dataclass, field

from deploy.trial.check.findings import Report
from deploy.trial.check.wire import Entry, Log, tells
from schemas.lines import below, outsider, people_told_of

WANTING = {
    "PairAtRisk": "at-risk",
    "PlanningPostponed": "no-hour",
    "SessionDisputed": "disputed",
    "ManagerWaitlisted": "waiting",
    "LetterFailed": "bounced",
}
"""The facts after which something wants attention, and what."""
DIRECTORY = "LineManagerNamed"
OWN_WORD = ("MentorVolunteered", "ManagerEnrolled", "MentorChanged", "ManagerChanged")
OUTSIDER = "x-"
"""What the id of somebody begins with who takes no part."""
GONE = ""
"""Stands among the addresses of whoever was erased: from then on notify knows none."""

Matters = dict[tuple[str, str], frozenset[str]]


def check_digests(
    log: Log, digests: Iterable[Entry], report: Report, secret: str | None = None
) -> None:
    """Every matter is noticed, and every coordinator who was to be told has a letter that does, of
    all that they may see and of nothing else.

    `secret`: what ids of addresses are made with; None where whoever looks does not know.
    """
    noticed = {(e.cohort, e.text("kind"), e.text("about")) for e in log.facts("AttentionWanted")}
    for fact in log.facts(*WANTING):
        matter = fact.cohort, WANTING[fact.name], _about(fact)
        if matter not in noticed and not log.excused("notify", fact):
            report.lost.append(f"{fact}: no coordinator could learn of it.")
    for settled in log.facts("AttentionSettled"):
        if (settled.cohort, settled.text("kind"), settled.text("about")) not in noticed:
            report.lost.append(f"{settled}: it had never wanted attention.")
    queued = {digest.key: digest for digest in digests}
    owed = set()
    for gathered in log.facts("AttentionGathered"):
        at = gathered.moment("gathered_at")
        every = {name: value for name, value in gathered.data.items() if name != "told"}
        for person in gathered.data.get("coordinators") or ():
            key = f"{gathered.cohort}/AttentionGathered:{at:%Y%m%dT%H%M%SZ}:{person}"
            owed.add(key)
            digest = queued.get(key)
            if digest is None:
                report.lost.append(f"{gathered}: {person} was not told.")
            elif not tells(digest.data["facts"], every):
                report.lost.append(f"{digest} does not tell what {gathered} says.")
    for key in sorted(queued.keys() - owed):
        report.lost.append(f"Letter {key} was queued, and there is nothing that it tells.")
    _walls(log, secret, report)


def _about(fact: Entry) -> str:
    match fact.name:
        case "SessionDisputed":
            return f"{fact.subject}~{fact.number('attempt')}"
        case _:
            return fact.subject


# --- the wall -----------------------------------------------------------------------------------


@dataclass
class Known:
    """What notify knows of a cohort at one place of its journal.

    `letters` is whom each tells of, `written` whoever was reached: their address was known.
    """

    matters: Matters = field(default_factory=dict)
    named: dict[str, str | None] = field(default_factory=dict)
    said: dict[str, str | None] = field(default_factory=dict)
    letters: dict[str, frozenset[str]] = field(default_factory=dict)
    written: set[str] = field(default_factory=set)

    def learn(self, entry: Entry) -> None:
        """One more event of the journal."""
        match entry.name:
            case "AttentionWanted":
                about = frozenset(entry.data.get("people") or ())
                about |= self.letters.get(entry.text("about"), frozenset())
                self.matters[entry.text("kind"), entry.text("about")] = about
            case "AttentionSettled":
                self.matters.pop((entry.text("kind"), entry.text("about")), None)
            case "LetterQueued":
                told = [entry.data, *(entry.data.get("also") or ())]
                facts = [people_told_of(one.get("facts") or {}) for one in told]
                self.letters[entry.text("letter_id")] = frozenset().union(*facts)
            case "LetterSent":
                self.written.add(entry.text("person_id"))
            case name if entry.copy and name in (DIRECTORY, *OWN_WORD):
                chief = json.loads(entry.value).get("line_manager")
                if name == DIRECTORY:
                    self.named[entry.subject] = chief
                elif chief is not None:
                    self.said[entry.subject] = chief

    def hidden(self, viewer: Set[str]) -> frozenset[str]:
        return below((*self.named.items(), *self.said.items()), viewer)

    @property
    def outsiders(self) -> bool:
        """Whether somebody reports to one who takes no part."""
        chiefs = (*self.named.values(), *self.said.values())
        return any(chief is not None and chief.startswith(OUTSIDER) for chief in chiefs)


def _walls(log: Log, secret: str | None, report: Report) -> None:
    """Each digest tells what its reader may see of what was open, and names nobody else."""
    addresses = _addresses(log)
    cohorts: dict[str, Known] = {}
    for entry in log.journal("notify"):
        known = cohorts.setdefault(entry.cohort, Known())
        if entry.name == "DigestQueued":
            _digest(entry, known, addresses.get(entry.cohort, {}), secret, report)
        else:
            known.learn(entry)


def _digest(
    digest: Entry,
    known: Known,
    addresses: Mapping[str, frozenset[str]],
    secret: str | None,
    report: Report,
) -> None:
    told = digest.data["facts"].get("told") or ()
    reader = digest.text("person_id")
    theirs = addresses.get(reader, frozenset())
    had = theirs - {GONE}  # which all have in common who were ever erased
    same = {who for who, some in addresses.items() if some & had}
    sure, perhaps = {reader}, {reader, *same}
    if secret is not None:
        perhaps |= {outsider(address, secret) for address in had}
    if len(theirs) == 1:  # it never had another one
        sure |= {who for who in same & known.written if addresses[who] == theirs}
        sure |= {one for one in perhaps if one.startswith(OUTSIDER)}
    may = _without(known.matters, known.hidden(sure))
    # A wall that nobody here can see might hide anything.
    unseen = not theirs or any(some <= {GONE} for some in addresses.values())
    unseen |= secret is None and known.outsiders
    must = {} if unseen else _without(known.matters, known.hidden(perhaps))
    named = {(one["kind"], matter["about"]) for one in told for matter in one["oldest"]}
    if any(matter in known.matters for matter in named - may.keys()):
        report.lost.append(f"{digest} names somebody who is behind its reader's wall.")
    if named - known.matters.keys():
        report.lost.append(f"{digest} tells what wants no attention.")
    counts = {one["kind"]: int(one["count"]) for one in told}
    for kind in sorted({*counts, *(kind for kind, _ in must)}):
        count, least = counts.get(kind, 0), _of(kind, must)
        if not least <= count <= _of(kind, may):
            report.lost.append(f"{digest} counts {count} of {kind}; its reader sees {least}.")


def _without(matters: Matters, hidden: Set[str]) -> Matters:
    return {matter: about for matter, about in matters.items() if about.isdisjoint(hidden)}


def _of(kind: str, matters: Matters) -> int:
    return sum(one == kind for one, _ in matters)


def _addresses(log: Log) -> dict[str, dict[str, frozenset[str]]]:
    """Every address that somebody ever had, in small letters, by cohort."""
    found: dict[str, dict[str, frozenset[str]]] = {}
    for key, record in log.contacts:
        cohort, _, person = key.partition("/")
        contact = json.loads(record.value) if record.value else {"email": GONE}
        known = found.setdefault(cohort, {})
        here = {str(contact["email"]).casefold()} if "email" in contact else set()
        known[person] = known.get(person, frozenset()) | here
    return found
