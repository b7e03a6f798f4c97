"""Which of chaos' faults explain that a letter was handed to the mail server again."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from deploy.trial.handed_again import OTHERWISE, Fault, explained

SLACK = 0.5
"""Seconds: a fault's times are rounded to tenths, and a mail server that hung delivers after it."""

CAUSES: Mapping[str, tuple[str, ...]] = {
    "kill": ("kill-service",),
    "freeze": ("freeze-service",),
    "mail": ("mail-hang", "mail-busy"),
    "database": (
        *("kill-mongod", "kill-mongod-secondary", "freeze-mongodb", "cut-mongodb"),
        *("halve-mongodb", "delay-mongodb", "step-down", "disk-full"),
    ),
    "broker": (
        *("kill-broker", "kill-controller", "kill-two-brokers", "freeze-broker", "cut-kafka"),
        *("tear-kafka", "halve-kafka", "delay-kafka", "leaderless", "withdraw-permission"),
    ),
    "take-over": ("rebalance-storm", "slow-take-over"),
    "term": ("term-service",),
    "rebuild": ("rebuild",),
}
"""Cause → kinds of faults, the most drastic first: of several that fit, the first one counts.

A rebuild comes last: it works beside its service, for a minute or two."""

OWN = {
    kind for cause in ("kill", "freeze", "take-over", "term", "rebuild") for kind in CAUSES[cause]
}
"""Kinds that befall one service: another's are no reason."""


def causes(
    again: Iterable[tuple[float, float]], history: Sequence[Mapping[str, Any]], begun: float
) -> dict[str, int]:
    """How many second hand-overs each cause explains, by the name of the cause.

    `again`: when a letter was handed over first, and again. `history`: a run's faults, whose times
    count from `begun`. Times are seconds.
    """
    faults = [fault for row in history for fault in _faults(row, begun)]
    found = Counter(explained(again, faults, CAUSES))
    return {cause: found[cause] for cause in (*CAUSES, OTHERWISE)}


def _faults(row: Mapping[str, Any], begun: float) -> Iterator[Fault]:
    """What a run's history tells of a fault, under the cause that it is counted for."""
    kind, since = row["kind"], row["at"] + begun
    if kind not in OWN or row["victim"].startswith("notify"):
        for cause, kinds in CAUSES.items():
            if kind in kinds:
                yield Fault(cause, since - SLACK, since + row["seconds"] + SLACK)
