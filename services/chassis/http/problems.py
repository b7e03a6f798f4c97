"""Errors as problem documents (RFC 9457): what an answer says when it is not what was asked for."""

import json
from collections.abc import Sequence
from typing import Any

from fastapi.responses import JSONResponse

PROBLEM = "application/problem+json"
AWAY = 5
"""Seconds to come back after, where the broker or the database does not answer."""


class _Document(JSONResponse):
    """JSON of whatever was sent: what UTF-8 cannot say (half a surrogate pair) is escaped."""

    def render(self, content: Any) -> bytes:
        text = json.dumps(content, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
        return text.encode("utf-8", "backslashreplace")


class Problem(Exception):
    """An answer that is a problem document. `retry_after` (seconds) is a header too."""

    def __init__(self, status: int, title: str, **extra: Any) -> None:
        super().__init__(title)
        title = title.encode("utf-8", "backslashreplace").decode()  # a page shows it, too
        self.status = status
        self.body = {"type": "about:blank", "status": status, "title": title, **extra}

    @property
    def answer(self) -> JSONResponse:
        response = _Document(self.body, self.status, media_type=PROBLEM)
        if "retry_after" in self.body:
            response.headers["Retry-After"] = str(self.body["retry_after"])
        return response


def problem(status: int, title: str, **extra: Any) -> JSONResponse:
    """A problem document."""
    return Problem(status, title, **extra).answer


def invalid(what: str, wrong: Sequence[tuple[str, str]]) -> Problem:
    """A 422 that names every `field` of what is not valid with its `message`."""
    errors = [{"field": field or "body", "message": words} for field, words in wrong]
    named = "; ".join(f"{e['field']}: {e['message']}" for e in errors)
    return Problem(422, f"{what}: {named}"[:500], errors=errors)
