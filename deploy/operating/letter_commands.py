"""`connecte letters`: what letters look like."""

from pathlib import Path
from typing import Annotated

import typer
from rich.table import Table

from deploy.errors import BadInput
from deploy.operating.console import Json, answer

letter_commands = typer.Typer(help="Look at letters.", no_args_is_help=True)


@letter_commands.callback()
def _letters() -> None:
    """Look at letters."""


@letter_commands.command("preview")
def letters_preview(
    directory: Annotated[Path, typer.Argument(help="Where the files go; made if it is missing.")],
    name: Annotated[
        str | None, typer.Option(help="The programme's name in them.", show_default=False)
    ] = None,
    contact: Annotated[
        str | None,
        typer.Option(
            envvar="CONNECTE_MAIL_CONTACT", help="Address for questions.", show_default=False
        ),
    ] = None,
    json_: Json = False,
) -> None:
    """Write every letter of every event, branch, reader and language, with an index page.

    Needs no service and sends nothing.

    Example: connecte letters preview build/letters --name "Connecte ton manager"
    """
    from deploy.operating.letters_preview import letters, write
    from services.chassis.addresses import an_address

    try:
        contact = contact and an_address(contact)
    except ValueError as error:
        raise BadInput(f"--contact: {error}") from None
    found = list(letters(name, contact))
    write(directory, found)
    index = directory / "index.html"
    rows = [
        {
            "name": letter.name,
            "template": letter.template,
            "branch": letter.branch,
            "side": letter.side,
            "language": letter.language,
            "subject": letter.subject,
        }
        for letter in found
    ]
    table = Table("event", "letters", title="Letters, by event")
    for template in dict.fromkeys(letter.template for letter in found):
        table.add_row(template, str(sum(letter.template == template for letter in found)))
    answer({"index": str(index), "letters": rows}, json_, table, f"look at {index}")
