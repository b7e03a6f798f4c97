"""A programme half-way through, for visitors: its past leaps by, its present goes at real speed.

Always holds: what there is has come about as in any programme, by commands and letters; from the
present on nobody acts but visitors.
"""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx

from deploy.local.stack import Stack
from deploy.trial.coordinator import Plan, Show
from deploy.trial.demo import background
from deploy.trial.programme_time import LeapingTime, NothingLeft, Still
from deploy.trial.stillness import stillness
from services.chassis.clock import Hand

WEEKS = 5
"""After which most pairs have met three times of five, and some have something to be handled."""
TICK = 0.5  # real seconds


@dataclass(frozen=True, slots=True)
class Visitors:
    """Addresses to sign in with. Both have the same pair, with a session to come."""

    mentor: str
    manager: str


class ThePresent(Exception):
    """The past is over: what comes next lies ahead of the present."""


class Past(LeapingTime):
    """Time that leaps as far as the present, and no further."""

    def __init__(self, hand: Hand, still: Still, present: datetime) -> None:
        super().__init__(hand, still)
        self._present = present

    async def _leap(self, due: datetime | None) -> None:
        if self._moment(due) > self._present:
            raise ThePresent
        await super()._leap(due)


def beginning(now: datetime) -> datetime:
    """A Monday morning so many weeks ago."""
    day = now.replace(hour=8, minute=0, second=0, microsecond=0) - timedelta(weeks=WEEKS)
    return day - timedelta(days=day.weekday())


async def lived_until_now(stack: Stack, plan: Plan, show: Show) -> Visitors:
    """Have everything happen that happened until now, and say who could look around."""
    assert stack.hand is not None, "its time stands until somebody turns the hand"
    reached = (stack.mongodb, stack.kafka, stack.terms.partitions)
    async with stillness(*reached, services=stack.terms.services) as seen:
        time = Past(stack.hand, seen.next, datetime.now(UTC))
        with contextlib.suppress(ThePresent, NothingLeft):
            async with background(stack, plan, time, show) as coordinator:
                await coordinator.conduct()
    stack.hand.turn(datetime.now(UTC))
    return await _visitors(stack, plan)


async def _visitors(stack: Stack, plan: Plan) -> Visitors:
    (cohort_id,) = plan.rosters
    contacts = {one.person_id: one.email or "" for one in plan.rosters[cohort_id].contacts}
    async with httpx.AsyncClient(timeout=30) as client:
        url = f"{stack.services['scheduling'].url}/cohorts/{cohort_id}/sessions"
        found: list[dict[str, Any]] = (await client.get(url, params={"limit": 200})).json()["items"]
    now = datetime.now(UTC)
    coming = [
        one
        for one in found
        if one["state"] == "planned" and datetime.fromisoformat(one["starts_at"]) > now
    ]
    pair = min(coming or found, key=lambda one: (-one["number"], one["starts_at"]))
    mentor_id, manager_id = pair["id"].split("~")[:2]
    return Visitors(contacts[mentor_id], contacts[manager_id])


@contextlib.asynccontextmanager
async def at_real_speed(hand: Hand) -> AsyncIterator[None]:
    """The hand goes with the real clock for as long as the block lasts."""

    async def tick() -> None:
        while True:
            hand.turn(datetime.now(UTC))
            await asyncio.sleep(TICK)

    ticking = asyncio.create_task(tick())
    try:
        yield
    finally:
        ticking.cancel()
        await asyncio.gather(ticking, return_exceptions=True)
