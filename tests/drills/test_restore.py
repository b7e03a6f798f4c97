"""The database is lost in the middle of a programme and comes back: older, or empty.

As docs/operating/backup.md describes it, with the commands that stand there.
"""

import asyncio
import shutil
from pathlib import Path
from typing import Any

import pytest
from pymongo import AsyncMongoClient

from deploy.trial.coordinator import Progress
from tests.conftest import eventually
from tests.drills.site import Site, programme, rosters, running_site

pytestmark = pytest.mark.journey

DAYS_PER_SECOND = 1.2


async def copy_while_it_works(site: Site, copy: Path) -> None:
    """MongoDB's own method: its files, while nothing is written to them."""
    async with AsyncMongoClient[dict[str, Any]](site.server.uri) as client:
        await client.admin.command("fsync", lock=True)
        try:
            await asyncio.to_thread(shutil.copytree, site.server.data, copy)
        finally:
            await client.admin.command("fsyncUnlock")
    (copy / "mongod.lock").unlink(missing_ok=True)


async def replace_database(site: Site, copy: Path | None) -> None:
    """The database dies, and one with these files, or none, stands in its place."""
    site.server.child.kill()
    await site.server.child.wait()
    shutil.rmtree(site.server.data)
    if copy is not None:
        shutil.copytree(copy, site.server.data)
    await site.server.start()


async def every_service_asks_for_a_rebuild(site: Site, because: str) -> None:
    """Each has ended by itself, and says so: at its first start on that database at the latest."""
    before = {process.label: len(process.exits) for process in site.everyone}

    async def asked() -> bool:
        since = {p.name: p.exits[before[p.label] :] for p in site.everyone}
        return all(
            any(
                because in reason and f"run `connecte rebuild {name}`" in reason for reason in found
            )
            for name, found in since.items()
        )

    await eventually(asked)


async def rebuilt(site: Site) -> None:
    for service, done in (await site.rebuild_all()).items():
        assert done.code == 0, f"{service}: {done.err}"
        assert done.document["events"] > 0
    await site.ready()


def held(progress: Progress) -> int:
    return progress.sum("scheduling", "sessions", "completed")


@pytest.mark.drill
async def test_from_an_older_copy_and_from_nothing_a_programme_goes_on_and_nothing_is_lost(
    tmp_path: Path, kafka_if_real: str | None
) -> None:
    async with running_site(tmp_path, kafka_if_real, DAYS_PER_SECOND) as site:
        async with programme(site, rosters(tmp_path, 5, 3), 2) as going:
            await going.until(lambda p: p.sum("scheduling", "sessions", "planned") > 0)
            await copy_while_it_works(site, tmp_path / "copy")
            await going.until(lambda p: held(p) > 0)

            await replace_database(site, tmp_path / "copy")
            await every_service_asks_for_a_rebuild(site, "it is older than what was published")
            await rebuilt(site)
            before = held(going.coordinator.progress)
            await going.until(lambda p: held(p) > before)

            await replace_database(site, None)
            site.restart_all()  # who has known the set before takes the new one for an outdated one
            await every_service_asks_for_a_rebuild(site, "the database knows")
            await rebuilt(site)
            await going.over(within=240)
        await site.at_rest()
        await site.end()
        findings = await site.check()
        assert (findings.lost, findings.doubled, findings.parked) == ([], [], 0)
        assert findings.figures["sessions_completed"] > 0
        for done in (await site.rebuild_all("--verify")).values():
            assert done.document["differences"] == []
