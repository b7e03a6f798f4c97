"""What pods are given is what they read: credentials of their own, and no secret in the open."""

import re
from pathlib import Path

import pytest

from deploy.made.chart_settings import KINDS
from deploy.operating.reach import Access
from tests.deploy.chart.rendering import (
    CI,
    DEPLOYED,
    aliases,
    changed,
    env_of,
    objects,
    of_kind,
    pods,
    render,
    services,
    values,
)

SECRET = re.compile(r"(PASSWORD|TOKENS?|SECRET|KEY|URI|HEADERS)$")


FROM_A_SECRET = {
    "MONGODB_URI": "mongodb://database.example/",
    "CONNECTE_COORDINATORS": "coordination@ministry.example",
}
"""What has to look like an address."""


@pytest.mark.parametrize("name", CI)
def test_what_a_service_is_given_is_what_it_reads(name: str) -> None:
    for service, one in services(objects(name)).items():
        kind = KINDS[service]
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
        kind = KINDS[service]
        with monkeypatch.context() as patch:
            for key in aliases(kind):
                patch.delenv(key, raising=False)
            for key, entry in env_of(one["spec"]["template"]["spec"]).items():
                # Files of certificates are the cluster's; here there are none.
                if not key.startswith("KAFKA_SSL_"):
                    patch.setenv(
                        key, entry.get("value", FROM_A_SECRET.get(key, "a-secret-of-the-cluster"))
                    )
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
        assert ("SMTP_PASSWORD" in given) == (service in ("notify", "portal"))


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
    assert len(out) == 2 * len(DEPLOYED)
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
    entries = [entry for entry in container["env"] if entry["name"] == "SMTP_TIMEOUT"]
    assert [entry.keys() for entry in entries] == [{"name", "valueFrom"}]


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
