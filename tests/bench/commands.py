"""Commands to partitions of matching, and when they have been handled, as the database shows it."""

import asyncio
import time
from collections.abc import Collection
from datetime import UTC, datetime

from schemas.envelope import encode
from schemas.matching import OpenCohort
from schemas.topics import commands_topic, partition_of
from services.chassis.log.kafka import KafkaLog
from services.chassis.store.mongo import MongoStore

LOOK_EVERY = 0.005
PATIENCE = 120.0
TOPIC = commands_topic("matching")


class Commands:
    """Sends them. `partitions`: how many the topics have."""

    def __init__(self, log: KafkaLog, store: MongoStore, partitions: int) -> None:
        self.log = log
        self.store = store
        self.partitions = partitions

    async def handled(self, name: str, among: Collection[int] | None = None) -> float:
        """One to each of these partitions (or all), at once: seconds until the last is handled."""
        wanted = set(range(self.partitions) if among is None else among)
        cohorts: dict[int, str] = {}
        number = 0
        while len(cohorts) < len(wanted):
            cohort = f"{name}-{number}"
            if (partition := partition_of(cohort, self.partitions)) in wanted:
                cohorts.setdefault(partition, cohort)
            number += 1
        now, started = datetime.now(UTC), time.perf_counter()
        records = [
            encode(
                OpenCohort(cohort_id=cohort, name=cohort),
                *(TOPIC, partition),
                id=cohort,
                source="/bench",
                time=now,
            )
            for partition, cohort in cohorts.items()
        ]
        offsets = dict(zip(cohorts, await self.log.publish(records), strict=True))
        while True:
            places = await self.store.places(offsets)
            at = {p: place.positions.get(TOPIC, 0) for p, place in places.items()}
            if all(at.get(partition, 0) > offset for partition, offset in offsets.items()):
                return time.perf_counter() - started
            assert time.perf_counter() - started < PATIENCE, "nobody handles them"
            await asyncio.sleep(LOOK_EVERY)
