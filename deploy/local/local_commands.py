"""`connecte up`: the platform on this machine, from a checkout."""

import json
from pathlib import Path
from typing import Annotated

import typer
from rich.table import Table

from deploy.operating.console import Json, output, run, scratch

COORDINATOR = "coordination@programme.example"


def up(
    coordinator: Annotated[
        str, typer.Option(help="E-mail address of who coordinates in the portal.")
    ] = COORDINATOR,
    json_: Json = False,
) -> None:
    """Start the platform on this machine, with the real clock, until Ctrl-C.

    Everybody may sign in to the portal: by the link in the letter that it sends to the mailbox.

    Example: connecte up --json
    """
    from deploy.local.stack import WITH_PORTAL, Terms, running_stack

    settings = {"CONNECTE_COORDINATORS": coordinator, "CONNECTE_SIGN_IN_DOMAINS": "*"}
    terms = Terms(services=WITH_PORTAL, settings=settings)

    async def stay(directory: Path) -> None:
        async with running_stack(directory, terms) as stack:
            if json_:
                print(json.dumps(stack.addresses), flush=True)  # noqa: T201
            else:
                table = Table("what", "where", title="Ready; Ctrl-C ends it")
                for name, address in stack.addresses.items():
                    if isinstance(address, dict):
                        for service, url in address.items():
                            table.add_row(service, url if service == "portal" else f"{url}/docs")
                    else:
                        table.add_row(name, str(address))
                output.print(table)
            await stack.failed

    with scratch("up") as directory:
        run(stay(directory))
