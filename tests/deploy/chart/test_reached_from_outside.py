"""From outside only pages can be reached, and only where somebody asked for it."""

import pytest

from services.portal.pages import ROUTES
from services.portal.web.look import Look
from services.portal.web.rendering import SCRIPT_PATH
from tests.deploy.chart.rendering import Object, changed, objects, of_kind, render

LINKS = {"/links": "Prefix"}


def paths(one: Object) -> dict[str, str]:
    """What an object leads to, and how it matches."""
    if one["kind"] == "Route":
        return {one["spec"]["path"]: "Prefix"}
    (rule,) = one["spec"]["rules"]
    if one["kind"] == "Ingress":
        found = rule["http"]["paths"]
        assert {p["backend"]["service"]["name"] for p in found} == {one["metadata"]["name"]}
        return {path["path"]: path["pathType"] for path in found}
    assert rule["backendRefs"] == [{"name": one["metadata"]["name"], "port": 8080}]
    matches = [match["path"] for match in rule["matches"]]
    return {m["value"]: m["type"].removeprefix("Path") for m in matches}


def leads(ways: dict[str, str], path: str) -> bool:
    """As an ingress controller matches."""
    below = (way for way, how in ways.items() if how == "Prefix")
    return path in ways or any(path.startswith(f"{way}/") for way in below)


@pytest.mark.parametrize(("name", "kind"), [("production", "Ingress"), ("autoscaled", "HTTPRoute")])
def test_from_outside_only_pages_can_be_reached(name: str, kind: str) -> None:
    found = {one["metadata"]["name"]: one for one in of_kind(objects(name), kind)}
    pages = {f"mentorat-{service}": LINKS for service in ("matching", "scheduling", "feedback")}
    assert {one: paths(of) for one, of in found.items() if one != "mentorat-portal"} == pages
    ways = paths(found["mentorat-portal"])
    assert [r.path for r in ROUTES if not leads(ways, r.path)] == []
    assert leads(ways, Look().style_path)
    assert leads(ways, SCRIPT_PATH)
    inside = (
        "/metrics",
        "/health/ready",
        "/docs",
        "/commands/PersonErased",
        "/parked",
        "/asyncapi",
    )
    assert [path for path in inside if leads(ways, path)] == []


def test_each_page_is_on_a_host_of_its_own_with_a_certificate() -> None:
    hosts = {}
    for one in of_kind(objects("production"), "Ingress"):
        (rule,) = one["spec"]["rules"]
        hosts[one["metadata"]["name"].removeprefix("mentorat-")] = rule["host"]
        assert one["spec"]["tls"][0]["hosts"] == [rule["host"]]
    assert hosts.pop("portal") == "mentorat.ministry.example"
    assert all(host.split(".")[0] == service for service, host in hosts.items())


def test_openshift_s_routes_lead_to_the_portal_s_pages_and_not_to_all_below_its_first_one() -> None:
    found = render(changed("production", {"route.enabled": True, "ingress.enabled": False}))
    routes = [
        one for one in of_kind(found, "Route") if one["spec"]["to"]["name"] == "mentorat-portal"
    ]
    assert len({one["metadata"]["name"] for one in routes}) == len(routes)
    ways = {path: how for one in routes for path, how in paths(one).items()}
    assert [r.path for r in ROUTES if not leads(ways, r.path)] == ["/"]
    assert "/" not in ways


def test_without_being_asked_nothing_leads_in_from_outside() -> None:
    assert of_kind(objects("minimal"), "Ingress", "HTTPRoute", "Route") == []
