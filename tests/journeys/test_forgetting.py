"""The erasure hunt, on a real Kafka: whoever is erased from a running programme leaves no trace.

What is hunted for: name, address and own words of a person, in every record of every topic (and in
the broker's files), every document of every database, logs, metrics, what HTTP and exported tables
tell, and letters that still come. Before each step of forgetting the hunt finds what that step
takes away: so it sees every place, and no step can be left out.
"""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.admin.config_resource import ConfigResource, ConfigResourceType
from bson.raw_bson import RawBSONDocument
from motor.motor_asyncio import AsyncIOMotorClient

from deploy.local.kafka import KafkaCluster, apache_kafka
from deploy.local.stack import WITH_PORTAL, Stack, Terms, running_stack
from schemas.topics import PEOPLE, TOPICS
from tests.conftest import eventually
from tests.deploy.operating.commands import connecte
from tests.journeys.test_tracing import MORNING, NAMES, a_proposal

pytestmark = [pytest.mark.journey, pytest.mark.kafka]

PERSON = "mo"
SECRETS = (NAMES[PERSON], "mo@people.example", "Cartographe des archives")
SETTINGS = {"LOG_LEVEL": "DEBUG", "CONNECTE_COORDINATORS": "coordination@people.example"}
SOON = {
    "cleanup.policy": "compact",
    "segment.ms": "100",
    "min.cleanable.dirty.ratio": "0.0",
    "max.compaction.lag.ms": "1",
}
"""By which the broker compacts within seconds what it would within a week. The call sets all that a
topic has of its own, and the rest back."""
WITHIN = 90.0


class Hunt:
    """Everything that a running platform tells or keeps, searched for what was a person's."""

    def __init__(self, stack: Stack, cluster: KafkaCluster, client: httpx.AsyncClient) -> None:
        self.stack = stack
        self.cluster = cluster
        self.client = client

    async def found(self) -> set[str]:
        """The places where there is any trace."""
        places: set[str] = set()
        async for place, told in self._everything():
            if any(secret.encode() in told for secret in SECRETS):
                places.add(place)
        return places

    async def _everything(self) -> AsyncIterator[tuple[str, bytes]]:
        async for topic, told in self._records():
            yield f"topic {topic}", told
        for folder in self.cluster.data:
            for file in folder.rglob("*.log"):
                yield "files of the broker", file.read_bytes()
        async for name, told in self._documents():
            yield f"database {name}", told
        for service in WITH_PORTAL:
            yield f"log of {service}", (self.stack.directory / f"{service}.log").read_bytes()
        for path in ("metrics", *self._projections()):
            for service in WITH_PORTAL:
                answer = await self.client.get(f"{self.stack.services[service].url}/{path}")
                yield f"http of {service}", answer.content

    def _projections(self) -> tuple[str, ...]:
        listed = ("mentors", "managers", "pairs", "sessions", "letters", "calendars", "overrides")
        return ("parked", *(f"cohorts/pilot/{name}?limit=1000" for name in listed))

    async def _records(self) -> AsyncIterator[tuple[str, bytes]]:
        consumer = AIOKafkaConsumer(bootstrap_servers=self.stack.kafka)
        await consumer.start()
        try:
            places = [TopicPartition(topic, 0) for topic in TOPICS]
            consumer.assign(places)
            await consumer.seek_to_beginning(*places)
            ends = await consumer.end_offsets(places)
            while any([await consumer.position(place) < ends[place] for place in places]):
                for place, records in (await consumer.getmany(timeout_ms=200)).items():
                    for record in records:
                        parts = [record.key, record.value, *(v for _, v in record.headers)]
                        yield place.topic, b"\n".join(part or b"" for part in parts)
        finally:
            await consumer.stop()

    async def _documents(self) -> AsyncIterator[tuple[str, bytes]]:
        client: Any = AsyncIOMotorClient(self.stack.mongodb, document_class=RawBSONDocument)
        try:
            for database in await client.list_database_names():
                if database in ("admin", "config", "local"):
                    continue
                for collection in await client[database].list_collection_names():
                    async for row in client[database][collection].find():
                        yield database.rpartition("_")[2], row.raw
        finally:
            client.close()


async def test_whoever_is_erased_leaves_no_trace_anywhere(tmp_path: Path) -> None:
    async with apache_kafka(tmp_path / "kafka") as cluster:
        terms = Terms(
            start=MORNING,
            partitions=1,
            kafka=cluster.bootstrap,
            settings=SETTINGS,
            services=WITH_PORTAL,
        )
        async with (
            running_stack(tmp_path, terms) as stack,
            httpx.AsyncClient(timeout=30) as client,
        ):
            await _forgotten(Hunt(stack, cluster, client))


async def _forgotten(hunt: "Hunt") -> None:
    links = await a_proposal(hunt.stack, hunt.client)
    for link in links.values():
        url = hunt.stack.services["matching"].url + link
        assert (await hunt.client.post(url, data={"answer": "accept"})).status_code == 200
    await contact(hunt, PERSON, SECRETS[0], post=SECRETS[2])
    known = {f"topic {PEOPLE}", "files of the broker", "database notify", "database portal"}

    async def everywhere() -> bool:
        return await hunt.found() == known

    assert await eventually(everywhere), await hunt.found()

    done = await connecte("erase", PERSON, "--yes", "--json", **hunt.stack.settings)
    assert done.code == 0, done.err

    async def out_of_the_databases() -> bool:
        return await hunt.found() == known - {"database notify", "database portal"}

    assert await eventually(out_of_the_databases), await hunt.found()

    await soon_compacted(hunt)

    left: set[str] = set()

    async def nowhere() -> bool:
        # A segment is compacted once a newer record has begun the next one.
        await contact(hunt, "somebody-else", "Sacha Autre")
        left.clear()
        left.update(await hunt.found())
        return not left

    try:
        await eventually(nowhere, WITHIN)
    except AssertionError:
        assert left == set()
        raise

    for service in WITH_PORTAL:
        rebuilt = await connecte("rebuild", service, "--json", **hunt.stack.settings)
        assert rebuilt.code == 0, rebuilt.err
    assert await hunt.found() == set()


async def contact(hunt: "Hunt", person: str, name: str, **more: str) -> None:
    """Somebody says how they are reached."""
    body = {"cohort_id": "pilot", "person_id": person, "name": name, **more}
    url = f"{hunt.stack.services['notify'].url}/commands/PersonContact?wait=20"
    answer = await hunt.client.post(url, json=body | {"email": f"{person}@people.example"})
    assert answer.status_code == 200, answer.text


async def soon_compacted(hunt: "Hunt") -> None:
    admin = AIOKafkaAdminClient(bootstrap_servers=hunt.stack.kafka)
    await admin.start()
    try:
        await admin.alter_configs([ConfigResource(ConfigResourceType.TOPIC, PEOPLE, configs=SOON)])
    finally:
        await admin.close()
