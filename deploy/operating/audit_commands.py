"""`connecte audit`: who did what in a cohort."""

from dataclasses import asdict
from typing import Annotated

import typer
from rich.table import Table

from deploy.operating.console import Json, answer, run
from deploy.operating.programme_commands import checked_id


def audit(
    cohort: Annotated[str, typer.Argument(help="The cohort.")],
    actor: Annotated[str | None, typer.Option(help="Only what this one did, by their id.")] = None,
    about: Annotated[
        str | None, typer.Option(help="Only what concerns this person, pair or session.")
    ] = None,
    all_: Annotated[
        bool, typer.Option("--all", help="And what followed from it, further on.")
    ] = False,
    json_: Json = False,
) -> None:
    """Show who did what in a COHORT: when, in which role, through what, and what was refused.

    From the broker (KAFKA_BOOTSTRAP_SERVERS), with an account that may read all topics. People are
    known by their ids; what nobody is behind (deadlines, answers to surveys, records of before) is
    not shown.

    Example: connecte audit bercy-2017 --about m-017
    """
    from deploy.operating.auditing import acts
    from deploy.operating.reach import access

    checked_id("COHORT", cohort)
    found = run(acts(access(kafka=True), cohort, actor, about))
    shown = [act for act in found if all_ or not act.follows]
    table = Table("when", "who", "role", "through", "what", "about")
    for act in shown:
        what = f"{act.what}, refused: {act.refused}" if act.refused else act.what
        when = act.time.isoformat(timespec="seconds")
        table.add_row(when, act.actor, act.role, act.via, what, act.about)
    acts_told = [{**asdict(act), "time": act.time.isoformat()} for act in shown]
    answer({"cohort": cohort, "acts": acts_told}, json_, table)
