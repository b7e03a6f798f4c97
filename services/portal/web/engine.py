"""Commands to the services, by the HTTP that everybody uses, and what came of them.

Always holds: sending a command again does no harm (the services see to it); nothing of a command
is in a log, nor in what is raised.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import httpx

from schemas.actors import Actor
from schemas.base import Command, Moment, Value
from schemas.people import PersonContact
from schemas.topics import COMMANDS, Service
from services.chassis.http.identity import ON_BEHALF, VIA

WAIT = 10
"""Seconds that a service may take to show what came of a command."""

_SERVICE: dict[type[Command], Service] = {
    **{kind: service for service, kinds in COMMANDS.items() for kind in kinds},
    PersonContact: "notify",
}


@dataclass(frozen=True, slots=True)
class Outcome:
    """`done`, refused by `rule` (`detail`: the same as a sentence), or (neither) under way."""

    done: bool
    rule: str | None = None
    detail: str = ""


class SentLetter(Value):
    """A letter as notify lists it: what it tells, and what became of it. No word of it is here."""

    template: str
    state: str
    owed_since: Moment


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
        return Outcome(done=False, rule=str(rule), detail=str(problem.get("title", "")))

    async def letters(self, cohort_id: str, person_id: str) -> Sequence[SentLetter] | None:
        """What was written to somebody, newest first; None while nobody can tell."""
        params = {"person_id": person_id, "limit": "200"}
        told = await self._told(f"/cohorts/{cohort_id}/letters", params)
        if told is None:
            return None
        found = [SentLetter.model_validate(item) for item in told.get("items", ())]
        return sorted(found, key=lambda letter: letter.owed_since, reverse=True)

    async def letters_by_state(self, cohort_id: str) -> Mapping[str, int] | None:
        """How many letters there are of a cohort; None while nobody can tell."""
        told = await self._told(f"/cohorts/{cohort_id}", {})
        return None if told is None else dict(told.get("letters", {}))

    async def _told(self, path: str, params: Mapping[str, str]) -> dict[str, Any] | None:
        """What notify shows; nothing of what it does not know yet, None if it is away."""
        try:
            url = f"{self._urls['notify']}{path}"
            answer = await self._opened().get(url, params=params, timeout=5)
            if answer.status_code == httpx.codes.NOT_FOUND:
                return {}
            return dict(answer.json()) if answer.is_success else None
        except (httpx.HTTPError, ValueError):
            return None

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
