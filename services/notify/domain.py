"""Which facts are told to whom, and what becomes of a letter. Pure.

Always holds: one letter per fact and person, however often the fact is told; a letter is queued
until it is sent or failed, and is never handed over in quiet hours.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal, assert_never

from schemas.base import Event, Message, people_of
from schemas.commands import RetryLetter
from schemas.events import (
    AttendanceRequested,
    CohortOpened,
    LetterDeferred,
    LetterFailed,
    LetterQueued,
    LetterSent,
    ManagerEnrolled,
    ManagerWaitlisted,
    MentorVolunteered,
    PairDissolved,
    PairFormed,
    PairGraduated,
    PairProposed,
    PairStalled,
    ProposalDeclined,
    ProposalExpired,
    SessionCancelled,
    SessionEvent,
    SessionMissed,
    SessionPlanned,
    SessionRescheduled,
    SurveyOpened,
)
from schemas.people import PersonContact, PersonErased
from schemas.values import QuietHours, Side
from services.chassis.domain import Change, Decision, Gone, Need, One, Refusal, State
from services.notify.calendar import next_sending_time
from services.notify.messages import LetterAttempted
from services.notify.views import Cohort, Letter, Person

Purpose = Literal["proposal", "session", "attendance", "survey"]


@dataclass(frozen=True, slots=True)
class Telling:
    """How a fact is told.

    - `to`: who gets a letter; `other` is the side that did not act, `concerned` the person whom
      the event names.
    - `link`: what the letter's link lets its reader do.
    - `invitation`: the iTIP method of its calendar part.
    - `introduces`: it makes no sense without the contact of the other side.
    """

    to: Literal["mentor", "manager", "both", "other", "concerned"]
    link: Purpose | None = None
    invitation: Literal["REQUEST", "CANCEL"] | None = None
    introduces: bool = False


LETTERS: dict[type[Event], Telling] = {
    MentorVolunteered: Telling("mentor"),
    ManagerEnrolled: Telling("manager"),
    ManagerWaitlisted: Telling("manager"),
    PairProposed: Telling("both", link="proposal", introduces=True),
    ProposalDeclined: Telling("other"),
    ProposalExpired: Telling("both"),
    PairFormed: Telling("both", introduces=True),
    PairDissolved: Telling("both"),
    SessionPlanned: Telling("both", link="session", invitation="REQUEST", introduces=True),
    SessionRescheduled: Telling("both", link="session", invitation="REQUEST", introduces=True),
    SessionCancelled: Telling("both", invitation="CANCEL"),
    AttendanceRequested: Telling("both", link="attendance"),
    # No calendar part: the new date that follows carries the same UID and a higher SEQUENCE.
    SessionMissed: Telling("both"),
    PairStalled: Telling("both"),
    PairGraduated: Telling("both"),
    SurveyOpened: Telling("concerned", link="survey"),
}
"""Every fact that is told by letter. Facts that are not here are told to nobody."""

TEMPLATES: dict[str, type[Event]] = {kind.__name__: kind for kind in LETTERS}
"""A letter's template is the name of the event that it tells."""

FIRST_RETRY = timedelta(minutes=5)
LONGEST_RETRY = timedelta(hours=8)
TRIES = 8
CONTACT_RETRY = timedelta(hours=6)
CONTACT_PATIENCE = timedelta(days=3)
NO_CONTACT = "no contact"


# --- who is told what -------------------------------------------------------------------------


def letters_of(event: Message) -> list[tuple[str, str, Side]]:
    """The letters that are owed for an event: (letter_id, person_id, side), the mentor's first.

    Known from the event alone, the same every time. `letter_id` is `{fact_id}:{person_id}`, and
    the fact id is, by the type of the event:

    - SessionPlanned, SessionRescheduled, SessionCancelled, SessionMissed, AttendanceRequested:
      `{type}:{session_id}:{attempt}.{revision}`
    - PairStalled: `PairStalled:{pair_id}:{since, UTC, as 20170306T090000Z}`
    - ManagerWaitlisted: `ManagerWaitlisted:{manager_id}:{round_id}`
    - all others: `{type}:{subject}`. MentorVolunteered's subject is the mentor,
      ManagerEnrolled's the manager, SurveyOpened's the survey, and that of what concerns a pair
      is the pair, which is proposed once in its cohort.
    """
    if not isinstance(event, Event) or type(event) not in LETTERS:
        return []
    if isinstance(event, ManagerWaitlisted) and not event.first:
        return []  # a new place on the list is for whoever looks
    fact_id = _fact_id(event)
    return [(f"{fact_id}:{person_id}", person_id, side) for person_id, side in _told(event)]


def _fact_id(event: Event) -> str:
    subject = f"{type(event).__name__}:{event.subject}"
    match event:
        case SessionEvent():
            return f"{subject}:{event.attempt}.{event.revision}"
        case ManagerWaitlisted():
            return f"{subject}:{event.waiting.round_id}"
        case PairStalled():
            return f"{subject}:{event.since:%Y%m%dT%H%M%SZ}"
        case _:
            return subject


def _told(event: Event) -> list[tuple[str, Side]]:
    to = LETTERS[type(event)].to
    if isinstance(event, SurveyOpened):
        return [(event.person_id, event.side)]
    if isinstance(event, MentorVolunteered):
        return [(event.mentor_id, "mentor")]
    if isinstance(event, ManagerEnrolled | ManagerWaitlisted):
        return [(event.manager_id, "manager")]
    mentor_id, manager_id = people_of(event.subject)
    both: list[tuple[str, Side]] = [(mentor_id, "mentor"), (manager_id, "manager")]
    if isinstance(event, ProposalDeclined):
        return [(person_id, side) for person_id, side in both if side != event.by]
    return [(person_id, side) for person_id, side in both if to in ("both", side)]


def other_of(letter: Letter) -> str | None:
    """The id of the other person of the pair that a letter is about; None if there is no pair."""
    pair = letter.facts.get("pair_id")
    if pair is None:
        return None
    mentor_id, manager_id = people_of(pair)
    return manager_id if letter.side == "mentor" else mentor_id


def to_hand_over(letter: Letter) -> list[One]:
    """The documents that the sender needs beside the letter itself."""
    others = [other] if (other := other_of(letter)) else []
    return [
        One(Cohort, letter.cohort_id, letter.cohort_id),
        *(One(Person, letter.cohort_id, person_id) for person_id in (letter.person_id, *others)),
    ]


# --- decisions --------------------------------------------------------------------------------


def tell(state: State, event: Event, now: datetime) -> list[LetterQueued]:
    """Queue the letters that a fact owes and that are not there yet."""
    send_at = next_sending_time(now, _quiet_hours(state, event.cohort_id))
    facts = event.model_dump(mode="json")
    return [
        LetterQueued(
            cohort_id=event.cohort_id,
            letter_id=letter_id,
            person_id=person_id,
            template=type(event).__name__,
            side=side,
            facts=facts,
            send_at=send_at,
        )
        for letter_id, person_id, side in letters_of(event)
        if state.get(Letter, event.cohort_id, letter_id) is None
    ]


def conclude(state: State, tried: LetterAttempted, now: datetime) -> list[Event]:
    """What follows from a hand-over. One of a letter that is not due (any more) changes nothing."""
    letter = state.get(Letter, tried.cohort_id, tried.letter_id)
    if letter is None or letter.due_at is None or letter.due_at > now:
        return []
    quiet_hours = _quiet_hours(state, letter.cohort_id)
    attempt = letter.attempts + 1
    match tried.outcome:
        case "sent":
            return [
                LetterSent(
                    **_about(letter), template=letter.template, channel="smtp", attempt=attempt
                )
            ]
        case "permanent":
            return [_failed(letter, attempt, tried.cause)]
        case "transient":
            if attempt >= TRIES:
                return [_failed(letter, attempt, tried.cause)]
            wait = min(FIRST_RETRY * 2**letter.attempts, LONGEST_RETRY)
            return [_deferred(letter, attempt, tried.cause, now + wait, quiet_hours)]
        case "no-contact":
            if now >= letter.owed_since + CONTACT_PATIENCE:
                return [_failed(letter, letter.attempts, NO_CONTACT)]
            return [
                _deferred(letter, letter.attempts, NO_CONTACT, now + CONTACT_RETRY, quiet_hours)
            ]
        case "quiet-hours":
            return [_deferred(letter, letter.attempts, "quiet hours", now, quiet_hours)]
        case _:
            assert_never(tried.outcome)


def retry(state: State, command: RetryLetter, now: datetime) -> Decision:
    """A failed letter is due again at once, with all its tries."""
    letter = state.get(Letter, command.cohort_id, command.letter_id)
    if letter is None:
        return Refusal("letter-unknown", "There is no such letter in the cohort.")
    if letter.state != "failed":
        return Refusal("letter-not-failed", f"The letter is {letter.state}, not failed.")
    return [LetterDeferred(**_about(letter), attempt=0, cause="asked again", retry_at=now)]


def _quiet_hours(state: State, cohort_id: str) -> QuietHours:
    # A session's fact can overtake the cohort's opening, which is on another topic.
    cohort = state.get(Cohort, cohort_id, cohort_id)
    return cohort.quiet_hours if cohort else QuietHours()


def _about(letter: Letter) -> dict[str, str]:
    return {
        "cohort_id": letter.cohort_id,
        "letter_id": letter.id,
        "person_id": letter.person_id,
    }


def _failed(letter: Letter, attempt: int, cause: str) -> LetterFailed:
    return LetterFailed(**_about(letter), template=letter.template, attempt=attempt, cause=cause)


def _deferred(
    letter: Letter, attempt: int, cause: str, earliest: datetime, quiet_hours: QuietHours
) -> LetterDeferred:
    retry_at = next_sending_time(earliest, quiet_hours)
    return LetterDeferred(**_about(letter), attempt=attempt, cause=cause, retry_at=retry_at)


# --- needs and folding ------------------------------------------------------------------------


def needs(message: Message) -> Iterable[Need]:
    """The documents that a message's decision and its events touch."""
    cohort_id = message.cohort_id
    match message:
        case CohortOpened():
            return [One(Cohort, cohort_id, cohort_id)]
        case PersonContact() | PersonErased():
            return [One(Person, cohort_id, message.person_id)]
        case LetterAttempted() | RetryLetter() | LetterSent() | LetterDeferred() | LetterFailed():
            letters = [message.letter_id]
        case _:
            letters = [letter_id for letter_id, _, _ in letters_of(message)]
    if not letters:
        return []
    return [
        One(Cohort, cohort_id, cohort_id),
        *(One(Letter, cohort_id, letter_id) for letter_id in letters),
    ]


def evolve(state: State, event: Message) -> Iterable[Change]:
    """The documents that an event, or a record of the people topic, changes."""
    match event:
        case CohortOpened():
            return [_cohort(event)]
        case PersonContact():
            return [
                Person(
                    id=event.person_id,
                    cohort_id=event.cohort_id,
                    name=event.name,
                    email=event.email,
                    language=event.language,
                )
            ]
        case PersonErased():
            person = state.get(Person, event.cohort_id, event.person_id)
            return [Gone(person)] if person else []
        case LetterQueued():
            return [_queued(event)]
        case LetterSent() | LetterDeferred() | LetterFailed():
            letter = state.get(Letter, event.cohort_id, event.letter_id)
            return [_after(letter, event)] if letter else []
        case _:
            return []


def _cohort(event: CohortOpened) -> Cohort:
    return Cohort(
        id=event.cohort_id,
        cohort_id=event.cohort_id,
        name=event.name,
        quiet_hours=event.policy.quiet_hours,
        languages=event.policy.languages,
    )


def _queued(event: LetterQueued) -> Letter:
    return Letter(
        id=event.letter_id,
        cohort_id=event.cohort_id,
        state="queued",
        person_id=event.person_id,
        side=event.side,
        template=event.template,
        facts=event.facts,
        owed_since=event.send_at,
        due_at=event.send_at,
    )


def _after(letter: Letter, event: LetterSent | LetterDeferred | LetterFailed) -> Letter:
    change: dict[str, object]
    match event:
        case LetterSent():
            change = {"state": "sent", "cause": None, "due_at": None}
        case LetterFailed():
            change = {"state": "failed", "cause": event.cause, "due_at": None}
        case LetterDeferred():
            change = {"state": "queued", "cause": event.cause, "due_at": event.retry_at}
            if letter.state == "failed":  # asked again by a coordinator: the wait starts anew
                change["owed_since"] = event.retry_at
        case _:
            assert_never(event)
    return letter.model_copy(update=change | {"attempts": event.attempt})
