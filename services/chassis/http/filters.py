"""The filters of a projection: by which fields it can be asked, and with which values."""

from collections.abc import Sequence
from typing import Any

from fastapi import Request
from pydantic import TypeAdapter, ValidationError

from schemas.invalid import in_one_line
from services.chassis.domain import Document
from services.chassis.http.problems import Problem

_OVERFLOW = 2**63  # what the database cannot be asked for
_PAGING = {"limit", "after"}


def asked_for(request: Request, kind: type[Document], filters: Sequence[str]) -> dict[str, Any]:
    """Field to value, as the request's query has it. Raises `Problem` where it has others."""
    found: dict[str, Any] = {}
    for name in set(request.query_params) - _PAGING:
        if name not in filters:
            known = ", ".join(filters) or "none"
            raise Problem(422, f"{name}: no such filter; there is {known}")
        found[name] = _typed(kind, name, request.query_params[name])
    return found


def parameter(kind: type[Document], name: str) -> dict[str, Any]:
    """A filter as OpenAPI has it."""
    schema = TypeAdapter(_annotation(kind, name)).json_schema()
    return {"name": name, "in": "query", "required": False, "schema": schema}


def _annotation(kind: type[Document], name: str) -> Any:
    return kind.model_fields[name].annotation


def _typed(kind: type[Document], name: str, text: str) -> Any:
    """A filter's value, as the document's field has it."""
    try:
        value = TypeAdapter(_annotation(kind, name)).validate_strings(text)
    except ValidationError as error:
        raise Problem(422, f"{name}: {in_one_line(error.errors()[:1])}") from None
    if isinstance(value, int) and abs(value) >= _OVERFLOW:
        raise Problem(422, f"{name}: no number is as large as that")
    return value
