"""`connecte parked` and `connecte rebuild`: what operators do to what a service has stored."""

import sys
from typing import TYPE_CHECKING, Annotated

import typer
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    TaskProgressColumn,
    TextColumn,
    TimeRemainingColumn,
)
from rich.table import Table

from deploy.operating.console import BadInput, Json, Service, answer, progress, run

if TYPE_CHECKING:
    from deploy.operating.parked import Wish

parked_commands = typer.Typer(
    help="Records that were set aside: to see, to have handled again, to drop.",
    no_args_is_help=True,
)

Whose = Annotated[Service, typer.Argument(help="Whose records.")]
Origins = Annotated[
    list[str] | None,
    typer.Argument(help="Which ones: topic/partition/offset, as `parked list` shows them."),
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

    Example: connecte parked list --service matching
    """
    from deploy.operating.parked import parked_records
    from deploy.operating.reach import SERVICES, access

    chosen = SERVICES if service is None else (service,)
    items, total = run(parked_records(access(mongodb=True), chosen, limit, reason))
    table = Table("service", "origin", "reason", "attempts", "detail", title=f"{total} parked")
    for item in items:
        attempts = str(item["attempts"])
        table.add_row(item["service"], item["origin"], item["reason"], attempts, item["detail"])
    answer({"items": items, "total": total}, json_, table)


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


def rebuild(
    service: Annotated[Service, typer.Argument(help="Whose database.")],
    verify: Annotated[
        bool, typer.Option("--verify", help="Change nothing: fold it beside and compare.")
    ] = False,
    forget_old: Annotated[
        bool, typer.Option("--forget-old", help="Only drop what earlier rebuilds have left.")
    ] = False,
    json_: Json = False,
) -> None:
    """Fold the database of a SERVICE again from its events, while the service goes on.

    It is built beside the live one and takes its place at once; the old one is kept until
    --forget-old. Settings: KAFKA_BOOTSTRAP_SERVERS, MONGODB_URI, CONNECTE_PARTITIONS,
    CONNECTE_DATABASE_PREFIX. Exit code 1 if --verify finds a difference.

    Example: connecte rebuild matching --verify
    """
    from deploy.operating.reach import access
    from deploy.operating.rebuilding import Rebuilt, forget_older, journal_size, rebuild_service

    if verify and forget_old:
        raise BadInput("--forget-old and --verify are two different things")
    reach = access(kafka=True, mongodb=True)
    if forget_old:
        dropped = run(forget_older(reach, service))
        answer({"service": service, "dropped": dropped}, json_, f"{len(dropped)} dropped")
        return
    columns = (TextColumn("{task.description}"), BarColumn(), TaskProgressColumn(show_speed=True))
    with Progress(*columns, TimeRemainingColumn(), console=progress) as bars:
        bar = bars.add_task(service, total=run(journal_size(reach, service)))

        def note(what: str) -> None:
            bars.update(bar, description=f"{service}: {what}")

        job = rebuild_service(
            reach, service, verify=verify, advance=lambda n: bars.advance(bar, n), note=note
        )
        found: Rebuilt = run(job)
        seconds = bars.tasks[0].elapsed or 0.0
    different = found.differences or []
    document = {
        "service": service,
        "database": found.database,
        "generation": found.generation,
        "published": found.published,
        "events": found.events,
        "seconds": round(seconds, 3),
        "pause": round(found.pause, 3),
        "verified": verify,
        "differences": different,
    }
    lines = [f"{found.events} events folded in {seconds:.1f} s"]
    if verify:
        lines += [f"different: {name}" for name in different]
        lines.append(f"{len(different)} documents differ" if different else "not one byte differs")
    else:
        lines.append(
            f"generation {found.generation} is live; writing paused for {found.pause:.1f} s"
        )
    answer(document, json_, *lines)
    sys.exit(1 if different else 0)
