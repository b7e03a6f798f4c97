"""Commands to the services, by the HTTP that everybody uses, and what came of them.

Always holds: sending a command again does no harm (the services see to it); nothing of a command
is in a log, nor in what is raised.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

import httpx
from pydantic import TypeAdapter, ValidationError

from schemas.actors import Actor
from schemas.base import Command, Moment, Value
from schemas.people import PersonContact, PersonErased
from schemas.topics import COMMANDS, Service
from services.chassis.http.acts import Acts
from services.chassis.http.identity import ON_BEHALF, VIA

WAIT = 10
"""Seconds that a service may take to show what came of a command."""
LOOK = 2.0
"""Seconds after which a page goes on without what a service would have told."""

_SERVICE: dict[type[Command], Service] = {
    **{kind: service for service, kinds in COMMANDS.items() for kind in kinds},
    PersonContact: "notify",
    PersonErased: "notify",
}


@dataclass(frozen=True, slots=True)
class Outcome:
    """`done`, refused by `rule` (`detail`: the same as a sentence), or (neither) under way.

    `status`: that of the service's answer.
    """

    done: bool
    rule: str | None = None
    detail: str = ""
    status: int = 200


class _Offer(Value):
    starts_at: Moment
    ends_at: Moment


class _Offers(Value):
    slots: tuple[_Offer, ...]

    def pairs(self) -> list[tuple[datetime, datetime]]:
        return [(one.starts_at, one.ends_at) for one in self.slots]


_OFFERS = TypeAdapter(_Offers)


class Away(Exception):
    """A service does not answer, or has too much to do: nothing is known of the command."""


class Engine:
    """The services' HTTP. `urls`: service to address, without a slash at the end."""

    def __init__(
        self,
        urls: Mapping[Service, str],
        token: str | None,
        transport: httpx.AsyncBaseTransport | None = None,
    ) -> None:
        headers = {"authorization": f"Bearer {token}"} if token else {}
        self._urls = dict(urls)
        self._headers = headers
        self._transport = transport
        self._client: httpx.AsyncClient | None = None

    async def send(self, command: Command, actor: Actor) -> Outcome:
        """Send a command for somebody, and see what comes of it. Raises `Away`."""
        service = _SERVICE[type(command)]
        url = f"{self._urls[service]}/commands/{type(command).__name__}"
        body = command.model_dump_json(exclude_none=True)
        heads = {ON_BEHALF: f"{actor.role} {actor.id}", VIA: actor.via}
        try:
            answer = await self._opened().post(
                url, params={"wait": WAIT}, content=body, headers=heads
            )
        except httpx.HTTPError as error:
            raise Away(f"{service}: {type(error).__name__}") from None
        if answer.is_success:
            return Outcome(done=bool(answer.json()["done"]))
        problem = answer.json() if "json" in answer.headers.get("content-type", "") else {}
        rule = problem.get("rule")
        if rule is None and answer.status_code == httpx.codes.UNPROCESSABLE_ENTITY:
            rule = "not-valid"
        if rule is None:
            raise Away(f"{service}: status {answer.status_code}")
        title, status = str(problem.get("title", "")), answer.status_code
        return Outcome(done=False, rule=str(rule), detail=title, status=status)

    async def offers(self, cohort_id: str, session_id: str) -> list[tuple[datetime, datetime]]:
        """Begin and end of free hours that the two of a session have in common, soonest first.

        There are none where scheduling does not say so at once: a page is whole without them.
        """
        url = f"{self._urls['scheduling']}/cohorts/{cohort_id}/sessions/{session_id}/slots"
        try:
            answer = await self._opened().get(url, timeout=LOOK)
            return _OFFERS.validate_json(answer.content).pairs() if answer.is_success else []
        except (httpx.HTTPError, ValidationError):
            return []

    async def acts(self, service: Service, cohort_id: str, after: str, actor: Actor) -> Acts:
        """Some of who did what in a cohort, for somebody who audits it. Raises `Away`."""
        heads = {ON_BEHALF: f"{actor.role} {actor.id}", VIA: actor.via}
        url = f"{self._urls[service]}/cohorts/{cohort_id}/acts"
        try:
            answer = await self._opened().get(url, params={"after": after}, headers=heads)
            if not answer.is_success:  # somebody else is reading, for one
                raise Away(f"{service}: status {answer.status_code}")
            return Acts.model_validate_json(answer.content)
        except (httpx.HTTPError, ValidationError) as error:
            raise Away(f"{service}: {type(error).__name__}") from None

    def _opened(self) -> httpx.AsyncClient:
        """One client, made where there is a loop."""
        if self._client is None:
            self._client = httpx.AsyncClient(
                timeout=WAIT + 20,
                headers={**self._headers, "content-type": "application/json"},
                transport=self._transport,
            )
        return self._client

    async def close(self) -> None:
        """Let go of all connections."""
        if self._client is not None:
            await self._client.aclose()
