"""Until when nothing is due, as far as this process knows: so long the database is not asked.

Always holds: what this process commits is known at once; nothing is known of partitions that it did
not ask about, nor of any once somebody else may have written to them (`forget`).
"""

import asyncio
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import UTC, datetime

from services.chassis.domain import Change, Document, Timed

NEVER = datetime.max.replace(tzinfo=UTC)


@dataclass(slots=True)
class Known:
    """Of one kind, on these partitions: the first deadline. Not `whole` while it is asked for."""

    partitions: frozenset[int]
    first: datetime = NEVER
    whole: bool = False


class Horizon:
    """The first deadlines of each kind. `come` is set when a step leaves one that has come."""

    def __init__(self) -> None:
        self.come = asyncio.Event()
        self._known: dict[type[Document], Known] = {}

    def is_clear(self, kind: type[Document], partitions: Iterable[int], now: datetime) -> bool:
        """Whether it is known that nothing of this kind is due there."""
        known = self._known.get(kind)
        return (
            known is not None
            and known.whole
            and known.first > now
            and known.partitions.issuperset(partitions)
        )

    def ask(self, kind: type[Document], partitions: Collection[int]) -> Known:
        """Before the database is asked: what is committed meanwhile counts, too."""
        known = self._known[kind] = Known(frozenset(partitions))
        return known

    def answer(self, known: Known, first: datetime | None) -> None:
        """What the database said; of what was forgotten meanwhile nothing is known."""
        known.first = min(known.first, first or NEVER)
        known.whole = True

    def note(self, changes: Iterable[Change], now: datetime) -> None:
        """This process has committed these."""
        for change in changes:
            if isinstance(change, Timed) and change.due_at is not None:
                if change.due_at <= now:
                    self.come.set()
                if (known := self._known.get(type(change))) is not None:
                    known.first = min(known.first, change.due_at)

    def forget(self) -> None:
        """Somebody else may have written."""
        self._known.clear()
