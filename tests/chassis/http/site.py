"""A service's HTTP without a socket, for tests: what it is given, and what came of it."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import httpx
from fastapi import FastAPI

from schemas.base import Command, parent_pair
from schemas.envelope import Record
from schemas.scheduling import ConfirmSession
from schemas.topics import PEOPLE
from services.chassis.domain import State
from services.chassis.http.answering import Answering
from services.chassis.http.forms import About, Choice, Form, Option, Text
from services.chassis.http.identity import Principal
from services.chassis.http.links import Link, LinkSigner, generate_keys
from services.chassis.http.problems import Problem
from services.chassis.log.memory import MemoryLog
from services.chassis.step.stepper import Stepper
from services.chassis.watch.metrics import Metrics
from tests.chassis.toy import (
    COMMANDS as TOPIC,
)
from tests.chassis.toy import (
    NOW,
    Tally,
    World,
)

TOKEN = "a token of more than sixteen characters"
OLD_TOKEN = "the token of before, while it is being changed"
HSTS = 3600
NARROW = {
    f"the token of {name}": Principal("api_key", name, roles, cohorts)
    for name, roles, cohorts in (
        ("coordinator-c", ("coordinator",), frozenset({"c"})),
        ("coordinator-d", ("coordinator",), frozenset({"d"})),
        ("operator", ("operator",), None),
        ("participant", ("participant",), None),
        ("both", ("participant", "coordinator"), frozenset({"c"})),
        ("machine-c", ("machine",), frozenset({"c"})),
    )
}
"""Tokens for some roles and cohorts."""
PRIVATE_KEY, PUBLIC_KEY = generate_keys()
SIGNER = LinkSigner(PRIVATE_KEY)
CONFIRM = "/commands/ConfirmSession"
BODY = {"cohort_id": "c", "session_id": "m~g~1", "by": "mentor"}


class WorkedOnAtOnce(MemoryLog):
    """A log whose reader is so quick that a command has been handled when it has been sent."""

    stepper: Stepper | None = None

    async def send(self, record: Record) -> int:
        offset = await super().send(record)
        if self.stepper is not None:
            await self.stepper.handle([self.records[record.topic, record.partition][offset]])
        return offset


@dataclass
class Site:
    """The service's HTTP, with what is behind it."""

    world: World
    log: WorkedOnAtOnce
    app: FastAPI
    metrics: Metrics
    answering: Answering

    def client(self, token: str | None = TOKEN, accept: str = "*/*") -> httpx.AsyncClient:
        headers = {"accept": accept}
        if token is not None:
            headers["authorization"] = f"Bearer {token}"
        transport = httpx.ASGITransport(self.app, raise_app_exceptions=False)
        return httpx.AsyncClient(transport=transport, base_url="http://here", headers=headers)

    @property
    def sent(self) -> list[Any]:
        """What lies in the log of commands and contacts."""
        return [
            row
            for (topic, _), rows in self.log.records.items()
            if topic in (TOPIC, PEOPLE)
            for row in rows
        ]


def link_form(*_: object) -> Form:
    options = (Option("yes", Text("Oui", "Yes")), Option("no", Text("Non <b>", "No")))
    return Form(
        Text("Une question", "A question"),
        (Choice("answer", Text("Où et quand ?", "Where and when?"), options),),
        hint=Text("Répondez à ce que vous voulez.", "Answer what you like."),
    )


def link_about(state: State, link: Link) -> About:
    """How often the two have met."""
    tally = state.get(Tally, link.cohort_id, parent_pair(link.id))
    met = str(tally.count) if tally else ""
    return About([(Text("Rencontres", "Meetings"), Text(met, met))] if met else ())


def link_command(link: Link, answers: Mapping[str, str], _: str) -> Command:
    if answers.get("answer") not in ("yes", "no"):
        raise Problem(422, "answer: it is yes or no")
    data = {"cohort_id": link.cohort_id, "session_id": link.id, "by": link.side}
    if answers["answer"] == "no":
        data["by"] = answers.get("by", "nobody")
    return ConfirmSession.model_validate(data)


def problem(answer: httpx.Response, status: int) -> dict[str, Any]:
    """The problem document of an answer."""
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    found: dict[str, Any] = answer.json()
    assert found["status"] == status
    return found


def token(expires_at: datetime = NOW + timedelta(days=1), **changes: Any) -> str:
    link = Link(purpose="session", cohort_id="c", person_id="m", side="mentor", id="m~g~1")
    return SIGNER.sign(link.model_copy(update=changes), expires_at)
