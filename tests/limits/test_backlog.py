"""A service that finds a great backlog: memory stays bounded, progress shows, others go on."""

import asyncio
import logging
import os
import statistics
import time
from dataclasses import dataclass, field
from itertools import pairwise

import httpx
import pytest

from tests.conftest import eventually, table_of_topics
from tests.limits.conftest import (
    PARTITIONS,
    Matching,
    Run,
    Watch,
    cohort_on,
    fill,
    open_cohort,
    volunteer,
)

pytestmark = pytest.mark.journey

figures = logging.getLogger("figures")  # shown with --log-cli-level=INFO

BACKLOG = int(os.environ.get("CONNECTE_TEST_BACKLOG", "30000"))
EMBEDDED = {"CONNECTE_FETCH_WAIT_MS": "40"}  # the embedded broker looks only when a fetch begins
LAG = "mentoring_consumer_lag"


@dataclass
class Small:
    """Small cohorts, each with somebody who sends commands and waits for what comes of them."""

    service: Matching
    seconds: list[float] = field(default_factory=list)

    async def send(self, cohort: str, count: int) -> None:
        async with httpx.AsyncClient(base_url=self.service.url, timeout=40) as client:
            for number in range(count):
                start = time.monotonic()
                path = "/commands/VolunteerAsMentor?wait=30"
                answer = await client.post(path, json=volunteer(cohort, number))
                assert answer.status_code == 200, answer.text
                self.seconds.append(time.monotonic() - start)

    async def run(self, count: int) -> dict[str, float]:
        """Their latency, in seconds."""
        self.seconds = []
        await asyncio.gather(*(self.send(cohort_on(partition), count) for partition in (1, 2, 3)))
        return {
            "median": round(statistics.median(self.seconds), 3),
            "worst": round(max(self.seconds), 3),
        }


async def test_a_great_backlog_of_one_cohort_leaves_the_latency_of_others_as_it_was(
    matching: Run, fresh_kafka: str, kafka_idempotent: bool
) -> None:
    async with matching(**EMBEDDED) as service:
        async with httpx.AsyncClient(base_url=service.url, timeout=40) as client:
            for partition in (1, 2, 3):
                await open_cohort(client, cohort_on(partition))
        small = Small(service)
        alone = await small.run(20)
        await fill(fresh_kafka, kafka_idempotent, cohort_on(0), BACKLOG)
        left = await service.metric(LAG)
        assert left > 0, "the backlog was over too soon to tell"
        beside = await small.run(6)
        figures.info("latency alone %s, beside a backlog of %d %s", alone, left, beside)
        assert beside["median"] < 20, "they do not wait for its end"


async def test_a_service_that_starts_behind_catches_up_in_bounded_memory_and_shows_it(
    matching: Run, fresh_kafka: str, kafka_idempotent: bool
) -> None:
    await table_of_topics(fresh_kafka, PARTITIONS)
    await fill(fresh_kafka, kafka_idempotent, cohort_on(0), BACKLOG)
    async with matching(**EMBEDDED) as service:
        start, seen = time.monotonic(), []
        with Watch(service) as watch:

            async def caught_up() -> bool:
                seen.append(await service.metric(LAG))
                await asyncio.sleep(0.2)
                return len(seen) > 3 and seen[-1] == 0 and max(seen) > 0

            await eventually(caught_up, 60 + BACKLOG / 1000)
        took = time.monotonic() - start
        figures.info("%d records, %d a second; %s", BACKLOG, BACKLOG / took, watch.figures)
        assert watch.memory - watch.before < 100
        assert sum(now <= then for then, now in pairwise(seen)) > len(seen) * 0.75, "it shows"
