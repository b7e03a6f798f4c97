"""From the outbox to the log: publish in order, then forget.

Always holds: what stands in the outbox is durable in the log before it is forgotten, and counts as
owed until then; a partition whose events nobody takes holds up no other one: it is waited for
beside everything else, and nothing more is committed of it meanwhile.
"""

import asyncio
from collections import Counter
from collections.abc import Iterable, Sequence

from services.chassis.step.ports import Ports
from services.chassis.step.retrying import Abandoned, Retry
from services.chassis.store.contract import Outgoing

SLOW_SECONDS = 10.0
"""After which a broker that has not said that it took a step's events counts as failing."""


class Patience:
    """How long a step waits for its slowest partition, before it goes on without that one.

    Many times what a broker usually takes: where all of them are slow none is left behind, for that
    costs the partition another reading; where one has no leader the others wait for a moment only.
    """

    SHORTEST = 0.1
    LONGEST = 2.0
    TIMES = 10
    SLOWER, FASTER = 0.1, 0.5  # how much the last one counts in what is usual

    def __init__(self) -> None:
        self._usual = self.LONGEST / self.TIMES

    @property
    def seconds(self) -> float:
        """What a step may wait now."""
        return min(max(self.TIMES * self._usual, self.SHORTEST), self.LONGEST)

    def learn(self, seconds: float) -> None:
        """The records of a partition were taken after so long."""
        change = min(seconds, self.LONGEST) - self._usual
        self._usual += change * (self.SLOWER if change > 0 else self.FASTER)


class Publisher:
    """Publishes what the steps of one process have committed.

    `owing`: the partitions of which something is committed and not known to be taken. No step may
    be made of them: what it came to would overtake what is owed.
    """

    def __init__(self, ports: Ports, retry: Retry) -> None:
        self.owing: set[int] = set()
        self._ports = ports
        self._retry = retry
        self._patience = Patience()
        self._late: dict[int, asyncio.Task[None]] = {}
        self._owed: dict[int, int] = {}  # records of partitions

    @property
    def late(self) -> bool:
        """Whether something has been owed for too long."""
        return self._ports.metrics.owed_for() > SLOW_SECONDS

    async def left(self, partitions: Iterable[int]) -> list[Outgoing]:
        """What stands in the outbox of these; from now on it is owed."""
        left = await self._ports.store.outgoing(partitions)
        owed: Counter[int] = Counter()
        for item in left:
            owed[item.partition] += len(item.records)
        for partition, records in owed.items():
            self._owes(partition, records)
        return left

    def leave(self, partitions: Iterable[int]) -> None:
        """Whoever owns these next owes what is owed of them."""
        for partition in partitions:
            if (task := self._late.pop(partition, None)) is not None:
                task.cancel()
            self._paid(partition)

    async def publish(self, outgoing: Sequence[Outgoing]) -> None:
        """Publish what was committed, and forget it. What is published again is harmless.

        Comes back when all of it is taken, or when the partitions that are left are waited for
        beside everything else.
        """
        by_partition: dict[int, list[Outgoing]] = {}
        for item in outgoing:
            by_partition.setdefault(item.partition, []).append(item)
        self.leave(by_partition)
        tasks: dict[asyncio.Task[None], list[Outgoing]] = {}
        for partition, items in by_partition.items():
            self._owes(partition, sum(len(item.records) for item in items))
            tasks[asyncio.create_task(self._taken(partition, items))] = items
        try:
            done, late = await asyncio.wait(tasks, timeout=self._patience.seconds)
        except BaseException:
            for task in tasks:
                task.cancel()
            raise
        for task in late:
            items = tasks[task]
            self._late[items[0].partition] = asyncio.create_task(self._in_the_end(task, items))
        for task in done:
            task.result()
        await self._forget([item for task in done for item in tasks[task]])

    async def _taken(self, partition: int, items: Sequence[Outgoing]) -> None:
        records = [record for item in items for record in item.records]
        clock = asyncio.get_running_loop().time
        started = clock()
        with self._ports.metrics.publishing(len(records)):
            # What was committed cannot be taken back, so there is nothing else to do.
            await self._retry.until_done(
                lambda: self._ports.log.publish(records), ("publishing", partition), whatever=True
            )
        self._patience.learn(clock() - started)

    async def _in_the_end(self, task: asyncio.Task[None], items: Sequence[Outgoing]) -> None:
        try:
            await task
            await self._forget(items)
        except Abandoned:
            pass  # it stays owed until the partition is taken again
        finally:
            task.cancel()

    async def _forget(self, items: Sequence[Outgoing]) -> None:
        if items:
            await self._retry.until_done(
                lambda: self._ports.store.published(items), "forgetting", whatever=True
            )
        for item in items:
            self._paid(item.partition)

    def _owes(self, partition: int, records: int) -> None:
        self.owing.add(partition)
        self._owed[partition] = records
        self._ports.metrics.owes(sum(self._owed.values()))

    def _paid(self, partition: int) -> None:
        self.owing.discard(partition)
        self._retry.put_off.pop(("publishing", partition), None)
        if self._owed.pop(partition, None) is not None:
            self._ports.metrics.owes(sum(self._owed.values()))
