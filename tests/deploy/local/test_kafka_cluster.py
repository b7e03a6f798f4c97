"""A real Kafka of three brokers behind proxies loses nodes and comes back, as its module says."""

import asyncio
import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from aiokafka import AIOKafkaProducer
from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from aiokafka.client import AIOKafkaClient

from deploy.local.kafka import apache_kafka
from deploy.local.process import accepts
from tests.conftest import PATIENCE

pytestmark = pytest.mark.kafka


@asynccontextmanager
async def producing(bootstrap: str) -> AsyncIterator[AIOKafkaProducer]:
    producer = AIOKafkaProducer(bootstrap_servers=bootstrap, acks="all", enable_idempotence=True)
    await producer.start()
    try:
        yield producer
    finally:
        await producer.stop()


async def create_topic(bootstrap: str, topic: str) -> None:
    admin = AIOKafkaAdminClient(bootstrap_servers=bootstrap)
    await admin.start()
    try:
        answer = await admin.create_topics([NewTopic(topic, 3, replication_factor=3)])
        assert [error for _, error, _ in answer.topic_errors] == [0]
    finally:
        await admin.close()


async def test_the_controller_that_is_killed_or_stopped_is_replaced_and_comes_back(
    tmp_path: Path,
) -> None:
    async with apache_kafka(tmp_path, brokers=3) as kafka:
        first = await kafka.controller()
        await kafka.kill(first)
        second = await kafka.controller()
        assert second != first
        await kafka.restart(first)
        kafka.nodes[second].send(signal.SIGSTOP)
        third = await kafka.controller()
        assert third != second
        kafka.nodes[second].send(signal.SIGCONT)
        async with asyncio.timeout(PATIENCE):
            while await kafka.controller() == second:  # until it hears of the election
                await asyncio.sleep(0.05)
        await create_topic(kafka.bootstrap, "letters")
        async with producing(kafka.bootstrap) as producer:
            for partition in range(3):
                await producer.send_and_wait("letters", b"after", partition=partition)


async def test_clients_reach_every_broker_through_its_proxy_only(tmp_path: Path) -> None:
    async with apache_kafka(tmp_path, brokers=3, proxied=True) as kafka:
        await create_topic(kafka.bootstrap, "letters")
        ports = {proxy.port for proxy in kafka.proxies}
        client = AIOKafkaClient(bootstrap_servers=kafka.bootstrap)
        await client.bootstrap()
        assert {broker.port for broker in client.cluster.brokers()} == ports
        await client.close()
        async with producing(kafka.bootstrap) as producer:
            for partition in range(3):
                await producer.send_and_wait("letters", b"before", partition=partition)
            for proxy in kafka.proxies:
                proxy.cut()
            # An idempotent producer never gives up what it has begun to send.
            sent = await producer.send("letters", b"cut off", partition=0)
            await asyncio.wait([sent], timeout=2)
            assert not sent.done()
            # They have gone on without their clients.
            await kafka.controller()
            for proxy in kafka.proxies:
                proxy.heal()
            async with asyncio.timeout(PATIENCE):
                assert (await sent).offset == 1
    assert not any([await accepts(proxy.port) for proxy in kafka.proxies])
