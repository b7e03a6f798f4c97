"""What services publish of a command that they carry out: as much as the pages wait for."""

from collections.abc import Iterable
from datetime import timedelta
from typing import Any

from schemas.appointments import GiveRole, RoleGiven, RoleTaken, TakeRole
from schemas.base import Message, pair_of, recast
from schemas.calendars import (
    AbsenceDeclared,
    AbsenceWithdrawn,
    DeclareAbsence,
    WithdrawAbsence,
)
from schemas.cohorts import ChangePolicy, CloseCohort, CohortClosed, PolicyChanged
from schemas.community import (
    CommunityTold,
    DirectoryChanged,
    StandInDirectory,
    TellCommunity,
)
from schemas.dates import Absence
from schemas.matching import (
    AcceptProposal,
    AvailabilityChanged,
    ChangeAvailability,
    CohortOpened,
    DeclineProposal,
    DissolvePair,
    EnrolManager,
    KeepApart,
    ManagerEnrolled,
    ManagerWithdrew,
    MentorPaused,
    MentorResumed,
    MentorVolunteered,
    MentorWithdrew,
    OpenCohort,
    PairDissolved,
    PairKeptApart,
    PauseMentor,
    ProposalAccepted,
    ProposalDeclined,
    ProposePair,
    ResumeMentor,
    RoundCompleted,
    RunRound,
    VolunteerAsMentor,
    WithdrawManager,
    WithdrawMentor,
)
from schemas.meeting import MeetingPlaceSet, SetMeetingPlace
from schemas.notify import LetterDeferred, RetryLetter
from schemas.people import PersonContact, PersonErased
from schemas.rounds import (
    CallOffRound,
    PairsSimulated,
    RoundCalledOff,
    RoundRequested,
    RoundSimulated,
)
from schemas.scheduling import (
    AcceptMove,
    AttendanceCorrected,
    CancelSession,
    ConfirmSession,
    CorrectAttendance,
    DeclineMove,
    ReportAttendance,
    RescheduleSession,
    SessionCancelled,
    SessionCompleted,
    SessionConfirmed,
    SessionMissed,
    SessionMoveAccepted,
    SessionMoveDeclined,
    SessionMoveProposed,
    SessionRescheduled,
)
from schemas.sheets import SheetTakenBack, SheetWritten, TakeSheetBack, WriteSheet
from schemas.taking_part import (
    AnotherPartnerAsked,
    AskForAnotherPartner,
    ChangeManager,
    ChangeMentor,
    KeepPartner,
    ManagerChanged,
    ManagerPaused,
    ManagerResumed,
    ManagerReturned,
    MentorChanged,
    MentorReturned,
    PartnerKept,
    PauseManager,
    ResumeManager,
    ReturnManager,
    ReturnMentor,
)
from schemas.values import SimulatedPair, SimulatedPlace
from services.portal.views import Cohort, Participant, Session
from tests.portal.stories import PROPOSED, WAITLISTED

_SAME = {
    OpenCohort: CohortOpened,
    CloseCohort: CohortClosed,
    VolunteerAsMentor: MentorVolunteered,
    EnrolManager: ManagerEnrolled,
    PauseMentor: MentorPaused,
    ResumeMentor: MentorResumed,
    WithdrawMentor: MentorWithdrew,
    WithdrawManager: ManagerWithdrew,
    ChangeAvailability: AvailabilityChanged,
    PauseManager: ManagerPaused,
    StandInDirectory: DirectoryChanged,
    TellCommunity: CommunityTold,
    ResumeManager: ManagerResumed,
}


def events_of(command: Any, town: Any) -> Iterable[Message]:
    if (kind := _SAME.get(type(command))) is not None:
        return [recast(kind, command)]
    match command:
        case SetMeetingPlace():
            mentor, manager = command.pair_id.split("~")
            return [recast(MeetingPlaceSet, command, mentor_id=mentor, manager_id=manager)]
        case PersonContact() | PersonErased():
            return [command]
        case AcceptProposal() | DeclineProposal():
            yes = isinstance(command, AcceptProposal)
            mentor, manager = command.pair_id.split("~")
            people = {"mentor_id": mentor, "manager_id": manager}
            return [recast(ProposalAccepted if yes else ProposalDeclined, command, **people)]
        case ChangeMentor() | ChangeManager():
            return [_says(command, town)]
        case ReturnMentor():
            return [recast(MentorReturned, command, again=1)]
        case ReturnManager():
            return [recast(ManagerReturned, command, again=1, enrolled_at=town.now)]
        case AskForAnotherPartner() | KeepPartner():
            asked = isinstance(command, AskForAnotherPartner)
            mentor, manager = command.pair_id.split("~")
            people = {"mentor_id": mentor, "manager_id": manager}
            return [recast(AnotherPartnerAsked if asked else PartnerKept, command, **people)]
        case DeclareAbsence() | WithdrawAbsence():
            declared = isinstance(command, DeclareAbsence)
            last = command.last_day if declared else command.first_day
            absence = Absence(first_day=command.first_day, last_day=last, hours=command.hours)
            told = {"absence": absence, "said_on": f"{town.now:%Y-%m-%d}"}
            return [recast(AbsenceDeclared if declared else AbsenceWithdrawn, command, **told)]
        case WriteSheet() | TakeSheetBack():
            written = isinstance(command, WriteSheet)
            edition = (command.follows or 0) + 1
            return [recast(SheetWritten if written else SheetTakenBack, command, edition=edition)]
        case GiveRole():
            people = town.store.rows[Participant]
            person = people[f"{command.cohort_id}/{command.person_id}"][1]
            holder = {"holder": town.site.pseudonym(person.address), "given_at": town.now}
            return [recast(RoleGiven, command, **holder, asker=town.behind[-1][0].split()[1])]
        case TakeRole():
            return [recast(RoleTaken, command, because="asked")]
        case RetryLetter():
            more = {"person_id": "m-1", "attempt": 0, "cause": "asked again", "retry_at": town.now}
            return [recast(LetterDeferred, command, **more)]
        case RunRound():
            return _round(command, town)
        case DissolvePair():
            mentor, manager = command.pair_id.split("~")
            return [
                recast(
                    PairDissolved, command, mentor_id=mentor, manager_id=manager, cause="request"
                )
            ]
        case ChangePolicy():
            known = town.store.rows[Cohort][f"{command.cohort_id}/{command.cohort_id}"][1]
            return [recast(PolicyChanged, command, before=known.policy, after=command.policy)]
        case CallOffRound():
            return [recast(RoundCalledOff, command)]
        case ProposePair() | KeepApart():
            return [_by_hand(command, town)]
        case ConfirmSession() | RescheduleSession() | CancelSession() | ReportAttendance():
            return _session(command, town)
        case AcceptMove() | DeclineMove() | CorrectAttendance():
            return _session(command, town)
    return []


def _says(command: ChangeMentor | ChangeManager, town: Any) -> Message:
    person = town.store.rows[Participant][f"{command.cohort_id}/{command.subject}"][1]
    new = {name: value for name, value in command.__dict__.items() if value is not None}
    new |= {"organisation": command.organisation or None} if "organisation" in new else {}
    kind = MentorChanged if isinstance(command, ChangeMentor) else ManagerChanged
    return kind.model_validate({**person.model_dump(), **new})


def _round(command: RunRound, town: Any) -> list[Message]:
    about = {"cohort_id": command.cohort_id, "round_id": command.round_id}
    begins = town.now + timedelta(minutes=command.in_minutes) if command.in_minutes else None
    told = {"mode": command.mode, "requested_at": town.now, "begins_at": begins}
    asked = RoundRequested(**about, **told, besides=command.besides)
    if begins is not None:
        return [asked]
    figures = {**about, "proposed": 1, "managers_waiting": 0, "places_free": 0, "score": 71.0}
    if command.mode == "publish":
        return [asked, RoundCompleted(**figures, optimal=True)]
    pair = SimulatedPair(mentor_id="m-1", manager_id="g-1", score=71.0, tools=("linkedin",))
    place = SimulatedPlace(manager_id="g-1", waiting=WAITLISTED.waiting)
    out = "m-1~g-1" in command.besides
    found = {"pairs": () if out else (pair,), "left": (place,) if out else ()}
    return [
        asked,
        PairsSimulated(**about, part=1, **found),
        RoundSimulated(**figures, optimal=True),
    ]


def _by_hand(command: ProposePair | KeepApart, town: Any) -> Message:
    mentor, manager = command.pair_id.split("~")
    people = {"mentor_id": mentor, "manager_id": manager}
    if isinstance(command, KeepApart):
        return recast(PairKeptApart, command, **people)
    more = {"round_id": "by-hand", "chosen_because": command.reason}
    return PROPOSED.model_copy(update={**people, **more, "pair_id": command.pair_id})


def _session(command: Any, town: Any) -> list[Message]:
    mentor, manager, number = command.session_id.split("~")
    rows = town.store.rows[Session]
    session = rows[f"{command.cohort_id}/{command.session_id}"][1]
    about = {
        "cohort_id": command.cohort_id,
        "session_id": command.session_id,
        "pair_id": pair_of(mentor, manager),
        "mentor_id": mentor,
        "manager_id": manager,
        "number": int(number),
        "attempt": 1,
        "revision": 1,
        "starts_at": session.starts_at,
        "ends_at": session.ends_at,
        "by": getattr(command, "by", None),
    }
    match command:
        case ConfirmSession():
            return [SessionConfirmed(**about)]
        case RescheduleSession() if command.starts_at is not None and command.starts_at.hour > 15:
            asked = {"proposed_at": command.starts_at, "answer_by": town.now + timedelta(days=2)}
            return [SessionMoveProposed(**about, **asked)]
        case AcceptMove():
            at = {"proposed_at": command.proposed_at}
            moved = about | {
                "starts_at": command.proposed_at,
                "ends_at": command.proposed_at + (session.ends_at - session.starts_at),
                "previously_at": session.starts_at,
            }
            return [SessionMoveAccepted(**about, **at), SessionRescheduled(**moved)]
        case DeclineMove():
            return [SessionMoveDeclined(**about, proposed_at=command.proposed_at)]
        case CorrectAttendance():
            told = {"held": command.held, "was_held": session.state == "completed"}
            return [AttendanceCorrected(**about, **told, completed=int(command.held))]
        case RescheduleSession():
            length = session.ends_at - session.starts_at
            start = command.starts_at or session.ends_at
            moved = about | {"starts_at": start, "ends_at": start + length}
            return [SessionRescheduled(**moved, previously_at=session.starts_at)]
        case CancelSession():
            return [SessionCancelled(**about, cause="request")]
        case _ if command.held:
            return [SessionCompleted(**about, completed=1)]
    return [SessionMissed(**about, cause="reported")]
