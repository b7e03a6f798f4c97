"""The dashboards reach Grafana's sidecar as they are, as ConfigMaps."""

import json

import pytest

from deploy.made.dashboards import WRITTEN
from tests.deploy.chart.rendering import Object, changed, objects, of_kind, render

NAMES = ("machine", "programme")
MOST_BYTES = 1024 * 1024
RUNBOOKS = "https://example.org/connecte-ton-manager/docs/runbooks"  # as the dashboards have it


def dashboards(given: Object) -> dict[str, Object]:
    """ConfigMaps by the end of their names."""
    found = of_kind(render(given), "ConfigMap")
    return {
        one["metadata"]["name"].rpartition("-dashboard-")[2]: one
        for one in found
        if "-dashboard-" in one["metadata"]["name"]
    }


@pytest.mark.parametrize("name", NAMES)
def test_the_sidecar_is_given_the_dashboard_byte_for_byte(name: str) -> None:
    values = changed("production", {"prometheusRule.runbookUrl": f"{RUNBOOKS}/"})
    (content,) = dashboards(values)[name]["data"].values()
    assert content == (WRITTEN / f"{name}.json").read_text()
    assert len(content.encode()) < MOST_BYTES


def test_there_is_one_configmap_for_each_under_names_that_no_other_release_or_product_has() -> None:
    found = dashboards(changed("production", {}))
    assert set(found) == set(NAMES)
    for name, one in found.items():
        assert one["metadata"]["name"] == f"mentorat-dashboard-{name}"
        assert one["metadata"]["labels"]["grafana_dashboard"] == "1"
        assert one["metadata"]["annotations"] == {"grafana_folder": "Mentorat"}
        assert list(one["data"]) == [f"connecte-{name}.json"]


def test_the_runbooks_are_where_the_alerts_say_they_are() -> None:
    values = changed("production", {"prometheusRule.runbookUrl": "https://docs.example/runbooks/"})
    (content,) = dashboards(values)["machine"]["data"].values()
    (variable,) = [
        one for one in json.loads(content)["templating"]["list"] if one["name"] == "runbooks"
    ]
    assert variable["query"] == "https://docs.example/runbooks"


def test_the_sidecar_of_another_grafana_can_look_for_another_label() -> None:
    labels = {"grafana_dashboard": "mentorat"}
    found = dashboards(changed("production", {"dashboards.labels": labels}))
    assert {one["metadata"]["labels"]["grafana_dashboard"] for one in found.values()} == {
        "mentorat"
    }


def test_without_the_wish_there_are_none() -> None:
    assert not [one for one in of_kind(objects("minimal"), "ConfigMap") if "dashboard" in str(one)]
