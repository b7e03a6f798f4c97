"""A running platform of two cohorts on two partitions, and those who enter volunteers."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import httpx

from deploy.local.stack import SERVICES, Stack, Terms, running_stack
from schemas.base import Command
from schemas.matching import OpenCohort, VolunteerAsMentor
from schemas.topics import Service, partition_of
from tests.conftest import PATIENCE
from tests.deploy.operating.commands import Done, connecte

PARTITIONS = 2


class Ministry:
    """Two cohorts on two partitions of a running platform, and those who enter volunteers."""

    def __init__(self, stack: Stack) -> None:
        self.stack = stack
        self.url = stack.services["matching"].url
        notify = stack.services.get("notify")
        self.notify = {"CONNECTE_NOTIFY_URL": notify.url} if notify else {}
        names = (f"c{number}" for number in range(100))
        of = {partition_of(name, PARTITIONS): name for name in names}
        self.cohorts = [of[partition] for partition in range(PARTITIONS)]
        self.accepted = 0
        self.client = httpx.AsyncClient(timeout=30)

    async def connecte(self, *arguments: str) -> Done:
        return await connecte(
            *arguments,
            KAFKA_BOOTSTRAP_SERVERS=self.stack.kafka,
            MONGODB_URI=self.stack.mongodb,
            CONNECTE_MATCHING_URL=self.url,
            **self.notify,
            CONNECTE_PARTITIONS=str(PARTITIONS),
            CONNECTE_KAFKA_IDEMPOTENT="false",
        )

    async def send(self, command: Command, wait: int = 0) -> int:
        response = await self.client.post(
            f"{self.url}/commands/{type(command).__name__}",
            params={"wait": wait},
            content=command.model_dump_json(),
            headers={"content-type": "application/json"},
        )
        return response.status_code

    async def volunteer(self, number: int) -> None:
        cohort = self.cohorts[number % PARTITIONS]
        assert await self.send(volunteer(cohort, number)) == 202
        self.accepted += 1

    async def volunteers(self) -> int:
        found = [
            await self.client.get(f"{self.url}/cohorts/{cohort}/mentors", params={"limit": 1})
            for cohort in self.cohorts
        ]
        return sum(int(response.json().get("total", 0)) for response in found)

    async def all_seen(self) -> None:
        async with asyncio.timeout(PATIENCE):
            while await self.volunteers() != self.accepted:
                await asyncio.sleep(0.05)


def volunteer(cohort: str, number: int) -> VolunteerAsMentor:
    return VolunteerAsMentor.model_validate(
        {
            "cohort_id": cohort,
            "mentor_id": f"m-{number}",
            "directorate": "DGE",
            "site": "Bercy",
            "skills": {"tchap": 3},
            "availability": [{"day": "mon", "start": "09:00", "end": "12:00"}],
        }
    )


def without(services: tuple[Service, ...]) -> dict[str, str]:
    """Settings where only these run: letters have links to pages of all."""
    away = (name for name in SERVICES if name not in services)
    return {f"CONNECTE_{name.upper()}_URL": "http://127.0.0.1:1" for name in away}


@asynccontextmanager
async def ministry(
    directory: Path, services: tuple[Service, ...] = SERVICES
) -> AsyncIterator[Ministry]:
    """`services`: those that run; matching is one of them."""
    terms = Terms(partitions=PARTITIONS, services=services, settings=without(services))
    async with running_stack(directory, terms) as stack:
        found = Ministry(stack)
        async with found.client:
            for cohort in found.cohorts:
                assert await found.send(OpenCohort(cohort_id=cohort, name="A"), wait=20) == 200
            yield found
