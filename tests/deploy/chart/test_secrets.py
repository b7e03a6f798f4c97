"""A Secret that is not as it should be: no key, nothing in it, the end of a line after it.

Without its key a pod does not start at all, and the kubelet says which key it is (on the real API
server, `tests/deploy/cluster/test_lifecycle.py`); with nothing in it the process ends and names the
setting.
"""

import re
from collections.abc import Iterator, Mapping
from importlib import import_module

import pytest

from deploy.made.chart_settings import KINDS
from schemas.topics import COMMANDS, Service
from services.chassis.http.links import generate_keys
from services.chassis.runtime import Service as Process
from services.chassis.settings import WrongSetting
from tests.deploy.chart.rendering import (
    Object,
    aliases,
    changed,
    env_of,
    pods,
    render,
    services,
)
from tests.test_docs import ROOT, text_of

ANYWHERE = {"peers": [{"ipBlock": {"cidr": "192.0.2.16/28"}}], "ports": [443]}
ONE_PER_SERVICE = (
    "services.SERVICE.mongodb.secret",
    "services.SERVICE.kafka.secret",
    "services.SERVICE.kafka.certificateSecret",
)
OTHERS = (
    "linkKeys.secret",
    "http.tokenSecret",
    "http.tokensSecret",
    "http.pseudonymSecret",
    "answers.secret",
    "portal.provider.secret",
    "smtp.secret",
    "kafka.operator.secret",
    "kafka.operator.certificateSecret",
    "kafka.ca.secret",
    "trust.secret",
)
ISSUER = {"issuer": "https://identity.example", "audience": "connecte", "role": "auditor"}
PROVIDER = {"issuer": "https://identity.example", "client": "connecte", "name": "the portal"}


def with_every_secret(protocol: str) -> list[Object]:
    """All that the chart can take from a Secret, each from one of the name of its value."""
    wanted: dict[str, object] = {
        "kafka.securityProtocol": protocol,
        "http.issuers": [ISSUER | {"cohorts": ["*"]}],
        "portal.provider": PROVIDER,
        "networkPolicy.to.identity": ANYWHERE,
        "networkPolicy.to.issuers": ANYWHERE,
        "services.notify.kafka.usernameKey": "",
    }
    wanted |= {path: path.lower() for path in OTHERS}
    for service in COMMANDS:
        paths = {path: path.replace("SERVICE", service) for path in ONE_PER_SERVICE}
        wanted |= {own: path.lower() for path, own in paths.items()}
    unused = "certificateSecret" if "SASL" in protocol else "kafka.secret"
    for path in [*wanted]:
        if path.endswith(unused) or (unused == "kafka.secret" and path == "kafka.operator.secret"):
            del wanted[path]
    return render(changed("production", wanted))


def asked(found: list[Object]) -> Iterator[tuple[str, str, Object]]:
    """Secret, key and whatever refers to them, of variables and of files."""
    for _, _, pod in pods(found):
        for container in (*pod["containers"], *pod.get("initContainers", ())):
            for entry in container.get("env", ()):
                if ref := entry.get("valueFrom", {}).get("secretKeyRef"):
                    yield ref["name"], ref["key"], ref
        for volume in pod.get("volumes", ()):
            if ref := volume.get("secret"):
                for item in ref["items"]:
                    yield ref["secretName"], item["key"], ref


EVERY = [*with_every_secret("SASL_SSL"), *with_every_secret("SSL")]


def test_no_pod_starts_without_a_key_that_it_asks_for() -> None:
    found = list(asked(EVERY))
    assert len({name for name, _, _ in found}) == len(OTHERS) + len(ONE_PER_SERVICE)
    assert [ref for _, _, ref in found if ref.get("optional")] == []


def test_the_page_has_every_secret_with_its_keys() -> None:
    page = text_of(ROOT / "docs/operating/deploy.md").partition("| Secret named in |")[2]
    rows = [row.split("|") for row in page.partition("\n\n")[0].splitlines()[2:]]
    code = re.compile(r"`([^`]+)`")
    told = {
        path.lower(): set(code.findall(row[2])) for row in rows for path in code.findall(row[1])
    }
    made: dict[str, set[str]] = {}
    for name, key, _ in asked(EVERY):
        made.setdefault(name, set()).add(key)
    assert told == made


@pytest.fixture
def no_settings(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    for kind in KINDS.values():
        for name in aliases(kind):
            monkeypatch.delenv(name, raising=False)
    return monkeypatch


PRIVATE, PUBLIC = generate_keys()
AS_IT_SHOULD_BE = {
    "MONGODB_URI": "mongodb://database.example/",
    "CONNECTE_LINK_SIGNING_KEY": PRIVATE,
    "CONNECTE_LINK_VERIFY_KEY": PUBLIC,
    "CONNECTE_HTTP_TOKENS": "[]",
}
MAY_BE_EMPTY = {"CONNECTE_HTTP_TOKENS", "CONNECTE_ANSWERS_KEY"}
"""A list of none; and without a key of their own answers are sealed by another."""


def from_secrets(pod: Object) -> dict[str, str]:
    """The variables that a pod has from Secrets, each with what could stand there."""
    given = env_of(pod)
    return {n: AS_IT_SHOULD_BE.get(n, "0123456789abcdef") for n in given if "value" not in given[n]}


def started(
    service: Service, pod: Object, secret: Mapping[str, str], patch: pytest.MonkeyPatch
) -> Process:
    plain = {name: entry["value"] for name, entry in env_of(pod).items() if "value" in entry}
    for name, value in {**plain, **secret}.items():
        # Files of certificates are the cluster's; here there are none.
        if not name.startswith("KAFKA_SSL_") and name != "SSL_CERT_FILE":
            patch.setenv(name, value)
    process: Process = import_module(f"services.{service}.app").build()
    return process


@pytest.mark.parametrize("service", COMMANDS)
def test_a_secret_with_nothing_in_it_ends_the_start_with_the_name_of_the_setting(
    service: Service, no_settings: pytest.MonkeyPatch
) -> None:
    pod = services(with_every_secret("SASL_SSL"))[service]["spec"]["template"]["spec"]
    whole = from_secrets(pod)
    assert len(whole) >= 4
    with no_settings.context() as patch:
        started(service, pod, whole, patch)
    for name in whole.keys() - MAY_BE_EMPTY:
        with no_settings.context() as patch, pytest.raises(WrongSetting, match=name) as error:
            started(service, pod, whole | {name: ""}, patch)
        assert "\n" not in str(error.value)


@pytest.mark.parametrize("service", COMMANDS)
def test_the_end_of_a_line_after_a_token_is_no_part_of_it(
    service: Service, no_settings: pytest.MonkeyPatch
) -> None:
    pod = services(with_every_secret("SASL_SSL"))[service]["spec"]["template"]["spec"]
    token = "0123456789abcdef\n"
    process = started(service, pod, from_secrets(pod) | {"CONNECTE_HTTP_TOKEN": token}, no_settings)
    assert process.settings.http_tokens == (token.strip(),)
