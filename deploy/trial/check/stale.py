"""What is not told any more once something else has happened, by the rules of the programme."""

from deploy.trial.check.wire import Entry

_ENROLLED = ("MentorVolunteered", "MentorReturned", "ManagerEnrolled", "ManagerReturned")
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
    "ProposalAccepted": ("ProposalReminder",),
    "PairFormed": _PROPOSAL,
    "ProposalDeclined": _PROPOSAL,
    "ProposalExpired": _PROPOSAL,
    "PairDissolved": (
        *("PairFormed", "PairStalled", "PlanningPostponed"),
        *("SessionReminder", "SessionMoveReminder"),
    ),
    "PairGraduated": ("GraduationWithdrawn", "PairStalled"),
    "GraduationWithdrawn": ("PairGraduated",),
    "SessionPlanned": (*_DATE, "SessionMissed", "PlanningPostponed"),
    "SessionRescheduled": _DATE,
    "SessionShifted": _DATE,
    "SessionPostponed": _DATE,
    "SessionCancelled": _DATE,
    "SessionMissed": _DATE,
    "SessionCompleted": _DATE,
    "SessionWithdrawn": (*_DATE, "SessionMissed"),
    "SessionMoveProposed": ("SessionMoveProposed", "SessionMoveReminder", "SessionMoveDeclined"),
    "SessionMoveDeclined": ("SessionMoveProposed", "SessionMoveReminder"),
    "SessionConfirmed": ("SessionReminder",),
    "AttendanceReminded": ("AttendanceRequested",),
    "AttendanceCorrected": (
        "AttendanceRequested",
        "AttendanceReminded",
        "AttendanceCorrected",
        "SessionDisputed",
        "SessionMissed",
    ),
    "SurveyClosed": ("SurveyOpened", "SurveyReminder"),
}
REPLACING = tuple(_REPLACED)
"""The facts after which something else is not true any more."""


def replaces(fact: Entry, dropped: Entry) -> bool:
    """Whether what was not told (a `NewsDropped`) is not true any more after this fact."""
    template, subject = dropped.text("template"), dropped.subject.split(":")[1]
    if template not in _REPLACED.get(fact.name, ()):
        return False
    if template in _ENROLLED or template == "ManagerWaitlisted":
        side = "mentor_id" if template.startswith("Mentor") else "manager_id"
        first = fact.name != "ManagerWaitlisted" or bool(fact.data.get("first"))
        return first and subject == fact.text(side)
    if fact.name in ("PairDissolved", "SessionPlanned") and subject != fact.subject:
        # What is said of a pair, by its session; what is said of a session, by its pair.
        return f"{fact.subject}~".startswith(f"{subject}~") or subject.startswith(
            f"{fact.subject}~"
        )
    return subject == fact.subject
