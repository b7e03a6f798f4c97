"""Which message leads to which decision, and what has to be read for it. Translation only."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime

from schemas.base import Event, Message, PairEvent, parent_pair
from schemas.cohorts import PolicyChanged
from schemas.feedback import (
    AnswersCounted,
    AnswerSurvey,
    CohortMeasured,
    PairAtRisk,
    SurveyAnswered,
    SurveyClosed,
    SurveyOpened,
)
from schemas.links import LinksRevoked
from schemas.matching import (
    CohortOpened,
    ManagerEnrolled,
    ManagerWithdrew,
    MentorVolunteered,
    MentorWithdrew,
    PairDissolved,
    PairFormed,
)
from schemas.scheduling import (
    AttendanceCorrected,
    GraduationWithdrawn,
    PairGraduated,
    PairStalled,
    SessionCompleted,
    SessionMissed,
)
from schemas.taking_part import ManagerReturned, MentorReturned
from services.chassis.documents import RevokedLinks
from services.chassis.domain import Decision, Domain, Due, Handlers, Need, One, State
from services.chassis.http.links import LinkVerifier
from services.feedback import cohorts, risk, rollout, surveys
from services.feedback.evolution import EVOLUTION
from services.feedback.lookup import cohort_of, group_in, pair_in, turnout_in
from services.feedback.proof import is_proven
from services.feedback.sealing import Seal
from services.feedback.views import (
    ALL,
    GROUPS,
    Cohort,
    Group,
    Pair,
    Survey,
    Turnout,
    group_id,
    kind_of,
    person_of,
    side_of,
    survey_ids,
)

LEARNS: frozenset[type[Event]] = frozenset(
    {
        CohortOpened,
        PolicyChanged,
        MentorVolunteered,
        MentorWithdrew,
        ManagerEnrolled,
        ManagerWithdrew,
        MentorReturned,
        ManagerReturned,
        PairFormed,
        PairDissolved,
        PairGraduated,
        GraduationWithdrawn,
        SessionCompleted,
        SessionMissed,
        AttendanceCorrected,
        LinksRevoked,
    }
)
"""What other services tell and feedback keeps: its journal has a copy."""


def needs(message: Message) -> Iterator[Need]:
    """The documents that a message's decision and the events that follow touch."""
    cohort_id = message.cohort_id
    if type(message) is not LinksRevoked:
        yield One(Cohort, cohort_id, cohort_id)
    match message:
        case LinksRevoked():
            yield One(RevokedLinks, cohort_id, message.person_id)
        case PairFormed():
            yield One(Pair, cohort_id, message.pair_id)
            yield from _asking(cohort_id, survey_ids(message.pair_id, "start"))
        case SessionCompleted():
            yield from _asking(cohort_id, survey_ids(message.pair_id, f"s{message.number}"))
        case PairGraduated():
            yield One(Pair, cohort_id, message.pair_id)
            yield from _asking(cohort_id, survey_ids(message.pair_id, "end"))
        case AttendanceCorrected():
            yield One(Pair, cohort_id, message.pair_id)
            yield from _asking(cohort_id, survey_ids(message.pair_id, f"s{message.number}"))
        case GraduationWithdrawn():
            yield One(Pair, cohort_id, message.pair_id)
        case PairDissolved() | PairStalled() | SessionMissed() | PairAtRisk():
            yield One(Pair, cohort_id, message.pair_id)
        case SurveyOpened() | SurveyClosed():
            yield from _asking(cohort_id, (message.survey_id,))
        case AnswerSurvey():
            yield from _asking(cohort_id, (message.survey_id,))
            yield One(Group, cohort_id, _group_of(message.survey_id))
            yield One(Pair, cohort_id, parent_pair(message.survey_id))
            yield One(RevokedLinks, cohort_id, person_of(message.survey_id))
        case SurveyAnswered():
            yield One(Group, cohort_id, group_id(message.kind, message.side))
        case AnswersCounted():
            yield One(Group, cohort_id, group_id(message.kind, message.side))
            yield One(Turnout, cohort_id, group_id(message.kind, message.side))
        case Due(collection=Survey.collection):
            yield from _asking(cohort_id, (message.id,))
        case CohortMeasured() | Due(collection=Cohort.collection):
            for name in GROUPS:
                yield One(Group, cohort_id, name)
                yield One(Turnout, cohort_id, name)
            yield One(Turnout, cohort_id, ALL)


def _asking(cohort_id: str, asked: tuple[str, ...]) -> list[Need]:
    """These surveys, and where they are counted."""
    needs: list[Need] = [One(Turnout, cohort_id, ALL)]
    for survey_id in asked:
        needs += One(Survey, cohort_id, survey_id), One(Turnout, cohort_id, _group_of(survey_id))
    return needs


def _group_of(survey_id: str) -> str:
    return group_id(kind_of(survey_id), side_of(survey_id))


def _kept(*_: object) -> Decision:
    """A cohort is measured as soon as it is found due; of links it is known which count no more."""
    return []


def _noted(state: State, event: Event, _: datetime) -> Decision:
    return cohorts.note(cohort_of(state, event), event)


def _pair_formed(state: State, event: PairFormed, now: datetime) -> Decision:
    return _ask(state, event, "start", now)


def _session_completed(state: State, event: SessionCompleted, now: datetime) -> Decision:
    return _ask(state, event, f"s{event.number}", now)


def _attendance_corrected(state: State, event: AttendanceCorrected, now: datetime) -> Decision:
    """Of a session that was held after all both are asked, if they were not before."""
    if event.held and not event.was_held:
        return _ask(state, event, f"s{event.number}", now)
    if not event.held and event.was_held:
        pair = pair_in(state, event.cohort_id, event.pair_id)
        return risk.miss(cohort_of(state, event), pair, event)
    return _noted(state, event, now)


def _pair_graduated(state: State, event: PairGraduated, now: datetime) -> Decision:
    return _ask(state, event, "end", now)


def _ask(
    state: State,
    event: PairEvent | SessionCompleted | AttendanceCorrected,
    occasion: str,
    now: datetime,
) -> Decision:
    ids = survey_ids(event.pair_id, occasion)
    found = [state.get(Survey, event.cohort_id, survey_id) for survey_id in ids]
    asked = [survey for survey in found if survey is not None]
    return surveys.ask(cohort_of(state, event), asked, event, occasion, now)


def _session_missed(state: State, event: SessionMissed, _: datetime) -> Decision:
    pair = pair_in(state, event.cohort_id, event.pair_id)
    return risk.miss(cohort_of(state, event), pair, event)


def _pair_stalled(state: State, event: PairStalled, _: datetime) -> Decision:
    pair = pair_in(state, event.cohort_id, event.pair_id)
    return risk.stall(cohort_of(state, event), pair, event)


def _answer(state: State, command: AnswerSurvey, now: datetime, seal: Seal) -> Decision:
    cohort_id, group = command.cohort_id, _group_of(command.survey_id)
    asked = surveys.Asked(
        cohort_of(state, command),
        pair_in(state, cohort_id, parent_pair(command.survey_id)),
        group_in(state, cohort_id, group),
        turnout_in(state, cohort_id, group),
    )
    survey = state.get(Survey, cohort_id, command.survey_id)
    return surveys.answer(survey, asked, command, now, seal)


def _nothing_sealed(state: State, due: Due, now: datetime) -> Decision:
    """Where no answers are taken, there are none to open."""
    return _due(state, due, now, Seal("of nobody"))


def _unproven(*_: object) -> Decision:
    """Without a key that proofs are checked by, there are none."""
    return surveys.NOT_TAKEN


def _due(state: State, due: Due, now: datetime, seal: Seal) -> Decision:
    if due.collection == Survey.collection:
        return surveys.expire(state.get(Survey, due.cohort_id, due.id), now)
    groups = {name: group_in(state, due.cohort_id, name) for name in GROUPS}
    turnouts = {name: turnout_in(state, due.cohort_id, name) for name in (ALL, *GROUPS)}
    return rollout.measure(cohort_of(state, due), groups, turnouts, now, seal)


HANDLERS: Handlers = {
    CohortOpened: _kept,
    LinksRevoked: _kept,
    PolicyChanged: _noted,
    MentorVolunteered: _noted,
    MentorWithdrew: _noted,
    ManagerEnrolled: _noted,
    ManagerWithdrew: _noted,
    MentorReturned: _noted,
    ManagerReturned: _noted,
    PairFormed: _pair_formed,
    PairDissolved: _noted,
    PairGraduated: _pair_graduated,
    PairStalled: _pair_stalled,
    SessionCompleted: _session_completed,
    SessionMissed: _session_missed,
    AttendanceCorrected: _attendance_corrected,
    GraduationWithdrawn: _noted,
    AnswerSurvey: _unproven,
    Due: _nothing_sealed,
}
"""Message to decision."""

DOMAIN = Domain(
    name="feedback",
    reads=("mentoring.matching.events", "mentoring.scheduling.events"),
    documents=(Cohort, Group, Turnout, Survey, Pair, RevokedLinks),
    learns=LEARNS,
    handlers=HANDLERS,
    evolution=EVOLUTION,
    needs=needs,
    # The figures hold it back while few have answered.
    untold=frozenset({AnswerSurvey, SurveyAnswered, SurveyClosed, AnswersCounted}),
)


def domain_by(links: LinkVerifier, seal: Seal) -> Domain:
    """The service that takes the answers which come with a proof, and seals them."""

    def answer(state: State, command: AnswerSurvey, now: datetime) -> Decision:
        revoked = state.get(RevokedLinks, command.cohort_id, person_of(command.survey_id))
        if not is_proven(links, command, now, revoked):
            return surveys.NOT_TAKEN
        return _answer(state, command, now, seal)

    def due(state: State, due: Due, now: datetime) -> Decision:
        return _due(state, due, now, seal)

    return replace(DOMAIN, handlers={**HANDLERS, AnswerSurvey: answer, Due: due})
