"""Rounds of a service that runs: one that is waited for, and a very large one."""

import logging
import time

import httpx
import pytest

from schemas.base import Command
from schemas.matching import EnrolManager, OpenCohort, VolunteerAsMentor
from tests.conftest import PATIENCE, eventually
from tests.limits.conftest import WEEK, Run, Watch, cohort_on, open_cohort, send_all, volunteer

pytestmark = pytest.mark.journey

figures = logging.getLogger("figures")  # shown with --log-cli-level=INFO

PEOPLE = 2_000


def crowd(cohort: str, people: int = PEOPLE) -> list[Command]:
    """As many mentors as managers; everybody fits everybody."""
    place = {"cohort_id": cohort, "site": "Bercy", "availability": WEEK}
    found: list[Command] = [OpenCohort(cohort_id=cohort, name="Everybody")]
    for n in range(people):
        level = 1 + n % 5
        about = {**place, "directorate": f"d{n % 7}"}
        mentor = {**about, "mentor_id": f"m-{n}", "skills": {"linkedin": level, "wiki": 3}}
        manager = {**about, "manager_id": f"g-{n}", "needs": {"linkedin": level, "wiki": 1}}
        found.append(VolunteerAsMentor.model_validate(mentor))
        found.append(EnrolManager.model_validate({**manager, "job_family": "statistics"}))
    return found


async def test_a_round_that_is_waited_for_is_over_when_the_answer_comes(
    matching: Run,
) -> None:
    async with (
        matching() as service,
        httpx.AsyncClient(base_url=service.url, timeout=60) as client,
    ):
        for command in crowd("c", 3):
            path = f"/commands/{type(command).__name__}?wait=20"
            sent = await client.post(path, json=command.model_dump(mode="json"))
            assert sent.status_code == 200, sent.text
        for mode, state in (("simulate", "simulated"), ("publish", "completed")):
            body = {"cohort_id": "c", "round_id": "r1", "mode": mode}
            sent = await client.post("/commands/RunRound?wait=20", json=body)
            assert (sent.status_code, sent.json()["done"]) == (200, True)
            [done] = (await client.get("/cohorts/c/rounds")).json()["items"]
            assert done["state"] == state
        [shown] = (await client.get("/cohorts/c/simulations")).json()["items"]
        proposed = (await client.get("/cohorts/c/pairs?state=proposed")).json()["items"]
        assert {pair["id"] for pair in proposed} == {
            f"{pair['mentor_id']}~{pair['manager_id']}" for pair in shown["pairs"]
        }
        assert proposed[0]["reasons"][0]["words"].keys() == {"fr", "en"}


async def test_a_large_round_keeps_nobody_of_its_partition_waiting(
    matching: Run, fresh_kafka: str, kafka_idempotent: bool
) -> None:
    large, beside = cohort_on(0), cohort_on(0, "b")
    async with (
        matching() as service,
        httpx.AsyncClient(base_url=service.url, timeout=60) as client,
    ):
        await open_cohort(client, beside)
        await send_all(fresh_kafka, kafka_idempotent, crowd(large))

        async def enrolled() -> bool:
            waiting = await client.get(f"/cohorts/{large}/managers?state=waiting&limit=1")
            # Not found as long as nobody has opened the cohort.
            return waiting.is_success and bool(waiting.json()["total"] == PEOPLE)

        await eventually(enrolled, PATIENCE)
        slowest, number = 0.0, 0
        with Watch(service) as watch:
            body = {"cohort_id": large, "round_id": "r1"}
            assert (await client.post("/commands/RunRound", json=body)).status_code == 202
            start = time.monotonic()

            async def completed() -> bool:
                rounds = await client.get(f"/cohorts/{large}/rounds?state=completed")
                return bool(rounds.json()["total"])

            while not await completed():
                assert time.monotonic() - start < 600
                asked = time.monotonic()
                number += 1
                sent = await client.post(
                    "/commands/VolunteerAsMentor?wait=20", json=volunteer(beside, number)
                )
                assert sent.status_code == 200, sent.text
                slowest = max(slowest, time.monotonic() - asked)
        took = time.monotonic() - start
        [done] = (await client.get(f"/cohorts/{large}/rounds")).json()["items"]
        assert (done["proposed"], done["optimal"]) == (PEOPLE, True)
        assert await service.metric("mentoring_rebalances_total") == 1
        found = {"seconds": round(took, 1), "commands beside": number, **watch.figures}
        figures.info("a round of 2,000: %s", {**found, "slowest command, s": round(slowest, 2)})
        assert number > 3
        assert max(slowest, watch.worst) < took / 2, "nobody had to wait for the round to be over"
