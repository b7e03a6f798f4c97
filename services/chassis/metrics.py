"""The measures of a service, for Prometheus. No person's id is ever a label."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from services.chassis.domain import Document


@dataclass(frozen=True, slots=True)
class Measure:
    """A figure of the programme: documents of a kind, counted by fields. `name` to `labels`.

    A name that ends in `_total` is a counter: it only grows. With `equals` (field, value) only
    the documents where that holds count, and labels without any show 0.
    """

    name: str
    help: str
    kind: type[Document]
    labels: tuple[tuple[str, str], ...]
    equals: tuple[str, str] | None = None

    @property
    def fields(self) -> Sequence[str]:
        """The documents' fields to count by: those of the labels, and the one of `equals`."""
        return [field for _, field in self.labels] + ([self.equals[0]] if self.equals else [])

    def counted(self, tally: Mapping[tuple[str, ...], int]) -> dict[tuple[str, ...], int]:
        """Label values to how many, from a tally by `fields`."""
        if self.equals is None:
            return dict(tally)
        found: dict[tuple[str, ...], int] = {}
        for values, count in tally.items():
            matching = count if values[-1] == self.equals[1] else 0
            found[values[:-1]] = found.get(values[:-1], 0) + matching
        return found


class Programme(Collector):
    """The figures of the programme, as last counted."""

    def __init__(self, measures: Sequence[Measure]) -> None:
        self.measures = measures
        self.counted: dict[Measure, dict[tuple[str, ...], int]] = {}

    def collect(self) -> Iterable[Metric]:
        for measure in self.measures:
            labels = [label for label, _ in measure.labels]
            counter = measure.name.endswith("_total")
            family = (CounterMetricFamily if counter else GaugeMetricFamily)(
                measure.name, measure.help, labels=labels
            )
            for values, count in self.counted.get(measure, {}).items():
                family.add_metric(values, count)
            yield family


_LATENCY = (0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300, 3600)
_STEP = (0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10)
_RECORDS = (1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000)


class Metrics:
    """Every measure of one service, in one registry."""

    def __init__(self, service: str) -> None:
        self.registry = registry = CollectorRegistry()
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
            "mentoring_consumer_lag", "Records waiting", ["topic", "partition"], registry=registry
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
        self.late_loads = Counter(
            "mentoring_late_loads", "Documents read one by one in a step", registry=registry
        )
        self.outbox_pending = Gauge(
            "mentoring_outbox_pending", "Committed, not yet published", registry=registry
        )
        self.outbox_oldest = Gauge(
            "mentoring_outbox_oldest_seconds", "Age of the oldest of these", registry=registry
        )
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
        build = Gauge(
            "mentoring_build_info", "Which service this is", ["service"], registry=registry
        )
        build.labels(service).set(1)

    def latency_of(self, kind: str) -> Histogram:
        """The latency of one type of message; kept, for looking it up costs more than observing."""
        child = self._latency_of.get(kind)
        if child is None:
            child = self._latency_of[kind] = self.latency.labels(self._service, kind)
        return child
