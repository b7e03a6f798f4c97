"""Every service is built from the settings that it requires alone, and opens nothing by it."""

from importlib import import_module

import pytest

from schemas.topics import LANGUAGE
from services.chassis.runtime import Service
from tests.chassis.http.site import PRIVATE_KEY, PUBLIC_KEY

NOWHERE = "http://127.0.0.1:1"
REQUIRED = {
    "KAFKA_BOOTSTRAP_SERVERS": "127.0.0.1:1",
    "MONGODB_URI": "mongodb://127.0.0.1:1/",
    "CONNECTE_LINK_VERIFY_KEY": PUBLIC_KEY,
}
OF_MAIL = {"SMTP_HOST": "127.0.0.1", "CONNECTE_MAIL_FROM": "mentorat@example.org"}
ADDRESSES = {f"CONNECTE_{name}_URL": NOWHERE for name in ("MATCHING", "SCHEDULING", "FEEDBACK")}
OWN = {
    "notify": {**OF_MAIL, **ADDRESSES, "CONNECTE_LINK_SIGNING_KEY": PRIVATE_KEY},
    "portal": {
        **OF_MAIL,
        **ADDRESSES,
        "CONNECTE_NOTIFY_URL": NOWHERE,
        "CONNECTE_PORTAL_URL": NOWHERE,
    },
}


@pytest.mark.parametrize("service", LANGUAGE)
async def test_a_service_is_built_from_the_settings_that_it_requires(
    monkeypatch: pytest.MonkeyPatch, service: str
) -> None:
    for name, value in {**REQUIRED, **OWN.get(service, {})}.items():
        monkeypatch.setenv(name, value)

    built = import_module(f"services.{service}.app").build()

    assert isinstance(built, Service)
