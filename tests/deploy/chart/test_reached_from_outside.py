"""From outside only the pages behind links can be reached, and only where somebody asked for it."""

import pytest

from tests.deploy.chart.rendering import (
    objects,
    of_kind,
)


@pytest.mark.parametrize(("name", "kind"), [("production", "Ingress"), ("autoscaled", "HTTPRoute")])
def test_from_outside_only_the_pages_can_be_reached(name: str, kind: str) -> None:
    found = of_kind(objects(name), kind)
    assert {one["metadata"]["name"] for one in found} == {
        f"mentorat-{service}" for service in ("matching", "scheduling", "feedback")
    }
    for one in found:
        (rule,) = one["spec"]["rules"]
        if kind == "Ingress":
            (path,) = rule["http"]["paths"]
            assert (path["path"], path["pathType"]) == ("/links", "Prefix")
            assert path["backend"]["service"]["name"] == one["metadata"]["name"]
            assert one["spec"]["tls"][0]["hosts"] == [rule["host"]]
            host = rule["host"]
        else:
            assert rule["matches"] == [{"path": {"type": "PathPrefix", "value": "/links"}}]
            assert rule["backendRefs"] == [{"name": one["metadata"]["name"], "port": 8080}]
            (host,) = one["spec"]["hostnames"]
        assert one["metadata"]["name"].removeprefix("mentorat-") == host.split(".")[0]


def test_without_being_asked_nothing_leads_in_from_outside() -> None:
    assert of_kind(objects("minimal"), "Ingress", "HTTPRoute") == []
