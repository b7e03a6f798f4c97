"""What the subcommands of `connecte` share: options, answers, a run to the end."""

import asyncio
import json
import shutil
import signal
import sys
import tempfile
import unicodedata
from collections.abc import Coroutine, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any, Literal

import typer
from rich.console import Console
from rich.table import Table
from rich.text import Text


class Plain(Console):
    """A terminal that is shown what others have written, and obeys none of it.

    What stands aside, and who asked for what, is told in a stranger's bytes: signs by which a
    terminal is steered, or a line is read backwards, are told as what they are.
    """

    def render_str(self, text: str, **how: Any) -> Text:
        """As the library's."""
        return super().render_str("".join(map(_harmless, text)), **how)


def _harmless(sign: str) -> str:
    steers = sign not in "\n\t" and unicodedata.category(sign) in ("Cc", "Cf", "Cs")
    return ascii(sign)[1:-1] if steers else sign


progress = Plain(stderr=True)
output = Plain()

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
