"""The log keeps its promise on a real Kafka of three brokers while these are killed.

`services.chassis.log.kafka` promises that a partition holds what was published, in order, each
call's records perhaps several times over, but then always from the first of them on.
"""

import asyncio
import struct
import sys
import time
from collections.abc import Sequence
from pathlib import Path

import pytest
from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from aiokafka.client import AIOKafkaClient
from aiokafka.errors import LeaderNotAvailableError
from aiokafka.record.memory_records import MemoryRecords
from aiokafka.structs import TopicPartition

from deploy.local.kafka import KafkaCluster, apache_kafka
from schemas.envelope import Record
from services.chassis.log.faults import is_transient
from services.chassis.log.kafka import BATCH_BYTES, KafkaLog

pytestmark = pytest.mark.kafka

ROOT = Path(__file__).parents[3]

TOPIC = "journal"
PARTITIONS = 2
PER_CALL = 300
PADDING = bytes(2048)  # so that a call takes more than one batch of each partition
PATIENCE = 40.0
ASKED_IN_VAIN = 35.0  # a client by itself waits for 40 s

assert PER_CALL * len(PADDING) > BATCH_BYTES

Place = tuple[int, int]
"""The number of a call of `publish`, and of a record in it."""


class Publisher:
    """Publishes call after call as a service does: what failed is published again, all of it."""

    def __init__(self, log: KafkaLog) -> None:
        self.log = log
        self.done = 0
        self.failures = 0
        self.stopped = False

    async def work(self) -> None:
        while not self.stopped:
            records = [
                record for p in range(PARTITIONS) for record in _call(self.done, p, PER_CALL)
            ]
            while True:
                try:
                    await self.log.publish(records)
                    break
                except Exception as error:
                    if not is_transient(error):
                        raise
                    self.failures += 1
                    await asyncio.sleep(0.2)
            self.done += 1
            await asyncio.sleep(0.05)

    async def gets_on(self, calls: int = 5) -> None:
        wanted = self.done + calls
        async with asyncio.timeout(PATIENCE):
            while self.done < wanted:
                await asyncio.sleep(0.02)


def _call(number: int, partition: int, count: int) -> list[Record]:
    return [
        Record(TOPIC, partition, b"key", struct.pack(">ii", number, index) + PADDING)
        for index in range(count)
    ]


async def _create_topic(kafka: KafkaCluster, topic: NewTopic) -> None:
    admin = AIOKafkaAdminClient(bootstrap_servers=kafka.bootstrap)
    await admin.start()
    try:
        answer = await admin.create_topics([topic])
        assert [error for _, error, _ in answer.topic_errors] == [0]
    finally:
        await admin.close()


async def _leader(kafka: KafkaCluster, partition: int) -> int:
    client = AIOKafkaClient(bootstrap_servers=kafka.bootstrap)
    await client.bootstrap()
    try:
        await client.add_topic(TOPIC)
        return int(client.cluster.leader_for_partition(TopicPartition(TOPIC, partition)))
    finally:
        await client.close()


async def _places(log: KafkaLog, partition: int) -> list[Place]:
    found: list[Place] = []
    async for rows in log.read(TOPIC, partition):
        found += [struct.unpack_from(">ii", row.value or b"") for row in rows]
    return found


def _out_of_turn(places: Sequence[Place]) -> list[tuple[Place, Place]]:
    """The neighbours of which the second is neither the next record nor the call's first again."""
    before: Place = (-1, PER_CALL - 1)
    wrong = []
    for place in places:
        call, index = before
        following = (call, index + 1) if index + 1 < PER_CALL else (call + 1, 0)
        if place not in (following, (call, 0)):
            wrong.append((before, place))
        before = place
    return wrong


async def test_nothing_is_lost_or_out_of_turn_when_the_leader_and_then_the_quorum_are_killed(
    tmp_path: Path,
) -> None:
    async with apache_kafka(tmp_path, brokers=3, proxied=True) as kafka:
        await _create_topic(kafka, NewTopic(TOPIC, PARTITIONS, 3))
        log = KafkaLog({"bootstrap_servers": kafka.bootstrap}, idempotent=True)
        publisher = Publisher(log)
        working = asyncio.create_task(publisher.work())
        try:
            await publisher.gets_on()
            await _kill_the_leader(kafka, publisher)
            await _kill_two(kafka, publisher)
            publisher.stopped = True
            async with asyncio.timeout(PATIENCE):
                await working
            for partition in range(PARTITIONS):
                places = await _places(log, partition)
                assert not _out_of_turn(places)
                wanted = [(call, i) for call in range(publisher.done) for i in range(PER_CALL)]
                assert sorted(set(places)) == wanted
        finally:
            working.cancel()
            await asyncio.gather(working, return_exceptions=True)
            await log.stop()


async def _kill_the_leader(kafka: KafkaCluster, publisher: Publisher) -> None:
    leader = await _leader(kafka, partition=0)
    await kafka.kill(leader)
    await publisher.gets_on()
    assert await _leader(kafka, partition=0) != leader
    await kafka.restart(leader)
    await publisher.gets_on()


async def _kill_two(kafka: KafkaCluster, publisher: Publisher) -> None:
    """Without two in-sync replicas nothing may be acknowledged; with them it goes on."""
    await asyncio.gather(kafka.kill(0), kafka.kill(1))
    began = time.monotonic()
    await asyncio.sleep(1)  # what was acknowledged before may still be on its way
    done = publisher.done
    await asyncio.sleep(3)
    assert publisher.done == done, f"acknowledged after {time.monotonic() - began:.1f} s"
    await asyncio.gather(kafka.restart(0), kafka.restart(1))
    await publisher.gets_on()


async def test_a_partition_without_leader_costs_the_others_neither_their_turn_nor_their_producer(
    tmp_path: Path,
) -> None:
    to_nobody, taken = Record(TOPIC, 0, b"key", b"to nobody"), Record(TOPIC, 1, b"key", b"taken")
    async with apache_kafka(tmp_path, brokers=3) as kafka:
        await _create_topic(kafka, NewTopic(TOPIC, -1, -1, {0: [0], 1: [1]}))
        log = KafkaLog({"bootstrap_servers": kafka.bootstrap})
        try:
            await log.publish([taken])
            await kafka.kill(0)
            waiting = asyncio.create_task(log.publish([to_nobody]))
            async with asyncio.timeout(PATIENCE):
                while not waiting.done():
                    await log.publish([taken])
                    await asyncio.sleep(0.2)
            assert isinstance(waiting.exception(), LeaderNotAvailableError)
            await log.publish([taken])
        finally:
            await log.stop()
        assert len(_producers(kafka.data[1] / f"{TOPIC}-1")) == 1


async def test_who_reads_waits_for_no_frozen_broker_whose_partitions_others_lead(
    tmp_path: Path,
) -> None:
    async with apache_kafka(tmp_path, brokers=3, proxied=True) as kafka:
        await _create_topic(kafka, NewTopic(TOPIC, -1, -1, {0: [0], 1: [1]}))
        log = KafkaLog({"bootstrap_servers": kafka.bootstrap})
        await log.publish(_call(0, 1, 3))
        await log.stop()
        kafka.proxies[0].freeze()
        async with asyncio.timeout(ASKED_IN_VAIN):  # in two of three it is not the first asked
            found = await asyncio.gather(*(_places(log, 1) for _ in range(12)))
        assert found == [[(0, 0), (0, 1), (0, 2)]] * 12


def _producers(partition: Path) -> set[int]:
    """Who has written the batches that a broker keeps of a partition."""
    found = set()
    for segment in partition.glob("*.log"):
        batches = MemoryRecords(segment.read_bytes())
        while (batch := batches.next_batch()) is not None:
            found.add(batch.producer_id)
    return found


SENDER = """
import asyncio, sys
from schemas.envelope import Record
from services.chassis.log import kafka
from services.chassis.log.contract import NotTaken

kafka.SEND_SECONDS = kafka.STOP_SECONDS = 1.0

async def main():
    log = kafka.KafkaLog({"bootstrap_servers": sys.argv[1]})
    await log.start()
    print(await log.send(Record("journal", 0, b"key", b"taken")), flush=True)
    await asyncio.to_thread(sys.stdin.readline)
    try:
        await log.send(Record("journal", 0, b"key", b"not taken"))
    except NotTaken as error:
        print("not taken:", error, flush=True)
    await log.stop()
    left = asyncio.all_tasks() - {asyncio.current_task()}
    if left:
        _, left = await asyncio.wait(left, timeout=5)
    print("left:", len(left))

asyncio.run(main())
"""


@pytest.mark.parametrize("fault", ["cut", "freeze"])
async def test_a_sender_is_told_and_leaves_nothing_behind_though_the_broker_is_away(
    tmp_path: Path, fault: str
) -> None:
    async with apache_kafka(tmp_path, proxied=True) as kafka:
        await _create_topic(kafka, NewTopic(TOPIC, PARTITIONS, 1))
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-W", "default", "-c", SENDER, kafka.bootstrap),
            cwd=ROOT,
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
        )
        assert process.stdout is not None
        try:
            async with asyncio.timeout(PATIENCE):
                assert await process.stdout.readline() == b"0\n"
                getattr(kafka.proxies[0], fault)()
                said, complaints = await process.communicate(b"go on\n")
            assert said == b"not taken: TimeoutError\nleft: 0\n"
            assert b"Unclosed" not in complaints
            assert process.returncode == 0
        finally:
            if process.returncode is None:
                process.kill()
                await process.wait()
