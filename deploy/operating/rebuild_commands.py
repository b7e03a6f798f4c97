"""`connecte rebuild`: a service's database, folded again from its events."""

import sys
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeRemainingColumn

from deploy.errors import BadInput
from deploy.operating.console import Json, Service, answer, progress, run

if TYPE_CHECKING:
    from deploy.operating.reach import Access
    from deploy.operating.rebuilding import Rebuilt


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
    from deploy.operating.rebuilding import forget_older

    if verify and forget_old:
        raise BadInput("--forget-old and --verify are two different things")
    reach = access(kafka=True, mongodb=True)
    if forget_old:
        dropped = run(forget_older(reach, service))
        answer({"service": service, "dropped": dropped}, json_, f"{len(dropped)} dropped")
        return
    rebuilt, seconds = _rebuilt(reach, service, verify=verify)
    different = rebuilt.differences or []
    document = _document(service, rebuilt, seconds, verify=verify)
    lines = [f"{rebuilt.events} events folded in {seconds:.1f} s"]
    if verify:
        lines += [f"different: {name}" for name in different]
        lines.append(f"{len(different)} documents differ" if different else "not one byte differs")
    else:
        lines.append(
            f"generation {rebuilt.generation} is live; writing paused for {rebuilt.pause:.1f} s"
        )
    answer(document, json_, *lines)
    sys.exit(1 if different else 0)


def _rebuilt(reach: "Access", service: Service, *, verify: bool) -> tuple["Rebuilt", float]:
    """Fold it, with a bar that fills; what came of it, and the seconds that it took."""
    from deploy.operating.rebuilding import journal_size, rebuild_service

    columns = (TextColumn("{task.description}"), BarColumn(), TaskProgressColumn(show_speed=True))
    with Progress(*columns, TimeRemainingColumn(), console=progress) as bars:
        bar = bars.add_task(service, total=run(journal_size(reach, service)))

        def note(what: str) -> None:
            bars.update(bar, description=f"{service}: {what}")

        job = rebuild_service(
            reach, service, verify=verify, advance=lambda n: bars.advance(bar, n), note=note
        )
        rebuilt: Rebuilt = run(job)
        return rebuilt, bars.tasks[0].elapsed or 0.0


def _document(
    service: Service, rebuilt: "Rebuilt", seconds: float, *, verify: bool
) -> dict[str, Any]:
    return {
        "service": service,
        "database": rebuilt.database,
        "generation": rebuilt.generation,
        "published": rebuilt.published,
        "events": rebuilt.events,
        "seconds": round(seconds, 3),
        "pause": round(rebuilt.pause, 3),
        "verified": verify,
        "differences": rebuilt.differences or [],
    }
