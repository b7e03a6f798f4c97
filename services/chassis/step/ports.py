"""What steps are made with, and how far they may go: chosen once, when a service is built."""

from collections.abc import Callable
from dataclasses import dataclass

from services.chassis.clock import Clock
from services.chassis.log.contract import Log
from services.chassis.store.contract import Store
from services.chassis.tracing import OFF, Tracing
from services.chassis.watch.metrics import Metrics


def _never(_: Exception) -> bool:
    return False


@dataclass(frozen=True, slots=True)
class Ports:
    """What lies outside of a step. `is_transient`: whether what went wrong passes by itself."""

    store: Store
    log: Log
    clock: Clock
    metrics: Metrics
    is_transient: Callable[[Exception], bool] = _never
    tracing: Tracing = OFF


@dataclass(frozen=True, slots=True)
class Limits:
    """How long, in seconds, to wait before a step that failed for a passing reason is retried.

    `parked`: how many records of a partition may stand aside.
    """

    first_retry: float = 0.05
    longest_retry: float = 5.0
    parked: int = 100_000
