"""What a command of `connecte` asks of the services is what the table of rights says of it."""

import json
import re
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any, ClassVar
from urllib.parse import urlsplit

import pytest
from typer.testing import CliRunner

from deploy.cli import app
from schemas.tools import TOOLS, of_all
from schemas.topics import Service
from tests.deploy.operating.test_rosters import Files, manager, mentor

SERVICES: tuple[Service, ...] = ("matching", "scheduling", "notify")
BY_HTTP = {name: tool for name, tool in TOOLS.items() if tool.routes}
ROUND = {"id": "r", "state": "completed", "proposed": 0, "managers_waiting": 0, "places_free": 0}
PERSON = {"person_id": "p", "name": "Lise", "email": "lise@m.example", "role": "coordinator"}
LETTER = {"id": "x", "state": "failed", "cause": "smtp 550", "due_at": None}
ANSWERS: dict[str, Any] = {
    "/cohorts": {"items": [{"id": "c"}]},
    "/cohorts/c/mentors": {"items": [{"id": "p", "state": "active"}]},
    "/cohorts/c/managers": {"items": [{"id": "p", "state": "active"}]},
    "/cohorts/c/rounds": {"items": [ROUND]},
    "/cohorts/c/letters": {"items": [LETTER]},
    "/cohorts/c/people/p": {"documents": {"people": [PERSON]}},
    "/cohorts/c/people/stranger": {"documents": {}},
}


class Platform(BaseHTTPRequestHandler):
    """Answers as the services do, and keeps what it was asked."""

    asked: ClassVar[set[str]] = set()

    def do_GET(self) -> None:
        self._take("GET", ANSWERS.get(self._where(), {"items": []}))

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["content-length"]))
        self._take("POST", {"command_id": "x", "done": True})

    def _where(self) -> str:
        return "/" + urlsplit(self.path).path.split("/", 2)[2]

    def _take(self, method: str, body: Any) -> None:
        service, where = self.path.split("/", 2)[1], self._where()
        path = re.sub("^/cohorts/c", "/cohorts/{cohort_id}", where)
        path = re.sub("/people/(p|stranger)$", "/people/{person_id}", path)
        self.asked.add(f"{service} {method} {path}")
        self.send_response(200)
        self.send_header("content-type", "application/json")
        self.end_headers()
        self.wfile.write(json.dumps(body).encode())

    def log_message(self, *_: object) -> None:
        """Nothing."""


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    with ThreadingHTTPServer(("127.0.0.1", 0), Platform) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


def arguments(name: str, option: str | None, folder: Path) -> list[str]:
    """What somebody types for it."""
    files = Files(folder).write([mentor("m-1")], [manager("g-1")])
    lines = folder / "lines.csv"
    lines.write_text("person;chief\nm-1;g-1\n")
    rosters = ["--mentors", str(files.mentors), "--managers", str(files.managers)]
    auditor = ["--role", "auditor"]
    plain = {
        "import": ["--cohort", "c", *rosters],
        "round": ["--cohort", "c", "--round", "r"],
        "person": ["p"],
        "erase": ["p", "--yes"],
        "letters list": ["--cohort", "c"],
        "letters resend": ["--cohort", "c", *([] if option else ["x"])],
        "links revoke": ["p", "--cohort", "c"],
        "coordinators name": ["p", "--cohort", "c"],
        "coordinators remove": ["p", "--cohort", "c"],
        "roles list": ["--cohort", "c"],
        "roles give": ["stranger" if option else "p", "--cohort", "c", *auditor],
        "roles take": ["p", "--cohort", "c", *auditor],
    }
    given = {"--open": ["Pilot"], "--lines": [str(lines)], "--cause": ["smtp 550"]}
    given |= {"--email": ["z@x.example", "--name", "Zoé"]}
    more = [option, *given.get(option, [])] if option else []
    return [*name.split(), *plain[name], *more, "--json"]


def asked_by(name: str, option: str | None, url: str, folder: Path) -> set[str]:
    """The routes that a command asks, but for whether a service is there."""
    Platform.asked.clear()
    settings = {f"CONNECTE_{service.upper()}_URL": f"{url}/{service}" for service in SERVICES}
    done = CliRunner().invoke(app, arguments(name, option, folder), env=settings)
    assert done.exception is None or isinstance(done.exception, SystemExit), done.exception
    return {route for route in Platform.asked if not route.endswith("/health/live")}


CASES = [
    (name, option) for name, tool in BY_HTTP.items() for option in (None, *(tool.options or {}))
]


@pytest.mark.parametrize(("name", "option"), CASES)
def test_a_command_asks_what_stands_behind_its_rights_and_nothing_else(
    name: str, option: str | None, url: str, tmp_path: Path
) -> None:
    tool = BY_HTTP[name]
    expected = {*tool.routes, *((tool.options or {})[option] if option else ())}
    asked = asked_by(name, option, url, tmp_path)
    if option == "--simulate":  # which may have been published meanwhile
        expected -= {"matching GET /cohorts/{cohort_id}/simulations"}
    assert asked == expected


def test_who_may_use_a_command_may_use_all_that_it_asks() -> None:
    for tool in BY_HTTP.values():
        assert tool.rights == of_all(tool.routes)
        assert {"administrator", "machine"} <= tool.rights.keys()
        assert tool.rights.keys() <= {"coordinator", "administrator", "auditor", "machine"}
    assert of_all(("matching GET /cohorts",))["operator"] == "all"
    assert set(of_all(("notify POST /commands/PersonErased",))) == {"administrator", "machine"}
    assert "coordinator" not in of_all(
        (*TOOLS["import"].routes, "matching POST /commands/OpenCohort")
    )
    assert TOOLS["erase"].rights.keys() == {"administrator", "machine"}
