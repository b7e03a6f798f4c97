"""`connecte roles`: who has which role in a cohort because it was given, and giving and taking it.

Always holds: nothing is changed of somebody who is known in the cohort; no message of this module
shows a name or an address.
"""

from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.table import Table

from deploy.errors import BadInput, OperationFailed
from deploy.operating.console import Json, answer, run
from deploy.operating.coordinator_commands import Who, contact
from deploy.operating.programme_commands import Cohort, MatchingUrl, NotifyUrl, Token, checked_id
from schemas.appointments import GivenRole

if TYPE_CHECKING:
    from deploy.operating.platform import Platform
    from schemas.base import Command

role_commands = typer.Typer(
    help="Roles that are given in a cohort: list, give, take.", no_args_is_help=True
)
Role = Annotated[GivenRole, typer.Option("--role", help="Which one.")]


@role_commands.callback()
def _roles() -> None:
    """Roles that are given in a cohort: list, give, take."""


@role_commands.command("list")
def roles_list(cohort: Cohort, notify: NotifyUrl, token: Token = None, json_: Json = False) -> None:
    """List who was given which role in a cohort, by id: by whom, and when.

    Roles that settings or an identity provider give are not among them.

    Example: connecte roles list --cohort bercy-2017
    """
    from deploy.operating.platform import Platform

    checked_id("--cohort", cohort)

    async def listed() -> list[dict[str, Any]]:
        async with Platform({"notify": notify}, token) as platform:
            return await platform.listing("notify", f"/cohorts/{cohort}/roles")

    rows = run(listed())
    table = Table("person", "role", "organisations", "given", "by")
    for row in rows:
        told = (", ".join(row["organisations"]), row["given_at"], row["asker"] or "-")
        table.add_row(row["person_id"], row["role"], *told)
    answer({"cohort": cohort, "roles": rows}, json_, table)


@role_commands.command("give")
def roles_give(
    who: Who,
    cohort: Cohort,
    role: Role,
    matching: MatchingUrl,
    notify: NotifyUrl,
    organisation: Annotated[
        list[str] | None,
        typer.Option(help="Of a partner: whose people they coordinate; may be given again."),
    ] = None,
    name: Annotated[
        str | None, typer.Option(help="Of a stranger: their name.", show_default=False)
    ] = None,
    email: Annotated[
        str | None, typer.Option(help="Of a stranger: their address.", show_default=False)
    ] = None,
    token: Token = None,
    json_: Json = False,
) -> None:
    """Give PERSON a role in a cohort: it opens its pages of the portal to who has their address.

    Whoever is known in the cohort needs no --name and no --email. The role holds for the address
    of that moment: after a change of address give it again.

    Example: connecte roles give c-1 --cohort bercy-2017 --role coordinator
    """
    from deploy.operating.platform import Platform
    from schemas.appointments import GiveRole
    from schemas.people import PersonContact

    checked_id("--cohort", cohort)
    checked_id("PERSON", who)
    about = {"cohort_id": cohort, "person_id": who}
    asked = {"role": role, "organisations": organisation} if organisation else {"role": role}
    command = GiveRole.model_validate({**about, **asked})
    stranger = {"name": name, "email": email}

    async def given() -> None:
        async with Platform({"matching": matching, "notify": notify}, token) as platform:
            known = await contact(platform, cohort, who)
            if known and (name or email):
                raise BadInput(f"{who} is known in {cohort}: leave --name and --email out")
            if not known and not (name and email):
                raise BadInput(f"{who} is not known in {cohort} yet: give --name and --email")
            if not known:
                await _sent(platform, PersonContact.model_validate({**about, **stranger}))
            await _sent(platform, command)

    run(given())
    document = {"cohort": cohort, "person": who, "role": role, "given": True}
    answer(document, json_, f"{who} has the role {role} in {cohort}")


@role_commands.command("take")
def roles_take(
    who: Who,
    cohort: Cohort,
    role: Role,
    notify: NotifyUrl,
    token: Token = None,
    json_: Json = False,
) -> None:
    """Take a role from PERSON that was given: it opens nothing any more, in no open session either.

    The last administrator of a cohort to whom it was given keeps it: give it to another one first.

    Example: connecte roles take c-1 --cohort bercy-2017 --role coordinator
    """
    from deploy.operating.platform import Platform
    from schemas.appointments import TakeRole

    checked_id("--cohort", cohort)
    checked_id("PERSON", who)
    command = TakeRole(cohort_id=cohort, person_id=who, role=role)

    async def taken() -> None:
        async with Platform({"notify": notify}, token) as platform:
            await _sent(platform, command)

    run(taken())
    document = {"cohort": cohort, "person": who, "role": role, "given": False}
    answer(document, json_, f"{who} does not have the role {role} in {cohort} any more")


async def _sent(platform: "Platform", command: "Command") -> None:
    outcome = await platform.send("notify", command)
    if outcome.rule is not None:
        raise BadInput(outcome.detail)
    if not outcome.done:
        raise OperationFailed("it was sent, and nothing seen of it in time")
