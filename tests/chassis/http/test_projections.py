"""Projections are listed by id, page by page, and filtered."""

from datetime import timedelta
from typing import ClassVar

import httpx
import pytest
from fastapi import FastAPI

from schemas.base import Moment
from schemas.envelope import Record
from services.chassis.domain import Document
from services.chassis.http.problems import Problem
from services.chassis.http.projections import projection_routes
from services.chassis.store.contract import Commit, Place
from services.chassis.store.memory import MemoryStore
from tests.chassis.http.site import BODY, CONFIRM, Site, problem
from tests.chassis.toy import (
    COMMANDS as TOPIC,
)
from tests.chassis.toy import (
    NOW,
    formed,
)


async def test_projections_are_listed_by_id_page_by_page_and_filtered(site: Site) -> None:
    for pair in ("m~i", "m~h"):
        site.world.publish(formed(pair))
    await site.world.run(site.log.stepper)
    async with site.client() as client:
        await client.post(f"{CONFIRM}?wait=5", json=BODY)
        everything = (await client.get("/cohorts/c/tallies")).json()
        page = (await client.get("/cohorts/c/tallies?limit=1&after=m~g")).json()
        some = (await client.get("/cohorts/c/tallies?count=1")).json()
        none = (await client.get("/cohorts/c/tallies?count=9")).json()
        overview = (await client.get("/cohorts/c")).json()

    assert [item["id"] for item in everything["items"]] == ["m~g", "m~h", "m~i"]
    assert ([item["id"] for item in page["items"]], page["total"]) == (["m~h"], None)
    assert everything["total"] == 3
    assert [item["id"] for item in some["items"]] == ["m~g"]
    assert none == {"items": [], "total": 0}
    assert overview == {"tallies": {"all": 3}}


@pytest.mark.parametrize(
    ("query", "named"),
    [
        ("colour=red", "colour: no such filter; there is count"),
        ("count=many", "count: "),
        ("count=9223372036854775808", "count: "),
        ("count=%ff", "count: "),
        ("limit=0", "limit"),
        ("limit=1001", "limit"),
        ("count[$gt]=0", "count[$gt]: no such filter"),
        ("count=1&count=2", "count: given 2 times"),
        ("limit=x&limit=1", "limit: given 2 times"),
    ],
)
async def test_a_filter_that_is_not_there_or_wrong_is_refused_by_its_name(
    site: Site, query: str, named: str
) -> None:
    async with site.client() as client:
        found = problem(await client.get(f"/cohorts/c/tallies?{query}"), 422)

    assert named in found["title"]


class Cohort(Document):
    """The document of a cohort itself."""

    collection: ClassVar[str] = "cohorts"


async def test_cohorts_are_listed_where_a_service_shows_a_document_of_each() -> None:
    store = MemoryStore()
    rows = [Cohort(id=name, cohort_id=name) for name in ("b", "a", "c")]
    await store.commit(Commit([Place(0, 1)], [(0, row) for row in rows], []))
    application = FastAPI()
    application.include_router(projection_routes(store, {Cohort: ()}))
    here = httpx.ASGITransport(application)
    async with httpx.AsyncClient(transport=here, base_url="http://here") as client:
        everything = (await client.get("/cohorts")).json()
        rest = (await client.get("/cohorts?after=a&limit=1")).json()

    assert [row["id"] for row in everything["items"]] == ["a", "b", "c"]
    assert (everything["total"], rest["total"]) == (3, None)
    assert [row["id"] for row in rest["items"]] == ["b"]


class Meeting(Document):
    """Something that takes place."""

    collection: ClassVar[str] = "meetings"

    starts_at: Moment


async def test_a_moment_is_asked_for_by_a_span_of_time() -> None:
    store = MemoryStore()
    rows = [Meeting(id=f"{n}", cohort_id="c", starts_at=NOW + timedelta(days=n)) for n in range(3)]
    await store.commit(Commit([Place(0, 1)], [(0, row) for row in rows], []))
    application = FastAPI()
    application.include_router(projection_routes(store, {Meeting: ("starts_at",)}))
    here = httpx.ASGITransport(application)
    days = [(NOW + timedelta(days=n)).isoformat().replace("+00:00", "Z") for n in range(3)]
    async with httpx.AsyncClient(transport=here, base_url="http://here") as client:

        async def found(span: str) -> httpx.Response:
            return await client.get("/cohorts/c/meetings", params={"starts_at": span})

        some = (await found(f"{days[1]}/{days[2]}")).json()
        for span in (days[0], f"{days[0]}/", "1/x", "2017-03-06/2017", f"{days[2]}/{days[1]}"):
            with pytest.raises(Problem, match="starts_at: "):
                await found(span)
    assert ([row["id"] for row in some["items"]], some["total"]) == (["1"], 1)


async def test_parked_records_are_listed_without_their_bytes(site: Site) -> None:
    site.world.append(Record(TOPIC, 0, b"\xff", b"\xff secret"))
    await site.world.run(site.log.stepper)

    async with site.client() as client:
        answer = await client.get("/parked")

    [item] = answer.json()["items"]
    assert (item["id"], item["reason"], item["size"]) == (f"{TOPIC}/0/0", "bad-headers", 8)
    assert not {"value", "headers", "record_key"} & set(item)
