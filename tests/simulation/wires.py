"""What stands between a process and its store and log: time passes there, and things go wrong.

Always holds: a process that is dead does nothing any more, whichever of its coroutines asks; one
that is paused goes on exactly where it was. What a call does, it does at one instant between its
way there and its way back, or, where the real thing can do a part of it, in two.
"""

import asyncio
from collections.abc import Awaitable, Callable, Collection, Iterable, Mapping, Sequence
from contextvars import ContextVar
from datetime import datetime
from typing import TYPE_CHECKING, Any, TypeVar

from schemas.envelope import Record
from services.chassis.domain import Cells, D, Document, One
from services.chassis.store.contract import Commit, DeadlineAside, Outgoing, Outpaced, Place
from services.chassis.store.memory import MemoryStore
from tests.chassis.faults import Crash
from tests.simulation.faults import Passing

if TYPE_CHECKING:
    from tests.simulation.process import Process

T = TypeVar("T")

PHASE: ContextVar[str] = ContextVar("PHASE")
"""What the running coroutine is about: one of `faults.Phase`."""

SHARE_OF_TURNS = 0.75

Half = Callable[[], Awaitable[Any]]


class Wire:
    """One process' way to something outside of it."""

    def __init__(self, process: "Process") -> None:
        self.process = process
        self.chance = process.world.chance

    async def passing(self) -> None:
        """The way there, or back: others have their turn."""
        process = self.process
        # Mostly a turn, and now and then a moment: a moment costs three times as much.
        moment = self.chance.random() - SHARE_OF_TURNS
        await asyncio.sleep(moment * process.world.latency if moment > 0 else 0)
        while process.paused:
            await process.resumed.wait()
        if process.dead:
            raise Crash(process.name)

    async def call(
        self, point: str, effect: Callable[[], Awaitable[T]], half: Half | None = None
    ) -> T:
        process = self.process
        process.world.calls += 1
        await self.passing()
        fault = process.world.trips.at(process.group.name, point, PHASE.get("step"))
        if fault is None:
            result = await effect()
            if self.chance.random() < 0.3:
                await self.passing()
            return result
        if fault.when == "before":
            await self._goes_wrong(point, "before", fault.effect)
        elif fault.when == "halfway" and half is not None:
            await half()
            await self._goes_wrong(point, "halfway", fault.effect)
        result = await effect()
        if fault.when == "after":
            await self._goes_wrong(point, "after", fault.effect)
        await self.passing()
        return result

    async def _goes_wrong(self, point: str, when: str, effect: str) -> None:
        process = self.process
        process.world.happened += 1
        match effect:
            case "crash":
                process.world.trips.crashed[PHASE.get("step"), point, when] += 1  # type: ignore[index]
                process.die()
                raise Crash(process.name)
            case "passing":
                raise Passing(point)
            case "rival":
                await process.group.overtake(process)
            case _:
                process.pause()
                await self.passing()


class WiredStore(Wire):
    """The service's store, as one process reaches it."""

    def __init__(self, process: "Process", inner: MemoryStore) -> None:
        super().__init__(process)
        self.inner = inner

    async def places(self, partitions: Iterable[int]) -> dict[int, Place]:
        return await self.call("places", lambda: self.inner.places(partitions))

    async def claim(self) -> None:
        await self.call("claim", self.inner.claim)

    async def outgoing(self, partitions: Iterable[int]) -> list[Outgoing]:
        return await self.call("outgoing", lambda: self.inner.outgoing(partitions))

    async def load(self, needs: Iterable[One]) -> list[Document]:
        wanted = list(needs)
        if not self.process.world.torn:
            return await self.call("load", lambda: self.inner.load(wanted))
        return await self.call("load", lambda: self._torn(wanted))

    async def columns(
        self,
        kind: type[Document],
        cohort_id: str,
        fields: Sequence[str],
        equal: Mapping[str, Any],
    ) -> list[Cells]:
        asked = kind, cohort_id, fields, equal
        return await self.call("columns", lambda: self.inner.columns(*asked))

    async def alike(
        self, kind: type[Document], fields: Sequence[str], by: str, values: Collection[str]
    ) -> list[Cells]:
        asked = kind, fields, by, values
        return await self.call("alike", lambda: self.inner.alike(*asked))

    async def encoded(
        self, kind: type[Document], cohort_id: str, fields: Sequence[str]
    ) -> list[bytes]:
        return await self.call("encoded", lambda: self.inner.encoded(kind, cohort_id, fields))

    async def _torn(self, needs: Sequence[One]) -> list[Document]:
        """One query per kind, and others write in between."""
        found: list[Document] = []
        for kind in dict.fromkeys(need.kind for need in needs):
            found += await self.inner.load([need for need in needs if need.kind is kind])
            await self.passing()
        return found

    async def commit(self, commit: Commit) -> None:
        async def effect() -> None:
            try:
                await self.inner.commit(commit)
            except Outpaced:
                PHASE.set("outpaced")
                self.process.world.outpaced += 1
                raise
            self.process.group.committed(commit)

        await self.call("commit", effect)

    async def published(self, outgoing: Sequence[Outgoing]) -> None:
        async def half() -> None:
            await self.inner.published(outgoing[: len(outgoing) // 2])

        await self.call("published", lambda: self.inner.published(outgoing), half)

    async def due(
        self,
        kind: type[D],
        partitions: Iterable[int],
        now: datetime,
        limit: int,
        besides: Sequence[str] = (),
    ) -> list[tuple[int, D]]:
        return await self.call("due", lambda: self.inner.due(kind, partitions, now, limit, besides))

    async def next_due(self, kind: type[Document], partitions: Iterable[int]) -> datetime | None:
        return await self.call("next_due", lambda: self.inner.next_due(kind, partitions))

    async def note_aside(self, news: Mapping[tuple[str, str], DeadlineAside | None]) -> None:
        await self.inner.note_aside(news)

    async def changed_topics(self, present: Mapping[str, str]) -> list[str]:
        return await self.inner.changed_topics(present)

    async def fill(self, place: Place, changes: Sequence[Any]) -> None:
        raise NotImplementedError("a process that runs does not rebuild")

    async def wipe(self) -> None:
        raise NotImplementedError("a process that runs wipes nothing")


class WiredLog(Wire):
    """The log, as one process reaches it."""

    async def publish(self, records: Sequence[Record]) -> list[int]:
        log = self.process.world.log

        async def half() -> None:
            await log.publish(self._prefix(records))

        if not self.process.world.torn:
            return await self.call("publish", lambda: log.publish(records), half)
        return await self.call("publish", lambda: self._slowly(records), half)

    async def _slowly(self, records: Sequence[Record]) -> list[int]:
        """Topic by topic, and others have their turn in between."""
        for topic in dict.fromkeys(record.topic for record in records):
            await self.process.world.log.publish([r for r in records if r.topic == topic])
            await self.passing()
        return []

    def _prefix(self, records: Sequence[Record]) -> list[Record]:
        """A part of what was to be published: of each topic's partition the first ones."""
        groups: dict[tuple[str, int], list[Record]] = {}
        for record in records:
            groups.setdefault((record.topic, record.partition), []).append(record)
        return [r for group in groups.values() for r in group[: self._some(len(group))]]

    def _some(self, most: int) -> int:
        return self.chance.randrange(most + 1)

    async def send(self, record: Record) -> int:
        raise NotImplementedError("no service sends commands")

    def read(self, topic: str, partition: int, start: int = 0) -> Any:
        raise NotImplementedError("a process that runs does not rebuild")
