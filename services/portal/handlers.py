"""Which messages the portal learns from. It decides nothing: whatever it reads is noted."""

from collections.abc import Iterable

from schemas.appointments import RoleGiven, RoleTaken, held_id
from schemas.attention import AttentionEvent
from schemas.base import (
    Event,
    ManagerEvent,
    MentorEvent,
    Message,
    PairEvent,
    parent_pair,
    session_of,
)
from schemas.calendars import CalendarEvent
from schemas.cohorts import CohortClosed, PolicyChanged
from schemas.community import CommunityTold
from schemas.feedback import CohortMeasured, RolloutRecommended, RolloutWithheld
from schemas.lines import LineManagerNamed
from schemas.matching import (
    AvailabilityChanged,
    CohortOpened,
    ManagerEnrolled,
    MentorVolunteered,
    RoundEvent,
)
from schemas.notify import LetterDeferred, LetterEvent, LetterFailed
from schemas.people import PersonContact, PersonErased
from schemas.scheduling import (
    AttendanceCorrected,
    PlanningPostponed,
    SessionDisputed,
    SessionEvent,
)
from schemas.sheets import SheetEvent
from schemas.taking_part import ManagerChanged, MentorChanged
from schemas.topics import PEOPLE
from services.chassis.domain import Decision, Domain, Due, Need, One, State
from services.portal.evolution import EVOLUTION
from services.portal.owners import owners_of
from services.portal.views import (
    Apart,
    Cohort,
    Dispute,
    FailedLetter,
    HeldRole,
    Letter,
    Line,
    Pair,
    Participant,
    ProgrammeSheet,
    Round,
    Session,
    Simulation,
    dispute_of,
)

_SAY_LINE = (MentorVolunteered, ManagerEnrolled, MentorChanged, ManagerChanged)


def needs(message: Message) -> Iterable[Need]:
    """The documents that a message's fold touches."""
    cohort_id = message.cohort_id
    match message:
        case (
            CohortOpened()
            | PolicyChanged()
            | CommunityTold()
            | CohortClosed()
            | CohortMeasured()
            | RolloutRecommended()
            | RolloutWithheld()
        ):
            yield One(Cohort, cohort_id, cohort_id)
        case PersonContact() | PersonErased() | AvailabilityChanged() | CalendarEvent():
            yield One(Participant, cohort_id, message.person_id)
        case MentorEvent() | ManagerEvent():
            yield One(Participant, cohort_id, message.subject)
            if isinstance(message, _SAY_LINE):
                yield One(Line, cohort_id, message.subject)
        case LineManagerNamed():
            yield One(Line, cohort_id, message.person_id)
        case PlanningPostponed():
            yield One(Pair, cohort_id, message.pair_id)
            for number in message.numbers:
                yield One(Session, cohort_id, session_of(message.pair_id, number))
        case PairEvent():
            yield One(Pair, cohort_id, message.pair_id)
            yield One(Participant, cohort_id, message.manager_id)
        case SessionEvent():
            yield One(Session, cohort_id, message.session_id)
            yield One(Pair, cohort_id, parent_pair(message.session_id))
            if isinstance(message, SessionDisputed | AttendanceCorrected):
                yield One(Dispute, cohort_id, dispute_of(message.session_id, message.attempt))
        case RoundEvent():
            yield One(Round, cohort_id, message.round_id)
        case RoleGiven() | RoleTaken():
            yield One(HeldRole, cohort_id, held_id(message.person_id, message.role))
        case SheetEvent():
            yield One(ProgrammeSheet, cohort_id, message.sheet_id)
        case AttentionEvent():
            if message.kind == "at-risk":
                yield One(Pair, cohort_id, message.about)
        case LetterEvent():
            yield One(Letter, cohort_id, message.letter_id)
            if isinstance(message, LetterFailed | LetterDeferred):
                yield One(FailedLetter, cohort_id, message.letter_id)
        case _:
            return


def _noted(*_: object) -> Decision:
    """What is learned or mirrored changes the pages, and nothing follows from it."""
    return []


def _left(state: State, message: Message) -> Iterable[str]:
    """Whose sessions, links, addresses, forms and feed end: of whoever is erased, and of an address
    that is not theirs any more."""
    if not isinstance(message, PersonContact | PersonErased):
        return
    known = state.get(Participant, message.cohort_id, message.person_id)
    kept = message.email.casefold() if isinstance(message, PersonContact) else None
    if known is not None and known.address is not None and known.address != kept:
        yield from owners_of(message.cohort_id, known.address)
    if kept is None:
        yield f"{message.cohort_id}/{message.person_id}"


DOMAIN = Domain(
    name="portal",
    reads=(
        "mentoring.matching.events",
        "mentoring.matching.private",
        "mentoring.scheduling.events",
        "mentoring.scheduling.private",
        "mentoring.feedback.events",
        "mentoring.notify.private",
    ),
    tables=(PEOPLE,),
    documents=(
        *(Cohort, Participant, Line, Pair, Session, Dispute, Round, Simulation, Apart),
        *(Letter, FailedLetter, ProgrammeSheet, HeldRole),
    ),
    learns=frozenset(kind for kind in EVOLUTION if issubclass(kind, Event)),
    handlers={**dict.fromkeys(EVOLUTION, _noted), Due: _noted},
    evolution=EVOLUTION,
    needs=needs,
    forgets=_left,
)
