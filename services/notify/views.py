"""The documents of notify: cohorts, people and letters.

`Person` is the only document of the whole platform that holds names and addresses.
"""

from typing import Any, ClassVar, Literal

from schemas.base import Moment
from schemas.places import MeetingPlace
from schemas.values import Language, QuietHours, Side
from services.chassis.domain import Document, Timed
from services.chassis.watch.metrics import Tally

LetterState = Literal["queued", "sent", "failed"]


class Cohort(Document):
    """What letters need to know of a cohort; `id` is the cohort's own.

    `placed`: its policy says where pairs meet, so that every pair has a place.
    """

    collection: ClassVar[str] = "cohorts"

    name: str
    quiet_hours: QuietHours
    languages: tuple[Language, ...]
    placed: bool = False


class Person(Document):
    """How to reach a person: the newest contact of the people topic. `id` is the person's."""

    collection: ClassVar[str] = "people"

    name: str
    email: str
    language: Language
    post: str | None = None
    presentation: str | None = None


class Pair(Document):
    """Where a pair meets, once that is known; `id` is the pair's."""

    collection: ClassVar[str] = "pairs"

    place: MeetingPlace


class Letter(Timed):
    """One fact for one person; `id` is the letter's. `due_at` is its next hand-over.

    `facts` is the event that it tells, as JSON. `attempts` counts hand-overs to the mail server.
    `owed_since` is when it could first be sent: the wait for a contact counts from there.
    """

    collection: ClassVar[str] = "letters"
    indexes: ClassVar[tuple[tuple[str, ...], ...]] = (
        ("cohort_id", "state"),
        ("cohort_id", "person_id"),
        # There are millions, and every scrape counts them.
        ("partition", "channel", "state", "cause"),
    )

    state: LetterState
    channel: Literal["smtp"] = "smtp"
    person_id: str
    side: Side
    template: str
    facts: dict[str, Any]
    attempts: int = 0
    cause: str | None = None
    owed_since: Moment


LISTED: dict[type[Document], tuple[str, ...]] = {
    Letter: ("state", "person_id", "template"),
}
"""What a coordinator can list, and by what. Names and addresses are not among it."""

MEASURES = (
    Tally(
        "mentoring_letters",
        "Letters, by what became of them, and why they are still here",
        Letter,
        (("channel", "channel"), ("outcome", "state"), ("cause", "cause")),
    ),
)
