"""Letters to coordinators: what wants attention is noticed, and told to whoever is named for it.

Written down from the rules of the programme, not taken from notify.
"""

from collections.abc import Iterable

from deploy.trial.check.findings import Report
from deploy.trial.check.wire import Entry, Log, tells

WANTING = {
    "PairAtRisk": "at-risk",
    "PlanningPostponed": "no-hour",
    "SessionDisputed": "disputed",
    "ManagerWaitlisted": "waiting",
    "LetterFailed": "bounced",
}
"""The facts after which something wants attention, and what."""


def check_digests(log: Log, digests: Iterable[Entry], report: Report) -> None:
    """Every matter is noticed, and every coordinator who was to be told has a letter that does."""
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
        for person in gathered.data.get("coordinators") or ():
            key = f"{gathered.cohort}/AttentionGathered:{at:%Y%m%dT%H%M%SZ}:{person}"
            owed.add(key)
            digest = queued.get(key)
            if digest is None:
                report.lost.append(f"{gathered}: {person} was not told.")
            elif not tells(digest.data["facts"], gathered.data):
                report.lost.append(f"{digest} does not tell what {gathered} says.")
    for key in sorted(queued.keys() - owed):
        report.lost.append(f"Letter {key} was queued, and there is nothing that it tells.")


def _about(fact: Entry) -> str:
    match fact.name:
        case "SessionDisputed":
            return f"{fact.subject}~{fact.number('attempt')}"
        case _:
            return fact.subject
