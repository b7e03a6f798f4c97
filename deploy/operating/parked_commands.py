"""`connecte parked`: the records that a service has set aside."""

import sys
from typing import TYPE_CHECKING, Annotated

import typer
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn
from rich.table import Table

from deploy.errors import BadInput
from deploy.operating.console import Json, Service, answer, progress, run

if TYPE_CHECKING:
    from deploy.operating.parked import Wish

parked_commands = typer.Typer(
    help="Records that were set aside: to see, to have handled again, to drop.",
    no_args_is_help=True,
)

Whose = Annotated[Service, typer.Argument(help="Whose records.")]
Origins = Annotated[
    list[str] | None,
    typer.Argument(
        metavar="[ORIGIN]...",
        help="Which ones: topic/partition/offset, as `parked list` shows them.",
    ),
]
All = Annotated[bool, typer.Option("--all", help="All that stand aside.")]
Reason = Annotated[
    str | None, typer.Option(help="Those set aside for this reason, and what waits behind them.")
]
Wait = Annotated[float, typer.Option(min=1, help="Seconds to wait for what comes of it.")]


@parked_commands.command("list")
def parked_list(
    service: Annotated[Service | None, typer.Option(help="Only of this service.")] = None,
    reason: Annotated[str | None, typer.Option(help="Only for this reason.")] = None,
    limit: Annotated[int, typer.Option(min=1, max=100_000, help="At most, per service.")] = 100,
    json_: Json = False,
) -> None:
    """List the records that were set aside, from the services' databases (MONGODB_URI).

    And the deadlines that could not be decided on, which are tried again by themselves.

    Example: connecte parked list --service matching
    """
    from deploy.operating.parked import deadlines_aside, parked_records
    from deploy.operating.reach import SERVICES, access

    chosen = SERVICES if service is None else (service,)
    items, total = run(parked_records(access(mongodb=True), chosen, limit, reason))
    deadlines = run(deadlines_aside(access(mongodb=True), chosen, limit)) if reason is None else []
    table = Table("service", "origin", "reason", "attempts", "detail", title=f"{total} parked")
    for item in items:
        attempts = str(item["attempts"])
        table.add_row(item["service"], item["origin"], item["reason"], attempts, item["detail"])
    for row in deadlines:
        deadline = f"deadline {row['collection']} {row['key']}"
        attempts = str(row["attempts"])
        table.add_row(row["service"], deadline, row["reason"], attempts, row["detail"])
    answer({"items": items, "total": total, "deadlines": deadlines}, json_, table)


@parked_commands.command("show")
def parked_show(
    service: Whose,
    origin: Annotated[str, typer.Argument(help="topic/partition/offset")],
    bytes_: Annotated[
        bool, typer.Option("--bytes", help="Its value too, which can hold names and addresses.")
    ] = False,
    json_: Json = False,
) -> None:
    """Show one record that was set aside: why, its headers, what waits behind it.

    Example: connecte parked show matching mentoring.matching.commands/3/1042
    """
    from deploy.operating.parked import parked_record
    from deploy.operating.reach import access

    found = run(parked_record(access(mongodb=True), service, origin, with_value=bytes_))
    table = Table("what", "value", title=origin)
    for name, value in found.items():
        shown = value.items() if isinstance(value, dict) else [("", value)]
        for key, text in shown:
            table.add_row(f"{name} {key}".strip(), str(text))
    answer(found, json_, table)


@parked_commands.command("retry")
def parked_retry(
    service: Whose,
    origins: Origins = None,
    reason: Reason = None,
    all_: All = False,
    accept_gap: Annotated[
        bool,
        typer.Option("--accept-gap", help="Go on after events that are missing for good."),
    ] = False,
    wait: Wait = 60,
    json_: Json = False,
) -> None:
    """Have records handled that were set aside, in their order, once the cause is mended.

    One that fails again stays, with one attempt more, and so does what waits behind it: then the
    exit code is 1. Settings: KAFKA_BOOTSTRAP_SERVERS, MONGODB_URI.

    Example: connecte parked retry matching --all
    """
    from deploy.operating.parked import Wish

    if accept_gap and origins:
        raise BadInput("--accept-gap is for all records behind a gap: name no record with it")
    if accept_gap and not all_:
        reason = reason or "sequence-gap"
    _carry_out(Wish(service, tuple(origins or ()), reason, all_, accept_gap), wait, json_)


@parked_commands.command("drop")
def parked_drop(
    service: Whose,
    because: Annotated[str, typer.Option(help="Why; it is kept with the record's origin.")],
    origins: Origins = None,
    reason: Reason = None,
    all_: All = False,
    wait: Wait = 60,
    json_: Json = False,
) -> None:
    """Never handle these records. What waits behind them waits on, until it is retried.

    Example: connecte parked drop matching mentoring.matching.commands/3/1042 --because "a test"
    """
    from deploy.operating.parked import Wish

    wish = Wish(service, tuple(origins or ()), reason, all_, because=because)
    _carry_out(wish, wait, json_)


def _carry_out(wish: "Wish", wait: float, as_json: bool) -> None:
    from deploy.operating.parked import Answered, carry_out
    from deploy.operating.reach import access

    if not (wish.origins or wish.reason or wish.everything):
        raise BadInput("which ones? Name records, or a --reason, or say --all")
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn())
    with Progress(*columns, console=progress) as bars:
        bar = bars.add_task("records", total=None)

        def show(done: int, total: int) -> None:
            bars.update(bar, completed=done, total=total)

        found: Answered = run(carry_out(access(kafka=True, mongodb=True), wish, wait, show))
    document = {
        "service": wish.service,
        "chosen": found.chosen,
        "handled": found.chosen - found.left,
        "left": found.left,
    }
    done = "dropped" if wish.because else "handled"
    lines = [f"{found.chosen} chosen, {found.chosen - found.left} {done}"]
    if found.left:
        lines.append(
            f"{found.left} stand aside still: connecte parked list --service {wish.service}"
        )
    answer(document, as_json, *lines)
    sys.exit(1 if found.left else 0)
