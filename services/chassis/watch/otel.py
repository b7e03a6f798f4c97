"""Tracing with OpenTelemetry's SDK, which nothing else imports.

Always holds: a step never waits for a collector (spans are handed to a thread with a bounded
queue, and dropped when it is full); no attribute leaves that is not in `ATTRIBUTES`, and neither
the text of an error nor anything that a client chose freely is among them.
"""

import asyncio
import logging
import os
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from functools import wraps
from importlib.metadata import packages_distributions, version
from typing import Any, TypeVar, cast

from fastapi import FastAPI
from opentelemetry.context import Context
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.instrumentation.fastapi import FastAPIInstrumentor
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor, SpanExporter, SpanExportResult
from opentelemetry.trace import (
    Link,
    NonRecordingSpan,
    Span,
    SpanContext,
    SpanKind,
    Status,
    StatusCode,
    TraceFlags,
    get_current_span,
    set_span_in_context,
)

from schemas.envelope import key_of
from services.chassis.domain import Change, Document, Due, Gone, Timed
from services.chassis.inputs import Input, loggable
from services.chassis.settings import WrongSetting
from services.chassis.tracing import TRACEPARENT, Conclude, Tracing

T = TypeVar("T")

logger = logging.getLogger(__name__)

CLOSE_SECONDS = 5.0
REMEMBERED = 10_000
"""Documents that wait for something to be done, and whose trace is known meanwhile."""
UNTRACED = "/health/,/metrics$"
"""What asks every few seconds, and is nobody's request."""

ATTRIBUTES = frozenset(
    {
        "http.request.method",
        "http.response.status_code",
        "http.route",
        "url.scheme",
        "network.protocol.version",
        "error.type",
        "messaging.system",
        "messaging.operation.name",
        "messaging.operation.type",
        "messaging.destination.name",
        "messaging.destination.partition.id",
        "messaging.kafka.offset",
        "messaging.message.id",
        "messaging.consumer.group.name",
        "messaging.batch.message_count",
        "mentoring.partitions",
        "mentoring.outcome",
    }
)
"""What a span may say. A path holds a link's token, a query anything, an address is a person's."""


def tracing_to(endpoint: str, service: str) -> "OtelTracing":
    """Tracing to a collector. All other settings are read by the SDK itself (`OTEL_…`)."""
    # What it logs can quote a header with a secret in it. That spans are not taken, we say.
    logging.getLogger("opentelemetry").setLevel(logging.CRITICAL)
    return OtelTracing(service, OTLPSpanExporter(f"{endpoint.rstrip('/')}/v1/traces"))


class OtelTracing(Tracing):
    """Spans of one process of a service."""

    def __init__(self, service: str, exporter: SpanExporter) -> None:
        named = {"service.name": f"mentoring-{service}", "service.version": _version()}
        self._provider = TracerProvider(resource=Resource.create(named), shutdown_on_exit=False)
        self._tracer = self._provider.get_tracer("mentoring")
        self._exporter = Discreet(exporter)
        self._group = f"mentoring.{service}"
        self._followed: frozenset[type[Document]] = frozenset()
        self._traces: dict[str, str] = {}
        self._links: list[Link] = []
        self._begun: list[Span] = []
        self._changed: list[tuple[Sequence[Change], str | None]] = []

    # --- HTTP -----------------------------------------------------------------------------

    def serve(self, app: FastAPI) -> None:
        # There is no other way to ask for the names that are stable since 2023.
        os.environ["OTEL_SEMCONV_STABILITY_OPT_IN"] = "http"
        FastAPIInstrumentor.instrument_app(
            app,
            tracer_provider=self._provider,
            excluded_urls=UNTRACED,
            exclude_spans=["receive", "send"],
        )

    def here(self, given: str | None) -> str | None:
        return _text(get_current_span().get_span_context()) or given

    # --- steps ----------------------------------------------------------------------------

    def around(self, part: T, *methods: str) -> T:
        return cast(T, _Observed(part, {name: self._timed(part, name) for name in methods}))

    def _timed(self, part: Any, name: str) -> Callable[..., Any]:
        method = getattr(part, name)

        @wraps(method)
        async def call(*arguments: Any) -> Any:
            if not get_current_span().is_recording():
                return await method(*arguments)
            with self._span(name):
                return await method(*arguments)

        return call

    @contextmanager
    def step(self, inputs: Sequence[Input]) -> Iterator[None]:
        attributes = {
            "messaging.system": "kafka",
            "messaging.batch.message_count": len(inputs),
            "mentoring.partitions": sorted({item.partition for item in inputs}),
        }
        self._begun, self._changed = [], []
        with self._span("step", Context(), attributes) as span:
            context = span.get_span_context()
            self._links = [Link(context)] if context.trace_flags.sampled else []
            yield
            # What was begun in an attempt that failed is made again, and ends then.
            for begun in self._begun:
                begun.end()
            for changes, traceparent in self._changed:
                self._remember(changes, traceparent)

    def handled(self, item: Input) -> str | None:
        message, carried = item.message, item.attributes
        if carried is not None:
            given = carried.traceparent
        elif message is None or isinstance(message, Due):
            given = None
        else:
            given = self._traces.get(key_of(message))
        if message is None or item.unreadable or (parent := _parent(given)) is None:
            return given
        attributes: dict[str, str | int] = {
            "messaging.system": "kafka",
            "messaging.operation.name": "process",
            "messaging.operation.type": "process",
            "messaging.consumer.group.name": self._group,
        }
        if carried is not None and (id_ := loggable(carried.id)) is not None:
            attributes["messaging.message.id"] = id_
        if (received := item.received) is not None:
            attributes["messaging.destination.name"] = received.topic
            attributes["messaging.destination.partition.id"] = str(received.partition)
            attributes["messaging.kafka.offset"] = received.offset
        name = f"process {type(message).__name__}"
        span = self._tracer.start_span(name, parent, SpanKind.CONSUMER, attributes, self._links)
        self._begun.append(span)
        return _text(span.get_span_context()) or given

    # --- what is done outside of any decision -----------------------------------------------

    def follow(self, kinds: Iterable[type[Document]]) -> None:
        self._followed = frozenset(kinds)

    def changed(self, changes: Sequence[Change], traceparent: str | None) -> None:
        self._changed.append((changes, traceparent))

    def _remember(self, changes: Sequence[Change], traceparent: str | None) -> None:
        for change in changes:
            document = change.document if isinstance(change, Gone) else change
            if type(document) not in self._followed:
                continue
            waits = isinstance(change, Timed) and change.due_at is not None
            self._traces.pop(document.key, None)
            if waits and traceparent is not None:
                self._traces[document.key] = traceparent
                if len(self._traces) > REMEMBERED:
                    del self._traces[next(iter(self._traces))]

    @contextmanager
    def work(self, name: str, document: Document) -> Iterator[Conclude]:
        context = _context(self._traces.get(document.key)) or Context()
        with self._span(name, context, kind=SpanKind.CLIENT) as span:
            yield lambda outcome: span.set_attribute("mentoring.outcome", outcome)

    # --- handing over -----------------------------------------------------------------------

    def start(self) -> None:
        try:
            self._provider.add_span_processor(BatchSpanProcessor(self._exporter))
        except ValueError as error:
            raise WrongSetting(f"OTEL_BSP_…: {error}") from None

    async def close(self) -> None:
        # The SDK waits for a collector for half a minute, and blocks.
        closing = threading.Thread(target=self._provider.shutdown, daemon=True)
        closing.start()
        until = time.monotonic() + CLOSE_SECONDS
        while closing.is_alive():
            if time.monotonic() > until:
                logger.warning("the collector is away: the last spans are given up")
                return
            await asyncio.sleep(0.02)

    @contextmanager
    def _span(
        self,
        name: str,
        context: Context | None = None,
        attributes: dict[str, Any] | None = None,
        kind: SpanKind = SpanKind.INTERNAL,
    ) -> Iterator[Span]:
        """A span that tells of an error no more than its type."""
        with self._tracer.start_as_current_span(
            name, context, kind, attributes, record_exception=False, set_status_on_exception=False
        ) as span:
            try:
                yield span
            except BaseException as error:
                span.set_attribute("error.type", type(error).__name__)
                span.set_status(Status(StatusCode.ERROR))
                raise


class _Observed:
    """A part of which some methods are called in a span."""

    def __init__(self, part: Any, methods: dict[str, Callable[..., Any]]) -> None:
        self._part = part
        self.__dict__.update(methods)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._part, name)


class Discreet(SpanExporter):
    """Hands over spans without what they must not say, and says once that they are not taken."""

    def __init__(self, exporter: SpanExporter) -> None:
        self._exporter = exporter
        self._taken = True

    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
        result = self._exporter.export([_discreet(span) for span in spans])
        if (taken := result is SpanExportResult.SUCCESS) != self._taken:
            self._taken = taken
            if taken:
                logger.info("the collector takes spans again")
            else:
                logger.warning("the collector takes no spans; they are dropped")
        return result

    def shutdown(self) -> None:
        self._exporter.shutdown()


def _discreet(span: ReadableSpan) -> ReadableSpan:
    """The same span, with the attributes that it may have, and without what others wrote freely.

    Events quote errors, and the `tracestate` of a request is whatever its sender chose.
    """
    found = span.attributes or {}
    stated = any(context and context.trace_state for context in (span.context, span.parent))
    silent = not span.events and span.status.description is None and not stated
    if silent and found.keys() <= ATTRIBUTES:
        return span
    return ReadableSpan(
        span.name,
        _stateless(span.context),
        _stateless(span.parent),
        span.resource,
        {name: value for name, value in found.items() if name in ATTRIBUTES},
        (),
        span.links,
        span.kind,
        None,
        Status(span.status.status_code),
        span.start_time,
        span.end_time,
        span.instrumentation_scope,
    )


def _stateless(context: SpanContext | None) -> SpanContext | None:
    if context is None:
        return None
    return SpanContext(context.trace_id, context.span_id, context.is_remote, context.trace_flags)


def _text(context: SpanContext) -> str | None:
    """A trace context as `traceparent`; None if there is none."""
    if not context.is_valid:
        return None
    return f"00-{context.trace_id:032x}-{context.span_id:016x}-{context.trace_flags:02x}"


def _context(traceparent: str | None) -> Context | None:
    """What a `traceparent` says, if it says anything."""
    found = TRACEPARENT.fullmatch(traceparent or "")
    if found is None:
        return None
    trace, span, flags = (int(part, 16) for part in found.groups())
    remote = SpanContext(trace, span, is_remote=True, trace_flags=TraceFlags(flags))
    return set_span_in_context(NonRecordingSpan(remote), Context())


def _parent(traceparent: str | None) -> Context | None:
    """The same, if its trace is recorded: the last digit is odd. Others cost nothing more."""
    if traceparent is None or traceparent[-1:] not in "13579bdf":
        return None
    return _context(traceparent)


def _version() -> str:
    """That of whatever installed this package."""
    distributions = packages_distributions().get(__name__.partition(".")[0])
    return version(distributions[0]) if distributions else "unknown"
