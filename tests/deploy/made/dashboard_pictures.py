"""Pictures of the dashboards for the README: `python -m tests.deploy.made.dashboard_pictures`.

The pilot runs as in `make demo` while a Prometheus watches; each panel is drawn from the answers to
its own queries. It is a drawing of ours, not a screenshot of Grafana.
"""

import asyncio
import sys
import tempfile
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import httpx

from deploy.operating.rosters import read_rosters
from deploy.trial.coordinator import START, Plan
from deploy.trial.demonstration import COHORT, NAME, PILOT, POLICY
from tests.deploy.made.drawing import Shown, drawn, named
from tests.deploy.made.recorded import Object, Recording, dashboard, panels, recorded

# Slower than the demo, so that the story is the same on a machine that has other things to do.
DAYS_PER_SECOND = 0.4
IMAGES = Path(__file__).parents[3] / "docs" / "images"


def shown(recording: Recording, client: httpx.Client, found: Object) -> dict[int, list[Shown]]:
    """The series of every panel by its id, the largest first where there are more than a few."""
    series: dict[int, list[Shown]] = {}
    for panel in panels(found):
        is_table = panel["type"] == "table"
        series[panel["id"]] = [
            Shown(target["refId"], one) if is_table else named(panel, target, one)
            for target in panel["targets"]
            for one in recording.ask(client, target, found)
        ]
        if panel["type"] == "timeseries" and len(series[panel["id"]]) > 6:
            series[panel["id"]].sort(key=lambda one: -max(v for _, v in one.series.points))
    return series


def pictures(recording: Recording) -> dict[str, str]:
    """File name to SVG. The programme's moments are its own days, the machine's minutes."""

    def week(moment: float) -> str:
        date = START + timedelta(weeks=(moment - recording.start) / recording.week)
        return f"{date:%d/%m}"

    def clock(moment: float) -> str:
        passed = round(moment - recording.start)
        return f"{passed // 60}:{passed % 60:02}"

    tell: dict[str, Callable[[float], str]] = {"programme": week, "machine": clock}
    span = (recording.start, recording.end)
    with httpx.Client(timeout=30) as client:
        return {
            f"dashboard-{name}.svg": drawn(found, shown(recording, client, found), span, told)
            for name, told in tell.items()
            for found in (dashboard(name),)
        }


async def main() -> None:
    roster = read_rosters(PILOT / "mentors.csv", PILOT / "managers.csv", COHORT)
    plan = Plan({COHORT: roster}, {COHORT: NAME}, POLICY, days_per_second=DAYS_PER_SECOND)
    with tempfile.TemporaryDirectory() as directory:
        async with recorded(Path(directory), plan) as recording:
            drawings = pictures(recording)
    for name, svg in drawings.items():
        (IMAGES / name).write_text(svg, encoding="utf-8", newline="\n")
        sys.stdout.write(f"written: docs/images/{name}, {len(svg.encode()) / 1000:.0f} kB\n")


if __name__ == "__main__":
    asyncio.run(main())
