"""Writes what the chart takes from elsewhere: topics, accounts, and the table of its values.

These files are generated and committed. Always holds: the same tables give the same bytes, and
nothing of them is secret. (The alerts are written by hand, the dashboards by `made.dashboards`.)
"""

import argparse
import json
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import yaml

from deploy.operating.access import rows
from schemas.access import OPERATOR, service_account, subscriber
from schemas.topics import COMMANDS, TOPICS

CHART = Path(__file__).parents[1] / "chart"
NAME = "name"
"""Stands for a subscriber's name in the accounts."""

_HEAD = "# Made by `python -m deploy.made.chart_files`; do not edit.\n"


def files() -> dict[str, str]:
    """Path within the chart to content, as it has to be."""
    return {
        "files/topics.yaml": _HEAD + _yaml({"topics": _topics()}),
        "files/users.yaml": _HEAD + _yaml(_users()),
        "README.md": readme(),
    }


def differing() -> list[str]:
    """Names of the files that are missing or not current."""
    return [
        name
        for name, content in files().items()
        if not (CHART / name).exists() or (CHART / name).read_bytes() != content.encode()
    ]


def _topics() -> list[dict[str, Any]]:
    return [{"name": topic.name, "config": topic.config} for topic in TOPICS.values()]


def _users() -> dict[str, Any]:
    """Accounts by the name that the release puts its own before."""
    deployed = yaml.safe_load((CHART / "values.yaml").read_text())["services"]
    services = {name: _acls(service_account(name)) for name in COMMANDS if name in deployed}
    return {
        "accounts": {**services, "operator": _acls(OPERATOR)},
        "subscriber": _acls(subscriber(NAME)),
    }


def _acls(account: Any) -> list[dict[str, Any]]:
    (row,) = rows([account])
    return [
        {
            "resource": {
                "type": grant["resource"],
                "name": grant["name"],
                "patternType": grant["pattern"],
            },
            "operations": grant["operations"],
        }
        for grant in row["grants"]
    ]


def _yaml(document: Any) -> str:
    return yaml.safe_dump(document, sort_keys=False, width=100)


# --- the table of values ----------------------------------------------------------------------


def readme() -> str:
    """The chart's README: what is said in `README.head.md`, and a row for every value."""
    schema = json.loads((CHART / "values.schema.json").read_text())
    values = yaml.safe_load((CHART / "values.yaml").read_text())
    table = ["| value | default | meaning |", "| --- | --- | --- |"]
    for path, meaning in _leaves(schema, schema, ""):
        table.append(f"| `{path}` | {_default(values, path)} | {meaning} |")
    head = (CHART / "README.head.md").read_text()
    return f"{head}\n## Values\n\n" + "\n".join(table) + "\n"


def _leaves(schema: dict[str, Any], node: dict[str, Any], path: str) -> Iterator[tuple[str, str]]:
    """Path and meaning of every value; the services are described once, under `defaults`."""
    if path == "services":
        for name in node["properties"]:
            yield f"services.{name}", "What differs from `defaults` in this service."
        return
    node = _resolved(schema, node)
    if "properties" in node:
        for name, inner in node["properties"].items():
            if name != "global":
                yield from _leaves(schema, inner, f"{path}.{name}" if path else name)
    else:
        yield path, node.get("description", "").replace("|", "\\|")


def _resolved(schema: dict[str, Any], node: dict[str, Any]) -> dict[str, Any]:
    reference = node.get("$ref")
    found: dict[str, Any] = schema["definitions"][reference.split("/")[-1]] if reference else node
    return found


def _default(values: Any, path: str) -> str:
    for part in path.split("."):
        if not isinstance(values, dict) or part not in values:
            return ""
        values = values[part]
    return f"`{json.dumps(values, ensure_ascii=False)}`"


def main(arguments: Sequence[str] | None = None) -> int:
    """Write the files; with --check only say which are not current (exit code 1)."""
    parser = argparse.ArgumentParser(prog="python -m deploy.made.chart_files", description=__doc__)
    parser.add_argument("--check", action="store_true")
    check = parser.parse_args(arguments).check
    wrong = differing()
    for name in wrong:
        if not check:
            (CHART / name).parent.mkdir(parents=True, exist_ok=True)
            (CHART / name).write_text(files()[name], encoding="utf-8", newline="\n")
        sys.stdout.write(f"{'not current' if check else 'written'}: deploy/chart/{name}\n")
    return int(check and bool(wrong))


if __name__ == "__main__":
    sys.exit(main())
