"""The log on a real broker: an aiokafka producer, and a reader without a group.

Always holds: the batches of one partition are sent one after the other, each acknowledged by
all in-sync replicas before the next, so whatever fails, a partition holds a prefix of what was to
be published. A record may be there twice (the consumer's rule), never out of its turn.
"""

import asyncio
import logging
from collections.abc import AsyncIterator, Sequence
from typing import Any

from aiokafka import AIOKafkaProducer
from aiokafka.errors import (
    KafkaError,
    KafkaTimeoutError,
    LeaderNotAvailableError,
    NotLeaderForPartitionError,
)

from schemas.envelope import Record
from services.chassis.log.contract import NotTaken, Received
from services.chassis.log.faults import nature_of
from services.chassis.log.names import Names
from services.chassis.log.reader import Reader
from services.chassis.log.sizes import MAX_REQUEST
from services.chassis.log.starting import nothing_left_open

logger = logging.getLogger(__name__)

BATCH_BYTES = 512 * 1024
POLL_MS = 100
SILENT_POLLS = 200

# An idempotent producer gives nothing up by itself, however long the broker is away. What waits
# for order may wait with it; a client that wants an answer and a process that ends may not.
SEND_SECONDS = 10.0
STOP_SECONDS = 5.0
GIVE_UP_SECONDS = 0.2
ANOTHER_MS = 5_000
"""After which who only reads asks another broker: one that is frozen may be the first it asks."""
UNSENT = (LeaderNotAvailableError, NotLeaderForPartitionError)
"""What a batch ends with that waited for a leader in vain: of others the producer is well."""


def received(record: Any, names: Names) -> Received:
    """An aiokafka record as the chassis sees it."""
    topic = names.here(record.topic)
    return Received(
        topic, record.partition, record.offset, record.key, record.value, record.headers
    )


async def _ended(producer: Any) -> bool:
    """End a producer; whether it had sent all.

    One that cannot is not left behind: its sender would go on sending what somebody was told was
    not taken, over connections that nobody closes. aiokafka has no way of its own to give up.
    """
    try:
        async with asyncio.timeout(STOP_SECONDS):
            await producer.stop()
    except (KafkaError, OSError, TimeoutError):
        return False
    else:
        return True
    finally:
        sender = producer._sender.sender_task
        while not sender.done():
            sender.cancel()  # again and again: it waits for what is under way
            await producer.client.close()
            await asyncio.wait([sender], timeout=GIVE_UP_SECONDS)
        producer._message_accumulator.fail_all(KafkaTimeoutError("given up"))
        await producer.client.close()


class KafkaLog:
    """`connection` is what every aiokafka client of the service is given (servers, security);
    `prefix` what stands before every name on the broker.
    """

    def __init__(
        self, connection: dict[str, Any], *, idempotent: bool = True, prefix: str = ""
    ) -> None:
        self.connection = connection
        self.names = Names(prefix)
        self.idempotent = idempotent
        self._producer: Any = None
        self._renewing = asyncio.Lock()

    async def start(self) -> None:
        await self._current()

    async def stop(self) -> None:
        """Ends it, sent or not: nobody was given to believe that it was."""
        producer, self._producer = self._producer, None
        if producer is not None and not await _ended(producer):
            logger.warning("the broker is away: what it has not taken is given up")

    async def _current(self) -> Any:
        async with self._renewing:
            if self._producer is None:
                producer = AIOKafkaProducer(
                    **self.connection,
                    acks="all",
                    enable_idempotence=self.idempotent,
                    linger_ms=5,
                    max_batch_size=BATCH_BYTES,
                    max_request_size=MAX_REQUEST,
                    request_timeout_ms=20_000,
                )
                try:
                    with nothing_left_open():
                        await producer.start()
                except BaseException:
                    await producer.stop()
                    raise
                self._producer = producer
            return self._producer

    async def _renew(self, broken: AIOKafkaProducer) -> None:
        """An idempotent producer can stay broken after an error: the next use makes a new one."""
        if self._producer is broken:
            self._producer = None
            await _ended(broken)

    async def publish(self, records: Sequence[Record]) -> list[int]:
        offsets = [-1] * len(records)
        groups: dict[tuple[str, int], list[int]] = {}
        for index, record in enumerate(records):
            groups.setdefault((record.topic, record.partition), []).append(index)
        producer = await self._current()
        sent = await asyncio.gather(
            *(
                self._in_order(producer, topic, partition, records, indexes, offsets)
                for (topic, partition), indexes in groups.items()
            ),
            return_exceptions=True,
        )
        errors = [error for error in sent if isinstance(error, BaseException)]
        if broken := [error for error in errors if not isinstance(error, UNSENT)]:
            await self._renew(producer)
            raise broken[0]
        if errors:
            raise errors[0]
        return offsets

    async def _in_order(
        self,
        producer: AIOKafkaProducer,
        topic: str,
        partition: int,
        records: Sequence[Record],
        indexes: Sequence[int],
        offsets: list[int],
    ) -> None:
        start = 0
        while start < len(indexes):
            batch, count = producer.create_batch(), 0
            for index in indexes[start:]:
                record = records[index]
                headers = list(record.headers)
                added = batch.append(
                    key=record.key, value=record.value, timestamp=None, headers=headers
                )
                if added is None:
                    break
                count += 1
            batch.close()
            there = self.names.there(topic)
            future = await producer.send_batch(batch, there, partition=partition)
            first = (await future).offset
            for number, index in enumerate(indexes[start : start + count]):
                offsets[index] = first + number
            start += count

    async def send(self, record: Record) -> int:
        try:
            return await self._send(record)
        except Exception as error:
            if nature_of(error) == "permanent":
                raise
            raise NotTaken(type(error).__name__) from error

    async def _send(self, record: Record) -> int:
        producer = await self._current()
        try:
            async with asyncio.timeout(SEND_SECONDS):
                sent = await producer.send_and_wait(
                    self.names.there(record.topic),
                    record.value,
                    key=record.key,
                    partition=record.partition,
                    headers=list(record.headers),
                )
        except UNSENT:
            raise
        except KafkaError:
            await self._renew(producer)
            raise
        return int(sent.offset)

    async def read(
        self, topic: str, partition: int, start: int = 0
    ) -> AsyncIterator[list[Received]]:
        """Ends where what is committed ends when it is reached, whatever lies there.

        Raises what keeps it from reading on.
        """
        place = self.names.place(topic, partition)
        consumer = Reader(
            **self.connection,
            enable_auto_commit=False,
            auto_offset_reset="earliest",
            fetch_max_wait_ms=POLL_MS // 2,
            request_timeout_ms=ANOTHER_MS,
        )
        try:
            await consumer.start()
            consumer.assign([place])
            consumer.seek(place, start)
            silent = 0
            while silent < SILENT_POLLS:
                before = consumer.at(place)
                found = await consumer.getmany(place, timeout_ms=POLL_MS, max_records=1000)
                rows = found.get(place, [])
                if rows and rows[0].offset < start:
                    return  # past the end: the client has gone back to the beginning
                if rows:
                    yield [received(row, self.names) for row in rows]
                    start = rows[-1].offset + 1
                elif (trouble := consumer.troubles.get(place)) is not None:
                    raise trouble.error
                at, end = consumer.at(place), consumer.end(place)
                if at is not None and end is not None and at >= end:
                    return
                silent = 0 if at != before else silent + 1
            raise KafkaTimeoutError(f"{topic}/{partition} does not answer at offset {start}")
        finally:
            await consumer.stop()

    async def written(self, topic: str, partition: int) -> int:
        """Where a partition ends, with what is not committed yet."""
        place = self.names.place(topic, partition)
        consumer = Reader(
            **self.connection, enable_auto_commit=False, request_timeout_ms=ANOTHER_MS
        )
        try:
            await consumer.start()
            return int((await consumer.end_offsets([place]))[place])
        finally:
            await consumer.stop()
