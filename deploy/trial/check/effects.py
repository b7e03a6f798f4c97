"""What shows that a command had its effect, and who is told what: for the check and the simulation.

Told from the rules of the programme and never taken from the services. Always holds: every command
has a row, and every event is the effect of a command or one that nobody asks for; what a log has
beside them is a finding. Which facts are told by letter, and to whom, stands beside that.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from deploy.trial.check.findings import Report
from deploy.trial.check.wire import OF_A_PARTITION, TO_A_PARTITION, Asked, Entry, Log

Fits = Callable[[Asked, Entry], bool]


def _always(_: Asked, __: Entry) -> bool:
    return True


def _same(field: str) -> Fits:
    def fits(asked: Asked, fact: Entry) -> bool:
        return bool(asked.data.get(field) == fact.data.get(field))

    return fits


def _reported(asked: Asked, fact: Entry) -> bool:
    if fact.name in ("AttendanceCorrected", "SessionDisputed"):
        return _same("held")(asked, fact) and _same("attempt")(asked, fact)
    held = "SessionCompleted" if asked.data.get("held") else "SessionMissed"
    return fact.name == held and _same("attempt")(asked, fact)


_DATED = ("SessionPlanned", "SessionRescheduled", "SessionShifted")


def _confirmed(asked: Asked, fact: Entry) -> bool:
    """By them; or its date had been, when it was another session's."""
    if fact.name in _DATED:
        return asked.data.get("by") in (fact.data.get("confirmed_by") or ())
    return _same("by")(asked, fact)


def _moved(asked: Asked, fact: Entry) -> bool:
    """It is at that date, or that date is proposed."""
    field = "proposed_at" if fact.name == "SessionMoveProposed" else "starts_at"
    return bool(asked.data.get("starts_at") == fact.data.get(field))


def _placed(asked: Asked, fact: Entry) -> bool:
    """At the same place; what is null may be left out of a command."""
    wanted, told = asked.data.get("place") or {}, fact.data.get("place") or {}
    return all(wanted.get(part) == told.get(part) for part in ("at", "text", "link"))


def _in_their_week(asked: Asked, fact: Entry) -> bool:
    """The order in which the windows are told says nothing."""

    def week(data: Mapping[str, Any]) -> list[str]:
        windows = data.get("availability")
        return sorted(map(str, windows)) if isinstance(windows, list) else []

    return week(asked.data) == week(fact.data)


def _absent(asked: Asked, fact: Entry) -> bool:
    absence = fact.data.get("absence") or {}
    return all(asked.data.get(part) == absence.get(part) for part in _WHEN)


_WHEN = ("first_day", "last_day", "hours")


def _offered(asked: Asked, fact: Entry) -> bool:
    offered = fact.data.get("offered") or {}
    hours = sorted(map(str, asked.data.get("hours") or ()))
    same = sorted(map(str, offered.get("hours") or ())) == hours
    return same and asked.data.get("day") == offered.get("day")


def _noted(asked: Asked, fact: Entry) -> bool:
    """Of that calendar the same is known, or something newer."""
    if not _same("calendar")(asked, fact):
        return False
    newer = int(fact.data.get("revision") or 0) > int(asked.data.get("revision") or 0)
    parts = ("goes_first", "hours", "gone")
    return newer or all((asked.data.get(p) or None) == (fact.data.get(p) or None) for p in parts)


def _same_line(asked: Asked, fact: Entry) -> bool:
    return asked.data.get("line_manager") == fact.data.get("line_manager")


def _says(asked: Asked, fact: Entry) -> bool:
    """All that is asked for is what the person says; no needs are those of the job."""
    for field in _SAID:
        wish = asked.data.get(field)
        if wish is not None and wish != {} and wish != fact.data.get(field):
            return False
    organisation = asked.data.get("organisation")  # nothing asks for the cohort's own
    return organisation is None or (organisation or None) == fact.data.get("organisation")


_SAID = (
    *("directorate", "site", "skills", "capacity", "job_family", "needs"),
    *("line_manager", "excludes"),
)


def _listed(asked: Asked, fact: Entry) -> bool:
    """Nobody stands in the directory who has not said so."""
    return bool(asked.data.get("listed")) == bool(fact.data.get("listed"))


def _told(asked: Asked, fact: Entry) -> bool:
    return all(asked.data.get(part) == fact.data.get(part) for part in ("room", "meeting"))


def _written(asked: Asked, fact: Entry) -> bool:
    """In the same words; what is null may be left out of a command."""
    parts = ("tool", "jobs", "fr", "en")
    return all((asked.data.get(part) or None) == (fact.data.get(part) or None) for part in parts)


def _answered(asked: Asked, fact: Entry) -> bool:
    """What the answer asks for is so."""
    match asked.data.get("answer"):
        case "accepted":
            return fact.name in ("SessionConfirmed", *_DATED) and _confirmed(asked, fact)
        case "declined":
            return fact.name == "SessionCancelled"
    if fact.name == "SessionMoveRefused" and not _same("by")(asked, fact):
        return False  # each side is told for itself
    field = "proposed_at" if fact.name in _ANOTHER_TIME else "starts_at"
    return bool(asked.data.get("proposed_at") == fact.data.get(field))


def _appointed(asked: Asked, fact: Entry) -> bool:
    """To the same role, of the same organisations in whatever order."""
    named = (sorted(map(str, told.get("organisations") or ())) for told in (asked.data, fact.data))
    return _same("role")(asked, fact) and len({tuple(names) for names in named}) == 1


def _was_answered(_: Asked, fact: Entry) -> bool:
    return fact.text("outcome") == "answered"


_ANOTHER_TIME = ("SessionMoveProposed", "SessionMoveRefused")


@dataclass(frozen=True, slots=True)
class Effect:
    """What follows from a command that is not refused.

    - `events`: exactly one of these, whatever else comes with it.
    - `already`: nothing, where one of these facts on its subject was there before and `fits`: the
      wish was fulfilled. Without any, each record of the command has an outcome of its own.
    """

    events: tuple[str, ...]
    already: tuple[str, ...] = ()
    fits: Fits = _always


_TOLD = ("SessionCompleted", "SessionMissed", "AttendanceCorrected", "SessionDisputed")

EFFECTS: Mapping[str, Effect] = {
    "OpenCohort": Effect(("CohortOpened",), already=("CohortOpened",)),
    "ChangePolicy": Effect(("PolicyChanged",), already=("CohortOpened", "PolicyChanged")),
    "CloseCohort": Effect(("CohortClosed",), already=("CohortClosed",)),
    "VolunteerAsMentor": Effect(
        ("MentorVolunteered", "MentorResumed"), already=("MentorVolunteered",)
    ),
    "EnrolManager": Effect(("ManagerEnrolled",), already=("ManagerEnrolled",)),
    "PauseMentor": Effect(("MentorPaused",), already=("MentorPaused",)),
    "ResumeMentor": Effect(("MentorResumed",), already=("MentorVolunteered",)),
    "WithdrawMentor": Effect(("MentorWithdrew",), already=("MentorWithdrew",)),
    "WithdrawManager": Effect(("ManagerWithdrew",), already=("ManagerWithdrew",)),
    "ChangeMentor": Effect(
        ("MentorChanged",), already=("MentorChanged", "MentorVolunteered"), fits=_says
    ),
    "ChangeManager": Effect(
        ("ManagerChanged",), already=("ManagerChanged", "ManagerEnrolled"), fits=_says
    ),
    "StandInDirectory": Effect(
        ("DirectoryChanged",), already=("DirectoryChanged", "MentorVolunteered"), fits=_listed
    ),
    "TellCommunity": Effect(
        ("CommunityTold",), already=("CommunityTold", "CohortOpened"), fits=_told
    ),
    "WriteSheet": Effect(("SheetWritten",), already=("SheetWritten",), fits=_written),
    "TakeSheetBack": Effect(("SheetTakenBack",), already=("SheetTakenBack",)),
    "PauseManager": Effect(("ManagerPaused",), already=("ManagerPaused",)),
    "ResumeManager": Effect(("ManagerResumed",), already=("ManagerEnrolled",)),
    "ReturnMentor": Effect(("MentorReturned",), already=("MentorVolunteered",)),
    "ReturnManager": Effect(("ManagerReturned",), already=("ManagerEnrolled",)),
    "ChangeAvailability": Effect(
        ("AvailabilityChanged",),
        already=("AvailabilityChanged", "MentorVolunteered", "ManagerEnrolled"),
        fits=_in_their_week,
    ),
    "RunRound": Effect(("RoundRequested",), already=("RoundRequested",)),
    "CallOffRound": Effect(("RoundCalledOff",), already=("RoundCalledOff",)),
    "ProposePair": Effect(("PairProposed",)),
    "NameLineManager": Effect(
        ("LineManagerNamed",), already=("LineManagerNamed",), fits=_same_line
    ),
    "KeepApart": Effect(("PairKeptApart",), already=("PairKeptApart",)),
    "AcceptProposal": Effect(("ProposalAccepted",)),
    "DeclineProposal": Effect(("ProposalDeclined",)),
    "DissolvePair": Effect(("PairDissolved",), already=("PairDissolved",)),
    "AskForAnotherPartner": Effect(
        ("AnotherPartnerAsked",), already=("AnotherPartnerAsked",), fits=_same("by")
    ),
    "KeepPartner": Effect(("PartnerKept",)),
    "RevokeLinks": Effect(("LinksRevoked",)),
    "ConfirmSession": Effect(
        ("SessionConfirmed",), already=("SessionConfirmed", *_DATED), fits=_confirmed
    ),
    "RescheduleSession": Effect(
        ("SessionRescheduled", "SessionMoveProposed"),
        already=(*_DATED, "SessionMoveProposed"),
        fits=_moved,
    ),
    "AcceptMove": Effect(("SessionMoveAccepted",)),
    "DeclineMove": Effect(("SessionMoveDeclined",)),
    "AnswerInvitation": Effect(
        ("SessionConfirmed", "SessionCancelled", "SessionRescheduled", *_ANOTHER_TIME),
        already=("SessionConfirmed", "SessionCancelled", *_DATED, *_ANOTHER_TIME),
        fits=_answered,
    ),
    "SetMeetingPlace": Effect(("MeetingPlaceSet",), already=("MeetingPlaceSet",), fits=_placed),
    "CancelSession": Effect(("SessionCancelled",), already=("SessionCancelled",)),
    "ReportAttendance": Effect(
        _TOLD,
        already=_TOLD,
        fits=_reported,
    ),
    "CorrectAttendance": Effect(("AttendanceCorrected",)),
    "DeclareAbsence": Effect(("AbsenceDeclared",), already=("AbsenceDeclared",), fits=_absent),
    "WithdrawAbsence": Effect(("AbsenceWithdrawn",)),
    "OfferHours": Effect(("HoursOffered",), already=("HoursOffered",), fits=_offered),
    "NoteHoursElsewhere": Effect(
        ("HoursElsewhereNoted",), already=("HoursElsewhereNoted",), fits=_noted
    ),
    # What changes an answer names nobody, so nothing tells of which command it is the effect.
    "AnswerSurvey": Effect(("SurveyClosed",), already=("SurveyClosed",), fits=_was_answered),
    "GiveRole": Effect(("RoleGiven",), already=("RoleGiven",), fits=_appointed),
    "TakeRole": Effect(("RoleTaken",)),
    "RetryLetter": Effect(("LetterDeferred",)),
    "ReportBounce": Effect(("LetterFailed",), already=("LetterFailed",)),
}
"""Every command of the programme. What is asked of a partition instead is not looked at."""

UNASKED = frozenset(
    {
        *("ProposalExpired", "PairFormed", "RoundCompleted", "ManagerWaitlisted"),
        *("PairsSimulated", "RoundSimulated", "PairChosenByHand"),
        *("SessionPlanned", "SessionShifted", "SessionPostponed", "SessionRelocated"),
        *("PairStalled", "PairGraduated"),
        *("PlanningBegan", "PlanningPostponed", "AttendanceRequested", "AttendanceReminded"),
        *("SessionWithdrawn", "GraduationWithdrawn"),
        *("CohortMeasured", "RolloutRecommended", "RolloutWithheld"),
        *("SurveyOpened", "SurveyAnswered", "AnswersCounted", "PairAtRisk"),
        *("AttentionWanted", "AttentionSettled", "AttentionGathered", "DigestQueued"),
        "RoleLetterQueued",
        *("RetentionEnded", "ContactsErased"),
        *("HoursTold", "AddressChanged"),
        *("NewsHeld", "NewsDropped", "LetterQueued", "LetterSent", "CommandRefused"),
    }
)
"""The events that come with an effect, with another service's fact, or with time."""

BOTH = ("mentor", "manager")
OWED: dict[str, tuple[str, ...]] = {
    "MentorVolunteered": ("mentor",),
    "ManagerEnrolled": ("manager",),
    "MentorReturned": ("mentor",),
    "ManagerReturned": ("manager",),
    "ManagerWaitlisted": ("manager",),  # but only the first time
    "PairProposed": BOTH,
    "ProposalDeclined": BOTH,  # but not who declined
    "ProposalExpired": BOTH,
    "PairFormed": BOTH,
    "PairDissolved": BOTH,
    "SessionPlanned": BOTH,
    "SessionRescheduled": BOTH,
    "SessionMoveProposed": BOTH,  # but not who proposed it
    "SessionMoveDeclined": BOTH,
    "SessionMoveRefused": BOTH,  # but only who proposed it
    "SessionShifted": BOTH,
    "SessionConfirmed": BOTH,  # but only once both have
    "SessionRelocated": BOTH,
    "SessionPostponed": BOTH,
    "SessionCancelled": BOTH,
    "SessionMissed": BOTH,
    "AttendanceRequested": BOTH,
    "AttendanceReminded": BOTH,
    "AttendanceCorrected": BOTH,
    "SessionDisputed": BOTH,
    "SessionWithdrawn": BOTH,
    "GraduationWithdrawn": BOTH,
    "PlanningPostponed": BOTH,  # but only the first time
    "PairStalled": BOTH,
    "PairGraduated": BOTH,
    "SurveyOpened": BOTH,  # but only the side that is asked
}
"""The facts that are told, and to which sides. Nothing else is told to anybody."""

SHOWING = frozenset(name for effect in EFFECTS.values() for name in effect.already)
"""The facts that can show that there was nothing left to do."""

KNOWN = frozenset(name for effect in EFFECTS.values() for name in effect.events) | UNASKED


def check_known(log: Log, report: Report) -> None:
    """Nothing is in the log of which nobody has written down here what it means."""
    for command in log.commands:
        if command.name not in EFFECTS and command.name not in TO_A_PARTITION:
            report.lost.append(f"{command}: the check does not know what it leads to.")
    for entry in log.entries:
        if entry.name not in KNOWN and entry.name not in OF_A_PARTITION:
            report.lost.append(f"{entry}: the check does not know where it comes from.")
