"""Awkward values: the legitimate render, are valid and stand where they should; the rest is named.

The cases are files, as an operator writes values: `values` are changes by path to one of the files
in `ci/` (`production` unless `base` says otherwise), `without` takes away. `there` and `absent`
look into the objects: kind, name, and the way to what is looked for, word by word; a word is a key,
a place in a list, or the `name` of what stands in one.
"""

import json
import re
from functools import cache
from pathlib import Path
from typing import Any

import helm_python as helm
import pytest
import yaml

from deploy.made import chart_schema, chart_values
from tests.deploy.chart import custom_resources
from tests.deploy.chart.rendering import (
    VERSIONS,
    Object,
    changed,
    check_with_kubernetes,
    of_kind,
    pods,
    render,
)

CASES = Path(__file__).with_name("cases")
ABSENT = object()


def cases(name: str) -> list[Object]:
    found: list[Object] = yaml.safe_load((CASES / f"{name}.yaml").read_text(encoding="utf-8"))
    return found


TAKEN = [
    case
    for path in sorted(CASES.glob("*.yaml"))
    if path.stem != "refused"
    for case in cases(path.stem)
]


def given(case: Object) -> Object:
    without = dict.fromkeys(case.get("without", ()), ...)
    return changed(case.get("base", "production"), {**case.get("values", {}), **without})


def found(objects: list[Object], look: str) -> Any:
    """What stands at a way's end; ABSENT if it breaks off."""
    kind, name, *way = look.split()
    of_that_name = (one for one in of_kind(objects, kind) if one["metadata"]["name"] == name)
    here: Any = next(of_that_name, ABSENT)
    for word in way:
        if isinstance(here, list) and word.isdigit():
            here = here[int(word)] if int(word) < len(here) else ABSENT
        elif isinstance(here, list):
            here = next((one for one in here if one["name"] == word), ABSENT)
        elif isinstance(here, dict):
            here = here.get(word, ABSENT)
    return here


@cache
def _valid(text: str) -> None:
    one = json.loads(text)
    if custom_resources.is_custom(one):
        custom_resources.validate(one)
    elif "." not in one["apiVersion"].partition("/")[0] or ".k8s.io" in one["apiVersion"]:
        check_with_kubernetes(one, VERSIONS[-1])


def validate(objects: list[Object]) -> None:
    """All that the chart knows of; an object of somebody else's kind is theirs to check."""
    for one in objects:
        _valid(json.dumps(one, sort_keys=True))


@pytest.mark.parametrize("case", TAKEN, ids=lambda case: case["what"])
def test_an_awkward_value_renders_and_stands_where_it_should(case: Object) -> None:
    objects = render(given(case))
    validate(objects)
    there = {look: found(objects, look) for look in case.get("there", {})}
    assert there == case.get("there", {})
    assert [look for look in case.get("absent", ()) if found(objects, look) is not ABSENT] == []


REFUSED = cases("refused")


@pytest.mark.parametrize("case", REFUSED, ids=lambda case: "-".join(case["values"]))
def test_what_is_refused_is_named(case: Object) -> None:
    with pytest.raises(helm.HelmError) as refused:
        render(given(case))
    told = str(refused.value)
    assert [words for words in case["says"] if words not in told] == [], told


@pytest.mark.parametrize(
    "release", ["no", "yes", "on", "null", "true", "y", "a", "e1", "inf", "m" * 33]
)
def test_a_release_may_be_called_what_yaml_takes_for_something_else(release: str) -> None:
    objects = render(changed("minimal", {}), release)
    validate(objects)
    for one in objects:
        assert one["metadata"]["labels"]["app.kubernetes.io/instance"] == release
        assert one["metadata"]["name"].startswith(release)


@pytest.mark.parametrize("base", ["production", "autoscaled"])
def test_what_is_common_is_on_every_object_and_every_pod(base: str) -> None:
    common = {"commonLabels": {"cost-centre": "0017"}, "commonAnnotations": {"contact": "yes"}}
    objects = render(changed(base, common))
    for one, before in zip(objects, render(changed(base, {})), strict=True):
        labels, notes = one["metadata"]["labels"], one["metadata"]["annotations"]
        assert labels == {**before["metadata"]["labels"], "cost-centre": "0017"}
        assert notes == {**before["metadata"].get("annotations", {}), "contact": "yes"}
        assert "cost-centre" not in str(one.get("spec", {}).get("selector"))
    assert {labels["cost-centre"] for _, labels, _ in pods(objects)} == {"0017"}


BLOCKS = re.findall(
    r"^```yaml\n(.*?)^```$",
    (chart_schema.CHART / "README.head.md").read_text(encoding="utf-8"),
    re.MULTILINE | re.DOTALL,
)


def over(below: Any, above: Any) -> Any:
    """As Helm lays one file of values over another."""
    if isinstance(below, dict) and isinstance(above, dict):
        return {key: over(below.get(key), above.get(key, below.get(key))) for key in below | above}
    return above


@pytest.mark.parametrize("block", BLOCKS, ids=lambda block: block.split()[0])
def test_what_people_copy_from_the_readme_renders(block: str) -> None:
    base = "autoscaled" if "kafka:" in block else "production"
    validate(render(over(changed(base, {}), yaml.safe_load(block))))


EXAMPLES = [
    (path, example) for path, node in chart_values.values() for example in node.get("examples", ())
]


@pytest.mark.parametrize(("path", "example"), EXAMPLES, ids=[path for path, _ in EXAMPLES])
def test_the_example_of_a_value_renders(path: str, example: Any) -> None:
    strimzi = ("kafka.strimzi", "httpRoute", "networkPolicy")
    values = changed("autoscaled" if path.startswith(strimzi) else "production", {})
    values.get("ingress", {}).pop("tlsSecret", None)
    if path == "http.issuers":  # they are reached, and ids of their people made with a secret
        values.setdefault("http", {})["pseudonymSecret"] = "pseudonyms"
        values["networkPolicy"]["to"]["issuers"] = {
            "peers": [{"ipBlock": {"cidr": "198.51.100.7/32"}}],
            "ports": [443],
        }
    *parents, last = path.split(".")
    place = values
    for parent in parents:
        place = place.setdefault(parent, {})
    place[last] = {**place[last], **example} if isinstance(place.get(last), dict) else example
    validate(render(values))
