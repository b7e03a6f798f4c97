"""One request to the portal: who asks, in which language, and what they sent."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any, ClassVar
from urllib.parse import urlencode

from fastapi import Request
from pydantic_core import to_json
from starlette.datastructures import FormData

from schemas.actors import Actor, Via
from schemas.base import Command
from schemas.roles import Role
from schemas.text import visible
from schemas.values import Language
from services.chassis.http.problems import Problem
from services.chassis.http.rates import RULE as TOO_OFTEN
from services.chassis.http.rates import place_of
from services.chassis.store.contract import Projections, Row
from services.portal.views import HeldRole
from services.portal.web.engine import Outcome
from services.portal.web.entering import Entry
from services.portal.web.partners import Partnered
from services.portal.web.sessions import SignedIn
from services.portal.web.site import Site
from services.portal.web.wall import Wall, Walled

MOST_KEPT = 64 * 1024
"""Bytes of a form that is kept for somebody who is not known yet: the longest sheet has fewer."""
FOLLOWS = "suivre"
"""The cookie, and what stands behind the question mark, by which pages are left as they are."""


@dataclass(slots=True)
class Visit:
    """One request: who asks, in which language, what they sent.

    `token` is that of forms; `role`, the one in which the page is used; `given`, what roles the
    visitor was given, as it is now. `shown_at`: the address that shows this page, or the one above;
    "" where there is none. `half_filled`: what is put back into the forms of the page.
    `wall`: what stands between
    whoever coordinates and those who report to them; `partner`: what keeps to the people of the
    organisations that they coordinate.
    """

    PUT_BACK: ClassVar = "repris"
    """What stands behind the question mark of a page into whose forms something is put back."""

    request: Request
    entry: Entry
    language: Language
    token: str
    session: SignedIn | None = None
    role: Role = "participant"
    given: Sequence[HeldRole] = ()
    form: FormData = field(default_factory=FormData)
    wall: Wall | None = None
    partner: Partnered | None = None
    shown_at: str = "/"
    half_filled: Row | None = None
    site: Site = field(init=False)
    """The portal's parts, as the visitor sees them."""

    def __post_init__(self) -> None:
        self.site = self.entry.site

    def coordinate(self, role: Role) -> None:
        """From now on the page is one of coordinators, and stands before the wall."""
        self.role = role
        site = self.entry.site
        self.wall = Wall(site.store, self.address, site.secret)
        store: Projections = Walled(site.store, self.wall)
        if self._is_partner:
            store = self.partner = Partnered(store, self.organisations_in)
        self.site = replace(site, store=store)

    async def hidden(self, cohort_id: str) -> frozenset[str]:
        """Whom of a programme the visitor does not see."""
        behind = await self.wall.hidden(cohort_id) if self.wall else frozenset[str]()
        return behind | (await self.partner.others(cohort_id) if self.partner else frozenset())

    @property
    def follows(self) -> bool:
        """Whether pages show by themselves what has changed: unless the visitor stopped that."""
        return (self.query.get(FOLLOWS) or self.request.cookies.get(FOLLOWS)) != "non"

    async def follow(self, cohort_id: str) -> str:
        """Where a page about a programme hears of what is newer than it (`web/news.py`).

        "" for whoever would rather not. To be asked for before anything on the page is read.
        """
        if not self.follows or self.role == "partner":
            return ""  # that anything has happened to others is theirs
        side = "mon-espace" if self.role == "participant" else "coordonner"
        return f"/{side}/{cohort_id}/nouvelles?depuis={await self.site.mark(cohort_id)}"

    @property
    def address(self) -> str:
        """Who is signed in; "" for nobody."""
        return self.session.address if self.session else ""

    def _as(self, *roles: Role) -> frozenset[str] | None:
        """The programmes in which their provider says that the visitor has such a role."""
        session = self.session
        return session.cohorts if session and set(roles) & {*session.roles} else frozenset()

    def _given(self, *roles: Role) -> frozenset[str]:
        """The programmes in which the visitor was given such a role."""
        return frozenset(one.cohort_id for one in self.given if one.role in roles)

    @property
    def _coordinated(self) -> frozenset[str] | None:
        """The programmes that the visitor coordinates, wherever they have it from; None: all."""
        by_settings = self.site.rules.coordinators.get(self.address, frozenset())
        by_provider = self._as("coordinator", "administrator")
        if by_settings is None or by_provider is None:
            return None
        return by_settings | by_provider | self._given("coordinator", "administrator")

    @property
    def coordinates(self) -> bool:
        """Whether a coordinator is signed in."""
        return self._coordinated is None or bool(self._coordinated)

    @property
    def answers_for_others(self) -> bool:
        """Whether who is signed in coordinates a programme, or an organisation."""
        return self.coordinates or self._is_partner

    def organisations_in(self, cohort_id: str) -> frozenset[str] | None:
        """The organisations of whose people alone the visitor is told here; None: of everybody."""
        if self.coordinates_in(cohort_id):
            return None
        here = [one for one in self.given if one.cohort_id == cohort_id]
        given = frozenset().union(*(one.organisations for one in here if one.role == "partner"))
        known = self.site.rules.organisations(self.address, cohort_id) | given
        there, session = self._as("partner"), self.session
        if session is None or (there is not None and cohort_id not in there):
            return known
        return known | session.organisations

    @property
    def _is_partner(self) -> bool:
        """Whether who is signed in coordinates an organisation, in whatever programme."""
        there = self._as("partner")  # None: everywhere
        by_provider = self.session and self.session.organisations and (there is None or there)
        return (
            bool(by_provider)
            or self.site.rules.is_partner(self.address)
            or bool(self._given("partner"))
        )

    @property
    def administers(self) -> bool:
        """Whether who is signed in administers every programme, and so opens them."""
        by_settings = self.site.rules.coordinators.get(self.address, frozenset())
        return None in (by_settings, self._as("administrator"))

    @property
    def administered(self) -> frozenset[str] | None:
        """The programmes that the visitor administers, wherever they have it from; None: all."""
        if self.administers:
            return None
        return (self._as("administrator") or frozenset()) | self._given("administrator")

    @property
    def audited(self) -> frozenset[str] | None:
        """The programmes that the visitor audits, wherever they have it from; None: all."""
        by_provider = self._as("auditor")
        return None if by_provider is None else by_provider | self._given("auditor")

    def audits_in(self, cohort_id: str) -> bool:
        """Whether who is signed in audits this programme."""
        return self.audited is None or cohort_id in self.audited

    def administers_in(self, cohort_id: str) -> bool:
        """Whether who is signed in administers this programme."""
        return self.administered is None or cohort_id in self.administered

    def coordinates_in(self, cohort_id: str) -> bool:
        """Whether who is signed in coordinates this programme."""
        mine = self._coordinated
        return mine is None or cohort_id in mine

    @property
    def place(self) -> str:
        """From where they ask, as strangers are counted."""
        client = self.request.client
        return place_of(client.host if client else "")

    async def keep(self, typed: Row, address: str = "") -> str | None:
        """Keep a half-filled form for a day: its token.

        `address`: whose it is; of whoever is not signed in, the one that they have typed. For them
        it is None of more than anybody types, and raises `Problem` 429 where too many come from one
        place.
        """
        if self.session is None:
            if len(to_json(typed)) > MOST_KEPT:
                return None
            if not await self.site.sessions.may_leave(self.place):
                title = "too many half-filled forms are kept"
                raise Problem(429, title, rule=TOO_OFTEN, retry_after=60)
        return await self.site.keep_draft(typed, address)

    @property
    def path(self) -> Mapping[str, Any]:
        """What the address of the page names."""
        return self.request.path_params

    @property
    def query(self) -> Mapping[str, str]:
        """What stands behind the question mark."""
        return self.request.query_params

    @property
    def now(self) -> datetime:
        """The programme's time."""
        return self.site.clock.now()

    def again(self, **other: str) -> str:
        """The address of this page once more, where this is other than in its query.

        Of one that is not there nothing is kept: what was asked for is not said again.
        """
        if not self.shown_at:
            return f"?{urlencode(other)}"
        left_out = {*other, self.PUT_BACK} if "langue" in other else {*other}
        pairs = self.request.query_params.multi_items()
        kept = [(k, v) for k, v in pairs if k not in left_out]
        return f"{self.shown_at}?{urlencode([*kept, *other.items()])}"

    @property
    def in_other_language(self) -> str:
        """The address of this page in the other language."""
        return self.again(langue="en" if self.language == "fr" else "fr")

    def say(self, fr: str, en: str) -> str:
        """In the visitor's language."""
        return fr if self.language == "fr" else en

    def typed(self, name: str) -> str:
        """What was typed into a field, as far as anybody sees it; "" for nothing."""
        value = self.form.get(name, "")
        return visible(value).strip() if isinstance(value, str) else ""

    def ticked(self, name: str) -> list[str]:
        """What was ticked under a name."""
        return [value for value in self.form.getlist(name) if isinstance(value, str)]

    async def send(self, command: Command) -> Outcome:
        """Send a command. Raises `Away`."""
        return await self.site.engine.send(command, await self.actor(command.cohort_id))

    async def actor(self, cohort_id: str, via: Via = "portal") -> Actor:
        """Who asks, by an id: theirs in the cohort; a pseudonym, of whoever coordinates."""
        if self.role == "participant":
            person_id = await self.site.person_id(cohort_id, self.address)
            return Actor("app_user", person_id, self.role, via)
        return Actor("user", self.site.pseudonym(self.address), self.role, via)
