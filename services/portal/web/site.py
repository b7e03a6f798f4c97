"""What every page stands on: what the portal shows, keeps and sends, and who visits.

Always holds: a visit sees the hour once, so one page tells one time.
"""

import asyncio
import secrets
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta

from schemas.actors import of_address
from schemas.appointments import GIVEN_ROLES
from schemas.retention import DRAFT_DAYS
from schemas.topics import PARTITIONS, partition_of
from services.chassis.clock import Clock
from services.chassis.http.pressure import Room
from services.chassis.http.rates import Rates
from services.chassis.store.contract import Projections, Row, Where
from services.chassis.store.kept import Kept
from services.portal.owners import digest, owner_in
from services.portal.views import Cohort, HeldRole, Participant
from services.portal.web.engine import Engine
from services.portal.web.look import Look
from services.portal.web.mailing import Mailing
from services.portal.web.provider import IdentityProvider
from services.portal.web.sessions import Sessions

SHOWN_WITHIN = 4.0
"""Seconds that a page waits for the portal's own documents to show what was done."""
DRAFT, DRAFT_LASTS = "draft", timedelta(days=DRAFT_DAYS)
MANY_COHORTS = 500
MANY_LISTENERS = 200
"""Pages of one process that are told of news; more show it when they are loaded."""


VISIT, SESSION, LANGUAGE = "visite", "session", "langue"
"""Cookies; where the portal is reached by https, the first two are `__Host-`."""


class NotHere(Exception):
    """There is no such page, or not for this visitor, who is not told which."""


@dataclass(frozen=True, slots=True)
class Partnership:
    """Somebody coordinates the people of some organisations, in these cohorts; None: in all."""

    address: str
    organisations: frozenset[str]
    cohorts: frozenset[str] | None = None


@dataclass(frozen=True, slots=True)
class Rules:
    """Who coordinates which cohorts (None: all), and which addresses may sign in (`*`: all).

    `by_link`: whether a link is sent to them for it.
    `partners`: who coordinates the people of organisations, whatever else they are.
    """

    coordinators: Mapping[str, frozenset[str] | None]
    domains: frozenset[str]
    by_link: bool = True
    partners: tuple[Partnership, ...] = ()

    def is_partner(self, address: str) -> bool:
        """Whether somebody coordinates an organisation anywhere."""
        return any(one.address == address for one in self.partners)

    def organisations(self, address: str, cohort_id: str) -> frozenset[str]:
        """The organisations whose people somebody coordinates in a cohort."""
        theirs = (one for one in self.partners if one.address == address)
        there = (one for one in theirs if one.cohorts is None or cohort_id in one.cohorts)
        return frozenset().union(*(one.organisations for one in there))

    def may_sign_in(self, address: str) -> bool:
        """Whether settings let whoever has this address (small letters) sign in."""
        domain = address.rpartition("@")[2]
        known = "*" in self.domains or domain in self.domains
        return known or address in self.coordinators or self.is_partner(address)


@dataclass(frozen=True, slots=True)
class Site:
    """The portal's parts, for its pages.

    `url`: its own address as people see it; `secret`: what pseudonyms are made with; `rates`: how
    often somebody may ask; `provider`: at which people sign in, if at any; `look`: how pages look.
    `listening`: the pages that are told of news, each for `listen_seconds` before it asks again.
    """

    store: Projections
    kept: Kept
    clock: Clock
    engine: Engine
    mailing: Mailing
    sessions: Sessions
    rules: Rules
    url: str
    secret: str
    contact: str | None = None
    rates: Rates = field(default_factory=Rates)
    provider: IdentityProvider | None = None
    look: Look = field(default_factory=Look)
    partitions: int = PARTITIONS
    listen_seconds: float = 25.0
    listening: Room = field(default_factory=lambda: Room(MANY_LISTENERS))

    async def mark(self, cohort_id: str) -> str:
        """How far the portal has come with what a programme's pages are made of. Only whether it is
        another one says anything. Raises `NoAnswer`."""
        partition = partition_of(cohort_id, self.partitions)
        found = await self.store.positions([partition])
        return digest(f"{partition}/{sorted(found.items())}")[:16]

    def pseudonym(self, address: str) -> str:
        """By what somebody who coordinates is known to others."""
        return of_address(address, self.secret)

    async def given(self, address: str) -> list[HeldRole]:
        """The roles that somebody was given, in whatever cohort. Raises `NoAnswer`."""
        mine = Where(equal={"holder": self.pseudonym(address)})
        return await self.store.page(HeldRole, mine, MANY_COHORTS * len(GIVEN_ROLES))

    async def may_sign_in(self, address: str) -> bool:
        """Whether whoever has this address (small letters) may sign in. Raises `NoAnswer`."""
        return self.rules.may_sign_in(address) or bool(await self.given(address))

    @property
    def secure(self) -> bool:
        """Whether people reach the portal by https."""
        return self.url.startswith("https://")

    def cookie(self, name: str) -> str:
        """The name of a cookie that is for this very host."""
        return f"__Host-{name}" if self.secure else name

    async def person_id(self, cohort_id: str, address: str) -> str:
        """The id of whoever has this address in a cohort: the known one, or a new one that stays.

        By chance, for ids are public, and addresses could be guessed from anything made of them.
        """
        address = address.casefold()
        where = Where(cohort_id, {"address": address})
        known = await self.store.page(Participant, where, 1)
        if known:
            return known[0].id
        chosen = {"id": f"p-{secrets.token_hex(6)}"}
        now = self.sessions.now()
        key, until = owner_in(cohort_id, address), now + timedelta(days=30)
        found = await self.kept.settle("person", key, chosen, until, now, key)
        return str(found["id"])

    async def forget_person(self, cohort_id: str, address: str) -> None:
        """Forget which id an address was given: whoever was erased comes back as somebody new."""
        await self.kept.forget("person", owner_in(cohort_id, address))

    async def cohort(self, cohort_id: str) -> Cohort:
        """A cohort. Raises `NotHere`."""
        found = await self.store.one(Cohort, cohort_id, cohort_id)
        if found is None:
            raise NotHere
        return found

    async def cohorts(self) -> list[Cohort]:
        """All cohorts, by name."""
        found = await self.store.page(Cohort, limit=MANY_COHORTS)
        return sorted(found, key=lambda cohort: cohort.name.casefold())

    async def open_cohorts(self) -> list[Cohort]:
        """Those that somebody can still join, by name."""
        return [cohort for cohort in await self.cohorts() if not cohort.closed]

    async def people(self, cohort_id: str, ids: Sequence[str]) -> dict[str, Participant]:
        """These people, by id."""
        found = await self.store.several(Participant, cohort_id, set(ids))
        return {person.id: person for person in found}

    async def shown(self, holds: Callable[[], Awaitable[bool]]) -> bool:
        """Whether this comes to be shown, within a few seconds."""
        deadline, pause = time.monotonic() + SHOWN_WITHIN, 0.02
        while not await holds():
            if time.monotonic() > deadline:
                return False
            await asyncio.sleep(pause)
            pause = min(pause * 1.5, 0.3)
        return True

    async def keep_draft(self, value: Row, address: str = "") -> str:
        """Keep a half-filled form of an address for a day; the token by which it is found."""
        token, until = secrets.token_urlsafe(24), self.sessions.now() + DRAFT_LASTS
        await self.kept.put(DRAFT, digest(token), value, until, address.casefold())
        return token

    async def draft(self, token: str) -> Row | None:
        """A form that was kept."""
        return await self.kept.get(DRAFT, digest(token), self.sessions.now())

    async def drop_draft(self, token: str) -> None:
        """Forget a form."""
        await self.kept.forget(DRAFT, digest(token))
