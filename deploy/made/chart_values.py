"""What is said of the chart's values: in `values.yaml`, for who copies it, and in its README.

The truth is the description that a value has in `values.schema.json`. Always holds: a comment that
begins with `# -- ` (helm-docs' mark) is made here; every other line of `values.yaml` is left as it
is.
"""

import json
import textwrap
from collections.abc import Iterator
from typing import Any

import yaml

from deploy.made import chart_settings
from deploy.made.chart_schema import CHART, OURS, alerts, thresholds

Schema = dict[str, Any]

MARK = "# -- "
MORE = "#    "
WIDTH = 100
ALERTS = """\
What holds of an alert unless `prometheusRule.alerts` says otherwise. Those of a budget have two
severities; what is said of them holds for both."""
SETTINGS = """\
Every [setting](../../docs/operating/settings.md) of the services, and which value it comes from.
What has none is the services' own default until `env` says it, of `defaults` or of a service, or
`secretEnv`, which has it from a Secret. A name that no service reads is refused, and so is a
figure out of bounds."""


def commented() -> str:
    """`values.yaml` with its comments: what each value is for, above it."""
    lines = [
        line
        for line in (CHART / "values.yaml").read_text(encoding="utf-8").splitlines()
        if not line.lstrip().startswith((MARK, MORE))
    ]
    said = dict(values())
    found: dict[int, list[str]] = {}
    for path, line, column in _places(yaml.compose("\n".join(lines)), ""):
        if path in said:
            text = textwrap.wrap(said[path]["description"], WIDTH - column - len(MARK))
            for example in said[path].get("examples", ()):
                text += ["Example:", *_example(path.rpartition(".")[2], example)]
            found[line] = [
                (" " * column + (MORE if number else MARK) + part)
                for number, part in enumerate(text)
            ]
    with_comments = [
        each for number, line in enumerate(lines) for each in (*found.get(number, ()), line)
    ]
    return "\n".join(with_comments) + "\n"


def readme() -> str:
    """The chart's README: what `README.head.md` says, a row for every value and every alert."""
    defaults = yaml.safe_load((CHART / "values.yaml").read_text(encoding="utf-8"))
    table = ["| value | default | meaning |", "| --- | --- | --- |"]
    for path, node in values():
        table.append(f"| `{path}` | {_default(defaults, path)} | {_cell(node['description'])} |")
    head = (CHART / "README.head.md").read_text(encoding="utf-8")
    return (
        f"{head}\n## Values\n\n"
        + "\n".join(table)
        + f"\n\n## Alerts\n\n{ALERTS}\n\n"
        + "\n".join(_alert_rows())
        + f"\n\n## Settings\n\n{SETTINGS}\n\n"
        + "\n".join(chart_settings.readme())
        + "\n"
    )


def _alert_rows() -> Iterator[str]:
    yield "| alert | severity | for | threshold |"
    yield "| --- | --- | --- | --- |"
    tuned = thresholds()
    for name, rules in alerts():
        severities = ", ".join(rule["labels"]["severity"] for rule in rules)
        figure = f"`{tuned[name]['text']}`" if name in tuned else ""
        yield f"| `{name}` | {severities} | {rules[0].get('for', '')} | {figure} |"


def values() -> Iterator[tuple[str, Schema]]:
    """Path, `description` and `examples` of every value; services have those of `defaults`."""
    schema = json.loads((CHART / "values.schema.json").read_text(encoding="utf-8"))
    yield from _leaves(schema, schema, "")


def _leaves(schema: Schema, node: Schema, path: str) -> Iterator[tuple[str, Schema]]:
    if path == "services":
        for name in node["properties"]:
            yield (
                f"services.{name}",
                {"description": "What differs from `defaults` in this service."},
            )
        return
    whole = _resolved(schema, node)
    if "properties" in whole and "description" not in node and path != "global":
        for name, inner in whole["properties"].items():
            yield from _leaves(schema, inner, f"{path}.{name}" if path else name)
    else:
        yield path, {"description": "", **whole, **node}


def _resolved(schema: Schema, node: Schema) -> Schema:
    node = node.get("allOf", [node])[0]
    name = node.get("$ref", "").rpartition("/")[2]
    if not name or name.startswith(OURS):
        return node
    found: Schema = schema["definitions"][name]
    return found


def _places(node: yaml.Node | None, path: str) -> Iterator[tuple[str, int, int]]:
    """Path, line and column of every key that has a line of its own."""
    if isinstance(node, yaml.MappingNode) and not node.flow_style:
        for key, value in node.value:
            inner = f"{path}.{key.value}" if path else str(key.value)
            yield inner, key.start_mark.line, key.start_mark.column
            yield from _places(value, inner)


def _example(name: str, example: Any) -> list[str]:
    """As one would write it under the value."""
    text = yaml.safe_dump({name: example}, sort_keys=False, width=WIDTH, default_flow_style=None)
    return ["  " + line for line in text.splitlines()]


def _cell(text: str) -> str:
    return text.replace("|", "\\|")


def _default(values: Any, path: str) -> str:
    for part in path.split("."):
        if not isinstance(values, dict) or part not in values:
            return ""
        values = values[part]
    return f"`{json.dumps(values, ensure_ascii=False)}`"
