"""What operators do to the platform: people in, rounds, and access to broker and databases.

Always holds: people and rounds go in as commands through HTTP, like everybody's; no message of
this module shows a name, an e-mail address, a token or the address of a database.
"""

import asyncio
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeVar

import httpx
from pydantic import TypeAdapter, ValidationError

from deploy.operating.console import BadInput
from deploy.operating.reach import OperationFailed
from deploy.operating.rosters import Roster
from schemas.base import CohortId, Command
from schemas.matching import OpenCohort, RunRound
from schemas.topics import Service

T = TypeVar("T")

WAIT = 20  # seconds that a service may take to show what came of a command
PATIENCE = 30.0  # seconds that a service may be away
CONCURRENCY = 24
PAGE = 1000


# --- through HTTP -----------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class CommandOutcome:
    """What came of a command: done, refused by `rule`, or (neither) not yet known.

    `unknown`: it was refused because what it names is not known.
    """

    done: bool
    rule: str | None = None
    detail: str = ""
    unknown: bool = False


class Platform:
    """The services' HTTP. `urls` are of the services that are spoken with."""

    def __init__(self, urls: Mapping[Service, str], token: str | None) -> None:
        for service, url in urls.items():
            if not url.startswith(("http://", "https://")):
                raise BadInput(f"--{service}: {url!r} does not begin with http:// or https://")
        self.urls = {service: url.rstrip("/") for service, url in urls.items()}
        self._client = httpx.AsyncClient(
            timeout=WAIT + 20,
            limits=httpx.Limits(max_connections=CONCURRENCY),
            headers={"authorization": f"Bearer {token}"} if token else {},
        )

    async def __aenter__(self) -> "Platform":
        """A wrong address shows now; later on, a service that is away is waited for."""
        try:
            for service, url in self.urls.items():
                try:
                    response = await self._client.get(f"{url}/health/live", timeout=10)
                except (httpx.HTTPError, httpx.InvalidURL) as error:
                    raise OperationFailed(
                        f"{service} does not answer at {url}: {error or type(error).__name__}"
                    ) from None
                if response.status_code == httpx.codes.NOT_FOUND:
                    raise OperationFailed(f"there is no service at {url}")
        except BaseException:
            await self._client.aclose()
            raise
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._client.aclose()

    async def send(self, service: Service, command: Command) -> CommandOutcome:
        """Send a command and wait for what comes of it. Sending it again does no harm."""
        path = f"/commands/{type(command).__name__}"
        body = command.model_dump_json()
        response = await self._patiently(service, "POST", path, {"wait": str(WAIT)}, body)
        if response.is_success:
            return CommandOutcome(done=bool(response.json()["done"]))
        problem = _problem(response)
        if "rule" in problem:
            unknown = response.status_code == httpx.codes.NOT_FOUND
            return CommandOutcome(False, str(problem["rule"]), str(problem["title"]), unknown)
        title = problem.get("title", f"status {response.status_code}")
        raise OperationFailed(f"{service} does not take {type(command).__name__}: {title}")

    async def listing(self, service: Service, path: str, **query: str) -> list[dict[str, Any]]:
        """Every document of a projection, page by page."""
        found: list[dict[str, Any]] = []
        while True:
            after = {"after": found[-1]["id"]} if found else {}
            params = {**query, **after, "limit": str(PAGE)}
            response = await self._patiently(service, "GET", path, params)
            if not response.is_success:
                title = _problem(response).get("title", f"status {response.status_code}")
                raise OperationFailed(f"{service}: {title}")
            items: list[dict[str, Any]] = response.json()["items"]
            found += items
            if len(items) < PAGE:
                return found

    async def _patiently(
        self, service: Service, method: str, path: str, query: Mapping[str, str], body: str = ""
    ) -> httpx.Response:
        url = self.urls[service] + path
        headers = {"content-type": "application/json"} if body else {}
        deadline, pause = time.monotonic() + PATIENCE, 0.1
        while True:
            try:
                response = await self._client.request(
                    method, url, params=query, content=body or None, headers=headers
                )
            except httpx.TransportError as error:
                why = type(error).__name__
            else:
                if response.status_code in (401, 403):
                    raise BadInput(f"{service} does not accept the token (--token)")
                if response.status_code < 500:
                    return response
                why = f"status {response.status_code}"
            if time.monotonic() > deadline:
                raise OperationFailed(f"{service} does not answer any more: {why}")
            await asyncio.sleep(pause)
            pause = min(pause * 2, 2.0)


def _problem(response: httpx.Response) -> dict[str, Any]:
    try:
        found = response.json()
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}


def checked_id(option: str, value: str) -> str:
    """The value of an option that is an id of a cohort, a person or a round."""
    try:
        return TypeAdapter(CohortId).validate_python(value)
    except ValidationError:
        raise BadInput(
            f"{option}: {value!r} is no id: a letter or digit, then at most 47 letters, digits, "
            f"'.', '_' or '-'"
        ) from None


@dataclass(slots=True)
class Entered:
    """What became of a roster. `unconfirmed` were sent, and nothing was seen of them in time."""

    contacts: int = 0
    mentors: int = 0
    managers: int = 0
    unconfirmed: int = 0
    refused: list[dict[str, str]] = field(default_factory=list)

    @property
    def clean(self) -> bool:
        return not (self.unconfirmed or self.refused)

    @property
    def rules(self) -> dict[str, int]:
        """Rule to how often it said no."""
        return dict(Counter(refusal["rule"] for refusal in self.refused).most_common())


async def enter(
    platform: Platform, roster: Roster, opening: OpenCohort | None, advance: Callable[[], None]
) -> Entered:
    """Open the cohort, then send every contact, then everybody who takes part.

    `advance` is called after each person. Raises OperationFailed when the cohort is not opened.
    """
    entered = Entered()
    if opening is not None:
        outcome = await platform.send("matching", opening)
        if not outcome.done:
            why = outcome.detail or "nothing was seen of it in time"
            raise OperationFailed(f"the cohort was not opened, nobody was sent: {why}")

    async def send(service: Service, command: Command, group: str) -> None:
        outcome = await platform.send(service, command)
        if outcome.done:
            setattr(entered, group, getattr(entered, group) + 1)
        elif outcome.rule is None:
            entered.unconfirmed += 1
        else:
            refusal = {"person": command.subject, "command": type(command).__name__}
            entered.refused.append({**refusal, "rule": outcome.rule, "detail": outcome.detail})
        advance()

    # Contacts first: a letter to somebody without one waits for hours.
    await _each(roster.contacts, lambda contact: send("notify", contact, "contacts"))
    people: list[tuple[Command, str]] = [
        *((mentor, "mentors") for mentor in roster.mentors),
        *((manager, "managers") for manager in roster.managers),
    ]
    await _each(people, lambda item: send("matching", *item))
    return entered


async def _each(items: Iterable[T], work: Callable[[T], Awaitable[None]]) -> None:
    """Some at a time."""
    waiting = iter(items)

    async def worker() -> None:
        for item in waiting:
            await work(item)

    async with asyncio.TaskGroup() as tasks:
        for _ in range(CONCURRENCY):
            tasks.create_task(worker())


async def run_round(platform: Platform, command: RunRound) -> dict[str, Any]:
    """Run a round and wait for it: `{round, pairs}`. One that has run already is only shown."""
    outcome = await platform.send("matching", command)
    if outcome.rule is not None:
        error = BadInput if outcome.unknown else OperationFailed
        raise error(outcome.detail)
    cohort, round_id = f"/cohorts/{command.cohort_id}", command.round_id
    wanted = ("completed",) if command.mode == "publish" else ("completed", "simulated")
    deadline = time.monotonic() + PATIENCE
    while True:
        rounds = await platform.listing("matching", f"{cohort}/rounds")
        done = next((r for r in rounds if r["id"] == round_id and r["state"] in wanted), None)
        if done is not None:
            break
        if time.monotonic() > deadline:
            raise OperationFailed("the round was sent, and has not ended in time; ask again later")
        await asyncio.sleep(0.5)
    if done["state"] == "simulated":
        parts = await platform.listing("matching", f"{cohort}/simulations", round_id=round_id)
        pairs = [{**pair, "state": "simulated"} for part in parts for pair in part["pairs"]]
    else:
        pairs = await platform.listing("matching", f"{cohort}/pairs", round_id=round_id)
    return {"round": done, "pairs": sorted(pairs, key=lambda pair: -pair["score"])}


# --- broker and databases ---------------------------------------------------------------------
