"""What becomes of each letter.

Always holds: a letter is queued until it is sent or failed, and is not handed over in quiet hours
but where tomorrow is too late; one that comes back has failed. What tells somebody of the date of
a session is copied to their assistant once it is sent, once.
"""

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import assert_never

from schemas.notify import (
    LetterDeferred,
    LetterFailed,
    LetterQueued,
    LetterSent,
    ReportBounce,
)
from schemas.values import QuietHours
from services.chassis.domain import Decision, Refusal
from services.notify.calendar import next_sending_time
from services.notify.letters import TELLINGS, copy_id
from services.notify.messages import LetterAttempted
from services.notify.telling import rules_of
from services.notify.views import Cohort, Letter

FIRST_RETRY = timedelta(minutes=5)
LONGEST_RETRY = timedelta(hours=8)
TRIES = 8
CONTACT_RETRY = timedelta(hours=6)
CONTACT_PATIENCE = timedelta(days=3)
NO_CONTACT = "no contact"

_UNKNOWN = Refusal("unknown", "unknown-letter", "There is no such letter in this cohort.")


def conclude(
    cohort: Cohort | None,
    letter: Letter | None,
    attempted: LetterAttempted,
    now: datetime,
    copy: Letter | None = None,
) -> Decision:
    """What follows from a hand-over. One of a letter that is not due (any more) changes nothing.

    `copy`: the copy of it, if there is one already, from before it was asked for again.
    """
    if letter is None or letter.due_at is None or letter.due_at > now:
        return []
    _, quiet_hours = rules_of(cohort)
    attempt = letter.attempts + 1
    match attempted.outcome:
        case "sent":
            sent = LetterSent(
                **_about(letter), template=letter.template, channel="smtp", attempt=attempt
            )
            return [sent, *(_copies(letter, now) if attempted.copied and copy is None else ())]
        case "permanent":
            return [_failed(letter, attempt, attempted.cause, now)]
        case "transient":
            if attempt >= TRIES:
                return [_failed(letter, attempt, attempted.cause, now)]
            wait = min(FIRST_RETRY * 2**letter.attempts, LONGEST_RETRY)
            return [_deferred(letter, attempt, attempted.cause, now + wait, quiet_hours)]
        case "no-contact":
            if now >= letter.owed_since + CONTACT_PATIENCE:
                return [_failed(letter, letter.attempts, NO_CONTACT, now)]
            return [
                _deferred(letter, letter.attempts, NO_CONTACT, now + CONTACT_RETRY, quiet_hours)
            ]
        case "quiet-hours":
            return [_deferred(letter, letter.attempts, "quiet hours", now, quiet_hours)]
        case _:
            assert_never(attempted.outcome)


def _copies(letter: Letter, now: datetime) -> Iterator[LetterQueued]:
    """What it tells of the dates of sessions, for the person's assistant."""
    parts = [part for part in letter.parts() if TELLINGS[part.template].copied]
    if letter.to_assistant or not parts:
        return
    first, *more = parts
    yield LetterQueued(
        cohort_id=letter.cohort_id,
        letter_id=copy_id(letter.id),
        person_id=letter.person_id,
        template=first.template,
        side=first.side,
        facts=first.facts,
        send_at=now,
        also=tuple(more),
        urgent=letter.urgent,
        to_assistant=True,
    )


def retry(letter: Letter | None, now: datetime) -> Decision:
    """A failed letter is due again at once, with all its tries."""
    if letter is None:
        return _UNKNOWN
    if letter.state != "failed":
        return Refusal(
            "conflict", "letter-not-failed", f"The letter is {letter.state} and has not failed."
        )
    return [LetterDeferred(**_about(letter), attempt=0, cause="asked again", retry_at=now)]


def bounce(letter: Letter | None, command: ReportBounce, now: datetime) -> Decision:
    """A letter that was sent came back: it has failed after all."""
    if letter is None:
        return _UNKNOWN
    if letter.state == "failed":
        return []
    if letter.state != "sent":
        return Refusal("conflict", "letter-not-sent", "The letter is not sent: it cannot be back.")
    return [_failed(letter, letter.attempts, f"bounced {command.status}", now)]


def _about(letter: Letter) -> dict[str, str]:
    return {
        "cohort_id": letter.cohort_id,
        "letter_id": letter.id,
        "person_id": letter.person_id,
    }


def _failed(letter: Letter, attempt: int, cause: str, now: datetime) -> LetterFailed:
    told = {"template": letter.template, "attempt": attempt, "cause": cause, "failed_at": now}
    return LetterFailed.model_validate({**_about(letter), **told})


def _deferred(
    letter: Letter, attempt: int, cause: str, earliest: datetime, quiet_hours: QuietHours
) -> LetterDeferred:
    retry_at = earliest if letter.urgent else next_sending_time(earliest, quiet_hours)
    return LetterDeferred(**_about(letter), attempt=attempt, cause=cause, retry_at=retry_at)
