"""What the subcommands of `connecte` share: options, answers, a run to the end."""

import asyncio
import json
import shutil
import signal
import sys
import tempfile
from collections.abc import Coroutine, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any, Literal

import typer
from rich.console import Console
from rich.table import Table

progress = Console(stderr=True)
output = Console()

Json = Annotated[bool, typer.Option("--json", help="One JSON document on standard output.")]
Service = Literal["matching", "scheduling", "feedback", "notify", "portal"]


def answer(document: Any, as_json: bool, *parts: Table | str) -> None:
    """What a subcommand has to say: the document for machines, or the parts for people."""
    if as_json:
        print(json.dumps(document), flush=True)  # noqa: T201
    else:
        for part in parts:
            output.print(part, markup=False, highlight=False)


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
