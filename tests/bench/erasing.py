"""How long one person among very many takes to be forgotten, by the steps of `connecte erase`.

The services as processes over a real database, filled with people in one go; some of them have
joined by HTTP, and are erased one after the other. Counted is from the first question to the moment
when neither notify nor the portal has the contact; the broker's compaction is not.
`python -m tests.bench.erasing` measures this alone.
"""

import asyncio
import tempfile
import time
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from pymongo import AsyncMongoClient

from deploy.local.stack import WITH_PORTAL, Stack, Terms, running_stack
from deploy.operating.erasing import erase, traces
from deploy.operating.platform import Platform
from schemas.base import Command
from schemas.matching import OpenCohort, VolunteerAsMentor
from schemas.people import PersonContact
from schemas.topics import Service, partition_of
from schemas.values import Window
from services.chassis.domain import Document
from services.chassis.store.rows import row_of
from services.matching.views import Mentor
from services.notify.views import Person
from services.portal.views import Participant

PEOPLE, ERASED = 100_000, 7
COHORT = "bench"
WEEK = (Window(day="mon", start="09:00", end="12:00"),)
OFFER: dict[str, Any] = {
    "directorate": "DGFiP",
    "site": "Paris Bercy",
    "skills": {"linkedin": 4},
    "capacity": 1,
    "availability": WEEK,
}
AT_ONCE = 10_000  # rows
PATIENCE = 120.0


async def seconds() -> list[float]:
    """Seconds of each that was erased."""
    terms = Terms(services=WITH_PORTAL)
    with tempfile.TemporaryDirectory(prefix="connecte-bench-") as directory:
        async with running_stack(Path(directory), terms) as stack:
            urls = {name: service.url for name, service in stack.services.items()}
            async with (
                Platform(urls, None) as platform,
                AsyncMongoClient[dict[str, Any]](stack.mongodb) as client,
            ):
                await _done(platform, "matching", OpenCohort(cohort_id=COHORT, name="Bench"))
                await _fill(stack, client)
                return [await _one(platform, client, f"erased-{n}") for n in range(ERASED)]


async def _fill(stack: Stack, client: AsyncMongoClient[dict[str, Any]]) -> None:
    """What the services would have folded, written in one go."""
    partition = partition_of(COHORT, stack.terms.partitions)
    for first in range(0, PEOPLE, AT_ONCE):
        rows: dict[tuple[str, str], list[Any]] = {}
        for number in range(first, first + AT_ONCE):
            for service, document in _somebody(number):
                place = f"connecte_{service}", document.collection
                rows.setdefault(place, []).append(row_of(partition, document))
        for (database, collection), some in rows.items():
            await client[database][collection].insert_many(some)


def _somebody(number: int) -> Iterable[tuple[Service, Document]]:
    who, name = {"id": f"m-{number}", "cohort_id": COHORT}, f"Personne {number}"
    reached = {"name": name, "email": f"m-{number}@people.example"}
    yield "matching", Mentor.model_validate({**who, **OFFER, "line_manager": None, "excludes": ()})
    yield "notify", Person.model_validate({**who, **reached, "language": "fr"})
    shown = {**reached, "address": reached["email"], "order": f"{name} m-{number}"}
    yield "portal", Participant.model_validate({**who, **shown, "mentor_state": "available"})


async def _one(platform: Platform, client: AsyncMongoClient[dict[str, Any]], who: str) -> float:
    """Somebody joins, and is forgotten."""
    offer = VolunteerAsMentor.model_validate({"cohort_id": COHORT, "mentor_id": who, **OFFER})
    await _done(platform, "matching", offer)
    reached = {"name": "Camille Roux", "email": f"{who}@people.example"}
    contact = PersonContact.model_validate({"cohort_id": COHORT, "person_id": who, **reached})
    await _done(platform, "notify", contact)
    await _until(client, who, known=True)
    began = time.perf_counter()
    certificate = await erase(platform, who, await traces(platform, who), lambda: None)
    await _until(client, who, known=False)
    taken = time.perf_counter() - began
    assert all(one.whole for one in certificate), "something was left"
    return taken


async def _done(platform: Platform, service: Service, command: Command) -> None:
    outcome = await platform.send(service, command)
    assert outcome.done, outcome


async def _until(client: AsyncMongoClient[dict[str, Any]], who: str, *, known: bool) -> None:
    """Until both have their name, or neither has."""
    named = {"_id": f"{COHORT}/{who}", "name": {"$type": "string"}}
    async with asyncio.timeout(PATIENCE):
        while True:
            people = await client["connecte_notify"][Person.collection].find_one(named)
            shown = await client["connecte_portal"][Participant.collection].find_one(named)
            if {people is not None, shown is not None} == {known}:
                return
            await asyncio.sleep(0.01)


if __name__ == "__main__":
    print(" ".join(f"{each:.2f} s" for each in sorted(asyncio.run(seconds()))))  # noqa: T201
