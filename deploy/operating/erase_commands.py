"""`connecte erase`: a person leaves, and is forgotten."""

import sys
from dataclasses import asdict
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn
from rich.table import Table

from deploy.errors import BadInput
from deploy.operating.console import Json, answer, progress, run
from deploy.operating.programme_commands import MatchingUrl, NotifyUrl, Token, checked_id

if TYPE_CHECKING:
    from collections.abc import Sequence

    from deploy.operating.erasing import Erased, Trace

NOBODY = "in no cohort is there a mentor or a manager with this id; is it the one of the roster?"
KEPT = (
    "Events keep the person's id, which nothing ties to a name any more. Kafka drops older "
    "contacts of theirs when it compacts mentoring.people. The bytes of a contact that could not "
    "be read stay on mentoring.parked, which operators alone may read."
)


def erase(
    person: Annotated[str, typer.Argument(help="The person's id, the same in every cohort.")],
    matching: MatchingUrl,
    notify: NotifyUrl,
    cohort: Annotated[
        list[str] | None,
        typer.Option(metavar="COHORT", help="One more cohort, which matching does not know."),
    ] = None,
    yes: Annotated[bool, typer.Option("--yes", help="Do it; else only say what stands.")] = False,
    token: Token = None,
    json_: Json = False,
) -> None:
    """Erase a PERSON: they leave every cohort, and nothing can reach or name them any more.

    Pairs of theirs end, and the others are told that, without a reason. The document is the
    certificate: what stood in each cohort before, and what stands after. Doing it again does no
    harm. Exit code 1 if something is left.

    Example: connecte erase m-042 --yes
    """
    from deploy.operating.erasing import erase as erased
    from deploy.operating.erasing import traces
    from deploy.operating.platform import Platform

    checked_id("PERSON", person)
    more = [checked_id("--cohort", one) for one in cohort or ()]
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn())

    async def done() -> "tuple[Sequence[Trace], Sequence[Erased]]":
        async with Platform({"matching": matching, "notify": notify}, token) as platform:
            standing = await traces(platform, person, more)
            if not standing:
                raise BadInput("there is no cohort from which anybody could be erased")
            if not yes:
                return standing, ()
            with Progress(*columns, console=progress) as bars:
                bar = bars.add_task("cohorts", total=len(standing))
                return standing, await erased(platform, person, standing, lambda: bars.advance(bar))

    before, became = run(done())
    if not any(trace.takes_part for trace in before):
        progress.print(NOBODY, markup=False, highlight=False, soft_wrap=True)
    if not yes:
        standing = [asdict(trace) for trace in before if trace.takes_part]
        answer({"person": person, "standing": standing, "erased": False}, json_, _stands(before))
        progress.print("nothing was changed: --yes erases the person")
        return
    answer(_certificate(person, became), json_, _outcome(became), KEPT)
    sys.exit(0 if all(one.whole for one in became) else 1)


def _certificate(person: str, became: "Sequence[Erased]") -> dict[str, Any]:
    return {
        "person": person,
        "erased": all(one.whole for one in became),
        "erased_at": datetime.now(UTC).isoformat(timespec="seconds"),
        "cohorts": [
            {
                "cohort": one.before.cohort_id,
                "mentor": {"before": one.before.mentor, "after": one.after.mentor},
                "manager": {"before": one.before.manager, "after": one.after.manager},
                "forgotten": one.forgotten,
            }
            for one in became
        ],
        "kept": KEPT,
    }


def _stands(traces: "Sequence[Trace]") -> Table:
    table = Table("cohort", "as mentor", "as manager")
    for trace in traces:
        if trace.takes_part:
            table.add_row(trace.cohort_id, trace.mentor or "-", trace.manager or "-")
    return table


def _outcome(became: "Sequence[Erased]") -> Table:
    """Cohorts in which they took part, and those where something is left."""
    table = Table("cohort", "as mentor", "as manager", "forgotten")
    for one in became:
        if one.before.takes_part or not one.whole:
            parts = (one.after.mentor or "-", one.after.manager or "-")
            table.add_row(one.before.cohort_id, *parts, "yes" if one.forgotten else "not yet")
    return table
