"""`connecte chaos` as its audience sees it: options in, progress on standard error, a verdict.

Exit code 0 only if nothing was lost, doubled or wrongly set aside, every database equals its
rebuild, and all came to rest.
"""

import json
import sys
from contextlib import nullcontext
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from deploy.errors import BadInput
from deploy.local.process import PartError
from deploy.operating.console import run, scratch
from deploy.trial.chaos.faults import KINDS
from deploy.trial.chaos.plan import schedule
from deploy.trial.chaos.run import ChaosError, ChaosProgress, ChaosTerms, run_chaos

HIDDEN = ("findings", "history", "exits", "poison", "people")


def kinds_of(text: str | None) -> tuple[str, ...]:
    """The kinds that a list with commas names; all of them if there is none."""
    if text is None:
        return tuple(KINDS)
    names = tuple(name.strip() for name in text.split(",") if name.strip())
    unknown = [name for name in names if name not in KINDS]
    if unknown or not names:
        raise BadInput(f"--faults: no such kind: {', '.join(unknown)}; there is {', '.join(KINDS)}")
    return names


def listing() -> Table:
    """Every kind, and what it does."""
    table = Table("kind", "what happens", title="Faults")
    for kind in KINDS.values():
        table.add_row(kind.name, kind.about)
    return table


def wreak(
    *,
    seed: int,
    minutes: float,
    faults: str | None,
    plan: bool,
    keep: Path | None,
    as_json: bool,
) -> int:
    """Run it, or show what it would do; the exit code."""
    out, progress = Console(), Console(stderr=True)
    if faults == "help":
        out.print(listing())
        return 0
    asked = ChaosTerms(seed, minutes, kinds_of(faults))
    if plan:
        _show_plan(asked, out, as_json=as_json)
        return 0
    with scratch("chaos") if keep is None else nullcontext(keep) as directory:
        try:
            outcome = run(run_chaos(directory, asked, lambda p: _show(progress, p)))
        except (ChaosError, PartError) as error:
            progress.print(f"the run did not come to its end: {error}", markup=False)
            return 1
    if as_json:
        sys.stdout.write(json.dumps(outcome) + "\n")
    else:
        out.print(_table(outcome))
    for finding in (text for texts in outcome["findings"].values() for text in texts):
        progress.print(finding, style="red", markup=False, highlight=False)
    return 0 if outcome["clean"] else 1


def _show_plan(asked: ChaosTerms, out: Console, *, as_json: bool) -> None:
    lanes = schedule(asked.seed, asked.minutes, asked.kinds)
    planned = sorted((p for lane in lanes.values() for p in lane), key=lambda p: p.at)
    if as_json:
        document = {
            "seed": asked.seed,
            "minutes": asked.minutes,
            "faults": [p.document() for p in planned],
        }
        sys.stdout.write(json.dumps(document) + "\n")
        return
    table = Table("at (s)", "kind", "for (s)", title=f"{len(planned)} faults of seed {asked.seed}")
    for row in planned:
        table.add_row(f"{row.at:.1f}", row.kind, f"{row.seconds:.1f}")
    out.print(table)


def _show(console: Console, progress: ChaosProgress) -> None:
    """Where the run stands, in a line; before it what was done since the last."""
    for said in progress.said:
        console.print(f"    {said}", style="yellow", markup=False, highlight=False, soft_wrap=True)
    minutes, seconds = divmod(int(progress.seconds), 60)
    formed = progress.pairs.get("formed", 0)
    done = progress.pairs.get("graduated", 0)
    line = (
        f"{minutes:02}:{seconds:02} {progress.phase}: {progress.events:,} events, "
        f"{progress.commands:,} commands, {formed} pairs under way, {done} graduated, "
        f"{progress.letters:,} letters, {progress.behind} behind, "
        f"{progress.faults.total()} faults of {len(progress.faults)} kinds"
    )
    now = ", ".join(f"{kind} {victim}".strip() for kind, victim in progress.active.items())
    console.print(
        line + (f" | {now}" if now else ""), markup=False, highlight=False, soft_wrap=True
    )


def _table(outcome: dict[str, Any]) -> Table:
    table = Table("what", "outcome", title=f"Chaos, seed {outcome['seed']}")
    for name, value in outcome.items():
        if name == "faults":
            for kind, count in value.items():
                table.add_row(f"  {kind}", str(count))
        elif name not in HIDDEN:
            table.add_row(name.replace("_", " "), str(value))
    for row in outcome["exits"]:
        table.add_row(f"{row['process']} ended itself", row["reason"])
    return table
