"""A wrong value is refused, with the name of the field."""

from typing import Any

import helm_python as helm
import pytest

from tests.deploy.chart.rendering import changed, render

WRONG: list[tuple[str, Any]] = [
    ("image", ...),
    ("image.repository", ...),
    ("image.repository", "Registry.Example/x y"),
    ("image.tag", "latest"),
    ("image.digest", "sha256:abc"),
    ("image.pullPolicy", "Sometimes"),
    ("kafka", ...),
    ("kafka.bootstrapServers", ...),
    ("kafka.bootstrapServers", "kafka"),
    ("kafka.brokers", "kafka:9092"),
    ("kafka.securityProtocol", "TLS"),
    ("kafka.mechanism", "GSSAPI"),
    ("kafka.partitions", 0),
    ("kafka.partitions", 1001),
    ("kafka.partitions", "12"),
    ("kafka.replication", 0),
    ("kafka.management", "manual"),
    ("kafka.operator.secret", ...),
    ("kafka.operator.password", "letmein"),
    ("kafka.ca.configMap", "also"),
    ("kafka.strimzi.subscribers", ["Not a name"]),
    ("kafka.strimzi", {"cluster": "x", "users": ["y"]}),
    ("trust", {"secret": "one", "configMap": "other"}),
    ("trust.pem", "-----BEGIN CERTIFICATE-----"),
    ("mongodb.uri", "mongodb://user:password@host"),
    ("mongodb.databasePrefix", "Ministry-"),
    ("smtp.host", ""),
    ("smtp.password", "letmein"),
    ("smtp.security", "ssl"),
    ("smtp.port", 70000),
    ("smtp.from", "nobody"),
    ("linkKeys", ...),
    ("linkKeys.secret", ...),
    ("http", ...),
    ("http.token", "0123456789abcdef"),
    ("urls.matching", ""),
    ("urls.matching", "https://matching.example/"),
    ("urls.matching", "matching.example"),
    ("urls.matching", "https://Matching.example"),
    ("urls.matching", "https://matching_pages.example"),
    ("urls.matching", "https://192.0.2.7"),
    ("urls.matching", "https://host.example/matching"),
    ("urls.notify", "https://notify.example"),
    ("logLevel", "TRACE"),
    ("defaults.replicas", 0),
    ("services.mentoring", {}),
    ("services.matching.replica", 2),
    ("services.matching.replicas", 13),
    ("services.matching.replicas", -1),
    ("services.matching.enabled", "yes"),
    ("services.matching.resources.limits.memory", "lots"),
    ("services.matching.resources.limits.gpu", "1"),
    ("services.matching.autoscaling", {"enabled": True, "maxReplicas": 13}),
    ("services.matching.autoscaling.by", "memory"),
    ("services.matching.autoscaling.minReplicas", 0),
    ("services.matching.autoscaling", {"enabled": True, "minReplicas": 5, "maxReplicas": 4}),
    ("services.matching.mongodb.secret", ...),
    ("services.matching.mongodb.uri", "mongodb://host"),
    ("services.matching.kafka.secret", ...),
    ("services.matching.kafka.password", "letmein"),
    ("services.matching.env.CONNECTE_PARTITIONS", "6"),
    ("services.matching.env.OTHER_PASSWORD", "letmein"),
    ("services.matching.env.OTEL_EXPORTER_OTLP_HEADERS", "authorization=Bearer x"),
    ("services.matching.env.SSL_CERT_FILE", "/tmp/ca.crt"),
    ("services.matching.env.lower", "x"),
    ("services.matching.env.CONNECTE_BATCH", 500),
    ("services.matching.secretEnv.X", {"secret": "x"}),
    ("services.matching.terminationGracePeriodSeconds", 10),
    ("services.matching.tolerations", [{"keys": "x"}]),
    ("services.matching.securityContext", {"privileged": True}),
    ("pod.runAsUser", 0),
    ("pod.spread", "Maybe"),
    ("ingress.host", "x"),
    ("httpRoute.enabled", True),
    ("httpRoute.parentRefs", [{"namespace": "x"}]),
    ("podMonitor.interval", "often"),
    ("podMonitor.interval", "5m"),
    ("podMonitor.interval", "1ms"),
    ("prometheusRule.runbookUrl", ...),
    ("rebuild.schedule", "* * * * *"),
    ("networkPolicy.to.kafka", ...),
    ("networkPolicy.to.mongodb", ...),
    ("networkPolicy.to.smtp", ...),
    ("networkPolicy.to.kafka.peers", []),
    ("networkPolicy.to.kafka.peers", [{}]),
    ("networkPolicy.to.kafka.ports", ["kafka"]),
    ("networkPolicy.to.kafka.peers", [{"ipBlock": {"cidr": "anywhere"}}]),
    (
        "networkPolicy.to.kafka.peers",
        [{"ipBlock": {"cidr": "192.0.2.0/24"}, "podSelector": {"matchLabels": {"a": "b"}}}],
    ),
    ("networkPolicy.to.Proxy", {"peers": [{"podSelector": {}}], "ports": [3128]}),
    ("networkPolicy.from.ingress", ...),
    ("networkPolicy.from.monitoring", ...),
    ("networkPolicy.from.anybody", [{"podSelector": {}}]),
    ("secrets", {"token": "0123456789abcdef"}),
]


@pytest.mark.parametrize(("path", "value"), WRONG)
def test_a_wrong_value_is_refused_by_its_name(path: str, value: Any) -> None:
    with pytest.raises(helm.HelmError) as refused:
        render(changed("production", {path: value}))
    told = str(refused.value)
    missing = [part for part in path.split(".") if part not in told]
    assert missing == []


def test_pages_of_two_services_do_not_share_a_host() -> None:
    with pytest.raises(helm.HelmError, match=r"urls\.scheduling: .* host of their own"):
        render(
            changed("production", {"urls.scheduling": "https://matching.mentorat.ministry.example"})
        )


def test_strimzi_needs_the_name_of_its_cluster() -> None:
    with pytest.raises(helm.HelmError, match=r"kafka\.strimzi\.cluster: needed"):
        render(changed("autoscaled", {"kafka.strimzi.cluster": ...}))


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("kafka.mechanism", "SCRAM-SHA-256"),
        ("kafka.mechanism", "PLAIN"),
        ("services.matching.kafka", {"secret": "matching-kafka"}),
    ],
)
def test_a_login_that_strimzi_s_users_do_not_have_is_refused(path: str, value: Any) -> None:
    with pytest.raises(helm.HelmError, match=path.replace(".", r"\.")):
        render(changed("autoscaled", {path: value}))


@pytest.mark.parametrize("release", ["my.release", "2026-mentorat", "mentorat-"])
def test_a_release_with_a_name_that_no_service_can_have_is_refused(release: str) -> None:
    with pytest.raises(helm.HelmError, match=r"release"):
        render(changed("minimal", {}), release=release)


def test_a_release_with_a_name_too_long_for_its_objects_is_refused() -> None:
    with pytest.raises(helm.HelmError, match="at most 40 characters"):
        render(changed("minimal", {}), release="m" * 41)
