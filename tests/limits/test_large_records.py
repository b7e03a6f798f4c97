"""Records as large as a topic takes them, set aside and asked for again, do not fill the memory."""

import logging
import os
from collections.abc import Sequence

import httpx

from schemas.envelope import Record, encode
from schemas.journal import RetryParked
from services.chassis.clock import Clock
from services.chassis.log.kafka import KafkaLog
from tests.conftest import eventually
from tests.limits.conftest import TOPIC, Matching, Run, Watch

figures = logging.getLogger("figures")  # shown with --log-cli-level=INFO

COUNT, SIZE = 40, 900_000
MOST = 200  # MB above what the process needs at rest: a poll, and some copies of it


async def test_large_records_are_set_aside_and_asked_for_again_in_bounded_memory(
    matching: Run, fresh_kafka: str, kafka_idempotent: bool
) -> None:
    log = KafkaLog({"bootstrap_servers": fresh_kafka}, idempotent=kafka_idempotent)
    async with matching() as service, httpx.AsyncClient(base_url=service.url, timeout=60) as client:
        with Watch(service) as watch:
            offsets = [await log.send(nonsense(number)) for number in range(COUNT)]
            await eventually(lambda: attempted(service, client, 1))
            await log.send(asked_again(offsets))
            await eventually(lambda: attempted(service, client, 2))
        await log.stop()
        figures.info("%d records of %d kB: %s", COUNT, SIZE // 1000, watch.figures)
        assert watch.memory - watch.before < MOST
        assert await service.metric("mentoring_retries_total") == 0


async def attempted(service: Matching, client: httpx.AsyncClient, times: int) -> bool:
    """Whether all stand aside, and have been tried so often: more, where a step was made again."""
    if await service.metric("mentoring_parked") < COUNT:
        return False
    listed = (await client.get("/parked", params={"limit": 500})).json()
    attempts = [item["attempts"] for item in listed["items"]]
    return len(attempts) == COUNT and min(attempts) >= times


def nonsense(number: int) -> Record:
    """A record that is no message, of a subject of its own: none waits behind another."""
    value = b"{" + os.urandom(SIZE)
    return Record(TOPIC, 0, b"c/x%d" % number, value, [("ce_specversion", b"1.0")])


def asked_again(offsets: Sequence[int]) -> Record:
    origins = tuple(f"{TOPIC}/0/{offset}" for offset in offsets)
    command = RetryParked(cohort_id="matching", partition=0, origins=origins)
    return encode(command, TOPIC, 0, id="again", source="/test", time=Clock().now())
