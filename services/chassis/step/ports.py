"""What steps are made with, and how far they may go: chosen once, when a service is built."""

from dataclasses import dataclass

from services.chassis.clock import Clock
from services.chassis.faults import Nature, NatureOf
from services.chassis.log.contract import Log
from services.chassis.store.contract import Store
from services.chassis.tracing import OFF, Tracing
from services.chassis.watch.metrics import Metrics


def _permanent(_: BaseException) -> Nature:
    return "permanent"


@dataclass(frozen=True, slots=True)
class Ports:
    """What lies outside of a step. `nature_of`: whether what went wrong out there passes."""

    store: Store
    log: Log
    clock: Clock
    metrics: Metrics
    nature_of: NatureOf = _permanent
    tracing: Tracing = OFF


@dataclass(frozen=True, slots=True)
class Limits:
    """How long, in seconds, to wait before what failed is tried again: at first, and at most.

    `longest_retry` is for what passes by itself, `slowest_retry` for what somebody has to mend.
    `parked`: how many records of a partition may stand aside.
    """

    first_retry: float = 0.05
    longest_retry: float = 5.0
    slowest_retry: float = 30.0
    parked: int = 100_000
