"""What turns a FastStream batch subscriber into the owner of partitions.

Always holds: a batch is handed to the stepper as it came, whatever its bytes; a service reads
from where its database says, never from where the broker remembers; offsets are committed,
explicitly, for exactly what the database holds; nobody goes on where a log was reset (G7).
"""

import logging
from collections.abc import Callable, Collection, Mapping
from typing import Any

from aiokafka import ConsumerRebalanceListener, TopicPartition
from aiokafka.coordinator.assignors.range import RangePartitionAssignor
from aiokafka.errors import KafkaError
from aiokafka.structs import OffsetAndMetadata
from faststream import AckPolicy
from faststream.kafka import KafkaBroker, KafkaMessage
from faststream.kafka.message import FAKE_CONSUMER

from services.chassis.log.kafka import KafkaLog, received
from services.chassis.log.topic_ids import topic_ids
from services.chassis.step.catching_up import Spot, UpstreamFirst
from services.chassis.step.own_journal import check_known, last_numbers, own_streams
from services.chassis.step.stepper import Abandoned, Stepper
from services.chassis.store.contract import Place

logger = logging.getLogger(__name__)


SHARE_BYTES = 128 * 1024
"""What a partition gives at a time. The client hands out one partition's share to its end before
the next one's: with a share of about half a batch, a partition with a great backlog leaves room
for the others in every batch. (Its own default, 1 MiB, is several batches.)"""


class LogReset(Exception):
    """The log is not the one that the database knows; going on would skip or repeat."""


class Consumer(ConsumerRebalanceListener):  # type: ignore[misc]  # aiokafka is not typed
    """One group member. `on_fatal` is called with what no retry can mend; the process ends."""

    def __init__(
        self,
        broker: KafkaBroker,
        topics: Collection[str],
        stepper: Stepper,
        log: KafkaLog,
        on_fatal: Callable[[Exception], None],
        *,
        batch: int,
        session_timeout_ms: int,
        fetch_wait_ms: int,
    ) -> None:
        self.topics = list(topics)
        self.stepper = stepper
        self.log = log
        self.on_fatal = on_fatal
        self._order = UpstreamFirst(stepper.domain.reads)
        self._held: set[Spot] = set()
        self._begins: dict[Spot, int] = {}
        self.subscriber = broker.subscriber(
            *self.topics,
            batch=True,
            group_id=f"mentoring.{stepper.domain.name}",
            auto_offset_reset="earliest",
            ack_policy=AckPolicy.MANUAL,
            no_reply=True,
            partition_assignment_strategy=(RangePartitionAssignor,),
            session_timeout_ms=session_timeout_ms,
            heartbeat_interval_ms=max(session_timeout_ms // 4, 100),
            rebalance_timeout_ms=max(session_timeout_ms, 60_000),
            fetch_max_wait_ms=fetch_wait_ms,
            max_partition_fetch_bytes=SHARE_BYTES,
            batch_timeout_ms=20,
            max_records=batch,
            listener=self,
            parser=_as_it_came,
            decoder=_undecoded,
            title=f"{stepper.domain.name}: one step per batch",
        )
        self.subscriber(self._handle)

    @property
    def _kafka(self) -> Any:
        consumer = self.subscriber.consumer
        assert consumer is not None, "the subscriber has started"
        return consumer

    async def _handle(self, message: KafkaMessage) -> None:
        records = [received(record) for record in message.raw_message]
        try:
            offsets = await self.stepper.handle(records)
            await self._commit(offsets)
            self._let_go()
        except Abandoned:
            logger.info("a step was abandoned; whoever owns the partition next makes it")
        except Exception as error:  # noqa: BLE001  # FastStream would go on to the next batch
            self.on_fatal(error)

    async def _commit(self, offsets: dict[tuple[str, int], int]) -> None:
        assigned = self._kafka.assignment()
        wanted = {
            TopicPartition(topic, partition): OffsetAndMetadata(offset, "")
            for (topic, partition), offset in offsets.items()
            if TopicPartition(topic, partition) in assigned
        }
        if not wanted:
            return
        try:
            await self._kafka.commit(wanted)
        except KafkaError as error:
            # The database holds the truth; the offsets are for whoever watches the lag.
            logger.warning("offsets not committed: %s", type(error).__name__)

    async def lags(self) -> dict[Spot, int]:
        """How many records wait, of each topic and partition that is owned, as the broker knows."""
        if self.subscriber.consumer is None:
            return {}
        owned = self.stepper.owned
        assigned = [at for at in self._kafka.assignment() if at.partition in owned]
        ends = await self._kafka.end_offsets(assigned)
        waiting: dict[Spot, int] = {}
        for at, end in ends.items():
            spot = at.topic, at.partition
            if (place := owned.get(at.partition)) is not None:
                position = place.positions.get(at.topic, self._begins.get(spot, 0))
                # Some brokers tell of an end that lies before the one that a fetch told of.
                told = self._kafka.highwater(at) or 0
                waiting[spot] = max(end - position, told - position, 0)
        return waiting

    # --- rebalances -----------------------------------------------------------------------

    async def on_partitions_revoked(self, revoked: Collection[TopicPartition]) -> None:
        await self.stepper.leave({place.partition for place in revoked})

    async def on_partitions_assigned(self, assigned: Collection[TopicPartition]) -> None:
        # The client would begin at once, and from where the broker remembers.
        self._kafka.pause(*assigned)
        self._held = set()  # a step that is still under way must not let them go
        self.stepper.metrics.rebalances.inc()
        try:
            self._check_together(assigned)
            places = await self.stepper.take(
                {place.partition for place in assigned},
                lambda found: self._check(assigned, found),
            )
            for place in assigned:
                position = places[place.partition].positions.get(place.topic)
                first = self._begins[place.topic, place.partition]
                self._kafka.seek(place, first if position is None else position)
            self._held = {(place.topic, place.partition) for place in assigned}
            self._let_go()
        except Abandoned:
            logger.info("an assignment was taken away before it began")
        except Exception as error:  # noqa: BLE001  # aiokafka would log it and go on
            self.on_fatal(error)

    def _let_go(self) -> None:
        """Read on where nothing that comes first is missing any more."""
        if self._held:
            owned = self.stepper.owned
            held = self._held & self._order.held({p: at.positions for p, at in owned.items()})
            free = [TopicPartition(*spot) for spot in self._held - held]
            self._kafka.resume(*(place for place in free if place in self._kafka.assignment()))
            self._held = held

    def _check_together(self, assigned: Collection[TopicPartition]) -> None:
        by_partition: dict[int, set[str]] = {}
        for place in assigned:
            by_partition.setdefault(place.partition, set()).add(place.topic)
        for partition, topics in by_partition.items():
            if missing := set(self.topics) - topics:
                raise LogReset(
                    f"partition {partition} came without {sorted(missing)}: every topic needs "
                    f"the same number of partitions"
                )

    async def _check(
        self, assigned: Collection[TopicPartition], places: Mapping[int, Place]
    ) -> None:
        await self._check_same_log(assigned, places)
        await self._check_own_journal(places)

    async def _check_own_journal(self, places: Mapping[int, Place]) -> None:
        """Raise `DatabaseOutdated` if the log has more of this service than the database knows."""
        name = self.stepper.domain.name
        own = [TopicPartition(topic, p) for topic in own_streams(name) for p in places]
        ends = await self._kafka.end_offsets(own)
        numbers = await last_numbers(
            name, self.log, {(at.topic, at.partition): end for at, end in ends.items()}, places
        )
        if numbers:
            # Who had the partition before may have made a step since these places were read.
            check_known(name, numbers, await self.stepper.store.places(list(places)))

    async def _check_same_log(
        self, assigned: Collection[TopicPartition], places: Mapping[int, Place]
    ) -> None:
        """Note where the assigned partitions begin and end; LogReset if that cannot be.

        All that an assignment asks of the broker is asked here, where it is asked again if the
        broker is away.
        """
        self._begins = {}
        if not assigned:
            self._order.begin({}, {})
            return
        present = await topic_ids(self.log.connection, {place.topic for place in assigned})
        if changed := await self.stepper.store.changed_topics(present):
            raise LogReset(
                f"{', '.join(changed)} was deleted and made again: the log is not the one that "
                f"the database knows"
            )
        begins = await self._kafka.beginning_offsets(list(assigned))
        ends = await self._kafka.end_offsets(list(assigned))
        for place in assigned:
            known = places[place.partition]
            position = known.positions.get(place.topic)
            if position is None:
                if known.step == 0 and await self._kafka.committed(place):
                    raise LogReset(
                        f"{place.topic}/{place.partition} has committed offsets and the database "
                        f"knows nothing of it: run `connecte rebuild {self.stepper.domain.name}`"
                    )
            elif position < begins[place]:
                raise LogReset(
                    f"{place.topic}/{place.partition} begins at {begins[place]}, after the stored "
                    f"position {position}: records were deleted before they were handled"
                )
            elif position > ends[place] and not await self._exists(place, position - 1):
                raise LogReset(
                    f"{place.topic}/{place.partition} ends at {ends[place]}, before the stored "
                    f"position {position}: the log is not the one that the database knows"
                )
        self._begins = {(place.topic, place.partition): at for place, at in begins.items()}
        self._order.begin(
            self._begins, {(place.topic, place.partition): at for place, at in ends.items()}
        )

    async def _exists(self, place: TopicPartition, offset: int) -> bool:
        """Some brokers report the last batch's first offset as the end; a read tells for sure."""
        async for rows in self.log.read(place.topic, place.partition, offset):
            return bool(rows) and rows[0].offset == offset
        return False


async def _as_it_came(raw: Any) -> KafkaMessage:
    """FastStream's own parser decodes headers, and one bad header would lose the batch."""
    return KafkaMessage(raw_message=raw, body=b"", consumer=FAKE_CONSUMER)


async def _undecoded(_: Any) -> bytes:
    return b""
