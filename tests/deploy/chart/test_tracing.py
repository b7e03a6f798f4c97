"""The lines for tracing that the documentation gives are values of the chart."""

import re
from pathlib import Path

import yaml

from tests.deploy.chart.rendering import changed, env_of, of_kind, pods, render

TEXT = (Path(__file__).parents[3] / "docs" / "operating" / "watch.md").read_text(encoding="utf-8")

SERVICES = {"matching", "scheduling", "feedback", "notify", "portal"}


def test_the_documented_values_tell_every_service_of_the_collector_and_open_the_way_to_it() -> None:
    section = TEXT.partition("## Tracing")[2].partition("\n## ")[0]
    [block] = re.findall(r"```yaml\n(.*?)```", section, re.DOTALL)
    given = yaml.safe_load(block)
    ways = {f"networkPolicy.to.{name}": way for name, way in given["networkPolicy"]["to"].items()}
    found = render(changed("production", {"defaults.env": given["defaults"]["env"], **ways}))

    services = {
        labels["app.kubernetes.io/component"]: env_of(pod)
        for _, labels, pod in pods(found)
        if labels["app.kubernetes.io/component"] in SERVICES
    }
    assert services.keys() == SERVICES
    for env in services.values():
        assert env["OTEL_EXPORTER_OTLP_ENDPOINT"]["value"].endswith(":4318")
    [way] = [
        policy["spec"]
        for policy in of_kind(found, "NetworkPolicy")
        if policy["metadata"]["name"] == "mentorat-to-collector"
    ]
    assert [port["port"] for rule in way["egress"] for port in rule["ports"]] == [4318]
    [which] = way["podSelector"]["matchExpressions"]
    assert set(which["values"]) == SERVICES
