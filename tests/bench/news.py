"""How soon what has happened is on a page that somebody looks at.

The whole platform on this machine, embedded broker and real `mongod`; a page is open, and hears of
news as a browser does. Counted is from the moment at which a command is sent over HTTP, so that the
service's own commit lies within it: until its answer (which follows that commit), until the page is
told that there is news, and until the page that is asked for then shows what has changed.
`python -m tests.bench.news` measures this alone.
"""

import asyncio
import random
import statistics
import tempfile
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
from pymongo import AsyncMongoClient

from deploy.local.stack import WITH_PORTAL, Stack, Terms, running_stack
from deploy.operating.platform import Platform
from deploy.trial.browser import Browser
from schemas.base import Command
from schemas.matching import OpenCohort, PauseMentor, ResumeMentor, VolunteerAsMentor
from schemas.people import PersonContact
from services.chassis.store.kept import MongoKept
from services.portal.web.news import LOOK_EVERY
from services.portal.web.sessions import Sessions

COHORT, WHO, ADDRESS = "bench", "m-1", "m-1@people.example"
CHANGES, WARM_UP = 200, 5
PATIENCE = 60.0
PAGE = "/mon-espace"
SAYS = "Vous êtes en pause"
JOINS: tuple[Command, ...] = (
    PersonContact(cohort_id=COHORT, person_id=WHO, name="Lise Œuvrard", email=ADDRESS),
    VolunteerAsMentor.model_validate(
        {
            **{"cohort_id": COHORT, "mentor_id": WHO, "directorate": "DGFiP", "site": "Paris"},
            **{"skills": {"linkedin": 4}, "capacity": 1},
            "availability": [{"day": "mon", "start": "09:00", "end": "12:00"}],
        }
    ),
)


@dataclass(frozen=True, slots=True)
class Soon:
    """Of the changes: milliseconds from the sending until each of these, half and 99 of 100.

    `after`: from the answer, which follows the service's commit, until it is shown.
    """

    answered: tuple[float, float]
    told: tuple[float, float]
    shown: tuple[float, float]
    after: tuple[float, float]


@asynccontextmanager
async def looking() -> AsyncIterator[tuple[Stack, Platform, Browser]]:
    """A platform, and somebody signed in at its portal, who has joined a programme."""
    with tempfile.TemporaryDirectory(prefix="connecte-bench-") as directory:
        async with running_stack(Path(directory), Terms(services=WITH_PORTAL)) as stack:
            urls = {name: service.url for name, service in stack.services.items()}
            cookies = {"session": await signed_in(stack.mongodb)}
            async with (
                Platform(urls, None) as platform,
                httpx.AsyncClient(
                    base_url=urls["portal"], cookies=cookies, timeout=PATIENCE
                ) as client,
            ):
                await done(platform, OpenCohort(cohort_id=COHORT, name="Bench"))
                for command in JOINS:
                    await done(platform, command)
                person = Browser(client)
                await shows(person, paused=False)
                yield stack, platform, person


async def soon(changes: int = CHANGES) -> Soon:
    """Change something, again and again, while the page is open."""
    phases = random.Random(1)
    async with looking() as (_, platform, person):
        taken = [
            await change(platform, person, phases, paused=number % 2 == 0)
            for number in range(WARM_UP + changes)
        ]
    columns = list(zip(*taken[WARM_UP:], strict=True))
    answered, told, shown = (_half_and_most(list(column)) for column in columns)
    after = [shown - answered for answered, _, shown in taken[WARM_UP:]]
    return Soon(answered, told, shown, _half_and_most(after))


def _half_and_most(times: list[float]) -> tuple[float, float]:
    return statistics.median(times), statistics.quantiles(times, n=100)[-1]


async def signed_in(uri: str) -> str:
    """A session of somebody, as the portal keeps it."""
    async with AsyncMongoClient[dict[str, Any]](uri, tz_aware=True) as client:
        hours = timedelta(hours=12)
        kept = MongoKept(client["connecte_portal"])
        return await Sessions(kept, hours, hours, hours, lambda: datetime.now(UTC)).begin(ADDRESS)


async def done(platform: Platform, command: Command) -> None:
    service = "notify" if isinstance(command, PersonContact) else "matching"
    outcome = await platform.send(service, command)
    assert outcome.done, outcome


async def shows(person: Browser, *, paused: bool) -> None:
    """The page, once it shows that."""
    async with asyncio.timeout(PATIENCE):
        while not await _does(person, paused=paused):
            await asyncio.sleep(0.05)


async def _does(person: Browser, *, paused: bool) -> bool:
    says = (await person.goes_to(PAGE)).says
    return "Aucune inscription" not in says and (SAYS in says) == paused


async def change(
    platform: Platform, person: Browser, phases: random.Random, *, paused: bool
) -> tuple[float, float, float]:
    """Milliseconds until it is answered, told and shown."""
    (main,) = (await person.goes_to(PAGE)).page.all("main")
    kind = PauseMentor if paused else ResumeMentor
    async with (
        asyncio.timeout(PATIENCE),
        person.client.stream("GET", main.get("data-suivre")) as stream,
    ):
        lines = stream.aiter_lines()
        await anext(lines)
        # A change comes at any moment between two looks of the portal.
        await asyncio.sleep(phases.uniform(0, LOOK_EVERY))
        began = time.perf_counter()
        sending = asyncio.create_task(done(platform, kind(cohort_id=COHORT, mentor_id=WHO)))
        sending.add_done_callback(lambda _: answered.append(time.perf_counter()))
        answered: list[float] = []
        told = 0.0
        async for told in _news(lines):  # noqa: B007  # the last of them is told of below
            if await _does(person, paused=paused):
                break
        shown = time.perf_counter()
        await sending
    return tuple((moment - began) * 1000 for moment in (answered[0], told, shown))  # type: ignore[return-value]


async def _news(lines: AsyncIterator[str]) -> AsyncIterator[float]:
    """The moments at which there is news."""
    async for line in lines:
        if line.startswith("data"):
            yield time.perf_counter()


if __name__ == "__main__":
    print(asyncio.run(soon()))  # noqa: T201
