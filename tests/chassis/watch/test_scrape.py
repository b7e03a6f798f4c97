"""What a scrape looks up, and that it costs nothing while there is none."""

import asyncio
import logging
from dataclasses import dataclass, field
from typing import Any

import pytest
from prometheus_client.parser import text_string_to_metric_families
from pymongo.monitoring import CommandStartedEvent

from services.chassis.store.contract import Place
from services.chassis.store.database_metrics import CommandMetrics, ConnectionMetrics
from services.chassis.store.memory import MemoryStore
from services.chassis.store.mongo import MongoStore
from services.chassis.watch import scrape
from services.chassis.watch.metrics import Metrics, Programme, Reading, Tally
from services.chassis.watch.scrape import Scrape
from tests.chassis import toy
from tests.chassis.faults import Trip, Tripping, Unwilling
from tests.chassis.toy import KINDS, Person

PEOPLE = Tally("mentoring_toys", "Toys", Person, (("cohort", "cohort_id"),))
NAMES = Reading(
    "mentoring_toy_letters",
    "Letters of a name",
    Person,
    ("cohort", "id"),
    ("cohort_id", "id", "name"),
    lambda row: {(row["cohort_id"], row["id"]): float(len(row["name"]))},
)


@dataclass
class Scraped:
    """A service's measures over a database, with what it owns and what waits there."""

    store: Any
    metrics: Metrics
    owned: set[int] = field(default_factory=lambda: {0, 1})
    lag: dict[tuple[str, int], int] = field(default_factory=dict)

    def __post_init__(self) -> None:
        programme = Programme([PEOPLE, NAMES])
        self.metrics.registry.register(programme)
        self.scrape = Scrape(self.metrics, programme, self.store, lambda: self.owned, self._lags)

    async def _lags(self) -> dict[tuple[str, int], int]:
        return self.lag

    async def samples(self) -> dict[tuple[str, frozenset[tuple[str, str]]], float]:
        """What a scrape is told: name and labels to the figure."""
        families = text_string_to_metric_families((await self.scrape.text()).decode())
        return {
            (sample.name, frozenset(sample.labels.items())): sample.value
            for family in families
            for sample in family.samples
        }

    async def figures(self, name: str) -> dict[tuple[str, ...], float]:
        """The label values of one measure, in the order of their names, to its figure."""
        return {
            tuple(value for _, value in sorted(labels)): figure
            for (found, labels), figure in (await self.samples()).items()
            if found == name
        }


def store_of(uri: str, database: str, metrics: Metrics) -> MongoStore:
    return MongoStore(uri, database, KINDS, listeners=listeners_of(metrics))


def listeners_of(metrics: Metrics) -> tuple[CommandMetrics, ConnectionMetrics]:
    """What the database's client tells."""
    commands = CommandMetrics(metrics.database_seconds, metrics.database_failures)
    return commands, ConnectionMetrics(metrics.database_connections)


class Counting(MemoryStore):
    """The twin, which counts how often it was asked to count."""

    asked = 0

    async def tally(self, *asked: Any) -> dict[tuple[str, ...], int]:
        self.asked += 1
        return await super().tally(*asked)


@pytest.fixture
async def scraped() -> Scraped:
    store = Counting()
    for partition, (cohort, name) in enumerate([("c", "Camille"), ("d", "Zoé"), ("e", "Noé")]):
        person = Person(cohort_id=cohort, id="p-1", name=name)
        await store.fill(Place(partition), [person])
    return Scraped(store, Metrics("scheduling"))


@pytest.fixture
def at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Figures are never so fresh that they are not looked up again."""
    monkeypatch.setattr(scrape, "FRESH_SECONDS", 0.0)
    monkeypatch.setattr(scrape, "RESTS", 0.0)


async def test_nothing_is_counted_until_somebody_scrapes(scraped: Scraped) -> None:
    assert scraped.store.asked == 0
    await scraped.scrape.text()
    assert scraped.store.asked == 1


async def test_scrapes_that_follow_closely_share_one_look(
    scraped: Scraped, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(scrape, "FRESH_SECONDS", 3600.0)
    for _ in range(5):
        await scraped.scrape.text()
    assert scraped.store.asked == 1


async def test_what_takes_long_to_count_is_counted_less_often(
    scraped: Scraped, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(scrape, "FRESH_SECONDS", 0.0)
    monkeypatch.setattr(scrape, "RESTS", 1e6)
    for _ in range(5):
        await scraped.scrape.text()
    assert scraped.store.asked == 1


async def test_what_cannot_be_counted_in_time_hides_no_other_figure(
    scraped: Scraped, at_once: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def endless(*_: Any) -> Any:
        await asyncio.Event().wait()

    monkeypatch.setattr(scrape, "LOOK_SECONDS", 0.2)
    monkeypatch.setattr(scraped.store, "tally", endless)
    assert await scraped.figures("mentoring_toy_letters") == {("c", "p-1"): 7, ("d", "p-1"): 3}
    assert await scraped.figures("mentoring_toys") == {}
    assert (await scraped.figures("mentoring_scrape_failures_total"))["database",] > 0


async def test_the_database_is_told_when_to_give_a_figure_up(
    mongodb_uri: str, database: str
) -> None:
    limits: dict[str, Any] = {}

    class Noting(CommandMetrics):
        def started(self, event: CommandStartedEvent) -> None:
            limits[event.command_name] = event.command.get("maxTimeMS")

    metrics = Metrics("scheduling")
    noting = Noting(metrics.database_seconds, metrics.database_failures)
    store = MongoStore(mongodb_uri, database, KINDS, listeners=[noting])
    await Scraped(store, metrics).scrape.text()
    await store.close()
    assert 0 < limits["aggregate"] <= scrape.LOOK_SECONDS * 1000
    assert 0 < limits["find"] <= scrape.LOOK_SECONDS * 1000


async def test_figures_are_those_of_the_partitions_owned_and_of_no_others(
    scraped: Scraped, at_once: None
) -> None:
    assert await scraped.figures("mentoring_toys") == {("c",): 1, ("d",): 1}
    assert await scraped.figures("mentoring_toy_letters") == {("c", "p-1"): 7, ("d", "p-1"): 3}
    scraped.owned = {2}
    assert await scraped.figures("mentoring_toys") == {("e",): 1}


async def test_who_gave_a_partition_up_tells_of_its_lag_no_more(
    scraped: Scraped, at_once: None
) -> None:
    scraped.lag = {("t", 0): 7, ("t", 1): 0}
    assert await scraped.figures("mentoring_consumer_lag") == {("0", "t"): 7, ("1", "t"): 0}
    scraped.lag = {("t", 0): 5}
    assert await scraped.figures("mentoring_consumer_lag") == {("0", "t"): 5}


async def test_a_database_that_is_away_costs_a_scrape_its_figures_and_not_its_answer(
    database: str, caplog: pytest.LogCaptureFixture
) -> None:
    metrics = Metrics("scheduling")
    store = store_of("mongodb://user:hushhush@127.0.0.1:1/", database, metrics)
    scraped = Scraped(store, metrics, lag={("t", 0): 7})
    with caplog.at_level(logging.WARNING):
        found = await scraped.samples()
    await store.close()
    failures = "mentoring_scrape_failures_total"
    assert found[failures, frozenset({("part", "database")})] == 1
    assert found[failures, frozenset({("part", "broker")})] == 0
    assert found["mentoring_consumer_lag", frozenset({("topic", "t"), ("partition", "0")})] == 7
    assert "hushhush" not in caplog.text


async def test_what_a_figure_gone_wrong_says_is_told_by_its_kind_and_the_others_stay(
    scraped: Scraped, at_once: None, caplog: pytest.LogCaptureFixture
) -> None:
    await scraped.scrape.text()

    async def failing() -> Any:
        raise ConnectionError("camille@example.org")

    scraped.scrape._lags = failing
    assert await scraped.figures("mentoring_toys") == {("c",): 1, ("d",): 1}
    assert "ConnectionError" in caplog.text
    assert "camille@example.org" not in caplog.text


async def test_the_database_client_tells_of_its_commands_and_connections(
    mongodb_uri: str, database: str
) -> None:
    metrics = Metrics("scheduling")
    store = store_of(mongodb_uri, database, metrics)
    value = metrics.registry.get_sample_value
    await store.page(Person)
    assert value("mentoring_database_seconds_count", {"command": "find"}) == 1
    with pytest.raises(Exception, match="notACommand"):
        await store.database.command("notACommand")
    assert value("mentoring_database_failures_total", {"command": "notACommand"}) == 1
    assert value("mentoring_database_connections") >= 1  # type: ignore[operator]
    await store.close()


async def test_a_step_counts_what_it_sets_aside_once_however_often_it_is_tried(
    world: toy.World,
) -> None:
    failing = Unwilling(world.store, "commit", [toy.Passing(), toy.Passing()])
    stepper = world.stepper(failing)
    world.append(toy.altered(world.event(toy.formed("m~g")), value=b"{"))
    await world.run(stepper)
    assert toy.metric(stepper, "mentoring_records_parked_total", reason="bad-json") == 1
    assert toy.metric(stepper, "mentoring_retries_total", error="Passing") == 2


async def test_events_count_by_type_from_nothing_on(world: toy.World) -> None:
    stepper = world.stepper()
    assert toy.metric(stepper, "mentoring_events_total", type="RecordParked") == 0
    assert toy.metric(stepper, "mentoring_records_parked_total", reason="bad-json") == 0
    world.append(toy.altered(world.event(toy.formed("m~g")), value=b"{"))
    await world.run(stepper)
    assert toy.metric(stepper, "mentoring_events_total", type="RecordParked") == 1
    assert toy.metric(stepper, "mentoring_events_total", type="StepCompleted") == 1


async def test_the_outbox_ages_while_the_broker_says_nothing_at_all(world: toy.World) -> None:
    seen: list[float] = []

    async def look() -> None:
        assert toy.metric(stepper, "mentoring_outbox_pending") == 2
        seen.extend(toy.metric(stepper, "mentoring_outbox_oldest_seconds") for _ in range(2))

    stepper = world.stepper(log=Tripping(world.log, Trip(1, effect=look, name="publish")))
    world.publish(toy.formed("m~g"))
    await world.run(stepper)
    assert 0 < seen[0] < seen[1]
    assert toy.metric(stepper, "mentoring_outbox_pending") == 0
    assert toy.metric(stepper, "mentoring_outbox_oldest_seconds") == 0
