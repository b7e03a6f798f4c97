"""What large cohorts take, counted: what is done for each person, and what the database looks at.

A stretch of the event loop is as long as what is done in it for each of many: so what must not grow
with a cohort is the number of calls in the service's own thread, and of documents that are read.
"""

import sys
from collections import Counter
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from typing import Any

import httpx
import pytest
from fastapi import FastAPI
from pymongo import monitoring

from schemas.base import pair_of
from schemas.values import CohortPolicy
from services.chassis.documents import CHASSIS_DOCUMENTS, Counts
from services.chassis.domain import Document, Domain, State
from services.chassis.http.projections import projection_routes
from services.chassis.runtime import PARKED
from services.chassis.store.contract import Place
from services.chassis.store.mongo import MongoStore
from services.chassis.watch.metrics import Measure, Metrics, Programme
from services.chassis.watch.scrape import Scrape
from services.feedback import views as feedback
from services.feedback.views import Cohort as Measured
from services.matching import views as matching
from services.matching.handlers import DOMAIN as MATCHING
from services.matching.messages import SearchEnded
from services.matching.search.alone import people_on
from services.matching.search.question import Found, Roll
from services.matching.search.worker import search
from services.matching.views import Cohort, Manager, Mentor, Pair, Round
from services.notify.handlers import DOMAIN as NOTIFY
from services.scheduling.handlers import DOMAIN as SCHEDULING
from tests.feedback.given import DOMAIN as FEEDBACK
from tests.matching.given import MONDAY
from tests.scenario import NOW

FEW, MANY = 200, 2_000
ANSWERS = 500
"""Documents that come in one answer."""


class Reads(monitoring.CommandListener):
    """Counts commands, and knows the last of each name, and all questions."""

    def __init__(self) -> None:
        self.names: Counter[str] = Counter()
        self.last: dict[str, Any] = {}
        self.all: list[Any] = []

    def started(self, event: monitoring.CommandStartedEvent) -> None:
        self.names[event.command_name] += 1
        self.last[event.command_name] = event.command
        if event.command_name in ("find", "aggregate"):
            self.all.append(event.command)

    def succeeded(self, event: monitoring.CommandSucceededEvent) -> None: ...

    def failed(self, event: monitoring.CommandFailedEvent) -> None: ...


@pytest.fixture
async def listened(mongodb_uri: str, database: str) -> AsyncIterator[tuple[MongoStore, Reads]]:
    reads = Reads()
    kinds = (*MATCHING.documents, *CHASSIS_DOCUMENTS)
    store = MongoStore(mongodb_uri, database, kinds, listeners=[reads])
    await store.open()
    yield store, reads
    await store.close()


def cohort_of(people: int) -> list[Document]:
    """As many mentors as managers, each of whom has had a pair that has ended."""
    about = {"cohort_id": "c", "directorate": "DGFiP", "site": "Bercy", "availability": MONDAY}
    common = {**about, "line_manager": None, "excludes": ()}
    found: list[Document] = [Cohort(id="c", cohort_id="c", name="C", policy=CohortPolicy())]
    for n in range(people):
        mentor, manager = f"m-{n}", f"g-{n}"
        names = {"mentor_id": mentor, "manager_id": manager, "round_id": "r0"}
        ended = {"state": "expired", "score": 1.0, "reasons": (), "tools": ()}
        found += [
            Mentor(id=mentor, skills={"linkedin": 4}, capacity=2, **common),
            Manager(id=manager, job_family="tax", needs={"linkedin": 3}, **common),
            Pair(id=pair_of(mentor, manager), cohort_id="c", **names, **ended),
        ]
    return found


@contextmanager
def calls_here() -> Iterator[Counter[str]]:
    """How many functions of Python are called in this thread meanwhile."""
    found: Counter[str] = Counter()

    def profile(frame: Any, event: str, _: Any) -> None:
        if event == "call":
            found["calls"] += 1

    before = sys.getprofile()
    sys.setprofile(profile)
    try:
        yield found
    finally:
        sys.setprofile(before)


async def test_a_search_does_nothing_for_each_person_where_the_event_loop_runs(
    listened: tuple[MongoStore, Reads],
) -> None:
    store, reads = listened
    round_ = Round(id="r1", cohort_id="c", state="requested", due_at=NOW)
    calls: dict[int, int] = {}
    commands: dict[int, int] = {}
    rolls: list[Roll] = []

    async def nobody(roll: Roll) -> Found:
        rolls.append(roll)
        return Found()

    for people in (FEW, MANY):
        await store.wipe()
        await store.fill(Place(0), cohort_of(people))
        reads.names.clear()
        with calls_here() as counted:
            reports = [report async for report in search(store, round_, nobody)]
        assert [type(report) for report in reports] == [SearchEnded]
        calls[people], commands[people] = counted["calls"], reads.names.total()

    people = people_on(rolls[-1])
    assert (len(people.mentors), len(people.managers), len(people.closed)) == (MANY, MANY, MANY)
    answers = 2 * 3 * (MANY // ANSWERS - 1)  # read twice; of three kinds there are many
    assert commands[MANY] - commands[FEW] <= answers + 6
    # What the driver does for an answer, and nothing for each of the six thousand documents.
    assert (calls[MANY] - calls[FEW]) / (commands[MANY] - commands[FEW]) < 500


async def test_the_end_of_a_round_reads_no_document_of_any_person(
    listened: tuple[MongoStore, Reads], monkeypatch: pytest.MonkeyPatch
) -> None:
    store, _ = listened
    requested = Round(id="r1", cohort_id="c", state="requested", due_at=NOW)
    await store.fill(Place(0), [*cohort_of(MANY), requested])
    figures = {"proposed": 0, "managers_waiting": 0, "places_free": 0, "score": 0, "optimal": True}
    end = SearchEnded.model_validate({"cohort_id": "c", "round_id": "r1", **figures})
    validated: Counter[type[Document]] = Counter()
    for kind in MATCHING.documents:
        validate = partial(_counting, validated, kind, kind.model_validate)
        monkeypatch.setattr(kind, "model_validate", validate)

    state = State()
    await state.load(store, MATCHING.needs(end))
    [completed] = MATCHING.decide(state, end, NOW)  # type: ignore[misc]

    assert (completed.managers_waiting, completed.places_free) == (MANY, 2 * MANY)
    assert validated == {Cohort: 1, Round: 1}


def _counting(
    found: Counter[Any], kind: Any, validate: Callable[..., Any], row: Any, **how: Any
) -> Any:
    found[kind] += 1
    return validate(row, **how)


async def _asked(
    store: MongoStore, reads: Reads, measures: Sequence[Measure], owned: Sequence[int]
) -> tuple[dict[str, dict[tuple[str, ...], float]], list[dict[str, Any]]]:
    """What a scrape shows of these, and the plan of each question that it asks for it."""

    async def nothing_waits() -> dict[tuple[str, int], int]:
        return {}

    programme = Programme(measures)
    reads.all.clear()
    scrape = Scrape(Metrics("notify"), programme, store, lambda: owned, nothing_waits)
    await scrape.text()
    plans = []
    for asked in list(reads.all):
        what = {name: asked[name] for name in QUESTION if name in asked}
        plans.append(await store.database.command("explain", what, verbosity="executionStats"))
    return {m.name: dict(s) for m, s in programme.samples.items()}, plans


QUESTION = ("find", "aggregate", "pipeline", "cursor", "filter", "projection", "sort", "limit")


@pytest.mark.parametrize("domain", [MATCHING, SCHEDULING, NOTIFY], ids=lambda d: d.name)
async def test_a_scrape_reads_what_steps_have_counted_and_no_more_documents_than_there_are_groups(
    mongodb_uri: str, database: str, domain: Domain
) -> None:
    reads = Reads()
    store = MongoStore(
        mongodb_uri, database, (*domain.documents, *CHASSIS_DOCUMENTS), None, [reads]
    )
    await store.open()
    for number in range(FEW):
        cohort = f"c{number}"
        counts = tuple(((m.name, *("x",) * len(m.fields)), 5000) for m in domain.counts)
        await store.fill(Place(number % 2), [Counts(id=cohort, cohort_id=cohort, counts=counts)])

    shown, plans = await _asked(store, reads, domain.counts, [1])

    assert shown == {m.name: {("x",) * len(m.fields): 5000 * FEW // 2} for m in domain.counts}
    [plan] = plans
    assert plan["executionStats"]["totalDocsExamined"] == FEW // 2
    assert plan["executionStats"]["totalKeysExamined"] <= FEW // 2 + 1
    await store.close()


async def test_a_scrape_reads_each_cohort_of_its_partitions_once_for_all_figures_that_stand_in_it(
    mongodb_uri: str, database: str
) -> None:
    reads = Reads()
    store = MongoStore(mongodb_uri, database, FEEDBACK.documents, None, [reads])
    await store.open()
    for number in range(FEW):
        name = f"c{number}"
        cohort = Measured(id=name, cohort_id=name, name=name, policy=CohortPolicy())
        await store.fill(Place(number % 2), [cohort])

    shown, plans = await _asked(store, reads, feedback.MEASURES, [1])

    await store.close()
    assert len(shown["mentoring_rollout_ready"]) == FEW // 2
    [plan] = plans
    assert plan["executionStats"]["totalDocsExamined"] == FEW // 2


async def test_what_stands_aside_is_counted_in_an_index_of_its_partitions(
    mongodb_uri: str, database: str
) -> None:
    reads = Reads()
    store = MongoStore(mongodb_uri, database, CHASSIS_DOCUMENTS, None, [reads])
    await store.open()

    _, plans = await _asked(store, reads, [PARKED], [3])

    await store.close()
    [plan] = plans
    stages = str(plan["queryPlanner"]["winningPlan"])
    assert "'partition': 1" in stages, stages
    assert "COLLSCAN" not in stages
    assert "FETCH" not in stages, "no document is read for it"


async def test_pages_after_the_first_are_not_counted(listened: tuple[MongoStore, Reads]) -> None:
    store, reads = listened
    await store.fill(Place(0), cohort_of(FEW))
    app = FastAPI()
    app.include_router(projection_routes(store, matching.LISTED, kept=MATCHING.documents))
    transport = httpx.ASGITransport(app)
    async with httpx.AsyncClient(transport=transport, base_url="http://test") as client:
        reads.names.clear()
        first = (await client.get("/cohorts/c/mentors?limit=100")).json()
        assert first["total"] == FEW
        assert reads.names["aggregate"] == 1
        after = first["items"][-1]["id"]
        second = (await client.get(f"/cohorts/c/mentors?limit=100&after={after}")).json()
    assert (len(second["items"]), second["total"]) == (100, None)
    assert reads.names["aggregate"] == 1
    assert reads.names["find"] == 2
