"""Settings from the environment, and the service that is built of them."""

import json
from datetime import UTC, datetime, timedelta

import httpx
import pytest
from prometheus_client import CONTENT_TYPE_LATEST

from services.chassis.clock import Clock
from services.chassis.parts import Parts
from services.chassis.runtime import Service
from services.chassis.settings import Settings, WrongSetting, load
from tests.chassis.http.site import OLD_TOKEN, PRIVATE_KEY, PUBLIC_KEY, TOKEN
from tests.chassis.toy import (
    COMMANDS as TOPIC,
)
from tests.chassis.toy import (
    NOW,
    TOY,
    Tally,
)

ENVIRONMENT = {
    "KAFKA_BOOTSTRAP_SERVERS": "127.0.0.1:1",
    "MONGODB_URI": "mongodb://somebody:secret@127.0.0.1:1/",
    "CONNECTE_LINK_VERIFY_KEY": PUBLIC_KEY,
}


@pytest.fixture
def environment(no_settings: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    for name, value in ENVIRONMENT.items():
        no_settings.setenv(name, value)
    return no_settings


def test_settings_come_from_the_environment_with_safe_defaults(
    environment: pytest.MonkeyPatch,
) -> None:
    settings = load(Settings)

    assert settings.kafka_connection == {"bootstrap_servers": ["127.0.0.1:1"]}
    assert (settings.http_host, settings.http_token) == ("127.0.0.1", None)
    assert settings.kafka_idempotent
    assert "secret" not in repr(settings)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("KAFKA_BOOTSTRAP_SERVERS", None),
        ("KAFKA_BOOTSTRAP_SERVERS", ""),
        ("MONGODB_URI", None),
        ("CONNECTE_LINK_VERIFY_KEY", None),
        ("CONNECTE_PARTITIONS", "0"),
        ("CONNECTE_PARTITIONS", "twelve"),
        ("CONNECTE_HTTP_PORT", "70000"),
        ("CONNECTE_CLOCK_RATE", "-1"),
        ("CONNECTE_DATABASE_PREFIX", "Capital"),
        ("CONNECTE_KAFKA_IDEMPOTENT", "perhaps"),
        ("LOG_LEVEL", "LOUD"),
    ],
)
def test_a_wrong_setting_stops_the_start_with_its_name_and_not_its_value(
    environment: pytest.MonkeyPatch, name: str, value: str | None
) -> None:
    if value is None:
        environment.delenv(name)
    else:
        environment.setenv(name, value)

    with pytest.raises(WrongSetting, match=f"^{name}: ") as error:
        load(Settings)

    assert "secret" not in str(error.value)
    assert error.value.__cause__ is None


def test_every_wrong_setting_is_named(environment: pytest.MonkeyPatch) -> None:
    environment.setenv("CONNECTE_BATCH", "0")
    environment.setenv("LOG_LEVEL", "LOUD")

    with pytest.raises(WrongSetting, match=r"CONNECTE_BATCH.*LOG_LEVEL"):
        load(Settings)


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "10.0.0.1", "service.example.org"])
@pytest.mark.parametrize("given", [None, "too short"])
def test_beyond_the_loopback_a_token_is_needed(
    environment: pytest.MonkeyPatch, host: str, given: str | None
) -> None:
    environment.setenv("CONNECTE_HTTP_HOST", host)
    if given is not None:
        environment.setenv("CONNECTE_HTTP_TOKEN", given)

    with pytest.raises(WrongSetting, match="CONNECTE_HTTP_TOKEN") as error:
        load(Settings)

    assert "too short" not in str(error.value)
    environment.setenv("CONNECTE_HTTP_TOKEN", TOKEN)
    assert load(Settings).http_host == host


def test_the_token_of_before_is_held_to_the_same_rule_and_stands_for_none(
    environment: pytest.MonkeyPatch,
) -> None:
    environment.setenv("CONNECTE_HTTP_TOKEN_OLD", OLD_TOKEN)
    with pytest.raises(WrongSetting, match="CONNECTE_HTTP_TOKEN_OLD: not used without"):
        load(Settings)

    environment.setenv("CONNECTE_HTTP_TOKEN", TOKEN)
    environment.setenv("CONNECTE_HTTP_HOST", "0.0.0.0")
    assert load(Settings).http_tokens == (TOKEN, OLD_TOKEN)

    environment.setenv("CONNECTE_HTTP_TOKEN_OLD", "too short")
    with pytest.raises(WrongSetting, match="CONNECTE_HTTP_TOKEN_OLD needs 16 characters") as error:
        load(Settings)
    assert "too short" not in str(error.value)

    environment.setenv("CONNECTE_HTTP_TOKEN_OLD", "")
    assert load(Settings).http_tokens == (TOKEN,)


@pytest.mark.parametrize("host", ["127.0.0.1", "127.1.2.3", "::1", "localhost"])
def test_on_the_loopback_no_token_is_needed(environment: pytest.MonkeyPatch, host: str) -> None:
    environment.setenv("CONNECTE_HTTP_HOST", host)

    assert load(Settings).loopback


@pytest.mark.parametrize("name", ["CONNECTE_LINK_VERIFY_KEY", "CONNECTE_LINK_VERIFY_KEY_OLD"])
async def test_a_key_that_is_none_stops_the_start_with_the_name_of_its_setting(
    environment: pytest.MonkeyPatch, name: str
) -> None:
    environment.setenv(name, PRIVATE_KEY)

    with pytest.raises(WrongSetting, match=f"^{name}: ") as error:
        Service(load(Settings), Parts(TOY, {}))

    assert PRIVATE_KEY.splitlines()[1] not in str(error.value)


async def test_building_a_service_opens_nothing_and_it_is_alive_and_not_ready(
    environment: pytest.MonkeyPatch,
) -> None:
    service = Service(load(Settings), Parts(TOY, {Tally: ("count",)}))
    transport = httpx.ASGITransport(service.http)
    async with httpx.AsyncClient(transport=transport, base_url="http://here") as client:
        live, ready = await client.get("/health/live"), await client.get("/health/ready")
        metrics = await client.get("/metrics")
        asyncapi = await client.get("/asyncapi")
        service.fail(RuntimeError("a fault that no retry mends"))
        dead = await client.get("/health/live")
    await service.store.close()

    assert (live.status_code, ready.status_code, dead.status_code) == (200, 503, 503)
    assert metrics.headers["content-type"] == CONTENT_TYPE_LATEST
    assert 'mentoring_build_info{service="scheduling"} 1.0' in metrics.text
    assert asyncapi.json()["asyncapi"].startswith("3.")
    assert TOPIC in asyncapi.text
    assert "secret" not in asyncapi.text


def test_time_is_what_the_clock_is_set_to() -> None:
    moments = [0.0, 0.0, 2.0]
    clock = Clock(86_400.0, NOW, datetime.fromtimestamp(0, UTC), wall=lambda: moments.pop(0))

    assert clock.now() == NOW
    assert clock.now() == NOW
    assert clock.now() == NOW + timedelta(days=2), "a day a second"


NARROW = json.dumps(
    {"name": "figures", "role": "subscriber", "cohorts": ["*"], "token": "sixteen characters"}
)
ISSUER = json.dumps(
    {"issuer": "https://issuer.example", "audience": "us", "role": "auditor", "cohorts": ["*"]}
)


def test_tokens_for_one_role_and_issuers_are_lists_in_json(environment: pytest.MonkeyPatch) -> None:
    environment.setenv("CONNECTE_HTTP_TOKENS", f"[{NARROW}]")
    environment.setenv("CONNECTE_OIDC_ISSUERS", f"[{ISSUER}]")
    environment.setenv("CONNECTE_PSEUDONYM_KEY", "a key that is a secret")
    settings = load(Settings)
    assert [one.name for one in settings.narrow_tokens] == ["figures"]
    assert [one.role for one in settings.issuers] == ["auditor"]
    assert "sixteen" not in repr(settings)
    for name in ("CONNECTE_HTTP_TOKENS", "CONNECTE_OIDC_ISSUERS", "CONNECTE_PSEUDONYM_KEY"):
        environment.setenv(name, "")
    assert (load(Settings).narrow_tokens, load(Settings).issuers) == ((), ())


@pytest.mark.parametrize(
    ("given", "named"),
    [
        ({"CONNECTE_HTTP_TOKENS": "hush: this is no JSON"}, "CONNECTE_HTTP_TOKENS"),
        ({"CONNECTE_HTTP_TOKENS": '[{"token": "hush"}]'}, "CONNECTE_HTTP_TOKENS.0.name"),
        (
            {"CONNECTE_HTTP_TOKENS": f"[{NARROW}]".replace("subscriber", "hush")},
            "CONNECTE_HTTP_TOKENS.0.role",
        ),
        (
            {"CONNECTE_HTTP_TOKENS": f"[{NARROW}]".replace("sixteen characters", "hush")},
            "CONNECTE_HTTP_TOKENS.0.token",
        ),
        ({"CONNECTE_HTTP_TOKENS": f"[{NARROW}, {NARROW}]"}, "CONNECTE_HTTP_TOKENS"),
        ({"CONNECTE_OIDC_ISSUERS": f"[{ISSUER}]"}, "CONNECTE_PSEUDONYM_KEY"),
        ({"CONNECTE_OIDC_ISSUERS": '["hush"]'}, "CONNECTE_OIDC_ISSUERS.0"),
        ({"CONNECTE_PSEUDONYM_KEY": "hush"}, "CONNECTE_PSEUDONYM_KEY"),
    ],
)
def test_a_wrong_list_stops_the_start_with_its_name_and_not_its_value(
    environment: pytest.MonkeyPatch, given: dict[str, str], named: str
) -> None:
    for name, value in given.items():
        environment.setenv(name, value)
    with pytest.raises(WrongSetting) as wrong:
        load(Settings)
    assert named in str(wrong.value)
    assert "hush" not in str(wrong.value)
