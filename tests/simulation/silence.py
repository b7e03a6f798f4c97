"""Commands that may go by without an effect and without a refusal: their wish was fulfilled.

Told from the facts in the log, not from the services: a command without a witness is lost.
"""

from deploy.check.wire import Log
from schemas import commands as c
from schemas.base import Command


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
        case c.OpenCohort():
            return there("CohortOpened")
        case c.VolunteerAsMentor() | c.ResumeMentor():
            return there("MentorVolunteered")
        case c.EnrolManager():
            return there("ManagerEnrolled")
        case c.PauseMentor():
            return there("MentorPaused")
        case c.WithdrawMentor():
            return there("MentorWithdrew")
        case c.WithdrawManager():
            return there("ManagerWithdrew")
        case c.ChangeAvailability():
            return there("AvailabilityChanged")
        case c.RunRound():
            return there("RoundRequested")
        case c.KeepApart():
            return there("PairKeptApart")
        case c.DissolvePair():
            return there("PairDissolved")
        case c.ConfirmSession():
            return there("SessionConfirmed", by=command.by)
        case c.CancelSession():
            return there("SessionCancelled")
        case c.ReportAttendance():
            name = "SessionCompleted" if command.held else "SessionMissed"
            return there(name, attempt=command.attempt)
        case _:
            return False
