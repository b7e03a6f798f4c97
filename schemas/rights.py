"""Who may do what with the services: one table of what can be asked over HTTP.

Always holds: what does not stand here is refused; a role is never worth more over HTTP than here.
What people do on pages stands in the portal's own table, what operators do by `connecte` in
`schemas.tools`, and what an account may do on the broker in `schemas.access`.
"""

from collections.abc import Mapping
from itertools import chain
from types import MappingProxyType

from schemas.base import Command
from schemas.people import PersonContact, PersonErased
from schemas.roles import ADMINISTRATORS, CONCERNED, COORDINATORS, Rights
from schemas.topics import COMMANDS as ASKED
from schemas.topics import Service

ANYBODY: Rights = MappingProxyType({})
"""What has no guard: it holds nothing of a person, or checks the link that it is behind."""

_FIGURES: Rights = {
    **COORDINATORS,
    "auditor": "cohorts",
    "subscriber": "cohorts",
    "operator": "all",
}
_REFUSALS: Rights = {**COORDINATORS, "auditor": "cohorts"}
_AUDITING: Rights = {"auditor": "cohorts", "machine": "cohorts"}
_OPERATING: Rights = {"operator": "all", "machine": "cohorts"}

_WISHES: tuple[type[Command], ...] = (*chain(*ASKED.values()), PersonContact, PersonErased)

COMMANDS: Mapping[str, Rights] = {
    kind.__name__: kind.asked_by for kind in _WISHES if "asked_by" in vars(kind)
}
"""`POST /commands/NAME`, as the command's class says. What only a link can ask for (`AnswerSurvey`)
is not there, for nobody."""

LISTED: Mapping[Service, Mapping[str, Rights]] = {
    "matching": {
        "cohorts": _FIGURES,
        "mentors": COORDINATORS,
        "managers": COORDINATORS,
        "pairs": COORDINATORS,
        "rounds": COORDINATORS,
        "simulations": COORDINATORS,
        "overrides": COORDINATORS,
        "acts": _AUDITING,
        "people/{person_id}": CONCERNED,
    },
    "scheduling": {
        "cohorts": _FIGURES,
        "pairs": COORDINATORS,
        "sessions": COORDINATORS,
        "sessions/{id}/slots": COORDINATORS,
        "outcomes": COORDINATORS,
        "calendars": COORDINATORS,
        "calendars/{id}/waits": COORDINATORS,
        "acts": _AUDITING,
        "people/{person_id}": CONCERNED,
    },
    "feedback": {"cohorts": _FIGURES, "pairs": COORDINATORS, "acts": _AUDITING},
    "notify": {
        "letters": COORDINATORS,
        "roles": {**ADMINISTRATORS, "auditor": "cohorts"},
        "acts": _AUDITING,
        "people/{person_id}": CONCERNED,
    },
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
        *("WriteSheet", "TakeSheetBack"),
        *("cohorts", "GET /cohorts", "GET /cohorts/{cohort_id}"),
        "GET /refusals/{cohort_id}/{command_id}",
    }
)
"""Commands, lists and routes that are about nobody in particular. All else is about people, and of
the services only the portal knows who stands above whom: somebody's own token opens it there alone,
behind the wall (`schemas.lines.below`)."""

OWN: Rights = {"participant": "own"}
"""`/own` of the portal: what is a person's alone, for them, by the address of their token."""

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


def about_people(method: str, path: str) -> bool:
    """Whether what a route tells, in whatever words, may be about somebody."""
    within = path.removeprefix("/commands/").removeprefix("/cohorts/{cohort_id}/")
    return ABOUT_NOBODY.isdisjoint((within, f"{method} {path}"))


def own_rights(method: str, path: str) -> Rights | None:
    """Who may use a route of one's own things; None: it is none."""
    name = path.removeprefix("/own/commands/")
    if method == "POST" and name != path:
        return OWN if "participant" in COMMANDS.get(name, ()) else None
    return OWN if method == "GET" and path in ("/own", "/own/{cohort_id}") else None


def rights(service: Service, method: str, path: str) -> Rights | None:
    """Who may use a route of a service; None: nobody, for it does not stand in the table."""
    if service == "portal" and own_rights(method, path):
        return own_rights(method, path)
    if method == "POST":
        return COMMANDS.get(path.removeprefix("/commands/"))
    within = path.removeprefix("/cohorts/{cohort_id}/")
    if within != path:
        return LISTED[service].get(within)
    return EVERYWHERE.get(f"{method} {path}")
