"""What a command would come to as things stand, found without sending it.

Always holds: nothing is written and nothing is sent. It is the same decision that would be made of
the command, on the projections: what it refuses would have been refused; what it lets pass can
still be refused, if something else comes first.
"""

import logging
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any, TypeVar

from schemas.base import Command
from services.chassis.domain import (
    Cells,
    Columns,
    D,
    Document,
    Domain,
    Need,
    NotLoaded,
    One,
    Refusal,
    State,
)
from services.chassis.store.contract import NoAnswer, Projections, Where

logger = logging.getLogger(__name__)

T = TypeVar("T")

MOST = 10_000
"""Documents of one kind and cohort that are looked at; with more nothing is foreseen."""


class Foresight:
    """Looks ahead for one service."""

    def __init__(self, domain: Domain, store: Projections) -> None:
        self.domain = domain
        self.store = store

    async def refusal(self, command: Command, now: datetime) -> Refusal | None:
        """Why the command would be refused; None if it would not, or if nobody can tell now."""
        try:
            found = await self._refusal(command, now)
            if found is not None:  # a rebuilt database may have become the live one a moment ago
                await self.store.refresh()
                found = await self._refusal(command, now)
        except NoAnswer:
            return None
        except Exception as error:  # noqa: BLE001  # sent, it is set aside, and nothing is lost
            kind, what = type(command).__name__, type(error).__name__
            logger.error("nothing foreseen of a %s: %s", kind, what)  # noqa: TRY400
            return None
        return found

    async def _refusal(self, command: Command, now: datetime) -> Refusal | None:
        decision = await self.look(
            lambda state: self.domain.decide(state, command, now), self.domain.needs(command)
        )
        return decision if isinstance(decision, Refusal) else None

    async def look(self, find: Callable[[State], T], needs: Iterable[Need] = ()) -> T:
        """What is found from the documents as they stand; those that it asks for are read.

        Raises `NoAnswer`, also where there are more than are looked at.
        """
        state = State()
        await state.load(self, needs)
        while True:
            try:
                return find(state)
            except NotLoaded as missing:
                await state.load(self, [missing.need])

    async def load(self, needs: Iterable[One]) -> list[Document]:
        """The documents that there are."""
        found = [await self.store.one(need.kind, need.cohort_id, need.id) for need in needs]
        return [document for document in found if document is not None]

    async def columns(
        self,
        kind: type[Document],
        cohort_id: str,
        fields: Sequence[str],
        equal: Mapping[str, Any],
    ) -> list[Cells]:
        """These fields of each document, unless there are too many."""
        rows = await self.store.extract(kind, fields, Where(cohort_id, equal), limit=MOST)
        if len(rows) == MOST:
            raise _TooMany
        return [tuple(map(row.get, fields)) for row in rows]


class Unread(State):
    """What is seen where no document can be read: none is there."""

    def get(self, kind: type[D], cohort_id: str, id: str) -> D | None:  # noqa: ARG002
        """None."""
        return None

    def columns(self, need: Columns) -> list[Cells]:  # noqa: ARG002
        """Nothing."""
        return []


class _TooMany(NoAnswer):
    """More documents than are looked at."""
