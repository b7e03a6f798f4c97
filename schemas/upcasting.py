"""How a record of an older version is read as the version of today.

A change that breaks readers is a new version of its type, and comes with an `Upcast`: a plain
function from the JSON of version n to that of n + 1. Records that were written long ago take as
many of these steps as they need; nothing that was published is ever written again.

For a period both versions are published. While an upcast has a `down` and its `until` has not
come, an event on a public topic is preceded by a copy of itself in the older version. The copy
has an id and a sequence of its own, and the header `ce_copyof`: the `ce_id` of the event. Whoever
reads the new version passes over what has `ce_copyof`; whoever only knows the older one does not
know the type of the other. The copy comes first, so that the last sequence of a step is always
that of an event.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

Data = Mapping[str, Any]
Cast = Callable[[Data], dict[str, Any]]


@dataclass(frozen=True, slots=True)
class Upcast:
    """One step from a version of a type to the next.

    `up` is pure, and gives what the next version's schema accepts. `down` is its way back, for
    the period (to the day `until`, not included) in which both versions are published.
    """

    up: Cast
    down: Cast | None = None
    until: date | None = None

    def doubles(self, day: date) -> bool:
        """Whether both versions are published on this day."""
        return self.down is not None and self.until is not None and day < self.until


def _as_it_was(data: Data) -> dict[str, Any]:
    """Nothing else was told then: a contact without a post, a presentation, an assistant."""
    return dict(data)


UPCASTS: dict[tuple[str, int], Upcast] = {
    ("PersonContact", 1): Upcast(_as_it_was),
    ("PersonContact", 2): Upcast(_as_it_was),
    ("PersonContact", 3): Upcast(_as_it_was),
}
"""By the type's name and the version that is left behind."""


def can_upcast(name: str, version: int, current: int) -> bool:
    """Whether every step from `version` to `current` is known."""
    return version < current and all((name, n) in UPCASTS for n in range(version, current))


def upcast(name: str, version: int, current: int, data: Data) -> Data:
    """The JSON of `version` as that of `current`, step by step."""
    for step in range(version, current):
        data = UPCASTS[name, step].up(data)
    return data
