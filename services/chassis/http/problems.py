"""Errors as problem documents (RFC 9457): what an answer says when it is not what was asked for."""

from typing import Any

from fastapi.responses import JSONResponse

PROBLEM = "application/problem+json"


class Problem(Exception):
    """An answer that is a problem document. `retry_after` (seconds) is a header too."""

    def __init__(self, status: int, title: str, **extra: Any) -> None:
        super().__init__(title)
        self.status = status
        self.body = {"type": "about:blank", "status": status, "title": title, **extra}

    @property
    def answer(self) -> JSONResponse:
        response = JSONResponse(self.body, self.status, media_type=PROBLEM)
        if "retry_after" in self.body:
            response.headers["Retry-After"] = str(self.body["retry_after"])
        return response


def problem(status: int, title: str, **extra: Any) -> JSONResponse:
    """A problem document."""
    return Problem(status, title, **extra).answer
