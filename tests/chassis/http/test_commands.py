"""A command is sent, waited for, refused or set aside, and the answer says which."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Any

import pytest

from schemas.envelope import attributes
from schemas.scheduling import ConfirmSession
from schemas.topics import PEOPLE
from services.chassis.domain import Refusal
from services.chassis.http.bodies import MAX_BODY
from tests.chassis.http.site import (
    BODY,
    CONFIRM,
    Site,
    problem,
    token,
)
from tests.chassis.toy import (
    NOW,
    PARTITIONS,
    TOY,
)


async def test_a_command_is_sent_and_accepted(site: Site) -> None:
    site.log.stepper = None
    async with site.client() as client:
        answer = await client.post(CONFIRM, json=BODY)

    assert answer.status_code == 202
    [row] = site.sent
    written = attributes(row.headers)
    assert answer.json() == {"command_id": written.id, "done": False}
    assert (written.sequence, written.time) == (None, NOW)
    assert ConfirmSession.model_validate_json(row.value) == ConfirmSession.model_validate(BODY)


TRACE = f"00-{'ab' * 16}-{'cd' * 8}-01"


@pytest.mark.parametrize(
    ("given", "taken"),
    [
        (TRACE, TRACE),
        ("", None),
        (TRACE.upper(), None),
        (f"{TRACE}-more", None),
        (TRACE.replace("ab", "00"), None),
    ],
)
async def test_a_callers_trace_context_goes_on_with_the_command_if_it_is_one(
    site: Site, given: str, taken: str | None
) -> None:
    async with site.client() as client:
        await client.post(CONFIRM, json=BODY, headers={"traceparent": given})
    [row] = site.sent
    assert attributes(row.headers).traceparent == taken


async def test_with_wait_the_answer_comes_once_the_command_is_done(site: Site) -> None:
    async with site.client() as client:
        answer = await client.post(f"{CONFIRM}?wait=5", json=BODY)

    assert (answer.status_code, answer.json()["done"]) == (200, True)
    assert await site.world.tallies() == {"c/m~g": 1}


async def test_with_wait_a_command_that_nobody_handles_in_time_is_accepted(site: Site) -> None:
    site.log.stepper = None
    async with site.client() as client:
        answer = await client.post(f"{CONFIRM}?wait=0.05", json=BODY)

    assert (answer.status_code, answer.json()["done"]) == (202, False)


async def test_with_wait_a_refusal_is_the_answer_and_can_be_read_again(site: Site) -> None:
    async with site.client() as client:
        answer = await client.post(f"{CONFIRM}?wait=5", json={**BODY, "session_id": "x~y~1"})
        refused = problem(answer, 404)
        again = await client.get(f"/refusals/c/{refused['command_id']}")
        nothing = await client.get("/refusals/c/another")

    assert (refused["rule"], refused["title"]) == ("unknown-pair", "There is no such pair.")
    assert again.json()["rule"] == "unknown-pair"
    problem(nothing, 404)


@pytest.mark.parametrize(
    ("command", "own", "status"),
    [
        ("ConfirmSession", {"session_id": "x~y~1"}, 404),
        ("ConfirmSession", {"session_id": "m~g~1"}, 409),
        ("ReportAttendance", {"session_id": "m~g~1", "attempt": 1, "held": False}, 422),
    ],
)
async def test_the_kind_of_a_refusal_is_the_status_of_its_answer(
    site: Site, command: str, own: dict[str, Any], status: int
) -> None:
    body = {"cohort_id": "c", "by": "mentor", **own}
    async with site.client() as client:
        for _ in range(5):
            await client.post(f"{CONFIRM}?wait=5", json=BODY)
        problem(await client.post(f"/commands/{command}?wait=5", json=body), status)


async def test_what_was_set_aside_is_never_called_done(site: Site) -> None:
    broken = {"cohort_id": "c", "session_id": "m~g~1", "by": "mentor"}
    async with site.client() as client:
        fault = await client.post("/commands/CancelSession?wait=5", json=broken)
        behind = await client.post(f"{CONFIRM}?wait=5", json=BODY)
        parked = (await client.get("/parked")).json()["items"]

    for answer, reason in ((fault, "fault"), (behind, "behind")):
        found = problem(answer, 409)
        assert (found["rule"], found["parked"]["reason"]) == ("parked", reason)
        assert reason in found["title"]
        assert "done" not in found
    assert [item["id"] for item in parked] == [
        answer.json()["parked"]["origin"] for answer in (fault, behind)
    ]
    assert await site.world.tallies() == {"c/m~g": 0}


async def test_what_was_dropped_while_somebody_waited_is_not_called_done(site: Site) -> None:
    reader, site.log.stepper = site.log.stepper, None
    broken = {"cohort_id": "c", "session_id": "m~g~1", "by": "mentor"}
    async with site.client() as client:
        waiting = asyncio.ensure_future(client.post("/commands/CancelSession?wait=20", json=broken))
        while not site.sent:
            await asyncio.sleep(0)
        site.world.store.positions = _nowhere  # type: ignore[method-assign]
        await site.world.run(reader)
        [row] = site.sent
        await site.world.drop(f"{row.topic}/{row.partition}/{row.offset}")
        await site.world.run(reader)
        del site.world.store.positions
        found = problem(await waiting, 409)
    assert found["parked"]["reason"] == "dropped"


async def _nowhere(_: Any) -> dict[tuple[str, int], int]:
    return {}


def _refused_without_a_kind(*_: Any) -> Refusal:
    return Refusal(None, "old", "It is from before.")  # type: ignore[arg-type]


async def test_a_refusal_from_before_refusals_had_a_kind_is_a_conflict(site: Site) -> None:
    handlers = {**TOY.handlers, ConfirmSession: _refused_without_a_kind}
    site.log.stepper = site.world.stepper(domain=replace(TOY, handlers=handlers))
    await site.log.stepper.take(range(PARTITIONS))
    async with site.client() as client:
        problem(await client.post(f"{CONFIRM}?wait=5", json=BODY), 409)


async def test_a_command_with_a_topic_of_its_own_goes_there(site: Site) -> None:
    contact = {"cohort_id": "c", "person_id": "m", "name": "Camille", "email": "c@example.org"}
    async with site.client() as client:
        answer = await client.post("/commands/PersonContact?wait=5", json=contact)

    assert answer.json()["done"] is True
    assert [(row.topic, row.key) for row in site.sent] == [(PEOPLE, b"c/m")]


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({**BODY, "session_id": "no session"}, "session_id"),
        ({"cohort_id": "c", "session_id": "m~g~1"}, "by"),
        ({**BODY, "misspelt": 1}, "misspelt"),
        ({**BODY, "cohort_id": "x" * 100}, "cohort_id"),
    ],
)
async def test_what_is_not_valid_is_refused_by_the_name_of_its_field_and_not_sent(
    site: Site, body: dict[str, Any], field: str
) -> None:
    async with site.client() as client:
        found = problem(await client.post(CONFIRM, json=body), 422)

    assert [error["field"] for error in found["errors"]] == [field]
    assert f"{field}:" in found["title"]
    assert site.sent == []


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b"\xff\xfe", b'"text"', b"null"])
async def test_a_body_that_is_no_object_is_a_problem_and_not_a_fault(
    site: Site, content: bytes
) -> None:
    headers = {"content-type": "application/json"}
    async with site.client() as client:
        answer = await client.post(CONFIRM, content=content, headers=headers)

    found = problem(answer, answer.status_code)
    assert found["status"] in (400, 422)
    assert all(error["field"] == "body" for error in found.get("errors", ()))
    assert site.sent == []


async def test_a_wait_that_is_too_long_is_refused_by_its_name(site: Site) -> None:
    async with site.client() as client:
        found = problem(await client.post(f"{CONFIRM}?wait=31", json=BODY), 422)

    assert "wait" in found["errors"][0]["field"]
    assert site.sent == []


@pytest.mark.parametrize("announced", [True, False])
async def test_a_body_that_is_too_large_is_refused_whether_it_announces_its_size_or_not(
    site: Site, announced: bool
) -> None:
    content = b" " * MAX_BODY + b"{}"

    async def pieces() -> AsyncIterator[bytes]:
        for start in range(0, len(content), 10_000):
            yield content[start : start + 10_000]

    headers = {"content-type": "application/json"}
    async with site.client() as client:
        body = content if announced else pieces()
        answer = await client.post(CONFIRM, content=body, headers=headers)
        for kind in ("application/json", "application/x-www-form-urlencoded"):
            body = content if announced else pieces()
            headers = {"content-type": kind}
            link = await client.post(f"/links/{token()}", content=body, headers=headers)
            problem(link, 413)

    assert ("content-length" in answer.request.headers) is announced
    problem(answer, 413)
    assert site.sent == []


async def test_a_body_as_large_as_is_allowed_is_read(site: Site) -> None:
    content = b" " * (MAX_BODY - 2) + b"{}"
    headers = {"content-type": "application/json"}
    async with site.client() as client:
        answer = await client.post(CONFIRM, content=content, headers=headers)

    problem(answer, 422)
