"""What a service asks for while nothing happens, counted: it must not grow."""

import asyncio
import time

import httpx
import pytest

from tests.limits.conftest import Run

pytestmark = pytest.mark.journey

QUIET_SECONDS = 30.0
A_MINUTE = 240
"""Commands to the database: two each second, for whoever asks over HTTP, eight every ten, and what
a scrape counts; with room, for nobody knows where in these ten seconds the half minute lies."""


async def test_an_idle_service_leaves_the_database_in_peace(matching: Run) -> None:
    async with (
        matching() as service,
        httpx.AsyncClient(base_url=service.url, timeout=60) as client,
    ):
        asked, at = 0.0, time.monotonic()

        async def since() -> float:
            """Commands a minute since it was last asked for."""
            nonlocal asked, at
            before, begun = asked, at
            asked, at = await service.metric("mentoring_database_seconds_count"), time.monotonic()
            return (asked - before) / (at - begun) * 60

        await since()
        while await since() > A_MINUTE:  # what a start leaves behind comes to its end
            await asyncio.sleep(QUIET_SECONDS / 3)
        await asyncio.sleep(QUIET_SECONDS)
        assert await since() <= A_MINUTE
        assert (await client.get("/health/ready")).status_code == 200
