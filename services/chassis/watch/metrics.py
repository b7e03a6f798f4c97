"""The measures of a service, for Prometheus. No person's id is ever a label."""

import time
from collections import Counter as Count
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Generic, TypeVar, get_args

from prometheus_client import (
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    disable_created_metrics,
)
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from schemas.base import Message
from schemas.envelope import ParkReason
from schemas.journal import RecordParked
from schemas.topics import TOPICS, Service, Stream, stream_topic
from services.chassis.domain import Document, Tally

Row = dict[str, Any]
Samples = Mapping[tuple[str, ...], float]
"""Label values to a figure."""


@dataclass(frozen=True, slots=True)
class Reading:
    """Figures that stand in documents of a kind of which there are few; `read` takes them out."""

    name: str
    help: str
    kind: type[Document]
    label_names: tuple[str, ...]
    fields: tuple[str, ...]
    read: Callable[[Row], Samples]


Measure = Tally | Reading
"""A figure of the programme: looked up when somebody scrapes, and not before; a `RunningCount`
stands in the cohorts' `Counts`."""


class Programme(Collector):
    """The figures of the programme, as last looked up.

    All of them are gauges: a state is left, a partition changes hands, and there are fewer.
    """

    def __init__(self, measures: Sequence[Measure]) -> None:
        self.measures = measures
        self.samples: dict[Measure, Samples] = {}

    def collect(self) -> Iterable[Metric]:
        for measure in self.measures:
            family = GaugeMetricFamily(measure.name, measure.help, labels=measure.label_names)
            for values, figure in self.samples.get(measure, {}).items():
                family.add_metric(values, figure)
            yield family


_LATENCY = (0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300, 3600)
_STEP = (0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10)
_HTTP = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 75)
_RECORDS = (1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000)


M = TypeVar("M", bound=Counter | Gauge | Histogram)


class Made(Generic[M]):
    """A row of the table below: what is made of it in the registry of each `Metrics`."""

    def __init__(
        self, kind: Callable[..., M], name: str, help: str, labels: Sequence[str] = (), **more: Any
    ) -> None:
        self.kind = kind
        self.name = name
        self.help = help
        self.labels = labels
        self.more = more

    def within(self, registry: CollectorRegistry) -> M:
        """The measure itself."""
        return self.kind(self.name, self.help, self.labels, registry=registry, **self.more)

    def __get__(self, metrics: "Metrics", owner: type["Metrics"]) -> M:
        raise AttributeError(f"{self.name} is not made yet")  # what is made hides its row


class Metrics:
    """Every measure of one service, in one registry."""

    latency = Made(
        Histogram,
        "mentoring_event_latency_seconds",
        "From a message's occurrence to its effect here",
        ("service", "type"),
        buckets=_LATENCY,
    )
    lag = Made(
        Gauge,
        "mentoring_consumer_lag",
        "Records waiting on partitions owned",
        ("topic", "partition"),
    )
    ready = Made(
        Gauge,
        "mentoring_ready",
        "1 where at least one partition is owned, read and worked on",
    )
    assigned = Made(Gauge, "mentoring_partitions_assigned", "Partitions owned")
    fetch_errors = Made(
        Counter,
        "mentoring_fetch_errors",
        "Attempts to read from the broker that failed, by the error",
        ("error",),
    )
    reading_stopped = Made(
        Gauge,
        "mentoring_reading_stopped",
        "1 for each topic and partition that cannot be read on now; an empty topic is the group",
        ("topic", "partition", "error"),
    )
    stopped = Made(
        Gauge,
        "mentoring_partitions_stopped",
        "Partitions owned of which no steps are made for now",
    )
    trouble = Made(
        Gauge,
        "mentoring_trouble",
        "1 while this keeps a service from its work, or from that of some partitions",
        ("reason",),
    )
    deadlines_aside = Made(
        Gauge,
        "mentoring_deadlines_aside",
        "Deadlines that could not be decided on, and are tried again later",
    )
    deadline_faults = Made(
        Counter,
        "mentoring_deadline_faults",
        "Deadlines set aside, by the kind of document and the reason",
        ("kind", "reason"),
    )
    rebalances = Made(Counter, "mentoring_rebalances", "Assignments received")
    step_seconds = Made(Histogram, "mentoring_step_seconds", "One batch step", buckets=_STEP)
    step_records = Made(Histogram, "mentoring_step_records", "Messages in a step", buckets=_RECORDS)
    retries = Made(
        Counter,
        "mentoring_retries",
        "Attempts put off or made again, by the error that stopped them",
        ("error",),
    )
    parked = Made(
        Counter,
        "mentoring_records_parked",
        "Records that this process set aside, or left there when it tried again",
        ("reason",),
    )
    events = Made(Counter, "mentoring_events", "Events that this process decided", ("type",))
    late_loads = Made(Counter, "mentoring_late_loads", "Documents read one by one in a step")
    publish_seconds = Made(
        Histogram, "mentoring_publish_seconds", "Publishing the events of a step", buckets=_STEP
    )
    published = Made(Counter, "mentoring_published_records", "Records that the broker has taken")
    outbox_pending = Made(Gauge, "mentoring_outbox_pending", "Committed, not yet published")
    outbox_oldest = Made(
        Gauge,
        "mentoring_outbox_oldest_seconds",
        "For how long these have been on their way to the broker",
    )
    skipped = Made(
        Counter,
        "mentoring_duplicates_skipped",
        "Records that had been handled already",
        ("reason",),
    )
    connections = Made(Gauge, "mentoring_http_connections", "Open HTTP connections")
    http_requests = Made(
        Counter,
        "mentoring_http_requests",
        "HTTP requests that were answered, by the template of their route",
        ("method", "route", "status"),
    )
    http_seconds = Made(
        Histogram,
        "mentoring_http_request_seconds",
        "From a request's head to the end of its answer",
        ("route",),
        buckets=_HTTP,
    )
    http_in_flight = Made(Gauge, "mentoring_http_in_flight", "HTTP requests being answered")
    last_event = Made(
        Gauge,
        "mentoring_projection_last_event_timestamp_seconds",
        "Time of the newest message in the projections",
    )
    database_seconds = Made(
        Histogram,
        "mentoring_database_seconds",
        "Commands that the database answered",
        ("command",),
        buckets=_STEP,
    )
    database_failures = Made(
        Counter,
        "mentoring_database_failures",
        "Commands that it refused or did not answer",
        ("command",),
    )
    database_connections = Made(Gauge, "mentoring_database_connections", "Open connections to it")
    scrape_failures = Made(
        Counter,
        "mentoring_scrape_failures",
        "Scrapes at which figures could not be looked up, and stayed as they were",
        ("part",),
    )
    certificate_ends = Made(
        Gauge,
        "mentoring_certificate_expiry_timestamp_seconds",
        "When a certificate that this process shows stops being valid",
        ("to",),
    )
    build = Made(Gauge, "mentoring_build_info", "Which service this is", ("service",))

    def __init__(self, service: Service, untold: AbstractSet[type[Message]] = frozenset()) -> None:
        """`untold`: messages of which no measure says by type when they come, or how many."""
        self.registry = CollectorRegistry()
        self._untold = {kind.__name__ for kind in untold}
        # When each counter began: as many series again, that nobody asks for.
        disable_created_metrics()  # type: ignore[no-untyped-call]
        for name, row in vars(Metrics).items():
            if isinstance(row, Made):
                setattr(self, name, row.within(self.registry))
        self._service = service
        self._latency_of: dict[str, Histogram] = {}
        self._owed_since: float | None = None
        self.outbox_oldest.set_function(self.owed_for)
        self.build.labels(service).set(1)
        self._begin_at_nothing(service)

    def _begin_at_nothing(self, service: Service) -> None:
        """Show counters before they move: what is not there before cannot be seen to grow."""
        for reason in get_args(ParkReason):
            self.parked.labels(reason)
        for part in ("database", "broker"):
            self.scrape_failures.labels(part)
        for stream in get_args(Stream):
            topic = TOPICS.get(stream_topic(service, stream))
            for kind in topic.types if topic else ():
                if kind.__name__ not in self._untold:
                    self.events.labels(kind.__name__)

    def was_late(self, kind: str, seconds: float) -> None:
        """How long a message of this type took to have its effect.

        The measure of a type is kept, for looking it up costs more than observing.
        """
        if kind in self._untold:
            return
        child = self._latency_of.get(kind)
        if child is None:
            child = self._latency_of[kind] = self.latency.labels(self._service, kind)
        child.observe(seconds)

    def decided(self, events: Sequence[Message]) -> None:
        """Count what a step has decided."""
        for kind, count in Count(type(event).__name__ for event in events).items():
            if kind not in self._untold:
                self.events.labels(kind).inc(count)
        for event in events:
            if isinstance(event, RecordParked):
                self.parked.labels(event.reason).inc()

    def owes(self, records: int) -> None:
        """So many records are committed and not published; they age from when there were none."""
        self.outbox_pending.set(records)
        if not records:
            self._owed_since = None
        elif self._owed_since is None:
            self._owed_since = time.monotonic()

    def owed_for(self) -> float:
        """For how many seconds something has been committed and not published."""
        since = self._owed_since
        return 0.0 if since is None else time.monotonic() - since

    @contextmanager
    def publishing(self, records: int) -> Iterator[None]:
        """The way of so many records to the broker."""
        since = time.monotonic()
        yield
        self.publish_seconds.observe(time.monotonic() - since)
        self.published.inc(records)
