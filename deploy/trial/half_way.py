"""A programme half-way through, for visitors: its past leaps by, its present goes at real speed.

Always holds: what there is has come about as in any programme, by commands and letters; from the
present on nobody acts but visitors.
"""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx

from deploy.local.stack import Stack
from deploy.trial.coordinator import START, Plan, Progress, Show
from deploy.trial.demo import background
from deploy.trial.programme_time import LeapingTime, NothingLeft, Still
from deploy.trial.stillness import stillness
from services.chassis.clock import Hand

WEEKS = 5
"""After which most pairs have met three times of five, and some have something to be handled."""
TICK = 0.5  # real seconds


@dataclass(frozen=True, slots=True)
class Visitors:
    """Addresses to sign in with. Both are of one pair: the one that has come furthest, if there is
    one whose next session is still ahead."""

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
    before = (stack.hand.now() - START) / timedelta(days=1)

    def shown(progress: Progress) -> None:
        show(replace(progress, day=progress.day - before))

    reached = (stack.mongodb, stack.kafka, stack.terms.partitions)
    async with stillness(*reached, services=stack.terms.services) as seen:
        time = Past(stack.hand, seen.next, datetime.now(UTC))
        with contextlib.suppress(ThePresent, NothingLeft):
            async with background(stack, plan, time, shown) as coordinator:
                await coordinator.conduct()
    stack.hand.turn(datetime.now(UTC))
    return await _visitors(stack, plan)


async def _visitors(stack: Stack, plan: Plan) -> Visitors:
    (cohort_id,) = plan.rosters
    contacts = {one.person_id: one.email or "" for one in plan.rosters[cohort_id].contacts}
    async with httpx.AsyncClient(timeout=30) as client:
        url = f"{stack.services['scheduling'].url}/cohorts/{cohort_id}/sessions"
        found: list[dict[str, Any]] = (await client.get(url, params={"limit": 200})).json()["items"]
    open_ = [one for one in found if one["state"] == "planned"]
    following: dict[str, dict[str, Any]] = {}
    for one in sorted(open_, key=lambda one: -one["number"]):
        following[one["id"].rpartition("~")[0]] = one  # the first that is open
    now = datetime.now(UTC)

    def ahead(one: dict[str, Any]) -> tuple[bool, int]:
        return datetime.fromisoformat(one["starts_at"]) > now, one["number"]

    pair = max(following.values() or found, key=ahead)
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
