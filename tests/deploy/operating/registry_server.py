"""A Schema Registry in memory, as far as its HTTP API is used: what Confluent's answers, codes too.

https://docs.confluent.io/platform/current/schema-registry/develop/api.html
"""

import asyncio
import json
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import uvicorn
from jsoncompat import check_compat
from jsonschema import Draft202012Validator
from jsonschema.exceptions import SchemaError
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

MEDIA = "application/vnd.schemaregistry.v1+json"
LEVELS = {"NONE", "BACKWARD", "BACKWARD_TRANSITIVE", "FORWARD", "FORWARD_TRANSITIVE"}
LEVELS |= {"FULL", "FULL_TRANSITIVE"}


class Registry:
    """Subjects to the texts of their versions; the same text has the same id everywhere."""

    def __init__(self) -> None:
        self.subjects: dict[str, list[str]] = {}
        self.levels: dict[str, str] = {}
        self.ids: dict[str, int] = {}
        self.writes = 0
        self.application = Starlette(
            routes=[
                Route("/config/{subject}", self.level, methods=["GET"]),
                Route("/config/{subject}", self.set_level, methods=["PUT"]),
                Route("/subjects/{subject}", self.look_up, methods=["POST"]),
                Route("/subjects/{subject}/versions", self.register, methods=["POST"]),
            ]
        )

    async def level(self, request: Request) -> Response:
        subject = request.path_params["subject"]
        if subject not in self.levels:
            text = f"Subject '{subject}' does not have subject-level compatibility configured"
            return wrong(404, 40408, text)
        return right({"compatibilityLevel": self.levels[subject]})

    async def set_level(self, request: Request) -> Response:
        level = (await request.json())["compatibility"]
        if level not in LEVELS:
            return wrong(422, 42203, "Invalid compatibility level.")
        self.writes += 1
        self.levels[request.path_params["subject"]] = level
        return right({"compatibility": level})

    async def look_up(self, request: Request) -> Response:
        subject = request.path_params["subject"]
        text = await given(request)
        if subject not in self.subjects:
            return wrong(404, 40401, f"Subject '{subject}' not found.")
        if text not in self.subjects[subject]:
            return wrong(404, 40403, "Schema not found")
        return right({"subject": subject, "id": self.ids[text], "schema": text})

    async def register(self, request: Request) -> Response:
        subject = request.path_params["subject"]
        text = await given(request)
        try:
            Draft202012Validator.check_schema(json.loads(text))
        except (ValueError, SchemaError):
            return wrong(422, 42201, "Either the input schema or one its references is invalid")
        versions = self.subjects.setdefault(subject, [])
        if text not in versions:
            level = self.levels.get(subject, "BACKWARD")
            if not all(compatible(level, old, text) for old in versions):
                return wrong(409, 409, f"Schema being registered is incompatible\n{level}")
            self.writes += 1
            versions.append(text)
        return right({"id": self.ids.setdefault(text, len(self.ids) + 1)})


async def given(request: Request) -> str:
    body = await request.json()
    assert body["schemaType"] == "JSON"
    assert request.headers["content-type"] == MEDIA
    return str(body["schema"])


def compatible(level: str, old: str, new: str) -> bool:
    before, after = (
        json.dumps({key: value for key, value in json.loads(text).items() if key != "$id"})
        for text in (old, new)
    )
    forward = level.startswith(("FORWARD", "FULL"))
    backward = level.startswith(("BACKWARD", "FULL"))
    return (not forward or check_compat(before, after, "serializer")) and (
        not backward or check_compat(before, after, "deserializer")
    )


def right(document: Any) -> Response:
    return JSONResponse(document, media_type=MEDIA)


def wrong(status: int, code: int, message: str) -> Response:
    return JSONResponse({"error_code": code, "message": message}, status, media_type=MEDIA)


@asynccontextmanager
async def served(application: Any) -> AsyncIterator[str]:
    """An application on the loopback; its address."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        config = uvicorn.Config(application, log_level="error", lifespan="off")
        server = uvicorn.Server(config)
        task = asyncio.create_task(server.serve(sockets=[listening]))
        try:
            yield f"http://127.0.0.1:{listening.getsockname()[1]}"
        finally:
            server.should_exit = True
            await task
