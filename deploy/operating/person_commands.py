"""`connecte person`: everything that is kept about a person, for them."""

from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.table import Table

from deploy.errors import BadInput
from deploy.operating.console import Json, answer, run
from deploy.operating.programme_commands import MatchingUrl, NotifyUrl, Token, checked_id

if TYPE_CHECKING:
    from schemas.topics import Service

SchedulingUrl = Annotated[
    str,
    typer.Option("--scheduling", envvar="CONNECTE_SCHEDULING_URL", help="Address of scheduling."),
]
NOT_HERE = (
    "Not here: answers to surveys, which nothing ties to a person; whether the other of a pair "
    "would rather have another partner, and why coordinators keep two apart, which are others' "
    "confidence."
)


def person(
    who: Annotated[str, typer.Argument(metavar="PERSON", help="The person's id.")],
    matching: MatchingUrl,
    scheduling: SchedulingUrl,
    notify: NotifyUrl,
    token: Token = None,
    json_: Json = False,
) -> None:
    """Show everything that is kept about a PERSON, in every cohort, with each match's calculation.

    With --json it is the copy to hand to them. It holds their name and address: whoever runs it
    sees to it that nobody else gets it.

    Example: connecte person m-042 --json > m-042.json
    """
    from deploy.operating.platform import Platform

    checked_id("PERSON", who)
    urls: dict[Service, str] = {"matching": matching, "scheduling": scheduling, "notify": notify}

    async def gathered() -> list[dict[str, Any]]:
        async with Platform(urls, token) as platform:
            cohorts = [row["id"] for row in await platform.listing("matching", "/cohorts")]
            found = []
            for cohort in cohorts:
                kept = {}
                for service in urls:
                    copy = await platform.found(service, f"/cohorts/{cohort}/people/{who}")
                    if copy is not None:
                        kept[service] = copy["documents"]
                if kept:
                    found.append({"cohort": cohort, "kept": kept})
            return found

    found = run(gathered())
    if not found:
        raise BadInput(f"nothing is kept about anybody called {who}")
    table = Table("cohort", "service", "what", "how many")
    for one in found:
        for service, documents in one["kept"].items():
            for name, rows in documents.items():
                table.add_row(one["cohort"], service, name, str(len(rows)))
    answer({"person": who, "cohorts": found, "not_here": NOT_HERE}, json_, table, NOT_HERE)
