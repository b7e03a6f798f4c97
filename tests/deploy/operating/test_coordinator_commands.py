"""`connecte coordinators`: named and removed by one command, on a running platform."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from schemas.people import PersonContact
from tests.deploy.operating.ministry import Ministry, ministry

pytestmark = pytest.mark.journey

LISE = ("--name", "Lise Petit", "--email", "lise@ministere.example")


@pytest.fixture
async def here(tmp_path: Path) -> AsyncIterator[Ministry]:
    async with ministry(tmp_path, ("matching", "notify")) as found:
        yield found


async def kept(here: Ministry, person: str) -> dict[str, Any]:
    """What notify keeps of how to reach somebody."""
    notify, cohort = here.stack.services["notify"].url, here.cohorts[0]
    copy = await here.client.get(f"{notify}/cohorts/{cohort}/people/{person}")
    [row] = copy.json()["documents"]["people"]
    return dict(row)


async def mentor(here: Ministry) -> dict[str, Any]:
    """Somebody who is known already, with all that they say of themselves."""
    command = PersonContact.model_validate(
        {
            "cohort_id": here.cohorts[0],
            "person_id": "m-7",
            "name": "Camille Roux",
            "email": "camille.roux@ministere.example",
            "language": "en",
            "post": "Head of purchasing",
            "presentation": "I like to explain.",
            "assistant": {"name": "Dominique", "email": "dominique@ministere.example"},
        }
    )
    answer = await here.client.post(
        f"{here.stack.services['notify'].url}/commands/PersonContact",
        params={"wait": 20},
        content=command.model_dump_json(),
        headers={"content-type": "application/json"},
    )
    assert answer.status_code == 200
    return await kept(here, "m-7")


async def test_a_coordinator_is_named_and_removed_and_stays_whatever_else_they_are(
    here: Ministry,
) -> None:
    cohort = ("--cohort", here.cohorts[0])
    done = await here.connecte("coordinators", "name", "c-1", *cohort, *LISE, "--json")
    assert done.code == 0, done.err
    assert done.document == {"cohort": here.cohorts[0], "person": "c-1", "coordinator": True}
    assert (await kept(here, "c-1"))["role"] == "coordinator"

    before = await mentor(here)
    done = await here.connecte("coordinators", "name", "m-7", *cohort)
    assert done.code == 0, done.err
    assert await kept(here, "m-7") == {**before, "role": "coordinator"}
    done = await here.connecte("coordinators", "remove", "m-7", *cohort)
    assert done.code == 0, done.err
    assert await kept(here, "m-7") == before

    done = await here.connecte("coordinators", "remove", "m-7", *cohort)
    assert (done.code, done.out) == (2, "")
    assert f"m-7 is no coordinator of {here.cohorts[0]}" in done.err


async def test_what_cannot_be_is_said_in_one_line_and_nobody_is_named(here: Ministry) -> None:
    name = ("coordinators", "name", "c-1")
    unknown = await here.connecte(*name, "--cohort", f"{here.cohorts[0]}0", *LISE)
    nobody = await here.connecte(*name, "--cohort", here.cohorts[0], "--name", "Lise")
    no_mail = (*LISE[:3], "lise@@ministere")
    unreachable = await here.connecte(*name, "--cohort", here.cohorts[0], *no_mail)
    said = {
        unknown: f"there is no cohort {here.cohorts[0]}0, or not for this token; is "
        f"{here.cohorts[0]} meant?",
        nobody: f"c-1 is not known in {here.cohorts[0]} yet: give --email",
        unreachable: "email: ",
    }
    for done, line in said.items():
        assert (done.code, done.out) == (2, "")
        assert line in done.err
        assert len(done.err.strip().splitlines()) == 1
        assert "lise" not in done.err.lower()
    notify = here.stack.services["notify"].url
    path = f"{notify}/cohorts/{here.cohorts[0]}/people/c-1"
    assert (await here.client.get(path)).status_code == 404
