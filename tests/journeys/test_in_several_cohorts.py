"""Somebody takes part in two programmes, which plan for themselves: on real processes."""

import math
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import pytest

from deploy.local.stack import Stack, Terms, running_stack
from deploy.operating.platform import Platform
from schemas.matching import (
    AcceptProposal,
    EnrolManager,
    OpenCohort,
    ProposePair,
    VolunteerAsMentor,
)
from schemas.people import PersonContact
from schemas.values import CohortPolicy, QuietHours, Window
from tests.conftest import eventually

pytestmark = pytest.mark.journey

MORNING = datetime(2017, 3, 6, 9, 0, tzinfo=UTC)
WEEK = (Window(day="tue", start="09:00", end="12:00"),)
POLICY = CohortPolicy(sessions=2, quiet_hours=QuietHours(start="03:00", end="03:00"))
AT_WORK: dict[str, Any] = {"directorate": "DGE", "site": "Lyon", "availability": WEEK}


async def begin(platform: Platform, cohort: str) -> None:
    """A programme with a pair, whose mentor has the same address in every programme."""
    its: dict[str, Any] = {"cohort_id": cohort}
    await platform.send("matching", OpenCohort(**its, name=cohort, policy=POLICY))
    mentor = {**its, **AT_WORK, "mentor_id": "mo", "skills": {"linkedin": 4}}
    await platform.send("matching", VolunteerAsMentor.model_validate(mentor))
    manager = {**its, **AT_WORK, "manager_id": "gi", "job_family": "procurement"}
    needs = {"needs": {"linkedin": 2}}
    await platform.send("matching", EnrolManager.model_validate(manager | needs))
    for person, address in (("mo", "mo@people.example"), ("gi", f"gi@{cohort}.example")):
        contact = {**its, "person_id": person, "name": person, "email": address}
        await platform.send("notify", PersonContact.model_validate(contact))
    await platform.send("matching", ProposePair(**its, pair_id="mo~gi", reason="asked for"))
    for side in ("mentor", "manager"):
        accept = {**its, "pair_id": "mo~gi", "by": side}
        await platform.send("matching", AcceptProposal.model_validate(accept))


async def dates(stack: Stack, client: httpx.AsyncClient, cohort: str) -> list[str]:
    """When the sessions of a programme begin, by time."""
    url = f"{stack.services['scheduling'].url}/cohorts/{cohort}/sessions"
    return sorted(row["starts_at"] for row in (await client.get(url)).json()["items"])


async def test_two_programmes_that_know_the_same_mentor_give_no_hour_away_twice(
    tmp_path: Path,
) -> None:
    terms = Terms(rate=math.inf, start=MORNING)
    async with running_stack(tmp_path, terms) as stack, httpx.AsyncClient(timeout=30) as client:
        urls = {name: stack.services[name].url for name in ("matching", "notify")}
        async with Platform(urls, None) as platform:  # type: ignore[arg-type]
            for cohort in ("c", "d"):
                await begin(platform, cohort)

        async def apart() -> bool:
            first, second = [await dates(stack, client, cohort) for cohort in ("c", "d")]
            return len(first) == len(second) == 2 and not set(first) & set(second)

        assert await eventually(apart)
