"""Commands that may go by without an effect and without a refusal: their wish was fulfilled.

Told from the facts in the log, not from the services: a command without a witness is lost.
"""

from deploy.trial.check.wire import Log
from schemas.base import Command
from schemas.matching import (
    ChangeAvailability,
    DissolvePair,
    EnrolManager,
    KeepApart,
    OpenCohort,
    PauseMentor,
    ResumeMentor,
    RunRound,
    VolunteerAsMentor,
    WithdrawManager,
    WithdrawMentor,
)
from schemas.scheduling import CancelSession, ConfirmSession, ReportAttendance


def nothing_to_do(command: Command, log: Log) -> bool:
    """Whether the log has the fact that the command asks for, by another one's doing."""
    cohort, subject = command.cohort_id, command.subject

    def there(name: str, about: str = subject, **fields: object) -> bool:
        key = f"{cohort}/{about}"
        return any(
            entry.key == key and all(entry.data.get(f) == value for f, value in fields.items())
            for entry in log.facts(name)
        )

    match command:
        case OpenCohort():
            return there("CohortOpened")
        case VolunteerAsMentor() | ResumeMentor():
            return there("MentorVolunteered")
        case EnrolManager():
            return there("ManagerEnrolled")
        case PauseMentor():
            return there("MentorPaused")
        case WithdrawMentor():
            return there("MentorWithdrew")
        case WithdrawManager():
            return there("ManagerWithdrew")
        case ChangeAvailability():
            return there("AvailabilityChanged")
        case RunRound():
            return there("RoundRequested")
        case KeepApart():
            return there("PairKeptApart")
        case DissolvePair():
            return there("PairDissolved")
        case ConfirmSession():
            return there("SessionConfirmed", by=command.by)
        case CancelSession():
            return there("SessionCancelled")
        case ReportAttendance():
            name = "SessionCompleted" if command.held else "SessionMissed"
            return there(name, attempt=command.attempt)
        case _:
            return False
