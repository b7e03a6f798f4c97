"""What HTTP asks of any server, whoever calls: bodies, types, methods, measures, problems."""

import gzip
import json
from collections.abc import Callable
from typing import Any

import httpx
import pytest
from fastapi import Request
from prometheus_client import generate_latest

from services.chassis.http.application import create_app
from tests.chassis.http.site import BODY, CONFIRM, HSTS, TOKEN, Site, problem, token

COMPRESSED = [("gzip", gzip.compress), ("br", bytes), ("zstd", bytes), ("gzip, gzip", bytes)]


@pytest.mark.parametrize(("coding", "compress"), COMPRESSED)
async def test_a_compressed_body_is_refused_as_what_it_is(
    site: Site, coding: str, compress: Callable[[bytes], bytes]
) -> None:
    headers = {"content-type": "application/json", "content-encoding": coding}
    async with site.client() as client:
        for path, body in ((CONFIRM, BODY), (f"/links/{token()}", {"answer": "yes"})):
            content = compress(json.dumps(body).encode())
            answer = await client.post(path, content=content, headers=headers)
            assert "compressed" in problem(answer, 415)["title"]
            assert answer.headers["accept-encoding"] == "identity"
    assert site.sent == []


@pytest.mark.parametrize("kind", [None, "text/plain", "application/xml", "nonsense", ""])
async def test_a_body_of_no_type_or_of_another_is_refused_as_what_it_is(
    site: Site, kind: str | None
) -> None:
    headers = {} if kind is None else {"content-type": kind}
    async with site.client() as client:
        for path, body in ((CONFIRM, BODY), (f"/links/{token()}", {"answer": "yes"})):
            answer = await client.post(path, content=json.dumps(body), headers=headers)
            found = problem(answer, 415)
            assert "application/json" in found["title"]
            assert ("without" in found["title"]) is (kind is None)
    assert site.sent == []


@pytest.mark.parametrize(
    "head",
    [
        {"content-type": "application/json; charset=utf-8"},
        {"content-type": "Application/JSON"},
        {"content-type": "application/merge-patch+json"},
        {"content-type": "application/json", "content-encoding": "identity"},
    ],
)
async def test_json_is_taken_however_its_type_is_written(site: Site, head: dict[str, str]) -> None:
    async with site.client() as client:
        answer = await client.post(CONFIRM, content=json.dumps(BODY), headers=head)
    assert answer.status_code == 202


GETS = ["/cohorts/c", "/cohorts/c/tallies", "/parked", "/nothing", "/openapi.json", "/docs"]


@pytest.mark.parametrize("path", [*GETS, "link"])
async def test_head_is_answered_as_get_without_the_body(site: Site, path: str) -> None:
    path = f"/links/{token()}" if path == "link" else path
    async with site.client() as client:
        got, head = await client.get(path), await client.head(path)
    assert head.status_code == got.status_code
    assert head.content == b""
    assert head.headers == got.headers
    assert site.sent == []


@pytest.mark.parametrize(
    ("method", "path", "allow"),
    [
        ("GET", CONFIRM, "POST"),
        ("HEAD", CONFIRM, "POST"),
        ("PUT", "/links/x", "GET, HEAD, POST"),
        ("DELETE", "/cohorts/c", "GET, HEAD"),
        ("OPTIONS", "/cohorts/c/tallies", "GET, HEAD"),
        ("POST", "/openapi.json", "GET, HEAD"),
    ],
)
async def test_a_method_that_is_not_there_is_refused_with_those_that_are(
    site: Site, method: str, path: str, allow: str
) -> None:
    async with site.client() as client:
        answer = await client.request(method, path)
    assert (answer.status_code, answer.headers["allow"]) == (405, allow)


async def test_no_answer_leads_to_another_address(site: Site) -> None:
    headers = {"host": "matching.ministry.example", "x-forwarded-proto": "https"}
    paths = [f"/links/{token()}/", f"//links/{token()}", "/cohorts/c/", "/parked/", "/docs/"]
    async with site.client() as client:
        for path in paths:
            for method in ("GET", "HEAD", "POST"):
                answer = await client.request(method, f"http://here{path}", headers=headers)
                assert answer.status_code in (404, 405), path
                assert "location" not in answer.headers
    assert site.sent == []


@pytest.mark.parametrize("path", [*GETS, "link", "/links/forged", "/fault", CONFIRM])
async def test_every_answer_tells_browsers_to_be_careful_faults_and_refusals_too(
    site: Site, path: str
) -> None:
    @site.app.get("/fault")
    def fault() -> None:
        raise RuntimeError("a fault")

    path = f"/links/{token()}" if path == "link" else path
    for bearer in (TOKEN, None):
        async with site.client(bearer) as client:
            answer = await client.get(path)
        assert answer.headers.get_list("x-content-type-options") == ["nosniff"]
        assert "camera=()" in answer.headers["permissions-policy"]
        assert answer.headers["strict-transport-security"] == f"max-age={HSTS}"


async def test_browsers_are_told_to_come_by_tls_only_where_somebody_has_said_so() -> None:
    transport = httpx.ASGITransport(create_app("toy", "A toy."))
    async with httpx.AsyncClient(transport=transport, base_url="http://here") as client:
        answer = await client.get("/openapi.json")
    assert "strict-transport-security" not in answer.headers
    assert answer.headers["x-content-type-options"] == "nosniff"


async def test_a_cohort_that_nobody_knows_is_not_an_empty_one(site: Site) -> None:
    async with site.client() as client:
        await client.post(f"{CONFIRM}?wait=5", json={**BODY, "cohort_id": "unknown"})
        for cohort in ("d", "unknown", "c~", "%ff"):
            problem(await client.get(f"/cohorts/{cohort}/tallies"), 404)
            problem(await client.get(f"/cohorts/{cohort}"), 404)


async def test_requests_are_measured_by_their_route_and_never_by_their_address(
    site: Site,
) -> None:
    async with site.client() as client:
        await client.post(f"{CONFIRM}?wait=5", json=BODY)
        await client.post(CONFIRM, json={**BODY, "by": "nobody"})
        await client.get("/cohorts/c/tallies")
        await client.get("/cohorts/secret-cohort")
        await client.get(f"/links/{token()}")
        await client.head(f"/links/{token()}")
        await client.get("/secret-address")
        await client.request("SECRET", "/parked")
    scraped = generate_latest(site.metrics.registry).decode()

    def counted(method: str, route: str, status: int) -> str:
        labels = f'method="{method}",route="{route}",status="{status}"'
        return f"mentoring_http_requests_total{{{labels}}}"

    for line in (
        f"{counted('POST', CONFIRM, 200)} 1.0",
        f"{counted('POST', CONFIRM, 422)} 1.0",
        f"{counted('GET', '/cohorts/{cohort_id}/tallies', 200)} 1.0",
        f"{counted('GET', '/cohorts/{cohort_id}', 404)} 1.0",
        f"{counted('GET', '/links/{token}', 200)} 2.0",
        f"{counted('GET', 'none', 404)} 1.0",
        f"{counted('other', '/parked', 405)} 1.0",
        'mentoring_http_request_seconds_count{route="/links/{token}"} 2.0',
        "mentoring_http_in_flight 0.0",
    ):
        assert line in scraped, line
    assert "secret" not in scraped.lower()


async def test_a_fault_is_measured_as_one(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    async def fault(*_: Any) -> None:
        raise RuntimeError

    monkeypatch.setattr(site.world.store, "page", fault)
    async with site.client() as client:
        problem(await client.get("/parked"), 500)
    scraped = generate_latest(site.metrics.registry).decode()
    assert 'mentoring_http_requests_total{method="GET",route="/parked",status="500"} 1.0' in scraped


async def test_a_page_that_is_not_there_is_a_problem_document(site: Site) -> None:
    async with site.client() as client:
        problem(await client.get("/nothing"), 404)
        problem(await client.get(CONFIRM), 405)


@pytest.mark.parametrize(
    ("proxies", "said", "place"),
    [
        (0, ["203.0.113.7"], "127.0.0.1"),
        (1, ["203.0.113.7"], "203.0.113.7"),
        (1, ["198.51.100.1, 203.0.113.7"], "203.0.113.7"),
        (2, ["198.51.100.1", "203.0.113.7 , 10.0.0.1"], "203.0.113.7"),
        (2, ["203.0.113.7"], "127.0.0.1"),
        (1, [" , "], "127.0.0.1"),
    ],
)
async def test_who_asks_is_whoever_came_to_the_outermost_of_the_proxies(
    proxies: int, said: list[str], place: str
) -> None:
    """Whatever they themselves have written to the left of that."""
    app = create_app("proxied", "Who asks.", proxies=proxies)

    @app.get("/who")
    async def who(request: Request) -> str:
        return request.client.host if request.client else ""

    headers = [("x-forwarded-for", one) for one in said]
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://x") as client:
        assert (await client.get("/who", headers=headers)).json() == place


FORM = b'--b\r\nContent-Disposition: form-data; name="answer"\r\n\r\n\\ud800\r\n--b--\r\n'


@pytest.mark.parametrize("charset", ["undefined", "punycode", "raw_unicode_escape", "utf-16", "x"])
@pytest.mark.parametrize("accept", ["text/html", "application/json"])
async def test_a_form_in_another_encoding_is_refused_as_what_it_is(
    site: Site, charset: str, accept: str
) -> None:
    head = {"content-type": f"multipart/form-data; boundary=b; charset={charset}"}
    async with site.client(None, accept) as client:
        answer = await client.post(f"/links/{token()}", content=FORM, headers=head)
        known = head["content-type"].replace(charset, "UTF-8")
        other = await client.post(
            f"/links/{token()}", content=FORM, headers={"content-type": known}
        )

    assert answer.status_code == 415
    assert "send UTF-8" in answer.text or "<html" in answer.text
    assert other.status_code == 422
    assert site.sent == []


@pytest.mark.parametrize("body", ['{"answer": "\\ud800"}', '{"\\udc00": "yes"}'])
async def test_half_a_sign_in_an_answer_is_told(site: Site, body: str) -> None:
    head = {"content-type": "application/json"}
    async with site.client(None) as client:
        answer = await client.post(f"/links/{token()}", content=body, headers=head)

    assert answer.status_code == 422
    assert "half a sign" in answer.json()["title"]


async def test_half_a_sign_in_a_command_is_told(site: Site) -> None:
    body = json.dumps({**BODY, "session_id": "\ud800"})
    async with site.client() as client:
        answer = await client.post(
            CONFIRM, content=body, headers={"content-type": "application/json"}
        )

    assert "half a sign" in problem(answer, 422)["title"]


@pytest.mark.parametrize("body", [b"[" * 100_000, b"9" * 5000, b'"\xff"'])
async def test_json_that_nobody_can_hold_is_told_as_what_it_may_be(site: Site, body: bytes) -> None:
    async with site.client() as client:
        head = {"content-type": "application/json"}
        answer = await client.post(CONFIRM, content=body, headers=head)

    assert "nested too deeply" in problem(answer, 400)["title"]
