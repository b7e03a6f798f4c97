"""What can go wrong with a part that a service stands on, told by what helps against it.

Always holds: what passes, and what somebody has to permit, is named in a table (of the store, of
the log); whatever no table names is permanent, and nobody waits for it.
"""

from collections.abc import Callable
from typing import Literal

Nature = Literal["passing", "denied", "permanent"]
"""It passes by itself; it passes once somebody permits it; it will be the same next time."""

NatureOf = Callable[[BaseException], Nature]


def worst(natures: set[Nature]) -> Nature:
    """What helps against several at once: what helps against the one that is hardest to mend."""
    order: tuple[Nature, ...] = ("permanent", "denied", "passing")
    return next((nature for nature in order if nature in natures), "permanent")


def name_of(error: BaseException) -> str:
    """What a log may say of an error: its class and its code. Its text can hold anybody's data."""
    code = getattr(error, "code", None)
    return f"{type(error).__name__} {code}" if isinstance(code, int) else type(error).__name__
