"""A record whose header has a name that is no text: whoever can write to a topic can send it."""

import httpx
import pytest
from aiokafka import AIOKafkaProducer
from aiokafka.record.default_records import _DefaultRecordBatchBuilderPy

from schemas.topics import partition_of
from tests.limits.conftest import PARTITIONS, TOPIC, Run, open_cohort, volunteer

pytestmark = pytest.mark.journey


class NoText(str):
    """A header's name that is not UTF-8."""

    def encode(self, *_: str, **__: str) -> bytes:
        return b"\xff\xfe"


async def send(kafka: str, partition: int) -> None:
    producer = AIOKafkaProducer(bootstrap_servers=kafka)
    await producer.start()
    builder = _DefaultRecordBatchBuilderPy(2, 0, 0, -1, -1, 0, 1 << 20)
    builder.append(0, 1, b"k", b"v", [(NoText("x"), b"v")])
    batch = producer.create_batch()
    batch._builder = builder
    batch._relative_offset = 1
    await (await producer.send_batch(batch, TOPIC, partition=partition))
    await producer.stop()


async def test_a_header_whose_name_is_no_text_stops_nobody(matching: Run, fresh_kafka: str) -> None:
    async with matching() as service, httpx.AsyncClient(base_url=service.url) as client:
        await open_cohort(client, "c")
        await send(fresh_kafka, partition_of("c", PARTITIONS))
        path = "/commands/VolunteerAsMentor?wait=10"
        answer = await client.post(path, json=volunteer("c", 1), timeout=20)
        assert answer.status_code == 200, answer.text
        assert (await client.get("/parked")).json()["total"] == 1
