"""What scheduling knows: pairs and their plans, sessions, how each attempt ended, calendars."""

from datetime import datetime
from typing import ClassVar, Literal

from schemas.base import Moment, Value, parent_pair
from schemas.calendars import TakenHours
from schemas.dates import Absence, OfferedDay
from schemas.places import MeetingPlace
from schemas.scheduling import Absent
from schemas.values import Availability, CohortPolicy, Side
from services.chassis.documents import RevokedLinks
from services.chassis.domain import Document, Personal, RunningCount, Timed

PairState = Literal["active", "graduated", "dissolved"]
LineState = Literal["pending", "planned", "completed", "cancelled"]
SessionState = Literal["planned", "confirmed", "completed", "missed", "cancelled"]
Result = Literal["completed", "missed", "cancelled"]
Cause = Literal[
    "reported",
    "unreported",
    "request",
    "pair_dissolved",
    "postponed",
    "presumed",
    "corrected",
    "settled",
    "withdrawn",
]

SIDES: tuple[Side, Side] = ("mentor", "manager")


class Cohort(Document):
    """The rules of a cohort; `id` is the cohort's own."""

    collection: ClassVar[str] = "cohorts"

    name: str
    policy: CohortPolicy


class PlanLine(Value):
    """One session in its pair's plan.

    `pending` waits to be planned, for the first time or again; then `starts_at` is the date that
    fell through. `attempt` counts its plannings; `changes` its changes so far, which makes it the
    revision of the next one. `confirmed_by` has confirmed the date that stands, which was given at
    `given_at`: None where that is not known, which counts as the longest.
    """

    number: int
    state: LineState = "pending"
    attempt: int = 0
    changes: int = 0
    starts_at: Moment | None = None
    confirmed_by: tuple[Side, ...] = ()
    given_at: Moment | None = None


class Pair(Timed):
    """A standing pair and its plan. `due_at` is the earlier of `stalls_at` and `retry_at`.

    `idle_since` is the end of the last session held, or when planning began. `stalls_at` is None
    once the pair has stalled, until a further session is held. `retry_at` is when the pending
    sessions, for which there was no common free slot, are tried again; `waits` says whether there
    are any, for whoever lists them. `parted`: it was dissolved while its last session was being
    reported or corrected, and counts as graduated. `place` is where they meet, if that is known.
    """

    collection: ClassVar[str] = "pairs"
    indexes: ClassVar[tuple[tuple[str, ...], ...]] = (
        ("cohort_id", "state", "id"),
        ("cohort_id", "stalled", "id"),
        ("cohort_id", "waits", "id"),
        ("cohort_id", "mentor_id"),
        ("cohort_id", "manager_id"),
    )

    mentor_id: str
    manager_id: str
    state: PairState = "active"
    plan: tuple[PlanLine, ...]
    completed: int = 0
    presumed: int = 0
    graduations_withdrawn: int = 0
    parted: bool = False
    stalled: bool = False
    idle_since: Moment | None = None
    stalls_at: Moment | None = None
    retry_at: Moment | None = None
    waits: bool = False
    place: MeetingPlace | None = None

    def line(self, number: int) -> PlanLine:
        """The plan's line of session `number` (1 is the first)."""
        return self.plan[number - 1]


class Proposal(Value):
    """A date that one side has proposed, and the other has not answered yet."""

    by: Side
    proposed_at: Moment
    answer_by: Moment


class Move(Value):
    """Where a session was before one side moved it without asking the other."""

    by: Side
    previously_at: Moment


class Slot(Value):
    """A time that both have free."""

    starts_at: Moment
    ends_at: Moment


class Slots(Value):
    """At most six common free times of the next three weeks to which a session can move at once."""

    slots: tuple[Slot, ...]


class Wait(Value):
    """What somebody has to do about a session: `side` is who, and `until` when it is of use."""

    session_id: str
    pair_id: str
    person_id: str
    side: Side
    to_do: Literal["confirm", "answer", "report"]
    until: Moment


class Waits(Value):
    """What waits for whom, about the sessions of one person: theirs and the other sides'.

    `without_hour`: their pairs of which sessions wait for a common hour.
    """

    waits: tuple[Wait, ...]
    without_hour: tuple[str, ...]


class RefusedTime(Value):
    """A time that one side's calendar program proposed, and that cannot be."""

    by: Side
    proposed_at: Moment


class Session(Timed):
    """A session as it is planned now; `id` is `mentor~manager~number`.

    `invited` is the revision that gave it the date that stands: who answers an invitation from
    before answers another date. `refused` is the last time that was: it is told once, however often
    its mail comes. `due_at` is its end, or the moment by which a proposal is
    answered; then (`asked`: attendance was requested) when who is silent is reminded, and
    `report_by`, the last moment to report.
    """

    collection: ClassVar[str] = "sessions"
    indexes: ClassVar[tuple[tuple[str, ...], ...]] = (
        ("cohort_id", "state", "starts_at"),
        ("cohort_id", "starts_at"),
        ("cohort_id", "pair_id", "number"),
        ("cohort_id", "mentor_id", "starts_at"),
        ("cohort_id", "manager_id", "starts_at"),
    )

    pair_id: str
    mentor_id: str
    manager_id: str
    number: int
    attempt: int
    revision: int
    invited: int = 0
    starts_at: Moment
    ends_at: Moment
    state: SessionState = "planned"
    confirmed_by: tuple[Side, ...] = ()
    asked: bool = False
    reminded: bool = False
    report_by: Moment | None = None
    proposal: Proposal | None = None
    moved: Move | None = None
    refused: RefusedTime | None = None

    @property
    def is_open(self) -> bool:
        """Whether it may still take place, or be reported."""
        return self.state in ("planned", "confirmed")


class Outcome(Document):
    """How one attempt at a session ended; `id` is `mentor~manager~number~attempt`.

    `by` is the side that said so last. `disputed`: the other side says otherwise, and a coordinator
    has not settled it.
    """

    collection: ClassVar[str] = "outcomes"
    indexes: ClassVar[tuple[tuple[str, ...], ...]] = (
        ("cohort_id", "outcome", "id"),
        ("cohort_id", "disputed", "id"),
        ("cohort_id", "pair_id"),
    )

    pair_id: str
    session_id: str
    attempt: int
    starts_at: Moment
    outcome: Result
    cause: Cause
    by: Side | None = None
    absent: Absent | None = None
    late: bool = False
    disputed: bool = False


class Busy(Value):
    """A time that is taken, by which session."""

    starts_at: Moment
    ends_at: Moment
    session_id: str


class Elsewhere(Value):
    """What another calendar of the same person, in another cohort, takes of their time.

    `goes_first`: of two dates given in the same moment, that of the other calendar stays.
    """

    calendar: str
    revision: int
    goes_first: bool
    hours: tuple[TakenHours, ...] = ()


class Calendar(Document):
    """When one person can meet, and their open sessions, by start; `id` is the person's.

    `waiting` are their pairs with sessions that wait for a common hour. `last_held` stays taken: a
    session may be reported, and another be planned, before it ends.
    """

    collection: ClassVar[str] = "calendars"

    availability: Availability = ()
    absences: tuple[Absence, ...] = ()
    offered: tuple[OfferedDay, ...] = ()
    site: str | None = None
    busy: tuple[Busy, ...] = ()
    last_held: Busy | None = None
    waiting: tuple[str, ...] = ()
    elsewhere: tuple[Elsewhere, ...] = ()

    @property
    def pairs(self) -> list[str]:
        """The pairs whose plans this calendar can change, by id."""
        return sorted({parent_pair(slot.session_id) for slot in self.busy} | {*self.waiting})

    def taken(self, *but: str) -> list[tuple[datetime, datetime]]:
        """(start, end) of what is taken, except for the sessions `but`."""
        held = (self.last_held,) if self.last_held else ()
        return [(b.starts_at, b.ends_at) for b in (*held, *self.busy) if b.session_id not in but]

    @property
    def taken_elsewhere(self) -> list[tuple[datetime, datetime]]:
        """(start, end) of what sessions of other cohorts take."""
        return [(h.starts_at, h.ends_at) for other in self.elsewhere for h in other.hours]

    def with_slot(self, slot: Busy) -> "Calendar":
        """The calendar in which the slot's session takes this time and no other."""
        others = (other for other in self.busy if other.session_id != slot.session_id)
        busy = tuple(sorted((*others, slot), key=lambda one: (one.starts_at, one.session_id)))
        return self.model_copy(update={"busy": busy})

    def noting(self, pair_id: str, *, waits: bool) -> "Calendar":
        """The calendar that knows whether a pair of this person waits for a common hour."""
        others = tuple(other for other in self.waiting if other != pair_id)
        waiting = tuple(sorted((*others, pair_id))) if waits else others
        same = waiting == self.waiting
        return self if same else self.model_copy(update={"waiting": waiting})

    def without(self, session_id: str) -> "Calendar":
        """The calendar in which this session takes no time."""
        busy = tuple(slot for slot in self.busy if slot.session_id != session_id)
        return self.model_copy(update={"busy": busy})


def outcome_of(session_id: str, attempt: int) -> str:
    """The id of how an attempt at a session ended."""
    return f"{session_id}~{attempt}"


LISTED: dict[type[Document], tuple[str, ...]] = {
    Cohort: (),
    Pair: ("state", "stalled", "waits", "mentor_id", "manager_id"),
    Session: ("state", "pair_id", "mentor_id", "manager_id", "starts_at"),
    Outcome: ("outcome", "cause", "disputed", "pair_id"),
    Calendar: (),
}
"""What a coordinator can list, and by what."""

PERSONAL: dict[type[Document], Personal] = {
    Calendar: Personal(("id",)),
    RevokedLinks: Personal(("id",)),
    Pair: Personal(("mentor_id", "manager_id")),
    Session: Personal(("mentor_id", "manager_id")),
    Outcome: Personal(of=("pair_id", Pair)),
}
"""What is kept about a person, for them."""

MEASURES = (
    RunningCount(
        "mentoring_sessions",
        "Attempts at a session that have ended",
        Outcome,
        (("cohort", "cohort_id"), ("outcome", "outcome")),
    ),
    RunningCount(
        "mentoring_pairs_by_sessions",
        "Pairs that were ever formed, by how many sessions they have held",
        Pair,
        (("cohort", "cohort_id"), ("sessions", "completed")),
    ),
)
