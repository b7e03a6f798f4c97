"""`connecte schemas`: the published language as files."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from difflib import get_close_matches
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any
from urllib.parse import urlsplit

import typer
from rich.table import Table

from deploy.errors import BadInput
from deploy.operating.console import Json, answer, output, run

if TYPE_CHECKING:
    from schemas.gate.findings import Finding

schema_commands = typer.Typer(help="The published language as files.", no_args_is_help=True)


@schema_commands.command("generate")
def schemas_generate(
    check: Annotated[bool, typer.Option("--check", help="Only say what is not current.")] = False,
    json_: Json = False,
) -> None:
    """Write schemas/catalogue: JSON Schema per message, topics.json, asyncapi.json.

    With --check nothing is written, and the exit code is 1 if something is not current.

    Example: connecte schemas generate --check
    """
    from schemas.gate.generate import differing, write

    names = differing() if check else write()
    done = "not current" if check else "written"
    lines = [f"{done}: {name}" for name in names] or ["everything is current"]
    answer({"check": check, "files": names}, json_, *lines)
    sys.exit(1 if check and names else 0)


@schema_commands.command("list")
def schemas_list(json_: Json = False) -> None:
    """Show every message type: its version, who may read it, what it says.

    Example: connecte schemas list --json
    """
    from schemas.gate.generate import messages

    table = Table("message", "version", "audience", "what it says", title="Messages")
    for row in messages():
        table.add_row(row["name"], str(row["version"]), row["audience"], row["summary"])
    answer(messages(), json_, table)


@schema_commands.command("check")
def schemas_check(
    against: Annotated[
        Path | None,
        typer.Option(
            help="Another released.json, or a directory of NAME.vN.json: its schemas alone.",
            show_default=False,
        ),
    ] = None,
    since: Annotated[
        str | None,
        typer.Option(
            help="Another tag or commit than the last tag v…; as it was there, it has to be kept.",
            show_default=False,
        ),
    ] = None,
    json_: Json = False,
) -> None:
    """Compare today's contract with every released one: what would break, and for whom.

    The schemas, topics, keys, partitions, headers, ids and what descriptions mean, with what was
    released (schemas/released.json, contract.json, the golden records), that this is as it was
    sealed, and with the last tag, if git has one. Exit code 1 if something would break.

    Example: connecte schemas check --json
    """
    from schemas.gate.compatibility import RELEASED, additions, released, unreleased

    findings = _findings(against) if against else _all_findings(since)
    versions = released(against or RELEASED)
    waiting = unreleased(versions)
    lines = [str(finding) for finding in findings]
    if not findings:
        new = (f"for the next release: {additions(versions, name)}" for name in waiting)
        lines = ["nothing breaks", *new]
    document = {"findings": _rows(findings), "unreleased": waiting}
    _tell(document, json_, lines)
    sys.exit(1 if findings else 0)


@schema_commands.command("release")
def schemas_release(json_: Json = False) -> None:
    """Add today's contract to what was released, and seal it, if nothing breaks; else exit code 1.

    Example: connecte schemas release
    """
    from schemas.gate.gate import publish

    findings = [finding for finding in _all_findings(None) if not finding.sealed_later]
    names = [] if findings else publish()
    lines = [str(finding) for finding in findings]
    lines += [f"released: {name}" for name in names]
    document = {"findings": _rows(findings), "released": names}
    _tell(document, json_, lines or ["everything is released"])
    sys.exit(1 if findings else 0)


@schema_commands.command("sample")
def schemas_sample(
    type_: Annotated[str, typer.Argument(metavar="TYPE", help="A message type.")],
    json_: Json = False,
) -> None:
    """Print a valid record of a message type: headers, key and value.

    Example: connecte schemas sample SessionCompleted --json
    """
    import json

    from schemas.gate.samples import record
    from schemas.topics import TYPES

    if type_ not in TYPES:
        folded = {name.lower(): name for name in TYPES}
        near = [folded[n] for n in get_close_matches(type_.lower(), folded, 5, 0.5)]
        hint = f"; is it {' or '.join(near)}?" if near else "; connecte schemas list has them all"
        raise BadInput(f"no message is called {type_!r}{hint}")
    made = record(TYPES[type_])
    document = {
        "topic": made.topic,
        "partition": made.partition,
        "key": (made.key or b"").decode(),
        "headers": {name: (value or b"").decode() for name, value in made.headers},
        "value": json.loads(made.value or b"null"),
    }
    lines = [
        f"topic      {made.topic}",
        f"partition  {made.partition}",
        f"key        {document['key']}",
    ]
    lines += [f"header     {name}: {value}" for name, value in document["headers"].items()]
    lines.append(json.dumps(document["value"], indent=2, ensure_ascii=False))
    _tell(document, json_, lines)


@schema_commands.command("publish")
def schemas_publish(
    registry: Annotated[str, typer.Option(help="Address of the Schema Registry.")],
    all_: Annotated[
        bool, typer.Option("--all", help="Internal and restricted topics too.")
    ] = False,
    json_: Json = False,
) -> None:
    """Fill a Schema Registry (Confluent's API) with the schemas of the public topics.

    A subject is TOPIC-TYPE, where TYPE is a record's `ce_type`, and TOPIC begins with
    CONNECTE_TOPIC_PREFIX where there is one. Doing it again changes nothing.

    Example: connecte schemas publish --registry http://127.0.0.1:8081
    """
    from deploy.operating.reach import access
    from deploy.operating.registry import publish, subjects

    _check_address(registry)
    wanted = subjects(everything=all_, prefix=access().topic_prefix)
    rows = run(publish(registry, wanted))
    table = Table("subject", "id", "compatibility", "done", title="Schema Registry")
    for row in rows:
        table.add_row(row["subject"], str(row["id"]), row["compatibility"], row["done"])
    answer({"subjects": rows}, json_, table)


def _check_address(url: str) -> None:
    try:
        parts = urlsplit(url)
        good = parts.scheme in ("http", "https") and parts.hostname and parts.port != 0
    except ValueError:
        good = False
    if not good:
        raise BadInput("--registry: an address looks like https://registry.example:8081")


def _tell(document: Any, as_json: bool, lines: list[str]) -> None:
    """An answer in whole lines, however long: a finding is one."""
    if as_json:
        answer(document, True)
    for line in () if as_json else lines:
        output.print(line, markup=False, highlight=False, soft_wrap=True)


def _findings(path: Path) -> "list[Finding]":
    """What would break of these schemas."""
    from schemas.gate.compatibility import released
    from schemas.gate.findings import agreed, still_open
    from schemas.gate.gate import schemas_broken

    with _understood():
        return list(still_open(schemas_broken(released(path)), agreed()))


def _all_findings(since: str | None) -> "list[Finding]":
    """What would break of what this tree has released, and of what the last tag had."""
    from deploy.operating.tagged import last_tag, release_at
    from schemas.gate.gate import check

    with _understood():
        tag = since or last_tag()
        return check(*([(tag, release_at(tag))] if tag else []))


@contextmanager
def _understood() -> Iterator[None]:
    from schemas.gate.findings import NotReleased

    try:
        yield
    except NotReleased as error:
        raise BadInput(str(error)) from None
    except ModuleNotFoundError as error:
        raise BadInput(f"the check needs {error.name}: install the extra `dev`") from None


def _rows(findings: "list[Finding]") -> list[dict[str, str]]:
    return [
        {"field": f.field, "what": f.what, "remedy": f.remedy, "others": f.others} for f in findings
    ]
