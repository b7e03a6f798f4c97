"""What turns a FastStream batch subscriber into the owner of partitions.

Always holds: a batch is handed to the stepper as it came, whatever its bytes; a service reads
from where its database says, never from where the broker remembers; offsets are committed,
explicitly, for what the database holds and what is of no concern; nobody goes on where a log was
reset (G7); what waits and is not being read is known here, with the reason.
"""

import asyncio
import logging
import time
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from aiokafka import ConsumerRebalanceListener, TopicPartition
from aiokafka.coordinator.assignors.range import RangePartitionAssignor
from aiokafka.errors import KafkaError
from aiokafka.structs import ConsumerRecord, OffsetAndMetadata
from faststream import AckPolicy
from faststream.kafka import KafkaMessage
from faststream.kafka.message import FAKE_CONSUMER

from services.chassis.log.broker import ReadingBroker
from services.chassis.log.contract import Spot
from services.chassis.log.kafka import KafkaLog, received
from services.chassis.log.reader import Reader
from services.chassis.log.trouble import Trouble
from services.chassis.step.catching_up import UpstreamFirst
from services.chassis.step.resets import (
    check_number,
    check_own_journal,
    check_same_log,
    check_together,
)
from services.chassis.step.retrying import Abandoned
from services.chassis.step.stepper import Stepper
from services.chassis.store.contract import Place

logger = logging.getLogger(__name__)


SHARE_BYTES = 128 * 1024
"""What a partition gives at a time. The client hands out one partition's share to its end before
the next one's: with a share of about half a batch, a partition with a great backlog leaves room
for the others in every batch. (Its own default, 1 MiB, is several batches.)"""


POLL_MS = 1000
"""How long a poll waits where nothing comes and nothing is to be looked after."""

COMMIT_SECONDS = 5.0
"""The client would wait for its coordinator for ever, and no step be made meanwhile."""


@dataclass(frozen=True, slots=True)
class Pace:
    """How many records a step takes at most, and how long a member waits and may be silent.

    `gather_ms`: from one batch to the next, at least, while there is always something.
    """

    batch: int
    gather_ms: int
    session_timeout_ms: int
    fetch_wait_ms: int


class Consumer(ConsumerRebalanceListener):  # type: ignore[misc]  # aiokafka is not typed
    """One group member. `on_fatal` is called with what no retry can mend; the process ends."""

    def __init__(
        self,
        broker: ReadingBroker,
        topics: Collection[str],
        stepper: Stepper,
        log: KafkaLog,
        on_fatal: Callable[[Exception], None],
        pace: Pace,
    ) -> None:
        self.topics = list(topics)
        self.names = log.names
        self.stepper = stepper
        self.log = log
        self.on_fatal = on_fatal
        self._order = UpstreamFirst(stepper.domain.reads)
        self._held: set[Spot] = set()
        self._begins: dict[Spot, int] = {}
        self._handling = False
        self._taking: asyncio.Task[None] | None = None
        self._handed: dict[Spot, int] = {}  # what follows the last record that was handed out
        self.subscriber = broker.subscriber(
            *map(self.names.there, self.topics),
            batch=True,
            group_id=self.names.there(f"mentoring.{stepper.domain.name}"),
            auto_offset_reset="earliest",
            ack_policy=AckPolicy.MANUAL,
            no_reply=True,
            partition_assignment_strategy=(RangePartitionAssignor,),
            session_timeout_ms=pace.session_timeout_ms,
            heartbeat_interval_ms=max(pace.session_timeout_ms // 4, 100),
            rebalance_timeout_ms=max(pace.session_timeout_ms, 60_000),
            fetch_max_wait_ms=pace.fetch_wait_ms,
            isolation_level="read_committed",
            max_partition_fetch_bytes=SHARE_BYTES,
            batch_timeout_ms=POLL_MS,
            max_records=pace.batch,
            listener=self,
            parser=_as_it_came,
            decoder=_handed_on,
            title=f"{stepper.domain.name}: one step per batch",
        )
        self.subscriber(self._handle)
        broker.on_error = self._count
        broker.gather = pace.gather_ms / 1000

    @property
    def _kafka(self) -> Reader:
        consumer = self.subscriber.consumer
        if consumer is None:  # a step, or a take-over, has outlasted it
            raise Abandoned
        assert isinstance(consumer, Reader)
        return consumer

    async def _handle(self, raw: Sequence[ConsumerRecord]) -> None:
        records = [received(record, self.names) for record in raw]
        self._handed |= {(r.topic, r.partition): r.offset + 1 for r in records}
        self._handling = True
        try:
            offsets = await self.stepper.handle(records)
            await self._commit(offsets)
            self._go_on()
        except Abandoned:
            logger.info("a step was abandoned; whoever owns the partition next makes it")
            self._read_again()
        except Exception as error:  # noqa: BLE001  # FastStream would go on to the next batch
            self.on_fatal(error)
            self._read_again()
        finally:
            self._handling = False

    def _read_again(self) -> None:
        """What was not handled comes again: nothing that follows it may come before it."""
        if self.subscriber.consumer is not None:
            for partition in self.stepper.owned.keys() - self.stepper.stopped.keys():
                self._read_from_place(partition)

    def _count(self, error: Exception) -> None:
        name = type(error).__name__
        self.stepper.ports.metrics.fetch_errors.labels(name).inc()
        logger.error("not read on: %s", name)

    async def _commit(self, offsets: dict[tuple[str, int], int]) -> None:
        assigned = self._kafka.assignment()
        wanted = {
            at: OffsetAndMetadata(offset, "")
            for spot, offset in offsets.items()
            if (at := self.names.place(*spot)) in assigned
        }
        if not wanted:
            return
        try:
            async with asyncio.timeout(COMMIT_SECONDS):
                await self._kafka.commit(wanted)
        except (KafkaError, TimeoutError) as error:
            # The database holds the truth; the offsets are for whoever watches the lag.
            logger.warning("offsets not committed: %s", type(error).__name__)

    # --- what is read, and what is not ----------------------------------------------------

    def _reached(self, spot: Spot, place: Place) -> int:
        """Up to where a topic has been read for good: past what holds no record for us, too.

        Markers of transactions and what was aborted have offsets, and are never handed out.
        """
        position = place.positions.get(spot[0], self._begins.get(spot, 0))
        if position < self._handed.get(spot, 0):
            return position  # a step is being made of what was handed out
        return max(position, self._kafka.at(self.names.place(*spot)) or 0)

    async def lags(self) -> dict[Spot, int]:
        """How many records wait, of each topic and partition that is owned, as the broker knows."""
        if self.subscriber.consumer is None:
            return {}
        owned = self.stepper.owned
        assigned = [at for at in self._kafka.assignment() if at.partition in owned]
        ends = await self._kafka.end_offsets(assigned)
        waiting: dict[Spot, int] = {}
        for at, end in ends.items():
            spot = self.names.spot(at)
            if (place := owned.get(at.partition)) is not None:
                # Some brokers tell of an end that lies before the one that a fetch told of.
                fetched = self._kafka.end(at) or 0
                waiting[spot] = max(end, fetched, position := self._reached(spot, place)) - position
        return waiting

    @property
    def waits(self) -> bool:
        """Whether the client knows of records that could be read, and have not been."""
        if self.subscriber.consumer is None:
            return False
        owned, kafka = self.stepper.owned, self._kafka
        return any(
            (kafka.end(at) or 0) > self._reached(self.names.spot(at), place)
            for at in kafka.assignment()
            if (place := owned.get(at.partition)) is not None
            and at not in kafka.troubles
            and self.names.spot(at) not in self._held
        )

    @property
    def polled(self) -> float:
        """When the broker was last asked for records, on the monotonic clock; now during a step."""
        if self.subscriber.consumer is None or self._handling:
            return time.monotonic()
        return self._kafka.polled

    @property
    def stopped(self) -> dict[Spot, Trouble]:
        """The topics and partitions that are not read on, and why; ("", -1) is the whole group."""
        if self.subscriber.consumer is None:
            return {}
        kafka = self._kafka
        found = {self.names.spot(at): why for at, why in kafka.troubles.items()}
        whole = kafka.refused or kafka.silent
        return found if whole is None else {**found, ("", -1): whole}

    def errors(self) -> dict[Spot, str]:
        """What is not read on, and the name of the error that keeps it from being read."""
        return {spot: type(why.error).__name__ for spot, why in self.stopped.items()}

    @property
    def absent(self) -> Sequence[str]:
        """The topics that the broker does not have, or does not show, once it has answered."""
        if self.subscriber.consumer is None or not self._kafka.answered:
            return ()
        return [topic for topic in self.topics if self._partitions_of(topic) is None]

    def _partitions_of(self, topic: str) -> int | None:
        """How many partitions the broker says that it has."""
        found = self._kafka.partitions_for_topic(self.names.there(topic))
        return len(found) if found else None

    # --- rebalances -----------------------------------------------------------------------

    async def on_partitions_revoked(self, revoked: Collection[TopicPartition]) -> None:
        if self._taking is not None:
            self._taking.cancel()
            await asyncio.wait([self._taking])
        await self.stepper.leave({place.partition for place in revoked})

    async def on_partitions_assigned(self, assigned: Collection[TopicPartition]) -> None:
        # The client would begin at once, and from where the broker remembers. It would also tell
        # nobody that this member lives for as long as this method takes.
        self._kafka.pause(*assigned)
        self._kafka.on_poll = self._go_on  # what holds no record for us is handed to nobody
        self._held = set()  # a step that is still under way must not let them go
        self._order.begin()
        self.stepper.ports.metrics.rebalances.inc()
        self._taking = asyncio.create_task(self._take_over(list(assigned)))

    async def _take_over(self, assigned: Sequence[TopicPartition]) -> None:
        """Become the writer of what was assigned, beside the steps that are made of the rest."""
        by_partition: dict[int, list[TopicPartition]] = {}
        for place in assigned:
            by_partition.setdefault(place.partition, []).append(place)

        async def check(found: Mapping[int, Place]) -> None:
            await self._check([place for p in found for place in by_partition[p]], found)

        try:
            for topic in self.topics:
                check_number(topic, self._partitions_of(topic), self.stepper.partitions)
            check_together(self.topics, self.names.spots(assigned))
            await self.stepper.take(by_partition, check, self._begin)
        except Abandoned:
            logger.info("an assignment was taken away before it began")
        except BaseExceptionGroup as several:
            if not isinstance(first := _first(several), Abandoned):
                self.on_fatal(first)
        except Exception as error:  # noqa: BLE001  # a task's would be heard by nobody
            self.on_fatal(error)

    def _begin(self, places: Mapping[int, Place]) -> None:
        """Read these from where their places say."""
        for partition in places:
            if partition not in self.stepper.stopped:
                self._read_from_place(partition)
        self._kafka.wake()

    def _read_from_place(self, partition: int) -> None:
        place = self.stepper.owned[partition]
        for at in self._assigned(partition):
            spot = self.names.spot(at)
            position = place.positions.get(spot[0])
            start = self._begins[spot] if position is None else position
            self._kafka.seek(at, start)
            self._handed[spot] = start
            self._held.add(spot)

    def _assigned(self, partition: int) -> list[TopicPartition]:
        return [at for at in self._kafka.assignment() if at.partition == partition]

    def _go_on(self) -> bool:
        """Between two steps: put down what is stopped, take up what is not any more, read on.

        Whether there is something of this left to do.
        """
        for partition in self.stepper.stopped:
            self._kafka.pause(*self._assigned(partition))
            self._held -= {(topic, partition) for topic in self.topics}
        for partition in self.stepper.returning:
            # From here to the next step nobody else has a turn: what it let go comes first.
            self._read_from_place(partition)
            self.stepper.go_on(partition)
        self._let_go()
        return bool(self._held or self.stepper.stopped)

    def _let_go(self) -> None:
        """Read on where nothing that comes first is missing any more."""
        if self._held:
            owned = self.stepper.owned
            reached = {
                p: {topic: self._reached((topic, p), place) for topic in self.topics}
                for p, place in owned.items()
            }
            held = self._held & self._order.held(reached)
            free = [self.names.place(*spot) for spot in self._held - held]
            self._kafka.resume(*(place for place in free if place in self._kafka.assignment()))
            self._held = held

    async def _check(
        self, assigned: Collection[TopicPartition], places: Mapping[int, Place]
    ) -> None:
        """Note where the assigned partitions begin and end; raise if it is another log.

        All that an assignment asks of the broker is asked here, where it is asked again if the
        broker is away.
        """
        name, store = self.stepper.domain.name, self.stepper.ports.store
        begins, ends = await check_same_log(
            name, assigned, places, kafka=self._kafka, log=self.log, store=store
        )
        self._begins |= begins
        self._order.add(begins, ends)
        await check_own_journal(name, places, kafka=self._kafka, log=self.log, store=store)


def _first(several: BaseExceptionGroup) -> Exception:
    error: BaseException = several
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    return error if isinstance(error, Exception) else RuntimeError(repr(error))


async def _as_it_came(raw: Any) -> KafkaMessage:
    """FastStream's own parser decodes headers, and one bad header would lose the batch."""
    return KafkaMessage(raw_message=raw, body=b"", consumer=FAKE_CONSUMER)


async def _handed_on(message: KafkaMessage) -> Any:
    return message.raw_message
