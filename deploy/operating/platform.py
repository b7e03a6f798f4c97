"""The services' HTTP as operators speak with it: a command and what came of it, a projection.

Always holds: no message of this module shows a name, an e-mail address or a token.
"""

import asyncio
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import httpx

from deploy.errors import BadInput, OperationFailed
from schemas.actors import Via
from schemas.base import Command
from schemas.topics import Service
from services.chassis.addresses import a_token

WAIT = 20  # seconds that a service may take to show what came of a command
PATIENCE = 30.0  # seconds that a service may be away
CONCURRENCY = 24
VIA = "Connecte-Via"
PAGE = 1000


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
    """The services' HTTP. `urls` are of the services that are spoken with; `via`: through what."""

    def __init__(self, urls: Mapping[Service, str], token: str | None, via: Via = "api") -> None:
        for service, url in urls.items():
            _check(service, url)
        try:
            token = a_token(token or "")
        except ValueError as error:
            raise BadInput(f"the token (CONNECTE_HTTP_TOKEN): {error}") from None
        self.urls = {service: url.rstrip("/") for service, url in urls.items()}
        self._client = httpx.AsyncClient(
            timeout=WAIT + 20,
            limits=httpx.Limits(max_connections=CONCURRENCY),
            headers={VIA: via} | ({"authorization": f"Bearer {token}"} if token else {}),
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
        # Nothing is said of what nobody has given: a service that is older than this command does
        # not know every field, and refuses one that it does not know.
        body = command.model_dump_json(exclude_unset=True)
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

    async def found(self, service: Service, path: str) -> dict[str, Any] | None:
        """What a service has at an address; None where there is nothing."""
        response = await self._patiently(service, "GET", path, {})
        if response.status_code == httpx.codes.NOT_FOUND:
            return None
        if not response.is_success:
            title = _problem(response).get("title", f"status {response.status_code}")
            raise OperationFailed(f"{service}: {title}")
        answer: dict[str, Any] = response.json()
        return answer

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
                if response.status_code == httpx.codes.UNAUTHORIZED:
                    raise BadInput(f"{service} does not accept the token (--token)")
                if response.status_code == httpx.codes.FORBIDDEN:
                    title = _problem(response).get("title", "it may not be used for this")
                    raise BadInput(f"{service} refuses the token (--token): {title}")
                if response.status_code < 500:
                    return response
                why = f"status {response.status_code}"
            if time.monotonic() > deadline:
                raise OperationFailed(f"{service} does not answer any more: {why}")
            await asyncio.sleep(pause)
            pause = min(pause * 2, 2.0)


def _check(service: Service, url: str) -> None:
    """Raises `BadInput` for what is no address, whoever may be there."""
    if not url.startswith(("http://", "https://")):
        raise BadInput(f"--{service}: {url!r} does not begin with http:// or https://")
    try:
        host = httpx.URL(url).host
    except httpx.InvalidURL as error:
        raise BadInput(f"--{service}: {url!r} is no address: {error}") from None
    if not host:
        raise BadInput(f"--{service}: {url!r} names no host")


def _problem(response: httpx.Response) -> dict[str, Any]:
    try:
        found = response.json()
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}
