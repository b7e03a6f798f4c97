"""Why a letter was handed to the mail server again, told by what befell its sender in between.

Always holds: a fault explains a second hand-over only if it was going on between the first one and
the second. So `otherwise` counts letters that were handed over twice for no fault that was made.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

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
    found: Counter[str] = Counter()
    for first, second in again:
        between = {
            row["kind"]
            for row in history
            if row["at"] + begun <= second + SLACK
            and row["at"] + begun + row["seconds"] >= first - SLACK
            and (row["kind"] not in OWN or row["victim"].startswith("notify"))
        }
        named = (cause for cause, kinds in CAUSES.items() if between.intersection(kinds))
        found[next(named, "otherwise")] += 1
    return {cause: found[cause] for cause in (*CAUSES, "otherwise")}
