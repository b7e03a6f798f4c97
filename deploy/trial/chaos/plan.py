"""Which fault comes when: told by the seed alone, before anything has been started.

Always holds: the same seed, minutes and kinds give the same schedule on every machine; each kind
is drawn before any is drawn again as often as its weight says; no two of a lane overlap.
"""

import random
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from typing import Any

from deploy.trial.chaos.faults.kinds import KINDS, Kind, Lane

FIRST = 4.0
GAPS: dict[Lane, tuple[float, float]] = {"parts": (0.5, 2.0), "edges": (0.5, 2.5)}


@dataclass(frozen=True, slots=True)
class PlannedFault:
    """A fault to come: `at` and `seconds` of real time, from when the load begins.

    It comes later if the one before it in its lane has not been healed by then.
    """

    number: int
    at: float
    kind: str
    seconds: float
    seed: str

    @property
    def draw(self) -> random.Random:
        """What the fault takes its victim from."""
        return random.Random(self.seed)  # noqa: S311  # no secret

    def document(self) -> dict[str, Any]:
        return {"at": self.at, "kind": self.kind, "seconds": self.seconds, "draw": self.seed}


def schedule(seed: int, minutes: float, kinds: Collection[str]) -> dict[Lane, list[PlannedFault]]:
    """The faults of each lane, in order."""
    lanes: dict[Lane, list[PlannedFault]] = {"parts": [], "edges": []}
    for lane, planned in lanes.items():
        chosen = [k for name, k in KINDS.items() if name in kinds and k.lane == lane]
        chance = random.Random(f"{seed}:{lane}")  # noqa: S311  # no secret
        at = FIRST + chance.uniform(*GAPS[lane])
        for number, kind in enumerate(_drawn(chosen, chance)):
            seconds = round(chance.uniform(*kind.seconds), 2)
            if at + seconds > minutes * 60:
                break
            name = f"{seed}:{lane}:{number}:{kind.name}"
            planned.append(PlannedFault(number, round(at, 2), kind.name, seconds, name))
            at += seconds + kind.mend + chance.uniform(*GAPS[lane])
    return lanes


def _drawn(kinds: list[Kind], chance: random.Random) -> Iterator[Kind]:
    """One bag after the other, each with every kind as often as its weight says."""
    once = sorted(kinds, key=lambda kind: kind.name)
    while once:
        # Every kind early on, so that a short run has many.
        chance.shuffle(once)
        yield from once
        more = [kind for kind in once for _ in range(kind.weight - 1)]
        chance.shuffle(more)
        yield from more
