"""`connecte topics`: the topics on the broker, compared with the one table."""

from typing import Annotated

import typer
from rich.table import Table

from deploy.console import Json, answer, run

topic_commands = typer.Typer(help="The topics on the broker.", no_args_is_help=True)


@topic_commands.command("create")
def topics_create(
    partitions: Annotated[
        int | None, typer.Option(min=1, max=1000, help="Of every topic; then for ever.")
    ] = None,
    replication: Annotated[int, typer.Option(min=1, max=9, help="Copies of every topic.")] = 1,
    json_: Json = False,
) -> None:
    """Create what is missing of the table on the broker (KAFKA_BOOTSTRAP_SERVERS).

    Without --partitions it is CONNECTE_PARTITIONS. Topics that exist are left as they are, and
    must have as many partitions.

    Example: connecte topics create --partitions 12 --replication 3
    """
    from deploy.operations import access, check_partitions
    from deploy.topics import create_topics
    from schemas.topics import TOPICS

    reach = access(kafka=True)
    wanted = partitions or reach.partitions

    async def create() -> list[str]:
        created = await create_topics(
            reach.kafka_connection, partitions=wanted, replication=replication
        )
        await check_partitions(reach, wanted, list(TOPICS))
        return created

    created = run(create())
    existing = [name for name in TOPICS if name not in created]
    document = {"created": created, "existing": existing, "partitions": wanted}
    lines = [*(f"created {name}" for name in created), *(f"there already {n}" for n in existing)]
    answer(document, json_, *lines)


@topic_commands.command("list")
def topics_list(json_: Json = False) -> None:
    """Show the table of topics: who may read which, what it carries, how long it is kept.

    Example: connecte topics list --json
    """
    from schemas.generate import topics as rows

    table = Table("topic", "audience", "kept", "types", title="Topics")
    for row in rows():
        days = row["retention_ms"] // 86_400_000
        kept = "for ever" if row["retention_ms"] < 0 else f"{days} days"
        kept = "newest per key" if row["cleanup"] == "compact" else kept
        table.add_row(row["name"], row["audience"], kept, str(len(row["types"])))
    answer(rows(), json_, table)
