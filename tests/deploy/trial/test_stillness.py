"""What counts as under way is what is durable: records, the outbox, deadlines."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from pymongo import AsyncMongoClient

from deploy.operating.topics import create_topics
from deploy.trial.stillness import Stillness, stillness
from schemas.access import group_of
from schemas.topics import commands_topic

NOW = datetime(2017, 3, 6, 8, 0, tzinfo=UTC)
LATER = NOW + timedelta(days=2)
COMMANDS, EVENTS = commands_topic("matching"), "mentoring.matching.events"


class Platform:
    """A broker with all topics, and the databases of services of which none runs."""

    def __init__(
        self, seen: Stillness, mongodb: AsyncMongoClient[Any], kafka: str, prefix: str
    ) -> None:
        self.seen = seen
        self._mongodb = mongodb
        self._kafka = kafka
        self._prefix = prefix

    async def publish(self, topic: str, records: int = 1) -> None:
        async with AIOKafkaProducer(bootstrap_servers=self._kafka) as producer:
            for _ in range(records):
                await producer.send_and_wait(topic, b"{}", partition=1)

    async def have(self, service: str, collection: str, row: dict[str, Any]) -> None:
        database = self._mongodb[self._prefix + service]
        await database[collection].replace_one({"_id": 1}, row, upsert=True)

    async def emptied(self, service: str, collection: str) -> None:
        await self._mongodb[self._prefix + service][collection].delete_many({})

    async def read(self, service: str, **positions: int) -> None:
        known = {topic.replace("_", "."): at for topic, at in positions.items()}
        await self.have(service, "places", {"step": 1, "positions": known})

    async def commit(self, service: str, topic: str, offset: int) -> None:
        place = TopicPartition(topic, 1)
        consumer = AIOKafkaConsumer(
            bootstrap_servers=self._kafka, group_id=group_of(service), enable_auto_commit=False
        )
        async with consumer:
            consumer.assign([place])
            await consumer.commit({place: offset})

    @property
    async def still(self) -> tuple[bool, datetime | None]:
        return await self.seen.next(NOW)


@pytest.fixture
async def platform(fresh_kafka: str, mongodb_uri: str, database: str) -> AsyncIterator[Platform]:
    await create_topics({"bootstrap_servers": fresh_kafka}, partitions=2, replication=1)
    async with (
        stillness(mongodb_uri, fresh_kafka, 2, f"{database}_") as seen,
        AsyncMongoClient[Any](mongodb_uri) as client,
    ):
        yield Platform(seen, client, fresh_kafka, f"{database}_")


async def test_where_nothing_is_there_is_no_next_moment(platform: Platform) -> None:
    assert await platform.still == (True, None)


async def test_a_record_is_under_way_until_every_service_that_reads_it_has_read_it(
    platform: Platform,
) -> None:
    await platform.publish(EVENTS, 2)
    readers = ("scheduling", "feedback", "notify")
    for service in readers:
        assert await platform.still == (False, None)
        await platform.read(service, mentoring_matching_events=2)
    assert await platform.still == (True, None)


async def test_what_a_service_has_passed_over_is_read_though_its_database_does_not_know_of_it(
    platform: Platform,
) -> None:
    await platform.publish(EVENTS, 2)
    for service in ("scheduling", "feedback", "notify"):
        await platform.commit(service, EVENTS, 1)
        assert await platform.still == (False, None)
        await platform.commit(service, EVENTS, 2)
    assert await platform.still == (True, None)
    assert not await platform.seen.written()
    for service in ("scheduling", "feedback", "notify"):
        await platform.read(service, mentoring_matching_events=2)
    assert await platform.seen.written()


async def test_a_record_of_what_was_passed_over_is_waited_for_whenever_it_comes(
    platform: Platform, monkeypatch: pytest.MonkeyPatch
) -> None:
    await platform.have("matching", "outbox", {"partition": 1})
    assert not await platform.seen.written(), "it is not published yet"
    await platform.emptied("matching", "outbox")
    assert await platform.seen.written()
    look = platform.seen._look

    async def while_one_is_published() -> Any:
        seen = await look()
        await platform.publish(EVENTS)
        return seen

    monkeypatch.setattr(platform.seen, "_look", while_one_is_published)
    assert not await platform.seen.written()


async def test_what_stands_in_an_outbox_is_under_way(platform: Platform) -> None:
    await platform.have("matching", "places", {"step": 1, "positions": {}})
    await platform.have("matching", "outbox", {"partition": 1})
    assert await platform.still == (False, None)


async def test_a_deadline_that_has_come_is_under_way_and_a_later_one_is_the_next_moment(
    platform: Platform,
) -> None:
    await platform.have("matching", "places", {"step": 1, "positions": {}})
    await platform.have("notify", "letters", {"partition": 1, "due_at": NOW})
    await platform.have("notify", "places", {"step": 1, "positions": {}})
    assert await platform.still == (False, None)
    await platform.have("notify", "letters", {"partition": 1, "due_at": LATER})
    assert await platform.still == (True, LATER)
