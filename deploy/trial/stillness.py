"""Whether anything is under way in a platform, and when something next will be: read from outside.

Always holds: it is read from what is durable, the databases, the ends of the topics and what the
groups have committed, which is what a database holds and what concerns nobody; so a service that
was killed in the middle of something is seen to have it still before it.
"""

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from aiokafka import TopicPartition
from pymongo import AsyncMongoClient

from deploy.local.stack import SERVICES
from deploy.operating.reach import domain_of
from deploy.operating.topics import admin_client
from schemas.access import group_of
from schemas.topics import Service, commands_topic
from services.chassis.log.reader import Reader
from services.chassis.store.generations import A_PLACE

Row = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Seen:
    """What there was of one service: partition to place, whether anything is to be published, and
    its earliest deadline."""

    places: Mapping[int, Row]
    outbox: bool
    due: datetime | None

    def read(self, topic: str, partition: int) -> int:
        """The next offset that the service reads."""
        place = self.places.get(partition)
        return int(place["positions"].get(topic, 0)) if place else 0


class Stillness:
    """Looks at a broker and at the databases of all services, which are not rebuilt meanwhile."""

    def __init__(
        self,
        mongodb: AsyncMongoClient[Row],
        kafka: Any,
        admin: Any,
        partitions: int,
        prefix: str,
        services: Sequence[Service],
    ) -> None:
        self._mongodb = mongodb
        self._kafka = kafka
        self._admin = admin
        self._prefix = prefix
        domains = {service: domain_of(service) for service in services}
        self._reads = {
            service: [
                TopicPartition(topic, partition)
                for topic in (commands_topic(service), *domain.reads, *domain.tables)
                for partition in range(partitions)
            ]
            for service, domain in domains.items()
        }
        self._ends = sorted({spot for spots in self._reads.values() for spot in spots})
        self._timed: Mapping[Service, Sequence[str]] = {
            service: [kind.collection for kind in domain.documents if kind.timed]
            for service, domain in domains.items()
        }
        self._services = tuple(services)
        self._busy_first = list(services)
        # As the services ask, by the same index.
        self._due = {"partition": {"$in": list(range(partitions))}, "due_at": {"$type": "date"}}

    async def next(self, now: datetime) -> tuple[bool, datetime | None]:
        """Whether nothing is under way at this moment; then, the earliest deadline.

        Under way is what a service has not read, has not published or has to decide on now.
        """
        before: dict[Service, Seen] = {}
        for service in self._busy_first:  # who was busy is so still, and nobody else is asked
            before[service] = seen = await self._look_at(service)
            if seen.outbox or (seen.due is not None and seen.due <= now):
                return self._under_way(service)
        ends = await self._kafka.end_offsets(self._ends)
        for service, seen in before.items():
            if not await self._has_read_to(ends, service, seen):
                return self._under_way(service)
        # What was read one after the other is what was at one time only if nobody has written.
        dues = [seen.due for seen in before.values() if seen.due is not None]
        return await self._look() == before, min(dues, default=None)

    async def written(self) -> bool:
        """Whether the databases know of all that was read; `next` has been true.

        What a service passes over it writes by a step, of which it publishes a record: so the ends
        are asked for once nobody has any more to write, and nothing of it waits in an outbox.
        """
        seen = await self._look()
        ends = await self._kafka.end_offsets(self._ends)
        return not any(one.outbox for one in seen.values()) and all(
            seen[service].read(*spot) >= ends[spot]
            for service, spots in self._reads.items()
            for spot in spots
        )

    async def _has_read_to(
        self, ends: Mapping[TopicPartition, int], service: Service, seen: Seen
    ) -> bool:
        """Whether it has read all; what it has passed over only its group knows for a while."""
        spots = self._reads[service]
        behind = [spot for spot in spots if seen.read(*spot) < ends[spot]]
        if not behind:
            return True
        passed = await self._admin.list_consumer_group_offsets(group_of(service), partitions=behind)
        return all(passed[spot].offset >= ends[spot] for spot in behind)

    def _under_way(self, service: Service) -> tuple[bool, None]:
        self._busy_first.remove(service)
        self._busy_first.insert(0, service)
        return False, None

    async def _look(self) -> dict[Service, Seen]:
        found = await asyncio.gather(*(self._look_at(service) for service in self._services))
        return dict(zip(self._services, found, strict=True))

    async def _look_at(self, service: Service) -> Seen:
        """One question to the database."""
        outbox: list[Row] = [{"$limit": 1}, {"$project": {"_id": 0, "outbox": "1"}}]
        due: list[Row] = [
            *({"$match": self._due}, {"$sort": {"due_at": 1}}, {"$limit": 1}),
            {"$project": {"_id": 0, "due_at": 1}},
        ]
        others = {"outbox": outbox} | dict.fromkeys(self._timed[service], due)
        unions = [{"$unionWith": {"coll": c, "pipeline": p}} for c, p in others.items()]
        kept = self._mongodb[self._prefix + service]["places"]
        rows = await kept.aggregate([{"$match": A_PLACE}, *unions])
        places: dict[int, Row] = {}
        waits, dues = False, []
        async for row in rows:
            if "due_at" in row:
                dues.append(row["due_at"])
            elif "outbox" in row:
                waits = True
            else:
                places[row["_id"]] = row
        return Seen(places, waits, min(dues, default=None))


@asynccontextmanager
async def stillness(
    mongodb: str,
    kafka: str,
    partitions: int,
    prefix: str = "connecte_",
    services: Sequence[Service] = SERVICES,
) -> AsyncIterator[Stillness]:
    """One that looks at these, for as long as the block lasts."""
    client: AsyncMongoClient[Row] = AsyncMongoClient(mongodb, tz_aware=True)
    connection: dict[str, Any] = {"bootstrap_servers": kafka.split(",")}
    consumer = Reader(**connection, enable_auto_commit=False)
    try:
        await consumer.start()
        async with admin_client(connection) as admin:
            yield Stillness(client, consumer, admin, partitions, prefix, services)
    finally:
        await consumer.stop()
        await client.close()
