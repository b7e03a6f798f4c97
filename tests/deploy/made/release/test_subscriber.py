"""Somebody with a release's files alone follows its README, and reads what real services publish.

It installs packages into an environment of its own: `make nightly`.
"""

import asyncio
import os
import re
import tarfile
from pathlib import Path

import pytest

from deploy.made.release.__main__ import contract
from deploy.made.release.source import committed
from deploy.trial.coordinator import Progress
from tests.drills.site import programme, rosters, running_site

pytestmark = [pytest.mark.release, pytest.mark.journey]
ROOT = Path(__file__).parents[4]
PATIENCE = 600.0
DAYS_PER_SECOND = 0.6


def formed(progress: Progress) -> int:
    return progress.sum("matching", "pairs", "formed", "graduated")


def steps_of(readme: str) -> str:
    """What the README has people type who have a release."""
    found = re.search(r"^### From a release$.*?^```sh$(.*?)^```$", readme, re.M | re.S)
    assert found, "the README does not say how to begin"
    return found[1]


async def test_ten_minutes_with_a_release_alone_end_with_every_pair_read_and_valid(
    tmp_path: Path, kafka_if_real: str | None
) -> None:
    downloaded = tmp_path / "downloaded"
    downloaded.mkdir()
    contract(committed(ROOT, tmp_path / "source"), downloaded)
    [archive] = downloaded.iterdir()
    with tarfile.open(archive) as tar:
        readme = tar.extractfile("README.md")
        assert readme is not None
        steps = steps_of(readme.read().decode())

    people = rosters(tmp_path, 4, 3)
    async with (
        running_site(tmp_path, kafka_if_real, DAYS_PER_SECOND) as site,
        programme(site, people, 3) as going,
    ):
        await going.until(lambda progress: formed(progress) > 1)
        pairs = formed(going.coordinator.progress)
        # Nothing of this checkout is on the subscriber's path.
        own = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}
        subscriber = await asyncio.create_subprocess_exec(
            *("bash", "-euo", "pipefail", "-c", steps),
            cwd=downloaded,
            env={**own, "KAFKA_BOOTSTRAP_SERVERS": site.stack.kafka},
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
        )
        async with asyncio.timeout(PATIENCE):
            out, err = await subscriber.communicate()

    assert subscriber.returncode == 0, err.decode()
    lines = [line.split() for line in out.decode().splitlines()]
    assert len({(cohort, pair) for _, cohort, pair, _ in lines}) == len(lines) >= pairs > 1
    assert {line[-1] for line in lines} == {"valid"}
