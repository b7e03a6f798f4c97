"""How notify's documents follow from its events. A fold: no time, no rules, no I/O."""

from collections.abc import Iterable
from typing import assert_never

from schemas.base import Message
from schemas.matching import (
    CohortOpened,
)
from schemas.notify import LetterDeferred, LetterFailed, LetterQueued, LetterSent
from schemas.people import PersonContact, PersonErased
from services.chassis.domain import Change, Gone, State
from services.notify.views import Cohort, Letter, Person


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
