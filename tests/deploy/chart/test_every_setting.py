"""Whatever a service reads from its environment can be said in the values, and then it counts."""

import json
from typing import Any

import pytest
import yaml

from deploy.made.chart_files import CHART
from deploy.made.chart_settings import FROM, IF_SET, KINDS, NOWHERE, settings
from schemas.topics import Service
from tests.deploy.chart.rendering import Object, aliases, changed, env_of, render, services
from tests.deploy.chart.test_awkward import validate

ISSUER = {
    "issuer": "https://idp.ministry.example/realms/agents",
    "audience": "connecte",
    "role_claim": "groups",
    "roles": {"ctm-coordination": "coordinator", "banque": "partner"},
    "cohorts": ["*"],
    "organisation_claim": "siret",
    "organisations": {"54209790200000": "L’Épargne <& fils>"},
    "skew_seconds": 60,
}
PARTNER = {"address": "claire@bank.example", "organisations": ["L’Épargne"], "cohorts": ["*"]}
VALUES: dict[str, Any] = {
    "kafka.topicPrefix": "dgfip.",
    "defaults.kafka": {"certificateSecret": "certificates"},
    "trust": {"secret": "authorities"},
    "http.tokensSecret": "tokens",
    "http.issuers": [ISSUER],
    "http.pseudonymSecret": "pseudonyms",
    "networkPolicy.to.issuers": {"peers": [{"ipBlock": {"cidr": "192.0.2.9/32"}}], "ports": [443]},
    "networkPolicy.to.identity": {"peers": [{"ipBlock": {"cidr": "192.0.2.9/32"}}], "ports": [443]},
    "networkPolicy.from.inbound": [{"ipBlock": {"cidr": "192.0.2.25/32"}}],
    "portal.partners": [PARTNER],
    "portal.provider": {"issuer": ISSUER["issuer"], "client": "c", "secret": "s", "name": "n"},
    "answers.secret": "answers",
    "letters.configMap": "letters",
    "catalogue.configMap": "catalogue",
    "inbound": {"enabled": True, "address": "answers@ministry.example"},
}
"""What the chart sets a variable from, all of it."""


def sample(row: Object) -> str:
    """Something that the setting can be, and is not by itself."""
    if "enum" in row:
        return str(row["enum"][-1])
    match row["type"]:
        case "boolean":
            return "false"
        case "integer" | "number":
            return str(int(row.get("minimum", row.get("exclusiveMinimum", 0))) + 1)
        case _:
            return "2026-01-05T08:00:00+01:00"


def whole(service: Service) -> Object:
    """Values in which a service has all that it reads: from the chart, else from env, secretEnv."""
    more: dict[str, Any] = {}
    for name, row in settings().items():
        if service in row["services"] and not {name} & {*FROM, *IF_SET, *NOWHERE}:
            if row.get("secret"):
                more[f"services.{service}.secretEnv.{name}"] = {"secret": "more", "key": name}
            else:
                more[f"services.{service}.env.{name}"] = sample(row)
    more.pop(f"services.{service}.env.OTEL_EXPORTER_OTLP_ENDPOINT")
    otlp = {f"services.{service}.env.OTEL_EXPORTER_OTLP_ENDPOINT": "http://collector:4318"}
    return changed("production", {**VALUES, **more, **otlp})


@pytest.mark.parametrize("service", KINDS)
def test_every_setting_of_a_service_can_be_said_in_the_values(service: Service) -> None:
    objects = render(whole(service))
    validate(objects)
    given = env_of(services(objects)[service]["spec"]["template"]["spec"]).keys()
    assert aliases(KINDS[service]) - given == NOWHERE.keys()


@pytest.mark.parametrize("service", KINDS)
def test_what_is_said_in_the_values_is_what_a_service_starts_with(
    service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = services(render(whole(service)))[service]["spec"]["template"]["spec"]
    kind = KINDS[service]
    for name, entry in env_of(found).items():
        value = entry.get("value", f"from the cluster: {name}")
        if "valueFrom" in entry and name in ("MONGODB_URI", "CONNECTE_HTTP_TOKENS"):
            value = {"MONGODB_URI": "mongodb://database.example/"}.get(name, "[]")
        # Files are the cluster's; here there are none.
        if not name.startswith(("KAFKA_SSL_", "SSL_")) and not name.endswith("_DIR"):
            monkeypatch.setenv(name, value)
    read = kind()  # type: ignore[call-arg]  # from the environment
    [issuer] = json.loads(read.model_dump_json(include={"issuers"}))["issuers"]
    assert {key: issuer[key] for key in ISSUER} == ISSUER
    for name, row in settings().items():
        if service in row["services"] and name not in FROM and row.get("type") == "integer":
            field = next(key for key, one in kind.model_fields.items() if one.alias == name)
            expected = {"CONNECTE_INBOUND_PORT": 2424, "CONNECTE_INBOUND_BYTES": 2_000_000}
            assert getattr(read, field) == expected.get(name, int(sample(row)))
    if service == "portal":
        assert json.loads(read.model_dump_json(include={"partners"}))["partners"] == [PARTNER]


def test_each_setting_has_a_row_in_the_readme_and_a_value_that_there_is() -> None:
    rows = (CHART / "README.md").read_text(encoding="utf-8").partition("## Settings")[2]
    values = yaml.safe_load((CHART / "values.yaml").read_text(encoding="utf-8"))
    assert [line.split("`")[1] for line in rows.splitlines() if line.startswith("| `")] == sorted(
        settings()
    )
    for name, path in IF_SET.items():
        place = values
        for part in path.split("."):
            assert part in place, f"{name}: {path}"
            place = place[part]


def test_folders_of_words_of_one_s_own_are_there_for_who_reads_them_and_nobody_else() -> None:
    found = services(render(changed("production", VALUES)))
    for folder, readers in (
        ("letters", {"notify"}),
        ("catalogue", {"matching", "notify", "portal"}),
    ):
        for service, one in found.items():
            pod = one["spec"]["template"]["spec"]
            volumes = {volume["name"]: volume for volume in pod["volumes"]}
            assert (folder in volumes) == (service in readers)
            if service in readers:
                mounts = {m["name"]: m for m in pod["containers"][0]["volumeMounts"]}
                variable = f"CONNECTE_{'LETTERS' if folder == 'letters' else 'CATALOGUE'}_DIR"
                assert env_of(pod)[variable]["value"] == mounts[folder]["mountPath"]
                assert volumes[folder]["configMap"] == {"name": folder}
