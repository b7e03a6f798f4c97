"""What each command of `connecte` reaches, and so who may use it.

Always holds: of a command that speaks HTTP the rights are those of the routes that it asks, and
stand in no second place; a command that does not stand here fails a test.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import cast

from schemas.rights import ANYBODY, rights
from schemas.roles import BY_TOKEN, Rights, Rows
from schemas.topics import Service

OPERATORS: Rights = {"operator": "all"}
"""Whoever has an account at the broker and the databases, which have no roles but their own."""


@dataclass(frozen=True, slots=True)
class Tool:
    """What a command reaches, in words; its `routes`, where that is HTTP (`SERVICE METHOD PATH`).

    `options`: those with which it asks more routes, and which ones; they may want another role.
    """

    reaches: str
    rights: Rights
    routes: tuple[str, ...] = ()
    options: Mapping[str, tuple[str, ...]] | None = None


def of_all(routes: tuple[str, ...]) -> Rights:
    """Who may use each of these routes with a token of their own, and for which rows."""
    tables = [rights(*_parts(route)) or ANYBODY for route in routes]
    found: dict[str, Rows] = {}
    for role in tables[0]:
        rows = {table.get(role, "own") for table in tables}
        if rows <= BY_TOKEN:
            found[role] = "all" if rows == {"all"} else "cohorts"
    return cast(Rights, found)


def _parts(route: str) -> tuple[Service, str, str]:
    service, method, path = route.split(" ")
    return cast(Service, service), method, path


def _by_http(*routes: str, options: Mapping[str, tuple[str, ...]] | None = None) -> Tool:
    return Tool("HTTP", of_all(routes), routes, options)


_COHORTS = "matching GET /cohorts"
_PEOPLE = "GET /cohorts/{cohort_id}/people/{person_id}"
_IN_COHORT = "matching GET /cohorts/{cohort_id}"
_NAMING = _by_http(_COHORTS, f"notify {_PEOPLE}", "notify POST /commands/PersonContact")
_LETTERS = "notify GET /cohorts/{cohort_id}/letters"
_BROKER = Tool("broker", OPERATORS)
_DATABASE = Tool("database", OPERATORS)
_BOTH = Tool("broker and database", OPERATORS)
_NOTHING = Tool("nobody's data", ANYBODY)
_INVENTED = Tool("invented people, on one's own machine", ANYBODY)

TOOLS: Mapping[str, Tool] = {
    "import": _by_http(
        "notify POST /commands/PersonContact",
        "matching POST /commands/VolunteerAsMentor",
        "matching POST /commands/EnrolManager",
        options={
            "--open": ("matching POST /commands/OpenCohort",),
            "--lines": ("matching POST /commands/NameLineManager",),
        },
    ),
    "round": _by_http(
        "matching POST /commands/RunRound",
        f"{_IN_COHORT}/rounds",
        f"{_IN_COHORT}/pairs",
        options={"--simulate": (f"{_IN_COHORT}/simulations",)},
    ),
    "person": _by_http(
        _COHORTS, *(f"{service} {_PEOPLE}" for service in ("matching", "scheduling", "notify"))
    ),
    "erase": _by_http(
        _COHORTS,
        f"{_IN_COHORT}/mentors",
        f"{_IN_COHORT}/managers",
        "matching POST /commands/WithdrawMentor",
        "matching POST /commands/WithdrawManager",
        "notify POST /commands/PersonErased",
    ),
    "audit": Tool("broker, for the auditor", OPERATORS),
    "rebuild": _BOTH,
    "topics plan": _BROKER,
    "topics check": _BROKER,
    "topics apply": _BROKER,
    "topics access": _BROKER,
    "topics list": _NOTHING,
    "parked list": _DATABASE,
    "parked show": _DATABASE,
    "parked retry": _BOTH,
    "parked drop": _BOTH,
    "match": Tool("files that whoever runs it has", ANYBODY),
    "letters list": _by_http(_LETTERS),
    "letters resend": _by_http(
        "notify POST /commands/RetryLetter", options={"--cause": (_LETTERS,)}
    ),
    "letters preview": _NOTHING,
    "links revoke": _by_http("matching POST /commands/RevokeLinks"),
    "coordinators name": _NAMING,
    "coordinators remove": _NAMING,
    "roles list": _by_http("notify GET /cohorts/{cohort_id}/roles"),
    "roles give": _by_http(
        _COHORTS,
        f"notify {_PEOPLE}",
        "notify POST /commands/GiveRole",
        options={"--email": ("notify POST /commands/PersonContact",)},
    ),
    "roles take": _by_http("notify POST /commands/TakeRole"),
    "schemas generate": _NOTHING,
    "schemas check": _NOTHING,
    "schemas list": _NOTHING,
    "schemas sample": _NOTHING,
    "schemas publish": Tool("the registry, with its own account", OPERATORS),
    "schemas release": _NOTHING,
    "demo": _INVENTED,
    "chaos": _INVENTED,
    "up": Tool("one's own machine", ANYBODY),
}
"""Every command of `connecte`."""
