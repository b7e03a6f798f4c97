"""How much memory each service holds once it has handled 10,000 pairs."""

import asyncio
import tempfile
from pathlib import Path

import httpx

from deploy.local import stack as local
from deploy.local.stack import Stack, Terms, running_stack
from schemas.base import Command, pair_of
from schemas.envelope import Record, encode
from schemas.matching import AcceptProposal, EnrolManager, OpenCohort, RunRound, VolunteerAsMentor
from schemas.topics import commands_topic, partition_of
from schemas.values import CohortPolicy, Window
from services.chassis.log.kafka import KafkaLog
from tests.bench.peaks import peak

COHORTS = 40
PAIRS = 250  # of each cohort
WEEK = tuple(Window(day=day, start="09:00", end="18:00") for day in ("mon", "tue", "wed", "thu"))


async def resident() -> dict[str, float]:
    """Peak resident megabytes by service, everything but the letters handled."""
    with tempfile.TemporaryDirectory(prefix="connecte-bench-") as directory:
        async with running_stack(Path(directory), Terms()) as stack:
            await _form_pairs(stack)
            return {
                name: peak(service.child.pid)
                for name, service in stack.services.items()
                if service.child is not None
            }


async def _form_pairs(stack: Stack) -> None:
    log = KafkaLog({"bootstrap_servers": stack.kafka}, idempotent=False)
    await log.start()
    try:
        async with httpx.AsyncClient(timeout=60) as client:
            await _send(log, stack, _people())
            await _until(client, stack, "matching", "managers", COHORTS * PAIRS)
            rounds = [RunRound(cohort_id=f"c{c}", round_id="r1") for c in range(COHORTS)]
            await _send(log, stack, rounds)
            await _until(client, stack, "matching", "pairs", COHORTS * PAIRS)
            await _send(log, stack, await _answers(client, stack))
            await _until(client, stack, "scheduling", "pairs", COHORTS * PAIRS)
            await _until(client, stack, "feedback", "pairs", COHORTS * PAIRS)
    finally:
        await log.stop()


def _people() -> list[Command]:
    found: list[Command] = []
    for c in range(COHORTS):
        cohort = f"c{c}"
        found.append(OpenCohort(cohort_id=cohort, name=cohort, policy=CohortPolicy()))
        for i in range(PAIRS):
            # Each manager needs a tool that few mentors know, as in life; so rounds stay small.
            tool = f"tool-{i % 50}"
            place = {"cohort_id": cohort, "site": "Paris Bercy", "availability": WEEK}
            found.append(
                VolunteerAsMentor.model_validate(
                    {**place, "mentor_id": f"m{i}", "directorate": "DGFiP", "skills": {tool: 5}}
                )
            )
            found.append(
                EnrolManager.model_validate(
                    {
                        **place,
                        "manager_id": f"g{i}",
                        "directorate": "INSEE",
                        "job_family": "statistics",
                        "needs": {tool: 3},
                    }
                )
            )
    return found


async def _answers(client: httpx.AsyncClient, stack: Stack) -> list[Command]:
    found: list[Command] = []
    for c in range(COHORTS):
        url = f"{stack.services['matching'].url}/cohorts/c{c}/pairs?limit=1000"
        for pair in (await client.get(url)).json()["items"]:
            pair_id = pair_of(pair["mentor_id"], pair["manager_id"])
            for side in ("mentor", "manager"):
                fields = {"cohort_id": f"c{c}", "pair_id": pair_id, "by": side}
                found.append(AcceptProposal.model_validate(fields))
    return found


async def _send(log: KafkaLog, stack: Stack, commands: list[Command]) -> None:
    records: list[Record] = []
    for number, command in enumerate(commands):
        partition = partition_of(command.cohort_id, stack.terms.partitions)
        records.append(
            encode(
                command,
                commands_topic("matching"),
                partition,
                id=f"{type(command).__name__}-{number}",
                source="/bench",
                time=stack.origin,
            )
        )
    await log.publish(records)


async def _until(
    client: httpx.AsyncClient, stack: Stack, service: local.Service, collection: str, count: int
) -> None:
    """Wait until the cohorts together have so many documents."""
    url = stack.services[service].url
    while True:
        total = 0
        for c in range(COHORTS):
            overview = (await client.get(f"{url}/cohorts/c{c}")).json()
            total += sum(overview[collection].values())
        if total >= count:
            return
        await asyncio.sleep(1)
