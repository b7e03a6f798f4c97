"""The demonstration as its audience sees it: options in, progress, a table at the end.

Exit code 0 only if the pilot came to its end, nothing was lost, doubled or parked, every graduated
pair has exactly its sessions, and every database equals its rebuild from the log.
"""

import json
import math
import sys
import time
from collections import Counter
from collections.abc import Mapping
from contextlib import AsyncExitStack, nullcontext
from dataclasses import replace
from pathlib import Path
from typing import Any, Literal

from rich.console import Console
from rich.live import Live
from rich.progress import BarColumn, MofNCompleteColumn, TextColumn
from rich.progress import Progress as Bars
from rich.table import Table

from deploy.errors import BadInput
from deploy.local.kafka import apache_kafka
from deploy.local.process import PartError
from deploy.operating.console import run, scratch
from deploy.operating.rosters import Roster, read_rosters
from deploy.trial.at_portal import MOST_PEOPLE
from deploy.trial.coordinator import DemoError, Plan, Progress
from deploy.trial.demo import run_demo
from deploy.trial.ministries import made_up, ministries
from deploy.trial.programme_time import NothingLeft
from schemas.values import CohortPolicy

PILOT = Path(__file__).parent / "pilot"
COHORT, NAME = "bercy-2017", "Connecte ton manager 2017"

Scenario = Literal["pilot", "ministries"]
Through = Literal["http", "kafka", "portal"]

SCALE = 0.1
"""Of the ministries, where nothing is said."""
LINE_EVERY = 10.0  # seconds
MINISTRIES_GATHER_MS = 400
"""All services of a country share the cores of one machine: fewer steps, of more each."""
MOST_SHOWN = 6
"""Cohorts of which every criterion is shown."""

# The pilot's pairs meet every week, so that it is soon over.
POLICY = CohortPolicy(cadence_days=7)


def demonstrate(
    *,
    as_json: bool,
    scenario: Scenario,
    scale: float | None,
    real_kafka: bool,
    through: Through,
    managers: int | None,
    mentors: int | None,
    seed: int,
    days_per_second: float | None,
    kill_every: float | None,
    maildir: Path | None,
) -> int:
    """Run it; the exit code."""
    for option, value in (("--days-per-second", days_per_second), ("--kill-every", kill_every)):
        if value is not None and not (math.isfinite(value) and value > 0):
            raise BadInput(f"{option} is above 0")
    if scenario == "ministries":
        if managers is not None or mentors is not None:
            raise BadInput("--scale says how many people the ministries have")
        scale = SCALE if scale is None else scale
        rosters = ministries(scale, seed)
    else:
        if scale is not None:
            raise BadInput(
                "--scale is for --scenario ministries; the pilot has --managers and --mentors"
            )
        rosters = {COHORT: _roster(managers, mentors, seed)}
    plan = Plan(
        rosters=rosters,
        names={cohort: f"{NAME}, {cohort}" for cohort in rosters} | {COHORT: NAME},
        policy=POLICY,
        seed=seed,
        days_per_second=days_per_second,
        kill_every=kill_every,
        maildir=maildir,
        by_topic=through == "kafka",
        at_portal=through == "portal",
        gather_ms=MINISTRIES_GATHER_MS if scenario == "ministries" else 0,
        limit=1800.0 if scale is None else max(1800.0, 40_000 * scale),
    )
    people = sum(len(roster.contacts) for roster in rosters.values())
    if plan.at_portal and people > MOST_PEOPLE:
        raise BadInput(
            f"--through portal: {people} people; from one machine at most {MOST_PEOPLE} get a "
            "letter to sign in (fewer --managers and --mentors)"
        )
    console = Console(stderr=True)
    seen = console.is_terminal
    view = View(sum(len(roster.managers) for roster in rosters.values()), None if seen else console)
    with scratch("demo") as directory:
        try:
            with Live(view.bars, console=console, refresh_per_second=4) if seen else nullcontext():
                outcome = run(_run(directory, plan, view, real_kafka=real_kafka))
        except (DemoError, NothingLeft, PartError, TimeoutError) as error:
            console.print(f"it did not come to its end: {error or type(error).__name__}")
            console.print(f"where it stood: {view.last}", highlight=False)
            return 1
    if as_json:
        sys.stdout.write(json.dumps(outcome) + "\n")
    else:
        Console().print(_table(outcome, costs=scenario == "ministries"))
    for finding in (text for texts in outcome["findings"].values() for text in texts):
        console.print(finding, style="red", markup=False, highlight=False)
    clean = outcome["rebuilt_equal"] and not (
        outcome["lost"] or outcome["doubled"] or outcome["parked"]
    )
    return 0 if clean else 1


async def _run(directory: Path, plan: Plan, view: "View", *, real_kafka: bool) -> dict[str, Any]:
    async with AsyncExitStack() as stack:
        if real_kafka:
            cluster = await stack.enter_async_context(apache_kafka(directory))
            plan = replace(plan, kafka=cluster.bootstrap)
        return await run_demo(directory, plan, view.show)


def pilot_roster() -> Roster:
    """The pilot's people."""
    return read_rosters(PILOT / "mentors.csv", PILOT / "managers.csv", COHORT)


def _roster(managers: int | None, mentors: int | None, seed: int) -> Roster:
    if managers is None and mentors is None:
        return pilot_roster()
    many_managers = 40 if managers is None else managers
    many_mentors = round(many_managers * 1.5) if mentors is None else mentors
    if many_managers < 1 or many_mentors < 1:
        raise BadInput("--managers and --mentors are 1 or more")
    return made_up(many_managers, many_mentors, seed, COHORT)


class View:
    """Bars that fill as the pilot goes on; where nobody looks at a screen, a line now and then.

    `written`: where these lines go.
    """

    def __init__(self, managers: int, written: Console | None = None) -> None:
        self.managers = managers
        self._written = written
        self._next = 0.0
        self.last = Progress()
        self.bars = Bars(
            TextColumn("{task.description}"),
            BarColumn(),
            MofNCompleteColumn(),
            TextColumn("{task.fields[note]}"),
        )
        self._rows = {
            name: self.bars.add_task(name, total=None, note="")
            for name in ("pairs formed", "sessions held", "pairs graduated", "surveys answered")
        }

    def show(self, progress: Progress) -> None:
        """Draw where the run stands."""
        self.last = replace(progress)
        formed = progress.sum("matching", "pairs", "formed", "graduated", "dissolved")
        ended = progress.sum("matching", "pairs", "graduated")
        held = progress.sum("scheduling", "sessions", "completed")
        surveys = sum(progress.surveys.values())
        going = formed - progress.sum("matching", "pairs", "dissolved")
        kills = f", {progress.kills} kills" if progress.kills else ""
        note = f"day {progress.day:.0f}, {progress.phase}, {progress.letters} letters{kills}"
        figures: dict[str, tuple[int, int, str]] = {
            "pairs formed": (formed, self.managers, note),
            "sessions held": (held, going * POLICY.sessions, ""),
            "pairs graduated": (ended, going, ""),
            "surveys answered": (progress.surveys.get("answered", 0), surveys, ""),
        }
        for name, (done, total, text) in figures.items():
            self.bars.update(self._rows[name], completed=done, total=total or None, note=text)
        if self._written is not None and time.monotonic() >= self._next:
            self._next = time.monotonic() + LINE_EVERY
            told = ", ".join(f"{done} {name}" for name, (done, *_) in figures.items())
            self._written.print(f"{note}: {told}", highlight=False, soft_wrap=True)


def _table(outcome: dict[str, Any], *, costs: bool) -> Table:
    table = Table("what", "outcome", title="Connecte ton manager")
    for name, value in outcome.items():
        if name not in ("rollout", "findings", "used", "bytes"):
            table.add_row(name.replace("_", " "), _cell(value))
    if costs:
        _costs(table, outcome)
    verdicts = Counter(rollout["verdict"] for rollout in outcome["rollout"].values())
    if len(outcome["rollout"]) > MOST_SHOWN:
        table.add_section()
        for verdict, cohorts in sorted(verdicts.items()):
            table.add_row(f"roll-out {verdict}", f"{cohorts} cohorts")
        return table
    for cohort, rollout in outcome["rollout"].items():
        table.add_section()
        table.add_row(f"roll-out of {cohort}", rollout["verdict"])
        for criterion in rollout["criteria"]:
            met = "met" if criterion["met"] else "not met"
            value = criterion["value"]
            shown = "too few answers" if value is None else f"{value:g}"
            name = criterion["name"].replace("_", " ")
            table.add_row(f"  {name}", f"{shown}, asked {criterion['threshold']:g}: {met}")
    return table


def _costs(table: Table, outcome: dict[str, Any]) -> None:
    pairs = max(outcome["pairs_formed"], 1)
    for name, size in outcome["bytes"].items():
        table.add_row(f"bytes in {name.replace('_', ', ')}", f"{size:,} ({size // pairs:,} a pair)")
    table.add_section()
    for name, used in outcome["used"].items():
        seconds, memory = used["cpu_seconds"], used["peak_megabytes"]
        each = f"{seconds:,.1f} s of processor time ({seconds / pairs:.3f} a pair)"
        table.add_row(f"used by {name}", f"{each}, {memory:,.0f} MB at most")


def _cell(value: object) -> str:
    """A figure, or several with their names."""
    if isinstance(value, Mapping):
        return ", ".join(f"{name} {one}" for name, one in value.items())
    return str(value)
