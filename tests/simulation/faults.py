"""What goes wrong in a world: a list drawn from its seed, so that a failing one can be shortened.

Always holds: the same seed gives the same list, and a fault does the same whichever others are
left out. `CRASH_POINTS` is every place at which a process can die.
"""

import itertools
import random
from collections import Counter
from dataclasses import dataclass
from typing import Literal, get_args

from schemas.topics import Service

SERVICES: tuple[Service, ...] = ("matching", "scheduling", "feedback", "notify")
HOUR = 3600.0
DAY = 24 * HOUR

Kind = Literal[
    "trip",
    "rebalance",
    "redeliver",
    "republish",
    "poison",
    "holdback",
    "outage",
    "mail",
    "torn",
]
Phase = Literal["step", "take-over", "deadline", "outpaced"]
When = Literal["before", "halfway", "after"]
Effect = Literal["crash", "passing", "pause", "rival"]
"""A process dies, is told that it did not work, is stopped for a while, or is overtaken."""

_STEP = ("load", "commit", "publish", "published")
POINTS: dict[Phase, tuple[str, ...]] = {
    "step": _STEP,
    "take-over": ("claim", "places", "outgoing", "publish", "published"),
    "deadline": ("due", *_STEP),
    "outpaced": ("places", "outgoing", *_STEP),
}
"""What a process asks of its store and its log, by what it is about."""
HALVABLE = ("publish", "published")
"""Of these, a part can be done and another not: the rest is one operation of the server's."""

CrashPoint = tuple[Phase, str, When]
CRASH_POINTS: tuple[CrashPoint, ...] = tuple(
    (phase, point, when)
    for phase, points in POINTS.items()
    for point in points
    for when in get_args(When)
    if when != "halfway" or point in HALVABLE
)
MAIL_POINTS: tuple[CrashPoint, ...] = (
    ("deadline", "mail", "before"),
    ("deadline", "mail", "after"),
)


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing that goes wrong, `at` so many seconds; `salt` decides what is left open."""

    at: float
    kind: Kind
    service: Service
    salt: int
    phase: Phase = "step"
    point: str = ""
    when: When = "before"
    effect: Effect = "crash"

    def chance(self) -> random.Random:
        return random.Random(self.salt)

    def __str__(self) -> str:
        trip = f" {self.effect} {self.when} {self.point} ({self.phase})" if self.point else ""
        return f"day {self.at / DAY:.2f}: {self.kind} in {self.service}{trip}"


_WEIGHTS: dict[Kind, int] = {
    "trip": 20,
    "rebalance": 8,
    "redeliver": 3,
    "republish": 3,
    "poison": 2,
    "holdback": 2,
    "outage": 1,
    "mail": 3,
    "torn": 2,
}


def draw(chance: random.Random, seed: int, most: int, days: float) -> list[Fault]:
    """The faults of a world, in order of time. Many come early, when the most happens.

    Worlds of seeds that follow each other go through all crash points one after the other; in one
    of a seed below zero somebody dies at each of them, if anybody comes there.
    """
    faults: list[Fault] = []
    kinds, weights = list(_WEIGHTS), list(_WEIGHTS.values())
    for _ in range(chance.randint(most // 3, most)):
        kind = chance.choices(kinds, weights)[0]
        service = chance.choice(SERVICES)
        at = chance.random() ** 2 * days * DAY
        if kind == "trip":
            effect: Effect = chance.choices(get_args(Effect), (6, 3, 2, 2))[0]
            mail = service == "notify" and chance.random() < 0.1
            point = chance.choice(MAIL_POINTS if mail else CRASH_POINTS)
            faults += _trip(chance, at, service, point, effect)
        else:
            faults.append(Fault(at, kind, service, chance.getrandbits(32)))
    for number in range(2 * seed, 2 * seed + 2):
        point = CRASH_POINTS[number % len(CRASH_POINTS)]
        aims: tuple[Effect, ...] = ("crash", "passing")
        for service, effect in itertools.product(SERVICES, aims):
            faults += _trip(chance, chance.random() * days / 2 * DAY, service, point, effect)
    if seed < 0:
        for point in CRASH_POINTS:
            at, service = chance.random() * days / 2 * DAY, chance.choice(SERVICES)
            faults += _trip(chance, at, service, point, "crash")
    return sorted(faults, key=lambda fault: fault.at)


def _trip(
    chance: random.Random, at: float, service: Service, point: CrashPoint, effect: Effect
) -> list[Fault]:
    """The trip wire, and what has to happen first for anybody to come there."""

    def trip(at: float, point: CrashPoint, effect: Effect) -> Fault:
        return Fault(at, "trip", service, chance.getrandbits(32), *point, effect)

    phase, call, _ = point
    wanted = trip(at, point, effect)
    if phase == "outpaced":
        # The answer to a commit gets lost, or somebody else commits first.
        before: list[tuple[CrashPoint, Effect]] = [
            (("step", "commit", "after"), "passing"),
            (("deadline", "commit", "after"), "passing"),
            (("step", "commit", "before"), "rival"),
        ]
        return [trip(at, *chance.choice(before)), wanted]
    if phase == "take-over" and call in HALVABLE:
        # Whoever had it before has left something behind.
        left: list[CrashPoint] = [
            ("step", "publish", "before"),
            ("step", "publish", "halfway"),
            ("step", "commit", "after"),
            ("deadline", "commit", "after"),
        ]
        return [wanted, trip(at, chance.choice(left), "crash")]
    if phase == "take-over":
        return [wanted, Fault(at + 60, "rebalance", service, chance.getrandbits(32))]
    return [wanted]


class Passing(Exception):
    """A fault that passes, as a broker or a database that is away for a moment."""


class Trips:
    """The faults that wait for a process to come by."""

    def __init__(self, crashed: Counter[CrashPoint]) -> None:
        self._armed: dict[tuple[str, str, str], list[Fault]] = {}
        self.crashed = crashed

    def arm(self, fault: Fault) -> None:
        self._armed.setdefault((fault.service, fault.point, fault.phase), []).append(fault)

    def disarm(self) -> None:
        self._armed.clear()

    def at(self, service: str, point: str, phase: str) -> Fault | None:
        """The fault that happens here and now, once."""
        waiting = self._armed.get((service, point, phase))
        return waiting.pop() if waiting else None
