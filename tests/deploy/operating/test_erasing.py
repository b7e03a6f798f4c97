"""A person is erased by one command: they leave everywhere, and nothing of their name is left."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from schemas.envelope import Record
from schemas.matching import EnrolManager
from schemas.people import PersonContact
from schemas.topics import partition_of
from services.chassis.log.kafka import KafkaLog
from services.chassis.store.mongo import MongoStore
from services.notify.views import Person
from tests.conftest import PATIENCE
from tests.deploy.operating.ministry import PARTITIONS, Ministry, ministry, volunteer

PERSON = "m-7"


@pytest.fixture
async def here(tmp_path: Path) -> AsyncIterator[Ministry]:
    async with ministry(tmp_path, ("matching", "notify")) as found:
        yield found


async def contact(here: Ministry, cohort: str, name: str) -> None:
    command = PersonContact(
        cohort_id=cohort, person_id=PERSON, name=name, email="lise.oeuvrard@example.org"
    )
    response = await here.client.post(
        f"{here.stack.services['notify'].url}/commands/PersonContact",
        params={"wait": 20},
        content=command.model_dump_json(),
        headers={"content-type": "application/json"},
    )
    assert response.status_code == 200


async def take_part(here: Ministry) -> None:
    """A mentor in one cohort, a manager in the other, reachable in both."""
    first, second = here.cohorts
    assert await here.send(volunteer(first, 7), wait=20) == 200
    enrolled = EnrolManager.model_validate(
        {
            "cohort_id": second,
            "manager_id": PERSON,
            "directorate": "DGE",
            "site": "Bercy",
            "job_family": "communication",
            "needs": {"tchap": 1},
            "availability": [{"day": "mon", "start": "09:00", "end": "12:00"}],
        }
    )
    assert await here.send(enrolled, wait=20) == 200
    for cohort in here.cohorts:
        await contact(here, cohort, "Lise Œuvrard")


async def contacts(here: Ministry) -> int:
    store = MongoStore(here.stack.mongodb, "connecte_notify", (Person,))
    await store.open()
    try:
        return await store.count(Person)
    finally:
        await store.close()


@pytest.mark.journey
async def test_a_person_leaves_every_cohort_and_is_forgotten_in_all_of_them(here: Ministry) -> None:
    await take_part(here)
    first, second = here.cohorts

    shown = await here.connecte("erase", PERSON, "--json")
    assert (shown.code, shown.document["erased"]) == (0, False), shown.err
    assert {
        row["cohort_id"]: (row["mentor"], row["manager"]) for row in shown.document["standing"]
    } == {
        first: ("available", None),
        second: (None, "waiting"),
    }
    assert await contacts(here) == 2, "nothing was changed without --yes"

    done = await here.connecte("erase", PERSON, "--yes", "--json")

    assert (done.code, done.document["erased"]) == (0, True), done.err
    became = {row["cohort"]: row for row in done.document["cohorts"]}
    assert became[first]["mentor"] == {"before": "available", "after": "withdrawn"}
    assert became[second]["manager"] == {"before": "waiting", "after": "withdrawn"}
    assert await contacts(here) == 0
    assert "Lise" not in done.out + done.err
    assert "is it the one of the roster" not in done.err
    again = await here.connecte("erase", PERSON, "--yes", "--json")
    assert (again.code, again.document["erased"]) == (0, True), again.err
    same = await here.connecte("rebuild", "notify", "--verify", "--json")
    assert (same.code, same.document["differences"]) == (0, []), same.err


@pytest.mark.journey
async def test_a_contact_that_was_set_aside_is_forgotten_with_the_person(here: Ministry) -> None:
    cohort = here.cohorts[0]
    log = KafkaLog({"bootstrap_servers": here.stack.kafka}, idempotent=False)
    bad = b'{"name": "Lise'
    key = f"{cohort}/{PERSON}".encode()
    await log.publish([Record("mentoring.people", partition_of(cohort, PARTITIONS), key, bad)])
    await log.stop()
    notify = here.stack.services["notify"].url
    async with asyncio.timeout(PATIENCE):
        while not (await here.client.get(f"{notify}/parked")).json()["total"]:
            await asyncio.sleep(0.2)
    assert (await here.connecte("parked", "list", "--json")).document["total"] == 1

    done = await here.connecte("erase", PERSON, "--yes", "--json")

    assert (done.code, done.document["erased"]) == (0, True), done.err
    assert "is it the one of the roster" in done.err
    assert (await here.connecte("parked", "list", "--json")).document["total"] == 0
