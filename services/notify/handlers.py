"""Which message leads to which decision. Translation only."""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import datetime
from functools import partial
from typing import Any

from schemas.appointments import GiveRole, RoleGiven, RoleTaken, TakeRole
from schemas.attention import (
    AttentionGathered,
    AttentionSettled,
    AttentionWanted,
    DigestQueued,
    Matter,
)
from schemas.base import Event, Message
from schemas.calendars import HoursElsewhereNoted
from schemas.cohorts import PolicyChanged, RetentionEnded
from schemas.lines import LineManagerNamed, people_told_of
from schemas.links import LinksRevoked
from schemas.matching import CohortOpened, ManagerEnrolled, MentorVolunteered
from schemas.meeting import MeetingPlaceSet
from schemas.notify import (
    AddressChanged,
    ContactsErased,
    HoursTold,
    LetterDeferred,
    LetterFailed,
    LetterQueued,
    LetterSent,
    News,
    NewsDropped,
    NewsHeld,
    ReportBounce,
    RetryLetter,
)
from schemas.people import PersonContact, PersonErased
from schemas.scheduling import SessionCompleted
from schemas.taking_part import ManagerChanged, MentorChanged
from schemas.topics import PEOPLE
from services.chassis.documents import RevokedLinks
from services.chassis.domain import (
    Columns,
    Decision,
    Domain,
    Due,
    Handlers,
    Need,
    One,
    Refusal,
    State,
)
from services.notify import (
    attention,
    delivery,
    elsewhere,
    gathering,
    handlers_of_roles,
    retention,
    telling,
    wall,
)
from services.notify.attention import CONCERNING, concern_id, concerns_of
from services.notify.evolution import EVOLUTION
from services.notify.handlers_of_roles import needs_of_role, roles_of
from services.notify.letters import LETTERS, concerned, copy_id, letters_of
from services.notify.messages import HoursGathered, LetterAttempted, TombstonesWritten
from services.notify.outdating import OUTDATING, read_late
from services.notify.views import (
    MEASURES,
    Cohort,
    Concern,
    Digest,
    Elsewhere,
    HeldRole,
    LateReminder,
    Letter,
    Line,
    Pair,
    Person,
    Retention,
    Tray,
)
from services.notify.wall import Open

_SAY_LINE = (MentorVolunteered, ManagerEnrolled, MentorChanged, ManagerChanged, LineManagerNamed)


def needs(message: Message) -> Iterable[Need]:
    """The documents that a message's decision and its events touch."""
    cohort_id = message.cohort_id
    match message:
        case CohortOpened() | PolicyChanged():
            return [One(Cohort, cohort_id, cohort_id)]
        case LinksRevoked():
            return [One(RevokedLinks, cohort_id, message.person_id)]
        case MeetingPlaceSet():
            return [One(Pair, cohort_id, message.pair_id)]
        case PersonContact() | PersonErased():
            whose = One(Retention, cohort_id, cohort_id)
            waiting = One(Elsewhere, cohort_id, message.person_id)
            roles = roles_of(message) if isinstance(message, PersonErased) else ()
            return [One(Person, cohort_id, message.person_id), whose, waiting, *roles]
        case GiveRole() | TakeRole() | RoleGiven() | RoleTaken():
            return needs_of_role(message)
        case RetentionEnded() | TombstonesWritten() | ContactsErased():
            return [One(Retention, cohort_id, cohort_id)]
        case AttentionWanted() | AttentionSettled():
            concern = concern_id(message.kind, message.about)
            return [One(Concern, cohort_id, concern), One(Digest, cohort_id, cohort_id)]
        case AttentionGathered():
            return [One(Digest, cohort_id, cohort_id)]
        case DigestQueued():
            return [One(Letter, cohort_id, message.letter_id)]
        case NewsHeld() | NewsDropped() | LetterQueued():
            who = cohort_id, message.person_id
            return [One(Tray, *who), One(Elsewhere, *who)]
        case LetterAttempted() if message.copied:
            ids = (message.letter_id, copy_id(message.letter_id))
            letters = (One(Letter, cohort_id, letter_id) for letter_id in ids)
            return [One(Cohort, cohort_id, cohort_id), *letters]
        case LetterAttempted() | LetterSent() | LetterDeferred() | LetterFailed():
            return [One(Cohort, cohort_id, cohort_id), One(Letter, cohort_id, message.letter_id)]
        case RetryLetter() | ReportBounce():
            bounced = concern_id("bounced", message.letter_id)
            return [
                One(Cohort, cohort_id, cohort_id),
                One(Letter, cohort_id, message.letter_id),
                One(Concern, cohort_id, bounced),
            ]
        case Due():
            return list(_needs_when_due(message))
        case _ if type(message) in _OF_HOURS:
            return list(_needs_of_hours(message))
        case _:
            return list(_needs_of_a_fact(message))


def _needs_when_due(due: Due) -> Iterable[Need]:
    cohort_id = due.cohort_id
    if due.collection == Tray.collection:
        yield One(Cohort, cohort_id, cohort_id)
        yield One(Tray, cohort_id, due.id)
    if due.collection == Digest.collection:
        yield One(Cohort, cohort_id, cohort_id)
        yield One(Digest, cohort_id, cohort_id)
        yield from _gathering(cohort_id)


_OF_HOURS = {AddressChanged, HoursElsewhereNoted, HoursGathered, HoursTold}


def _needs_of_hours(message: Message) -> Iterable[Need]:
    match message:
        case AddressChanged() | HoursElsewhereNoted():
            yield One(Elsewhere, message.cohort_id, message.person_id)
        case HoursGathered() | HoursTold():
            for told in message.told:
                yield One(Elsewhere, message.cohort_id, told.person_id)
                yield One(Tray, message.cohort_id, told.person_id)


def _needs_of_a_fact(message: Message) -> Iterable[Need]:
    cohort_id = message.cohort_id
    concerns = [concern_id(kind, about) for kind, about in concerns_of(message)]
    people = concerned(message)
    if people or concerns:
        yield One(Cohort, cohort_id, cohort_id)
    for person_id in people:
        yield One(Tray, cohort_id, person_id)
    # Of what else there is few have anybody elsewhere who hears of it: theirs is read late.
    if type(message) in elsewhere.BEGINNINGS:
        yield from (One(Elsewhere, cohort_id, person_id) for person_id in people)
    for letter_id, _, _ in letters_of(message):
        yield One(Letter, cohort_id, letter_id)
    if isinstance(message, _SAY_LINE):
        yield One(Line, cohort_id, message.subject)
    for concern in concerns:
        yield One(Concern, cohort_id, concern)
    if attention.raises(message):
        yield One(Digest, cohort_id, cohort_id)


def _gathering(cohort_id: str) -> tuple[Columns, ...]:
    """What a digest is made of: what wants attention, the letters among it, coordinators,
    everybody's address, and the lines."""
    return (
        Columns(Concern, cohort_id, ("kind", "about", "people", "since")),
        Columns(Letter, cohort_id, ("id", "facts", "also"), (("state", "failed"),)),
        Columns(Person, cohort_id, ("id", "email"), (("role", "coordinator"),)),
        Columns(Person, cohort_id, ("id", "email")),
        Columns(Line, cohort_id, ("id", "line_manager", "said")),
    )


def _tell(state: State, event: Event, now: datetime) -> Decision:
    owed = [one for one in letters_of(event) if _letter(state, event, one[0]) is None]
    trays = {
        person_id: tray
        for person_id in concerned(event)
        if (tray := state.get(Tray, event.cohort_id, person_id)) is not None
    }
    told = telling.tell(_cohort(state, event), trays, owed, event, now)
    if isinstance(told, Refusal):
        return told
    noticed = _noticed(state, event, now)
    if noticed and any(read_late(event, tray.last) for tray in trays.values()):
        noticed += [attention.settled(one) for one in noticed if isinstance(one, AttentionWanted)]
    return [*told, *noticed]


def _conclude(state: State, attempted: LetterAttempted, now: datetime) -> Decision:
    letter = _letter(state, attempted, attempted.letter_id)
    copy = _letter(state, attempted, copy_id(letter.id)) if letter and attempted.copied else None
    decided = delivery.conclude(_cohort(state, attempted), letter, attempted, now, copy)
    if isinstance(decided, Refusal):
        return decided
    failed = [event for event in decided if isinstance(event, LetterFailed)]
    noticed = [one for event in failed for one in _noticed(state, event, now)]
    return [*decided, *noticed]


def _retry(state: State, command: RetryLetter, now: datetime) -> Decision:
    decided = delivery.retry(_letter(state, command, command.letter_id), now)
    return _and_noticed(state, decided, now)


def _bounced(state: State, command: ReportBounce, now: datetime) -> Decision:
    decided = delivery.bounce(_letter(state, command, command.letter_id), command, now)
    return _and_noticed(state, decided, now)


def _and_noticed(state: State, decided: Decision, now: datetime) -> Decision:
    if isinstance(decided, Refusal):
        return decided
    return [*decided, *(one for event in decided for one in _noticed(state, event, now))]


def _noticed(state: State, event: Event, now: datetime) -> list[Event]:
    """What wants a coordinator's attention after this, and what does not any more."""
    ids = [concern_id(kind, about) for kind, about in concerns_of(event)]
    known = {found: state.get(Concern, event.cohort_id, found) for found in ids}
    if not any(known.values()) and not attention.raises(event):
        return []  # what mostly happens: there is nothing to settle
    return attention.notice(_cohort(state, event), known, event, now)


def _noted(*_: object) -> Decision:
    """What is learned or mirrored, and nothing follows from it."""
    return []


def _reachable(state: State, contact: PersonContact, now: datetime) -> Decision:
    """A contact; a letter that waits for it is tried in its own time."""
    return [*retention.resume(_retention(state, contact), now), *_address(state, contact)]


def _gone(state: State, erased: PersonErased, _: datetime) -> Decision:
    return [*_address(state, erased), *handlers_of_roles.ended(state, erased)]


def _address(state: State, contact: PersonContact | PersonErased) -> list[Event]:
    who = contact.cohort_id, contact.person_id
    return elsewhere.reached(state.get(Person, *who), state.get(Elsewhere, *who), contact)


def _hours_told(_: State, gathered: HoursGathered, __: datetime) -> Decision:
    return [HoursTold(cohort_id=gathered.cohort_id, told=gathered.told)]


def _erased(state: State, report: TombstonesWritten, now: datetime) -> Decision:
    return retention.conclude(_retention(state, report), report, now)


def _due(state: State, due: Due, now: datetime, secret: str = "") -> Decision:
    """What waits becomes letters; these are handed over outside of any decision, and reported."""
    if due.collection == Digest.collection:
        return _gathered(state, due, now, secret)
    if due.collection != Tray.collection:
        return []
    cohort = _cohort(state, due)
    letters = gathering.seal(cohort, state.get(Tray, due.cohort_id, due.id), now)
    if isinstance(letters, Refusal):
        return letters
    return [*letters, *attention.unanswered(cohort, letters, now)]


def _gathered(state: State, due: Due, now: datetime, secret: str) -> Decision:
    """What wants attention, for the coordinators who are named in the cohort."""
    wanting, failed, coordinators, people, lines = map(state.columns, _gathering(due.cohort_id))
    told_of = {letter_id: _told_of(facts, also) for letter_id, facts, also in failed}
    matters = [
        Open(
            kind,
            Matter(about=about, people=tuple(concerned), since=since),
            told_of.get(about, frozenset()).union(concerned),
        )
        for kind, about, concerned, since in wanting
    ]
    chiefs = [(person_id, chief) for person_id, *both in lines for chief in both]
    hidden = wall.hidden_from(dict(coordinators), people, chiefs, secret)
    digest = state.get(Digest, due.cohort_id, due.cohort_id)
    return attention.gather(_cohort(state, due), digest, matters, hidden, now)


def _told_of(facts: Mapping[str, Any], also: Iterable[Any]) -> frozenset[str]:
    """Everybody of whom a letter tells, whoever its reader is."""
    others = (people_told_of(News.model_validate(news).facts) for news in also)
    return people_told_of(facts).union(*others)


HANDLERS: Handlers = {
    **dict.fromkeys((*LETTERS, *OUTDATING, *CONCERNING), _tell),
    CohortOpened: _noted,
    PolicyChanged: _noted,
    MeetingPlaceSet: _noted,
    LinksRevoked: _noted,
    LineManagerNamed: _noted,
    MentorChanged: _noted,
    ManagerChanged: _noted,
    RetentionEnded: _noted,
    PersonContact: _reachable,
    PersonErased: _gone,
    HoursElsewhereNoted: _noted,
    HoursGathered: _hours_told,
    LetterAttempted: _conclude,
    TombstonesWritten: _erased,
    RetryLetter: _retry,
    ReportBounce: _bounced,
    GiveRole: handlers_of_roles.give,
    TakeRole: handlers_of_roles.take,
    Due: _due,
}
"""Message to decision."""


def _cohort(state: State, message: Message) -> Cohort | None:
    return state.get(Cohort, message.cohort_id, message.cohort_id)


def _retention(state: State, message: Message) -> Retention | None:
    return state.get(Retention, message.cohort_id, message.cohort_id)


def _letter(state: State, message: Message, letter_id: str) -> Letter | None:
    return state.get(Letter, message.cohort_id, letter_id)


DOMAIN = Domain(
    name="notify",
    reads=(
        "mentoring.matching.events",
        "mentoring.matching.private",
        "mentoring.scheduling.events",
        "mentoring.scheduling.private",
        "mentoring.feedback.private",
    ),
    tables=(PEOPLE,),
    documents=(
        *(Cohort, Person, Line, Pair, Tray, Letter, LateReminder, Concern, Digest),
        *(Retention, Elsewhere, HeldRole, RevokedLinks),
    ),
    learns=frozenset(
        {
            *(CohortOpened, PolicyChanged, MeetingPlaceSet, RetentionEnded, *_SAY_LINE),
            *(HoursElsewhereNoted, SessionCompleted, LinksRevoked),
        }
    ),
    handlers=HANDLERS,
    evolution=EVOLUTION,
    needs=needs,
    counts=MEASURES,
    signs=frozenset({GiveRole, TakeRole}),
)


def with_secret(secret: str) -> Domain:
    """The domain in which people are known, in the lines and by their roles, by ids made of it."""
    made_with: Handlers = {
        Due: partial(_due, secret=secret),
        GiveRole: partial(handlers_of_roles.give, secret=secret),
    }
    return replace(DOMAIN, handlers={**HANDLERS, **made_with})
