"""What a scrape of a service with a million letters, or surveys, asks of its database.

The rows are put in with one write for thousands, and have what a scrape reads; what it then looks
at is what the database itself noted (its profiler). `python -m tests.bench.scrape` measures this
alone.
"""

import asyncio
import statistics
import tempfile
import time
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pymongo import AsyncMongoClient

from deploy.local.mongodb import mongodb
from deploy.operating.reach import domain_of
from schemas.topics import Service
from schemas.values import CohortPolicy
from services.chassis.documents import Counts, Group
from services.chassis.domain import Document, text_of
from services.chassis.store.contract import Place
from services.chassis.store.mongo import MongoStore
from services.chassis.watch.metrics import Measure, Metrics, Programme
from services.chassis.watch.scrape import RESTS, Scrape
from services.feedback.views import MEASURES as OF_FEEDBACK
from services.feedback.views import Cohort, Survey
from services.notify.views import MEASURES as OF_NOTIFY
from services.notify.views import Letter

COUNT = 1_000_000
PARTITIONS = 12
COHORTS = 60
WRITTEN_AT_ONCE = 20_000
SCRAPES = 5
LETTERS = ("queued", "sent", "sent", "sent", "sent", "failed")


@dataclass(frozen=True, slots=True)
class Looked:
    """Of one scrape: milliseconds, and the documents and index keys that the database looked at.

    `groups`: of how many, by cohort and by what it is counted by, something is told.
    """

    milliseconds: float
    documents: int
    keys: int
    groups: int


def _rows(service: Service) -> Iterator[dict[str, Any]]:
    for number in range(COUNT):
        cohort = f"cohort-{number % COHORTS}"
        row: dict[str, Any] = {"_id": f"{cohort}/{number}", "partition": number % PARTITIONS}
        row |= {"cohort_id": cohort, "id": str(number)}
        if service == "notify":
            state = LETTERS[number % len(LETTERS)]
            yield row | {"channel": "smtp", "state": state, "cause": None, "person_id": "m-1"}
        else:
            yield row | {"state": "open", "kind": "start", "side": "mentor"}


MEASURES: Mapping[Service, tuple[Measure, ...]] = {"notify": OF_NOTIFY, "feedback": OF_FEEDBACK}
KINDS: Mapping[Service, type[Document]] = {"notify": Letter, "feedback": Survey}


async def looked(service: Service) -> Looked:
    """The typical scrape of a service with so many documents of its most frequent kind."""
    with tempfile.TemporaryDirectory(prefix="connecte-bench-") as directory:
        async with mongodb(Path(directory)) as uri:
            name = f"bench_{service}"
            store = MongoStore(uri, name, (*domain_of(service).documents, Counts))
            await store.open()
            client: AsyncMongoClient[dict[str, Any]] = AsyncMongoClient(uri)
            try:
                await _fill(client[name][KINDS[service].collection], service)
                groups = await _kept(store, service)
                return await _scraped(service, store, client[name], groups)
            finally:
                await client.close()
                await store.close()


async def _fill(collection: Any, service: Service) -> None:
    rows: list[dict[str, Any]] = []
    for row in _rows(service):
        rows.append(row)
        if len(rows) == WRITTEN_AT_ONCE:
            await collection.insert_many(rows, ordered=False)
            rows = []
    if rows:
        await collection.insert_many(rows, ordered=False)


async def _kept(store: MongoStore, service: Service) -> int:
    """What steps would have kept of them for scrapes; of how many groups it is."""
    if service == "feedback":
        return await _measured(store)
    of_cohort: dict[str, Counter[Group]] = {}
    for row in _rows(service):
        for measure in domain_of(service).counts:
            if measure.kind is KINDS[service]:
                values = (text_of(row[field]) for field in measure.fields)
                of_cohort.setdefault(row["cohort_id"], Counter())[measure.name, *values] += 1
    for number in range(COHORTS):
        cohort = f"cohort-{number}"
        counts = tuple(sorted(of_cohort[cohort].items()))
        document = Counts(id=cohort, cohort_id=cohort, counts=counts)
        await store.fill(Place(number % PARTITIONS), [document])
    return sum(map(len, of_cohort.values()))


async def _measured(store: MongoStore) -> int:
    """Cohorts of which nothing but the turnout is told: as little as there can be."""
    for number in range(COHORTS):
        name = f"cohort-{number}"
        turnout = {"surveys_closed": 9, "surveys_answered": 8}
        cohort = Cohort(id=name, cohort_id=name, name=name, policy=CohortPolicy(), **turnout)
        await store.fill(Place(number % PARTITIONS), [cohort])
    return 3 * COHORTS


async def _scraped(service: Service, store: MongoStore, database: Any, groups: int) -> Looked:
    async def nothing_waits() -> dict[tuple[str, int], int]:
        return {}

    measures = MEASURES[service]
    programme, metrics = Programme(measures), Metrics(service)
    metrics.registry.register(programme)
    owned = list(range(PARTITIONS))
    taken: list[float] = []
    for number in range(SCRAPES):
        if number == SCRAPES - 1:
            await database.command("profile", 2)
        # A new one each time: what was looked up a moment ago is not looked up again.
        scrape = Scrape(metrics, programme, store, lambda: owned, nothing_waits)
        began = time.perf_counter()
        await scrape.text()
        taken.append(time.perf_counter() - began)
    await database.command("profile", 0)
    noted = await database["system.profile"].find({"op": {"$in": ["query", "command"]}}).to_list()
    return Looked(
        statistics.median(taken) * 1000,
        sum(int(row.get("docsExamined", 0)) for row in noted),
        sum(int(row.get("keysExamined", 0)) for row in noted),
        groups,
    )


if __name__ == "__main__":
    for each in KINDS:
        print(each, asyncio.run(looked(each)), f"rests {RESTS:g} times as long")  # noqa: T201
