"""`connecte topics`: the topics on the broker, compared with the one table, and who may do what."""

import sys
from typing import TYPE_CHECKING, Annotated, Literal

import typer
from rich.table import Table

from deploy.errors import BadInput
from deploy.operating.console import Json, answer, progress, run

if TYPE_CHECKING:
    from deploy.operating.topics import Difference

topic_commands = typer.Typer(help="The topics on the broker.", no_args_is_help=True)

Partitions = Annotated[
    int | None,
    typer.Option(min=1, max=1000, help="Of every topic; without it CONNECTE_PARTITIONS."),
]
Replication = Annotated[
    int | None,
    typer.Option(min=1, max=9, help="Copies of every topic; without it 3, on 3 brokers or more."),
]
DOES = {
    "create": "creates",
    "alter": "alters",
    "loss": "refuses",
    "refused": "refuses",
    "stranger": "nothing",
}


@topic_commands.command("plan")
def topics_plan(
    partitions: Partitions = None, replication: Replication = None, json_: Json = False
) -> None:
    """Show what of the topics on the broker is not as the table says, and what apply would do.

    Nothing is changed. The broker is that of KAFKA_BOOTSTRAP_SERVERS.

    Example: connecte topics plan --replication 3
    """
    _compared(partitions, replication, json_)


@topic_commands.command("check")
def topics_check(
    partitions: Partitions = None, replication: Replication = None, json_: Json = False
) -> None:
    """As plan, and the exit code is 1 if anything differs.

    Example: connecte topics check --partitions 12 --replication 3
    """
    sys.exit(1 if _compared(partitions, replication, json_) else 0)


@topic_commands.command("apply")
def topics_apply(
    partitions: Partitions = None,
    replication: Replication = None,
    allow_loss: Annotated[
        bool, typer.Option("--allow-loss", help="Also alter what makes the broker delete records.")
    ] = False,
    json_: Json = False,
) -> None:
    """Create what is missing of the table on the broker, and alter what differs.

    The number of partitions of a topic is never changed: a cohort's place follows from it, and
    its order hangs on that place. Retention is shortened and a cleanup policy changed with
    --allow-loss only. The exit code is 1 if something was refused.

    Example: connecte topics apply --partitions 12 --replication 3
    """
    from deploy.operating.reach import access
    from deploy.operating.topics import apply, compare, copies_possible, found_topics

    reach = access(kafka=True)
    count = partitions or reach.partitions
    connection, prefix = reach.kafka_connection, reach.topic_prefix
    willing = {"create", "alter", "loss"} if allow_loss else {"create", "alter"}

    async def work() -> tuple[int, list["Difference"]]:
        copies = replication or await copies_possible(connection)
        differences = compare(await found_topics(connection, prefix), count, copies, prefix)
        done = [difference for difference in differences if difference.kind in willing]
        for difference in done:
            if difference.remark:
                progress.print(f"careful: {_line(difference)}", markup=False, soft_wrap=True)
        await apply(connection, done, count, copies, prefix)
        return copies, differences

    copies, differences = run(work())
    done = [d for d in differences if d.kind in willing]
    left = [d for d in differences if d.kind not in willing]
    refused = [d for d in left if d.kind != "stranger"]
    document = {
        "partitions": count,
        "replication": copies,
        "created": [d.topic for d in done if d.kind == "create"],
        "altered": [d.document for d in done if d.kind != "create"],
        "refused": [d.document for d in refused],
        "not_in_the_table": [d.topic for d in left if d.kind == "stranger"],
    }
    lines = [f"{'created' if d.kind == 'create' else 'altered'} {_line(d)}" for d in done]
    lines += [f"{'left' if d.kind == 'stranger' else 'refused'} {_line(d)}" for d in left]
    answer(document, json_, *(lines or [f"{AS_THEY_SHOULD_BE}: nothing to do"]))
    sys.exit(1 if refused else 0)


AS_THEY_SHOULD_BE = "the topics are as the table says"


def _line(difference: "Difference") -> str:
    d = difference
    remark = f" ({d.remark})" if d.remark else ""
    if d.kind == "create":
        return f"{d.topic}: {d.wanted}"
    if d.kind == "stranger":
        return f"{d.topic}: it is not in the table"
    return f"{d.topic}: {d.what} is {d.found}, should be {d.wanted}{remark}"


def _compared(partitions: int | None, replication: int | None, json_: bool) -> bool:
    """Show what differs; whether anything does."""
    from deploy.operating.reach import access
    from deploy.operating.topics import compare, copies_possible, found_topics

    reach = access(kafka=True)
    count = partitions or reach.partitions

    async def work() -> tuple[int, list["Difference"]]:
        copies = replication or await copies_possible(reach.kafka_connection)
        found = await found_topics(reach.kafka_connection, reach.topic_prefix)
        return copies, compare(found, count, copies, reach.topic_prefix)

    copies, differences = run(work())
    table = Table(title="Topics that differ")
    for column in ("topic", "what", "is", "should be", "apply"):
        table.add_column(column, no_wrap=column in ("topic", "what"))
    remarks: dict[str, None] = {}  # each once, in this order
    for d in differences:
        wanted = "there" if d.kind == "create" else d.wanted
        table.add_row(d.topic, d.what, d.found, wanted, DOES[d.kind])
        if d.remark:
            leave = "; --allow-loss alters it" if d.kind == "loss" else ""
            remarks[f"{d.what}: {d.remark}{leave}"] = None
    rows = [difference.document for difference in differences]
    document = {"partitions": count, "replication": copies, "differences": rows}
    shown: list[Table | str] = [table, *remarks] if differences else [AS_THEY_SHOULD_BE]
    answer(document, json_, *shown)
    return bool(differences)


@topic_commands.command("access")
def topics_access(
    format_: Annotated[
        Literal["table", "kafka-acls", "strimzi"],
        typer.Option("--format", help="A table, a script, or Kubernetes resources."),
    ] = "table",
    subscriber: Annotated[
        list[str] | None,
        typer.Option(metavar="NAME", help="A system that reads public events; several times."),
    ] = None,
    cluster: Annotated[
        str, typer.Option(help="For strimzi: the name of the Kafka resource.")
    ] = "kafka",
    json_: Json = False,
) -> None:
    """Show who may do what: services, operators and subscribers. No broker is asked.

    kafka-acls: a shell script for Kafka's own command. strimzi: KafkaUsers as YAML. Neither holds
    a secret.

    Example: connecte topics access --format kafka-acls --subscriber tresor > acls.sh
    """
    from deploy.operating import access as made
    from deploy.operating.reach import access
    from schemas.access import accounts

    try:
        everybody = accounts(subscriber or (), access().topic_prefix)
    except ValueError as error:
        raise BadInput(f"--subscriber: {error}") from None
    match format_:
        case "kafka-acls":
            calls = made.acl_arguments(everybody)
            _as_it_is({"calls": calls}, made.acl_script(everybody), json_)
        case "strimzi":
            users = made.kafka_users(everybody, cluster)
            _as_it_is(users, made.as_yaml(users), json_)
        case _:
            table = Table(title="Who may do what")
            for column, wrapped in (("account", False), ("topic or group", False), ("may", True)):
                table.add_column(column, no_wrap=not wrapped)
            for account in everybody:
                for grant in account.grants:
                    name = f"{grant.name}{'*' if grant.prefix else ''}"
                    shown = name if grant.resource == "topic" else f"group {name}"
                    table.add_row(account.name, shown, ", ".join(grant.operations))
                table.add_section()
            answer(made.rows(everybody), json_, table)


def _as_it_is(document: object, text: str, json_: bool) -> None:
    """A file for other programs: its lines are not broken to a terminal's width."""
    if json_:
        answer(document, json_)
    else:
        sys.stdout.write(text)


@topic_commands.command("list")
def topics_list(json_: Json = False) -> None:
    """Show the table of topics: who may read which, what it carries, how long it is kept.

    With CONNECTE_TOPIC_PREFIX the names are those on the broker.

    Example: connecte topics list --json
    """
    from deploy.operating.reach import access
    from schemas.gate.generate import topics as table

    prefix = access().topic_prefix
    rows = [{**row, "name": prefix + row["name"]} for row in table()]
    shown = Table("topic", "audience", "kept", "types", title="Topics")
    for row in rows:
        days = row["retention_ms"] // 86_400_000
        kept = "for ever" if row["retention_ms"] < 0 else f"{days} days"
        kept = "newest per key" if row["cleanup"] == "compact" else kept
        shown.add_row(row["name"], row["audience"], kept, str(len(row["types"])))
    answer(rows, json_, shown)
