"""Everything is denied but the ways that the values name."""

import pytest

from tests.deploy.chart.rendering import (
    CI,
    Object,
    changed,
    objects,
    of_kind,
    pods,
    render,
    selects,
)

CLOSED = [name for name in CI if name != "minimal"]
SERVICES = {"matching", "scheduling", "feedback", "notify", "portal"}


def ways(found: list[Object], side: str) -> dict[str, set[str]]:
    """Names of the policies that open something, by component; `side`: Ingress or Egress."""
    key = {"Ingress": "ingress", "Egress": "egress"}[side]
    opened: dict[str, set[str]] = {}
    for _, labels, _ in pods(found):
        component = labels["app.kubernetes.io/component"]
        opened[component] = {
            one["metadata"]["name"].removeprefix("mentorat-")
            for one in of_kind(found, "NetworkPolicy")
            if selects(one["spec"]["podSelector"], labels) and one["spec"].get(key)
        }
    return opened


@pytest.mark.parametrize("name", CLOSED)
def test_by_default_every_pod_is_denied_everything(name: str) -> None:
    (deny,) = [
        one
        for one in of_kind(objects(name), "NetworkPolicy")
        if one["metadata"]["name"] == "mentorat-default-deny"
    ]
    assert deny["spec"]["policyTypes"] == ["Ingress", "Egress"]
    assert not {"ingress", "egress"} & deny["spec"].keys()
    for _, labels, _ in pods(objects(name)):
        assert selects(deny["spec"]["podSelector"], labels)


@pytest.mark.parametrize("name", CLOSED)
def test_every_way_names_who_and_on_which_port(name: str) -> None:
    for one in of_kind(objects(name), "NetworkPolicy"):
        for rule in one["spec"].get("ingress", []):
            assert rule["from"]
            assert all(rule["from"])
            assert [port["port"] for port in rule["ports"]] == ["http"]
        for rule in one["spec"].get("egress", []):
            assert rule["to"]
            assert all(rule["to"])
            assert all(isinstance(port["port"], int) for port in rule["ports"])


def test_the_ways_out_are_those_that_are_named() -> None:
    out = ways(list(objects("production")), "Egress")
    each = {"to-dns", "to-kafka", "to-mongodb"}
    assert out == {
        "matching": each,
        "scheduling": each,
        "feedback": each,
        "notify": each | {"to-smtp"},
        "portal": each | {"to-smtp", "portal-to-services"},
        "topics": {"to-dns", "topics"},
        "rebuild": each,
        "test": {"to-dns", "test-to-services"},
    }


def test_the_ways_in_are_those_that_are_named() -> None:
    inward = ways(list(objects("production")), "Ingress")
    pages = {"from-ingress", "from-monitoring", "from-clients", "from-test"}
    assert inward == {
        "matching": pages | {"from-portal"},
        "scheduling": pages | {"from-portal"},
        "feedback": pages,
        "notify": pages - {"from-ingress"} | {"from-portal"},
        "portal": pages,
        "topics": set(),
        "rebuild": set(),
        "test": set(),
    }


def test_a_way_of_one_s_own_is_for_every_service() -> None:
    out = ways(list(objects("restricted-network")), "Egress")
    assert {component for component, opened in out.items() if "to-tracing" in opened} == SERVICES


def test_the_way_to_the_identity_provider_is_the_portal_s_alone() -> None:
    out = ways(list(objects("restricted-network")), "Egress")
    assert {component for component, opened in out.items() if "to-identity" in opened} == {"portal"}


def test_no_way_of_one_s_own_takes_the_name_of_another_policy() -> None:
    way = {"peers": [{"podSelector": {}}], "ports": [8080]}
    found = render(changed("production", {"networkPolicy.to.services": way}))
    names = [one["metadata"]["name"] for one in of_kind(found, "NetworkPolicy")]
    assert len(set(names)) == len(names)


def test_a_way_that_is_not_named_is_not_there() -> None:
    inward = ways(render(changed("production", {"networkPolicy.from.clients": ...})), "Ingress")
    assert not any("from-clients" in opened for opened in inward.values())


def test_the_job_of_the_topics_reaches_the_broker_and_nothing_else() -> None:
    (policy,) = [
        one
        for one in of_kind(objects("production"), "NetworkPolicy")
        if one["metadata"]["name"] == "mentorat-topics"
    ]
    ports = [[port["port"] for port in rule["ports"]] for rule in policy["spec"]["egress"]]
    assert ports == [[53, 53], [9093]]


def test_names_are_asked_for_over_both_protocols() -> None:
    (policy,) = [
        one
        for one in of_kind(objects("production"), "NetworkPolicy")
        if one["metadata"]["name"] == "mentorat-to-dns"
    ]
    (rule,) = policy["spec"]["egress"]
    assert {port["protocol"] for port in rule["ports"]} == {"TCP", "UDP"}
