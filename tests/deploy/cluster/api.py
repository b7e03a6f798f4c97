"""Speaking with an API server: objects as they are, and where each kind of them lives.

Always holds: what the server refuses, or warns of in a new object, is raised in its own words.
"""

import asyncio
import json
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from ssl import SSLContext
from typing import Any

import httpx

Object = dict[str, Any]
PATCHES = "application/merge-patch+json"
BUSY_TRIES = 60
"""How often it is asked where it says to come back, as of a kind that was just defined."""


class RefusedError(Exception):
    """The server does not accept a request; `status` is HTTP's."""

    def __init__(self, status: int, why: str) -> None:
        super().__init__(f"{status}: {why}")
        self.status = status


class Api:
    """One client of one server."""

    def __init__(self, client: httpx.AsyncClient) -> None:
        self._client = client
        self._kinds: dict[str, dict[str, Object]] = {}

    async def ask(self, method: str, path: str, body: object = None, **query: str) -> Object:
        kind = PATCHES if method == "PATCH" else "application/json"
        for _ in range(BUSY_TRIES):
            answer = await self._client.request(
                method,
                path,
                params=query,
                content=None if body is None else json.dumps(body),
                headers={"content-type": kind},
            )
            if answer.status_code != httpx.codes.TOO_MANY_REQUESTS:
                break
            await asyncio.sleep(float(answer.headers.get("retry-after", 1)))
        if not answer.is_success:
            raise RefusedError(answer.status_code, answer.text)
        warned = answer.headers.get("warning")
        if warned and method == "POST":
            raise RefusedError(answer.status_code, warned)
        found: Object = answer.json()
        return found

    async def get(self, path: str, **query: str) -> Object:
        return await self.ask("GET", path, **query)

    async def kinds(self, version: str) -> dict[str, Object]:
        """Resources of an apiVersion by kind; none if the server does not know it."""
        if version not in self._kinds:
            try:
                told = await self.get(f"/{'apis' if '/' in version else 'api'}/{version}")
            except RefusedError as error:
                if error.status != httpx.codes.NOT_FOUND:
                    raise
                return {}
            self._kinds[version] = {
                one["kind"]: one for one in told["resources"] if "/" not in one["name"]
            }
        return self._kinds[version]

    async def place(self, one: Object, namespace: str | None = None) -> str:
        """The path of all objects of the same kind (in the same namespace)."""
        version = one["apiVersion"]
        kind = (await self.kinds(version))[one["kind"]]
        root = f"/{'apis' if '/' in version else 'api'}/{version}"
        if kind["namespaced"]:
            where = namespace or one["metadata"]["namespace"]
            return f"{root}/namespaces/{where}/{kind['name']}"
        return f"{root}/{kind['name']}"

    async def create(self, one: Object, *, dry: bool = False) -> Object:
        """Every field has to be known; `dry`: only say what would come of it."""
        query = {"fieldValidation": "Strict", **({"dryRun": "All"} if dry else {})}
        return await self.ask("POST", await self.place(one), one, **query)

    async def patch(self, path: str, change: Mapping[str, Any]) -> Object:
        return await self.ask("PATCH", path, change)

    async def everything(self, namespace: str) -> set[tuple[str, str]]:
        """Kind and name of all that is in a namespace, but for what is only told of it."""
        versions = ["v1"]
        for group in (await self.get("/apis"))["groups"]:
            versions += [group["preferredVersion"]["groupVersion"]]
        found = set()
        for version in versions:
            for kind, resource in (await self.kinds(version)).items():
                if not resource["namespaced"] or "list" not in resource["verbs"] or kind == "Event":
                    continue
                one = {"apiVersion": version, "kind": kind}
                for each in (await self.get(await self.place(one, namespace)))["items"]:
                    found.add((kind, each["metadata"]["name"]))
        return found

    async def since(self, path: str, revision: str) -> list[tuple[str, Object]]:
        """What happened to the objects of a path after a revision: type and object, in order."""
        query = {"watch": "1", "resourceVersion": revision, "timeoutSeconds": "1"}
        async with self._client.stream("GET", path, params=query) as answer:
            answer.raise_for_status()
            told = [json.loads(line) async for line in answer.aiter_lines()]
        return [(one["type"], one["object"]) for one in told]


@asynccontextmanager
async def api(url: str, token: str, trusted: SSLContext) -> AsyncIterator[Api]:
    """A client with an account of its own."""
    headers = {"authorization": f"Bearer {token}"}
    async with httpx.AsyncClient(
        base_url=url, headers=headers, verify=trusted, timeout=30
    ) as client:
        yield Api(client)
