"""The filters of a projection: by which fields it can be asked, and with which values."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from fastapi import Request
from pydantic import AwareDatetime, TypeAdapter, ValidationError

from schemas.base import Moment
from schemas.invalid import in_one_line
from services.chassis.domain import Document
from services.chassis.http.problems import Problem

_OVERFLOW = 2**63  # what the database cannot be asked for
_PAGING = {"limit", "after"}
_SPAN = "From the first moment on and before the second, with a slash between them."
_EXAMPLE = "2017-03-13T00:00:00Z/2017-03-20T00:00:00Z"
_MOMENT: TypeAdapter[datetime] = TypeAdapter(Moment)


Moments = tuple[datetime, datetime]


def asked_for(
    request: Request, kind: type[Document], filters: Sequence[str]
) -> tuple[dict[str, Any], dict[str, Moments]]:
    """Field to value, and field to from when until when, as the request's query has it.

    Raises `Problem` where it has others.
    """
    found: dict[str, Any] = {}
    between: dict[str, Moments] = {}
    for name in set(request.query_params) - _PAGING:
        if name not in filters:
            known = ", ".join(filters) or "none"
            raise Problem(422, f"{name}: no such filter; there is {known}")
        text = request.query_params[name]
        if _is_moment(kind, name):
            between[name] = _span(name, text)
        else:
            found[name] = _typed(kind, name, text)
    return found, between


def parameter(kind: type[Document], name: str) -> dict[str, Any]:
    """A filter as OpenAPI has it."""
    if _is_moment(kind, name):
        span = {"type": "string", "description": _SPAN, "example": _EXAMPLE}
        return {"name": name, "in": "query", "required": False, "schema": span}
    schema = TypeAdapter(_annotation(kind, name)).json_schema()
    return {"name": name, "in": "query", "required": False, "schema": schema}


def _is_moment(kind: type[Document], name: str) -> bool:
    return _annotation(kind, name) in (datetime, AwareDatetime)


def _span(name: str, text: str) -> Moments:
    """Two moments with a slash between them, as ISO 8601 has it."""
    start, _, end = text.partition("/")
    try:
        span = _MOMENT.validate_python(start), _MOMENT.validate_python(end)
    except ValidationError:
        raise Problem(422, f"{name}: {_SPAN} As in {_EXAMPLE}") from None
    if span[0] > span[1]:
        raise Problem(422, f"{name}: the end comes before the start")
    return span


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
