"""What the documentation has people ask a cluster for is what the chart makes there.

What it cannot catch: an option of `kubectl` or `helm` that a later version of theirs has no more.
"""

import re
from collections.abc import Iterator

import pytest

from schemas.topics import COMMANDS
from tests.deploy.chart.rendering import objects
from tests.test_docs import ROOT, pages, text_of
from tests.test_shell import TYPED

NAMED = re.compile(r"\b(deployment|cronjob|service|job|pod)[/ ](RELEASE-[\w$-]+)")
LABELLED = re.compile(r"kubectl get pods -l (\S+?)[\s`]")
RELEASE = "mentorat"

OPTIONS = {
    "kubectl apply": {"-f"},
    "kubectl create job": {"--from", "--dry-run", "--output"},
    "kubectl create namespace": set(),
    "kubectl create secret": {"--namespace", "--from-file", "--from-literal"},
    "kubectl delete": set(),
    "kubectl describe": set(),
    "kubectl exec": set(),
    "kubectl get": {"-l", "-o"},
    "kubectl logs": {"--since", "--previous", "--follow"},
    "kubectl rollout pause": set(),
    "kubectl rollout restart": set(),
    "kubectl rollout resume": set(),
    "kubectl rollout status": set(),
    "kubectl rollout undo": set(),
    "kubectl scale": {"--replicas"},
    "kubectl top": set(),
    "helm install": {"--namespace", "--values", "--wait"},
    "helm rollback": set(),
    "helm test": {"--namespace"},
    "helm upgrade": {"--values"},
}
"""What the pages use of `kubectl` and `helm`, neither of which is here: whoever has people type
more looks first whether there is such a thing."""


def unheard_of(program: str, words: list[str]) -> str | None:
    """What of a command is in no table."""
    own = words[: words.index("--")] if "--" in words else words
    said = " ".join([program, *own])
    known = next((one for one in OPTIONS if f"{said} ".startswith(f"{one} ")), None)
    if known is None:
        return said
    given = {word.partition("=")[0] for word in own if word.startswith("-") and word != "-"}
    return ", ".join(sorted(given - OPTIONS[known])) or None


def test_every_command_to_a_cluster_is_one_that_there_is_with_options_that_it_has() -> None:
    asked = [
        (one, program, words)
        for one in TYPED
        for program in ("kubectl", "helm")
        if (words := one.after(program)) is not None
    ]
    assert len(asked) > 25, "they are read"
    assert [(str(o), wrong) for o, p, words in asked if (wrong := unheard_of(p, words))] == []


@pytest.mark.parametrize(
    ("line", "wrong"),
    [
        ("logs POD --sicne=10m", "--sicne"),
        ("rollout redo deployment/x", "kubectl rollout redo deployment/x"),
        ("exec deployment/x -- connecte parked list --service matching", None),
    ],
)
def test_a_command_that_there_is_none_of_is_found(line: str, wrong: str | None) -> None:
    assert unheard_of("kubectl", line.split()) == wrong


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


def test_every_name_of_a_release_is_one_that_the_chart_gives() -> None:
    names = {str(one["metadata"]["name"]) for one in objects("production")}
    asked = set(found(re.compile(r"\b(RELEASE-[a-zA-Z][\w$-]*)")))
    assert len(asked) >= 10, "they are read"
    for page, name in asked:
        for service in COMMANDS:
            filled = re.sub(r"\$service|SERVICE", service, name).replace("RELEASE", RELEASE)
            assert filled in names, (page, name)


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
