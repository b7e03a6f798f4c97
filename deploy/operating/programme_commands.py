"""`connecte import` and `connecte round`: a cohort's people, and its rounds, through HTTP."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn
from rich.table import Table

from deploy.errors import BadInput
from deploy.operating.console import Json, answer, progress, run

if TYPE_CHECKING:
    from deploy.operating.entering import Entered

Cohort = Annotated[str, typer.Option(help="The cohort's id.")]
MatchingUrl = Annotated[
    str,
    typer.Option("--matching", envvar="CONNECTE_MATCHING_URL", help="Address of matching."),
]
NotifyUrl = Annotated[
    str,
    typer.Option("--notify", envvar="CONNECTE_NOTIFY_URL", help="Address of notify."),
]
Token = Annotated[
    str | None,
    typer.Option(envvar="CONNECTE_HTTP_TOKEN", help="The services' token.", show_default=False),
]


def import_(
    cohort: Cohort,
    mentors: Annotated[Path, typer.Option(help="File of the mentors: CSV, .xlsx or .ods.")],
    managers: Annotated[Path, typer.Option(help="File of the managers.")],
    matching: MatchingUrl,
    notify: NotifyUrl,
    lines: Annotated[
        Path | None,
        typer.Option(help="File of who reports to whom, of everybody: CSV, person;chief."),
    ] = None,
    pseudonym_key: Annotated[
        str | None,
        typer.Option(
            envvar="CONNECTE_PSEUDONYM_KEY",
            help="Key of the pseudonyms of chiefs who take no part.",
            show_default=False,
        ),
    ] = None,
    open_: Annotated[
        str | None, typer.Option("--open", metavar="NAME", help="Open the cohort first.")
    ] = None,
    token: Token = None,
    json_: Json = False,
) -> None:
    """Enter everybody of two rosters into a cohort. Doing it again changes nothing.

    Every row is checked before anything is sent. Exit code 1 if somebody was refused. With --lines,
    the chiefs above everybody are known too, those who take no part under a pseudonym.

    Example: connecte import --cohort bercy-2017 --open "Pilot" --mentors a.csv --managers b.csv
    """
    from deploy.operating.entering import enter
    from deploy.operating.line_files import read_lines
    from deploy.operating.platform import Platform
    from deploy.operating.rosters import read_rosters
    from schemas.matching import OpenCohort

    checked_id("--cohort", cohort)
    roster = read_rosters(mentors, managers, cohort)
    opening = None if open_ is None else OpenCohort(cohort_id=cohort, name=open_)
    above = [] if lines is None else read_lines(lines, cohort, roster, pseudonym_key)
    count = len(roster.contacts) + len(roster.mentors) + len(roster.managers) + len(above)
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn())

    async def sent() -> "Entered":
        platform = Platform({"matching": matching, "notify": notify}, token, "roster")
        with Progress(*columns, console=progress) as bars:
            bar = bars.add_task("contacts and people", total=count)
            async with platform:
                return await enter(platform, roster, opening, lambda: bars.advance(bar), above)

    entered: Entered = run(sent())
    document, table, notes = _shown(cohort, entered)
    document["warnings"] = [str(warning) for warning in roster.warnings]
    for warning in document["warnings"]:
        progress.print(warning, markup=False, highlight=False)
    answer(document, json_, table, *notes)
    sys.exit(0 if entered.clean else 1)


def _shown(cohort: str, entered: "Entered") -> tuple[dict[str, Any], Table, list[str]]:
    """What became of the rosters: for machines, and as a table with notes for people."""
    document = {
        "cohort": cohort,
        "contacts": entered.contacts,
        "mentors": entered.mentors,
        "managers": entered.managers,
        "lines": entered.lines,
        "unconfirmed": entered.unconfirmed,
        "refused": entered.rules,
        "refusals": entered.refused,
    }
    table = Table("what", "accepted", title=f"Entered into {cohort}")
    for name in ("contacts", "mentors", "managers", "lines"):
        table.add_row(name, str(document[name]))
    notes = [f"not accepted, {rule}: {times}" for rule, times in entered.rules.items()]
    if entered.unconfirmed:
        notes.append(f"sent, and nothing seen of them yet: {entered.unconfirmed}")
    return document, table, notes


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
    from deploy.operating.platform import Platform
    from deploy.operating.rounds import run_round
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


def checked_id(option: str, value: str) -> str:
    """The value of an option that is an id of a cohort, a person or a round."""
    from pydantic import TypeAdapter, ValidationError

    from schemas.base import CohortId

    try:
        return TypeAdapter(CohortId).validate_python(value)
    except ValidationError:
        raise BadInput(
            f"{option}: {value!r} is no id: a letter or digit, then at most 47 letters, digits, "
            f"'.', '_' or '-'"
        ) from None
