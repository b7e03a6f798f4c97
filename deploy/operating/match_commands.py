"""`connecte match`: the people of two files paired, without a broker or a service."""

from collections import Counter
from pathlib import Path
from typing import Annotated

import typer
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn
from rich.table import Table

from deploy.operating.console import Json, answer, progress

SHOWN = 20
"""Rows of a long table that people are shown."""


def match_(
    mentors: Annotated[Path, typer.Option(help="CSV file of the mentors.")],
    managers: Annotated[Path, typer.Option(help="CSV file of the managers.")],
    policy: Annotated[Path | None, typer.Option(help="TOML file of a cohort's policy.")] = None,
    out: Annotated[Path | None, typer.Option(help="Write the pairs here, as CSV.")] = None,
    certificate: Annotated[Path | None, typer.Option(help="Write the proof here, as JSON.")] = None,
    edges: Annotated[
        Path | None, typer.Option(help="Write the legal pairs that were considered here, as CSV.")
    ] = None,
    json_: Json = False,
) -> None:
    """Pair the people of two files: most pairs, then the best score, with the proof. No broker.

    Example: connecte match --mentors mentors.csv --managers managers.csv --out pairs.csv
    """
    from deploy.operating.match import certificate_json, edges_csv, match, pairs_csv, write_whole

    with Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        console=progress,
        transient=True,
        disable=not progress.is_terminal,
    ) as bars:
        bar = bars.add_task("looking for mentors", total=None)

        def advanced(done: int, total: int, joined: int) -> None:
            again = f", {joined:,} more to compare" if joined else ""
            bars.update(bar, completed=done, total=total, description=f"pairing{again}")

        found = match(mentors, managers, policy, advanced)
    document = found.document
    if out is not None:
        write_whole(out, pairs_csv(document))
    if certificate is not None:
        write_whole(certificate, certificate_json(document))
    if edges is not None:
        write_whole(edges, edges_csv(found.pairing))
    table = Table("manager", "mentor", "score", "to begin with", title="Pairs")
    for row in document["pairs"][:SHOWN]:
        table.add_row(row["manager"], row["mentor"], f"{row['score']:.1f}", ", ".join(row["tools"]))
    hidden = len(document["pairs"]) - SHOWN
    notes = [f"and {hidden:,} more (--out or --json has all)"] if hidden > 0 else []
    reasons = [row["reason"] for row in document["unmatched"]]
    for text, count in Counter(reason["text"] for reason in reasons).most_common(SHOWN):
        notes.append(f"{count:,} without a mentor: {text}")
    for warning in found.warnings:
        progress.print(warning, markup=False, highlight=False)
    made = document["objective"]
    notes.append(f"{made['pairs']:,} pairs, {made['score']:,.1f} points; no pairing does better")
    answer(document, json_, table, *notes)
