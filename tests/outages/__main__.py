"""Play outages on real parts, and see who is told what, and when.

    python -m tests.outages [NAME ...]

Each has a site of its own: a real Kafka, a real MongoDB, two processes of each service, probed as
the kubelet would, and a Prometheus with the chart's rules. Ten to forty minutes; several names are
played side by side. Prints a row for each, writes build/outages/NAME.json with the times, and keeps
the series of what fired as a case for promtool (tests/deploy/alerts/outages/NAME.yaml). Ends with 1
if somebody was not told, was told for nothing, or it did not end.
"""

import argparse
import asyncio
import json
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from tests.outages.cases import kept
from tests.outages.outages import OUTAGES, Outage
from tests.outages.site import Site, running_site

QUIET_SECONDS = 240.0
"""Before it: rates over minutes have to have their minutes, and nothing may fire."""
LONGEST_SECONDS = 540.0
HOLD_SECONDS = 120.0  # after everybody who has to be told was told
OVER_SECONDS = 1500.0
LOOK_EVERY = 5.0
LINGERING = {"MentoringParkedBudgetBurn", "MentoringLatencyBudgetBurn", "MentoringHttpBudgetBurn"}
"""Alerts about a budget of 30 days go on until their shorter window is clean: up to six hours."""
RESULTS = Path(__file__).parents[2] / "build" / "outages"

Told = dict[tuple[str, str], float]


@dataclass(slots=True)
class Played:
    """What came of an outage; times in seconds from when it began.

    `told`: alert and service to when it fired first. `over`: when none fired any more, after
    `healed`, but those that linger. `killed`: processes that probes have ended.
    """

    name: str
    before: list[str]
    told: Told = field(default_factory=dict)
    healed: float = 0.0
    over: float | None = None
    killed: int = 0
    started: int = 0

    def wrong(self, outage: Outage) -> list[str]:
        """What should not have been so."""
        meant = {alert for alert, _ in outage.expected} | outage.allowed
        return [
            *(f"fired before: {name}" for name in self.before),
            *(f"not told: {one}" for one in sorted(outage.expected - self.told.keys())),
            *(f"for nothing: {one}" for one in sorted(self.told) if one[0] not in meant),
            *(["it did not end"] if self.over is None else []),
        ]


async def play(outage: Outage) -> Played:
    """Play it on a site of its own."""
    with tempfile.TemporaryDirectory(prefix=f"outage-{outage.name}-") as name:
        async with running_site(Path(name)) as site:
            load = asyncio.create_task(site.load())
            try:
                return await _played(outage, site)
            finally:
                load.cancel()


async def _played(outage: Outage, site: Site) -> Played:
    await asyncio.sleep(QUIET_SECONDS)
    played = Played(outage.name, sorted(alert for alert, _ in await site.firing()))
    began = time.time()

    async def look() -> set[tuple[str, str]]:
        firing = await site.firing()
        for one in firing:
            played.told.setdefault(one, round(time.time() - began, 1))
        return firing

    async with outage.made(site):
        until = began + LONGEST_SECONDS
        while time.time() < until:
            await look()
            if outage.expected and outage.expected <= played.told.keys():
                until = min(until, began + max(played.told.values()) + HOLD_SECONDS)
            await asyncio.sleep(LOOK_EVERY)
    played.healed = round(time.time() - began, 1)
    while time.time() < began + played.healed + OVER_SECONDS:
        if not {alert for alert, _ in await look()} - LINGERING:
            played.over = round(time.time() - began, 1)
            break
        await asyncio.sleep(LOOK_EVERY)
    pods = [pod for some in site.pods.values() for pod in some]
    played.killed = sum(pod.killed for pod in pods)
    played.started = sum(pod.process.starts for pod in pods)
    await kept(site, outage, began, played.told, time.time())
    return played


async def play_all(outages: Sequence[Outage]) -> int:
    RESULTS.mkdir(parents=True, exist_ok=True)

    async def one(outage: Outage) -> list[str]:
        played = await play(outage)
        wrong = played.wrong(outage)
        told = {f"{alert} {service}".strip(): at for (alert, service), at in played.told.items()}
        document = {
            **{"name": outage.name, "about": outage.about, "told": told, "wrong": wrong},
            **{"healed": played.healed, "over": played.over},
            **{"killed_by_probes": played.killed, "starts": played.started},
        }
        (RESULTS / f"{outage.name}.json").write_text(json.dumps(document, indent=2) + "\n")
        print(json.dumps(document), flush=True)  # noqa: T201
        return wrong

    return 1 if any(await asyncio.gather(*(one(outage) for outage in outages))) else 0


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    known = {outage.name: outage for outage in OUTAGES}
    parser.add_argument("names", nargs="*", choices=[[], *known], metavar="NAME")
    names = parser.parse_args().names or list(known)
    return asyncio.run(play_all([known[name] for name in names]))


if __name__ == "__main__":
    sys.exit(main())
