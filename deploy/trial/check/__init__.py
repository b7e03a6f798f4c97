"""The independent check of a run: was anything lost, was anything doubled?

Reads the topics, the databases and the mailbox, and holds them against each other and
against the rules of the programme. Always holds: no code of the services is used, so that a
fault of theirs cannot hide in here; `check` is pure, and `read_evidence` only reads.
"""

from deploy.trial.check.commands import check_commands
from deploy.trial.check.documents import check_documents
from deploy.trial.check.effects import check_known
from deploy.trial.check.evidence import (
    Evidence,
    Mail,
    Record,
    live_prefix,
    read_evidence,
    read_taken_back,
)
from deploy.trial.check.figures import figures
from deploy.trial.check.findings import Findings, Report
from deploy.trial.check.journals import check_journals
from deploy.trial.check.letters import check_letters
from deploy.trial.check.markers import read_markers
from deploy.trial.check.pairs import check_pairs
from deploy.trial.check.sessions import check_sessions
from deploy.trial.check.surveys import check_surveys
from deploy.trial.check.wire import read_log

__all__ = [
    "Evidence",
    "Findings",
    "Mail",
    "Record",
    "check",
    "live_prefix",
    "read_evidence",
    "read_markers",
    "read_taken_back",
]


def check(evidence: Evidence, *, over: bool = True) -> Findings:
    """Judge a run that has come to rest: all that was published is handled, nothing is under way.

    `over`: nothing is to follow either, so that a letter that is still queued is lost. Without
    it, letters may wait for their time (quiet hours, a contact, the mail server).
    """
    report = Report()
    log = read_log(evidence, report)
    check_journals(evidence, log, report)
    check_known(log, report)
    check_commands(log, evidence.accepted, evidence.aborted, report)
    matched = check_pairs(log, report)
    planned = check_sessions(log, matched, report)
    surveys = check_surveys(log, report)
    letters = check_letters(evidence, log, over=over, report=report)
    check_documents(evidence, log, matched, planned, surveys, letters, report)
    mails = [mail for mail in evidence.mails if mail.letter_id]
    distinct = {(mail.cohort, mail.letter_id) for mail in mails}
    again = len(mails) - len(set(mails))
    found = figures(log)
    return Findings(
        lost=report.lost,
        doubled=report.doubled,
        parked=found["parked"],
        events=found["events"],
        redelivered=log.redelivered,
        letters=len(distinct),
        redelivered_letters=evidence.redelivered_letters + again,
        figures=found,
    )
