"""The table of faults: name, how long one lasts, how often it is drawn, which lane it runs in.

Faults of one lane come one after the other, so at most two are at work at a time; those of the
lane `parts` take away what the services stand on, those of `edges` what comes in and goes out.
"""

import random
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Literal

from deploy.trial.chaos.bulk import Bulk
from deploy.trial.chaos.ledger import Ledger
from deploy.trial.chaos.sender import Sender
from deploy.trial.chaos.stage import Stage
from deploy.trial.chaos.watch import Watch

Lane = Literal["parts", "edges"]


@dataclass(slots=True)
class Scene:
    """What a fault can reach. `note` tells whoever follows the run who the victim is."""

    stage: Stage
    sender: Sender
    bulk: Bulk
    watch: Watch
    ledger: Ledger
    note: Callable[[str], None]


Inflict = Callable[[Scene, random.Random, float], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind of fault. `seconds`: shortest and longest; `weight`: how often it is drawn.

    `mend`: what its healing takes, in seconds, so that a schedule leaves room for it.
    """

    name: str
    lane: Lane
    seconds: tuple[float, float]
    mend: float
    weight: int
    about: str
    inflict: Inflict


KINDS: dict[str, Kind] = {}


def kind(
    name: str, lane: Lane, seconds: tuple[float, float], *, mend: float = 0.5, weight: int = 1
) -> Callable[[Inflict], Inflict]:
    """Enter a function into the table, under its name and the first line that describes it."""

    def enter(inflict: Inflict) -> Inflict:
        about = (inflict.__doc__ or "").strip().splitlines()[0]
        KINDS[name] = Kind(name, lane, seconds, mend, weight, about, inflict)
        return inflict

    return enter
