"""What is not told any more once something else has happened, by the rules of the programme."""

from deploy.trial.check.wire import Entry

_ENROLLED = ("MentorVolunteered", "MentorReturned", "ManagerEnrolled", "ManagerReturned")
_STAYS = ("ProposalDeclined", "ProposalExpired")
_SURVEY = ("SurveyOpened", "SurveyReminder")
_PROPOSAL = ("PairProposed", "ProposalReminder")
_DATE = (
    "SessionPlanned",
    "SessionRescheduled",
    "SessionShifted",
    "SessionRelocated",
    "SessionConfirmed",
    "SessionPostponed",
    "SessionCancelled",
    "SessionMoveProposed",
    "SessionMoveDeclined",
    "SessionMoveRefused",
    "SessionMoveReminder",
    "SessionReminder",
    "AttendanceRequested",
    "AttendanceReminded",
)
_REPLACED: dict[str, tuple[str, ...]] = {
    "PairProposed": (*_ENROLLED, "ManagerWaitlisted"),
    "ManagerWaitlisted": ("ManagerEnrolled", "ManagerReturned"),
    "MentorWithdrew": ("MentorVolunteered", "MentorReturned", *_STAYS),
    "ManagerWithdrew": ("ManagerEnrolled", "ManagerReturned", "ManagerWaitlisted", *_STAYS),
    "ManagerPaused": ("ManagerWaitlisted",),
    "ProposalAccepted": _PROPOSAL,
    "PairFormed": _PROPOSAL,
    "ProposalDeclined": _PROPOSAL,
    "ProposalExpired": _PROPOSAL,
    "PairDissolved": (
        *("PairFormed", "PairStalled", "PlanningPostponed"),
        *("SessionReminder", "SessionMoveReminder", "SessionMissed", "GraduationWithdrawn"),
        *_SURVEY,  # of what is hoped for
    ),
    "PairGraduated": ("GraduationWithdrawn", "PairStalled", "PlanningPostponed"),
    "GraduationWithdrawn": ("PairGraduated",),
    "SessionPlanned": (*_DATE, "SessionMissed", "SessionWithdrawn", "PlanningPostponed"),
    # Whatever becomes of a date that was found: it is waited for no more.
    "SessionRescheduled": (*_DATE, "PlanningPostponed"),
    "SessionShifted": (*_DATE, "PlanningPostponed"),
    "SessionPostponed": (*_DATE, "PlanningPostponed"),
    "SessionCancelled": (*_DATE, "PlanningPostponed"),
    "SessionMissed": (*_DATE, "PlanningPostponed"),
    "SessionCompleted": (*_DATE, "PairStalled", "PlanningPostponed"),
    "SessionWithdrawn": (*_DATE, "SessionMissed", "PlanningPostponed"),
    "SessionMoveProposed": ("SessionMoveProposed", "SessionMoveReminder", "SessionMoveDeclined"),
    "SessionMoveDeclined": ("SessionMoveProposed", "SessionMoveReminder"),
    "SessionRelocated": ("SessionRelocated",),
    "SessionConfirmed": ("SessionReminder",),
    "AttendanceReminded": ("AttendanceRequested",),
    "AttendanceCorrected": (
        "AttendanceRequested",
        "AttendanceReminded",
        "AttendanceCorrected",
        "SessionDisputed",
        "SessionMissed",
        *("PairStalled", "PlanningPostponed"),  # it was held
        *_SURVEY,  # of what was not
    ),
    "SurveyClosed": _SURVEY,
}
REPLACING = tuple(_REPLACED)
"""The facts after which something else is not true any more."""


def replaces(fact: Entry, dropped: Entry) -> bool:
    """Whether what was not told (a `NewsDropped`) is not true any more after this fact."""
    template, subject = dropped.text("template"), dropped.subject.split(":")[1]
    if template not in _REPLACED.get(fact.name, ()):
        return False
    if fact.name in ("MentorWithdrew", "ManagerWithdrew") and template in _STAYS:
        return dropped.text("person_id") == fact.subject
    if template in _ENROLLED or template == "ManagerWaitlisted":
        side = "mentor_id" if template.startswith("Mentor") else "manager_id"
        first = fact.name != "ManagerWaitlisted" or bool(fact.data.get("first"))
        return first and subject == fact.text(side)
    if template in _SURVEY and fact.name != "SurveyClosed":
        held = bool(fact.data.get("held"))
        return not held and subject.startswith(f"{_occasion(fact)}~")
    if template in ("PairStalled", "PlanningPostponed"):
        held = fact.name != "AttendanceCorrected" or bool(fact.data["held"])
        return held and f"{fact.subject}~".startswith(f"{subject}~")
    if fact.name == "PairDissolved":  # what is said of its sessions
        return f"{subject}~".startswith(f"{fact.subject}~")
    return subject == fact.subject


def _occasion(fact: Entry) -> str:
    """What a survey is about that asks what there is not: a pair's hopes, or a session."""
    pair, _, number = fact.subject.rpartition("~")
    return f"{fact.subject}~start" if fact.name == "PairDissolved" else f"{pair}~s{number}"
