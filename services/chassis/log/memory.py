"""The log's twin in memory.

It refuses what a real broker with the topics of the table refuses: what is larger inside than its
topic takes, and batches that nobody can open. It hands out only what was committed. It knows
neither brokers that fail nor time; a size is right to a few bytes.
"""

import asyncio
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field

from aiokafka.errors import MessageSizeTooLargeError, UnknownError

from schemas.envelope import Record
from services.chassis.log.contract import UNOPENED, Received, Spot
from services.chassis.log.opening import Unopened, opened
from services.chassis.log.sizes import most_of, size_of
from services.chassis.log.tolerant import TolerantRecords


@dataclass
class Transaction:
    """Records of some client that are not committed yet: spot to their first and last offset."""

    places: dict[Spot, list[int]] = field(default_factory=dict)


class MemoryLog:
    """A broker of one process, for as long as it lives. `limits`: what its topics take, in bytes,
    where that is not what the table says.
    """

    def __init__(self) -> None:
        self.limits: dict[str, int] = {}
        self._leaders: dict[int, asyncio.Event] = {}
        self.records: dict[Spot, list[Received]] = {}
        self._open: list[Transaction] = []
        self._hidden: dict[Spot, set[int]] = {}

    def lose_leader(self, partition: int) -> None:
        """Take nothing for a partition until it is led again."""
        self._leaders[partition] = asyncio.Event()

    def lead(self, partition: int) -> None:
        """Take again what is for the partition, first what has come meanwhile."""
        self._leaders.pop(partition).set()

    async def publish(self, records: Sequence[Record]) -> list[int]:
        for partition in {record.partition for record in records} & self._leaders.keys():
            await self._leaders[partition].wait()
        return [self._append(record) for record in records]

    async def send(self, record: Record) -> int:
        return self._append(record)

    def _check(self, topic: str, size: int) -> None:
        if size > self.limits.get(topic, most_of(topic)):
            raise MessageSizeTooLargeError(f"{size} bytes are more than {topic} takes")

    def _append(self, record: Record) -> int:
        self._check(record.topic, size_of(record))
        rows = self.records.setdefault((record.topic, record.partition), [])
        rows.append(
            Received(
                record.topic,
                record.partition,
                len(rows),
                record.key,
                record.value,
                tuple(record.headers),
            )
        )
        return len(rows) - 1

    async def read(
        self, topic: str, partition: int, start: int = 0
    ) -> AsyncIterator[list[Received]]:
        spot = topic, partition
        hidden = self._hidden.get(spot, ())
        rows = self.records.get(spot, [])[start : self.end(spot)]
        rows = [row for row in rows if row.offset not in hidden]
        for i in range(0, len(rows), 1000):
            yield rows[i : i + 1000]

    # --- what other clients do ------------------------------------------------------------

    def end(self, spot: Spot) -> int:
        """Where what can be read ends: before the first record of an open transaction."""
        first = [found.places[spot][0] for found in self._open if spot in found.places]
        return min([*first, len(self.records.get(spot, ()))])

    def take(self, topic: str, partition: int, batch: bytes) -> int:
        """A batch as it travels, of any codec; the offset of its first record."""
        try:
            size = len(opened(memoryview(batch)))
        except Unopened as error:
            raise UnknownError(str(error)) from error  # so says the real one
        self._check(topic, size)
        found = TolerantRecords(batch).next_batch()
        records = list(found) if found is not None else []
        if any(name == UNOPENED for record in records for name, _ in record.headers):
            raise UnknownError("a record of the batch cannot be read")
        offsets = [
            self._append(Record(topic, partition, r.key, r.value, tuple(r.headers)))
            for r in records
        ]
        return offsets[0]

    def begin(self, records: Sequence[Record]) -> Transaction:
        """Write these in a transaction, which stays open."""
        transaction = Transaction()
        for record in records:
            offset = self._append(record)
            transaction.places.setdefault((record.topic, record.partition), []).append(offset)
        self._open.append(transaction)
        return transaction

    def conclude(self, transaction: Transaction, *, commit: bool) -> None:
        """End it: a marker lies at the end of each partition, and what was aborted stays hidden."""
        self._open.remove(transaction)
        for spot, offsets in transaction.places.items():
            rows = self.records[spot]
            hidden = self._hidden.setdefault(spot, set())
            hidden.add(len(rows))
            rows.append(Received(*spot, len(rows), None, None, ()))
            if not commit:
                hidden.update(offsets)
