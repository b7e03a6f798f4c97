"""Which message leads to which decision; translation only."""

from collections.abc import Iterable
from datetime import datetime

from schemas.base import Event, Message
from schemas.matching import CohortOpened
from schemas.notify import LetterDeferred, LetterFailed, LetterSent, RetryLetter
from schemas.people import PersonContact, PersonErased
from schemas.topics import PEOPLE
from services.chassis.domain import Decision, Domain, Due, Need, One, State
from services.notify.delivery import conclude, retry, tell
from services.notify.evolution import evolve
from services.notify.letters import LETTERS, letters_of
from services.notify.messages import LetterAttempted
from services.notify.views import Cohort, Letter, Person


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


def decide(state: State, message: Message, now: datetime) -> Decision:
    """The events that follow from a message, or why there are none."""
    match message:
        case LetterAttempted():
            return conclude(state, message, now)
        case RetryLetter():
            return retry(state, message, now)
        case Event():
            return tell(state, message, now) if type(message) in LETTERS else []
        case _:
            # Contacts are only mirrored: a letter that waits for one is tried again in its own
            # time. A due letter is handed over by the sender, outside of any decision.
            return []


DOMAIN = Domain(
    name="notify",
    reads=(
        "mentoring.matching.events",
        "mentoring.scheduling.events",
        "mentoring.scheduling.private",
        "mentoring.feedback.private",
    ),
    tables=(PEOPLE,),
    documents=(Cohort, Person, Letter),
    handles=frozenset(
        {*LETTERS, CohortOpened, PersonContact, PersonErased, LetterAttempted, RetryLetter, Due}
    ),
    learns=frozenset({CohortOpened}),
    needs=needs,
    decide=decide,
    evolve=evolve,
)
