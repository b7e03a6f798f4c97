"""What came of a command, as the projections show it."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass

from schemas.base import Command
from services.chassis.documents import RefusedCommand
from services.chassis.domain import Timed
from services.chassis.store.contract import NoAnswer, Projections


@dataclass(frozen=True, slots=True)
class Sent:
    """A command, and where it lies in the log."""

    command: Command
    id: str
    topic: str
    partition: int
    offset: int


class Effects:
    """Waits for what comes of commands.

    `done_when`: commands that only ask for something; it is done once the document of this kind,
    named by the command's subject, is not due any more.
    """

    def __init__(
        self, store: Projections, done_when: Mapping[type[Command], type[Timed]] | None = None
    ) -> None:
        self.store = store
        self.done_when = dict(done_when or {})

    async def seen(self, sent: Sent, seconds: float) -> bool | RefusedCommand:
        """Whether the command was carried out in time, or why not.

        False too where nobody can tell now.
        """
        pause = 0.01
        try:
            async with asyncio.timeout(seconds):
                while True:
                    if (found := await self._shown(sent)) is not None:
                        return found
                    await asyncio.sleep(pause)
                    pause = min(pause * 1.5, 0.2)
        except (TimeoutError, NoAnswer):
            return False

    async def _shown(self, sent: Sent) -> bool | RefusedCommand | None:
        """What came of it; None if that does not show yet."""
        positions = await self.store.positions([sent.partition])
        if positions.get((sent.topic, sent.partition), 0) <= sent.offset:
            return None
        command = sent.command
        refused = await self.store.one(RefusedCommand, command.cohort_id, sent.id)
        if refused is not None:
            return refused
        if (kind := self.done_when.get(type(command))) is None:
            return True
        asked = await self.store.one(kind, command.cohort_id, command.subject)
        return True if asked is not None and asked.due_at is None else None
