"""`connecte letters list` and `resend`, against a server that answers as notify does."""

import json
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from tests.deploy.operating.commands import connecte

LETTERS: list[dict[str, Any]] = [
    {"id": "PairFormed:m~g:m", "state": "failed", "cause": "smtp 550"},
    {"id": "PairFormed:m~g:g", "state": "failed", "cause": "timeout"},
    {"id": "ManagerEnrolled:g:g", "state": "sent", "cause": None},
]


class Notify(BaseHTTPRequestHandler):
    """Three letters, of which two have failed."""

    def do_GET(self) -> None:
        where = urlsplit(self.path)
        by = {key: values[0] for key, values in parse_qs(where.query).items()}
        found = [row for row in LETTERS if row["state"] == by.get("state", row["state"])]
        self._answer(200, {"items": found} if where.path == "/cohorts/c/letters" else {})

    def do_POST(self) -> None:
        asked = json.loads(self.rfile.read(int(self.headers["content-length"])))
        [letter] = [row for row in LETTERS if row["id"] == asked["letter_id"]]
        if letter["state"] == "failed":
            self._answer(200, {"done": True})
        else:
            self._answer(409, {"rule": "letter-not-failed", "title": "It has not failed."})

    def _answer(self, status: int, body: dict[str, Any]) -> None:
        self.send_response(status)
        self.send_header("content-type", "application/json")
        self.end_headers()
        self.wfile.write(json.dumps(body).encode())

    def log_message(self, *_: object) -> None:
        """Nothing."""


@pytest.fixture
def url() -> Iterator[str]:
    with ThreadingHTTPServer(("127.0.0.1", 0), Notify) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


async def test_letters_are_listed_by_what_became_of_them(url: str) -> None:
    asked = ("letters", "list", "--cohort", "c", "--notify", url, "--state", "failed", "--json")
    done = await connecte(*asked)
    assert done.code == 0, done.err
    assert [row["id"] for row in done.document["letters"]] == [row["id"] for row in LETTERS[:2]]


async def test_what_failed_for_a_cause_is_tried_again_and_nothing_else(url: str) -> None:
    asked = ("letters", "resend", "--cohort", "c", "--notify", url, "--cause", "smtp 550", "--json")
    done = await connecte(*asked)
    assert done.code == 0, done.err
    assert done.document == {"resent": ["PairFormed:m~g:m"], "refused": []}


async def test_a_letter_that_has_not_failed_is_named_with_the_reason(url: str) -> None:
    ids = ("PairFormed:m~g:g", "ManagerEnrolled:g:g")
    done = await connecte("letters", "resend", *ids, "--cohort", "c", "--notify", url, "--json")
    assert done.code == 1
    assert done.document["resent"] == ["PairFormed:m~g:g"]
    assert done.document["refused"] == [
        {"letter": "ManagerEnrolled:g:g", "why": "It has not failed."}
    ]
