"""The documents of notify: cohorts, people, letters, and what waits for somebody's next letter.

`Person` is the only document of the whole platform that holds names and addresses.
"""

from collections.abc import Iterator
from typing import Any, ClassVar, Literal

from schemas.appointments import ActorId, GivenRole
from schemas.attention import AttentionKind
from schemas.base import EARLIEST, Moment, Value
from schemas.charter import Charter
from schemas.letter_rules import LetterRules
from schemas.notify import Hearer, News, SessionDate
from schemas.people import Assistant
from schemas.places import MeetingPlace
from schemas.values import Language, QuietHours, Side
from services.chassis.documents import RevokedLinks
from services.chassis.domain import Document, Personal, RunningCount, Timed

LetterState = Literal["queued", "sent", "failed"]

AT_ONCE = EARLIEST
"""The deadline of what is to be done now: a fold knows no time."""


class Cohort(Document):
    """What letters need to know of a cohort; `id` is the cohort's own.

    `placed`: its policy says where pairs meet, so that every pair has a place.
    """

    collection: ClassVar[str] = "cohorts"

    name: str
    quiet_hours: QuietHours
    languages: tuple[Language, ...]
    letters: LetterRules | None = None
    placed: bool = False
    charter: Charter | None = None
    """Its own; null where it has that of all."""

    @property
    def rules(self) -> LetterRules:
        """How its letters are gathered."""
        return self.letters or LetterRules()


class Person(Document):
    """How to reach a person: the newest contact of the people topic. `id` is the person's.

    `address` is `email` in small letters, by which the same person is found in other cohorts.
    """

    collection: ClassVar[str] = "people"
    indexes: ClassVar[tuple[tuple[str, ...], ...]] = (("cohort_id", "role"), ("address",))

    name: str
    email: str
    address: str = ""
    language: Language
    post: str | None = None
    presentation: str | None = None
    role: Literal["coordinator"] | None = None
    assistant: Assistant | None = None


class HeldRole(Document):
    """A role that somebody was given; `id` is `person~role`.

    `holder`: by what whoever has the address to which it was given acts. `asker`: who gave it.
    """

    collection: ClassVar[str] = "roles"

    person_id: str
    role: GivenRole
    organisations: tuple[str, ...] = ()
    holder: ActorId
    given_at: Moment
    asker: ActorId | None = None


class Line(Document):
    """Who somebody reports to; `id` is theirs. `said`: what they say themselves.

    By it is known which coordinators are not told of them.
    """

    collection: ClassVar[str] = "lines"

    line_manager: str | None = None
    said: str | None = None


class Pair(Document):
    """Where a pair meets, once that is known; `id` is the pair's."""

    collection: ClassVar[str] = "pairs"

    place: MeetingPlace


class Entry(Value):
    """A fact that waits to be told: by itself at `tell_at`, or with a letter from `joins_from` on.

    `news_id` is the id of the letter that it would be.
    """

    news_id: str
    template: str
    side: Side
    facts: dict[str, Any]
    tell_at: Moment
    joins_from: Moment


class Tray(Timed):
    """What waits for one person's next letter, and what it needs to know; `id` is the person's.

    `dates` are their sessions as planned, `asked` the sessions of which they were asked whether
    they took place, `told_on` the day (in Paris) of the last letter that gathered what can wait.
    `elsewhere`: the same person takes part in another cohort, which hears of every change of dates.
    `last`: the last fact of each of their sessions, and that a pair of theirs was dissolved, by the
    facts' ids (`outdating.LAST`): what is read after it, and is older, is not true any more.
    """

    collection: ClassVar[str] = "trays"

    waiting: tuple[Entry, ...] = ()
    dates: tuple[SessionDate, ...] = ()
    asked: tuple[str, ...] = ()
    last: tuple[str, ...] = ()
    told_on: str | None = None
    elsewhere: bool = False


class Elsewhere(Timed):
    """To which other cohorts somebody's hours are told; `id` is the person's.

    There is none of who was never in a pair or proposed for one. `changes` counts why to tell them
    anew, and is the number of the list that is told then. `due_at`: they are to be told, now.
    """

    collection: ClassVar[str] = "elsewhere"

    changes: int = 0
    hearers: tuple[Hearer, ...] = ()

    def changed(self) -> "Elsewhere":
        """The document of somebody whose hours are to be told anew."""
        return self.model_copy(update={"changes": self.changes + 1, "due_at": AT_ONCE})


class Letter(Timed):
    """What is told to one person at once; `id` is the letter's. `due_at` is its next hand-over.

    `facts` is the event that it tells, as JSON, `also` what it tells beside that, `dates` the
    sessions that it names. `side` is None where it is to a coordinator. `attempts` counts
    hand-overs to the mail server. `to_assistant`: it is the copy for the person's assistant.
    `owed_since` is when it could first be sent: the wait for a contact counts from there.
    """

    collection: ClassVar[str] = "letters"
    indexes: ClassVar[tuple[tuple[str, ...], ...]] = (
        ("cohort_id", "state"),
        ("cohort_id", "person_id"),
    )

    state: LetterState
    channel: Literal["smtp"] = "smtp"
    person_id: str
    side: Side | None = None
    template: str
    facts: dict[str, Any]
    also: tuple[News, ...] = ()
    dates: tuple[SessionDate, ...] = ()
    urgent: bool = False
    to_assistant: bool = False
    attempts: int = 0
    cause: str | None = None
    owed_since: Moment

    def parts(self) -> Iterator[News]:
        """All that it tells a mentor or a manager, the first thing first."""
        if self.side is not None:
            yield News(news_id=self.id, template=self.template, side=self.side, facts=self.facts)
        yield from self.also


class Concern(Document):
    """What wants a coordinator's attention until it is settled; `id` is `kind:about`."""

    collection: ClassVar[str] = "concerns"

    kind: AttentionKind
    about: str
    people: tuple[str, ...]
    since: Moment


class Digest(Timed):
    """When a cohort's coordinators are told next what wants attention; `id` is the cohort's.

    `again`: how often they were told since something was new, but for the first time;
    `gathered_at`: when last.
    """

    collection: ClassVar[str] = "digests"

    again: int = 0
    gathered_at: Moment | None = None


class Retention(Timed):
    """The time of a closed cohort's people is over; `id` is the cohort's.

    `due_at`: when it is looked for people who can still be reached. `erased`: how many there were.
    """

    collection: ClassVar[str] = "retentions"

    erased: int = 0


class LateReminder(Document):
    """A reminder that could not leave in time, and was dropped; `id` is the letter's."""

    collection: ClassVar[str] = "late_reminders"

    template: str


LISTED: dict[type[Document], tuple[str, ...]] = {
    Letter: ("state", "person_id", "template"),
    HeldRole: ("person_id", "role"),
}
"""What can be listed, and by what. Names and addresses are not among it."""

PERSONAL: dict[type[Document], Personal] = {
    Person: Personal(("id",)),
    Line: Personal(("id",)),
    Elsewhere: Personal(("id",)),
    RevokedLinks: Personal(("id",)),
    Letter: Personal(("person_id",)),
    HeldRole: Personal(("person_id",)),
}
"""What is kept about a person, for them."""

MEASURES = (
    RunningCount(
        "mentoring_letters",
        "Letters, by what became of them, and why they are still here",
        Letter,
        (("channel", "channel"), ("outcome", "state"), ("cause", "cause")),
    ),
    RunningCount(
        "mentoring_late_reminders",
        "Reminders that could not leave in time, and were dropped",
        LateReminder,
        (("template", "template"),),
    ),
)
