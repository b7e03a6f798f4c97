"""A string of the values is a string in the objects, whatever YAML might take it for."""

import json
import re
from collections.abc import Iterator
from typing import Any

import pytest

from deploy.made.chart_schema import CHART
from tests.deploy.chart.rendering import Object, changed, render
from tests.deploy.chart.test_awkward import validate

SCHEMA = json.loads((CHART / "values.schema.json").read_text(encoding="utf-8"))
WORDS = ("0017", "1e3", "0x1f", "yes", "no", "null", "true", "2026-01-01", "1_000", ".inf")
CONTRADICTS = {
    # What stands beside them in the values says the same thing otherwise.
    "kafka.ca.configMap",
    "trust.secret",
    "keda.authenticationRef.name",
    # Held against other values, so not any word will do.
    "ingress.tlsSecret",
    "fullnameOverride",
}


def strings(node: Object, path: str) -> Iterator[tuple[str, Object]]:
    """Path and schema of every string that has no list of what it may be."""
    for reference in [node, *node.get("allOf", ())]:
        name = reference.get("$ref", "").rpartition("/")[2]
        if name:
            yield from strings(SCHEMA["definitions"][name], path)
    if node.get("type") == "string" and "enum" not in node:
        yield path, node
    for name, inner in node.get("properties", {}).items():
        if (path, name) not in (("", "global"), ("", "services")):
            yield from strings(inner, f"{path}.{name}".lstrip("."))


def fits(word: str, node: Object) -> bool:
    return re.search(node.get("pattern", ""), word) is not None


PLACES = {word: [path for path, node in strings(SCHEMA, "") if fits(word, node)] for word in WORDS}


@pytest.mark.parametrize("base", ["production", "autoscaled", "restricted-network"])
@pytest.mark.parametrize("word", WORDS)
def test_a_word_is_a_word_wherever_it_may_stand(word: str, base: str) -> None:
    places = [path for path in PLACES[word] if path not in CONTRADICTS]
    assert len(places) > 10
    changes: dict[str, Any] = {
        # Of what a service says itself, nothing: the word stands in the defaults, if it can.
        "services": {name: {} for name in ("matching", "scheduling", "feedback", "notify")},
        "defaults.mongodb.secret": "mongodb",
        "defaults.kafka.secret": "kafka",
        "defaults.kafka.username": "somebody",
        "defaults.service.type": "LoadBalancer",
        "kafka.ca.configMap": "",
        **dict.fromkeys(places, word),
    }
    validate(render(changed(base, changes)))
