"""Which facts are told by letter, and to whom."""

from dataclasses import dataclass
from typing import Literal

from schemas.appointments import RoleGiven, RoleTaken, held_id
from schemas.attention import AttentionGathered
from schemas.base import Event, Message, PairEvent, people_of
from schemas.feedback import SurveyClosed, SurveyOpened
from schemas.matching import (
    ManagerEnrolled,
    ManagerWaitlisted,
    ManagerWithdrew,
    MentorVolunteered,
    MentorWithdrew,
    PairDissolved,
    PairFormed,
    PairProposed,
    ProposalDeclined,
    ProposalExpired,
)
from schemas.meeting import SessionMoveRefused, SessionRelocated
from schemas.notify import News
from schemas.scheduling import (
    AttendanceCorrected,
    AttendanceReminded,
    AttendanceRequested,
    GraduationWithdrawn,
    PairGraduated,
    PairStalled,
    PlanningPostponed,
    SessionCancelled,
    SessionConfirmed,
    SessionDisputed,
    SessionEvent,
    SessionMissed,
    SessionMoveDeclined,
    SessionMoveProposed,
    SessionPlanned,
    SessionPostponed,
    SessionRescheduled,
    SessionShifted,
    SessionWithdrawn,
)
from schemas.taking_part import ManagerPaused, ManagerReturned, MentorReturned
from schemas.values import Side
from services.chassis.documents import RevokedLinks
from services.chassis.domain import One
from services.notify.views import Cohort, Letter, Pair, Person

LinkPurpose = Literal["proposal", "explanation", "session", "attendance", "survey", "week"]


@dataclass(frozen=True, slots=True)
class Telling:
    """How a fact is told.

    - `to`: who gets a letter; `other` is the side that did not act, `concerned` the person whom
      the event names.
    - `link`: what the letter's link lets its reader do.
    - `invitation`: the iTIP method of its calendar part.
    - `introduces`: it makes no sense without the contact of the other side.
    - `waits`: it can wait for an hour, and is told with whatever else there is to tell that day.
    """

    to: Literal["mentor", "manager", "both", "other", "concerned"]
    link: LinkPurpose | None = None
    invitation: Literal["REQUEST", "CANCEL"] | None = None
    introduces: bool = False
    waits: bool = False

    @property
    def copied(self) -> bool:
        """Whether their assistant gets a copy: it is about the date of a session."""
        return self.link == "session" or self.invitation is not None


LETTERS: dict[type[Event], Telling] = {
    MentorVolunteered: Telling("mentor", waits=True),
    ManagerEnrolled: Telling("manager", waits=True),
    MentorReturned: Telling("mentor", waits=True),
    ManagerReturned: Telling("manager", waits=True),
    ManagerWaitlisted: Telling("manager"),
    PairProposed: Telling("both", link="proposal", introduces=True),
    ProposalDeclined: Telling("other", waits=True),
    ProposalExpired: Telling("both", waits=True),
    PairFormed: Telling("both", introduces=True, waits=True),
    PairDissolved: Telling("both", waits=True),
    SessionPlanned: Telling("both", link="session", invitation="REQUEST", introduces=True),
    SessionRescheduled: Telling("both", link="session", invitation="REQUEST", introduces=True),
    SessionMoveProposed: Telling("other", link="session"),
    SessionMoveDeclined: Telling("both", link="session"),
    SessionMoveRefused: Telling("concerned", link="session"),
    SessionConfirmed: Telling("both", link="session", invitation="REQUEST", introduces=True),
    SessionShifted: Telling("both", link="session", invitation="REQUEST", introduces=True),
    SessionRelocated: Telling("both", link="session", invitation="REQUEST", introduces=True),
    SessionPostponed: Telling("both", invitation="CANCEL"),
    SessionCancelled: Telling("both", invitation="CANCEL"),
    AttendanceRequested: Telling("both", link="attendance", waits=True),
    AttendanceReminded: Telling("both", link="attendance", waits=True),
    AttendanceCorrected: Telling("both", link="attendance", waits=True),
    SessionDisputed: Telling("both", waits=True),
    SessionWithdrawn: Telling("both", invitation="CANCEL"),
    GraduationWithdrawn: Telling("both", waits=True),
    PlanningPostponed: Telling("both", link="week", waits=True),
    # No calendar part: the new date that follows carries the same UID and a higher SEQUENCE.
    SessionMissed: Telling("both", waits=True),
    PairStalled: Telling("both", waits=True),
    PairGraduated: Telling("both", waits=True),
    SurveyOpened: Telling("concerned", link="survey", waits=True),
}
"""Every fact that is told by letter. Facts that are not here are told to nobody."""

REMINDERS: dict[str, Telling] = {
    "ProposalReminder": Telling("both", link="proposal", introduces=True, waits=True),
    "SessionReminder": Telling("both", link="session", waits=True),
    "SessionMoveReminder": Telling("other", link="session", waits=True),
    "SurveyReminder": Telling("concerned", link="survey", waits=True),
}
"""What brings a fact to mind to who has not answered it."""

TEMPLATES: dict[str, type[Event]] = {
    **{kind.__name__: kind for kind in LETTERS},
    "ProposalReminder": PairProposed,
    "SessionReminder": SessionPlanned,
    "SessionMoveReminder": SessionMoveProposed,
    "SurveyReminder": SurveyOpened,
}
"""A letter's template is the name of the event that it tells, or of its reminder."""

TELLINGS: dict[str, Telling] = {
    **{kind.__name__: telling for kind, telling in LETTERS.items()},
    **REMINDERS,
}
"""How each template is told."""

ROLE_LETTERS: dict[str, type[RoleGiven | RoleTaken]] = {
    kind.__name__: kind for kind in (RoleGiven, RoleTaken)
}
"""The templates of what tells somebody of a role that an administrator gave or took."""

_FIRST = ("PairFormed", "PairGraduated", "PairDissolved", "AttendanceRequested")


def rank(template: str) -> int:
    """Its place among what one letter tells: the lowest gives the letter its subject."""
    if template in REMINDERS:
        return len(_FIRST) + 1
    return _FIRST.index(template) if template in _FIRST else len(_FIRST)


Told = tuple[News, Event]
"""A fact that a letter tells, as it came and as it is read."""

Owed = tuple[str, str, Side]
"""A letter that is owed: its id, its reader's, and theirs of the pair's sides."""


def letters_of(event: Message) -> list[Owed]:
    """The letters that are owed for an event, the mentor's first.

    Known from the event alone, the same every time. `letter_id` is `{fact_id}:{person_id}`, and
    the fact id is, by the type of the event:

    - all that concerns a session (SessionPlanned, SessionShifted, AttendanceRequested, …):
      `{type}:{session_id}:{attempt}.{revision}`
    - PairStalled: `PairStalled:{pair_id}:{since, UTC, as 20170306T090000Z}`
    - PairGraduated, if it was taken back before, GraduationWithdrawn: `{type}:{pair_id}:{again}`
    - PlanningPostponed: `PlanningPostponed:{pair_id}:{retry_at, as that of PairStalled}`
    - MentorReturned, ManagerReturned: `{type}:{person}:{again}`
    - ManagerWaitlisted: `ManagerWaitlisted:{manager_id}:{round_id}`
    - RoleGiven, RoleTaken: `{type}:{person_id}~{role}:{when, to the microsecond}`
    - all others: `{type}:{subject}`. MentorVolunteered's subject is the mentor,
      ManagerEnrolled's the manager, SurveyOpened's the survey, and that of what concerns a pair
      is the pair, which is proposed once in its cohort.
    """
    if not isinstance(event, Event) or type(event) not in LETTERS:
        return []
    if isinstance(event, ManagerWaitlisted) and not event.first:
        return []  # a new place on the list is for whoever looks
    if isinstance(event, PlanningPostponed) and not event.first:
        return []  # they know that they have no hour in common
    if isinstance(event, SessionConfirmed) and not event.both:
        return []  # the other one has still to say so
    fact = fact_id(event)
    return [(f"{fact}:{person_id}", person_id, side) for person_id, side in _recipients(event)]


def fact_id(event: Message) -> str:
    """The id of a fact, the same every time; those of different facts differ."""
    subject = f"{type(event).__name__}:{event.subject}"
    match event:
        case SessionEvent():
            return f"{subject}:{event.attempt}.{event.revision}"
        case ManagerWaitlisted():
            return f"{subject}:{event.waiting.round_id}"
        case PlanningPostponed():
            return f"{subject}:{event.retry_at:%Y%m%dT%H%M%SZ}"
        case PairGraduated() if event.again:
            return f"{subject}:{event.again}"
        case GraduationWithdrawn() | MentorReturned() | ManagerReturned():
            return f"{subject}:{event.again}"
        case RoleGiven() | RoleTaken():
            held = held_id(event.person_id, event.role)
            at = event.given_at if isinstance(event, RoleGiven) else event.taken_at
            return f"{type(event).__name__}:{held}:{at:%Y%m%dT%H%M%S.%fZ}"
        case PairStalled():
            return f"{subject}:{event.since:%Y%m%dT%H%M%SZ}"
        case _:
            return subject


def _recipients(event: Event) -> list[tuple[str, Side]]:
    to = LETTERS[type(event)].to
    if isinstance(event, SurveyOpened):
        return [(event.person_id, event.side)]
    if isinstance(event, MentorVolunteered | MentorReturned):
        return [(event.mentor_id, "mentor")]
    if isinstance(event, ManagerEnrolled | ManagerWaitlisted | ManagerReturned):
        return [(event.manager_id, "manager")]
    mentor_id, manager_id = people_of(event.subject)
    both: list[tuple[str, Side]] = [(mentor_id, "mentor"), (manager_id, "manager")]
    if isinstance(event, ProposalDeclined | SessionMoveProposed):
        return [(person_id, side) for person_id, side in both if side != event.by]
    if isinstance(event, SessionMoveRefused):
        return [(person_id, side) for person_id, side in both if side == event.by]
    return [(person_id, side) for person_id, side in both if to in ("both", side)]


def concerned(message: Message) -> tuple[str, ...]:
    """The people whose next letters a fact has to do with."""
    match message:
        case SurveyOpened():
            return (message.person_id,)
        case SurveyClosed():
            mentor_id, manager_id = people_of(message.survey_id)
            return (mentor_id if message.side == "mentor" else manager_id,)
        case PairEvent() | SessionEvent():
            return (message.mentor_id, message.manager_id)
        case MentorVolunteered() | MentorReturned() | MentorWithdrew():
            return (message.mentor_id,)
        case ManagerEnrolled() | ManagerReturned() | ManagerWaitlisted():
            return (message.manager_id,)
        case ManagerWithdrew() | ManagerPaused():
            return (message.manager_id,)
        case _:
            return ()


def event_of(part: News) -> Event:
    """The event that it tells."""
    return TEMPLATES[part.template].model_validate(part.facts)


def other_of(part: News) -> str | None:
    """The id of the other person of the pair that it is about; None if there is no pair."""
    pair = part.facts.get("pair_id")
    if pair is None:
        return None
    mentor_id, manager_id = people_of(pair)
    return manager_id if part.side == "mentor" else mentor_id


def copy_id(letter_id: str) -> str:
    """The id of a letter's copy for its reader's assistant."""
    return f"assistant:{letter_id}"


def named_in(letter: Letter) -> list[str]:
    """The ids of the people whom a digest names; none of any other letter."""
    if letter.template != AttentionGathered.__name__:
        return []
    told = AttentionGathered.model_validate(letter.facts).told
    return [person for kind in told for matter in kind.oldest for person in matter.people]


def to_hand_over(letter: Letter) -> list[One]:
    """The documents that the sender needs beside the letter itself."""
    parts = list(letter.parts())
    others = dict.fromkeys(other for part in parts if (other := other_of(part)))
    others |= dict.fromkeys(named_in(letter))
    pairs = dict.fromkeys(pair for part in parts if (pair := part.facts.get("pair_id")))
    return [
        One(Cohort, letter.cohort_id, letter.cohort_id),
        One(RevokedLinks, letter.cohort_id, letter.person_id),
        *(One(Person, letter.cohort_id, person_id) for person_id in (letter.person_id, *others)),
        *(One(Pair, letter.cohort_id, pair) for pair in pairs),
    ]
