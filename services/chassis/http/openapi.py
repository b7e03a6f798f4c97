"""What the OpenAPI tells beyond what FastAPI finds in the code: every error is a problem document.

Always holds: an answer that a service can give is declared, with its content type and its form.
"""

from typing import Any

from fastapi import FastAPI
from pydantic import BaseModel, ConfigDict, Field

from services.chassis.http.problems import PROBLEM


class FieldError(BaseModel):
    """What is wrong with one field."""

    field: str
    message: str


class ProblemDocument(BaseModel):
    """An error (RFC 9457). `rule` is for programs: why a command was refused."""

    model_config = ConfigDict(extra="allow", title="Problem")

    type: str
    status: int
    title: str
    rule: str | None = None
    command_id: str | None = Field(
        None, description="The command that was refused, or of which it is not known if it came."
    )
    retry_after: int | None = Field(None, description="Seconds, as the header Retry-After.")
    errors: list[FieldError] | None = None


_MEANING = {
    400: "The body cannot be read.",
    401: "A valid bearer token is needed.",
    403: "The token is not for this, or not for that cohort.",
    404: "Something is unknown.",
    408: "The body did not come in time.",
    409: "The present state does not allow it.",
    410: "The link has expired.",
    413: "The body is too large.",
    415: "The body is compressed, or of a type that is not read here.",
    422: "The request is not valid.",
    429: "Too many requests from this person or address, or an answer by this link is on its way.",
    503: "Not now: try again after `Retry-After` seconds.",
}
_STATUSES = {
    "commands": (400, 401, 403, 404, 408, 409, 413, 415, 422, 429, 503),
    "projections": (401, 403, 404, 422, 429, 503),
    "links": (403, 404, 410, 429, 503),
    "operations": (),
}
_SENT = (400, 408, 409, 413, 415, 422)
_RETRY = {
    "Retry-After": {"description": "Seconds to wait.", "schema": {"type": "integer", "minimum": 1}}
}


def describe(app: FastAPI) -> None:
    """Let the application's OpenAPI name its errors."""
    generate = app.openapi

    def openapi() -> dict[str, Any]:
        if app.openapi_schema is None:
            document = generate()
            _complete(document)
        assert app.openapi_schema is not None
        return app.openapi_schema

    app.openapi = openapi  # type: ignore[method-assign]


def _complete(document: dict[str, Any]) -> None:
    schemas = document.setdefault("components", {}).setdefault("schemas", {})
    problem = ProblemDocument.model_json_schema(ref_template="#/components/schemas/{model}")
    schemas |= problem.pop("$defs")
    schemas["Problem"] = problem
    for unused in ("HTTPValidationError", "ValidationError"):
        schemas.pop(unused, None)
    for methods in document["paths"].values():
        for method, operation in methods.items():
            _declare(method, operation)


def _meaning(tag: str, status: int) -> str:
    return "The link is not valid." if (tag, status) == ("links", 403) else _MEANING[status]


def _declare(method: str, operation: dict[str, Any]) -> None:
    [tag] = operation["tags"]
    statuses = _STATUSES[tag] + (_SENT if tag == "links" and method == "post" else ())
    content: dict[str, Any] = {PROBLEM: {"schema": {"$ref": "#/components/schemas/Problem"}}}
    if tag == "links":
        content["text/html"] = {"schema": {"type": "string"}}
    for status in sorted(statuses):
        answer = {"description": _meaning(tag, status), "content": content}
        if status in (429, 503):
            answer["headers"] = _RETRY
        operation["responses"][str(status)] = answer
