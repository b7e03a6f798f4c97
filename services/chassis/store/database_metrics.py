"""How the database's client fares: its commands and its connections, as its driver tells them.

The driver calls these from its own threads; a measure takes that.
"""

from prometheus_client import Counter, Gauge, Histogram
from pymongo import monitoring


class CommandMetrics(monitoring.CommandListener):
    """Each command by name, never with what it asks: that is the only label of both."""

    def __init__(self, seconds: Histogram, failures: Counter) -> None:
        self._seconds = seconds
        self._failures = failures

    def started(self, event: monitoring.CommandStartedEvent) -> None:
        pass

    def succeeded(self, event: monitoring.CommandSucceededEvent) -> None:
        seconds = event.duration_micros / 1e6
        self._seconds.labels(event.command_name).observe(seconds)

    def failed(self, event: monitoring.CommandFailedEvent) -> None:
        self._failures.labels(event.command_name).inc()


class ConnectionMetrics(monitoring.ConnectionPoolListener):
    """How many connections are open. The driver asks for all of these methods."""

    def __init__(self, open: Gauge) -> None:
        self._open = open

    def connection_created(self, _: monitoring.ConnectionCreatedEvent) -> None:
        self._open.inc()

    def connection_closed(self, _: monitoring.ConnectionClosedEvent) -> None:
        self._open.dec()

    def pool_created(self, event: monitoring.PoolCreatedEvent) -> None: ...
    def pool_ready(self, event: monitoring.PoolReadyEvent) -> None: ...
    def pool_cleared(self, event: monitoring.PoolClearedEvent) -> None: ...
    def pool_closed(self, event: monitoring.PoolClosedEvent) -> None: ...
    def connection_ready(self, event: monitoring.ConnectionReadyEvent) -> None: ...
    def connection_check_out_started(
        self, event: monitoring.ConnectionCheckOutStartedEvent
    ) -> None: ...
    def connection_check_out_failed(
        self, event: monitoring.ConnectionCheckOutFailedEvent
    ) -> None: ...
    def connection_checked_out(self, event: monitoring.ConnectionCheckedOutEvent) -> None: ...
    def connection_checked_in(self, event: monitoring.ConnectionCheckedInEvent) -> None: ...
