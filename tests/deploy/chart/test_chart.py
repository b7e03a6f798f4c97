"""What the chart renders is valid, locked down, free of secrets, and the same every time."""

import json
import re
from functools import lru_cache
from pathlib import Path
from typing import Any

import helm_python as helm
import jsonschema
import kubernetes_validate
import pytest
import yaml

from deploy.local.broker import embedded_broker
from deploy.made import chart_files
from deploy.made.chart_files import CHART
from deploy.operating.reach import Access
from deploy.operating.topics import config_of
from schemas.access import READS, group_of
from schemas.topics import COMMANDS, TOPICS
from services.chassis.log.kafka import STOP_SECONDS
from services.chassis.settings import Settings
from services.notify.settings import NotifySettings
from tests.deploy.chart.rendering import (
    CI,
    CRDS,
    VERSIONS,
    Object,
    changed,
    env_of,
    objects,
    of_kind,
    pods,
    render,
    selects,
    services,
    templates,
    values,
)
from tests.deploy.operating.commands import connecte

CUSTOM = ("strimzi.io", "monitoring.coreos.com", "keda.sh")
GATEWAY = "gateway.networking.k8s.io/v1"
SECRET = re.compile(r"(PASSWORD|TOKEN|SECRET|KEY|URI|HEADERS)$")


def aliases(kind: type[Settings]) -> set[str]:
    return {str(field.alias) for field in kind.model_fields.values()}


# Valid


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
        if one["apiVersion"] != GATEWAY and not any(c in one["apiVersion"] for c in CUSTOM):
            kubernetes_validate.validate(one, version, strict=True)
            checked += 1
    assert checked > 10


@lru_cache
def definitions() -> dict[tuple[str, str], Object]:
    found = {}
    for path in CRDS.glob("*.yaml"):
        spec = yaml.safe_load(path.read_text())["spec"]
        for version in spec["versions"]:
            key = (f"{spec['group']}/{version['name']}", spec["names"]["kind"])
            found[key] = _strict(version["schema"]["openAPIV3Schema"])
    return found


def _strict(schema: Any) -> Any:
    """The same schema, refusing fields that it does not name."""
    if isinstance(schema, list):
        return [_strict(one) for one in schema]
    if not isinstance(schema, dict):
        return schema
    found = {key: _strict(value) for key, value in schema.items()}
    if schema.get("x-kubernetes-int-or-string"):
        found.pop("type", None)
    closed = isinstance(schema.get("properties"), dict) and schema.get("type") == "object"
    if closed and not schema.get("x-kubernetes-preserve-unknown-fields"):
        found.setdefault("additionalProperties", False)
    return found


@pytest.mark.skipif(not CRDS.is_dir(), reason="no definitions at hand (CONNECTE_TEST_CRDS)")
@pytest.mark.parametrize("name", [n for n in CI if n != "minimal"])
def test_every_custom_resource_is_valid_by_its_definition(name: str) -> None:
    custom = [one for one in objects(name) if any(c in one["apiVersion"] for c in CUSTOM)]
    assert custom
    for one in custom:
        schema = definitions()[one["apiVersion"], one["kind"]]
        # What every object has is the API server's to check, not the definition's.
        body = {key: value for key, value in one.items() if key != "metadata"}
        jsonschema.Draft202012Validator(schema).validate({**body, "metadata": {}})


@pytest.mark.skipif(not CRDS.is_dir(), reason="no definitions at hand (CONNECTE_TEST_CRDS)")
def test_a_custom_resource_with_a_field_unknown_to_its_definition_is_refused() -> None:
    (one,) = of_kind(objects("production"), "PodMonitor")
    wrong = {**one, "metadata": {}, "spec": {**one["spec"], "selektor": {}}}
    schema = definitions()[one["apiVersion"], one["kind"]]
    with pytest.raises(jsonschema.ValidationError, match="selektor"):
        jsonschema.Draft202012Validator(schema).validate(wrong)


def test_generated_files_of_the_chart_are_current() -> None:
    assert chart_files.differing() == []
    assert chart_files.main(["--check"]) == 0


def test_every_value_is_described_and_no_unknown_one_is_let_in() -> None:
    def walk(node: Any, path: str) -> None:
        if not isinstance(node, dict):
            return
        if node.get("type") == "object":
            assert "additionalProperties" in node, path
            assert node["additionalProperties"] is not True, path
        for name, inner in node.get("properties", {}).items():
            if "$ref" not in inner and inner.get("type") != "object" and "Selector" not in name:
                assert inner.get("description") or "tolerations" in path, f"{path}.{name}"
            walk(inner, f"{path}.{name}")
        for part in ("items", "additionalProperties"):
            walk(node.get(part), f"{path}.{part}")

    schema = json.loads((CHART / "values.schema.json").read_text())
    walk(schema, "")
    for name, node in schema["definitions"].items():
        walk(node, name)


# The same every time


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


# Pods


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
    found = render(changed("production", {"services.notify": {"enabled": False}}))
    assert services(found).keys() == {"matching", "scheduling", "feedback"}
    assert "mentorat-notify" not in [one["metadata"]["name"] for one in found]
    assert "CONNECTE_TEST_NOTIFY" not in json.dumps(found)


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


# Settings and secrets


@pytest.mark.parametrize("name", CI)
def test_what_a_service_is_given_is_what_it_reads(name: str) -> None:
    for service, one in services(objects(name)).items():
        kind = NotifySettings if service == "notify" else Settings
        given = env_of(one["spec"]["template"]["spec"]).keys()
        libraries = ("OTEL_", "SSL_CERT_FILE", "REQUESTS_CA_BUNDLE")
        foreign = {key for key in given if key.startswith(libraries)}
        assert given - foreign <= aliases(kind)
        needed = {str(f.alias) for f in kind.model_fields.values() if f.is_required()}
        assert needed | {"CONNECTE_HTTP_TOKEN", "CONNECTE_PARTITIONS"} <= given
        (container,) = one["spec"]["template"]["spec"]["containers"]
        assert container["command"] == ["python", "-m", f"services.{service}.app"]


@pytest.mark.parametrize("name", CI)
def test_a_service_starts_with_what_it_is_given(
    name: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    for service, one in services(objects(name)).items():
        kind = NotifySettings if service == "notify" else Settings
        with monkeypatch.context() as patch:
            for key in aliases(kind):
                patch.delenv(key, raising=False)
            for key, entry in env_of(one["spec"]["template"]["spec"]).items():
                # Files of certificates are the cluster's; here there are none.
                if not key.startswith("KAFKA_SSL_"):
                    patch.setenv(key, entry.get("value", "from-a-secret-of-the-cluster"))
            settings = kind()  # type: ignore[call-arg]  # from the environment
        assert settings.partitions == int(values(name)["kafka"].get("partitions", 12))
        assert not settings.loopback


@pytest.mark.parametrize("name", CI)
def test_no_object_holds_a_secret(name: str) -> None:
    assert of_kind(objects(name), "Secret") == []
    for pod, _, spec in pods(objects(name)):
        for key, entry in env_of(spec).items():
            if SECRET.search(key):
                assert entry.keys() == {"name", "valueFrom"}, f"{pod}: {key}"
                assert entry["valueFrom"].keys() == {"secretKeyRef"}, f"{pod}: {key}"


def test_only_notify_has_the_key_that_signs() -> None:
    for service, one in services(objects("production")).items():
        given = env_of(one["spec"]["template"]["spec"])
        assert ("CONNECTE_LINK_SIGNING_KEY" in given) == (service == "notify")
        assert ("SMTP_PASSWORD" in given) == (service == "notify")


def test_each_service_has_credentials_of_its_own() -> None:
    found = services(objects("production"))
    for variable in ("MONGODB_URI", "KAFKA_SASL_PASSWORD"):
        secrets = [
            env_of(one["spec"]["template"]["spec"])[variable]["valueFrom"]["secretKeyRef"]["name"]
            for one in found.values()
        ]
        assert len(set(secrets)) == len(found)


def test_certificates_are_where_the_settings_say() -> None:
    for name, source in (("production", "secret"), ("restricted-network", "configMap")):
        for one in services(objects(name)).values():
            pod = one["spec"]["template"]["spec"]
            mounts = {m["name"]: m["mountPath"] for m in pod["containers"][0]["volumeMounts"]}
            volumes = {volume["name"]: volume for volume in pod["volumes"]}
            given = env_of(pod)
            assert given["KAFKA_SSL_CAFILE"]["value"] == f"{mounts['kafka-ca']}/ca.crt"
            assert volumes["kafka-ca"][source]["items"][0]["path"] == "ca.crt"
            if name == "restricted-network":
                place = mounts["kafka-certificate"]
                assert given["KAFKA_SSL_CERTFILE"]["value"] == f"{place}/tls.crt"
                assert given["KAFKA_SSL_KEYFILE"]["value"] == f"{place}/tls.key"
            else:
                assert "KAFKA_SSL_KEYFILE" not in given


def test_authorities_of_one_s_own_are_trusted_by_every_pod_that_goes_out() -> None:
    found = list(pods(objects("restricted-network")))
    out = [(pod, spec) for pod, _, spec in found if pod != "Pod/mentorat-test"]
    assert len(out) == 2 * len(COMMANDS)
    for pod, spec in out:
        mounts = {m["name"]: m["mountPath"] for m in spec["containers"][0]["volumeMounts"]}
        volumes = {volume["name"]: volume for volume in spec["volumes"]}
        for variable in ("SSL_CERT_FILE", "REQUESTS_CA_BUNDLE"):
            assert env_of(spec)[variable]["value"] == f"{mounts['trust']}/ca.crt", pod
        assert volumes["trust"]["configMap"] == {
            "name": "intra-authorities",
            "items": [{"key": "bundle.pem", "path": "ca.crt"}],
        }


def test_a_setting_from_a_secret_wins_over_the_same_one_in_the_open() -> None:
    secret = {"SMTP_TIMEOUT": {"secret": "mail", "key": "timeout"}}
    found = render(changed("production", {"services.notify.secretEnv": secret}))
    (container,) = services(found)["notify"]["spec"]["template"]["spec"]["containers"]
    told = [entry for entry in container["env"] if entry["name"] == "SMTP_TIMEOUT"]
    assert [entry.keys() for entry in told] == [{"name", "valueFrom"}]


# Rebuilding


@pytest.mark.parametrize("name", CI)
def test_a_rebuild_is_at_hand_for_each_service_and_begins_by_itself_for_none(name: str) -> None:
    found = of_kind(objects(name), "CronJob")
    rebuilt = set()
    for one in found:
        assert one["spec"]["suspend"] is True
        pod = one["spec"]["jobTemplate"]["spec"]["template"]["spec"]
        (container,) = pod["containers"]
        *command, service = container["command"]
        assert command == ["connecte", "rebuild"]
        assert one["metadata"]["name"] == f"mentorat-rebuild-{service}"
        rebuilt.add(service)
        given = env_of(pod)
        libraries = {"SSL_CERT_FILE", "REQUESTS_CA_BUNDLE"}
        assert given.keys() - libraries <= aliases(Access)
        served = env_of(services(objects(name))[service]["spec"]["template"]["spec"])
        for setting in ("MONGODB_URI", "CONNECTE_DATABASE_PREFIX", "CONNECTE_PARTITIONS"):
            assert given[setting] == served[setting]
    assert rebuilt == set(services(objects(name)))


def test_a_rebuild_logs_in_as_an_operator() -> None:
    for name, expected in (("production", "kafka-operator"), ("autoscaled", "mentorat-operator")):
        for one in of_kind(objects(name), "CronJob"):
            given = env_of(one["spec"]["jobTemplate"]["spec"]["template"]["spec"])
            assert given["KAFKA_SASL_PASSWORD"]["valueFrom"]["secretKeyRef"]["name"] == expected


# Number of processes


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
        f"mentorat-{service}": group_of(service) for service in READS if service != "notify"
    }
    for authentication in of_kind(objects("autoscaled"), "TriggerAuthentication"):
        component = authentication["metadata"]["labels"]["app.kubernetes.io/component"]
        given = env_of(services(objects("autoscaled"))[component]["spec"]["template"]["spec"])
        assert {entry["name"] for entry in authentication["spec"]["env"]} <= given.keys()


# Topics and users


def test_topics_are_made_before_anything_of_the_release_is() -> None:
    hooks = [
        (int(one["metadata"]["annotations"]["helm.sh/hook-weight"]), one["kind"])
        for one in objects("production")
        if "pre-install" in one["metadata"].get("annotations", {}).get("helm.sh/hook", "")
    ]
    assert [kind for _, kind in sorted(hooks)] == ["NetworkPolicy", "Job"]
    (job,) = of_kind(objects("production"), "Job")
    notes = job["metadata"]["annotations"]
    assert notes["helm.sh/hook"] == "pre-install,pre-upgrade"
    assert notes["helm.sh/hook-delete-policy"] == "before-hook-creation,hook-succeeded"
    (container,) = job["spec"]["template"]["spec"]["containers"]
    assert " ".join(container["command"]) == (
        "connecte topics apply --partitions 12 --replication 3"
    )
    assert env_of(job["spec"]["template"]["spec"]).keys() <= aliases(Settings)


async def test_the_job_makes_the_topics_and_has_nothing_to_do_the_second_time(
    tmp_path: Path,
) -> None:
    (job,) = of_kind(objects("minimal"), "Job")
    pod = job["spec"]["template"]["spec"]
    command, *arguments = pod["containers"][0]["command"]
    assert command == "connecte"
    given = {name: entry["value"] for name, entry in env_of(pod).items()}
    async with embedded_broker(tmp_path) as broker:
        given["KAFKA_BOOTSTRAP_SERVERS"] = broker
        first = await connecte(*arguments, "--json", **given)
        assert first.code == 0, first.err
        assert set(first.document["created"]) == TOPICS.keys()
        again = await connecte(*arguments, "--json", **given)
        assert again.code == 0, again.err
        assert (again.document["created"], again.document["refused"]) == ([], [])


def test_one_hook_is_for_helm_test_and_no_other_hook_is_left() -> None:
    for name in CI:
        kinds = [
            (one["kind"], one["metadata"]["annotations"]["helm.sh/hook"])
            for one in objects(name)
            if "helm.sh/hook" in one["metadata"].get("annotations", {})
        ]
        assert kinds.count(("Pod", "test")) == 1
        assert {hook for _, hook in kinds} <= {"test", "pre-install,pre-upgrade"}


def test_topics_as_resources_are_those_of_the_table_and_outlive_the_release() -> None:
    found = of_kind(objects("autoscaled"), "KafkaTopic")
    assert {one["spec"]["topicName"] for one in found} == TOPICS.keys()
    for one in found:
        topic = TOPICS[one["spec"]["topicName"]]
        assert one["spec"]["partitions"] == 24
        assert one["spec"]["config"] == config_of(topic, 3)
        assert one["metadata"]["annotations"]["helm.sh/resource-policy"] == "keep"
        assert "Prune=false" in one["metadata"]["annotations"]["argocd.argoproj.io/sync-options"]
    assert of_kind(objects("autoscaled"), "Job") == []


def test_every_service_logs_in_as_the_user_that_the_release_makes_for_it() -> None:
    found = objects("autoscaled")
    users = {one["metadata"]["name"] for one in of_kind(found, "KafkaUser")}
    logins = set()
    for one in services(found).values():
        given = env_of(one["spec"]["template"]["spec"])
        login = given["KAFKA_SASL_USERNAME"]["value"]
        assert given["KAFKA_SASL_PASSWORD"]["valueFrom"]["secretKeyRef"]["name"] == login
        logins.add(login)
    others = {
        "mentorat-operator",
        *(f"mentorat-subscriber-{s}" for s in ("directory", "open-data")),
    }
    assert users == logins | others
    assert len(logins) == len(COMMANDS)


def test_a_subscriber_s_user_reads_public_topics_in_groups_of_its_own() -> None:
    (user,) = [
        one
        for one in of_kind(objects("autoscaled"), "KafkaUser")
        if one["metadata"]["name"] == "mentorat-subscriber-directory"
    ]
    acls = user["spec"]["authorization"]["acls"]
    assert all(acl["operations"] == ["Read"] for acl in acls)
    topics = {acl["resource"]["name"] for acl in acls if acl["resource"]["type"] == "topic"}
    assert topics == {topic.name for topic in TOPICS.values() if topic.audience == "public"}
    (group,) = [acl["resource"] for acl in acls if acl["resource"]["type"] == "group"]
    assert group == {
        "type": "group",
        "name": "mentorat-subscriber-directory.",
        "patternType": "prefix",
    }


# Pages


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


# Two ministries


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
