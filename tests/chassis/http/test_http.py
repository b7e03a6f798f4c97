"""What a service's HTTP does with what people and programs send it."""

import asyncio
import gzip
import json
from collections.abc import AsyncIterator, Callable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest
from fastapi import FastAPI
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest

from schemas.base import Command
from schemas.envelope import Record, attributes
from schemas.people import PersonContact
from schemas.scheduling import ConfirmSession
from schemas.topics import COMMANDS, PEOPLE
from services.chassis.clock import Clock
from services.chassis.domain import Refusal
from services.chassis.http.answering import Answering
from services.chassis.http.application import create_app
from services.chassis.http.bodies import MAX_BODY
from services.chassis.http.commands import Commands, CommandTopic, command_routes
from services.chassis.http.effects import Effects
from services.chassis.http.foresight import Foresight
from services.chassis.http.guards import protected
from services.chassis.http.links import Link, LinkSigner, LinkVerifier, generate_keys
from services.chassis.http.pages import Choice, Form, LinkPage, Text, link_routes
from services.chassis.http.problems import Problem
from services.chassis.http.projections import projection_routes
from services.chassis.log.memory import MemoryLog
from services.chassis.runtime import Parts, Service
from services.chassis.settings import Settings, WrongSetting, load
from services.chassis.step.stepper import Stepper
from services.chassis.store.contract import NoAnswer
from services.chassis.store.memory import MemoryStore
from services.chassis.watch.metrics import Metrics
from tests.chassis.toy import (
    COMMANDS as TOPIC,
)
from tests.chassis.toy import (
    NOW,
    PARTITIONS,
    TOY,
    Tally,
    World,
    formed,
    types,
)

TOKEN = "a token of more than sixteen characters"
PRIVATE_KEY, PUBLIC_KEY = generate_keys()
SIGNER = LinkSigner(PRIVATE_KEY)
CONFIRM = "/commands/ConfirmSession"
BODY = {"cohort_id": "c", "session_id": "m~g~1", "by": "mentor"}


class WorkedOnAtOnce(MemoryLog):
    """A log whose reader is so quick that a command has been handled when it has been sent."""

    stepper: Stepper | None = None

    async def send(self, record: Record) -> int:
        offset = await super().send(record)
        if self.stepper is not None:
            await self.stepper.handle([self.records[record.topic, record.partition][offset]])
        return offset


@dataclass
class Site:
    """The service's HTTP, with what is behind it."""

    world: World
    log: WorkedOnAtOnce
    app: FastAPI
    metrics: Metrics
    answering: Answering

    def client(self, token: str | None = TOKEN, accept: str = "*/*") -> httpx.AsyncClient:
        headers = {"accept": accept}
        if token is not None:
            headers["authorization"] = f"Bearer {token}"
        transport = httpx.ASGITransport(self.app, raise_app_exceptions=False)
        return httpx.AsyncClient(transport=transport, base_url="http://here", headers=headers)

    @property
    def sent(self) -> list[Any]:
        """What lies in the log of commands and contacts."""
        return [
            row
            for (topic, _), rows in self.log.records.items()
            if topic in (TOPIC, PEOPLE)
            for row in rows
        ]


def _form(_: Link) -> Form:
    options = (("yes", Text("Oui", "Yes")), ("no", Text("Non <b>", "No")))
    return Form(Text("Une question", "A question"), (Choice("answer", Text("?", "?"), options),))


def _command(link: Link, answers: Mapping[str, str], _: str) -> Command:
    if answers.get("answer") not in ("yes", "no"):
        raise Problem(422, "answer: it is yes or no")
    data = {"cohort_id": link.cohort_id, "session_id": link.id, "by": link.side}
    if answers["answer"] == "no":
        data["by"] = answers.get("by", "nobody")
    return ConfirmSession.model_validate(data)


@pytest.fixture
async def site() -> Site:
    store = MemoryStore()
    log = WorkedOnAtOnce()
    world = World(log=log, store=store)
    world.publish(formed("m~g"))
    log.stepper = await world.run()
    clock = Clock(1.0, NOW, NOW, wall=world.hand)
    effects = Effects(TOY.name, store)
    commands = Commands(CommandTopic(TOY.name, log, clock, PARTITIONS), effects)
    metrics = Metrics(TOY.name)
    app = create_app("toy", "A toy.", metrics)
    topics = {PersonContact: PEOPLE}
    kinds = [*COMMANDS["scheduling"], PersonContact]
    guard = protected(TOKEN)
    app.include_router(command_routes(commands, kinds, topics, guard))
    listed = {Tally: ("count",)}
    app.include_router(projection_routes(store, listed, (), TOY.documents, guard))
    link_pages = {"session": LinkPage(_form, _command)}
    answering = Answering(commands, Foresight(TOY, store), clock)
    app.include_router(link_routes(link_pages, LinkVerifier(PUBLIC_KEY), answering))
    return Site(world, log, app, metrics, answering)


def problem(answer: httpx.Response, status: int) -> dict[str, Any]:
    """The problem document of an answer."""
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    found: dict[str, Any] = answer.json()
    assert found["status"] == status
    return found


# --- commands ---------------------------------------------------------------------------------


async def test_a_command_is_sent_and_accepted(site: Site) -> None:
    site.log.stepper = None
    async with site.client() as client:
        answer = await client.post(CONFIRM, json=BODY)

    assert answer.status_code == 202
    [row] = site.sent
    written = attributes(row.headers)
    assert answer.json() == {"command_id": written.id, "done": False}
    assert (written.sequence, written.time) == (None, NOW)
    assert ConfirmSession.model_validate_json(row.value) == ConfirmSession.model_validate(BODY)


TRACE = f"00-{'ab' * 16}-{'cd' * 8}-01"


@pytest.mark.parametrize(
    ("given", "taken"),
    [
        (TRACE, TRACE),
        ("", None),
        (TRACE.upper(), None),
        (f"{TRACE}-more", None),
        (TRACE.replace("ab", "00"), None),
    ],
)
async def test_a_callers_trace_context_goes_on_with_the_command_if_it_is_one(
    site: Site, given: str, taken: str | None
) -> None:
    async with site.client() as client:
        await client.post(CONFIRM, json=BODY, headers={"traceparent": given})
    [row] = site.sent
    assert attributes(row.headers).traceparent == taken


async def test_with_wait_the_answer_comes_once_the_command_is_done(site: Site) -> None:
    async with site.client() as client:
        answer = await client.post(f"{CONFIRM}?wait=5", json=BODY)

    assert (answer.status_code, answer.json()["done"]) == (200, True)
    assert await site.world.tallies() == {"c/m~g": 1}


async def test_with_wait_a_command_that_nobody_handles_in_time_is_accepted(site: Site) -> None:
    site.log.stepper = None
    async with site.client() as client:
        answer = await client.post(f"{CONFIRM}?wait=0.05", json=BODY)

    assert (answer.status_code, answer.json()["done"]) == (202, False)


async def test_with_wait_a_refusal_is_the_answer_and_can_be_read_again(site: Site) -> None:
    async with site.client() as client:
        answer = await client.post(f"{CONFIRM}?wait=5", json={**BODY, "session_id": "x~y~1"})
        refused = problem(answer, 404)
        again = await client.get(f"/refusals/c/{refused['command_id']}")
        nothing = await client.get("/refusals/c/another")

    assert (refused["rule"], refused["title"]) == ("unknown-pair", "There is no such pair.")
    assert again.json()["rule"] == "unknown-pair"
    problem(nothing, 404)


@pytest.mark.parametrize(
    ("command", "own", "status"),
    [
        ("ConfirmSession", {"session_id": "x~y~1"}, 404),
        ("ConfirmSession", {"session_id": "m~g~1"}, 409),
        ("ReportAttendance", {"session_id": "m~g~1", "attempt": 1, "held": False}, 422),
    ],
)
async def test_the_kind_of_a_refusal_is_the_status_of_its_answer(
    site: Site, command: str, own: dict[str, Any], status: int
) -> None:
    body = {"cohort_id": "c", "by": "mentor", **own}
    async with site.client() as client:
        for _ in range(5):
            await client.post(f"{CONFIRM}?wait=5", json=BODY)
        problem(await client.post(f"/commands/{command}?wait=5", json=body), status)


async def test_what_was_set_aside_is_never_called_done(site: Site) -> None:
    broken = {"cohort_id": "c", "session_id": "m~g~1", "by": "mentor"}
    async with site.client() as client:
        fault = await client.post("/commands/CancelSession?wait=5", json=broken)
        behind = await client.post(f"{CONFIRM}?wait=5", json=BODY)
        parked = (await client.get("/parked")).json()["items"]

    for answer, reason in ((fault, "fault"), (behind, "behind")):
        found = problem(answer, 409)
        assert (found["rule"], found["parked"]["reason"]) == ("parked", reason)
        assert reason in found["title"]
        assert "done" not in found
    assert [item["id"] for item in parked] == [
        answer.json()["parked"]["origin"] for answer in (fault, behind)
    ]
    assert await site.world.tallies() == {"c/m~g": 0}


async def test_what_was_dropped_while_somebody_waited_is_not_called_done(site: Site) -> None:
    reader, site.log.stepper = site.log.stepper, None
    broken = {"cohort_id": "c", "session_id": "m~g~1", "by": "mentor"}
    async with site.client() as client:
        waiting = asyncio.ensure_future(client.post("/commands/CancelSession?wait=20", json=broken))
        while not site.sent:
            await asyncio.sleep(0)
        site.world.store.positions = _nowhere  # type: ignore[method-assign]
        await site.world.run(reader)
        [row] = site.sent
        await site.world.drop(f"{row.topic}/{row.partition}/{row.offset}")
        await site.world.run(reader)
        del site.world.store.positions
        found = problem(await waiting, 409)
    assert found["parked"]["reason"] == "dropped"


async def _nowhere(_: Any) -> dict[tuple[str, int], int]:
    return {}


def _refused_without_a_kind(*_: Any) -> Refusal:
    return Refusal(None, "old", "It is from before.")  # type: ignore[arg-type]


async def test_a_refusal_from_before_refusals_had_a_kind_is_a_conflict(site: Site) -> None:
    handlers = {**TOY.handlers, ConfirmSession: _refused_without_a_kind}
    site.log.stepper = site.world.stepper(domain=replace(TOY, handlers=handlers))
    await site.log.stepper.take(range(PARTITIONS))
    async with site.client() as client:
        problem(await client.post(f"{CONFIRM}?wait=5", json=BODY), 409)


async def test_a_command_with_a_topic_of_its_own_goes_there(site: Site) -> None:
    contact = {"cohort_id": "c", "person_id": "m", "name": "Camille", "email": "c@example.org"}
    async with site.client() as client:
        answer = await client.post("/commands/PersonContact?wait=5", json=contact)

    assert answer.json()["done"] is True
    assert [(row.topic, row.key) for row in site.sent] == [(PEOPLE, b"c/m")]


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({**BODY, "session_id": "no session"}, "session_id"),
        ({"cohort_id": "c", "session_id": "m~g~1"}, "by"),
        ({**BODY, "misspelt": 1}, "misspelt"),
        ({**BODY, "cohort_id": "x" * 100}, "cohort_id"),
    ],
)
async def test_what_is_not_valid_is_refused_by_the_name_of_its_field_and_not_sent(
    site: Site, body: dict[str, Any], field: str
) -> None:
    async with site.client() as client:
        found = problem(await client.post(CONFIRM, json=body), 422)

    assert [error["field"] for error in found["errors"]] == [field]
    assert f"{field}:" in found["title"]
    assert site.sent == []


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b"\xff\xfe", b'"text"', b"null"])
async def test_a_body_that_is_no_object_is_a_problem_and_not_a_fault(
    site: Site, content: bytes
) -> None:
    headers = {"content-type": "application/json"}
    async with site.client() as client:
        answer = await client.post(CONFIRM, content=content, headers=headers)

    assert problem(answer, answer.status_code)["status"] in (400, 422)
    assert site.sent == []


async def test_a_wait_that_is_too_long_is_refused_by_its_name(site: Site) -> None:
    async with site.client() as client:
        found = problem(await client.post(f"{CONFIRM}?wait=31", json=BODY), 422)

    assert "wait" in found["errors"][0]["field"]
    assert site.sent == []


@pytest.mark.parametrize("announced", [True, False])
async def test_a_body_that_is_too_large_is_refused_whether_it_announces_its_size_or_not(
    site: Site, announced: bool
) -> None:
    content = b" " * MAX_BODY + b"{}"

    async def pieces() -> AsyncIterator[bytes]:
        for start in range(0, len(content), 10_000):
            yield content[start : start + 10_000]

    headers = {"content-type": "application/json"}
    async with site.client() as client:
        body = content if announced else pieces()
        answer = await client.post(CONFIRM, content=body, headers=headers)
        for kind in ("application/json", "application/x-www-form-urlencoded"):
            body = content if announced else pieces()
            headers = {"content-type": kind}
            link = await client.post(f"/links/{token()}", content=body, headers=headers)
            problem(link, 413)

    assert ("content-length" in answer.request.headers) is announced
    problem(answer, 413)
    assert site.sent == []


async def test_a_body_as_large_as_is_allowed_is_read(site: Site) -> None:
    content = b" " * (MAX_BODY - 2) + b"{}"
    headers = {"content-type": "application/json"}
    async with site.client() as client:
        answer = await client.post(CONFIRM, content=content, headers=headers)

    problem(answer, 422)


# --- who may ----------------------------------------------------------------------------------


@pytest.mark.parametrize("given", [None, "", "wrong", TOKEN[:-1], TOKEN + "x", "é"])
async def test_without_the_token_nothing_is_done_and_nothing_is_shown(
    site: Site, given: str | None
) -> None:
    headers = {} if given is None else {"authorization": f"Bearer {given}".encode()}
    async with site.client(None) as client:
        answers = [
            await client.post(CONFIRM, json=BODY, headers=headers),
            await client.get("/cohorts/c/tallies", headers=headers),
            await client.get("/cohorts/c", headers=headers),
            await client.get("/parked", headers=headers),
            await client.get("/refusals/c/x", headers=headers),
        ]

    for answer in answers:
        problem(answer, 401)
        assert answer.headers["www-authenticate"] == "Bearer"
    assert site.sent == []


@pytest.mark.parametrize("scheme", ["Bearer", "bearer", "BEARER"])
async def test_the_name_of_the_scheme_is_taken_in_any_case(site: Site, scheme: str) -> None:
    async with site.client(None) as client:
        answer = await client.get("/cohorts/c", headers={"authorization": f"{scheme} {TOKEN}"})
        other = await client.get("/cohorts/c", headers={"authorization": f"Basic {TOKEN}"})
    assert answer.status_code == 200
    problem(other, 401)


@pytest.mark.parametrize("content", [b"{", b"\xff", b"[" * 100_000])
@pytest.mark.parametrize("head", [{}, {"content-type": "text/plain"}, {"content-encoding": "gzip"}])
async def test_without_the_token_nothing_of_a_body_is_read(
    site: Site, content: bytes, head: dict[str, str]
) -> None:
    read: list[bytes] = []

    async def pieces() -> AsyncIterator[bytes]:
        read.append(content)
        yield content

    headers = {"content-type": "application/json", **head}
    async with site.client(None) as client:
        problem(await client.post(CONFIRM, content=pieces(), headers=headers), 401)
    assert read == []


# --- manners ----------------------------------------------------------------------------------

COMPRESSED = [("gzip", gzip.compress), ("br", bytes), ("zstd", bytes), ("gzip, gzip", bytes)]


@pytest.mark.parametrize(("coding", "compress"), COMPRESSED)
async def test_a_compressed_body_is_refused_as_what_it_is(
    site: Site, coding: str, compress: Callable[[bytes], bytes]
) -> None:
    headers = {"content-type": "application/json", "content-encoding": coding}
    async with site.client() as client:
        for path, body in ((CONFIRM, BODY), (f"/links/{token()}", {"answer": "yes"})):
            content = compress(json.dumps(body).encode())
            answer = await client.post(path, content=content, headers=headers)
            assert "compressed" in problem(answer, 415)["title"]
            assert answer.headers["accept-encoding"] == "identity"
    assert site.sent == []


@pytest.mark.parametrize("kind", [None, "text/plain", "application/xml", "nonsense", ""])
async def test_a_body_of_no_type_or_of_another_is_refused_as_what_it_is(
    site: Site, kind: str | None
) -> None:
    headers = {} if kind is None else {"content-type": kind}
    async with site.client() as client:
        for path, body in ((CONFIRM, BODY), (f"/links/{token()}", {"answer": "yes"})):
            answer = await client.post(path, content=json.dumps(body), headers=headers)
            found = problem(answer, 415)
            assert "application/json" in found["title"]
            assert ("without" in found["title"]) is (kind is None)
    assert site.sent == []


@pytest.mark.parametrize(
    "head",
    [
        {"content-type": "application/json; charset=utf-8"},
        {"content-type": "Application/JSON"},
        {"content-type": "application/merge-patch+json"},
        {"content-type": "application/json", "content-encoding": "identity"},
    ],
)
async def test_json_is_taken_however_its_type_is_written(site: Site, head: dict[str, str]) -> None:
    async with site.client() as client:
        answer = await client.post(CONFIRM, content=json.dumps(BODY), headers=head)
    assert answer.status_code == 202


GETS = ["/cohorts/c", "/cohorts/c/tallies", "/parked", "/nothing", "/openapi.json", "/docs"]


@pytest.mark.parametrize("path", [*GETS, "link"])
async def test_head_is_answered_as_get_without_the_body(site: Site, path: str) -> None:
    path = f"/links/{token()}" if path == "link" else path
    async with site.client() as client:
        got, head = await client.get(path), await client.head(path)
    assert head.status_code == got.status_code
    assert head.content == b""
    assert head.headers == got.headers
    assert site.sent == []


@pytest.mark.parametrize(
    ("method", "path", "allow"),
    [
        ("GET", CONFIRM, "POST"),
        ("HEAD", CONFIRM, "POST"),
        ("PUT", "/links/x", "GET, HEAD, POST"),
        ("DELETE", "/cohorts/c", "GET, HEAD"),
        ("OPTIONS", "/cohorts/c/tallies", "GET, HEAD"),
        ("POST", "/openapi.json", "GET, HEAD"),
    ],
)
async def test_a_method_that_is_not_there_is_refused_with_those_that_are(
    site: Site, method: str, path: str, allow: str
) -> None:
    async with site.client() as client:
        answer = await client.request(method, path)
    assert (answer.status_code, answer.headers["allow"]) == (405, allow)


async def test_no_answer_leads_to_another_address(site: Site) -> None:
    headers = {"host": "matching.ministry.example", "x-forwarded-proto": "https"}
    paths = [f"/links/{token()}/", f"//links/{token()}", "/cohorts/c/", "/parked/", "/docs/"]
    async with site.client() as client:
        for path in paths:
            for method in ("GET", "HEAD", "POST"):
                answer = await client.request(method, f"http://here{path}", headers=headers)
                assert answer.status_code in (404, 405), path
                assert "location" not in answer.headers
    assert site.sent == []


async def test_a_cohort_that_nobody_knows_is_not_an_empty_one(site: Site) -> None:
    async with site.client() as client:
        await client.post(f"{CONFIRM}?wait=5", json={**BODY, "cohort_id": "unknown"})
        for cohort in ("d", "unknown", "c~", "%ff"):
            problem(await client.get(f"/cohorts/{cohort}/tallies"), 404)
            problem(await client.get(f"/cohorts/{cohort}"), 404)


async def test_requests_are_measured_by_their_route_and_never_by_their_address(
    site: Site,
) -> None:
    async with site.client() as client:
        await client.post(f"{CONFIRM}?wait=5", json=BODY)
        await client.post(CONFIRM, json={**BODY, "by": "nobody"})
        await client.get("/cohorts/c/tallies")
        await client.get("/cohorts/secret-cohort")
        await client.get(f"/links/{token()}")
        await client.head(f"/links/{token()}")
        await client.get("/secret-address")
        await client.request("SECRET", "/parked")
    scraped = generate_latest(site.metrics.registry).decode()

    def counted(method: str, route: str, status: int) -> str:
        labels = f'method="{method}",route="{route}",status="{status}"'
        return f"mentoring_http_requests_total{{{labels}}}"

    for line in (
        f"{counted('POST', CONFIRM, 200)} 1.0",
        f"{counted('POST', CONFIRM, 422)} 1.0",
        f"{counted('GET', '/cohorts/{cohort_id}/tallies', 200)} 1.0",
        f"{counted('GET', '/cohorts/{cohort_id}', 404)} 1.0",
        f"{counted('GET', '/links/{token}', 200)} 2.0",
        f"{counted('GET', 'none', 404)} 1.0",
        f"{counted('other', '/parked', 405)} 1.0",
        'mentoring_http_request_seconds_count{route="/links/{token}"} 2.0',
        "mentoring_http_in_flight 0.0",
    ):
        assert line in scraped, line
    assert "secret" not in scraped.lower()


async def test_a_fault_is_measured_as_one(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    async def fault(*_: Any) -> None:
        raise RuntimeError

    monkeypatch.setattr(site.world.store, "page", fault)
    async with site.client() as client:
        problem(await client.get("/parked"), 500)
    scraped = generate_latest(site.metrics.registry).decode()
    assert 'mentoring_http_requests_total{method="GET",route="/parked",status="500"} 1.0' in scraped


async def test_a_page_that_is_not_there_is_a_problem_document(site: Site) -> None:
    async with site.client() as client:
        problem(await client.get("/nothing"), 404)
        problem(await client.get(CONFIRM), 405)


# --- projections ------------------------------------------------------------------------------


async def test_projections_are_listed_by_id_page_by_page_and_filtered(site: Site) -> None:
    for pair in ("m~i", "m~h"):
        site.world.publish(formed(pair))
    await site.world.run(site.log.stepper)
    async with site.client() as client:
        await client.post(f"{CONFIRM}?wait=5", json=BODY)
        everything = (await client.get("/cohorts/c/tallies")).json()
        page = (await client.get("/cohorts/c/tallies?limit=1&after=m~g")).json()
        some = (await client.get("/cohorts/c/tallies?count=1")).json()
        none = (await client.get("/cohorts/c/tallies?count=9")).json()
        overview = (await client.get("/cohorts/c")).json()

    assert [item["id"] for item in everything["items"]] == ["m~g", "m~h", "m~i"]
    assert ([item["id"] for item in page["items"]], page["total"]) == (["m~h"], 3)
    assert [item["id"] for item in some["items"]] == ["m~g"]
    assert none == {"items": [], "total": 0}
    assert overview == {"tallies": {"all": 3}}


@pytest.mark.parametrize(
    ("query", "named"),
    [
        ("colour=red", "colour: no such filter; there is count"),
        ("count=many", "count: "),
        ("count=9223372036854775808", "count: "),
        ("count=%ff", "count: "),
        ("limit=0", "limit"),
        ("limit=1001", "limit"),
        ("count[$gt]=0", "count[$gt]: no such filter"),
        ("count=1&count=2", "count: given 2 times"),
        ("limit=x&limit=1", "limit: given 2 times"),
    ],
)
async def test_a_filter_that_is_not_there_or_wrong_is_refused_by_its_name(
    site: Site, query: str, named: str
) -> None:
    async with site.client() as client:
        found = problem(await client.get(f"/cohorts/c/tallies?{query}"), 422)

    assert named in found["title"]


async def test_parked_records_are_listed_without_their_bytes(site: Site) -> None:
    site.world.append(Record(TOPIC, 0, b"\xff", b"\xff secret"))
    await site.world.run(site.log.stepper)

    async with site.client() as client:
        answer = await client.get("/parked")

    [item] = answer.json()["items"]
    assert (item["id"], item["reason"], item["size"]) == (f"{TOPIC}/0/0", "bad-headers", 8)
    assert not {"value", "headers", "record_key"} & set(item)


# --- links ------------------------------------------------------------------------------------

HTML, JSON = "text/html,application/xhtml+xml", "application/json"


def token(expires_at: datetime = NOW + timedelta(days=1), **changes: Any) -> str:
    link = Link(purpose="session", cohort_id="c", person_id="m", side="mentor", id="m~g~1")
    return SIGNER.sign(link.model_copy(update=changes), expires_at)


def others_token() -> str:
    private, _ = generate_keys()
    link = Link(purpose="session", cohort_id="c", person_id="m", side="mentor", id="m~g~1")
    return LinkSigner(private).sign(link, NOW + timedelta(days=1))


async def test_looking_at_a_link_shows_its_form_and_changes_nothing(site: Site) -> None:
    async with site.client(None, HTML) as client:
        answers = [await client.get(f"/links/{token()}") for _ in range(3)]
        await client.head(f"/links/{token()}")

    for answer in answers:
        assert answer.status_code == 200
        assert answer.headers["content-type"].startswith("text/html")
        assert answer.headers["cache-control"] == "no-store"
        assert answer.headers["referrer-policy"] == "no-referrer"
        assert "Une question" in answer.text
        assert "A question" in answer.text
        assert "Non &lt;b&gt;" in answer.text, "texts are escaped"
    assert site.sent == []
    assert await site.world.tallies() == {"c/m~g": 0}


@pytest.mark.parametrize("accept", [HTML, JSON])
async def test_a_link_needs_no_other_token_and_sends_its_answer(site: Site, accept: str) -> None:
    async with site.client(None, accept) as client:
        path = f"/links/{token()}"
        if accept == HTML:
            answer = await client.post(path, data={"answer": "yes"})
        else:
            answer = await client.post(path, json={"answer": "yes"})

    assert answer.status_code == 200
    if accept == HTML:
        assert "C’est noté" in answer.text
        assert "has been recorded" in answer.text
    else:
        assert answer.json()["done"] is True
    assert await site.world.tallies() == {"c/m~g": 1}


LINKS = {
    "forged by a stranger": (others_token, 403, "link-forged", "n’est pas valable"),
    "with a letter changed": (
        lambda: token()[:-3] + ("AAA" if token()[-3:] != "AAA" else "BBB"),
        *(403, "link-forged", "n’est pas valable"),
    ),
    "no token at all": (lambda: "no-token", 403, "link-forged", "n’est pas valable"),
    "of another service": (
        *(lambda: token(purpose="survey"), 403, "link-forged", "n’est pas valable"),
    ),
    "expired": (lambda: token(NOW), 410, "link-expired", "a expiré"),
}


@pytest.mark.parametrize("kind", LINKS)
@pytest.mark.parametrize("method", ["GET", "POST"])
async def test_a_link_that_allows_nothing_has_its_own_clear_answer(
    site: Site, kind: str, method: str
) -> None:
    make, status, rule, text = LINKS[kind]
    path, data = f"/links/{make()}", {"answer": "yes"} if method == "POST" else None
    async with site.client(None, HTML) as client:
        page = await client.request(method, path, data=data)
    async with site.client(None, JSON) as client:
        found = problem(await client.request(method, path, json=data), status)

    assert page.status_code == status
    assert page.headers["content-type"].startswith("text/html")
    assert text in page.text
    assert found["rule"] == rule
    assert site.sent == []


async def test_a_link_used_when_its_moment_has_gone_is_a_conflict(site: Site) -> None:
    # given a pair that has met as often as there is
    async with site.client(None, JSON) as client:
        for _ in range(5):
            assert (await client.post(f"/links/{token()}", json={"answer": "yes"})).is_success
        found = problem(await client.post(f"/links/{token()}", json={"answer": "yes"}), 409)
    async with site.client(None, HTML) as client:
        page = await client.post(f"/links/{token()}", data={"answer": "yes"})

    assert found["rule"] == "complete"
    assert (page.status_code, "a déjà sa réponse" in page.text) == (409, True)
    assert await site.world.tallies() == {"c/m~g": 5}


@pytest.mark.parametrize(
    ("answers", "named"),
    [
        ({"answer": "perhaps"}, "answer"),
        ({}, "answer"),
        ({"answer": "no", "by": "x"}, "by"),
    ],
)
async def test_an_answer_that_is_none_is_refused_by_its_name(
    site: Site, answers: dict[str, str], named: str
) -> None:
    async with site.client(None, JSON) as client:
        found = problem(await client.post(f"/links/{token()}", json=answers), 422)
        problem(await client.post(f"/links/{token()}", data=answers), 422)

    assert f"{named}:" in found["title"]
    assert site.sent == []


@pytest.mark.parametrize("content", [b"{", b"[1]", b"\xff"])
async def test_an_answer_that_is_no_json_object_is_a_problem(site: Site, content: bytes) -> None:
    headers = {"content-type": "application/json"}
    async with site.client(None, JSON) as client:
        answer = await client.post(f"/links/{token()}", content=content, headers=headers)

    problem(answer, 422)
    assert site.sent == []


async def test_while_an_answer_waits_to_be_decided_on_the_page_says_so(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("services.chassis.http.answering.WAIT", 0.02)
    site.log.stepper = None
    async with site.client(None, HTML) as client:
        page = await client.post(f"/links/{token()}", data={"answer": "yes"})
    async with site.client(None, JSON) as client:
        answer = await client.post(f"/links/{token(side='manager')}", json={"answer": "yes"})

    assert "en cours d’enregistrement" in page.text
    assert (answer.status_code, answer.json()["done"]) == (202, False)


async def test_a_form_whose_answer_was_set_aside_says_that_it_did_not_work_yet(site: Site) -> None:
    # given that an earlier command about the same session stands aside
    async with site.client() as client:
        broken = {"cohort_id": "c", "session_id": "m~g~1", "by": "mentor"}
        await client.post("/commands/CancelSession?wait=5", json=broken)
    async with site.client(None, HTML) as client:
        page = await client.post(f"/links/{token()}", data={"answer": "yes"})
    async with site.client(None, JSON) as client:
        found = problem(await client.post(f"/links/{token()}", json={"answer": "yes"}), 409)

    assert page.status_code == 409
    assert "n’a pas encore pu être enregistrée" in page.text
    assert "could not be recorded yet" in page.text
    assert "C’est noté" not in page.text
    assert (found["rule"], found["parked"]["reason"]) == ("parked", "behind")


async def _refusals(site: Site) -> int:
    return types(site.world.written()).count("CommandRefused")


async def test_a_link_that_was_used_leaves_nothing_behind_however_often_it_is_sent(
    site: Site,
) -> None:
    async with site.client(None, JSON) as client:
        for _ in range(5):
            assert (await client.post(f"/links/{token()}", json={"answer": "yes"})).is_success
        sent = len(site.sent)
        for _ in range(60):
            problem(await client.post(f"/links/{token()}", json={"answer": "yes"}), 409)

    assert len(site.sent) == sent
    assert await _refusals(site) == 0


async def test_by_one_link_one_answer_at_a_time_is_under_way(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("services.chassis.http.answering.WAIT", 0.02)
    reader, site.log.stepper = site.log.stepper, None
    path = f"/links/{token()}"
    async with site.client(None, JSON) as client:
        many = [client.post(path, json={"answer": "yes"}) for _ in range(20)]
        answers = await asyncio.gather(*many)
        other = await client.post(f"/links/{token(side='manager')}", json={"answer": "yes"})
        again = await client.post(path, json={"answer": "yes"})
        statuses = sorted(answer.status_code for answer in answers)
        assert statuses == [202, *[429] * 19]
        assert (other.status_code, again.status_code) == (202, 429)
        assert again.headers["retry-after"] == "1"
        assert again.json()["rule"] == "link-under-way"
        assert len(site.sent) == 2

        await site.world.run(reader)
        assert (await client.post(path, json={"answer": "yes"})).status_code == 202


async def test_with_the_database_away_an_answer_is_taken_all_the_same(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def away(*_: Any) -> None:
        raise NoAnswer

    for name in ("one", "positions"):
        monkeypatch.setattr(site.world.store, name, away)
    async with site.client(None, JSON) as client:
        answer = await client.post(f"/links/{token()}", json={"answer": "yes"})
        again = await client.post(f"/links/{token()}", json={"answer": "yes"})
    assert (answer.status_code, answer.json()["done"]) == (202, False)
    assert again.status_code == 429
    assert len(site.sent) == 1


async def test_links_are_forgotten_once_they_are_done_with(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("services.chassis.http.answering.WAIT", 0.001)
    monkeypatch.setattr("services.chassis.http.answering.KEPT", 2)
    reader, site.log.stepper = site.log.stepper, None
    async with site.client(None, JSON) as client:
        for number in range(3):
            path = f"/links/{token(person_id=f'm-{number}')}"
            await client.post(path, json={"answer": "yes"})
        assert len(site.answering._under_way) == 3
        await site.world.run(reader)
        await client.post(f"/links/{token(person_id='m-9')}", json={"answer": "yes"})
    assert len(site.answering._under_way) == 1


# --- settings and the composed service --------------------------------------------------------

ENVIRONMENT = {
    "KAFKA_BOOTSTRAP_SERVERS": "127.0.0.1:1",
    "MONGODB_URI": "mongodb://somebody:secret@127.0.0.1:1/",
    "CONNECTE_LINK_VERIFY_KEY": PUBLIC_KEY,
}


@pytest.fixture
def environment(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    for field in Settings.model_fields.values():
        monkeypatch.delenv(str(field.alias), raising=False)
    for name, value in ENVIRONMENT.items():
        monkeypatch.setenv(name, value)
    return monkeypatch


def test_settings_come_from_the_environment_with_safe_defaults(
    environment: pytest.MonkeyPatch,
) -> None:
    settings = load(Settings)

    assert settings.kafka_connection == {"bootstrap_servers": ["127.0.0.1:1"]}
    assert (settings.http_host, settings.http_token) == ("127.0.0.1", None)
    assert settings.kafka_idempotent
    assert "secret" not in repr(settings)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("KAFKA_BOOTSTRAP_SERVERS", None),
        ("KAFKA_BOOTSTRAP_SERVERS", ""),
        ("MONGODB_URI", None),
        ("CONNECTE_LINK_VERIFY_KEY", None),
        ("CONNECTE_PARTITIONS", "0"),
        ("CONNECTE_PARTITIONS", "twelve"),
        ("CONNECTE_HTTP_PORT", "70000"),
        ("CONNECTE_CLOCK_RATE", "-1"),
        ("CONNECTE_DATABASE_PREFIX", "Capital"),
        ("CONNECTE_KAFKA_IDEMPOTENT", "perhaps"),
        ("LOG_LEVEL", "LOUD"),
    ],
)
def test_a_wrong_setting_stops_the_start_with_its_name_and_not_its_value(
    environment: pytest.MonkeyPatch, name: str, value: str | None
) -> None:
    if value is None:
        environment.delenv(name)
    else:
        environment.setenv(name, value)

    with pytest.raises(WrongSetting, match=f"^{name}: ") as error:
        load(Settings)

    assert "secret" not in str(error.value)
    assert error.value.__cause__ is None


def test_every_wrong_setting_is_named(environment: pytest.MonkeyPatch) -> None:
    environment.setenv("CONNECTE_BATCH", "0")
    environment.setenv("LOG_LEVEL", "LOUD")

    with pytest.raises(WrongSetting, match=r"CONNECTE_BATCH.*LOG_LEVEL"):
        load(Settings)


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "10.0.0.1", "service.example.org"])
@pytest.mark.parametrize("given", [None, "too short"])
def test_beyond_the_loopback_a_token_is_needed(
    environment: pytest.MonkeyPatch, host: str, given: str | None
) -> None:
    environment.setenv("CONNECTE_HTTP_HOST", host)
    if given is not None:
        environment.setenv("CONNECTE_HTTP_TOKEN", given)

    with pytest.raises(WrongSetting, match="CONNECTE_HTTP_TOKEN") as error:
        load(Settings)

    assert "too short" not in str(error.value)
    environment.setenv("CONNECTE_HTTP_TOKEN", TOKEN)
    assert load(Settings).http_host == host


@pytest.mark.parametrize("host", ["127.0.0.1", "127.1.2.3", "::1", "localhost"])
def test_on_the_loopback_no_token_is_needed(environment: pytest.MonkeyPatch, host: str) -> None:
    environment.setenv("CONNECTE_HTTP_HOST", host)

    assert load(Settings).loopback


async def test_a_key_that_is_none_stops_the_start_with_the_name_of_its_setting(
    environment: pytest.MonkeyPatch,
) -> None:
    environment.setenv("CONNECTE_LINK_VERIFY_KEY", PRIVATE_KEY)

    with pytest.raises(WrongSetting, match=r"^CONNECTE_LINK_VERIFY_KEY: ") as error:
        Service(load(Settings), Parts(TOY, {}))

    assert PRIVATE_KEY.splitlines()[1] not in str(error.value)


async def test_building_a_service_opens_nothing_and_it_is_alive_and_not_ready(
    environment: pytest.MonkeyPatch,
) -> None:
    service = Service(load(Settings), Parts(TOY, {Tally: ("count",)}))
    transport = httpx.ASGITransport(service.http)
    async with httpx.AsyncClient(transport=transport, base_url="http://here") as client:
        live, ready = await client.get("/health/live"), await client.get("/health/ready")
        metrics = await client.get("/metrics")
        asyncapi = await client.get("/asyncapi")
        service.fail(RuntimeError("a fault that no retry mends"))
        dead = await client.get("/health/live")
    await service.store.close()

    assert (live.status_code, ready.status_code, dead.status_code) == (200, 503, 503)
    assert metrics.headers["content-type"] == CONTENT_TYPE_LATEST
    assert 'mentoring_build_info{service="scheduling"} 1.0' in metrics.text
    assert asyncapi.json()["asyncapi"].startswith("3.")
    assert TOPIC in asyncapi.text
    assert "secret" not in asyncapi.text


def test_time_is_what_the_clock_is_set_to() -> None:
    moments = [0.0, 0.0, 2.0]
    clock = Clock(86_400.0, NOW, datetime.fromtimestamp(0, UTC), wall=lambda: moments.pop(0))

    assert clock.now() == NOW
    assert clock.now() == NOW
    assert clock.now() == NOW + timedelta(days=2), "a day a second"
