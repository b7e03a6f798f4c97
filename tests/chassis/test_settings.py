"""How Kafka lets a service in: what is set reaches every client, and is never shown."""

import asyncio
import json
import ssl
from pathlib import Path

import httpx
import pytest
import trustme
from cryptography import x509

from deploy.local.process import free_port
from deploy.operating.reach import access
from services.chassis.http.links import generate_keys
from services.chassis.parts import Parts
from services.chassis.runtime import Service
from services.chassis.settings import MailSettings, Settings, WrongSetting, load
from services.notify.settings import NotifySettings
from tests.chassis.toy import TOY

SECRET = "hush-hush"
SCRAM = {
    "KAFKA_SECURITY_PROTOCOL": "SASL_SSL",
    "KAFKA_SASL_MECHANISM": "SCRAM-SHA-256",
    "KAFKA_SASL_USERNAME": "matching",
    "KAFKA_SASL_PASSWORD": SECRET,
}


@pytest.fixture
def environment(no_settings: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    no_settings.setenv("KAFKA_BOOTSTRAP_SERVERS", "a.example:9093,b.example:9093")
    no_settings.setenv("MONGODB_URI", "mongodb://127.0.0.1:1/")
    no_settings.setenv("CONNECTE_LINK_VERIFY_KEY", generate_keys()[1])
    return no_settings


@pytest.fixture
def files(tmp_path: Path) -> dict[str, str]:
    """An authority, a client's certificate, its key."""
    authority = trustme.CA()
    client = authority.issue_cert("matching.example")
    paths = {name: tmp_path / f"{name}.pem" for name in ("ca", "cert", "key", "server", "other")}
    authority.cert_pem.write_to_path(paths["ca"])
    client.cert_chain_pems[0].write_to_path(paths["cert"])
    client.private_key_pem.write_to_path(paths["key"])
    authority.issue_cert("127.0.0.1").private_key_and_cert_chain_pem.write_to_path(paths["server"])
    authority.issue_cert("other.example").private_key_pem.write_to_path(paths["other"])
    return {name: str(path) for name, path in paths.items()}


def given(environment: pytest.MonkeyPatch, settings: dict[str, str]) -> None:
    for name, value in settings.items():
        environment.setenv(name, value)


def test_without_a_protocol_clients_are_given_servers_only(
    environment: pytest.MonkeyPatch,
) -> None:
    servers = ["a.example:9093", "b.example:9093"]
    assert load(Settings).kafka_connection == {"bootstrap_servers": servers}


def test_scram_over_tls_reaches_clients_and_no_text_shows_the_password(
    environment: pytest.MonkeyPatch, files: dict[str, str]
) -> None:
    given(environment, {**SCRAM, "KAFKA_SSL_CAFILE": files["ca"]})
    settings = load(Settings)
    connection = settings.kafka_connection
    context = connection.pop("ssl_context")
    assert (context.verify_mode, context.check_hostname) == (ssl.CERT_REQUIRED, True)
    assert connection == {
        "bootstrap_servers": ["a.example:9093", "b.example:9093"],
        "security_protocol": "SASL_SSL",
        "sasl_mechanism": "SCRAM-SHA-256",
        "sasl_plain_username": "matching",
        "sasl_plain_password": SECRET,
    }
    assert SECRET not in repr(settings) + str(settings) + settings.model_dump_json()


def test_only_the_authorities_that_were_named_are_believed(
    environment: pytest.MonkeyPatch, files: dict[str, str]
) -> None:
    given(environment, {"KAFKA_SECURITY_PROTOCOL": "SSL", "KAFKA_SSL_CAFILE": files["ca"]})
    assert len(load(Settings).kafka_connection["ssl_context"].get_ca_certs()) == 1


async def test_when_the_certificate_for_the_broker_ends_is_a_measure(
    environment: pytest.MonkeyPatch, files: dict[str, str]
) -> None:
    given(environment, {"KAFKA_SECURITY_PROTOCOL": "SSL", "KAFKA_SSL_CAFILE": files["ca"]})
    assert load(Settings).certificate_ends is None
    given(environment, {"KAFKA_SSL_CERTFILE": files["cert"], "KAFKA_SSL_KEYFILE": files["key"]})
    settings = load(Settings)
    end = x509.load_pem_x509_certificate(Path(files["cert"]).read_bytes()).not_valid_after_utc
    assert settings.certificate_ends == end
    service = Service(settings, Parts(TOY, {}))
    labels = {"to": "broker"}
    name = "mentoring_certificate_expiry_timestamp_seconds"
    assert service.metrics.registry.get_sample_value(name, labels) == end.timestamp()
    await service.store.close()


async def test_a_client_certificate_is_shown_to_a_server_that_asks_for_one(
    environment: pytest.MonkeyPatch, files: dict[str, str]
) -> None:
    asking = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH, cafile=files["ca"])
    asking.load_cert_chain(files["server"])
    asking.verify_mode = ssl.CERT_REQUIRED
    seen = asyncio.get_running_loop().create_future()

    async def answer(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        seen.set_result(writer.get_extra_info("peercert")["subjectAltName"])
        writer.close()
        await writer.wait_closed()

    given(environment, {"KAFKA_SECURITY_PROTOCOL": "SSL", "KAFKA_SSL_CAFILE": files["ca"]})
    given(environment, {"KAFKA_SSL_CERTFILE": files["cert"], "KAFKA_SSL_KEYFILE": files["key"]})
    connection = load(Settings).kafka_connection
    assert (connection["security_protocol"], "sasl_mechanism" in connection) == ("SSL", False)
    port = free_port()
    async with await asyncio.start_server(answer, "127.0.0.1", port, ssl=asking):
        context = connection["ssl_context"]
        _, writer = await asyncio.open_connection("127.0.0.1", port, ssl=context)
        assert await seen == (("DNS", "matching.example"),)
        writer.close()
        await writer.wait_closed()
        with pytest.raises(ssl.SSLCertVerificationError, match="localhost"):
            await asyncio.open_connection(
                "127.0.0.1", port, ssl=context, server_hostname="localhost"
            )


def test_operators_are_let_in_by_the_same_settings(
    environment: pytest.MonkeyPatch, files: dict[str, str]
) -> None:
    given(environment, {**SCRAM, "KAFKA_SSL_CAFILE": files["ca"]})
    connection = access(kafka=True).kafka_connection
    assert connection["sasl_plain_password"] == SECRET
    assert connection["security_protocol"] == "SASL_SSL"


@pytest.mark.parametrize("mechanism", ["PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512"])
@pytest.mark.parametrize("protocol", ["PLAINTEXT", "SSL", "SASL_PLAINTEXT", "SASL_SSL"])
async def test_the_consumer_is_let_in_as_every_other_client_is(
    environment: pytest.MonkeyPatch, files: dict[str, str], protocol: str, mechanism: str
) -> None:
    wanted = {"KAFKA_SECURITY_PROTOCOL": protocol}
    if "SASL" in protocol:
        wanted = {**SCRAM, "KAFKA_SASL_MECHANISM": mechanism, **wanted}
    if "SSL" in protocol:
        wanted["KAFKA_SSL_CAFILE"] = files["ca"]
    given(environment, wanted)
    service = Service(load(Settings), Parts(TOY, {}))
    used = service.broker.config.broker_config.builder.keywords
    connection = service.log.connection
    for name in ("security_protocol", "sasl_mechanism", "sasl_plain_username"):
        default = {"security_protocol": "PLAINTEXT"}.get(name)
        assert used.get(name, default) == connection.get(name, default), name
    assert used.get("sasl_plain_password") == connection.get("sasl_plain_password")
    assert used.get("ssl_context") is connection.get("ssl_context")

    transport = httpx.ASGITransport(service.http)
    async with httpx.AsyncClient(transport=transport, base_url="http://here") as client:
        document = await client.get("/asyncapi")
    await service.store.close()
    assert SECRET not in document.text
    assert "matching" not in json.dumps(document.json()["servers"])


def without(*names: str) -> dict[str, str]:
    return {name: value for name, value in SCRAM.items() if name not in names}


WRONG: dict[str, tuple[dict[str, str], str]] = {
    "an unknown protocol": ({"KAFKA_SECURITY_PROTOCOL": SECRET}, "KAFKA_SECURITY_PROTOCOL"),
    "an unknown mechanism": ({**SCRAM, "KAFKA_SASL_MECHANISM": SECRET}, "KAFKA_SASL_MECHANISM"),
    "a broker that is none": ({"KAFKA_BOOTSTRAP_SERVERS": f"{SECRET}:x"}, "brokers look like"),
    "a database that is none": ({"MONGODB_URI": SECRET}, "an address begins with mongodb://"),
    "no user": (without("KAFKA_SASL_USERNAME"), "KAFKA_SASL_USERNAME"),
    "no password": (without("KAFKA_SASL_PASSWORD"), "KAFKA_SASL_PASSWORD"),
    "an empty password": ({**SCRAM, "KAFKA_SASL_PASSWORD": ""}, "KAFKA_SASL_PASSWORD"),
    "a user for nobody to ask": (without("KAFKA_SECURITY_PROTOCOL"), "KAFKA_SASL_PASSWORD"),
    "an authority without TLS": (
        {**SCRAM, "KAFKA_SECURITY_PROTOCOL": "SASL_PLAINTEXT", "KAFKA_SSL_CAFILE": SECRET},
        "KAFKA_SSL_CAFILE",
    ),
    "no such file": ({**SCRAM, "KAFKA_SSL_CAFILE": f"/{SECRET}"}, "KAFKA_SSL_CAFILE"),
    "a file that is none of certificates": (
        {**SCRAM, "KAFKA_SSL_CAFILE": "pyproject.toml"},
        "KAFKA_SSL_CAFILE",
    ),
    "a key without a certificate": (
        {**SCRAM, "KAFKA_SSL_KEYFILE": f"/{SECRET}"},
        "KAFKA_SSL_CERTFILE",
    ),
    "a prefix that no topic can have": (
        {"CONNECTE_TOPIC_PREFIX": f"{SECRET}/"},
        "CONNECTE_TOPIC_PREFIX",
    ),
    "a prefix that ends like names begin": (
        {"CONNECTE_TOPIC_PREFIX": "mentoring."},
        "CONNECTE_TOPIC_PREFIX",
    ),
    "a token that no header carries": (
        {"CONNECTE_HTTP_TOKEN": f"{SECRET}\u00e9"},
        "CONNECTE_HTTP_TOKEN",
    ),
    "a token of two lines": ({"CONNECTE_HTTP_TOKEN": f"{SECRET}\nmore"}, "CONNECTE_HTTP_TOKEN"),
    "no such certificate": ({**SCRAM, "KAFKA_SSL_CERTFILE": f"/{SECRET}"}, "KAFKA_SSL_CERTFILE"),
}


@pytest.mark.parametrize("what", WRONG)
def test_what_is_wrong_or_missing_is_named_and_its_value_is_not_shown(
    environment: pytest.MonkeyPatch, what: str
) -> None:
    settings, name = WRONG[what]
    environment.chdir(Path(__file__).parents[2])
    given(environment, settings)
    for start in (lambda: load(Settings), lambda: access(kafka=True)):
        with pytest.raises(WrongSetting, match=name) as error:
            start()
        assert SECRET not in str(error.value)
        assert "\n" not in str(error.value)


def test_a_certificate_with_the_key_of_another_is_named(
    environment: pytest.MonkeyPatch, files: dict[str, str]
) -> None:
    given(environment, {"KAFKA_SECURITY_PROTOCOL": "SSL", "KAFKA_SSL_CERTFILE": files["cert"]})
    environment.setenv("KAFKA_SSL_KEYFILE", files["other"])
    with pytest.raises(WrongSetting, match="KAFKA_SSL_KEYFILE"):
        load(Settings)


def test_a_secret_without_its_content_is_told_to_be_empty(environment: pytest.MonkeyPatch) -> None:
    given(environment, {"CONNECTE_LINK_SIGNING_KEY": ""})
    with pytest.raises(WrongSetting, match=r"CONNECTE_LINK_SIGNING_KEY: it is empty(;|$)"):
        load(NotifySettings)


@pytest.mark.parametrize("half", ["SMTP_USERNAME", "SMTP_PASSWORD"])
def test_half_an_account_at_the_mail_server_is_none(
    environment: pytest.MonkeyPatch, half: str
) -> None:
    whole = {"SMTP_USERNAME": "connecte", "SMTP_PASSWORD": SECRET}
    given(environment, {"SMTP_HOST": "smtp.example", **whole})
    assert load(MailSettings).smtp_username == "connecte"
    environment.setenv(half, "")
    with pytest.raises(WrongSetting, match=f"{half}: needed") as error:
        load(MailSettings)
    assert SECRET not in str(error.value)
    given(environment, dict.fromkeys(whole, ""))
    assert load(MailSettings).smtp_username is None, "no account at all"
