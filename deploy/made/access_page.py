"""The table of docs/access.md: every route and every command, and who may use it. From the code.

`python -m deploy.made.access_page` writes it; a test holds it to be current.
"""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import get_args

from schemas.rights import COMMANDS, EVERYWHERE, LISTED, OPEN, OWN
from schemas.roles import Rights, Role
from schemas.tools import TOOLS, of_all
from schemas.topics import COMMANDS as CARRIED_OUT
from schemas.topics import Service
from services.portal.pages import ROUTES, Who

PAGE = Path(__file__).parents[2] / "docs" / "access.md"
MARK = "<!-- generated: python -m deploy.made.access_page -->\n"

ROLES: tuple[Role, ...] = get_args(Role)
_WHO: Mapping[Who, str] = {
    "anybody": "anybody",
    "signed-in": "whoever is signed in, of their own things",
    "partner": "coordinator of the programme, administrator; partner coordinator, of their people",
    "coordinator": "coordinator of the programme, administrator",
    "administrator": "administrator",
    "some-administrator": "administrator of any programme, of theirs",
    "auditor": "auditor of the programme",
    "provider": "the identity provider, by a token that it has signed",
}


def page(old: str) -> str:
    """The whole page: what was written by hand, and the table as it is today."""
    return old.partition(MARK)[0] + MARK + "".join(_tables())


def _tables() -> Iterator[str]:
    yield "\n### HTTP of the services\n\n"
    used = [role for role in ROLES if any(role in rights for _, rights in _routes())]
    yield f"| service | route | {' | '.join(used)} |\n"
    yield f"| --- | --- | {' | '.join('---' for _ in used)} |\n"
    for (service, route), rights in _routes():
        told = " | ".join(rights.get(role, "") for role in used)
        yield f"| {service} | `{route}` | {told} |\n"
    for route in OPEN:
        yield f"| every | `{route}` | {' | '.join('open' for _ in used)} |\n"
    yield "\n### Pages of the portal\n\n| page | who |\n| --- | --- |\n"
    for one in ROUTES:
        yield f"| `{one.method} {one.path}` | {_WHO[one.who]} |\n"
    yield from _tools()


def _tools() -> Iterator[str]:
    used = [role for role in ROLES if any(role in tool.rights for tool in TOOLS.values())]
    yield "\n### `connecte`\n\n"
    yield f"| command | what it reaches | {' | '.join(used)} |\n"
    yield f"| --- | --- | {' | '.join('---' for _ in used)} |\n"
    for name, tool in TOOLS.items():
        yield f"| `connecte {name}` | {tool.reaches} | {_told(tool.rights, used)} |\n"
        for option, more in (tool.options or {}).items():
            rights = of_all((*tool.routes, *more))
            row = f"`connecte {name}` with `{option}` | {tool.reaches} | {_told(rights, used)}"
            yield f"| {row} |\n"


def _told(rights: Rights, used: Sequence[Role]) -> str:
    """The cells of a row; what nothing stands behind is open to whoever runs it."""
    return " | ".join(rights.get(role, "") if rights else "open" for role in used)


def _routes() -> Iterator[tuple[tuple[str, str], Rights]]:
    for name, rights in COMMANDS.items():
        yield (_service(name), f"POST /commands/{name}"), rights
    for service, listed in LISTED.items():
        for name, rights in listed.items():
            yield (service, f"GET /cohorts/{{cohort_id}}/{name}"), rights
    for route, rights in EVERYWHERE.items():
        yield ("every", route), rights
    for route in ("GET /own", "GET /own/{cohort_id}"):
        yield ("portal", route), OWN
    for name, rights in COMMANDS.items():
        if "participant" in rights:
            yield ("portal", f"POST /own/commands/{name}"), OWN


def _service(command: str) -> Service:
    """Who takes a command; contacts and erasures are taken by notify."""
    for service, kinds in CARRIED_OUT.items():
        if command in {kind.__name__ for kind in kinds}:
            return service
    return "notify"


if __name__ == "__main__":
    PAGE.write_text(page(PAGE.read_text(encoding="utf-8")), encoding="utf-8")
