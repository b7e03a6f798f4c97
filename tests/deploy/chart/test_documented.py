"""What the documentation has people ask a cluster for is what the chart makes there.

What it cannot catch: an option of `kubectl` or `helm` that there is none of.
"""

import re
from collections.abc import Iterator

import pytest

from schemas.topics import COMMANDS
from tests.deploy.chart.rendering import objects
from tests.test_docs import ROOT, pages, text_of

NAMED = re.compile(r"\b(deployment|cronjob|service|job|pod)[/ ](RELEASE-[\w$-]+)")
LABELLED = re.compile(r"kubectl get pods -l (\S+?)[\s`]")
RELEASE = "mentorat"


def found(pattern: re.Pattern[str]) -> Iterator[tuple[str, ...]]:
    for page in pages():
        for match in pattern.finditer(text_of(ROOT / page)):
            yield (page, *match.groups())


def named() -> Iterator[tuple[str, str, str]]:
    """Page, kind and name, once for each service that stands for."""
    for page, kind, name in found(NAMED):
        for service in COMMANDS:
            filled = re.sub(r"\$service|SERVICE", service, name)
            yield page, kind, filled.replace("RELEASE", RELEASE)


def test_every_object_that_is_named_to_kubectl_is_one_of_the_chart_s() -> None:
    made = {(str(one["kind"]).lower(), one["metadata"]["name"]) for one in objects("production")}
    asked = set(named())
    assert len(asked) >= 12, "they are read"
    assert [row for row in sorted(asked) if row[1:] not in made] == []


def test_pods_are_found_by_the_labels_that_are_named() -> None:
    asked = {selector for _, selector in found(LABELLED)}
    assert asked, "they are read"
    pods = [one["spec"]["template"] for one in objects("production") if one["kind"] == "Deployment"]
    assert len(pods) == len(COMMANDS)
    for selector in asked:
        label, _, value = selector.replace("RELEASE", RELEASE).partition("=")
        assert {pod["metadata"]["labels"].get(label) for pod in pods} == {value}, selector


@pytest.mark.parametrize("wrong", ["deployment/RELEASE-mathcing", "cronjob/RELEASE-rebuild"])
def test_what_is_not_made_is_found(wrong: str) -> None:
    [(kind, name)] = NAMED.findall(f"kubectl logs {wrong}")
    made = {(str(one["kind"]).lower(), one["metadata"]["name"]) for one in objects("production")}
    assert (kind, name.replace("RELEASE", RELEASE)) not in made
