"""What came of a command, as the projections show it."""

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

from schemas.base import Command
from schemas.topics import Service
from services.chassis.documents import DroppedRecord, ParkedRecord, RefusedCommand
from services.chassis.domain import Timed
from services.chassis.store.contract import NoAnswer, Place, Projections

FIRST_GLANCE, LONGEST_GLANCE = 0.005, 0.05
"""Seconds between two looks at what this process itself has come to, at first and in the end: many
may wait for long where much is to be done."""
FIRST_LOOK, LONGEST_LOOK = 0.01, 0.2
"""Seconds between two looks at the database, at first and in the end."""


@dataclass(frozen=True, slots=True)
class Sent:
    """A command, and where it lies in the log."""

    command: Command
    id: str
    topic: str
    partition: int
    offset: int

    @property
    def origin(self) -> str:
        """The same as what stands aside names it: `topic/partition/offset`."""
        return f"{self.topic}/{self.partition}/{self.offset}"


@dataclass(frozen=True, slots=True)
class Aside:
    """A command was neither carried out nor refused: it stands aside, or was dropped there."""

    reason: str
    detail: str


Found = bool | RefusedCommand | Aside
"""Carried out, or not seen yet; refused; or set aside."""


class Effects:
    """Waits for what comes of commands of a service.

    `done_when`: commands that only ask for something; it is done once the document of this kind,
    named by the command's subject, is not due any more, or not yet. `owned`: the places of the
    partitions that this process writes to; of others, and of what does not come about here, the
    database is asked.
    """

    def __init__(
        self,
        service: Service,
        store: Projections,
        done_when: Mapping[type[Command], type[Timed]] | None = None,
        owned: Callable[[], Mapping[int, Place]] = dict,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self.service = service
        self.store = store
        self.done_when = dict(done_when or {})
        self._owned = owned
        self._now = now

    async def seen(self, sent: Sent, seconds: float) -> Found:
        """Whether the command was carried out in time, or why not.

        False too where nobody can tell now.
        """
        pause = FIRST_LOOK
        try:
            async with asyncio.timeout(seconds):
                await self._passed_here(sent)
                while True:
                    if (found := await self._shown(sent)) is not None:
                        return found
                    await asyncio.sleep(pause)
                    pause = min(pause * 1.5, LONGEST_LOOK)
        except (TimeoutError, NoAnswer):
            return False

    async def _passed_here(self, sent: Sent) -> None:
        """Wait for as long as this process is the one that has yet to come past it."""
        pause = FIRST_GLANCE
        while (place := self._owned().get(sent.partition)) is not None:
            if place.positions.get(sent.topic, 0) > sent.offset:
                return
            await asyncio.sleep(pause)
            pause = min(pause * 1.2, LONGEST_GLANCE)

    async def read(self, sent: Sent) -> bool:
        """Whether the service has come past it, whatever came of it. Raises `NoAnswer`."""
        positions = await self.store.positions([sent.partition])
        return positions.get((sent.topic, sent.partition), 0) > sent.offset

    async def _shown(self, sent: Sent) -> Found | None:
        """What came of it; None if that does not show yet."""
        if not await self.read(sent):
            return None
        command = sent.command
        refused, aside = await asyncio.gather(
            self.store.one(RefusedCommand, command.cohort_id, sent.id), self._aside(sent)
        )
        if (found := refused or aside) is not None:
            return found
        if (kind := self.done_when.get(type(command))) is None:
            return True
        asked = await self.store.one(kind, command.cohort_id, command.subject)
        if asked is None:
            return None
        waits = asked.due_at is not None and asked.due_at <= self._now()
        return None if waits else True

    async def _aside(self, sent: Sent) -> Aside | None:
        """Dropped is looked at last: what is dropped meanwhile leaves the one for the other."""
        parked = await self.store.one(ParkedRecord, self.service, sent.origin)
        if parked is not None:
            return Aside(parked.reason, parked.detail)
        dropped = await self.store.one(DroppedRecord, self.service, sent.origin)
        return None if dropped is None else Aside("dropped", dropped.because)
