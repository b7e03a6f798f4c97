"""A whole service with its HTTP in one process, on the twins of the store and of the log."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

import httpx
import pytest
from fastapi import FastAPI

from schemas.envelope import Record
from schemas.scheduling import ConfirmSession
from schemas.topics import COMMANDS
from services.chassis.clock import Clock
from services.chassis.domain import Refusal
from services.chassis.http.answering import Answering
from services.chassis.http.application import create_app
from services.chassis.http.commands import Commands, CommandTopic, command_routes
from services.chassis.http.effects import Effects
from services.chassis.http.foresight import Foresight
from services.chassis.http.links import Link, LinkSigner, LinkVerifier, generate_keys
from services.chassis.http.pages import link_routes
from services.chassis.http.problems import Problem
from services.chassis.http.projections import projection_routes
from services.chassis.log.memory import MemoryLog
from services.chassis.step.stepper import Stepper
from services.chassis.store.memory import MemoryStore
from services.chassis.watch.metrics import Programme
from services.chassis.watch.scrape import Scrape
from services.scheduling.handlers import DOMAIN
from services.scheduling.pages import LINK_PAGES
from services.scheduling.views import LISTED, MEASURES
from tests.chassis.toy import NOW, PARTITIONS, World, types
from tests.scheduling.given import COHORT, PAIR, formed, opened

PRIVATE_KEY, PUBLIC_KEY = generate_keys()
SESSION = f"{PAIR}~1"


class CarriedOutAtOnce(MemoryLog):
    """A log whose reader has handled a command before its sender knows of its offset."""

    stepper: Stepper

    async def send(self, record: Record) -> int:
        offset = await super().send(record)
        await self.stepper.handle([self.records[record.topic, record.partition][offset]])
        return offset


@dataclass
class Scheduling:
    """The service: its domain, its steps, its HTTP and its scrape."""

    log: CarriedOutAtOnce = field(default_factory=CarriedOutAtOnce)
    store: MemoryStore = field(default_factory=MemoryStore)

    async def start(self) -> None:
        self.world = World(log=self.log, store=self.store, domain=DOMAIN)
        self.stepper = self.log.stepper = await self.world.run()
        clock = Clock(1.0, NOW, NOW, wall=self.world.hand)
        topic = CommandTopic("scheduling", self.log, clock, PARTITIONS)
        commands = Commands(topic, Effects("scheduling", self.store))
        self.app = create_app("scheduling", "On twins.")
        self.app.include_router(command_routes(commands, COMMANDS["scheduling"], {}))
        self.app.include_router(projection_routes(self.store, LISTED, kept=DOMAIN.documents))
        answering = Answering(commands, Foresight(DOMAIN, self.store), clock)
        self.app.include_router(link_routes(LINK_PAGES, LinkVerifier(PUBLIC_KEY), answering))
        self._scraped()

    def _scraped(self) -> None:
        programme = Programme(MEASURES)
        metrics = self.stepper.ports.metrics
        metrics.registry.register(programme)

        async def nothing_waits() -> dict[tuple[str, int], int]:
            return {}

        owned = lambda: self.stepper.owned  # noqa: E731
        self.scrape = Scrape(metrics, programme, self.store, owned, nothing_waits)

    def client(self) -> httpx.AsyncClient:
        app: FastAPI = self.app
        return httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://here")

    async def heard(self, *events: Any) -> None:
        """Matching publishes events, and the service handles them."""
        for event in events:
            self.world.publish(event)
        await self.world.run(self.stepper)

    async def listed(self, client: httpx.AsyncClient, what: str) -> Sequence[dict[str, Any]]:
        answer = await client.get(f"/cohorts/{COHORT}/{what}")
        items: Sequence[dict[str, Any]] = answer.json()["items"]
        return items


@pytest.fixture
async def scheduling() -> Scheduling:
    service = Scheduling()
    await service.start()
    return service


def confirm(side: str) -> dict[str, str]:
    return {"cohort_id": COHORT, "session_id": SESSION, "by": side}


async def test_what_a_check_speaks_against_is_refused_and_not_sent(scheduling: Scheduling) -> None:
    async def never(*_: object) -> Refusal | None:
        return Refusal("conflict", "never", "It never is.")

    topic = CommandTopic("scheduling", scheduling.log, Clock(1.0, NOW, NOW), PARTITIONS)
    effects = Effects("scheduling", scheduling.store)
    commands = Commands(topic, effects, checks={ConfirmSession: never})
    before = sum(map(len, scheduling.log.records.values()))
    with pytest.raises(Problem) as no:
        await commands.send(ConfirmSession.model_validate(confirm("mentor")))
    assert (no.value.status, no.value.body["rule"]) == (409, "never")
    assert sum(map(len, scheduling.log.records.values())) == before


async def test_a_command_goes_in_by_http_and_its_projection_comes_out(
    scheduling: Scheduling,
) -> None:
    await scheduling.heard(opened(), formed())
    async with scheduling.client() as client:
        [before] = await scheduling.listed(client, f"sessions?pair_id={PAIR}&state=planned&limit=1")
        for side in ("mentor", "manager"):
            answer = await client.post("/commands/ConfirmSession?wait=5", json=confirm(side))
            assert (answer.status_code, answer.json()["done"]) == (200, True)
        [after] = await scheduling.listed(client, "sessions?state=confirmed")
        overview = (await client.get(f"/cohorts/{COHORT}")).json()

    assert before["id"] == after["id"] == SESSION
    assert sum(overview["sessions"].values()) == 5
    assert overview["sessions"]["confirmed"] == 1
    assert types(scheduling.world.written()).count("SessionConfirmed") == 2


async def test_a_refusal_is_the_answer_and_stays_to_be_read(scheduling: Scheduling) -> None:
    async with scheduling.client() as client:
        answer = await client.post("/commands/ConfirmSession?wait=5", json=confirm("mentor"))
        refused = answer.json()
        again = await client.get(f"/refusals/{COHORT}/{refused['command_id']}")

    assert (answer.status_code, again.status_code) == (refused["status"], 200)
    assert 400 <= answer.status_code < 500
    assert again.json()["rule"] == refused["rule"]


async def test_the_page_behind_a_link_acts_when_it_is_sent(scheduling: Scheduling) -> None:
    await scheduling.heard(opened(), formed())
    link = Link(
        purpose="session", cohort_id=COHORT, person_id="m-1", side="mentor", id=SESSION, attempt=1
    )
    token = LinkSigner(PRIVATE_KEY).sign(link, NOW + timedelta(days=1))
    async with scheduling.client() as client:
        shown = await client.get(f"/links/{token}", headers={"accept": "text/html"})
        answer = await client.post(f"/links/{token}", json={"answer": "confirm"})
        [session] = await scheduling.listed(client, "sessions?limit=1")

    assert "1 sur 5" in shown.text
    assert (answer.status_code, answer.json()["done"]) == (200, True)
    assert session["confirmed_by"] == ["mentor"]


async def test_what_is_due_is_decided_on_and_counted_for_whoever_scrapes(
    scheduling: Scheduling,
) -> None:
    await scheduling.heard(opened(), formed())
    # when the first session has passed, and the time to say that it took place has too
    for days in (10, 15):
        scheduling.world.hand.pass_by(days=days)
        while await scheduling.stepper.decide_due():
            pass

    async with scheduling.client() as client:
        [ended] = await scheduling.listed(client, "outcomes")
    scraped = (await scheduling.scrape.text()).decode()

    assert ended["pair_id"] == PAIR
    labels = f'cohort="{COHORT}",outcome="{ended["outcome"]}"'
    assert f"mentoring_sessions{{{labels}}} 1.0" in scraped
