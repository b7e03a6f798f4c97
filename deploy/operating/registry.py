"""Fills a Schema Registry that speaks Confluent's API with the published language.

A subject is `TOPIC-TYPE`, and TYPE is what a record's `ce_type` says, version included: a topic
carries several types, so a subject per topic would hold them all to one schema; and a new version
is one that breaks, so it has to be a subject of its own. From a record's topic and header alone a
reader finds its schema.

The compatibility level is the one under which additions pass: fields may be added to events, whose
readers ignore what they do not know (FORWARD), and to commands, which refuse it (BACKWARD). What a
registry does not see (a new required field in an event, a pattern) our own gate does.
"""

import json
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

import httpx

from deploy.errors import OperationFailed
from schemas.base import Message
from schemas.envelope import versioned_name
from schemas.gate.compatibility import released, schema_of
from schemas.gate.differences import Schema
from schemas.topics import Topic, named

MEDIA = "application/vnd.schemaregistry.v1+json"
PATIENCE = 20.0  # seconds for an answer
NOT_FOUND = 404


@dataclass(frozen=True, slots=True)
class Subject:
    """One schema in the registry."""

    name: str
    compatibility: str
    schema: Schema


def subjects(*, everything: bool, prefix: str = "") -> list[Subject]:
    """What belongs into a registry: of the public topics, or of all; older versions too.

    `prefix`: of the installation's topics, after which subjects are named.
    """
    older = released()
    return [
        Subject(f"{topic.name}-{versioned_name(kind.__name__, version)}", _level(topic), schema)
        for topic in named(prefix).values()
        if everything or topic.audience == "public"
        for kind in topic.types
        for version, schema in _versions(kind, older.get(kind.__name__, {}))
    ]


def _versions(kind: type[Message], older: dict[int, Schema]) -> Iterable[tuple[int, Schema]]:
    yield from ((n, schema) for n, schema in sorted(older.items()) if n < kind.version)
    yield kind.version, schema_of(kind)


def _level(topic: Topic) -> str:
    if topic.compacted:
        return "FULL_TRANSITIVE"
    return "BACKWARD_TRANSITIVE" if topic.name.endswith(".commands") else "FORWARD_TRANSITIVE"


async def publish(url: str, wanted: Iterable[Subject]) -> list[dict[str, Any]]:
    """Put every subject into the registry; what was there is left. Raises `OperationFailed`."""
    headers = {"content-type": MEDIA, "accept": MEDIA}
    try:
        async with httpx.AsyncClient(base_url=url, headers=headers, timeout=PATIENCE) as client:
            return [await _put(client, subject) for subject in wanted]
    except httpx.HTTPError as error:
        raise OperationFailed(f"the registry does not answer: {type(error).__name__}") from None


async def _put(client: httpx.AsyncClient, subject: Subject) -> dict[str, Any]:
    name = quote(subject.name, safe="")
    level = await _sent(client, "GET", f"config/{name}")
    if level is None or level.get("compatibilityLevel") != subject.compatibility:
        await _sent(client, "PUT", f"config/{name}", {"compatibility": subject.compatibility})
    text = json.dumps(subject.schema, sort_keys=True, ensure_ascii=False)
    body = {"schemaType": "JSON", "schema": text}
    found = await _sent(client, "POST", f"subjects/{name}", body)
    done = "there already"
    if found is None:
        found = await _sent(client, "POST", f"subjects/{name}/versions", body) or {}
        done = "registered"
    return {
        "subject": subject.name,
        "id": found.get("id"),
        "compatibility": subject.compatibility,
        "done": done,
    }


async def _sent(
    client: httpx.AsyncClient, method: str, path: str, body: dict[str, str] | None = None
) -> dict[str, Any] | None:
    """The registry's answer; None if there is no such thing."""
    response = await client.request(method, path, json=body)
    if response.status_code == NOT_FOUND and not path.endswith("/versions"):
        return None
    if response.is_error:
        raise OperationFailed(f"the registry refuses {path}: {_told(response)}")
    try:
        return dict(response.json())
    except (ValueError, TypeError):
        raise OperationFailed(f"the registry's answer to {path} is none of a registry") from None


def _told(response: httpx.Response) -> str:
    """What a refusal says, as one line."""
    try:
        message = str(response.json()["message"])
    except (ValueError, KeyError, TypeError):
        message = ""
    return f"{response.status_code} {' '.join(message.split())}"[:400].strip()
