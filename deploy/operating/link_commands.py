"""`connecte links`: links of letters that count no more, one of them or all of a person.

Always holds: no message of this module shows a link, for whoever has one can use it.
"""

import base64
import json
from typing import TYPE_CHECKING, Annotated

import typer

from deploy.errors import BadInput, OperationFailed
from deploy.operating.console import Json, answer, run
from deploy.operating.programme_commands import MatchingUrl, Token, checked_id

if TYPE_CHECKING:
    from schemas.links import RevokeLinks

link_commands = typer.Typer(help="Links of letters: revoke.", no_args_is_help=True)


@link_commands.callback()
def _links() -> None:
    """Links of letters: revoke."""


@link_commands.command("revoke")
def links_revoke(
    matching: MatchingUrl,
    who: Annotated[
        str | None, typer.Argument(metavar="[PERSON]", help="Whose links, all of them: their id.")
    ] = None,
    cohort: Annotated[
        str | None, typer.Option(help="With PERSON: the cohort's id.", show_default=False)
    ] = None,
    link: Annotated[
        str | None,
        typer.Option(help="That one alone: its address, as it was found.", show_default=False),
    ] = None,
    token: Token = None,
    json_: Json = False,
) -> None:
    """Revoke the links that a person and their assistant have, or one link by its address.

    What letters bring from then on counts. Whoever opens one that was revoked is told so. Of one
    link all letters' are meant that let the person do the same: a reminder's is no other.

    Example: connecte links revoke m-017 --cohort bercy-2017
    """
    from deploy.operating.platform import Platform

    if bool(who) == bool(link) or bool(who) != bool(cohort):
        raise BadInput("give PERSON and --cohort for all links of somebody, or --link for that one")
    command = _of_address(link) if link else _of_person(cohort or "", who or "")

    async def revoked() -> None:
        async with Platform({"matching": matching}, token) as platform:
            outcome = await platform.send("matching", command)
        if outcome.rule is not None:
            raise BadInput(outcome.detail)
        if not outcome.done:
            raise OperationFailed("it was sent, and nothing seen of it in time")

    run(revoked())
    which = command.link and command.link.model_dump()
    whose = {"cohort": command.cohort_id, "person": command.person_id}
    what = f"the link to {command.link.purpose} {command.link.id}" if command.link else "all links"
    said = f"{what} of {command.person_id} in {command.cohort_id} count no more"
    answer({**whose, "link": which, "revoked": True}, json_, said)


def _of_person(cohort: str, who: str) -> "RevokeLinks":
    from schemas.links import RevokeLinks

    checked_id("--cohort", cohort)
    checked_id("PERSON", who)
    return RevokeLinks(cohort_id=cohort, person_id=who)


def _of_address(address: str) -> "RevokeLinks":
    """What to ask for, read from the link: whether it is one of ours, nobody here can tell."""
    from schemas.links import OneLink, RevokeLinks

    try:
        claims = address.rpartition("/links/")[2].partition("?")[0].split(".")[1]
        told = json.loads(base64.urlsafe_b64decode(claims + "=" * (-len(claims) % 4)))
        link = OneLink(purpose=told["purpose"], id=told["id"])
        return RevokeLinks(cohort_id=told["cohort_id"], person_id=told["person_id"], link=link)
    except (ValueError, LookupError, TypeError):
        raise BadInput("--link: it is no link of a letter: give its whole address") from None
