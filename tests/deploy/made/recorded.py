"""A demonstration that a real Prometheus has watched, and its answers to a dashboard's queries.

Always holds: a query is asked as Grafana would, with every choice at "All"; what is left of a
variable after that is an error.
"""

import asyncio
import json
import math
import re
import time
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx

from deploy.local.prometheus import prometheus
from deploy.local.stack import Terms, running_stack
from deploy.made.dashboards import WRITTEN
from deploy.trial.coordinator import START, Plan, Progress
from deploy.trial.demo import background, time_of
from deploy.trial.programme_time import DAY
from tests.conftest import eventually

RULES = WRITTEN.parent / "alerts.yaml"
WEEK = 7
SCRAPED_EVERY = 1.0
MOST_POINTS = 120  # of a series, as for a panel of some hundred pixels

Object = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Series:
    """Labels, and (time, value) in order."""

    labels: Mapping[str, str]
    points: Sequence[tuple[float, float]]


@dataclass(frozen=True, slots=True)
class Recording:
    """A run from `start` to `end`, in seconds since 1970; a week of it takes `week` seconds (in the
    mean, where time leaps).

    `letters`: how many had come when it ended, and when the last figures had been looked up: where
    time flies, it flies on, and coordinators are written to. `metrics`: what each service tells of
    itself at the end, as Prometheus reads it.
    """

    url: str
    start: float
    end: float
    week: float
    progress: Progress
    letters: tuple[int, int]
    metrics: Mapping[str, str]

    @property
    def step(self) -> float:
        """The seconds between two points of a series, as Grafana chooses them."""
        return max(SCRAPED_EVERY, float(math.ceil((self.end - self.start) / MOST_POINTS)))

    def filled(self, text: str, dashboard: Object) -> str:
        """The text with every variable in it replaced, as Grafana replaces it."""
        chosen = {one["name"]: _chosen(one) for one in dashboard["templating"]["list"]}
        chosen |= {
            "week": f"{round(self.week * 1000)}ms",
            "__range": f"{round((self.end - self.start) * 1000)}ms",
            "__rate_interval": f"{round(max(self.step + SCRAPED_EVERY, 4 * SCRAPED_EVERY))}s",
        }
        filled = re.sub(r"\$(\w+)|\$\{(\w+)\}", lambda m: chosen[m[1] or m[2]], text)
        assert "$" not in filled, filled
        return filled

    def ask(self, client: httpx.Client, target: Object, dashboard: Object) -> list[Series]:
        """The series that a panel's target gets: of the last moment, or over the whole run."""
        query = self.filled(target["expr"], dashboard)
        if target.get("instant"):
            return self.at(client, query, self.end)
        step = self.step
        if interval := target.get("interval"):
            step = int(self.filled(interval, dashboard).removesuffix("ms")) / 1000
        over = {"start": self.start, "end": self.end, "step": step}
        found = self._get(client, "query_range", {"query": query, **over})
        return [Series(row["metric"], _points(row["values"])) for row in found["result"]]

    def at(self, client: httpx.Client, query: str, moment: float) -> list[Series]:
        """The series of one moment."""
        found = self._get(client, "query", {"query": query, "time": moment})
        return [Series(row["metric"], _points([row["value"]])) for row in found["result"]]

    def values_of(self, client: httpx.Client, selector: str, label: str) -> list[str]:
        """Those of a label, among the series that are selected."""
        given = {"match[]": selector, "start": self.start, "end": self.end}
        values: list[str] = self._get(client, f"label/{label}/values", given)
        return values

    def _get(self, client: httpx.Client, what: str, params: Mapping[str, str | float]) -> Any:
        answer = client.get(f"{self.url}/api/v1/{what}", params=dict(params)).json()
        assert answer["status"] == "success", (params, answer)
        return answer["data"]


def _chosen(variable: Object) -> str:
    return str(variable.get("allValue") or variable.get("query"))


def _points(values: Sequence[Sequence[Any]]) -> list[tuple[float, float]]:
    return [(float(moment), float(value)) for moment, value in values]


@asynccontextmanager
async def recorded(directory: Path, plan: Plan) -> AsyncIterator[Recording]:
    """Run a programme to its end while Prometheus scrapes every service, and keep what it knows."""
    days = plan.days_per_second
    terms = Terms(rate=math.inf if days is None else days * DAY, start=START)
    async with running_stack(directory, terms) as stack:
        targets = {name: service.url for name, service in stack.services.items()}
        async with (
            prometheus(directory, targets, rules=[RULES] if RULES.exists() else []) as url,
            httpx.AsyncClient(timeout=30) as client,
        ):
            start = time.time()
            async with (
                time_of(stack) as passing,
                background(stack, plan, passing, lambda _: None) as coordinator,
                asyncio.timeout(plan.limit),
            ):
                await coordinator.conduct()
            least = stack.mailbox.count
            weeks = (passing.now() - START).days / WEEK
            week = (time.time() - start) / weeks
            end = await _scraped(client, url, len(targets), time.time())
            metrics = {
                name: (await client.get(f"{service}/metrics")).text
                for name, service in targets.items()
            }
            yield Recording(
                url,
                start,
                end,
                week,
                coordinator.progress,
                (least, stack.mailbox.count),
                metrics,
            )


async def _scraped(client: httpx.AsyncClient, url: str, targets: int, moment: float) -> float:
    """Wait until every target has told how things stood after a moment; when that was."""

    async def newest() -> float:
        query = {"query": "timestamp(mentoring_build_info)"}
        rows = (await client.get(f"{url}/api/v1/query", params=query)).json()["data"]["result"]
        moments = [float(row["value"][1]) for row in rows]
        # A scrape shows figures that were looked up a second before it, at most.
        known = len(moments) == targets and min(moments) > moment + 2 * SCRAPED_EVERY
        return max(moments) if known else 0.0

    return await eventually(newest)


def dashboard(name: str) -> Object:
    """One of the committed dashboards."""
    found: Object = json.loads((WRITTEN / f"{name}.json").read_text())
    return found


def panels(dashboard: Object) -> list[Object]:
    """Those that show something; rows do not."""
    return [panel for panel in dashboard["panels"] if panel["type"] != "row"]
