"""`connecte roles`: given, listed and taken by one command each, on a running platform."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.deploy.operating.ministry import Ministry, ministry

pytestmark = pytest.mark.journey

LISE = ("--name", "Lise Petit", "--email", "lise@ministere.example")


@pytest.fixture
async def here(tmp_path: Path) -> AsyncIterator[Ministry]:
    async with ministry(tmp_path, ("matching", "notify")) as found:
        yield found


async def test_a_role_is_given_to_a_stranger_listed_by_id_and_taken(here: Ministry) -> None:
    cohort = ("--cohort", here.cohorts[0])
    asked = ("roles", "give", "c-1", *cohort, "--role")
    unknown = await here.connecte(*asked, "administrator")
    assert (unknown.code, unknown.out) == (2, "")
    assert f"c-1 is not known in {here.cohorts[0]} yet" in unknown.err
    done = await here.connecte(*asked, "administrator", *LISE, "--json")
    assert done.code == 0, done.err
    assert done.document == {
        "cohort": here.cohorts[0],
        "person": "c-1",
        "role": "administrator",
        "given": True,
    }
    bank = ("--organisation", "Banque postale")
    assert (await here.connecte(*asked, "partner", *bank)).code == 0
    amiss = await here.connecte(*asked, "coordinator", *bank)
    assert (amiss.code, amiss.out) == (2, "")
    assert "A partner has organisations" in amiss.err

    listed = await here.connecte("roles", "list", *cohort, "--json")
    roles = {row["role"]: row for row in listed.document["roles"]}
    assert roles.keys() == {"administrator", "partner"}
    assert roles["partner"]["organisations"] == ["Banque postale"]
    assert {row["asker"] for row in roles.values()} == {"loopback"}
    assert "lise" not in listed.out.lower()

    taken = ("roles", "take", "c-1", *cohort, "--role")
    assert (await here.connecte(*taken, "partner")).code == 0
    last = await here.connecte(*taken, "administrator")
    assert (last.code, last.out) == (2, "")
    assert "name another one first" in last.err

    assert (await here.connecte("erase", "c-1", "--yes")).code == 0
    listed = await here.connecte("roles", "list", *cohort, "--json")
    assert listed.document["roles"] == []
