"""What the chart renders is valid, described, of its release, and the same every time."""

import json
import re
from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path
from typing import Any

import helm_python as helm
import jsonschema
import kubernetes_validate
import pytest
import yaml

from deploy.made import chart_files, chart_values
from deploy.made.chart_files import CHART
from tests.deploy.chart.rendering import (
    CI,
    CRDS,
    VERSIONS,
    Object,
    objects,
    of_kind,
    pods,
    render,
    selects,
    templates,
    values,
)

CUSTOM = ("strimzi.io", "monitoring.coreos.com", "keda.sh")
GATEWAY = "gateway.networking.k8s.io/v1"


@pytest.mark.parametrize("version", [VERSIONS[0], VERSIONS[-1]])
@pytest.mark.parametrize("name", CI)
def test_helm_has_nothing_to_say_against_the_chart(name: str, version: str) -> None:
    report = helm.lint(str(CHART), values(name), strict=True, kube_version=f"v{version}.0")
    assert report["errors"] == []
    assert [m for m in report["messages"] if m["severity"] > 1] == []


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("name", CI)
def test_every_object_is_valid_for_kubernetes(name: str, version: str) -> None:
    checked = 0
    for one in objects(name):
        if one["apiVersion"] != GATEWAY and not any(c in one["apiVersion"] for c in CUSTOM):
            kubernetes_validate.validate(one, version, strict=True)
            checked += 1
    assert checked > 10


@lru_cache
def definitions() -> dict[tuple[str, str], Object]:
    found = {}
    for path in CRDS.glob("*.yaml"):
        spec = yaml.safe_load(path.read_text())["spec"]
        for version in spec["versions"]:
            key = (f"{spec['group']}/{version['name']}", spec["names"]["kind"])
            found[key] = _strict(version["schema"]["openAPIV3Schema"])
    return found


def _strict(schema: Any) -> Any:
    """The same schema, refusing fields that it does not name."""
    if isinstance(schema, list):
        return [_strict(one) for one in schema]
    if not isinstance(schema, dict):
        return schema
    found = {key: _strict(value) for key, value in schema.items()}
    if schema.get("x-kubernetes-int-or-string"):
        found.pop("type", None)
    closed = isinstance(schema.get("properties"), dict) and schema.get("type") == "object"
    if closed and not schema.get("x-kubernetes-preserve-unknown-fields"):
        found.setdefault("additionalProperties", False)
    return found


@pytest.mark.skipif(not CRDS.is_dir(), reason="no definitions at hand (CONNECTE_TEST_CRDS)")
@pytest.mark.parametrize("name", [n for n in CI if n != "minimal"])
def test_every_custom_resource_is_valid_by_its_definition(name: str) -> None:
    custom = [one for one in objects(name) if any(c in one["apiVersion"] for c in CUSTOM)]
    assert custom
    for one in custom:
        schema = definitions()[one["apiVersion"], one["kind"]]
        # What every object has is the API server's to check, not the definition's.
        body = {key: value for key, value in one.items() if key != "metadata"}
        jsonschema.Draft202012Validator(schema).validate({**body, "metadata": {}})


@pytest.mark.skipif(not CRDS.is_dir(), reason="no definitions at hand (CONNECTE_TEST_CRDS)")
def test_a_custom_resource_with_a_field_unknown_to_its_definition_is_refused() -> None:
    (one,) = of_kind(objects("production"), "PodMonitor")
    wrong = {**one, "metadata": {}, "spec": {**one["spec"], "selektor": {}}}
    schema = definitions()[one["apiVersion"], one["kind"]]
    with pytest.raises(jsonschema.ValidationError, match="selektor"):
        jsonschema.Draft202012Validator(schema).validate(wrong)


def test_generated_files_of_the_chart_are_current() -> None:
    assert chart_files.differing() == []
    assert chart_files.main(["--check"]) == 0


def test_every_value_is_described() -> None:
    assert [path for path, node in chart_values.values() if not node["description"]] == []


OPEN = {"/properties/global", "/properties/extraObjects/items/anyOf/0"}
"""A parent's values, and objects that are somebody else's."""


def test_no_unknown_value_is_let_in() -> None:
    """Whatever is an object says what may be in it, in the pieces of Kubernetes too."""

    def let_in(node: Any, place: str) -> Iterator[str]:
        if isinstance(node, dict):
            is_object = node.get("type") == "object" and isinstance(node.get("type"), str)
            if is_object and node.get("additionalProperties", {}) in ({}, True):
                yield place
            for key, inner in node.items():
                if key not in ("examples", "default"):
                    yield from let_in(inner, f"{place}/{key}")
        elif isinstance(node, list):
            for number, inner in enumerate(node):
                yield from let_in(inner, f"{place}/{number}")

    schema = json.loads((CHART / "values.schema.json").read_text())
    opened = set(let_in(schema, ""))
    assert {place for place in opened if "/kubernetes." not in place} == OPEN
    kubernetes = {place.rpartition("kubernetes.")[2] for place in opened - OPEN}
    assert kubernetes <= {"FieldsV1"}


@pytest.mark.parametrize("name", CI)
def test_the_same_values_render_the_same_objects(name: str) -> None:
    assert templates(values(name)) == templates(values(name))


def test_no_template_asks_the_cluster_the_clock_or_chance() -> None:
    for path in (CHART / "templates").iterdir():
        found = re.findall(r"\b(lookup|now|rand\w+|uuidv4|gen\w+Cert|genPrivateKey)\b", _code(path))
        assert found == [], path.name


def _code(path: Path) -> str:
    text = re.sub(r"\{\{-? ?/\*.*?\*/ ?-?\}\}", "", path.read_text(), flags=re.DOTALL)
    return " ".join(re.findall(r"\{\{.*?\}\}", text, flags=re.DOTALL))


@pytest.mark.parametrize("name", CI)
def test_every_object_is_of_the_release_in_its_namespace(name: str) -> None:
    for one in objects(name):
        assert one["metadata"]["namespace"] == "here"
        assert one["metadata"]["name"].startswith("mentorat")
        assert one["metadata"]["labels"]["app.kubernetes.io/instance"] == "mentorat"


def test_two_ministries_in_one_namespace_never_meet() -> None:
    one = render(values("ministry-a"), "ministry-a")
    other = render(values("ministry-b"), "ministry-b")

    def names(found: list[Object]) -> set[tuple[str, str]]:
        return {(each["kind"], each["metadata"]["name"]) for each in found}

    assert len(names(one)) == len(one)
    assert names(one).isdisjoint(names(other))
    for mine, others in ((one, other), (other, one)):
        labels = [found for _, found, _ in pods(others)]
        for each in mine:
            assert "ClusterRole" not in each["kind"]
            assert each["metadata"]["namespace"] == "here"
            selector = each["spec"].get("selector") if "spec" in each else None
            policy = each["spec"].get("podSelector") if "spec" in each else None
            if each["kind"] == "Service":
                selector = {"matchLabels": selector}
            for chosen in (selector, policy):
                assert chosen is None or not any(selects(chosen, found) for found in labels)
