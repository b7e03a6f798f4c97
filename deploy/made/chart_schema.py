"""The generated half of the chart's schema: Kubernetes' own pieces, parts of settings, the alerts.

What a cluster's people hand through to their pods (affinity, volumes, containers, …) is refused or
taken field by field, as the API server does. Always holds: the same alerts and the same release of
Kubernetes give the same bytes; what is written by hand is left as it is.
"""

import json
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import yaml

from deploy.made.chart_settings import PARTS, definitions

Schema = dict[str, Any]

CHART = Path(__file__).parents[1] / "chart"
VERSION = "1.37.0"
OURS = "kubernetes."
CORE = "io.k8s.api.core.v1."
ROOTS = (
    "Affinity",
    "TopologySpreadConstraint",
    "Toleration",
    "EnvVar",
    "EnvFromSource",
    "Volume",
    "VolumeMount",
    "Container",
)
"""Kinds of Kubernetes' core that the values take as they are."""

_KEPT = ("enum", "items", "additionalProperties", "required")


def schema() -> str:
    """`values.schema.json` as it has to be; a generated definition is one line."""
    found: Schema = json.loads((CHART / "values.schema.json").read_text(encoding="utf-8"))
    by_hand = {
        name: node
        for name, node in found["definitions"].items()
        if not name.startswith(OURS) and name not in ("alerts", *PARTS)
    }
    generated = {"alerts": alerts_schema(), **definitions(), **dict(sorted(_kubernetes()))}
    found["definitions"] = {**by_hand, **{name: f"@{name}@" for name in generated}}
    text = json.dumps(found, indent=2, ensure_ascii=False)
    for name, node in generated.items():
        text = text.replace(f'"@{name}@"', json.dumps(node, ensure_ascii=False))
    return text + "\n"


def alerts() -> Iterator[tuple[str, list[Schema]]]:
    """Name and rules of every alert; of a budget's there are two, of two severities."""
    found: dict[str, list[Schema]] = {}
    for file in ("alerts.yaml", "watchdog.yaml"):
        document = yaml.safe_load((CHART / "files" / file).read_text(encoding="utf-8"))
        for rule in (rule for group in document["groups"] for rule in group["rules"]):
            if "alert" in rule:
                found.setdefault(rule["alert"], []).append(rule)
    yield from found.items()


def thresholds() -> dict[str, Schema]:
    """What can be tuned in the expression of an alert: `text`, whose last word is the number."""
    document = (CHART / "files" / "thresholds.yaml").read_text(encoding="utf-8")
    found: dict[str, Schema] = yaml.safe_load(document)
    return found


def alerts_schema() -> Schema:
    tuned = thresholds()
    return {
        "type": "object",
        "description": "What differs in an alert, by its name.",
        "additionalProperties": False,
        "properties": {
            name: {"$ref": f"#/definitions/{'tunedAlert' if name in tuned else 'alert'}"}
            for name, _ in alerts()
        },
    }


def _kubernetes() -> Iterator[tuple[str, Schema]]:
    """The roots and all that they refer to, strict, without descriptions."""
    # Its files alone: importing it builds a grammar for seconds.
    package = find_spec("kubernetes_validate")
    assert package is not None
    assert package.origin is not None
    folder = Path(package.origin).parent / "kubernetes-json-schema"
    path = folder / f"v{VERSION}-local" / "_definitions.json"
    definitions = json.loads(path.read_text(encoding="utf-8"))["$defs"]
    wanted, done = [CORE + root for root in ROOTS], set[str]()
    while wanted:
        name = wanted.pop()
        if name not in done:
            done.add(name)
            node, references = _strict(definitions[name])
            wanted += references
            yield OURS + name.rpartition(".")[2], node


def _strict(node: Schema) -> tuple[Schema, list[str]]:
    """The node without what is for people, refusing unknown fields; and what it refers to."""
    if "$ref" in node:
        name = node["$ref"].rpartition("/")[2]
        return {"$ref": f"#/definitions/{OURS}{name.rpartition('.')[2]}"}, [name]
    found: Schema = {}
    references: list[str] = []
    if types := _types(node):
        found["type"] = types[0] if len(types) == 1 else types
    for key in _KEPT:
        value = node.get(key)
        if isinstance(value, dict):
            value, inner = _strict(value)
            references += inner
        if value is not None:
            found[key] = value
    if "properties" in node:
        found["additionalProperties"] = False
        found["properties"] = {}
        for name, inner_node in sorted(node["properties"].items()):
            found["properties"][name], inner = _strict(inner_node)
            references += inner
    return found, references


def _types(node: Schema) -> list[str]:
    """What it may be, and never null: Helm takes that for "no default"."""
    given = [kind for one in (node, *node.get("oneOf", ())) for kind in _listed(one.get("type"))]
    return [kind for kind in dict.fromkeys(given) if kind != "null"]


def _listed(kinds: str | list[str] | None) -> list[str]:
    return [kinds] if isinstance(kinds, str) else kinds or []
