"""Custom resources as their definitions have them (`definitions/`, with whose they are)."""

import json
from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path
from typing import Any

import jsonschema

Object = dict[str, Any]

FOLDER = Path(__file__).with_name("definitions")


def definitions() -> Iterator[Object]:
    """As an API server is given them."""
    for path in sorted(FOLDER.glob("*.json")):
        yield json.loads(path.read_text(encoding="utf-8"))


@lru_cache
def schemas() -> dict[tuple[str, str], Object]:
    """By apiVersion and kind, refusing fields that they do not name."""
    found = {}
    for definition in definitions():
        spec = definition["spec"]
        for version in spec["versions"]:
            key = (f"{spec['group']}/{version['name']}", spec["names"]["kind"])
            found[key] = _strict(version["schema"]["openAPIV3Schema"])
    return found


def validate(one: Object) -> None:
    """Raises jsonschema.ValidationError; what every object has is the API server's to check."""
    schema = schemas()[one["apiVersion"], one["kind"]]
    jsonschema.Draft202012Validator(schema).validate({**one, "metadata": {}})


def is_custom(one: Object) -> bool:
    return (one["apiVersion"], one["kind"]) in schemas()


def _strict(schema: Any) -> Any:
    if isinstance(schema, list):
        return [_strict(one) for one in schema]
    if not isinstance(schema, dict):
        return schema
    found = {key: _strict(value) for key, value in schema.items()}
    if schema.get("x-kubernetes-int-or-string"):
        found.pop("type", None)
    closed = isinstance(schema.get("properties"), dict) and schema.get("type") == "object"
    if closed and not schema.get("x-kubernetes-preserve-unknown-fields"):
        found.setdefault("additionalProperties", False)
    return found
