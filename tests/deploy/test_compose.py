"""The compose file is one, and gives the services of the whole platform settings that they take."""

from pathlib import Path
from typing import Any

import pytest
import yaml
from compose_spec import PyCompose

from deploy.made.chart_settings import KINDS, NOWHERE, settings

DEPLOY = Path(__file__).parents[2] / "deploy"
SERVICES = ("matching", "scheduling", "feedback", "notify", "portal")
STAND_INS = {
    "CONNECTE_HTTP_TOKEN": "0123456789abcdef",
    "CONNECTE_LINK_VERIFY_KEY": "public",
    "CONNECTE_LINK_SIGNING_KEY": "private",
}

THE_FILE_S_OWN = {
    *("KAFKA_BOOTSTRAP_SERVERS", "MONGODB_URI", "CONNECTE_HTTP_HOST"),
    *(f"CONNECTE_{service}_URL" for service in ("MATCHING", "SCHEDULING", "FEEDBACK", "NOTIFY")),
    "CONNECTE_PORTAL_URL",
}
"""Addresses of what the file itself starts: a shell has others, for `connecte`."""
NOT_HERE = {
    **NOWHERE,
    "CONNECTE_HTTP_PORT": "8080, which the ports lead to",
    **dict.fromkeys(
        (
            *("KAFKA_SECURITY_PROTOCOL", "KAFKA_SASL_MECHANISM", "KAFKA_SASL_USERNAME"),
            *("KAFKA_SASL_PASSWORD", "KAFKA_SSL_CAFILE", "KAFKA_SSL_CERTFILE"),
            *("KAFKA_SSL_KEYFILE", "CONNECTE_TOPIC_PREFIX"),
        ),
        "the file's own broker asks nobody who they are, and is nobody else's",
    ),
}
"""Settings that cannot be said here, and why."""


def compose() -> dict[str, Any]:
    """With aliases and merges resolved."""
    found: dict[str, Any] = yaml.safe_load((DEPLOY / "compose.yaml").read_text())
    return found


def test_the_file_is_what_the_specification_asks_for() -> None:
    parsed = PyCompose.from_yaml(yaml.safe_dump(compose()))
    parsed.validate()
    others = {"topics", "kafka", "mongodb", "mail", "prometheus", "grafana"}
    assert set(parsed.service_names()) == {*SERVICES, *others}


def test_what_the_specification_does_not_know_is_refused() -> None:
    wrong = compose()
    wrong["services"]["mail"]["imagge"] = "x"
    with pytest.raises(ValueError, match="imagge"):
        PyCompose.from_yaml(yaml.safe_dump(wrong))


@pytest.mark.parametrize("name", SERVICES)
def test_every_setting_of_a_service_can_be_said_and_goes_to_nobody_else(name: str) -> None:
    given = compose()["services"][name]["environment"]
    reads = {setting for setting, row in settings().items() if name in row["services"]}
    assert given.keys() == reads - NOT_HERE.keys()
    for setting, value in given.items():
        said = value is None or value.startswith((f"${{{setting}:-", f"${{{setting}:?"))
        assert said != (setting in THE_FILE_S_OWN), setting


def test_what_cannot_be_said_here_is_a_setting_all_the_same() -> None:
    assert (NOT_HERE.keys() | THE_FILE_S_OWN) <= settings().keys()
    assert not NOT_HERE.keys() & THE_FILE_S_OWN


@pytest.mark.parametrize("name", SERVICES)
def test_a_service_starts_with_what_the_file_gives_it(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    kind = KINDS[name]
    given = compose()["services"][name]["environment"]
    for field in kind.model_fields.values():
        monkeypatch.delenv(str(field.alias), raising=False)
    for key, value in given.items():
        if value is None:  # the shell's, and there is none
            continue
        _, _, default = value.removesuffix("}").partition(":-")
        asked = value.startswith(f"${{{key}:?")
        assert asked == (key in STAND_INS), f"{key}: secrets come from outside, nothing else has to"
        monkeypatch.setenv(key, STAND_INS[key] if asked else default or value)
    read = kind()  # type: ignore[call-arg]  # from the environment
    assert read.http_port == 8080
    assert compose()["services"][name]["command"] == [f"services.{name}.app"]


def test_services_start_when_database_and_topics_are_there() -> None:
    found = compose()["services"]
    for name in SERVICES:
        assert found[name]["depends_on"] == {
            "mongodb": {"condition": "service_healthy"},
            "topics": {"condition": "service_completed_successfully"},
        }
    assert found["topics"]["depends_on"] == {"kafka": {"condition": "service_healthy"}}
    assert found["topics"]["entrypoint"][:3] == ["connecte", "topics", "apply"]
    assert "healthcheck" in found["kafka"]
    assert "healthcheck" in found["mongodb"]


def test_only_this_machine_can_reach_anything() -> None:
    for name, service in compose()["services"].items():
        for port in service.get("ports", []):
            assert port.startswith("127.0.0.1:"), name


def test_every_image_has_an_exact_version() -> None:
    images = {service["image"] for service in compose()["services"].values()}
    assert all(
        image.split(":")[1][-1].isdigit() for image in images - {"connecte-ton-manager:local"}
    )
    assert {image.split(".")[0] for image in images} >= {"apache/kafka:4", "mongo:8"}


def test_our_containers_are_locked_down() -> None:
    for name in (*SERVICES, "topics"):
        service = compose()["services"][name]
        assert service["read_only"] is True
        assert service["cap_drop"] == ["ALL"]
        assert service["security_opt"] == ["no-new-privileges:true"]


def test_prometheus_scrapes_every_service_and_grafana_asks_prometheus() -> None:
    scraped = yaml.safe_load((DEPLOY / "compose" / "prometheus.yml").read_text())
    (job,) = scraped["scrape_configs"]
    assert job["static_configs"] == [
        {"targets": [f"{name}:8080"], "labels": {"service": name}} for name in SERVICES
    ]
    source = yaml.safe_load((DEPLOY / "compose/grafana/datasources/prometheus.yaml").read_text())
    (asked,) = source["datasources"]
    assert asked["url"] == "http://prometheus:9090"
    assert asked["jsonData"]["timeInterval"] == scraped["global"]["scrape_interval"]


def test_grafana_finds_the_dashboards_where_it_looks_for_them() -> None:
    grafana = compose()["services"]["grafana"]
    mounted = dict(volume.split(":")[:2] for volume in grafana["volumes"])
    (folder,) = {DEPLOY / source for source in mounted if source == "./chart/files/dashboards"}
    provider = yaml.safe_load((DEPLOY / "compose/grafana/dashboards/files.yaml").read_text())
    assert provider["providers"][0]["options"]["path"] == mounted["./chart/files/dashboards"]
    assert {path.name for path in folder.glob("*.json")} == {"machine.json", "programme.json"}


def test_what_is_mounted_from_the_repository_is_configuration_and_read_only() -> None:
    for service in compose()["services"].values():
        for volume in service.get("volumes", []):
            source, _, rest = volume.partition(":")
            if source.startswith("."):
                assert rest.endswith(":ro")
                assert (DEPLOY / source).exists()
