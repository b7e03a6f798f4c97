"""`connecte`: the command of the people who operate the platform.

Every subcommand has `--help` with an example and `--json` for machines: one JSON document on
standard output, progress on standard error. Exit code 2 and one clear line for bad input.
"""

import asyncio
import json
import shutil
import signal
import sys
import tempfile
from collections.abc import Coroutine, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.table import Table

app = typer.Typer(
    name="connecte",
    help="Runs and operates the reverse-mentoring platform.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)
progress = Console(stderr=True)
output = Console()

Json = Annotated[bool, typer.Option("--json", help="One JSON document on standard output.")]


class BadInput(Exception):
    """What was given cannot be used; the text says what and why."""


def main() -> None:
    """The entry point."""
    try:
        app()
    except BadInput as error:
        progress.print(f"connecte: {error}", style="red", markup=False, highlight=False)
        sys.exit(2)


@contextmanager
def scratch(name: str) -> Iterator[Path]:
    """A directory for one run; nothing of it is left."""
    directory = Path(tempfile.mkdtemp(prefix=f"connecte-{name}-"))
    try:
        yield directory
    finally:
        shutil.rmtree(directory, ignore_errors=True)


def run(job: Coroutine[Any, Any, Any]) -> Any:
    """Run to the end; Ctrl-C and a termination end it the same way, with everything cleaned up."""

    async def guarded() -> Any:
        task = asyncio.ensure_future(job)
        loop = asyncio.get_running_loop()
        for signum in (signal.SIGINT, signal.SIGTERM):
            loop.add_signal_handler(signum, task.cancel)
        return await task

    try:
        return asyncio.run(guarded())
    except asyncio.CancelledError:
        progress.print("stopped")
        sys.exit(130)


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
        float | None, typer.Option(help="Kill a service at random about every so many seconds.")
    ] = None,
    maildir: Annotated[Path | None, typer.Option(help="Keep every letter here.")] = None,
) -> None:
    """Run the 2017 pilot from nothing to its verdict, on this machine, and check it.

    Example: connecte demo --managers 400 --mentors 600 --seed 7
    """
    from deploy.local.demonstration import demonstrate

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
    from deploy.local.process import PartError
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
        try:
            run(stay(directory))
        except PartError as error:
            raise BadInput(str(error)) from None


if __name__ == "__main__":
    main()
