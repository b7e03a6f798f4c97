"""The measures of a service, for Prometheus. No person's id is ever a label."""

import time
from collections import Counter as Count
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, get_args

from prometheus_client import (
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    disable_created_metrics,
)
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from schemas.base import Message
from schemas.envelope import ParkReason
from schemas.journal import RecordParked
from schemas.topics import TOPICS, Service, Stream, stream_topic
from services.chassis.domain import Document

Row = dict[str, Any]
Samples = Mapping[tuple[str, ...], float]
"""Label values to a figure."""


@dataclass(frozen=True, slots=True)
class Tally:
    """Documents of a kind, counted by fields. `labels`: the name of each and its field.

    A name that ends in `_total` is typed as a counter, which the format asks for; where a state can
    be left, it can fall all the same, so nobody should take its rate.
    """

    name: str
    help: str
    kind: type[Document]
    labels: tuple[tuple[str, str], ...]

    @property
    def label_names(self) -> Sequence[str]:
        return [label for label, _ in self.labels]

    @property
    def fields(self) -> Sequence[str]:
        """The documents' fields to count by."""
        return [field for _, field in self.labels]


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
"""A figure of the programme: looked up when somebody scrapes, and not before."""


class Programme(Collector):
    """The figures of the programme, as last looked up."""

    def __init__(self, measures: Sequence[Measure]) -> None:
        self.measures = measures
        self.samples: dict[Measure, Samples] = {}

    def collect(self) -> Iterable[Metric]:
        for measure in self.measures:
            counter = measure.name.endswith("_total")
            family = (CounterMetricFamily if counter else GaugeMetricFamily)(
                measure.name, measure.help, labels=measure.label_names
            )
            for values, figure in self.samples.get(measure, {}).items():
                family.add_metric(values, figure)
            yield family


_LATENCY = (0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300, 3600)
_STEP = (0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10)
_RECORDS = (1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000)


class Metrics:
    """Every measure of one service, in one registry."""

    def __init__(self, service: Service) -> None:
        self.registry = registry = CollectorRegistry()
        # When each counter began: as many series again, that nobody asks for.
        disable_created_metrics()  # type: ignore[no-untyped-call]
        self.latency = Histogram(
            "mentoring_event_latency_seconds",
            "From a message's occurrence to its effect here",
            ["service", "type"],
            buckets=_LATENCY,
            registry=registry,
        )
        self._latency_of: dict[str, Histogram] = {}
        self._service = service
        self.lag = Gauge(
            "mentoring_consumer_lag",
            "Records waiting on partitions owned",
            ["topic", "partition"],
            registry=registry,
        )
        self.ready = Gauge(
            "mentoring_ready",
            "1 where partitions are assigned and database and broker answer",
            registry=registry,
        )
        self.assigned = Gauge(
            "mentoring_partitions_assigned", "Partitions owned", registry=registry
        )
        self.rebalances = Counter("mentoring_rebalances", "Assignments received", registry=registry)
        self.step_seconds = Histogram(
            "mentoring_step_seconds", "One batch step", buckets=_STEP, registry=registry
        )
        self.step_records = Histogram(
            "mentoring_step_records", "Messages in a step", buckets=_RECORDS, registry=registry
        )
        self.retries = Counter(
            "mentoring_retries",
            "Attempts put off or made again, by the error that stopped them",
            ["error"],
            registry=registry,
        )
        self.parked = Counter(
            "mentoring_records_parked",
            "Records that this process set aside, or left there when it tried again",
            ["reason"],
            registry=registry,
        )
        self.events = Counter(
            "mentoring_events", "Events that this process decided", ["type"], registry=registry
        )
        self.late_loads = Counter(
            "mentoring_late_loads", "Documents read one by one in a step", registry=registry
        )
        self.publish_seconds = Histogram(
            "mentoring_publish_seconds",
            "Publishing the events of a step",
            buckets=_STEP,
            registry=registry,
        )
        self.published = Counter(
            "mentoring_published_records", "Records that the broker has taken", registry=registry
        )
        self.outbox_pending = Gauge(
            "mentoring_outbox_pending", "Committed, not yet published", registry=registry
        )
        self.outbox_oldest = Gauge(
            "mentoring_outbox_oldest_seconds",
            "For how long these have been on their way to the broker",
            registry=registry,
        )
        self._owed_since: float | None = None
        self.outbox_oldest.set_function(self.owed_for)
        self.skipped = Counter(
            "mentoring_duplicates_skipped",
            "Records that had been handled already",
            ["reason"],
            registry=registry,
        )
        self.connections = Gauge(
            "mentoring_http_connections", "Open HTTP connections", registry=registry
        )
        self.last_event = Gauge(
            "mentoring_projection_last_event_timestamp_seconds",
            "Time of the newest message in the projections",
            registry=registry,
        )
        self.database_seconds = Histogram(
            "mentoring_database_seconds",
            "Commands that the database answered",
            ["command"],
            buckets=_STEP,
            registry=registry,
        )
        self.database_failures = Counter(
            "mentoring_database_failures",
            "Commands that it refused or did not answer",
            ["command"],
            registry=registry,
        )
        self.database_connections = Gauge(
            "mentoring_database_connections", "Open connections to it", registry=registry
        )
        self.scrape_failures = Counter(
            "mentoring_scrape_failures",
            "Scrapes at which figures could not be looked up, and stayed as they were",
            ["part"],
            registry=registry,
        )
        build = Gauge(
            "mentoring_build_info", "Which service this is", ["service"], registry=registry
        )
        build.labels(service).set(1)
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
                self.events.labels(kind.__name__)

    def latency_of(self, kind: str) -> Histogram:
        """The latency of one type of message; kept, for looking it up costs more than observing."""
        child = self._latency_of.get(kind)
        if child is None:
            child = self._latency_of[kind] = self.latency.labels(self._service, kind)
        return child

    def decided(self, events: Sequence[Message]) -> None:
        """Count what a step has decided."""
        for kind, count in Count(type(event).__name__ for event in events).items():
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
        """The way of so many records to the broker; if it is broken off, they stay owed."""
        self.owes(records)
        since = time.monotonic()
        yield
        self.publish_seconds.observe(time.monotonic() - since)
        self.published.inc(records)
        self.owes(0)
