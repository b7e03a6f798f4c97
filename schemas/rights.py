"""Who may do what with the services: roles, and one table of what can be asked over HTTP.

Always holds: what does not stand here is refused; a role is never worth more over HTTP than here.
What people do on pages stands in the portal's own table, and what an account may do on the broker
in `schemas.access`.
"""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Literal

from schemas.topics import Service

Role = Literal[
    "participant",
    "assistant",
    "coordinator",
    "administrator",
    "partner",
    "operator",
    "auditor",
    "subscriber",
    "machine",
]

Rows = Literal["all", "cohorts", "own"]
"""Of every cohort; of the cohorts that the caller's token names; of the person alone, which is for
whoever knows who that is to see to: the portal, on their behalf."""

Rights = Mapping[Role, Rows]
"""Which roles may, and of which rows. A role that is not there may not."""

ANYBODY: Rights = MappingProxyType({})
"""What has no guard: it holds nothing of a person, or checks the link that it is behind."""

_RUNNING: Rights = {"coordinator": "cohorts", "administrator": "cohorts", "machine": "cohorts"}
_OWN: Rights = {"participant": "own", **_RUNNING}
_DATES: Rights = {"assistant": "own", **_OWN}
_ADMINISTERING: Rights = {"administrator": "cohorts", "machine": "cohorts"}
_FIGURES: Rights = {
    **_RUNNING,
    "auditor": "cohorts",
    "subscriber": "cohorts",
    "operator": "all",
}
_COPY: Rights = {"participant": "own", **_ADMINISTERING}
_REFUSALS: Rights = {**_RUNNING, "auditor": "cohorts"}
_OPERATING: Rights = {"operator": "all", "machine": "cohorts"}

COMMANDS: Mapping[str, Rights] = {
    "OpenCohort": _ADMINISTERING,
    "ChangePolicy": _ADMINISTERING,
    "CloseCohort": _ADMINISTERING,
    "VolunteerAsMentor": _OWN,
    "EnrolManager": _OWN,
    "PauseMentor": _OWN,
    "ResumeMentor": _OWN,
    "WithdrawMentor": _OWN,
    "WithdrawManager": _OWN,
    "ChangeAvailability": _OWN,
    "StandInDirectory": _OWN,
    "TellCommunity": _RUNNING,
    "ChangeMentor": _OWN,
    "ChangeManager": _OWN,
    "PauseManager": _OWN,
    "ResumeManager": _OWN,
    "ReturnMentor": _OWN,
    "ReturnManager": _OWN,
    "AskForAnotherPartner": _OWN,
    "KeepPartner": _OWN,
    "RunRound": _RUNNING,
    "CallOffRound": _RUNNING,
    "ProposePair": _RUNNING,
    "KeepApart": _RUNNING,
    "AcceptProposal": _OWN,
    "DeclineProposal": _OWN,
    "DissolvePair": _RUNNING,
    "ConfirmSession": _DATES,
    "AnswerInvitation": _OWN,
    "RescheduleSession": _DATES,
    "AcceptMove": _DATES,
    "DeclineMove": _DATES,
    "CancelSession": _DATES,
    "ReportAttendance": _OWN,
    "CorrectAttendance": _OWN,
    "DeclareAbsence": _OWN,
    "WithdrawAbsence": _OWN,
    "OfferHours": _OWN,
    "SetMeetingPlace": _OWN,
    "NameLineManager": _RUNNING,
    "RetryLetter": _RUNNING,
    "ReportBounce": _RUNNING,
    "PersonContact": _OWN,
    "PersonErased": {"participant": "own", **_ADMINISTERING},
}
"""`POST /commands/NAME`. What only a link can ask for (`AnswerSurvey`) is not there, for nobody."""

LISTED: Mapping[Service, Mapping[str, Rights]] = {
    "matching": {
        "cohorts": _FIGURES,
        "mentors": _RUNNING,
        "managers": _RUNNING,
        "pairs": _RUNNING,
        "rounds": _RUNNING,
        "simulations": _RUNNING,
        "overrides": _RUNNING,
        "people/{person_id}": _COPY,
    },
    "scheduling": {
        "cohorts": _FIGURES,
        "pairs": _RUNNING,
        "sessions": _RUNNING,
        "sessions/{id}/slots": _RUNNING,
        "outcomes": _RUNNING,
        "calendars": _RUNNING,
        "people/{person_id}": _COPY,
    },
    "feedback": {"cohorts": _FIGURES, "pairs": _RUNNING},
    "notify": {"letters": _RUNNING, "people/{person_id}": _COPY},
    "portal": {},
}
"""`GET /cohorts/{cohort_id}/NAME`, by service."""

EVERYWHERE: Mapping[str, Rights] = {
    "GET /cohorts": _FIGURES,
    "GET /cohorts/{cohort_id}": _FIGURES,
    "GET /refusals/{cohort_id}/{command_id}": _REFUSALS,
    "GET /parked": _OPERATING,
}
"""The same in every service."""

ABOUT_NOBODY = frozenset(
    {
        *("OpenCohort", "ChangePolicy", "CloseCohort", "TellCommunity", "RunRound", "CallOffRound"),
        *("cohorts", "GET /cohorts", "GET /cohorts/{cohort_id}"),
        "GET /refusals/{cohort_id}/{command_id}",
    }
)
"""Commands, lists and routes that are about nobody in particular. All else is about people, and of
the services only the portal knows who stands above whom: somebody's own token opens it there alone,
behind the wall (`schemas.lines.below`)."""

OPEN = (
    "GET /links/{token}",
    "POST /links/{token}",
    "GET /health/live",
    "GET /health/ready",
    "GET /metrics",
    "GET /asyncapi",
    "GET /docs",
    "GET /openapi.json",
)
"""What is open to anybody."""

TOOLS: Mapping[str, str] = {
    "import": "HTTP: coordinator or administrator of the cohort, machine",
    "round": "HTTP: coordinator or administrator of the cohort, machine",
    "person": "HTTP: administrator of all cohorts, machine",
    "erase": "HTTP: administrator of all cohorts, machine",
    "audit": "broker: operator, for the auditor",
    "rebuild": "broker and database: operator",
    "topics plan": "broker: operator",
    "topics check": "broker: operator",
    "topics apply": "broker: operator",
    "topics access": "broker: operator",
    "topics list": "nobody's data: anybody",
    "parked list": "database: operator",
    "parked show": "database: operator",
    "parked retry": "broker and database: operator",
    "parked drop": "broker and database: operator",
    "match": "nobody else's data: whoever has the files",
    "letters list": "HTTP: coordinator or administrator of the cohort, machine",
    "letters resend": "HTTP: coordinator or administrator of the cohort, machine",
    "letters preview": "nobody's data: anybody",
    "schemas generate": "nobody's data: anybody",
    "schemas check": "nobody's data: anybody",
    "schemas list": "nobody's data: anybody",
    "schemas sample": "nobody's data: anybody",
    "schemas publish": "the registry's own account",
    "schemas release": "nobody's data: anybody",
    "demo": "invented people, on one's own machine: anybody",
    "chaos": "invented people, on one's own machine: anybody",
    "up": "on one's own machine: anybody",
}
"""`connecte`: what each of its commands needs, and so who can use it."""


def about_people(method: str, path: str) -> bool:
    """Whether what a route tells, in whatever words, may be about somebody."""
    within = path.removeprefix("/commands/").removeprefix("/cohorts/{cohort_id}/")
    return ABOUT_NOBODY.isdisjoint((within, f"{method} {path}"))


def rights(service: Service, method: str, path: str) -> Rights | None:
    """Who may use a route of a service; None: nobody, for it does not stand in the table."""
    if method == "POST":
        return COMMANDS.get(path.removeprefix("/commands/"))
    within = path.removeprefix("/cohorts/{cohort_id}/")
    if within != path:
        return LISTED[service].get(within)
    return EVERYWHERE.get(f"{method} {path}")
