"""Waiting for what comes of a command: in memory if it comes about here, else in the database."""

import asyncio
from collections.abc import Iterable
from dataclasses import replace
from datetime import UTC, datetime, timedelta

from schemas.matching import RunRound
from schemas.scheduling import ConfirmSession
from services.chassis.http.effects import Effects, Sent
from services.chassis.store.contract import Commit, Place
from services.chassis.store.memory import MemoryStore
from services.matching.views import Round
from tests.conftest import PATIENCE

TOPIC = "mentoring.scheduling.commands"
COMMAND = ConfirmSession(cohort_id="c", session_id="m~g~1", by="mentor")


class Asked(MemoryStore):
    """A store that counts how often it is asked how far the service has come."""

    def __init__(self) -> None:
        super().__init__()
        self.times = 0

    async def positions(self, partitions: Iterable[int]) -> dict[tuple[str, int], int]:
        self.times += 1
        return await super().positions(partitions)


async def test_a_database_is_asked_once_of_what_this_very_process_has_come_past() -> None:
    store, owned = Asked(), {0: Place(0)}
    effects = Effects("scheduling", store, owned=lambda: owned)
    waiting = asyncio.create_task(effects.seen(Sent(COMMAND, "id", TOPIC, 0, 4), PATIENCE))
    await asyncio.sleep(0.05)
    assert store.times == 0
    place = replace(owned[0], step=1, positions={TOPIC: 5})
    await store.commit(Commit([place], [], []))
    owned[0] = place
    assert await waiting is True
    assert store.times == 1


async def test_where_the_partition_is_anothers_the_database_is_asked_until_it_knows() -> None:
    store, owned = Asked(), {0: Place(0)}
    effects = Effects("scheduling", store, owned=lambda: owned)
    waiting = asyncio.create_task(effects.seen(Sent(COMMAND, "id", TOPIC, 0, 4), PATIENCE))
    await asyncio.sleep(0.02)
    owned.clear()  # it is taken away while somebody waits
    async with asyncio.timeout(PATIENCE):
        while not store.times:
            await asyncio.sleep(0.005)
    await store.commit(Commit([Place(0, 1, {TOPIC: 5})], [], []))
    assert await waiting is True


async def test_what_is_to_be_done_later_has_been_taken_on_and_is_not_waited_for() -> None:
    store, now = MemoryStore(), datetime(2017, 3, 6, tzinfo=UTC)
    effects = Effects("matching", store, {RunRound: Round}, now=lambda: now)
    later = Round(id="r", cohort_id="c", state="requested", due_at=now + timedelta(minutes=15))
    await store.commit(Commit([Place(0, 1, {TOPIC: 5})], [(0, later)], []))
    command = RunRound(cohort_id="c", round_id="r", in_minutes=15)
    sent = Sent(command, "id", TOPIC, 0, 4)
    assert await effects.seen(sent, PATIENCE) is True
    now += timedelta(minutes=15)
    assert await effects.seen(sent, 0.05) is False
