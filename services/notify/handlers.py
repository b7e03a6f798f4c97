"""Which message leads to which decision. Translation only."""

from collections.abc import Iterable
from datetime import datetime

from schemas.base import Event, Message
from schemas.matching import CohortOpened
from schemas.meeting import MeetingPlaceSet
from schemas.notify import LetterEvent, ReportBounce, RetryLetter
from schemas.people import PersonContact, PersonErased
from schemas.topics import PEOPLE
from services.chassis.domain import Decision, Domain, Due, Handlers, Need, One, State
from services.notify import delivery
from services.notify.evolution import EVOLUTION
from services.notify.letters import LETTERS, letters_of
from services.notify.messages import LetterAttempted
from services.notify.views import Cohort, Letter, Pair, Person


def needs(message: Message) -> Iterable[Need]:
    """The documents that a message's decision and its events touch."""
    cohort_id = message.cohort_id
    match message:
        case CohortOpened():
            return [One(Cohort, cohort_id, cohort_id)]
        case MeetingPlaceSet():
            return [One(Pair, cohort_id, message.pair_id)]
        case PersonContact() | PersonErased():
            return [One(Person, cohort_id, message.person_id)]
        case LetterAttempted() | RetryLetter() | ReportBounce() | LetterEvent():
            letters = [message.letter_id]
        case _:
            letters = [letter_id for letter_id, _, _ in letters_of(message)]
    if not letters:
        return []
    return [
        One(Cohort, cohort_id, cohort_id),
        *(One(Letter, cohort_id, letter_id) for letter_id in letters),
    ]


def _tell(state: State, event: Event, now: datetime) -> Decision:
    found = [_letter(state, event, letter_id) for letter_id, _, _ in letters_of(event)]
    letters = [letter for letter in found if letter is not None]
    return delivery.tell(_cohort(state, event), letters, event, now)


def _conclude(state: State, attempted: LetterAttempted, now: datetime) -> Decision:
    letter = _letter(state, attempted, attempted.letter_id)
    return delivery.conclude(_cohort(state, attempted), letter, attempted, now)


def _retry(state: State, command: RetryLetter, now: datetime) -> Decision:
    return delivery.retry(_letter(state, command, command.letter_id), now)


def _bounced(state: State, command: ReportBounce, _: datetime) -> Decision:
    return delivery.bounce(_letter(state, command, command.letter_id), command)


def _noted(*_: object) -> Decision:
    """What is learned or mirrored: a letter that waits for a contact is tried in its own time."""
    return []


def _left_to_the_sender(*_: object) -> Decision:
    """A due letter is handed over outside of any decision, and what came of it is reported."""
    return []


HANDLERS: Handlers = {
    **dict.fromkeys(LETTERS, _tell),
    CohortOpened: _noted,
    MeetingPlaceSet: _noted,
    PersonContact: _noted,
    PersonErased: _noted,
    LetterAttempted: _conclude,
    RetryLetter: _retry,
    ReportBounce: _bounced,
    Due: _left_to_the_sender,
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
    documents=(Cohort, Person, Pair, Letter),
    learns=frozenset({CohortOpened, MeetingPlaceSet}),
    handlers=HANDLERS,
    evolution=EVOLUTION,
    needs=needs,
)
