"""What every scrape counts is counted in an index, however many documents there are; and what may
fall is a gauge, by its type and by its name.
"""

import importlib
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from prometheus_client import generate_latest
from pymongo import AsyncMongoClient

from deploy.operating.reach import SERVICES, domain_of
from schemas.topics import Service
from services.chassis.documents import CHASSIS_DOCUMENTS
from services.chassis.domain import RunningCount, Tally
from services.chassis.runtime import PARKED
from services.chassis.store.contract import Where
from services.chassis.store.mongo import MongoStore
from services.chassis.watch.metrics import Measure, Metrics, Programme

DOCUMENTS = 100


def measures_of(service: Service) -> tuple[Measure, ...]:
    views = importlib.import_module(f"services.{service}.views")
    return (*getattr(views, "MEASURES", ()), PARKED)  # the portal counts nothing of its own


def tallies() -> Iterator[Any]:
    for service in SERVICES:
        for measure in measures_of(service):
            if isinstance(measure, Tally) and not isinstance(measure, RunningCount):
                yield pytest.param(service, measure, id=f"{service}-{measure.name}")


@asynccontextmanager
async def opened(store: MongoStore) -> AsyncIterator[MongoStore]:
    await store.open()
    yield store
    await store.close()


@pytest.mark.parametrize(("service", "measure"), list(tallies()))
async def test_a_scrape_counts_documents_without_reading_any(
    service: Service, measure: Tally, mongodb_uri: str, database: str
) -> None:
    kinds = (*domain_of(service).documents, *CHASSIS_DOCUMENTS)
    name = measure.kind.collection
    async with (
        opened(MongoStore(mongodb_uri, database, kinds)) as store,
        AsyncMongoClient[dict[str, Any]](mongodb_uri, tz_aware=True) as client,
    ):
        own = client[database]
        row = dict.fromkeys(measure.fields, "x")
        rows = [row | {"_id": n, "partition": n % 2} for n in range(DOCUMENTS)]
        await own[name].insert_many(rows)
        await own.command("profile", 2)
        found = await store.tally(measure.kind, measure.fields, Where(partitions=(0,)))
        await own.command("profile", 0)
        [asked] = await own["system.profile"].find({"command.aggregate": name}).to_list()
    assert found == {("x",) * len(measure.fields): DOCUMENTS // 2}
    assert asked["docsExamined"] == 0
    assert asked["keysExamined"] <= DOCUMENTS // 2 + 1


@pytest.mark.parametrize("service", SERVICES)
def test_what_is_looked_up_may_fall_and_is_a_gauge(service: Service) -> None:
    programme = Programme(measures_of(service))
    assert {family.type for family in programme.collect()} == {"gauge"}


@pytest.mark.parametrize("service", SERVICES)
def test_a_name_ends_in_total_where_it_is_that_of_a_counter_and_nowhere_else(
    service: Service,
) -> None:
    metrics = Metrics(service)
    metrics.registry.register(Programme(measures_of(service)))
    for line in generate_latest(metrics.registry).decode().splitlines():
        if line.startswith("# TYPE "):
            _, _, name, kind = line.split()
            assert name.endswith("_total") is (kind == "counter"), name
