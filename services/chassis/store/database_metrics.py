"""How the database's client fares: its commands and its connections, as its driver tells them.

The driver calls these from its own threads; a measure takes that.
"""

from pymongo import monitoring

from services.chassis.watch.metrics import Metrics


class CommandMetrics(monitoring.CommandListener):
    """Each command by name, never with what it asks."""

    def __init__(self, metrics: Metrics) -> None:
        self._metrics = metrics

    def started(self, event: monitoring.CommandStartedEvent) -> None:
        pass

    def succeeded(self, event: monitoring.CommandSucceededEvent) -> None:
        seconds = event.duration_micros / 1e6
        self._metrics.database_seconds.labels(event.command_name).observe(seconds)

    def failed(self, event: monitoring.CommandFailedEvent) -> None:
        self._metrics.database_failures.labels(event.command_name).inc()


class ConnectionMetrics(monitoring.ConnectionPoolListener):
    """How many connections are open. The driver asks for all of these methods."""

    def __init__(self, metrics: Metrics) -> None:
        self._open = metrics.database_connections

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
