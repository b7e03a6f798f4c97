"""The log's twin in memory."""

from collections.abc import AsyncIterator, Sequence

from schemas.envelope import Record
from services.chassis.log.contract import Received
from services.chassis.log.sizes import check_size


class MemoryLog:
    """A broker of one process, for as long as it lives."""

    def __init__(self) -> None:
        self.records: dict[tuple[str, int], list[Received]] = {}

    async def publish(self, records: Sequence[Record]) -> list[int]:
        for record in records:
            check_size(record)
        return [self._append(record) for record in records]

    async def send(self, record: Record) -> int:
        check_size(record)
        return self._append(record)

    def _append(self, record: Record) -> int:
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
        rows = self.records.get((topic, partition), [])[start:]
        for i in range(0, len(rows), 1000):
            yield rows[i : i + 1000]
