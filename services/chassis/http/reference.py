"""`/docs`: what a service can be asked, as a page that needs nothing but itself.

Made from the OpenAPI document, without scripts and without anything from elsewhere: a ministry's
network lets browsers fetch nothing from outside, and should not have to.
"""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

import jinja2
from fastapi import FastAPI
from fastapi.responses import HTMLResponse

Part = Mapping[str, Any]

HEADERS = {
    "Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'; "
    "frame-ancestors 'none'; base-uri 'none'",
    "Referrer-Policy": "no-referrer",
}


@dataclass(frozen=True, slots=True)
class Field:
    """A parameter, or a field of a body. `where`: `query`, `path`, or nothing for a body's.

    `kinds` are words, and names of schemas that stand on the page too.
    """

    name: str
    where: str
    needed: bool
    kinds: tuple[str, ...]
    text: str


@dataclass(frozen=True, slots=True)
class Operation:
    """What can be asked at an address; `body` and `answer` are names of schemas."""

    method: str
    path: str
    summary: str
    text: str
    fields: tuple[Field, ...]
    body: str | None
    example: str | None
    answers: tuple[tuple[str, str, str | None], ...]


def serve_reference(app: FastAPI) -> None:
    """Give the application its page."""

    @cache  # the document does not change once the routes stand
    def page() -> str:
        return rendered(app.openapi())

    @app.get("/docs", include_in_schema=False)
    def docs() -> HTMLResponse:
        return HTMLResponse(page(), headers=HEADERS)


def rendered(document: Part) -> str:
    """The page of an OpenAPI document."""
    groups: dict[str, list[Operation]] = {}
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            [tag] = operation["tags"]
            groups.setdefault(tag, []).append(_operation(document, method, path, operation))
    schemas = {
        name: (schema.get("description", ""), tuple(_fields(schema)))
        for name, schema in sorted(_schemas(document).items())
    }
    template = _templates.get_template("reference.html")
    return template.render(info=document["info"], groups=groups, schemas=schemas)


def _schemas(document: Part) -> Part:
    found: Part = document.get("components", {}).get("schemas", {})
    return found


def _operation(document: Part, method: str, path: str, operation: Part) -> Operation:
    parameters = (
        Field(
            one["name"],
            one["in"],
            one.get("required", False),
            tuple(_kinds(one.get("schema", {}))),
            one.get("description", ""),
        )
        for one in operation.get("parameters", ())
    )
    body = _content(operation.get("requestBody", {}))
    example = None if body is None else _example(document, _schemas(document).get(body, {}))
    answers = (
        (status, answer["description"], _content(answer))
        for status, answer in sorted(operation["responses"].items())
    )
    return Operation(
        method.upper(),
        path,
        operation.get("summary", ""),
        operation.get("description", ""),
        tuple(parameters),
        body,
        None if example is None else json.dumps(example, indent=2, ensure_ascii=False),
        tuple(answers),
    )


def _content(part: Part) -> str | None:
    """The name of the schema of a body or of an answer."""
    for media in part.get("content", {}).values():
        if reference := media.get("schema", {}).get("$ref"):
            return _name(reference)
    return None


def _name(reference: str) -> str:
    return reference.rpartition("/")[2]


def _fields(schema: Part) -> Iterator[Field]:
    needed = schema.get("required", ())
    for name, field in schema.get("properties", {}).items():
        kinds = tuple(_kinds(field))
        yield Field(name, "", name in needed, kinds, field.get("description", ""))


_LIMITS = {
    "minimum": "at least {}",
    "exclusiveMinimum": "above {}",
    "maximum": "at most {}",
    "exclusiveMaximum": "below {}",
    "minLength": "at least {} characters",
    "maxLength": "at most {} characters",
    "minItems": "at least {} of them",
    "maxItems": "at most {} of them",
    "pattern": "like {}",
    "default": "if not given: {}",
}


def _kinds(part: Part) -> Iterator[str]:
    """What a value is, in words, and in names of schemas."""
    match part:
        case {"$ref": str(reference)}:
            yield _name(reference)
        case {"const": value}:
            yield json.dumps(value, ensure_ascii=False)
        case {"enum": list(values)}:
            yield " or ".join(json.dumps(value, ensure_ascii=False) for value in values)
        case {"anyOf": list(choices)} | {"oneOf": list(choices)}:
            for number, choice in enumerate(choices):
                yield from ("or",) if number else ()
                yield from _kinds(choice)
        case {"type": "array", "items": dict(item)}:
            yield "a list of"
            yield from _kinds(item)
        case {"type": "object", "additionalProperties": dict(item)}:
            yield "by name,"
            yield from _kinds(item)
        case _:
            yield str(part.get("format", part.get("type", "anything")))
    for key, words in _LIMITS.items():
        if key in part and part[key] not in ("", None):
            value = part[key]
            told = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
            yield f"({words.format(told)})"


def _example(document: Part, part: Part) -> Any:
    """A value of a schema, from its examples; what has none is left out where it may be."""
    if part.get("examples"):
        return part["examples"][0]
    match part:
        case {"$ref": str(reference)}:
            return _example(document, _schemas(document)[_name(reference)])
        case {"properties": dict(fields)}:
            needed = part.get("required", ())
            return {name: _example(document, fields[name]) for name in fields if name in needed}
        case {"anyOf": [first, *_]}:
            return _example(document, first)
        case {"type": "array", "items": dict(item)}:
            return [_example(document, item)]
        case _:
            return part.get("default")


_templates = jinja2.Environment(
    loader=jinja2.PackageLoader("services.chassis.http", "."),
    autoescape=True,
    trim_blocks=True,
    lstrip_blocks=True,
)
