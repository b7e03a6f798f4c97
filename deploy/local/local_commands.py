"""`connecte up`: the platform on this machine, from a checkout."""

import json
from pathlib import Path

from rich.table import Table

from deploy.operating.console import Json, output, run, scratch


def up(json_: Json = False) -> None:
    """Start the platform on this machine, with the real clock, until Ctrl-C.

    Example: connecte up --json
    """
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
        run(stay(directory))
