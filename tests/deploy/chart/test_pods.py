"""Every pod is locked down, spread, and given the time that it needs to end; how many there are."""

import json

import helm_python as helm
import pytest
import yaml

from deploy.made.chart_files import CHART
from schemas.access import group_of
from services.chassis.log.kafka import STOP_SECONDS
from tests.deploy.chart.rendering import (
    CI,
    DEPLOYED,
    Object,
    changed,
    env_of,
    objects,
    of_kind,
    pods,
    render,
    selects,
    services,
    values,
)


@pytest.mark.parametrize("name", CI)
def test_every_pod_has_the_restricted_security(name: str) -> None:
    found = list(pods(objects(name)))
    assert "Pod/mentorat-test" in [pod for pod, _, _ in found]
    for pod, _, spec in found:
        security = spec["securityContext"]
        assert spec["automountServiceAccountToken"] is False, pod
        assert security["runAsNonRoot"] is True, pod
        assert security.get("runAsUser", 10001) > 0, pod
        assert security["seccompProfile"] == {"type": "RuntimeDefault"}, pod
        assert not {"hostNetwork", "hostPID", "hostIPC"} & spec.keys(), pod
        for volume in spec.get("volumes", []):
            assert volume.keys() & {"emptyDir", "secret", "configMap"}, pod
        for container in [*spec["containers"], *spec.get("initContainers", [])]:
            assert container["securityContext"] == {
                "allowPrivilegeEscalation": False,
                "readOnlyRootFilesystem": True,
                "capabilities": {"drop": ["ALL"]},
            }, pod
            assert container["resources"]["requests"].keys() == {"cpu", "memory"}, pod
            assert container["resources"]["limits"].keys() == {"cpu", "memory"}, pod
            assert "sh" not in container["command"], pod


def test_a_digest_wins_over_a_tag_and_without_either_it_is_the_version_of_the_chart() -> None:
    def image(given: Object) -> str:
        (found,) = {spec["containers"][0]["image"] for _, _, spec in pods(render(given))}
        return str(found)

    place = "registry.example/connecte-ton-manager"
    digest = f"sha256:{'a' * 64}"
    both = {"image.digest": digest, "image.tag": "1.2.3"}
    assert image(changed("minimal", both)) == f"{place}@{digest}"
    assert image(changed("minimal", {"image.tag": "1.2.3"})) == f"{place}:1.2.3"
    version = yaml.safe_load((CHART / "Chart.yaml").read_text())["appVersion"]
    assert image(values("minimal")) == f"{place}:{version}"


def test_a_service_that_is_switched_off_leaves_nothing_behind() -> None:
    found = render(changed("production", {"services.portal": {"enabled": False}}))
    assert services(found).keys() == {"matching", "scheduling", "feedback", "notify"}
    assert "mentorat-portal" not in [one["metadata"]["name"] for one in found]
    assert "CONNECTE_TEST_PORTAL" not in json.dumps(found)


PARTS = ("matching", "scheduling", "feedback", "notify", "portal")


@pytest.mark.parametrize("name", CI)
def test_the_portal_has_whatever_every_other_service_has(name: str) -> None:
    """Deployment, Service, way in, disruption budget, rebuild; probes, farewell, measures, room."""

    def kinds(service: str) -> set[str]:
        own = [one for one in objects(name) if service in one["metadata"]["name"].split("-")]
        return {one["kind"] for one in own}

    shared = set.intersection(*(kinds(service) for service in PARTS[:4]))
    assert shared >= {"Deployment", "Service"}
    assert kinds("portal") >= shared

    def shape(service: str) -> Object:
        told = services(objects(name))[service]["spec"]
        spec = told["template"]["spec"]
        (container,) = spec["containers"]
        shaped = ("ports", "livenessProbe", "readinessProbe", "startupProbe", "lifecycle")
        return {
            "strategy": told["strategy"]["type"],  # its surge goes by how many there are
            "marks": sorted(told["template"]["metadata"].get("annotations", {})),
            "ends": spec["terminationGracePeriodSeconds"],
            **{part: container.get(part) for part in shaped},
        }

    assert shape("portal") == shape("matching")


@pytest.mark.parametrize("name", CI)
def test_a_pod_has_longer_to_end_than_its_steps_may_take(name: str) -> None:
    for one in services(objects(name)).values():
        pod = one["spec"]["template"]["spec"]
        pause = pod["containers"][0]["lifecycle"]["preStop"]["sleep"]["seconds"]
        requests = 5
        assert pod["terminationGracePeriodSeconds"] > pause + requests + 2 * STOP_SECONDS


@pytest.mark.parametrize("name", CI)
def test_pods_of_a_service_are_spread_and_go_one_at_a_time(name: str) -> None:
    found = objects(name)
    budgets = {one["metadata"]["name"]: one for one in of_kind(found, "PodDisruptionBudget")}
    for one in services(found).values():
        labels = one["spec"]["template"]["metadata"]["labels"]
        spread = one["spec"]["template"]["spec"]["topologySpreadConstraints"]
        assert [rule["topologyKey"].split("/")[1] for rule in spread] == ["hostname", "zone"]
        assert spread[1]["whenUnsatisfiable"] == "ScheduleAnyway"
        assert {rule["nodeTaintsPolicy"] for rule in spread} == {"Honor"}
        assert all(selects(rule["labelSelector"], labels) for rule in spread)
        budget = budgets[one["metadata"]["name"]]["spec"]
        assert budget["maxUnavailable"] == 1
        assert selects(budget["selector"], labels)


def test_hooks_and_tests_run_where_services_may() -> None:
    found = list(pods(objects("restricted-network")))
    changes = {"kafka.management": "job", "kafka.operator": {"secret": "operator"}}
    found += list(pods(render(changed("restricted-network", changes))))
    assert {pod.split("/")[0] for pod, _, _ in found} == {"Deployment", "Job", "CronJob", "Pod"}
    given = values("restricted-network")["defaults"]
    for pod, _, spec in found:
        for key in ("nodeSelector", "tolerations", "priorityClassName"):
            assert spec[key] == given[key], pod


def test_hooks_and_tests_give_up_before_helm_does() -> None:
    helm_waits = 300
    found = [*of_kind(objects("production"), "Job", "Pod")]
    assert {one["kind"] for one in found} == {"Job", "Pod"}
    assert all(one["spec"]["activeDeadlineSeconds"] < helm_waits for one in found)


def test_selectors_keep_apart_what_belongs_to_different_services() -> None:
    found = objects("production")
    deployed = services(found)
    for one in (*deployed.values(), *of_kind(found, "PodDisruptionBudget")):
        chosen = [pod for pod, labels, _ in pods(found) if selects(one["spec"]["selector"], labels)]
        assert chosen == [f"Deployment/{one['metadata']['name']}"]


GRID = [(12, 12), (12, 13), (1, 1), (1, 2), (24, 23), (5, 100)]


@pytest.mark.parametrize("by", ["lag", "cpu", "replicas"])
@pytest.mark.parametrize(("partitions", "wanted"), GRID)
def test_there_are_never_more_processes_than_partitions(
    by: str, partitions: int, wanted: int
) -> None:
    scaling = {"enabled": by != "replicas", "by": by, "minReplicas": 1, "maxReplicas": wanted}
    if by == "replicas":
        scaling = {"enabled": False}
    service = {"autoscaling": scaling, "replicas": wanted if by == "replicas" else 1}
    given = changed("minimal", {"kafka.partitions": partitions, "services.matching": service})
    if wanted > partitions:
        with pytest.raises(helm.HelmError, match=r"services\.matching\.\S*eplicas: .*partitions"):
            render(given)
        return
    found = render(given)
    deployment = services(found)["matching"]["spec"]
    surge = deployment["strategy"]["rollingUpdate"]["maxSurge"]
    assert wanted + surge <= partitions
    assert surge + deployment["strategy"]["rollingUpdate"]["maxUnavailable"] == 1
    if by == "replicas":
        assert deployment["replicas"] == wanted
        return
    assert "replicas" not in deployment  # an upgrade does not undo what was scaled
    (scaler,) = of_kind(found, "ScaledObject", "HorizontalPodAutoscaler")
    assert wanted in (scaler["spec"].get("maxReplicaCount"), scaler["spec"].get("maxReplicas"))


def test_the_lag_that_scales_is_that_of_the_service_s_own_group() -> None:
    found = of_kind(objects("autoscaled"), "ScaledObject")
    groups = {
        one["spec"]["scaleTargetRef"]["name"]: one["spec"]["triggers"][0]["metadata"]
        for one in found
    }
    assert {name: trigger["consumerGroup"] for name, trigger in groups.items()} == {
        f"mentorat-{service}": group_of(service)
        for service in DEPLOYED
        if service not in ("notify", "portal")
    }
    for authentication in of_kind(objects("autoscaled"), "TriggerAuthentication"):
        component = authentication["metadata"]["labels"]["app.kubernetes.io/component"]
        given = env_of(services(objects("autoscaled"))[component]["spec"]["template"]["spec"])
        assert {entry["name"] for entry in authentication["spec"]["env"]} <= given.keys()
