"""Which message leads to which decision; translation only."""

from datetime import datetime

from schemas.base import Event, Message
from schemas.commands import RetryLetter
from schemas.events import CohortOpened
from schemas.people import PersonContact, PersonErased
from schemas.topics import PEOPLE
from services.chassis.domain import Decision, Domain, Due, State
from services.notify.domain import LETTERS, conclude, evolve, needs, retry, tell
from services.notify.messages import LetterAttempted
from services.notify.views import Cohort, Letter, Person


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
