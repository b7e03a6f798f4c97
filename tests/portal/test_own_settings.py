"""What the portal's own settings have to be, and what is said of them where they are not."""

import pytest

from services.chassis.http.links import generate_keys
from services.chassis.settings import WrongSetting, load
from services.portal.app import provider_of
from services.portal.settings import PortalSettings

BASE = {
    "KAFKA_BOOTSTRAP_SERVERS": "127.0.0.1:1",
    "MONGODB_URI": "mongodb://127.0.0.1:1/",
    "CONNECTE_LINK_VERIFY_KEY": generate_keys()[1],
    "SMTP_HOST": "127.0.0.1",
    "CONNECTE_PORTAL_URL": "https://mentorat.example",
    **{f"CONNECTE_{name}_URL": "http://here" for name in ("MATCHING", "SCHEDULING", "NOTIFY")},
}
PROVIDER = {
    "CONNECTE_SIGN_IN_ISSUER": "https://idp.example/realms/agents",
    "CONNECTE_SIGN_IN_CLIENT": "connecte",
    "CONNECTE_SIGN_IN_SECRET": "hush",
    "CONNECTE_SIGN_IN_NAME": "ProConnect",
    "CONNECTE_SIGN_IN_DOMAINS": "ministere.example",
}


def given(monkeypatch: pytest.MonkeyPatch, settings: dict[str, str]) -> PortalSettings:
    for name in PROVIDER:
        monkeypatch.delenv(name, raising=False)
    for name, value in (BASE | settings).items():
        monkeypatch.setenv(name, value)
    return load(PortalSettings)


def test_without_a_provider_people_sign_in_by_links(monkeypatch: pytest.MonkeyPatch) -> None:
    settings = given(monkeypatch, dict.fromkeys(PROVIDER, ""))
    assert settings.by_link
    assert provider_of(settings) is None


@pytest.mark.parametrize(("said", "by_link"), [("", False), ("false", False), ("true", True)])
def test_with_a_provider_there_are_links_only_where_that_is_said(
    monkeypatch: pytest.MonkeyPatch, said: str, by_link: bool
) -> None:
    settings = given(monkeypatch, PROVIDER | {"CONNECTE_SIGN_IN_BY_LINK": said})
    assert settings.by_link is by_link
    provider = provider_of(settings)
    assert provider is not None
    assert provider.back == "https://mentorat.example/connexion/retour"
    assert "hush" not in repr(settings)


@pytest.mark.parametrize(
    ("settings", "says"),
    [
        ({"CONNECTE_SIGN_IN_CLIENT": "c"}, "CONNECTE_SIGN_IN_CLIENT: not used without"),
        ({"CONNECTE_SIGN_IN_BY_LINK": "no"}, "CONNECTE_SIGN_IN_BY_LINK: without"),
        (PROVIDER | {"CONNECTE_SIGN_IN_SECRET": ""}, "CONNECTE_SIGN_IN_SECRET: needed with"),
        (PROVIDER | {"CONNECTE_SIGN_IN_DOMAINS": " "}, "CONNECTE_SIGN_IN_DOMAINS: needed with"),
        (
            PROVIDER | {"CONNECTE_SIGN_IN_ISSUER": "http://idp.example"},
            "CONNECTE_SIGN_IN_ISSUER",
        ),
        (PROVIDER | {"CONNECTE_SIGN_IN_SCOPES": "email"}, "CONNECTE_SIGN_IN_SCOPES"),
        (PROVIDER | {"CONNECTE_SIGN_IN_ALGORITHMS": "HS256"}, "CONNECTE_SIGN_IN_ALGORITHMS"),
        (PROVIDER | {"CONNECTE_SIGN_IN_ALGORITHMS": "none"}, "CONNECTE_SIGN_IN_ALGORITHMS"),
        (PROVIDER | {"CONNECTE_SIGN_IN_NAME": "x" * 41}, "CONNECTE_SIGN_IN_NAME"),
        (PROVIDER | {"CONNECTE_PORTAL_URL": "http://mentorat.example"}, "CONNECTE_PORTAL_URL"),
        (PROVIDER | {"CONNECTE_SIGN_IN_CONFIRMED": "perhaps"}, "CONNECTE_SIGN_IN_CONFIRMED"),
    ],
)
def test_what_does_not_go_together_stops_the_start_and_is_named(
    monkeypatch: pytest.MonkeyPatch, settings: dict[str, str], says: str
) -> None:
    with pytest.raises(WrongSetting) as wrong:
        given(monkeypatch, settings)
    assert says in str(wrong.value)
    assert "hush" not in str(wrong.value)
