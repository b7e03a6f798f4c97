"""The portal's pages over documents that were folded from what happened, and services by hand.

Always holds: what a page sends is in `sent`, and comes to what `rule` says, once `open_` is set.
"""

import asyncio
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from email.message import EmailMessage
from typing import Any

import httpx
from fastapi import FastAPI

from schemas.base import Message, read_message
from schemas.own import whose
from schemas.people import PersonErased
from schemas.topics import TYPES, partition_of
from services.chassis.clock import Clock
from services.chassis.http.application import create_app
from services.chassis.http.rates import Rates
from services.chassis.store.contract import Place
from services.chassis.store.kept import MemoryKept
from services.chassis.store.memory import MemoryStore
from services.portal.handlers import DOMAIN
from services.portal.pages import page_routes
from services.portal.web.engine import Engine
from services.portal.web.look import Look
from services.portal.web.mailing import Mailing
from services.portal.web.provider import IdentityProvider
from services.portal.web.sessions import Sessions
from services.portal.web.site import Partnership, Rules, Site
from tests.portal.browser import Person
from tests.scenario import NOW, Scenario

COORDINATOR = "coordination@ministere.example"
SECRET = "what pseudonyms are made with"
READ = "mentoring.matching.events"
OF_C, OF_OTHERS = "zoe.c@ministere.example", "yann.d@ministere.example"
"""Who coordinates every programme, `c` alone, another one alone."""
BANK = "Banque postale"
OF_THE_BANK = "claire.banque@ministere.example"
"""A partner, and who coordinates its people, in `c` alone."""


@dataclass
class Town:
    """A portal, its people, and what came of what they did."""

    now: datetime = NOW
    url: str = "http://portal.example"
    store: MemoryStore = field(default_factory=MemoryStore)
    kept: MemoryKept = field(default_factory=MemoryKept)
    sent: list[Message] = field(default_factory=list)
    behind: list[tuple[str, str]] = field(default_factory=list)
    mails: list[EmailMessage] = field(default_factory=list)
    rule: str | None = None
    listens: float = 0.0
    away: bool = False
    slots: list[tuple[datetime, datetime]] = field(default_factory=list)
    acts: dict[tuple[str, str], dict[str, Any]] = field(default_factory=dict)
    open_: asyncio.Event = field(default_factory=asyncio.Event)
    real: datetime = field(default_factory=lambda: datetime(2026, 11, 29, tzinfo=UTC))
    scenario: Scenario = field(default_factory=lambda: Scenario(DOMAIN))
    rates: Rates = field(default_factory=Rates)
    provider: IdentityProvider | None = None
    by_link: bool = True
    look: Look = field(default_factory=Look)

    def __post_init__(self) -> None:
        self.open_.set()
        clock = Clock(1.0, self.now, self.now, wall=self.now.timestamp)
        hours, minutes = timedelta(hours=12), timedelta(minutes=120)
        sessions = Sessions(self.kept, timedelta(minutes=30), minutes, hours, lambda: self.real)
        engine = Engine(
            {"matching": "http://m", "scheduling": "http://s", "notify": "http://n"},
            "token",
            httpx.MockTransport(self._answer),
        )
        coordinators = {COORDINATOR: None, OF_C: frozenset({"c"}), OF_OTHERS: frozenset({"d"})}
        partners = (Partnership(OF_THE_BANK, frozenset({BANK}), frozenset({"c"})),)
        known = frozenset({"ministere.example"})
        rules = Rules(coordinators, known, self.by_link, partners)
        mailing = Mailing("connecte@ministere.example", self._post)
        parts = (self.store, self.kept, clock, engine, mailing, sessions, rules)
        asked = {"rates": self.rates, "listen_seconds": self.listens, "provider": self.provider}
        asked["look"] = self.look
        self.site = Site(*parts, self.url, SECRET, **asked)  # type: ignore[arg-type]
        self.app: FastAPI = create_app("portal", "The portal.")
        self.app.include_router(page_routes(self.site))

    async def _answer(self, request: httpx.Request) -> httpx.Response:
        await self.open_.wait()
        if self.away:
            raise httpx.ConnectError("away")
        if request.url.path.endswith("/acts"):
            return self._acts(request)
        if request.method == "GET":
            told = [
                {"starts_at": f"{at:%FT%TZ}", "ends_at": f"{end:%FT%TZ}"} for at, end in self.slots
            ]
            return httpx.Response(200, json={"slots": told})
        if self.rule is not None:
            body = {"rule": self.rule, "title": "No.", "status": 409}
            heads = {"content-type": "application/problem+json"}
            return httpx.Response(409, json=body, headers=heads)
        assert request.headers["authorization"] == "Bearer token"
        kind = {**TYPES, "PersonErased": PersonErased}[request.url.path.rpartition("/")[2]]
        command = read_message(kind, request.content)
        self.sent.append(command)
        heads = request.headers
        role, _, who = heads["connecte-on-behalf-of"].partition(" ")
        assert role != "participant" or whose(command) == who, "nobody's own, or somebody else's"
        self.behind.append((heads["connecte-on-behalf-of"], heads["connecte-via"]))
        self.happens(*self.leads_to(command))
        return httpx.Response(200, json={"command_id": "c", "done": True})

    def _acts(self, request: httpx.Request) -> httpx.Response:
        """What a service (m, s or n) tells an auditor, from a spot on."""
        assert request.headers["connecte-on-behalf-of"].startswith("auditor s-")
        told = self.acts.get((request.url.host, request.url.params["after"]))
        return httpx.Response(200, json=told or {"items": [], "next": None})

    def leads_to(self, command: Any) -> Iterable[Message]:
        """What the portal learns of a command that was carried out, where a page waits for it."""
        from tests.portal.consequences import events_of  # noqa: PLC0415

        return events_of(command, self)

    def happens(self, *messages: Message) -> "Town":
        """The portal learns of these."""
        for message in messages:
            self.kept.forget_owners(list(DOMAIN.forgets(self.scenario.state, message)))
            changes = list(DOMAIN.evolve(self.scenario.state, message))
            self.scenario.state.apply(changes)
            self.store._write([(0, change) for change in changes])
            self._comes_past(message.cohort_id)
        return self

    def _comes_past(self, cohort_id: str) -> None:
        """The portal's step, as its place tells of it."""
        partition = partition_of(cohort_id, self.site.partitions)
        place = self.store.place.get(partition, Place(partition))
        position = place.positions.get(READ, 0) + 1
        self.store.place[partition] = replace(
            place, step=place.step + 1, positions={**place.positions, READ: position}
        )

    async def _post(self, message: EmailMessage) -> None:
        message["Delivered-To"] = message["To"]
        self.mails.append(message)

    def person(self, address: str = "") -> Person:
        transport = httpx.ASGITransport(self.app)
        # Its provider is asked over the network, as browsers do; no connection is kept.
        limits = httpx.Limits(max_keepalive_connections=0)
        others = (
            {self.provider.issuer: httpx.AsyncHTTPTransport(limits=limits)} if self.provider else {}
        )
        client = httpx.AsyncClient(transport=transport, base_url=self.url, mounts=others)
        return Person(client, address, lambda: self.mails)

    async def signed_in(self, address: str) -> Person:
        """Somebody who is signed in already."""
        person = self.person(address)
        token = await self.site.sessions.begin(address)
        name = "__Host-session" if self.site.secure else "session"
        person.client.cookies.set(name, token)
        return person
