"""One answer to one letter, followed through all four services to the letters that it leads to."""

import asyncio
import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.message import EmailMessage
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, cast

import httpx
import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import (
    ExportTraceServiceRequest,
    ExportTraceServiceResponse,
)
from opentelemetry.proto.trace.v1.trace_pb2 import Span

from deploy.local.stack import Stack, Terms, running_stack
from tests.conftest import PATIENCE

pytestmark = pytest.mark.journey

MORNING = datetime(2017, 3, 6, 9, 0, tzinfo=UTC)  # a Monday: letters leave at once
NAMES = {"mo": "Camille Roux", "ma": "Dominique Petit"}
SKILLS = {"linkedin": 3}
WEEK = [{"day": "mon", "start": "09:00", "end": "12:00"}]
KEY = "a-key-of-the-collector"
LINK = re.compile(r"https?://\S+(/links/[\w.-]+)")
FOLLOWING = ("PairFormed", "SessionPlanned", "SurveyOpened")  # each to both
UNTRACED = f"00-{'ee' * 16}-{'ee' * 8}-00"


@dataclass(frozen=True, slots=True)
class Seen:
    """A span as the collector has it."""

    service: str
    span: Span

    @property
    def name(self) -> str:
        return self.span.name


@dataclass
class Collector:
    """What a collector was sent, and by whom: OTLP over HTTP."""

    port: int = 0
    spans: list[Seen] = field(default_factory=list)
    texts: list[str] = field(default_factory=list)
    keys: set[str | None] = field(default_factory=set)

    def take(self, body: bytes) -> None:
        request = ExportTraceServiceRequest.FromString(body)
        self.texts.append(str(request))
        for resource in request.resource_spans:
            told = {a.key: a.value.string_value for a in resource.resource.attributes}
            for scope in resource.scope_spans:
                self.spans += [Seen(told["service.name"], span) for span in scope.spans]

    def of_trace(self, trace_id: bytes) -> list[Seen]:
        return [seen for seen in self.spans if seen.span.trace_id == trace_id]


class _Handler(BaseHTTPRequestHandler):
    collector: Collector

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["content-length"]))
        assert self.path == "/v1/traces"
        self.collector.keys.add(self.headers["x-key"])
        self.collector.take(body)
        answer = ExportTraceServiceResponse().SerializeToString()
        self.send_response(200)
        self.send_header("content-length", str(len(answer)))
        self.end_headers()
        self.wfile.write(answer)

    def log_message(self, *_: Any) -> None:
        pass


@contextmanager
def collecting() -> Iterator[Collector]:
    collector = Collector()
    handler = cast(Any, type("Handler", (_Handler,), {"collector": collector}))
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        collector.port = server.server_port
        serving = threading.Thread(target=server.serve_forever, args=(0.05,))
        serving.start()
        yield collector
        server.shutdown()
        serving.join()


async def a_proposal(stack: Stack, client: httpx.AsyncClient) -> dict[str, str]:
    """Bring one pair to the point where both are asked; the path of each one's link."""

    async def send(service: str, command: str, **body: Any) -> None:
        url = f"{stack.services[service].url}/commands/{command}?wait=20"  # type: ignore[index]
        answer = await client.post(
            url, json={"cohort_id": "pilot", **body}, headers={"traceparent": UNTRACED}
        )
        assert answer.status_code == 200, answer.text

    letters = stack.mailbox.letters()
    rules = {"letters": {"gather_minutes": 0}}  # nothing waits for an hour
    await send("matching", "OpenCohort", name="Pilot", policy=rules)
    for person, name in NAMES.items():
        email = f"{person}@people.example"
        await send("notify", "PersonContact", person_id=person, name=name, email=email)
    common = {"directorate": "DGFiP", "site": "Paris", "availability": WEEK}
    await send("matching", "VolunteerAsMentor", mentor_id="mo", skills=SKILLS, **common)
    await send(
        "matching", "EnrolManager", manager_id="ma", job_family="press", needs=SKILLS, **common
    )
    await send("matching", "ProposePair", pair_id="mo~ma", reason="both asked for it")
    links: dict[str, str] = {}
    async with asyncio.timeout(PATIENCE):
        while len(links) < 2:
            letter = await anext(letters)
            if template(letter) == "PairProposed":
                links[str(letter["Delivered-To"]).partition("@")[0]] = link_in(letter)
    return links


def template(letter: EmailMessage) -> str:
    return str(letter["X-Connecte-Letter"]).partition(":")[0]


def link_in(letter: EmailMessage) -> str:
    body = letter.get_body(("plain",))
    assert body is not None
    found = LINK.search(body.get_content())
    assert found is not None
    return found[1]


def test_an_answer_is_one_trace_through_all_services_to_the_letters_and_names_nobody(
    tmp_path: Path, kafka_if_real: str | None
) -> None:
    with collecting() as collector, asyncio.Runner() as runner:
        links, letters, started = runner.run(_journey(tmp_path, collector, kafka_if_real))

    assert collector.keys == {KEY}
    [request] = [
        seen
        for seen in collector.spans
        if seen.name == "POST /links/{token}" and seen.span.trace_id not in started
    ]
    assert (request.service, request.span.parent_span_id) == ("mentoring-matching", b"")
    trace = collector.of_trace(request.span.trace_id)
    chains = {chain(trace, seen) for seen in trace if seen.name == "hand over letter"}
    root = (
        ("mentoring-matching", "POST /links/{token}"),
        ("mentoring-matching", "process AcceptProposal"),
    )
    last = ("mentoring-notify", "hand over letter")
    assert chains == {
        (*root, ("mentoring-notify", "process PairFormed"), last),
        (
            *root,
            ("mentoring-scheduling", "process PairFormed"),
            ("mentoring-notify", "process SessionPlanned"),
            last,
        ),
        (
            *root,
            ("mentoring-feedback", "process PairFormed"),
            ("mentoring-notify", "process SurveyOpened"),
            last,
        ),
    }
    # Each message that was handled names the step in which it was.
    steps = {seen.span.span_id for seen in collector.spans if seen.name == "step"}
    handled = [seen for seen in trace if seen.name.startswith("process ")]
    assert all(link.span_id in steps for seen in handled for link in seen.span.links)
    assert all(len(seen.span.links) == 1 for seen in handled)
    # What its caller does not record is not recorded by any service.
    assert not collector.of_trace(bytes.fromhex("ee" * 16))

    secrets = [*NAMES.values(), "people.example", "Camille", "Dominique", "127.0.0.1", KEY]
    secrets += [link.removeprefix("/links/") for link in links]
    secrets += [link_in(letter).removeprefix("/links/") for letter in letters if has_link(letter)]
    assert len(secrets) >= 6 + 2 + 4
    for text in collector.texts:
        assert not [secret for secret in secrets if secret in text]


def has_link(letter: EmailMessage) -> bool:
    return template(letter) in FOLLOWING[1:]


def chain(trace: list[Seen], seen: Seen) -> tuple[tuple[str, str], ...]:
    """Service and name of a span and all above it, the first one first."""
    by_id = {other.span.span_id: other for other in trace}
    found: list[tuple[str, str]] = []
    at: Seen | None = seen
    while at is not None:
        found.append((at.service, at.name))
        at = by_id[at.span.parent_span_id] if at.span.parent_span_id else None
    return tuple(reversed(found))


async def _journey(
    directory: Path, collector: Collector, kafka: str | None
) -> tuple[list[str], list[EmailMessage], set[bytes]]:
    """Both say yes; the links, the letters that follow, and the traces before the last answer."""
    settings = {
        "OTEL_EXPORTER_OTLP_ENDPOINT": f"http://127.0.0.1:{collector.port}",
        "OTEL_EXPORTER_OTLP_HEADERS": f"x-key={KEY}",
        "OTEL_BSP_SCHEDULE_DELAY": "100",
    }
    terms = Terms(start=MORNING, partitions=1, kafka=kafka, settings=settings)
    async with running_stack(directory, terms) as stack, httpx.AsyncClient(timeout=30) as client:
        links = await a_proposal(stack, client)
        url = stack.services["matching"].url
        answer = {"answer": "accept"}
        assert (await client.get(url + links["mo"])).status_code == 200
        assert (await client.post(url + links["mo"], data=answer)).status_code == 200
        letters = stack.mailbox.letters()
        async with asyncio.timeout(PATIENCE):
            while not any(seen.name == "POST /links/{token}" for seen in collector.spans):
                await asyncio.sleep(0.05)
        started = {seen.span.trace_id for seen in collector.spans}
        assert (await client.post(url + links["ma"], data=answer)).status_code == 200
        found: list[EmailMessage] = []
        async with asyncio.timeout(PATIENCE):
            while len(found) < 2 * len(FOLLOWING):
                if template(letter := await anext(letters)) in FOLLOWING:
                    found.append(letter)
    return list(links.values()), found, started
