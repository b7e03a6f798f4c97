"""Which message leads to which decision. Translation only."""

from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime
from functools import partial

from schemas.base import Message, PairCommand, PairEvent, parent_pair, people_of
from schemas.calendars import (
    CalendarEvent,
    DeclareAbsence,
    NoteHoursElsewhere,
    OfferHours,
    WithdrawAbsence,
)
from schemas.cohorts import PolicyChanged
from schemas.links import LinksRevoked
from schemas.matching import AvailabilityChanged, CohortOpened, PairDissolved, PairFormed
from schemas.meeting import AnswerInvitation, SetMeetingPlace
from schemas.scheduling import (
    AcceptMove,
    AttendanceCorrected,
    CancelSession,
    ConfirmSession,
    CorrectAttendance,
    DeclineMove,
    ReportAttendance,
    RescheduleSession,
    SessionDisputed,
    SessionEvent,
)
from services.chassis.documents import RevokedLinks
from services.chassis.domain import Decision, Domain, Due, Handlers, Need, One, State
from services.scheduling import (
    absences,
    answering,
    attendance,
    elsewhere,
    moving,
    places,
    planning,
    sessions,
)
from services.scheduling.agenda import Agenda, agenda_of, agendas_of, calendar_of, new_agenda
from services.scheduling.evolution import EVOLUTION
from services.scheduling.views import MEASURES, Calendar, Cohort, Outcome, Pair, Session, outcome_of


def needs(message: Message) -> Iterable[Need]:
    """What a message will touch."""
    cohort_id = message.cohort_id
    match message:
        case CohortOpened() | PolicyChanged():
            yield One(Cohort, cohort_id, cohort_id)
        case AvailabilityChanged() | CalendarEvent():
            yield One(Calendar, cohort_id, message.person_id)
        case DeclareAbsence() | WithdrawAbsence() | OfferHours():
            # Their pairs are told by the calendar alone: they are read when they are asked for.
            yield One(Cohort, cohort_id, cohort_id)
            yield One(Calendar, cohort_id, message.person_id)
        case PairEvent() | PairCommand():
            yield from _needs_of_agenda(cohort_id, message.pair_id)
        case ReportAttendance() | CorrectAttendance() | SessionDisputed() | AttendanceCorrected():
            yield from _needs_of_session(cohort_id, message.session_id)
            ended = outcome_of(message.session_id, message.attempt)
            yield One(Outcome, cohort_id, ended)
        case SessionEvent() | ConfirmSession() | RescheduleSession() | CancelSession():
            yield from _needs_of_session(cohort_id, message.session_id)
        case AcceptMove() | DeclineMove() | AnswerInvitation():
            yield from _needs_of_session(cohort_id, message.session_id)
        case Due(collection=Session.collection):
            yield from _needs_of_session(cohort_id, message.id)
        case Due():
            yield from _needs_of_agenda(cohort_id, message.id)
        case LinksRevoked():
            yield One(RevokedLinks, cohort_id, message.person_id)
        case NoteHoursElsewhere():
            yield One(Cohort, cohort_id, cohort_id)
            yield One(Calendar, cohort_id, message.person_id)
        case _:
            return


def _needs_of_session(cohort_id: str, session_id: str) -> list[Need]:
    agenda = _needs_of_agenda(cohort_id, parent_pair(session_id))
    return [One(Session, cohort_id, session_id), *agenda]


def _needs_of_agenda(cohort_id: str, pair_id: str) -> list[Need]:
    mentor_id, manager_id = people_of(pair_id)
    return [
        One(Cohort, cohort_id, cohort_id),
        One(Pair, cohort_id, pair_id),
        One(Calendar, cohort_id, mentor_id),
        One(Calendar, cohort_id, manager_id),
    ]


def _pair_formed(state: State, event: PairFormed, now: datetime, key: bytes = b"") -> Decision:
    known = _agenda(state, event, event.pair_id)
    return planning.begin(new_agenda(state, event), known, now, key)


def _pair_dissolved(state: State, event: PairDissolved, _: datetime) -> Decision:
    return planning.dissolve(_agenda(state, event, event.pair_id))


def _confirm(state: State, command: ConfirmSession, now: datetime) -> Decision:
    return sessions.confirm(*_session(state, command, command.session_id), command, now)


def _reschedule(state: State, command: RescheduleSession, now: datetime) -> Decision:
    return moving.reschedule(*_session(state, command, command.session_id), command, now)


def _accept_move(state: State, command: AcceptMove, now: datetime) -> Decision:
    return moving.accept(*_session(state, command, command.session_id), command, now)


def _decline_move(state: State, command: DeclineMove, now: datetime) -> Decision:
    return moving.decline(*_session(state, command, command.session_id), command, now)


def _answer(state: State, command: AnswerInvitation, now: datetime) -> Decision:
    return answering.answer(*_session(state, command, command.session_id), command, now)


def _set_place(state: State, command: SetMeetingPlace, now: datetime) -> Decision:
    return places.choose(_agenda(state, command, command.pair_id), command, now)


def _cancel(state: State, command: CancelSession, now: datetime) -> Decision:
    return sessions.cancel(*_session(state, command, command.session_id), command, now)


def _report(state: State, command: ReportAttendance, now: datetime) -> Decision:
    ended = outcome_of(command.session_id, command.attempt)
    outcome = state.get(Outcome, command.cohort_id, ended)
    return attendance.report(*_session(state, command, command.session_id), outcome, command, now)


def _correct(state: State, command: CorrectAttendance, now: datetime) -> Decision:
    ended = outcome_of(command.session_id, command.attempt)
    outcome = state.get(Outcome, command.cohort_id, ended)
    return attendance.settle(*_session(state, command, command.session_id), outcome, command, now)


def _availability_changed(state: State, event: AvailabilityChanged, now: datetime) -> Decision:
    cohort_id, person_id = event.cohort_id, event.person_id
    calendar = calendar_of(state, cohort_id, person_id, event.availability)
    agendas = agendas_of(state, cohort_id, person_id) if calendar.waiting else ()
    return planning.plan_again(agendas, calendar, now)


def _declare_absence(state: State, command: DeclareAbsence, now: datetime) -> Decision:
    return absences.declare(*_person(state, command), command, now)


def _withdraw_absence(state: State, command: WithdrawAbsence, now: datetime) -> Decision:
    return absences.withdraw(*_person(state, command), command, now)


def _offer_hours(state: State, command: OfferHours, now: datetime) -> Decision:
    return absences.offer(*_person(state, command), command, now)


def _note_hours(state: State, command: NoteHoursElsewhere, now: datetime) -> Decision:
    return elsewhere.note(*_person(state, command), command, now)


def _due(state: State, due: Due, now: datetime) -> Decision:
    if due.collection == Session.collection:
        return attendance.session_due(*_session(state, due, due.id), now)
    return planning.pair_due(_agenda(state, due, due.id), now)


def _noted(*_: object) -> Decision:
    """What is learned, and nothing follows from."""
    return []


HANDLERS: Handlers = {
    CohortOpened: _noted,
    PolicyChanged: _noted,
    LinksRevoked: _noted,
    AvailabilityChanged: _availability_changed,
    PairFormed: _pair_formed,
    PairDissolved: _pair_dissolved,
    ConfirmSession: _confirm,
    RescheduleSession: _reschedule,
    AcceptMove: _accept_move,
    DeclineMove: _decline_move,
    CancelSession: _cancel,
    SetMeetingPlace: _set_place,
    AnswerInvitation: _answer,
    ReportAttendance: _report,
    CorrectAttendance: _correct,
    DeclareAbsence: _declare_absence,
    WithdrawAbsence: _withdraw_absence,
    OfferHours: _offer_hours,
    NoteHoursElsewhere: _note_hours,
    Due: _due,
}
"""Message to decision."""


def _agenda(state: State, message: Message, subject: str) -> Agenda | None:
    """The agenda of the pair that a subject (the pair, or a session of it) belongs to."""
    return agenda_of(state, message.cohort_id, parent_pair(subject))


def _session(
    state: State, message: Message, session_id: str
) -> tuple[Agenda | None, Session | None]:
    """A session as it is planned now, with its agenda."""
    session = state.get(Session, message.cohort_id, session_id)
    return _agenda(state, message, session_id), session


def _person(
    state: State, command: DeclareAbsence | WithdrawAbsence | OfferHours | NoteHoursElsewhere
) -> tuple[Cohort | None, Calendar, list[Agenda]]:
    """Somebody's calendar, with the agendas of their pairs."""
    cohort_id, person_id = command.cohort_id, command.person_id
    cohort = state.get(Cohort, cohort_id, cohort_id)
    calendar = calendar_of(state, cohort_id, person_id)
    return cohort, calendar, agendas_of(state, cohort_id, person_id)


DOMAIN = Domain(
    name="scheduling",
    reads=("mentoring.matching.events",),
    documents=(Cohort, Pair, Session, Outcome, Calendar, RevokedLinks),
    learns=frozenset(
        {
            *(CohortOpened, PolicyChanged, PairFormed, PairDissolved, AvailabilityChanged),
            LinksRevoked,
        }
    ),
    handlers=HANDLERS,
    evolution=EVOLUTION,
    needs=needs,
    counts=MEASURES,
)


def with_rooms(key: bytes) -> Domain:
    """The domain in which a pair's room cannot be guessed without this key."""
    formed = partial(_pair_formed, key=key)
    return replace(DOMAIN, handlers={**HANDLERS, PairFormed: formed})
