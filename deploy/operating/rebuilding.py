"""A service's database, folded again from its events beside the live one, while the service runs.

Always holds: the live database is not touched before the new one has all that it has; then one
takes the place of the other in one transaction, and the old one is kept until it is told to go.
Whatever goes wrong before that, the service goes on with the database that it had.
"""

import asyncio
import math
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from deploy.operating.reach import Access, check_partitions, domain_of, opened_log, opened_store
from schemas.topics import PUBLIC_EVENTS, Service, Stream, stream_topic
from services.chassis.log.kafka import KafkaLog
from services.chassis.log.names import Names
from services.chassis.log.reader import Reader
from services.chassis.step.rebuild import Advance, Fold, JournalBroken
from services.chassis.store.generations import FenceFell
from services.chassis.store.mongo import MongoStore

SHORT = 1000  # events of a pass after which the new database counts as having caught up
OWED_SECONDS = 1.0  # how long its owner is given to publish what it has committed
REACH_SECONDS = 10.0  # less than a fence lasts

Note = Callable[[str], None]
"""Called with what is being done now."""


@dataclass(frozen=True, slots=True)
class Rebuilt:
    """What a rebuild did. `generation` is live now; `differences` is None when none were sought.

    `pause` is for how many seconds nobody could write.
    """

    database: str
    generation: int
    published: int
    events: int
    pause: float
    differences: list[str] | None


async def rebuild_service(
    access: Access,
    service: Service,
    *,
    verify: bool,
    advance: Advance,
    note: Note = lambda _: None,
) -> Rebuilt:
    """Fold a service's database again from the log, and put it in the place of the live one.

    With `verify` it is compared with what the live one was at one moment, and dropped. Raises
    JournalBroken or FenceFell; then nothing has changed.
    """
    await check_partitions(access, access.partitions, _topics(service))
    async with opened_store(access, service) as live, opened_log(access) as log:
        number = await live.generations.reserve()
        async with opened_store(access, service, number) as new:
            work = _Work(service, access, live, new, log, number, advance)
            try:
                note("folding")
                await work.caught_up()
                note("comparing" if verify else "changing over")
                return await (work.compare() if verify else work.change_over())
            finally:
                # What may have become the live one, or may yet, is left to --forget-old.
                if not work.given:
                    await live.generations.drop(number, new.collections)


async def forget_older(access: Access, service: Service) -> list[int]:
    """Drop the generations before the live one; their numbers."""
    async with opened_store(access, service) as store:
        older = await store.generations.older()
        for number in older:
            await store.generations.drop(number, store.collections)
        return older


async def journal_size(access: Access, service: Service) -> int:
    """About how many records a rebuild has to read. OperationFailed if topics are not as set."""
    await check_partitions(access, access.partitions, _topics(service))
    topics = _topics(service, tables=False)
    names = Names(access.topic_prefix)
    places = [names.place(t, p) for t in topics for p in range(access.partitions)]
    consumer = Reader(**access.kafka_connection, enable_auto_commit=False)
    try:
        await consumer.start()
        begins = await consumer.beginning_offsets(places)
        ends = await consumer.end_offsets(places)
        return sum(ends[place] - begins[place] for place in places)
    finally:
        await consumer.stop()


def _topics(service: Service, *, tables: bool = True) -> list[str]:
    """The topics that hold a service's own events, and those that it mirrors."""
    streams: list[Stream] = ["private", "parked"]
    if PUBLIC_EVENTS[service]:
        streams.append("events")
    own = [stream_topic(service, stream) for stream in streams]
    return [*own, *domain_of(service).tables] if tables else own


class _Work:
    """One rebuild."""

    def __init__(
        self,
        service: Service,
        access: Access,
        live: MongoStore,
        new: MongoStore,
        log: KafkaLog,
        number: int,
        advance: Advance,
    ) -> None:
        self.live = live
        self.new = new
        self.log = log
        self.number = number
        self.partitions = range(access.partitions)
        self.fold = Fold(domain_of(service), new, log, access.partitions, advance)
        self.events = self.published = 0
        self.given = False  # to the database to make it the live one; the answer may get lost

    async def caught_up(self) -> None:
        """Fold what there is, and what came meanwhile, until that is little."""
        last = SHORT
        while last >= SHORT:
            last = await self.fold.catch_up()
            self.events += last

    async def compare(self) -> Rebuilt:
        """Fold up to what the live database is at one moment, and compare the two."""
        async with await self.live.client.start_session(snapshot=True) as session:
            steps = await self.live.steps(self.partitions, session)
            await self._reach(steps, until=steps)
            return self._rebuilt(await self.live.differences(self.new, session))

    async def change_over(self) -> Rebuilt:
        """Keep everybody from writing for a moment, fold the rest, and make the new one live."""
        generations = self.live.generations
        began = time.monotonic()
        token = await generations.fence(self.partitions)
        try:
            await self._reach(await self.live.steps(self.partitions))
            self.given = True
            await generations.swap(token, len(self.partitions), self.number)
        except BaseException as error:
            self.given = self.given and not isinstance(error, FenceFell)
            await generations.lift(token)
            raise
        return self._rebuilt(None, time.monotonic() - began)

    async def _reach(
        self, steps: Mapping[int, int], until: Mapping[int, int] | None = None
    ) -> None:
        """Fold until these steps have been reached, and without `until` to the end of the log."""
        started, owed = time.monotonic(), OWED_SECONDS
        while True:
            self.events += await self.fold.catch_up(until)
            waited = time.monotonic() - started
            try:
                if behind := self.fold.behind(steps):
                    raise JournalBroken(f"partitions {behind} end before the database does")
                if until is None:
                    self.fold.check_ended()
            except JournalBroken:
                if waited > REACH_SECONDS:
                    raise
            else:
                return
            if waited > owed:
                self.published += await self._publish_owed()
                owed = math.inf
            await asyncio.sleep(0.05)

    async def _publish_owed(self) -> int:
        """Publish what has been committed. Whoever owns it may do the same: that does no harm."""
        owed = await self.live.outgoing(self.partitions)
        records = [record for step in owed for record in step.records]
        if records:
            await self.log.publish(records)
            await self.live.published(owed)
        return len(records)

    def _rebuilt(self, differences: list[str] | None, pause: float = 0.0) -> Rebuilt:
        name, number = self.live.database.name, self.number
        return Rebuilt(name, number, self.published, self.events, pause, differences)
