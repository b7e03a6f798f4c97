"""How far the services are behind, and whether anything is still under way: read from outside.

Always holds: it only looks; when the broker or the database is away it says so instead of guessing.
Of a partition without leader it tells what it knew before, and that there is one (`unknown`).
"""

import asyncio
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from aiokafka import TopicPartition
from aiokafka.errors import KafkaError
from pymongo import AsyncMongoClient
from pymongo.asynchronous.collection import AsyncCollection
from pymongo.errors import PyMongoError, ServerSelectionTimeoutError

from deploy.trial.check import live_prefix
from schemas.topics import PEOPLE, TOPICS, Service, commands_topic
from services.chassis.log.kafka import KafkaLog
from services.chassis.log.reader import Reader
from services.chassis.store.generations import A_PLACE

READS: Mapping[Service, tuple[str, ...]] = {
    "matching": (commands_topic("matching"), "mentoring.scheduling.events"),
    "scheduling": (commands_topic("scheduling"), "mentoring.matching.events"),
    "feedback": (
        *(commands_topic("feedback"), "mentoring.matching.events"),
        "mentoring.scheduling.events",
    ),
    "notify": (
        *(commands_topic("notify"), PEOPLE, "mentoring.matching.events"),
        *("mentoring.scheduling.events", "mentoring.scheduling.private"),
        "mentoring.feedback.private",
    ),
}
LOOK_SECONDS = 5.0
ALL_SECONDS = 2.0  # for the ends of all partitions, and then again for one after the other
LOOKS = 4
PREFIX = "connecte_"


@dataclass(slots=True)
class Glance:
    """What was seen. `lag`: records that a service has not handled; `events`: records written.

    `letters`: those that wait to be handed over. `unknown`: partitions whose end nobody tells.
    """

    at: float = 0.0
    lag: dict[Service, int] = field(default_factory=dict)
    outbox: int = 0
    letters: int = 0
    events: int = 0
    commands: int = 0
    steps: int = 0
    unknown: int = 0

    @property
    def backlog(self) -> int:
        return sum(self.lag.values())


class Watch:
    """Looks at a broker and the databases. `last` is what it saw last, `age` how old that is."""

    def __init__(self, bootstrap: str, mongodb: str, partitions: int) -> None:
        self.last = Glance()
        self.ends: dict[tuple[str, int], int] = {}
        self._bootstrap = bootstrap
        self._partitions = partitions
        self._mongodb = mongodb
        self._client = self._connected()
        self._consumer: Any = None
        self._looking = asyncio.Lock()
        self._positions: dict[tuple[Service, str, int], int] = {}
        # From a service's position to the end, as it was at the last look, and whether it is empty.
        self._still: dict[tuple[Service, TopicPartition], tuple[tuple[int, int], bool | None]] = {}
        self._looks = 0
        self._ending: set[asyncio.Future[None]] = set()

    def _connected(self) -> AsyncMongoClient[dict[str, Any]]:
        return AsyncMongoClient(
            self._mongodb, tz_aware=True, serverSelectionTimeoutMS=2000, socketTimeoutMS=4000
        )

    async def _know_anew_after(self, error: Exception) -> None:
        """Know the database anew: who has known one takes another in its place for an old one."""
        if isinstance(error, ServerSelectionTimeoutError):
            client, self._client = self._client, self._connected()
            await client.close()

    @property
    def age(self) -> float:
        return time.monotonic() - self.last.at

    async def close(self) -> None:
        await self._client.close()
        await self._drop()
        await asyncio.gather(*self._ending)

    async def _drop(self) -> None:
        consumer, self._consumer = self._consumer, None
        if consumer is not None:
            # Not broken off with the look that was: its connections would stay open.
            ending = asyncio.ensure_future(consumer.stop())
            self._ending.add(ending)
            ending.add_done_callback(self._ending.discard)
            await asyncio.shield(ending)

    async def look(self) -> Glance | None:
        """What there is to see now; None while somebody does not answer.

        One look at a time: two would share a consumer, and the one that fails drops it.
        """
        async with self._looking:
            return await self._look()

    async def _look(self) -> Glance | None:
        try:
            async with asyncio.timeout(LOOK_SECONDS):
                # The database first: what is behind it then is behind.
                glance = await self._places()
                await self._ends(glance)
        except (KafkaError, PyMongoError, OSError, TimeoutError) as error:
            await self._know_anew_after(error)
            await self._drop()
            return None
        glance.at = time.monotonic()
        self.last = glance
        return glance

    async def _places(self) -> Glance:
        glance = Glance()
        self._positions = {}
        for service in READS:
            async for row in (await self._live(service, "places")).find(A_PLACE):
                glance.steps += int(row["step"])
                for topic, offset in row["positions"].items():
                    self._positions[service, topic, int(row["_id"])] = int(offset)
            outbox = await self._live(service, "outbox")
            # Not its estimate, which a killed server gets wrong.
            glance.outbox += await outbox.count_documents({})
        letters = await self._live("notify", "letters")
        glance.letters = await letters.count_documents({"state": "queued"})
        return glance

    async def _live(self, service: Service, collection: str) -> AsyncCollection[dict[str, Any]]:
        database = self._client[f"{PREFIX}{service}"]
        return database[await live_prefix(database) + collection]

    async def _ends(self, glance: Glance) -> None:
        if self._consumer is None:
            consumer = Reader(
                bootstrap_servers=self._bootstrap.split(","),
                enable_auto_commit=False,
                request_timeout_ms=4000,
            )
            self._consumer = consumer
            await consumer.start()
        spots = [TopicPartition(t, p) for t in TOPICS for p in range(self._partitions)]
        ends = await self._ends_of(spots, glance)
        self.ends = {(spot.topic, spot.partition): end for spot, end in ends.items()}
        for spot, end in ends.items():
            if spot.topic.endswith(".commands") or spot.topic == PEOPLE:
                glance.commands += end
            else:
                glance.events += end
        self._looks = 0
        for service, topics in READS.items():
            spots = [TopicPartition(topic, p) for topic in topics for p in range(self._partitions)]
            waiting = [await self._waiting(service, spot, ends[spot]) for spot in spots]
            glance.lag[service] = sum(waiting)

    async def _ends_of(
        self, spots: Sequence[TopicPartition], glance: Glance
    ) -> dict[TopicPartition, int]:
        """The ends; of a partition that has no leader, what was known of it before."""
        try:
            async with asyncio.timeout(ALL_SECONDS):
                found: dict[TopicPartition, int] = await self._consumer.end_offsets(spots)
                return found
        except (KafkaError, TimeoutError):
            one_by_one = await asyncio.gather(*(self._end_of(spot) for spot in spots))
        if all(end is None for end in one_by_one):
            raise KafkaError("the broker tells nothing")
        glance.unknown = one_by_one.count(None)
        return {
            spot: self.ends.get(tuple(spot), 0) if end is None else end
            for spot, end in zip(spots, one_by_one, strict=True)
        }

    async def _end_of(self, spot: TopicPartition) -> int | None:
        try:
            async with asyncio.timeout(ALL_SECONDS):
                return int((await self._consumer.end_offsets([spot]))[spot])
        except (KafkaError, TimeoutError):
            return None

    async def _waiting(self, service: Service, spot: TopicPartition, end: int) -> int:
        """How many records wait there: as many as offsets, unless there are none.

        The last offsets may hold no record: what was aborted, and the markers of transactions. What
        has not moved since the last look is looked into, once, and a few at a time.
        """
        position = self._positions.get((service, *spot), 0)
        if position >= end:
            return 0
        between = position, end
        before, empty = self._still.get((service, spot), (None, None))
        if before != between:
            empty = None
        elif empty is None and self._looks < LOOKS:
            self._looks += 1
            log = KafkaLog({"bootstrap_servers": self._bootstrap.split(",")})
            empty = not [
                row async for rows in log.read(spot.topic, spot.partition, position) for row in rows
            ]
        self._still[service, spot] = between, empty
        return 0 if empty else end - position

    # --- what is still under way --------------------------------------------------------------

    async def tally(self, service: Service, collection: str, field_: str) -> dict[str, int] | None:
        """How many documents there are by a field; None while the database is away."""
        try:
            async with asyncio.timeout(LOOK_SECONDS):
                rows = await (await self._live(service, collection)).aggregate(
                    [{"$group": {"_id": f"${field_}", "n": {"$sum": 1}}}]
                )
                return {str(row["_id"]): int(row["n"]) async for row in rows}
        except (PyMongoError, TimeoutError) as error:
            await self._know_anew_after(error)
            return None

    async def find(
        self, service: Service, collection: str, query: dict[str, Any], *fields: str
    ) -> list[dict[str, Any]]:
        """Documents, with some of their fields; none while the database is away."""
        try:
            async with asyncio.timeout(LOOK_SECONDS):
                rows = (await self._live(service, collection)).find(query, list(fields))
                return await rows.to_list()
        except (PyMongoError, TimeoutError) as error:
            await self._know_anew_after(error)
            return []
