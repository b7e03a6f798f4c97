"""`connecte` as operators run it: a process of its own."""

import asyncio
import io
import json
import os
import sys
from contextlib import redirect_stderr, redirect_stdout
from pathlib import Path
from typing import Any
from unittest.mock import patch

from deploy.cli import main

ROOT = Path(__file__).parents[3]


class Done:
    """How a command ended."""

    def __init__(self, code: int, out: str, err: str) -> None:
        self.code, self.out, self.err = code, out, err

    @property
    def document(self) -> Any:
        return json.loads(self.out)


def connecte_here(*arguments: str) -> Done:
    """Run it in this process, through the same door: where many wrong inputs are tried of a command
    that talks to nobody, a process for each would be most of the work."""
    out, err = io.StringIO(), io.StringIO()
    argv = patch.object(sys, "argv", ["connecte", *arguments])
    with argv, redirect_stdout(out), redirect_stderr(err):
        try:
            main()
            code = 0
        except SystemExit as ended:
            code = int(ended.code or 0)
    return Done(code, out.getvalue(), err.getvalue())


async def connecte(*arguments: str, **settings: str) -> Done:
    """Run it as a process of its own, as operators do."""
    ours = {k: v for k, v in os.environ.items() if not k.startswith(("CONNECTE_", "MONGODB_"))}
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "deploy.cli", *arguments),
        cwd=ROOT,
        env={**ours, **settings},
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    out, err = await process.communicate()
    assert process.returncode is not None
    return Done(process.returncode, out.decode(), err.decode())
