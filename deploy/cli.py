"""`connecte`: the command of the people who operate the platform.

Every subcommand has `--help` with an example and `--json` for machines: one JSON document on
standard output, progress on standard error. Exit code 2 and one clear line for bad input.
"""

import json
import sys
from collections import Counter
from pathlib import Path
from typing import Annotated, Any, Literal, NoReturn

import typer
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn
from rich.table import Table

from deploy.operating.console import BadInput, Json, answer, output, progress, run, scratch
from deploy.operating.schema_commands import schema_commands
from deploy.operating.stored import parked_commands, rebuild
from deploy.operating.topic_commands import topic_commands

SHOWN = 20
"""Rows of a long table that people are shown."""

app = typer.Typer(
    name="connecte",
    help="Runs and operates the reverse-mentoring platform.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)
app.add_typer(topic_commands, name="topics")
app.add_typer(schema_commands, name="schemas")
app.add_typer(parked_commands, name="parked")
app.command()(rebuild)
Cohort = Annotated[str, typer.Option(help="The cohort's id.")]
MatchingUrl = Annotated[
    str,
    typer.Option("--matching", envvar="CONNECTE_MATCHING_URL", help="Address of matching."),
]
Token = Annotated[
    str | None,
    typer.Option(envvar="CONNECTE_HTTP_TOKEN", help="The services' token.", show_default=False),
]


def main() -> None:
    """The entry point."""
    try:
        app()
    except BadInput as error:
        _end(str(error), 2)
    except Exception as error:
        from deploy.errors import explained

        known = explained(error)
        if known is None:
            raise
        _end(*known)


def _end(line: str, code: int) -> NoReturn:
    progress.print(f"connecte: {line}", style="red", markup=False, highlight=False, soft_wrap=True)
    sys.exit(code)


@app.command()
def demo(
    json_: Json = False,
    managers: Annotated[int | None, typer.Option(help="Managers; a roster is made up.")] = None,
    mentors: Annotated[int | None, typer.Option(help="Mentors; a roster is made up.")] = None,
    seed: Annotated[int, typer.Option(help="The same seed tells the same story.")] = 1,
    days_per_second: Annotated[
        float | None, typer.Option(help="How fast the programme's time passes.")
    ] = None,
    kill_every: Annotated[
        float | None,
        typer.Option(help="Kill a service at random, about every so many seconds that all work."),
    ] = None,
    maildir: Annotated[Path | None, typer.Option(help="Keep every letter here.")] = None,
) -> None:
    """Run the 2017 pilot from nothing to its verdict, on this machine, and check it.

    Example: connecte demo --managers 400 --mentors 600 --seed 7
    """
    from deploy.trial.demonstration import demonstrate

    sys.exit(
        demonstrate(
            as_json=json_,
            managers=managers,
            mentors=mentors,
            seed=seed,
            days_per_second=days_per_second,
            kill_every=kill_every,
            maildir=maildir,
        )
    )


@app.command()
def up(json_: Json = False) -> None:
    """Start the platform on this machine, with the real clock, until Ctrl-C.

    Example: connecte up --json
    """
    from deploy.local.stack import Terms, running_stack

    async def stay(directory: Path) -> None:
        async with running_stack(directory, Terms()) as stack:
            if json_:
                print(json.dumps(stack.addresses), flush=True)  # noqa: T201
            else:
                table = Table("what", "where", title="Ready; Ctrl-C ends it")
                for name, address in stack.addresses.items():
                    if isinstance(address, dict):
                        for service, url in address.items():
                            table.add_row(service, f"{url}/docs")
                    else:
                        table.add_row(name, str(address))
                output.print(table)
            await stack.failed

    with scratch("up") as directory:
        run(stay(directory))


@app.command("import")
def import_(
    cohort: Cohort,
    mentors: Annotated[Path, typer.Option(help="CSV file of the mentors.")],
    managers: Annotated[Path, typer.Option(help="CSV file of the managers.")],
    matching: MatchingUrl,
    notify: Annotated[str, typer.Option(envvar="CONNECTE_NOTIFY_URL", help="Address of notify.")],
    open_: Annotated[
        str | None, typer.Option("--open", metavar="NAME", help="Open the cohort first.")
    ] = None,
    token: Token = None,
    json_: Json = False,
) -> None:
    """Enter everybody of two rosters into a cohort. Doing it again changes nothing.

    Every row is checked before anything is sent. Exit code 1 if somebody was refused.

    Example: connecte import --cohort bercy-2017 --open "Pilot" --mentors a.csv --managers b.csv
    """
    from deploy.operating.platform import Entered, Platform, checked_id, enter
    from deploy.operating.rosters import read_rosters
    from schemas.matching import OpenCohort

    checked_id("--cohort", cohort)
    roster = read_rosters(mentors, managers, cohort)
    opening = None if open_ is None else OpenCohort(cohort_id=cohort, name=open_)
    count = len(roster.contacts) + len(roster.mentors) + len(roster.managers)
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn())

    async def sent() -> Entered:
        platform = Platform({"matching": matching, "notify": notify}, token)
        with Progress(*columns, console=progress) as bars:
            bar = bars.add_task("contacts and people", total=count)
            async with platform:
                return await enter(platform, roster, opening, lambda: bars.advance(bar))

    entered: Entered = run(sent())
    document = {
        "cohort": cohort,
        "contacts": entered.contacts,
        "mentors": entered.mentors,
        "managers": entered.managers,
        "unconfirmed": entered.unconfirmed,
        "refused": entered.rules,
        "refusals": entered.refused,
    }
    table = Table("what", "accepted", title=f"Entered into {cohort}")
    for name in ("contacts", "mentors", "managers"):
        table.add_row(name, str(document[name]))
    notes = [f"not accepted, {rule}: {times}" for rule, times in entered.rules.items()]
    if entered.unconfirmed:
        notes.append(f"sent, and nothing seen of them yet: {entered.unconfirmed}")
    answer(document, json_, table, *notes)
    sys.exit(0 if entered.clean else 1)


@app.command("match")
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
        TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), console=progress
    ) as bars:
        bar = bars.add_task("looking for mentors", total=None)

        def told(done: int, total: int, joined: int) -> None:
            again = f", {joined:,} more to compare" if joined else ""
            bars.update(bar, completed=done, total=total, description=f"pairing{again}")

        found = match(mentors, managers, policy, told)
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
    made = document["objective"]
    notes.append(f"{made['pairs']:,} pairs, {made['score']:,.1f} points; no pairing does better")
    answer(document, json_, table, *notes)


@app.command("round")
def round_(
    cohort: Cohort,
    round_id: Annotated[str, typer.Option("--round", help="The round's id; it runs once.")],
    matching: MatchingUrl,
    simulate: Annotated[
        bool, typer.Option("--simulate", help="Only show the pairs; nobody is asked.")
    ] = False,
    token: Token = None,
    json_: Json = False,
) -> None:
    """Pair the people who wait, and show what was proposed, or would be.

    Example: connecte round --cohort bercy-2017 --round round-1 --simulate
    """
    from deploy.operating.platform import Platform, checked_id, run_round
    from schemas.matching import RunRound

    checked_id("--cohort", cohort)
    mode: Literal["publish", "simulate"] = "simulate" if simulate else "publish"
    command = RunRound(cohort_id=cohort, round_id=checked_id("--round", round_id), mode=mode)

    async def done() -> dict[str, Any]:
        async with Platform({"matching": matching}, token) as platform:
            return await run_round(platform, command)

    document = run(done())
    figures = document["round"]
    table = Table("mentor", "manager", "score", "state", "to begin with", title=f"Round {round_id}")
    for pair in document["pairs"]:
        score, tools = f"{pair['score']:.1f}", ", ".join(pair["tools"])
        table.add_row(pair["mentor_id"], pair["manager_id"], score, pair["state"], tools)
    waiting, free = figures["managers_waiting"], figures["places_free"]
    note = f"{figures['proposed']} proposed, {waiting} managers wait on, {free} places are free"
    answer(document, json_, table, note)


@app.command()
def chaos(
    json_: Json = False,
    seed: Annotated[int, typer.Option(help="The same seed plans the same faults.")] = 1,
    minutes: Annotated[float, typer.Option(min=0.1, max=600, help="How long faults come.")] = 2.0,
    faults: Annotated[
        str | None, typer.Option(help="Kinds with commas between; `help` lists them.")
    ] = None,
    plan: Annotated[
        bool, typer.Option("--plan", help="Only show which fault would come when.")
    ] = False,
    keep: Annotated[Path | None, typer.Option(help="Leave logs and data here.")] = None,
) -> None:
    """Run programmes on a real Kafka and a replica set under faults, then check (Java, Maven).

    Example: connecte chaos --seed 1 --minutes 2 --faults kill-service,step-down
    """
    from deploy.trial.chaos.command import wreak

    sys.exit(wreak(seed=seed, minutes=minutes, faults=faults, plan=plan, keep=keep, as_json=json_))


if __name__ == "__main__":
    main()
