"""A year after a cohort was closed nobody in it can be reached any more: on real processes."""

import math
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx
import pytest

from deploy.local.stack import Stack, Terms, running_stack
from deploy.operating.platform import Platform
from schemas.cohorts import CloseCohort
from schemas.matching import OpenCohort, VolunteerAsMentor
from schemas.people import PersonContact
from schemas.retention import KEPT_DAYS
from schemas.values import Window
from tests.conftest import eventually

pytestmark = pytest.mark.journey

MORNING = datetime(2017, 3, 6, 9, 0, tzinfo=UTC)
WEEK = (Window(day="mon", start="09:00", end="12:00"),)
PEOPLE = (("c", "mo"), ("c", "anne"), ("d", "mo"))


async def reached(stack: Stack, client: httpx.AsyncClient) -> set[tuple[str, str]]:
    """Whose contact notify has."""
    found: set[tuple[str, str]] = set()
    for cohort, person in PEOPLE:
        url = f"{stack.services['notify'].url}/cohorts/{cohort}/people/{person}"
        answer = await client.get(url)
        if answer.status_code == 200 and "people" in answer.json()["documents"]:
            found.add((cohort, person))
    return found


async def begin(stack: Stack) -> None:
    """Two programmes with one person in both, of which one is closed."""
    urls = {name: stack.services[name].url for name in ("matching", "notify")}
    async with Platform(urls, None) as platform:  # type: ignore[arg-type]
        for cohort in ("c", "d"):
            await platform.send("matching", OpenCohort(cohort_id=cohort, name=cohort))
            offer = {"directorate": "DGE", "site": "Lyon", "skills": {"linkedin": 4}}
            mentor = {"cohort_id": cohort, "mentor_id": "mo", "availability": WEEK, **offer}
            await platform.send("matching", VolunteerAsMentor.model_validate(mentor))
        for cohort, person in PEOPLE:
            told = {"cohort_id": cohort, "person_id": person, "name": person}
            role = "coordinator" if person == "anne" else None
            contact = {**told, "email": f"{person}@people.example", "role": role}
            await platform.send("notify", PersonContact.model_validate(contact))
        done = await platform.send("matching", CloseCohort(cohort_id="c"))
        assert done.done


async def test_when_a_closed_cohorts_time_is_over_its_people_are_forgotten_and_no_others(
    tmp_path: Path,
) -> None:
    terms = Terms(rate=math.inf, start=MORNING)
    async with running_stack(tmp_path, terms) as stack, httpx.AsyncClient(timeout=30) as client:
        await begin(stack)
        assert stack.hand is not None
        stack.hand.turn(MORNING + timedelta(days=KEPT_DAYS - 1))

        async def over() -> bool:
            answer = await client.get(f"{stack.services['matching'].url}/cohorts/c/cohorts")
            return bool(answer.json()["items"][0]["over"])

        assert await eventually(over)
        assert await reached(stack, client) == set(PEOPLE)
        stack.hand.turn(MORNING + timedelta(days=KEPT_DAYS + 7))

        async def forgotten() -> bool:
            return await reached(stack, client) == {("d", "mo")}

        assert await eventually(forgotten)
