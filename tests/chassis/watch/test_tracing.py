"""What a service tells of its work where it is traced, what it never tells, and what it costs."""

import asyncio
import logging
import subprocess
import sys
import threading
import time
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.sdk.trace.export import SpanExporter, SpanExportResult
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import SpanKind, StatusCode

from deploy.local.process import free_port
from schemas.base import Message
from schemas.envelope import attributes
from schemas.scheduling import ConfirmSession
from schemas.topics import COMMANDS
from services.chassis.clock import Clock
from services.chassis.domain import Document
from services.chassis.http.answering import Answering
from services.chassis.http.application import create_app
from services.chassis.http.commands import Commands, CommandTopic, command_routes
from services.chassis.http.effects import Effects
from services.chassis.http.foresight import Foresight
from services.chassis.http.forms import Form, LinkPage, Text
from services.chassis.http.guards import protected
from services.chassis.http.links import Link, LinkSigner, LinkVerifier, generate_keys
from services.chassis.http.pages import link_routes
from services.chassis.log.memory import MemoryLog
from services.chassis.runtime import tracing_of
from services.chassis.settings import Settings, WrongSetting, load
from services.chassis.step.stepper import Stepper
from services.chassis.store.memory import MemoryStore
from services.chassis.watch import otel
from services.chassis.watch.metrics import Metrics
from services.chassis.watch.otel import OtelTracing, tracing_to
from tests.chassis.faults import Crash, Unwilling
from tests.chassis.toy import COMMANDS as TOPIC
from tests.chassis.toy import (
    EVENTS,
    NOW,
    PARTITIONS,
    PRIVATE,
    TOY,
    Passing,
    Reminder,
    World,
    cohort_on,
    confirm,
    equal_when_rebuilt,
    formed,
    life,
    report,
    types,
)
from tests.conftest import PATIENCE

ROOT = Path(__file__).parents[3]
TRACE, SPAN = "ab" * 16, "cd" * 8
SAMPLED, UNSAMPLED = f"00-{TRACE}-{SPAN}-01", f"00-{TRACE}-{SPAN}-00"


@dataclass
class Traced:
    """A tracing that keeps what it hands over."""

    exporter: InMemorySpanExporter = field(default_factory=InMemorySpanExporter)
    tracing: OtelTracing = field(init=False)

    def __post_init__(self) -> None:
        self.tracing = OtelTracing("scheduling", self.exporter)
        self.tracing.start()

    async def spans(self, name: str = "") -> list[ReadableSpan]:
        """What was handed over by the end, of those whose names begin so."""
        await self.tracing.close()
        return [s for s in self.exporter.get_finished_spans() if s.name.startswith(name)]

    def stepper(self, world: World, **more: Any) -> Stepper:
        store = self.tracing.around(more.pop("store", world.store), "load", "commit")
        log = self.tracing.around(world.log, "publish")
        return world.stepper(store, log, tracing=self.tracing, **more)


@pytest.fixture
async def traced() -> AsyncIterator[Traced]:
    found = Traced()
    yield found
    await found.tracing.close()


def context_of(span: ReadableSpan) -> str:
    context = span.get_span_context()
    assert context is not None
    return f"00-{context.trace_id:032x}-{context.span_id:016x}-{context.trace_flags:02x}"


def traces(world: World, *topics: str) -> dict[str, str | None]:
    """The trace context of each type of event that was published."""
    rows = world.written(*topics)
    return {kind: attributes(row.headers).traceparent for row in rows for kind in types([row])}


# --- steps --------------------------------------------------------------------------------------


async def test_a_message_of_a_trace_has_a_span_in_it_and_its_events_go_on_from_there(
    world: World, traced: Traced
) -> None:
    world.publish(formed("m~g"))
    sent = world.command(confirm("m~g"), traceparent=SAMPLED)

    await world.run(traced.stepper(world))

    [span] = await traced.spans("process")
    [step] = await traced.spans("step")
    assert (span.name, span.kind) == ("process ConfirmSession", SpanKind.CONSUMER)
    assert span.attributes == {
        "messaging.system": "kafka",
        "messaging.operation.name": "process",
        "messaging.operation.type": "process",
        "messaging.consumer.group.name": "mentoring.scheduling",
        "messaging.destination.name": TOPIC,
        "messaging.destination.partition.id": str(sent.partition),
        "messaging.kafka.offset": sent.offset,
        "messaging.message.id": attributes(sent.headers).id,
    }
    assert span.parent is not None
    assert (f"{span.parent.trace_id:032x}", f"{span.parent.span_id:016x}") == (TRACE, SPAN)
    assert [link.context for link in span.links] == [step.context]
    assert traces(world)["PairGraduated"] == context_of(span)
    assert traces(world)["StepCompleted"] is None


async def test_an_address_that_a_stranger_calls_an_id_stands_in_no_span(
    world: World, traced: Traced
) -> None:
    world.publish(formed("m~g"))
    world.command(confirm("m~g"), traceparent=SAMPLED, id="camille.roux@people.example")

    await world.run(traced.stepper(world))

    [span] = await traced.spans("process")
    assert "camille" not in str(dict(span.attributes or {}))


@pytest.mark.parametrize("given", [UNSAMPLED, None, "", "what ever 1", f"{SAMPLED}1"])
async def test_a_message_of_no_recorded_trace_has_no_span_and_its_context_goes_on_as_it_came(
    world: World, traced: Traced, given: str | None
) -> None:
    world.publish(formed("m~g"))
    world.command(confirm("m~g"), traceparent=given)

    await world.run(traced.stepper(world))

    assert await traced.spans("process") == []
    assert len(await traced.spans("step")) == 1
    assert traces(world)["PairGraduated"] == given


async def test_an_anonymous_event_is_of_no_trace_where_its_command_is(
    world: World, traced: Traced
) -> None:
    world.command(report("m~g"), traceparent=SAMPLED)

    await world.run(traced.stepper(world))

    assert [span.name for span in await traced.spans("process")] == ["process ReportAttendance"]
    assert traces(world, PRIVATE)["SurveyAnswered"] is None


async def test_a_step_tells_of_its_messages_and_has_a_part_for_load_commit_and_publish(
    world: World, traced: Traced
) -> None:
    for number in range(3):
        world.publish(formed("m~g", cohort_on(number % 2)))

    stepper = traced.stepper(world)
    await stepper.take(range(PARTITIONS))
    await stepper.handle(world.waiting(stepper, 10))

    [step] = await traced.spans("step")
    assert step.parent is None
    assert step.attributes == {
        "messaging.system": "kafka",
        "messaging.batch.message_count": 3,
        "mentoring.partitions": (0, 1),
    }
    parts = [span for span in await traced.spans() if span.parent == step.context]
    # The counts of cohorts that are met for the first time are read beside.
    assert [s.name for s in parts] == ["load", "load", "commit", "publish", "publish"]


async def test_an_attempt_that_fails_is_told_and_its_messages_only_when_they_are_handled(
    world: World, traced: Traced
) -> None:
    world.command(confirm("m~g"), traceparent=SAMPLED)
    commit, failures = world.store.commit, [Passing("camille@example.org is away")]

    async def failing(what: Any) -> None:
        if failures:
            raise failures.pop()
        await commit(what)

    world.store.commit = failing  # type: ignore[method-assign]
    await world.run(traced.stepper(world))

    failed, made = await traced.spans("step")
    assert failed.status.status_code is StatusCode.ERROR
    assert (failed.attributes or {})["error.type"] == "Passing"
    assert (failed.status.description, failed.events) == (None, ())
    assert made.status.status_code is StatusCode.UNSET
    [handled] = await traced.spans("process")
    assert handled.links[0].context == made.context
    assert traces(world)["CommandRefused"] == context_of(handled)


async def test_what_was_handled_before_has_no_second_span(world: World, traced: Traced) -> None:
    world.publish(formed("m~g"))
    row = world.command(confirm("m~g"), traceparent=SAMPLED)
    stepper = await world.run(traced.stepper(world))

    await stepper.handle([row])

    assert len(await traced.spans("process")) == 1


async def test_a_rebuild_is_equal_and_leaves_no_span(
    world: World, traced: Traced, monkeypatch: pytest.MonkeyPatch
) -> None:
    command = world.command
    monkeypatch.setattr(world, "command", lambda m: command(m, traceparent=SAMPLED))
    await life(world, lambda: traced.stepper(world))
    assert traces(world)["PairGraduated"] not in (None, SAMPLED)
    count = len(await traced.spans())

    await equal_when_rebuilt(world)

    assert count == len(await traced.spans()) > 20


async def test_a_process_that_dies_in_a_step_leaves_events_of_one_handling_only(
    world: World, traced: Traced
) -> None:
    world.publish(formed("m~g"))
    world.command(confirm("m~g"), traceparent=SAMPLED)
    publish = world.log.publish

    async def dying(_: Any) -> list[int]:
        raise Crash

    world.log.publish = dying  # type: ignore[method-assign]
    with pytest.raises(Crash):
        await world.run(traced.stepper(world))
    world.log.publish = publish  # type: ignore[method-assign]
    await world.run(traced.stepper(world))

    rows = [row for row in world.written(EVENTS) if types([row]) == ["PairGraduated"]]
    assert len({attributes(row.headers).traceparent for row in rows}) == 1
    await equal_when_rebuilt(world)


# --- what is done outside of any decision ---------------------------------------------------------


async def test_what_is_done_for_a_document_is_in_the_trace_that_asked_for_it(
    world: World, traced: Traced
) -> None:
    async def perform(
        due: Sequence[Document], _: datetime, leaving: asyncio.Event
    ) -> Sequence[Message]:
        for document in due:
            with traced.tracing.work("do", document) as came_to:
                came_to("done")
        return [
            ConfirmSession.model_construct(
                cohort_id=document.cohort_id, session_id=document.id, by="mentor"
            )
            for document in due
        ]

    traced.tracing.follow([Reminder])
    stepper = traced.stepper(world, due_workers={Reminder: perform})
    world.publish(formed("m~g"))
    world.publish(formed("m~h"))
    world.command(confirm("m~g"), traceparent=SAMPLED)
    world.command(confirm("m~h"))
    await world.run(stepper)
    world.hand.pass_by(days=2)
    await stepper.decide_due()

    asked, outcome = await traced.spans("process")
    of_trace, of_none = await traced.spans("do")
    assert of_trace.parent is not None
    assert of_trace.parent.span_id == asked.context.span_id  # type: ignore[union-attr]
    assert of_trace.attributes == {"mentoring.outcome": "done"}
    assert of_trace.kind is SpanKind.CLIENT
    assert of_none.parent is None
    assert outcome.parent is not None
    assert outcome.parent.span_id == asked.context.span_id  # type: ignore[union-attr]


async def test_an_attempt_that_fails_does_not_forget_what_a_document_waits_for(
    world: World, traced: Traced
) -> None:
    traced.tracing.follow([Reminder])
    world.publish(formed("m~g"))
    world.command(confirm("m~g"), traceparent=SAMPLED)
    store = Unwilling(world.store, "commit", [Passing(), Passing()])
    await world.run(traced.stepper(world, store=store))

    [asked] = await traced.spans("process")
    assert list(traced.tracing._traces.values()) == [context_of(asked)]


# --- HTTP -----------------------------------------------------------------------------------------

PRIVATE_KEY, PUBLIC_KEY = generate_keys()
CONFIRM, BODY = (
    "/commands/ConfirmSession",
    {"cohort_id": "c", "session_id": "m~g~1", "by": "mentor"},
)
TOKEN = LinkSigner(PRIVATE_KEY).sign(
    Link(purpose="session", cohort_id="c", person_id="m", side="mentor", id="m~g~1"),
    NOW + timedelta(days=1),
)


@dataclass
class Site:
    """A service's HTTP, traced; nothing carries its commands out."""

    traced: Traced
    log: MemoryLog = field(default_factory=MemoryLog)

    def __post_init__(self) -> None:
        clock = Clock(1.0, NOW, NOW, wall=NOW.timestamp)
        tracing = self.traced.tracing
        topic = CommandTopic(TOY.name, self.log, clock, PARTITIONS, tracing)
        store = MemoryStore()
        commands = Commands(topic, Effects(TOY.name, store))
        app = create_app("toy", "A toy.", Metrics(TOY.name))
        guard = protected([], lambda *_: {"machine": "cohorts"})
        app.include_router(command_routes(commands, COMMANDS["scheduling"], {}, guard))
        form = Form(Text("Une question", "A question"), ())
        purpose = LinkPage(lambda *_: form, lambda *_: ConfirmSession(**BODY))
        verifier = LinkVerifier(PUBLIC_KEY)
        willing = replace(TOY, handlers={ConfirmSession: lambda *_: []})
        answering = Answering(commands, Foresight(willing, store), clock)
        app.include_router(link_routes({"session": purpose}, verifier, answering))

        @app.get("/health/live")
        @app.get("/metrics")
        async def quiet() -> str:
            return "here"

        @app.get("/fault")
        async def fault() -> None:
            raise RuntimeError("camille@example.org is unknown")

        tracing.serve(app)
        self.app = app

    def client(self) -> httpx.AsyncClient:
        transport = httpx.ASGITransport(
            self.app, raise_app_exceptions=False, client=("192.0.2.7", 1)
        )
        return httpx.AsyncClient(
            transport=transport,
            base_url="http://here",
            headers={"user-agent": "camille", "x-forwarded-for": "192.0.2.7"},
        )

    @property
    def sent(self) -> str | None:
        """The trace context of the one command."""
        [[row]] = self.log.records.values()
        return attributes(row.headers).traceparent


@pytest.fixture
def site(traced: Traced) -> Site:
    return Site(traced)


async def test_a_command_goes_on_from_the_span_of_its_request(site: Site) -> None:
    async with site.client() as client:
        assert (await client.post(CONFIRM, json=BODY)).status_code == 202

    [span] = await site.traced.spans()
    assert (span.name, span.kind) == ("POST /commands/ConfirmSession", SpanKind.SERVER)
    assert site.sent == context_of(span)
    assert (span.attributes or {})["http.response.status_code"] == 202


async def test_a_request_goes_on_from_its_callers_span(site: Site) -> None:
    async with site.client() as client:
        await client.post(CONFIRM, json=BODY, headers={"traceparent": SAMPLED})

    [span] = await site.traced.spans()
    assert span.parent is not None
    assert (f"{span.parent.trace_id:032x}", f"{span.parent.span_id:016x}") == (TRACE, SPAN)
    assert site.sent == context_of(span)


async def test_what_its_caller_does_not_record_is_not_recorded_here_or_later(site: Site) -> None:
    async with site.client() as client:
        await client.post(CONFIRM, json=BODY, headers={"traceparent": UNSAMPLED})

    assert await site.traced.spans() == []
    assert site.sent is not None
    assert (site.sent[:36], site.sent[-3:]) == (f"00-{TRACE}-", "-00")


async def test_no_span_says_a_links_token_a_query_an_address_or_the_text_of_an_error(
    site: Site,
) -> None:
    async with site.client() as client:
        for path in (f"/links/{TOKEN}", f"/links/{TOKEN}?of={TOKEN}", f"/links/{TOKEN}/camille"):
            await client.get(path, headers={"referer": f"http://here/links/{TOKEN}"})
        state = {"traceparent": SAMPLED, "tracestate": "a=camille.said.this"}
        await client.put(f"/links/{TOKEN}", headers=state)
        await client.post(f"/links/{TOKEN}x")
        assert (await client.get("/fault?camille")).status_code == 500

    spans = await site.traced.spans()
    assert [span.name for span in spans] == [
        "GET /links/{token}",
        "GET /links/{token}",
        "GET",
        "PUT /links/{token}",
        "POST /links/{token}",
        "GET /fault",
    ]
    assert spans[-1].status.status_code is StatusCode.ERROR
    for span in spans:
        handed_over = span.to_json() + str(span.parent)
        for secret in (TOKEN, TOKEN[-20:], "camille", "192.0.2.7"):
            assert secret not in handed_over, (secret, handed_over)


async def test_probes_and_scrapes_have_no_span(site: Site) -> None:
    async with site.client() as client:
        for path in ("/health/live", "/metrics"):
            assert (await client.get(path)).status_code == 200

    assert await site.traced.spans() == []


# --- handing over ---------------------------------------------------------------------------------


class Stuck(SpanExporter):
    """A collector that takes nothing until it is let go."""

    def __init__(self) -> None:
        self.let_go = threading.Event()
        self.taken = 0

    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
        self.let_go.wait()
        self.taken += len(spans)
        return SpanExportResult.SUCCESS


async def test_a_collector_that_hangs_holds_up_no_step_and_more_than_the_queue_is_dropped(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OTEL_BSP_MAX_QUEUE_SIZE", "8")
    monkeypatch.setenv("OTEL_BSP_MAX_EXPORT_BATCH_SIZE", "4")
    collector = Stuck()
    tracing = OtelTracing("scheduling", collector)
    tracing.start()
    world.publish(formed("m~g"))
    for number in range(1, 100):
        world.command(confirm("m~g", number), traceparent=SAMPLED)

    await world.run(world.stepper(tracing=tracing))

    assert await world.tallies() == {"c/m~g": 5}
    assert collector.taken == 0
    collector.let_go.set()
    await tracing.close()
    assert 0 < collector.taken <= 8 + 4


async def test_the_end_does_not_wait_for_a_collector_that_hangs(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(otel, "CLOSE_SECONDS", 0.2)
    collector = Stuck()
    tracing = OtelTracing("scheduling", collector)
    tracing.start()
    with tracing.work("do", Reminder(id="m~g", cohort_id="c")):
        pass

    started = time.monotonic()
    await tracing.close()

    assert time.monotonic() - started < 60
    assert caplog.messages == ["the collector is away: the last spans are given up"]
    collector.let_go.set()


async def test_a_collector_that_is_away_is_told_of_once_and_without_a_secret(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_HEADERS", "authorization=Bearer hush,hush hush")
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_TIMEOUT", "0.2")
    monkeypatch.setenv("OTEL_BSP_SCHEDULE_DELAY", "10")
    with caplog.at_level(logging.INFO):
        tracing = tracing_to(f"http://127.0.0.1:{free_port()}", "scheduling")
        tracing.start()
        taken: list[int] = []
        export = tracing._exporter.export

        def counted(spans: Sequence[ReadableSpan]) -> SpanExportResult:
            result = export(spans)
            taken.append(len(spans))
            return result

        monkeypatch.setattr(tracing._exporter, "export", counted)
        for number in range(3):
            with tracing.work("do", Reminder(id="m~g", cohort_id="c")):
                pass
            async with asyncio.timeout(PATIENCE):
                while len(taken) == number:
                    await asyncio.sleep(0.01)
        await tracing.close()

    assert caplog.messages == ["the collector takes no spans; they are dropped"]


# --- settings -------------------------------------------------------------------------------------


@pytest.fixture
def environment(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    for name in [str(f.alias) for f in Settings.model_fields.values()]:
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("KAFKA_BOOTSTRAP_SERVERS", "127.0.0.1:1")
    monkeypatch.setenv("MONGODB_URI", "mongodb://127.0.0.1:1/")
    monkeypatch.setenv("CONNECTE_LINK_VERIFY_KEY", PUBLIC_KEY)
    return monkeypatch


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("OTEL_EXPORTER_OTLP_ENDPOINT", "collector.example:4318"),
        ("OTEL_EXPORTER_OTLP_ENDPOINT", "grpc://hush.example:4317"),
        ("OTEL_TRACES_SAMPLER", "hush"),
        ("OTEL_TRACES_SAMPLER_ARG", "2"),
        ("OTEL_TRACES_SAMPLER_ARG", "hush"),
    ],
)
def test_a_wrong_setting_is_named_and_not_shown(
    environment: pytest.MonkeyPatch, name: str, value: str
) -> None:
    environment.setenv(name, value)
    with pytest.raises(WrongSetting, match=f"^{name}: ") as caught:
        load(Settings)
    assert value not in str(caught.value)


def test_an_empty_setting_is_none(environment: pytest.MonkeyPatch) -> None:
    for name in ("ENDPOINT", "HEADERS"):
        environment.setenv(f"OTEL_EXPORTER_OTLP_{name}", "")
    environment.setenv("OTEL_TRACES_SAMPLER", "")
    assert load(Settings).otlp_endpoint is None


def test_a_setting_that_opentelemetry_refuses_is_named(environment: pytest.MonkeyPatch) -> None:
    environment.setenv("OTEL_SPAN_ATTRIBUTE_COUNT_LIMIT", "-1")
    with pytest.raises(WrongSetting, match="OTEL_SPAN_ATTRIBUTE_COUNT_LIMIT"):
        tracing_of("scheduling", "http://127.0.0.1:4318")


BUILT = """
import sys
import services.notify.app
import services.matching.app as app

service = app.build()
loaded = {name for name in sys.modules if name.startswith("opentelemetry.")}
parts = ("opentelemetry.sdk", "opentelemetry.exporter", "opentelemetry.instrumentation")
print(sum(name.startswith(parts) for name in loaded))
"""


@pytest.mark.parametrize(("endpoint", "loads"), [("", False), ("http://127.0.0.1:4318", True)])
def test_the_sdk_is_loaded_only_if_there_is_a_collector(
    environment: pytest.MonkeyPatch, endpoint: str, loads: bool
) -> None:
    environment.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", endpoint)
    done = subprocess.run(
        [sys.executable, "-c", BUILT],
        check=False,
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=PATIENCE,
    )
    assert done.returncode == 0, done.stderr
    assert (int(done.stdout) > 0) is loads
