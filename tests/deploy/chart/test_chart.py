"""What the chart renders is valid, described, of its release, and the same every time."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import helm_python as helm
import jsonschema
import pytest

from deploy.made import chart_files, chart_values
from deploy.made.chart_files import CHART
from tests.deploy.chart import custom_resources
from tests.deploy.chart.custom_resources import is_custom
from tests.deploy.chart.rendering import (
    CI,
    VERSIONS,
    Object,
    check_with_kubernetes,
    objects,
    of_kind,
    pods,
    render,
    selects,
    templates,
    values,
)


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
        if not is_custom(one):
            check_with_kubernetes(one, version)
            checked += 1
    assert checked > 10


@pytest.mark.parametrize("version", VERSIONS)
def test_a_deployment_with_a_field_unknown_to_kubernetes_is_refused(version: str) -> None:
    one = of_kind(objects("minimal"), "Deployment")[0]
    wrong = {**one, "spec": {**one["spec"], "replikas": 2}}
    with pytest.raises(jsonschema.ValidationError, match="replikas"):
        check_with_kubernetes(wrong, version)


@pytest.mark.parametrize("name", [n for n in CI if n != "minimal"])
def test_every_custom_resource_is_valid_by_its_definition(name: str) -> None:
    custom = [one for one in objects(name) if is_custom(one)]
    assert custom
    for one in custom:
        custom_resources.validate(one)


def test_a_custom_resource_with_a_field_unknown_to_its_definition_is_refused() -> None:
    (one,) = of_kind(objects("production"), "PodMonitor")
    wrong = {**one, "spec": {**one["spec"], "selektor": {}}}
    with pytest.raises(jsonschema.ValidationError, match="selektor"):
        custom_resources.validate(wrong)


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
