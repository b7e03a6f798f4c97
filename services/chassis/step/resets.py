"""Whether the log is the one that the database knows, asked when partitions are assigned (G7).

Always holds: where a log was deleted, made again or cut off, and where the database is older than
what was published from it, nobody goes on; what the broker does not know for sure is read.
"""

from collections.abc import Collection, Mapping
from typing import Any

from aiokafka import TopicPartition

from schemas.topics import Service
from services.chassis.log.contract import Spot
from services.chassis.log.kafka import KafkaLog
from services.chassis.log.names import Names
from services.chassis.log.topic_ids import topic_ids
from services.chassis.step.own_journal import check_known, last_numbers, own_streams
from services.chassis.store.contract import Place, Store


class LogReset(Exception):
    """The log is not the one that the database knows; going on would skip or repeat."""


class WrongPartitions(Exception):
    """The topics have another number of partitions than the service was told."""


def check_number(topic: str, found: int | None, told: int) -> None:
    """Raise `WrongPartitions` unless the topic has as many as the service was told."""
    if found is not None and found != told:
        raise WrongPartitions(
            f"{topic} has {found} partitions, and CONNECTE_PARTITIONS is {told}: give every "
            f"service the number that the topics have, which is never changed"
        )


def check_together(topics: Collection[str], assigned: Collection[Spot]) -> None:
    """Raise `LogReset` if a partition came without one of its topics."""
    by_partition: dict[int, set[str]] = {}
    for topic, partition in assigned:
        by_partition.setdefault(partition, set()).add(topic)
    for partition, found in by_partition.items():
        if missing := set(topics) - found:
            raise LogReset(
                f"partition {partition} came without {sorted(missing)}: every topic needs "
                f"the same number of partitions"
            )


async def check_same_log(
    service: Service,
    assigned: Collection[TopicPartition],
    places: Mapping[int, Place],
    *,
    kafka: Any,
    log: KafkaLog,
    store: Store,
) -> tuple[dict[Spot, int], dict[Spot, int]]:
    """Where the assigned partitions begin and end; raises `LogReset` if that cannot be."""
    if not assigned:
        return {}, {}
    names = log.names
    ids = await topic_ids(log.connection, {place.topic for place in assigned})
    present = {names.here(topic): found for topic, found in ids.items()}
    if changed := await store.changed_topics(present):
        raise LogReset(
            f"{', '.join(changed)} was deleted and made again: the log is not the one that "
            f"the database knows"
        )
    begins = await kafka.beginning_offsets(list(assigned))
    ends = await kafka.end_offsets(list(assigned))
    for place in assigned:
        known = places[place.partition]
        position = known.positions.get(names.here(place.topic))
        if position is None:
            if known.step == 0 and await kafka.committed(place):
                raise LogReset(
                    f"{place.topic}/{place.partition} has committed offsets and the database "
                    f"knows nothing of it: run `connecte rebuild {service}`"
                )
        elif position < begins[place]:
            raise LogReset(
                f"{place.topic}/{place.partition} begins at {begins[place]}, after the stored "
                f"position {position}: records were deleted before they were handled"
            )
        elif position > ends[place] and not await _exists(log, place, position - 1):
            raise LogReset(
                f"{place.topic}/{place.partition} ends at {ends[place]}, before the stored "
                f"position {position}: the log is not the one that the database knows"
            )
    return _by_spot(names, begins), _by_spot(names, ends)


async def check_own_journal(
    service: Service, places: Mapping[int, Place], *, kafka: Any, log: KafkaLog, store: Store
) -> None:
    """Raise `DatabaseOutdated` if the log has more of this service than the database knows."""
    own = [log.names.place(topic, p) for topic in own_streams(service) for p in places]
    ends = _by_spot(log.names, await kafka.end_offsets(own))
    if numbers := await last_numbers(service, log, ends, places):
        # Who had the partition before may have made a step since these places were read.
        check_known(service, numbers, await store.places(list(places)))


async def _exists(log: KafkaLog, place: TopicPartition, offset: int) -> bool:
    """Whether the log has had this offset.

    What was handled may lie behind the start of a transaction that is open, where what can be read
    ends. Some brokers report the last batch's first offset as the end; a read tells for sure.
    """
    spot = log.names.spot(place)
    if await log.written(*spot) > offset:
        return True
    async for rows in log.read(*spot, offset):
        return bool(rows) and rows[0].offset == offset
    return False


def _by_spot(names: Names, offsets: Mapping[TopicPartition, int]) -> dict[Spot, int]:
    return {names.spot(place): offset for place, offset in offsets.items()}
