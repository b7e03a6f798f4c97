"""Which message leads to which decision. Translation only."""

from collections.abc import Iterable
from datetime import datetime

from schemas.base import Event, Message
from schemas.cohorts import PolicyChanged
from schemas.matching import CohortOpened
from schemas.meeting import MeetingPlaceSet
from schemas.notify import (
    LetterDeferred,
    LetterFailed,
    LetterQueued,
    LetterSent,
    NewsDropped,
    NewsHeld,
    ReportBounce,
    RetryLetter,
)
from schemas.people import PersonContact, PersonErased
from schemas.topics import PEOPLE
from services.chassis.domain import Decision, Domain, Due, Handlers, Need, One, State
from services.notify import delivery, gathering, telling
from services.notify.evolution import EVOLUTION
from services.notify.letters import LETTERS, concerned, copy_id, letters_of
from services.notify.messages import LetterAttempted
from services.notify.outdating import OUTDATING
from services.notify.views import MEASURES, Cohort, LateReminder, Letter, Pair, Person, Tray


def needs(message: Message) -> Iterable[Need]:
    """The documents that a message's decision and its events touch."""
    cohort_id = message.cohort_id
    match message:
        case CohortOpened() | PolicyChanged():
            return [One(Cohort, cohort_id, cohort_id)]
        case MeetingPlaceSet():
            return [One(Pair, cohort_id, message.pair_id)]
        case PersonContact() | PersonErased():
            return [One(Person, cohort_id, message.person_id)]
        case NewsHeld() | NewsDropped() | LetterQueued():
            return [One(Tray, cohort_id, message.person_id)]
        case LetterAttempted() if message.copied:
            ids = (message.letter_id, copy_id(message.letter_id))
            letters = (One(Letter, cohort_id, letter_id) for letter_id in ids)
            return [One(Cohort, cohort_id, cohort_id), *letters]
        case LetterAttempted() | LetterSent() | LetterDeferred() | LetterFailed():
            return [One(Cohort, cohort_id, cohort_id), One(Letter, cohort_id, message.letter_id)]
        case RetryLetter() | ReportBounce():
            return [One(Cohort, cohort_id, cohort_id), One(Letter, cohort_id, message.letter_id)]
        case Due():
            if message.collection != Tray.collection:
                return []
            return [One(Cohort, cohort_id, cohort_id), One(Tray, cohort_id, message.id)]
        case _:
            people = concerned(message)
    if not people:
        return []
    return [
        One(Cohort, cohort_id, cohort_id),
        *(One(Tray, cohort_id, person_id) for person_id in people),
        *(One(Letter, cohort_id, letter_id) for letter_id, _, _ in letters_of(message)),
    ]


def _tell(state: State, event: Event, now: datetime) -> Decision:
    found = [_letter(state, event, letter_id) for letter_id, _, _ in letters_of(event)]
    trays = {
        person_id: tray
        for person_id in concerned(event)
        if (tray := state.get(Tray, event.cohort_id, person_id)) is not None
    }
    known = {letter.id for letter in found if letter is not None}
    return telling.tell(_cohort(state, event), trays, known, event, now)


def _conclude(state: State, attempted: LetterAttempted, now: datetime) -> Decision:
    letter = _letter(state, attempted, attempted.letter_id)
    copy = _letter(state, attempted, copy_id(letter.id)) if letter and attempted.copied else None
    return delivery.conclude(_cohort(state, attempted), letter, attempted, now, copy)


def _retry(state: State, command: RetryLetter, now: datetime) -> Decision:
    return delivery.retry(_letter(state, command, command.letter_id), now)


def _bounced(state: State, command: ReportBounce, now: datetime) -> Decision:
    return delivery.bounce(_letter(state, command, command.letter_id), command, now)


def _noted(*_: object) -> Decision:
    """What is learned or mirrored: a letter that waits for a contact is tried in its own time."""
    return []


def _due(state: State, due: Due, now: datetime) -> Decision:
    """What waits becomes letters; these are handed over outside of any decision, and reported."""
    if due.collection != Tray.collection:
        return []
    return gathering.seal(_cohort(state, due), state.get(Tray, due.cohort_id, due.id), now)


HANDLERS: Handlers = {
    **dict.fromkeys((*LETTERS, *OUTDATING), _tell),
    CohortOpened: _noted,
    PolicyChanged: _noted,
    MeetingPlaceSet: _noted,
    PersonContact: _noted,
    PersonErased: _noted,
    LetterAttempted: _conclude,
    RetryLetter: _retry,
    ReportBounce: _bounced,
    Due: _due,
}
"""Message to decision."""


def _cohort(state: State, message: Message) -> Cohort | None:
    return state.get(Cohort, message.cohort_id, message.cohort_id)


def _letter(state: State, message: Message, letter_id: str) -> Letter | None:
    return state.get(Letter, message.cohort_id, letter_id)


DOMAIN = Domain(
    name="notify",
    reads=(
        "mentoring.matching.events",
        "mentoring.scheduling.events",
        "mentoring.scheduling.private",
        "mentoring.feedback.private",
    ),
    tables=(PEOPLE,),
    documents=(Cohort, Person, Pair, Tray, Letter, LateReminder),
    learns=frozenset({CohortOpened, PolicyChanged, MeetingPlaceSet}),
    handlers=HANDLERS,
    evolution=EVOLUTION,
    needs=needs,
    counts=MEASURES,
)
