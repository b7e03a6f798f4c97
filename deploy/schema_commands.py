"""`connecte schemas`: the published language as files."""

import sys
from typing import Annotated

import typer
from rich.table import Table

from deploy.console import Json, answer

schema_commands = typer.Typer(help="The published language as files.", no_args_is_help=True)


@schema_commands.command("generate")
def schemas_generate(
    check: Annotated[bool, typer.Option("--check", help="Only say what is not current.")] = False,
    json_: Json = False,
) -> None:
    """Write schemas/catalogue: JSON Schema per message, topics.json, asyncapi.json.

    With --check nothing is written, and the exit code is 1 if something is not current.

    Example: connecte schemas generate --check
    """
    from schemas.generate import differing, write

    names = differing() if check else write()
    done = "not current" if check else "written"
    lines = [f"{done}: {name}" for name in names] or ["everything is current"]
    answer({"check": check, "files": names}, json_, *lines)
    sys.exit(1 if check and names else 0)


@schema_commands.command("list")
def schemas_list(json_: Json = False) -> None:
    """Show every message type: its version, who may read it, what it says.

    Example: connecte schemas list --json
    """
    from schemas.generate import messages

    table = Table("message", "version", "audience", "what it says", title="Messages")
    for row in messages():
        table.add_row(row["name"], str(row["version"]), row["audience"], row["summary"])
    answer(messages(), json_, table)
