"""`connecte letters`: what letters look like, what became of them, and failed ones once more."""

from pathlib import Path
from typing import Annotated, Any, Literal

import typer
from rich.table import Table

from deploy.errors import BadInput
from deploy.operating.console import Json, answer, run
from deploy.operating.programme_commands import Cohort, NotifyUrl, Token, checked_id

letter_commands = typer.Typer(help="Letters: look, list, resend.", no_args_is_help=True)


@letter_commands.callback()
def _letters() -> None:
    """Letters: look, list, resend."""


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
    texts: Annotated[
        Path | None,
        typer.Option(
            envvar="CONNECTE_LETTERS_DIR",
            help="Folder of changed texts; they are checked.",
            show_default=False,
        ),
    ] = None,
    cohort: Annotated[
        str, typer.Option(help="The cohort whose changed texts are shown.")
    ] = "bercy-2017",
    json_: Json = False,
) -> None:
    """Write every letter of every event, branch, reader and language, with an index page.

    Needs no service and sends nothing. With --texts a cohort's own texts are checked, as notify
    does it, and shown.

    Example: connecte letters preview build/letters --name "Connecte ton manager"
    """
    from deploy.operating.letters_preview import letters, write
    from services.chassis.addresses import an_address
    from services.notify.settings import read_texts
    from services.notify.texts import STANDARD, WrongTexts

    try:
        contact = contact and an_address(contact)
    except ValueError as error:
        raise BadInput(f"--contact: {error}") from None
    checked_id("--cohort", cohort)
    try:
        changed = read_texts(texts) if texts else STANDARD
    except WrongTexts as error:
        raise BadInput(f"--texts: {error}") from None
    found = list(letters(name, contact, changed, cohort))
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


State = Literal["queued", "sent", "failed"]


@letter_commands.command("list")
def letters_list(
    cohort: Cohort,
    notify: NotifyUrl,
    state: Annotated[
        State | None, typer.Option(help="Only letters in this state.", show_default=False)
    ] = None,
    person: Annotated[
        str | None, typer.Option(help="Only those of this person's id.", show_default=False)
    ] = None,
    token: Token = None,
    json_: Json = False,
) -> None:
    """List a cohort's letters: to whom (an id), about what, and what became of them; no text.

    Example: connecte letters list --cohort bercy-2017 --state failed
    """
    found = run(_listed(cohort, notify, token, state, person))
    rows = [
        {
            name: row.get(name)
            for name in ("id", "person_id", "template", "state", "cause", "due_at")
        }
        for row in found
    ]
    table = Table("letter", "state", "cause", "due", title=f"Letters of {cohort}")
    for row in rows:
        table.add_row(row["id"], row["state"], row["cause"] or "", str(row["due_at"] or ""))
    answer({"letters": rows}, json_, table)


@letter_commands.command("resend")
def letters_resend(
    cohort: Cohort,
    notify: NotifyUrl,
    letters: Annotated[
        list[str] | None, typer.Argument(metavar="LETTER", help="Ids, as `list` shows them.")
    ] = None,
    cause: Annotated[
        str | None, typer.Option(help="All that failed for this cause.", show_default=False)
    ] = None,
    token: Token = None,
    json_: Json = False,
) -> None:
    """Try failed letters once more: those of these ids, or all that failed for a cause.

    Exit code 1 if one was refused: a letter that has not failed is not sent again.

    Example: connecte letters resend --cohort bercy-2017 --cause "smtp 550"
    """
    if bool(letters) == bool(cause):
        raise BadInput("name either letters by their ids or a --cause")
    asked, refused = run(_resent(cohort, notify, token, letters or [], cause))
    table = Table("letter", "why not", title="Refused")
    for letter, why in refused:
        table.add_row(letter, why)
    document = {
        "resent": asked,
        "refused": [{"letter": letter, "why": why} for letter, why in refused],
    }
    parts = [table] if refused else []
    answer(document, json_, *parts, f"{len(asked)} letters are tried again")
    if refused:
        raise typer.Exit(1)


async def _listed(
    cohort: str, notify: str, token: str | None, state: str | None, person: str | None
) -> list[dict[str, Any]]:
    from deploy.operating.platform import Platform

    checked_id("--cohort", cohort)
    by = {name: value for name, value in (("state", state), ("person_id", person)) if value}
    async with Platform({"notify": notify}, token) as platform:
        return await platform.listing("notify", f"/cohorts/{cohort}/letters", **by)


async def _resent(
    cohort: str, notify: str, token: str | None, letters: list[str], cause: str | None
) -> tuple[list[str], list[tuple[str, str]]]:
    """The ids of those that are tried again, and (id, why not) of the others."""
    from deploy.operating.platform import Platform
    from schemas.notify import RetryLetter

    if cause is not None:
        failed = await _listed(cohort, notify, token, "failed", None)
        letters = [row["id"] for row in failed if row.get("cause") == cause]
    checked_id("--cohort", cohort)
    resent, refused = [], []
    async with Platform({"notify": notify}, token) as platform:
        for letter in letters:
            outcome = await platform.send("notify", RetryLetter(cohort_id=cohort, letter_id=letter))
            if outcome.rule is None:
                resent.append(letter)
            else:
                refused.append((letter, outcome.detail))
    return resent, refused
