"""`connecte coordinators`: who is told in the morning what wants attention in a cohort.

Always holds: of somebody who is known in the cohort nothing is changed but what was asked; nobody
is named in a cohort that there is not; no message of this module shows a name or an address.
"""

from collections.abc import Callable, Mapping
from difflib import get_close_matches
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from deploy.errors import BadInput, OperationFailed
from deploy.operating.console import Json, answer, run
from deploy.operating.programme_commands import Cohort, MatchingUrl, NotifyUrl, Token, checked_id

if TYPE_CHECKING:
    from deploy.operating.platform import Platform
    from schemas.topics import Service

coordinator_commands = typer.Typer(
    help="A cohort's coordinators: name, remove.", no_args_is_help=True
)
Who = Annotated[str, typer.Argument(metavar="PERSON", help="Their id in the cohort.")]

Contact = Mapping[str, Any]
"""The fields of a `PersonContact` that are known, but cohort and id; empty of a stranger."""


@coordinator_commands.callback()
def _coordinators() -> None:
    """A cohort's coordinators: name, remove."""


@coordinator_commands.command("name")
def coordinators_name(
    who: Who,
    cohort: Cohort,
    matching: MatchingUrl,
    notify: NotifyUrl,
    name: Annotated[
        str | None, typer.Option(help="As letters address them.", show_default=False)
    ] = None,
    email: Annotated[
        str | None, typer.Option(help="Where letters reach them.", show_default=False)
    ] = None,
    language: Annotated[
        Literal["fr", "en"] | None, typer.Option(help="Of their letters.", show_default=False)
    ] = None,
    token: Token = None,
    json_: Json = False,
) -> None:
    """Name PERSON a coordinator: a letter tells them in the morning what wants attention.

    Whoever is known in the cohort, as a mentor or a coordinator, needs no --name and no --email;
    what is given is changed, and nothing else. What somebody may see in the portal is another
    matter: connecte roles give.

    Example: connecte coordinators name c-1 --cohort bercy-2017 --name Lise --email lise@m.example
    """
    given = {"name": name, "email": email, "language": language}
    changes = {field: value for field, value in given.items() if value is not None}

    def named(known: Contact) -> Contact:
        found = {**known, **changes, "role": "coordinator"}
        if missing := [f"--{field}" for field in ("name", "email") if field not in found]:
            raise BadInput(f"{who} is not known in {cohort} yet: give {' and '.join(missing)}")
        return found

    run(_change(cohort, who, {"matching": matching, "notify": notify}, token, named))
    document = {"cohort": cohort, "person": who, "coordinator": True}
    answer(document, json_, f"{who} is a coordinator of {cohort}")


@coordinator_commands.command("remove")
def coordinators_remove(
    who: Who,
    cohort: Cohort,
    matching: MatchingUrl,
    notify: NotifyUrl,
    token: Token = None,
    json_: Json = False,
) -> None:
    """Have PERSON be a coordinator no more: no letter tells them any more what wants attention.

    Whatever else they are in the cohort they stay, and so do their name and address: connecte
    erase has those forgotten.

    Example: connecte coordinators remove coordination --cohort bercy-2017
    """

    def removed(known: Contact) -> Contact:
        if known.get("role") != "coordinator":
            raise BadInput(f"{who} is no coordinator of {cohort}")
        return {**known, "role": None}

    run(_change(cohort, who, {"matching": matching, "notify": notify}, token, removed))
    document = {"cohort": cohort, "person": who, "coordinator": False}
    answer(document, json_, f"{who} is no coordinator of {cohort} any more")


async def _change(
    cohort: str,
    who: str,
    urls: "Mapping[Service, str]",
    token: str | None,
    change: Callable[[Contact], Contact],
) -> None:
    """Send the contact that a change makes of the one that there is, and wait until it is seen."""
    from deploy.operating.platform import Platform
    from schemas.people import PersonContact

    checked_id("--cohort", cohort)
    checked_id("PERSON", who)
    async with Platform(urls, token) as platform:
        known = await contact(platform, cohort, who)
        command = PersonContact.model_validate(
            {**change(known), "cohort_id": cohort, "person_id": who}
        )
        outcome = await platform.send("notify", command)
    if not outcome.done:
        raise OperationFailed(outcome.detail or "it was sent, and nothing seen of it in time")


async def contact(platform: "Platform", cohort: str, who: str) -> Contact:
    """What is known of somebody in a cohort. Raises `BadInput` where there is no such cohort."""
    from schemas.people import PersonContact

    # Notify keeps a contact of any cohort, and so cannot tell whether there is one.
    cohorts = [row["id"] for row in await platform.listing("matching", "/cohorts")]
    if cohort not in cohorts:
        near = get_close_matches(cohort, cohorts, n=1)
        meant = f"; is {near[0]} meant?" if near else ""
        raise BadInput(f"--cohort: there is no cohort {cohort}, or not for this token{meant}")
    copy = await platform.found("notify", f"/cohorts/{cohort}/people/{who}")
    people = copy["documents"].get("people", ()) if copy else ()
    return {
        field: value
        for row in people
        for field, value in row.items()
        if field in PersonContact.model_fields and field != "cohort_id"
    }
