"""Which message leads to which decision. Translation only."""

from collections.abc import Iterable
from datetime import datetime

from schemas.base import Event, Message, PairEvent, parent_pair, people_of
from schemas.matching import AvailabilityChanged, CohortOpened, PairDissolved, PairFormed
from schemas.scheduling import (
    CancelSession,
    ConfirmSession,
    ReportAttendance,
    RescheduleSession,
    SessionEvent,
)
from schemas.topics import COMMANDS
from services.chassis.domain import Decision, Domain, Due, Need, One, State
from services.scheduling import domain
from services.scheduling.agenda import Agenda, agenda_of, new_agenda
from services.scheduling.evolution import evolve
from services.scheduling.views import Calendar, Cohort, Outcome, Pair, Session, outcome_of


def needs(message: Message) -> Iterable[Need]:
    """What a message will touch."""
    cohort_id = message.cohort_id
    match message:
        case CohortOpened():
            yield One(Cohort, cohort_id, cohort_id)
        case AvailabilityChanged():
            yield One(Calendar, cohort_id, message.person_id)
        case PairEvent():
            yield from _agenda(cohort_id, message.pair_id)
        case ReportAttendance():
            yield from _session(cohort_id, message.session_id)
            ended = outcome_of(message.session_id, message.attempt)
            yield One(Outcome, cohort_id, ended)
        case SessionEvent() | ConfirmSession() | RescheduleSession() | CancelSession():
            yield from _session(cohort_id, message.session_id)
        case Due(collection=Session.collection):
            yield from _session(cohort_id, message.id)
        case Due():
            yield from _agenda(cohort_id, message.id)
        case _:
            return


def _session(cohort_id: str, session_id: str) -> Iterable[Need]:
    yield One(Session, cohort_id, session_id)
    yield from _agenda(cohort_id, parent_pair(session_id))


def _agenda(cohort_id: str, pair_id: str) -> Iterable[Need]:
    yield One(Cohort, cohort_id, cohort_id)
    yield One(Pair, cohort_id, pair_id)
    for person_id in people_of(pair_id):
        yield One(Calendar, cohort_id, person_id)


def decide(state: State, message: Message, now: datetime) -> Decision:
    """What follows from a message."""
    cohort_id = message.cohort_id

    def agenda(subject: str) -> Agenda | None:
        return agenda_of(state, cohort_id, parent_pair(subject))

    def session(id: str) -> Session | None:
        return state.get(Session, cohort_id, id)

    match message:
        case PairFormed():
            return domain.begin(new_agenda(state, message), agenda(message.pair_id), now)
        case PairDissolved():
            return domain.dissolve(agenda(message.pair_id))
        case CohortOpened() | AvailabilityChanged():
            return []
        case ConfirmSession(session_id=id):
            return domain.confirm(agenda(id), session(id), message, now)
        case RescheduleSession(session_id=id):
            return domain.reschedule(agenda(id), session(id), message, now)
        case CancelSession(session_id=id):
            return domain.cancel(agenda(id), session(id), message, now)
        case ReportAttendance(session_id=id):
            ended = state.get(Outcome, cohort_id, outcome_of(id, message.attempt))
            return domain.report(agenda(id), session(id), ended, message, now)
        case Due(collection=Session.collection, id=id):
            return domain.session_due(agenda(id), session(id), now)
        case Due(collection=Pair.collection, id=id):
            return domain.pair_due(agenda(id), now)
        case _:
            raise AssertionError(f"scheduling does not handle {type(message).__name__}")


LEARNS: frozenset[type[Event]] = frozenset(
    {CohortOpened, PairFormed, PairDissolved, AvailabilityChanged}
)

DOMAIN = Domain(
    name="scheduling",
    reads=("mentoring.matching.events",),
    documents=(Cohort, Pair, Session, Outcome, Calendar),
    handles=frozenset({*COMMANDS["scheduling"], *LEARNS, Due}),
    learns=LEARNS,
    needs=needs,
    decide=decide,
    evolve=evolve,
)
