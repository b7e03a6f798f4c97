"""Without the token nothing is done, shown or read."""

from collections.abc import AsyncIterator

import pytest

from tests.chassis.http.site import BODY, CONFIRM, OLD_TOKEN, TOKEN, Site, problem


@pytest.mark.parametrize("given", [None, "", "wrong", TOKEN[:-1], TOKEN + "x", "é"])
async def test_without_the_token_nothing_is_done_and_nothing_is_shown(
    site: Site, given: str | None
) -> None:
    headers = {} if given is None else {"authorization": f"Bearer {given}".encode()}
    async with site.client(None) as client:
        answers = [
            await client.post(CONFIRM, json=BODY, headers=headers),
            await client.get("/cohorts/c/tallies", headers=headers),
            await client.get("/cohorts/c", headers=headers),
            await client.get("/parked", headers=headers),
            await client.get("/refusals/c/x", headers=headers),
        ]

    for answer in answers:
        problem(answer, 401)
        assert answer.headers["www-authenticate"] == "Bearer"
    assert site.sent == []


@pytest.mark.parametrize("given", [TOKEN, OLD_TOKEN])
async def test_while_the_token_is_being_changed_both_are_taken(site: Site, given: str) -> None:
    async with site.client(given) as client:
        assert (await client.get("/cohorts/c")).status_code == 200
        assert (await client.post(CONFIRM, json=BODY)).status_code == 202


@pytest.mark.parametrize("scheme", ["Bearer", "bearer", "BEARER"])
async def test_the_name_of_the_scheme_is_taken_in_any_case(site: Site, scheme: str) -> None:
    async with site.client(None) as client:
        answer = await client.get("/cohorts/c", headers={"authorization": f"{scheme} {TOKEN}"})
        other = await client.get("/cohorts/c", headers={"authorization": f"Basic {TOKEN}"})
    assert answer.status_code == 200
    problem(other, 401)


@pytest.mark.parametrize("content", [b"{", b"\xff", b"[" * 100_000])
@pytest.mark.parametrize("head", [{}, {"content-type": "text/plain"}, {"content-encoding": "gzip"}])
async def test_without_the_token_nothing_of_a_body_is_read(
    site: Site, content: bytes, head: dict[str, str]
) -> None:
    read: list[bytes] = []

    async def pieces() -> AsyncIterator[bytes]:
        read.append(content)
        yield content

    headers = {"content-type": "application/json", **head}
    async with site.client(None) as client:
        problem(await client.post(CONFIRM, content=pieces(), headers=headers), 401)
    assert read == []
