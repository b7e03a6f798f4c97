"""Who asks, for what, and of which cohorts; and whose name what they asked for bears."""

import pytest

from schemas.actors import Actor, pseudonym
from schemas.envelope import attributes
from tests.chassis.http.site import BODY, CONFIRM, TOKEN, Site, problem, token

OFFER = "/commands/OfferHours"
OTHER = {**BODY, "cohort_id": "d"}


def behind(site: Site) -> Actor | None:
    """The actor of the one command that was sent."""
    [row] = site.sent
    return attributes(row.headers).actor


async def test_a_command_bears_the_name_of_the_token_that_it_came_with(site: Site) -> None:
    async with site.client("the token of coordinator-c") as client:
        assert (await client.post(CONFIRM, json=BODY)).status_code == 202
    assert behind(site) == Actor("api_key", "coordinator-c", "coordinator", "api")


async def test_a_machine_says_for_whom_it_speaks_and_through_what(site: Site) -> None:
    heads = {"Connecte-On-Behalf-Of": "participant m-017", "Connecte-Via": "portal"}
    async with site.client() as client:
        assert (await client.post(CONFIRM, json=BODY, headers=heads)).status_code == 202
    assert behind(site) == Actor("app_user", "m-017", "participant", "portal")


async def test_a_link_bears_the_name_of_the_person_whose_it_is(site: Site) -> None:
    async with site.client(None) as client:
        answer = await client.post(f"/links/{token()}", json={"answer": "yes"})
    assert answer.is_success
    assert behind(site) == Actor("app_user", "m", "participant", "link")


@pytest.mark.parametrize(
    ("bearer", "heads", "status"),
    [
        ("coordinator-c", {"Connecte-On-Behalf-Of": "participant m-017"}, 403),
        ("coordinator-c", {"Connecte-Via": "portal"}, 422),
        ("machine-c", {"Connecte-Via": "pigeon"}, 422),
        ("machine-c", {"Connecte-On-Behalf-Of": "emperor m-017"}, 422),
        ("machine-c", {"Connecte-On-Behalf-Of": "participant"}, 422),
        ("machine-c", {"Connecte-On-Behalf-Of": "participant lise@ministere.example"}, 422),
        ("machine-c", {"Connecte-On-Behalf-Of": f"participant {'m' * 65}"}, 422),
        ("machine-c", {"Connecte-On-Behalf-Of": "auditor s-1"}, 403),
    ],
)
async def test_nobody_speaks_for_others_but_a_machine_for_who_may_and_by_an_id(
    site: Site, bearer: str, heads: dict[str, str], status: int
) -> None:
    async with site.client(f"the token of {bearer}") as client:
        problem(await client.post(CONFIRM, json=BODY, headers=heads), status)
    assert site.sent == []


@pytest.mark.parametrize(
    ("bearer", "path", "status"),
    [
        ("coordinator-c", "/cohorts/c", 200),
        ("coordinator-c", "/cohorts/c/tallies", 200),
        ("coordinator-d", "/cohorts/c/tallies", 403),
        ("coordinator-d", "/cohorts/c", 403),
        ("coordinator-c", "/cohorts/nowhere", 403),  # as of one that there is
        ("coordinator-c", "/parked", 403),
        ("operator", "/parked", 200),
        ("operator", "/cohorts/c/tallies", 403),
        ("participant", "/cohorts/c/tallies", 403),
        ("machine-c", "/cohorts/c/tallies", 200),
        ("machine-c", "/cohorts/d/tallies", 403),
    ],
)
async def test_a_token_opens_what_its_role_may_see_of_its_cohorts(
    site: Site, bearer: str, path: str, status: int
) -> None:
    async with site.client(f"the token of {bearer}") as client:
        answer = await client.get(path)
    assert answer.status_code == status, answer.text


@pytest.mark.parametrize(
    ("bearer", "path", "body"),
    [
        ("coordinator-c", CONFIRM, OTHER),
        ("coordinator-d", CONFIRM, BODY),
        ("machine-c", CONFIRM, OTHER),
        ("operator", CONFIRM, BODY),
        ("participant", CONFIRM, BODY),  # whose own it is, the token does not tell
        ("coordinator-c", OFFER, BODY),
    ],
)
async def test_what_a_role_may_not_ask_for_is_not_sent(
    site: Site, bearer: str, path: str, body: dict[str, str]
) -> None:
    async with site.client(f"the token of {bearer}") as client:
        problem(await client.post(path, json=body), 403)
    assert site.sent == []


async def test_what_stands_in_no_table_is_for_nobody_not_even_a_machine(site: Site) -> None:
    async with site.client(TOKEN) as client:
        problem(await client.post(OFFER, json=BODY), 403)
    assert site.sent == []


def test_a_pseudonym_stays_and_tells_nothing() -> None:
    mine = pseudonym("key", "https://issuer.example", "lise")
    assert mine == pseudonym("key", "https://issuer.example", "lise")
    others = {
        pseudonym("key", "https://issuer.example", "paul"),
        pseudonym("key", "https://other.example", "lise"),
        pseudonym("another", "https://issuer.example", "lise"),
    }
    assert mine not in others
    assert len(others) == 3
    assert "lise" not in mine


async def test_of_several_roles_the_one_counts_that_may(site: Site) -> None:
    """A participant of one programme who coordinates another."""
    async with site.client("the token of both") as client:
        assert (await client.post(CONFIRM, json=BODY)).status_code == 202
    assert behind(site) == Actor("api_key", "both", "coordinator", "api")
