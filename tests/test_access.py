"""Who may do what: one table, every route of every service, every command of the operators.

Always holds: a route or a command that nobody has given a rule fails here, and is refused there.
The whole table is tried on each service's own HTTP application, as its composition root builds
it, over the twins of the store and of the log: every role, on its own cohort and on another's.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib import import_module
from typing import Any, get_args

import httpx
import pytest
import typer
from fastapi import FastAPI
from fastapi.routing import iter_route_contexts

from deploy.cli import app as connecte
from schemas import rights as table
from schemas.actors import Actor
from schemas.envelope import Record, encode
from schemas.gate.samples import message_of
from schemas.journal import CommandRefused
from schemas.rights import OPEN
from schemas.roles import Rights, Role, Rows
from schemas.sources import source_of
from schemas.tools import TOOLS
from schemas.topics import TYPES, Service, partition_of, stream_topic
from services.chassis.domain import Document
from services.chassis.http.effects import Effects
from services.chassis.http.links import generate_keys
from services.chassis.log.memory import MemoryLog
from services.chassis.runtime import Service as Running
from services.chassis.runtime import verifier_of
from services.chassis.store.kept import MemoryKept
from services.chassis.store.memory import MemoryStore
from services.portal.pages import ROUTES as PAGES

SERVICES: tuple[Service, ...] = get_args(Service)
ROLES: tuple[Role, ...] = get_args(Role)
OWN, OTHER = "own-cohort", "other-cohort"
PRIVATE_KEY, PUBLIC_KEY = generate_keys()
ENVIRONMENT = {
    "KAFKA_BOOTSTRAP_SERVERS": "127.0.0.1:1",
    "MONGODB_URI": "mongodb://127.0.0.1:1/",
    "CONNECTE_LINK_VERIFY_KEY": PUBLIC_KEY,
    "CONNECTE_LINK_SIGNING_KEY": PRIVATE_KEY,
    "CONNECTE_HTTP_TOKEN": "the token that opens everything",
    "SMTP_HOST": "127.0.0.1",
    **{
        f"CONNECTE_{name.upper()}_URL": f"http://127.0.0.1:1{name}"
        for name in ("matching", "scheduling", "feedback", "notify", "portal")
    },
    "CONNECTE_HTTP_TOKENS": "["
    + ",".join(
        f'{{"name": "{role}", "role": "{role}", "cohorts": ["{OWN}"],'
        f' "token": "the narrow token of {role}"}}'
        for role in ROLES
    )
    + "]",
}


@dataclass(frozen=True, slots=True)
class Asked:
    """One route of a service, and who may use it."""

    service: Service
    method: str
    path: str
    rights: Rights | None

    def __str__(self) -> str:
        return f"{self.service} {self.method} {self.path}"


class Stand:
    """A service's application as its root builds it, over the twins, with rows of two cohorts."""

    def __init__(self, service: Service) -> None:
        self.running: Running = import_module(f"services.{service}.app").build()
        running, self.store, self.log = self.running, MemoryStore(), MemoryLog()
        self.store.kept = MemoryKept()  # type: ignore[attr-defined]
        running.store = self.store  # type: ignore[assignment]
        running.log = running.commands.topic.log = self.log  # type: ignore[assignment]
        running.commands.effects = Effects(service, self.store)
        self.app: FastAPI = running._http(verifier_of(running.settings))
        self.store.refresh = _nothing  # type: ignore[method-assign]
        for kind in running.parts.listed:
            for cohort in (OWN, OTHER):
                self.store._write([(0, filled(kind, cohort))])
        for cohort in (OWN, OTHER):
            self.log._append(refused(service, cohort, running.settings.partitions))

    def client(self, token: str) -> httpx.AsyncClient:
        transport = httpx.ASGITransport(self.app, raise_app_exceptions=False)
        headers = {"authorization": f"Bearer {token}"}
        return httpx.AsyncClient(transport=transport, base_url="http://here", headers=headers)

    @property
    def sent(self) -> int:
        """How many wishes were taken."""
        rows = self.log.records.items()
        return sum(len(some) for (topic, _), some in rows if not topic.endswith(".private"))


def refused(service: Service, cohort: str, partitions: int) -> Record:
    """Something that somebody asked of a service, which said no."""
    event = message_of(CommandRefused).model_copy(update={"cohort_id": cohort})
    spot = stream_topic(service, "private"), partition_of(cohort, partitions)
    source = source_of(service, "private", spot[1])
    actor = Actor("user", "s-lise", "coordinator", "portal")
    moment = datetime(2017, 3, 6, 9, tzinfo=UTC)
    return encode(event, *spot, id="x", source=source, time=moment, sequence=1, actor=actor)


async def _nothing() -> None:
    pass


def filled(kind: type[Document], cohort: str) -> Document:
    """A document of a cohort, with something in every field that has to have something."""
    schema = kind.model_json_schema()
    value = _value(schema, schema.get("$defs", {}))
    own_name = kind.collection == "cohorts"
    return kind.model_validate(value | {"id": cohort if own_name else "x", "cohort_id": cohort})


def _value(part: dict[str, Any], shared: dict[str, Any]) -> Any:
    match part:
        case {"examples": [first, *_]} | {"enum": [first, *_]} | {"const": first}:
            return first
        case {"$ref": str(name)}:
            return _value(shared[name.rpartition("/")[2]], shared)
        case {"anyOf": [first, *_]}:
            return _value(first, shared)
        case {"type": "object", "properties": dict(fields)}:
            needed = part.get("required", ())
            return {name: _value(fields[name], shared) for name in needed}
        case {"type": "string", "format": "date-time"}:
            return "2017-03-06T09:00:00Z"
        case {"type": "array" | "object" as kind}:
            return [] if kind == "array" else {}
        case {"type": "integer" | "number"}:
            return part.get("minimum", 1)
        case {"type": "boolean"}:
            return False
    return "m-1"


@pytest.fixture
def environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in ENVIRONMENT.items():
        monkeypatch.setenv(name, value)


def asked_of(service: Service, app: FastAPI) -> Iterator[Asked]:
    """Every route that an application has, but for the portal's pages."""
    pages = {(page.method, page.path) for page in PAGES}
    for route in iter_route_contexts(app.routes):
        for method in sorted(route.methods or ()):
            if (method, route.path) in pages or route.name in ("file", "nowhere"):
                continue
            if method != "HEAD":
                path = str(route.path)
                yield Asked(service, method, path, table.rights(service, method, path))


@pytest.mark.parametrize("service", SERVICES)
def test_every_route_of_every_service_has_its_rule(service: Service, environment: None) -> None:
    found = list(asked_of(service, Stand(service).app))
    without = [str(one) for one in found if one.rights is None]
    assert [one for one in without if one.partition(" ")[2] not in OPEN] == []
    assert len(found) > 8


def test_nothing_stands_in_the_table_that_nobody_can_ask_for(environment: None) -> None:
    served = {str(one) for name in SERVICES for one in asked_of(name, Stand(name).app)}
    paths = {one.partition(" ")[2] for one in served}
    assert {f"POST /commands/{name}" for name in table.COMMANDS} <= paths
    assert set(table.EVERYWHERE) | set(OPEN) <= paths
    for service, listed in table.LISTED.items():
        for name in listed:
            assert f"{service} GET /cohorts/{{cohort_id}}/{name}" in served


def test_every_command_of_the_operators_has_its_rule() -> None:
    def names(group: Any, before: str = "") -> Iterator[str]:
        for name, command in group.commands.items():
            if hasattr(command, "commands"):
                yield from names(command, f"{before}{name} ")
            else:
                yield f"{before}{name}"

    assert set(names(typer.main.get_command(connecte))) == set(TOOLS)


def may(rights: Rights | None, role: Role, cohort: str | None) -> bool:
    """Whether a token of this role, for `OWN`, opens it: what the table says, in plain words."""
    rows: Rows | None = (rights or {}).get(role)
    return rows == "all" or (rows == "cohorts" and cohort in (OWN, None))


@pytest.mark.parametrize("service", SERVICES)
async def test_every_role_gets_what_the_table_says_of_its_cohort_and_of_anothers(
    service: Service, environment: None
) -> None:
    stand = Stand(service)
    tried = 0
    for one in asked_of(service, stand.app):
        if f"{one.method} {one.path}" in OPEN:
            continue
        of_cohort = one.method == "POST" or "{cohort_id}" in one.path
        for role in ROLES:
            async with stand.client(f"the narrow token of {role}") as client:
                for cohort in (OWN, OTHER) if of_cohort else (None,):
                    before = stand.sent
                    answer = await ask(client, one, cohort)
                    allowed = may(one.rights, role, cohort)
                    assert (answer.status_code != 403) is allowed, (str(one), role, cohort)
                    assert (stand.sent > before) is (allowed and one.method == "POST")
                    rows_are_theirs(one, role, answer, cohort)
                    tried += 1
    assert tried >= len(ROLES) * 4


async def ask(client: httpx.AsyncClient, one: Asked, cohort: str | None) -> httpx.Response:
    named = {"cohort_id": cohort, "id": "x", "command_id": "x", "person_id": "x"}
    path = re.sub(r"\{(\w+)\}", lambda found: str(named[found[1]]), one.path)
    if one.method == "GET":
        return await client.get(path)
    kind = TYPES.get(one.path.rpartition("/")[2]) or _erasing(one)
    body = message_of(kind).model_dump(mode="json", exclude_unset=True)  # type: ignore[type-var]
    return await client.post(path, json=body | {"cohort_id": cohort})


def _erasing(one: Asked) -> Any:
    return getattr(import_module("schemas.people"), one.path.rpartition("/")[2])


def rows_are_theirs(one: Asked, role: Role, answer: httpx.Response, cohort: str | None) -> None:
    """What is shown is of the cohort that was asked for, and nothing where it is refused."""
    if answer.status_code == 403:
        assert answer.json()["rule"] in ("other-role", "other-cohort")
        assert answer.json().keys() == {"type", "status", "title", "rule"}
    elif one.method == "GET" and "items" in answer.text:
        told = answer.json()["items"]
        allowed = {OWN, OTHER} if (one.rights or {})[role] == "all" else {OWN}
        shown = {row["cohort_id"] for row in told}
        assert shown <= allowed
        if one.path.startswith("/cohorts/{cohort_id}/"):
            assert shown == {cohort}
        elif one.path == "/cohorts" and told:
            assert shown == allowed


@pytest.mark.parametrize("service", SERVICES)
async def test_without_a_token_nothing_but_what_is_open_answers(
    service: Service, environment: None
) -> None:
    stand = Stand(service)
    async with stand.client("none that anybody knows, at all") as client:
        for one in asked_of(service, stand.app):
            if f"{one.method} {one.path}" not in OPEN:
                answer = await ask(client, one, OWN)
                assert answer.status_code == 401, str(one)
    assert stand.sent == 0
