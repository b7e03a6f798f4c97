"""Which offsets hold the end of somebody's transaction, as a real Kafka has written them."""

from pathlib import Path

import pytest
from aiokafka import AIOKafkaProducer
from aiokafka.admin import AIOKafkaAdminClient, NewTopic

from deploy.local.kafka import apache_kafka
from deploy.trial.check.markers import read_markers

pytestmark = pytest.mark.kafka


async def test_the_end_of_each_transaction_is_a_marker_and_no_record_is(tmp_path: Path) -> None:
    async with apache_kafka(tmp_path) as kafka:
        admin = AIOKafkaAdminClient(bootstrap_servers=kafka.bootstrap)
        await admin.start()
        await admin.create_topics([NewTopic("wishes", 2, 1)])
        await admin.close()
        producer = AIOKafkaProducer(bootstrap_servers=kafka.bootstrap, transactional_id="stranger")
        async with producer:
            async with producer.transaction():  # offsets 0 and 1, its end at 2
                await producer.send_and_wait("wishes", b"1", partition=1)
                await producer.send_and_wait("wishes", b"2", partition=1)
            await producer.begin_transaction()  # offset 3, its end at 4
            await producer.send_and_wait("wishes", b"3", partition=1)
            await producer.abort_transaction()
        async with AIOKafkaProducer(bootstrap_servers=kafka.bootstrap) as plain:
            await plain.send_and_wait("wishes", b"4", partition=1)
        found = read_markers(kafka.data)
    assert {place for place in found if place.startswith("wishes/")} == {"wishes/1/2", "wishes/1/4"}
