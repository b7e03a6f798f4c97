"""On a real Kafka, over TLS with SCRAM, everybody may do what the table says and nothing else."""

import asyncio
import secrets
import ssl
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import pytest
import trustme
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer
from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from aiokafka.client import AIOKafkaClient
from aiokafka.errors import (
    GroupAuthorizationFailedError,
    TopicAuthorizationFailedError,
    for_code,
)
from aiokafka.protocol.fetch import FetchRequest
from cryptography.hazmat.primitives import serialization

from deploy.local.kafka import ADMINISTRATOR, Secured, apache_kafka
from deploy.local.kafka_jars import kafka_jars
from deploy.local.mail import Mailbox
from deploy.local.process import free_ports
from deploy.local.stack import SERVICES, ServiceProcess, Terms, environment
from deploy.operating.access import acl_script
from schemas.access import (
    OPERATOR,
    Account,
    service_account,
)
from schemas.topics import TOPICS, Service
from tests.conftest import PATIENCE, eventually, in_its_own_loop
from tests.deploy.operating.commands import Done, connecte
from tests.deploy.operating.test_access import EVERYBODY, TRESOR, may, run_script

pytestmark = pytest.mark.kafka

PARTITIONS = 2


@dataclass
class Ministry:
    """A secured broker, on which the script has put the table in force."""

    bootstrap: str
    authority: Path
    passwords: dict[str, str] = field(repr=False)

    def settings(self, account: str, mechanism: str = "SCRAM-SHA-512") -> dict[str, str]:
        return {
            "KAFKA_BOOTSTRAP_SERVERS": self.bootstrap,
            "KAFKA_SECURITY_PROTOCOL": "SASL_SSL",
            "KAFKA_SASL_MECHANISM": mechanism,
            "KAFKA_SASL_USERNAME": account,
            "KAFKA_SASL_PASSWORD": self.passwords[account],
            "KAFKA_SSL_CAFILE": str(self.authority),
            "CONNECTE_PARTITIONS": str(PARTITIONS),
        }

    def connection(self, account: str) -> dict[str, Any]:
        """For an aiokafka client."""
        return {
            "bootstrap_servers": self.bootstrap,
            "security_protocol": "SASL_SSL",
            "ssl_context": ssl.create_default_context(cafile=self.authority),
            "sasl_mechanism": "SCRAM-SHA-512",
            "sasl_plain_username": account,
            "sasl_plain_password": self.passwords[account],
        }

    async def operate(self, *arguments: str, **settings: str) -> Done:
        return await connecte(*arguments, **self.settings(OPERATOR.name), **settings)


@asynccontextmanager
async def secured(directory: Path) -> AsyncIterator[Ministry]:
    authority = trustme.CA()
    authority.cert_pem.write_to_path(ca := directory / "ca.pem")
    keystore = directory / "broker.pem"
    keystore.write_bytes(keystore_of(authority.issue_cert("127.0.0.1")))
    passwords = {
        name: secrets.token_hex(12) for name in (ADMINISTRATOR, *(a.name for a in EVERYBODY))
    }
    async with apache_kafka(directory, secured=Secured(keystore, passwords)) as cluster:
        ministry = Ministry(cluster.bootstrap, ca, passwords)
        await put_in_force(directory, ministry)
        done = await ministry.operate("topics", "apply")
        assert done.code == 0, done.err
        async with producing(ministry, ADMINISTRATOR) as producer:
            for topic in TOPICS:
                await producer.send_and_wait(topic, b"seed", key=b"seed", partition=0)
        yield ministry


def keystore_of(issued: trustme.LeafCert) -> bytes:
    """Kafka reads keys in PKCS 8 only."""
    key = serialization.load_pem_private_key(issued.private_key_pem.bytes(), None)
    pem = key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    return pem + b"".join(blob.bytes() for blob in issued.cert_chain_pems)


EACH_CALL = """
import java.nio.file.*;
import org.apache.kafka.common.utils.Exit;
import org.apache.kafka.tools.AclCommand;

public class EachCall {
    public static void main(String[] arguments) throws Exception {
        Exit.setExitProcedure((code, message) -> {
            throw new IllegalStateException("it ended with " + code);
        });
        for (String call : Files.readString(Path.of(arguments[0])).split("\\n\\n"))
            AclCommand.main(call.strip().split("\\n"));
    }
}
"""


async def put_in_force(directory: Path, ministry: Ministry) -> None:
    """Run the script, and each of its calls by Kafka's own command, as its administrator."""
    config = directory / "administrator.properties"
    config.write_text(
        f"security.protocol=SASL_SSL\nsasl.mechanism=SCRAM-SHA-512\n"
        f"ssl.truststore.type=PEM\nssl.truststore.location={ministry.authority}\n"
        f"sasl.jaas.config=org.apache.kafka.common.security.scram.ScramLoginModule required "
        f'username="{ADMINISTRATOR}" password="{ministry.passwords[ADMINISTRATOR]}";\n'
    )
    calls = directory / "calls"
    await run_script(
        directory,
        acl_script(EVERYBODY),
        f"""printf '%s\\n' "$@" '' >> '{calls}'""",
        KAFKA_BOOTSTRAP_SERVERS=ministry.bootstrap,
        KAFKA_COMMAND_CONFIG=str(config),
    )
    # All in one process: one for each call would take longer than all that it is for.
    each = directory / "EachCall.java"
    each.write_text(EACH_CALL)
    quick = ("-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1")
    classes = ("-cp", f"{await kafka_jars(directory)}/*")
    done = await asyncio.create_subprocess_exec(
        *("java", *quick, *classes, str(each), str(calls)),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    out, _ = await done.communicate()
    assert done.returncode == 0, out.decode()


@pytest.fixture(scope="module")
def ministry(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Ministry]:
    with in_its_own_loop(secured(tmp_path_factory.mktemp("secured"))) as found:
        yield found


@asynccontextmanager
async def producing(
    ministry: Ministry, account: str, *, idempotent: bool = False
) -> AsyncIterator[AIOKafkaProducer]:
    connection = ministry.connection(account)
    producer = AIOKafkaProducer(**connection, acks="all", enable_idempotence=idempotent)
    await producer.start()
    try:
        yield producer
    finally:
        await producer.stop()


async def readable(ministry: Ministry, account: str) -> set[str]:
    """The topics of which the broker gives this account records."""
    client = AIOKafkaClient(**ministry.connection(account))
    found = set()
    try:
        await client.bootstrap()
        for topic in TOPICS:
            request = FetchRequest(100, 1, 100_000, 0, [(topic, [(0, 0, 100_000)])])
            answer = await client.send(client.get_random_node(), request)
            ((_, ((_, code, *_, records),)),) = answer.topics
            assert for_code(code) is (TopicAuthorizationFailedError if code else for_code(0))
            if code == 0:
                assert b"seed" in records
                found.add(topic)
    finally:
        await client.close()
    return found


async def writable(ministry: Ministry, account: str) -> set[str]:
    """The topics to which the broker takes records from this account."""
    found = set()
    async with producing(ministry, account) as producer:
        for topic in TOPICS:
            try:
                await producer.send_and_wait(topic, b"tried", key=b"seed", partition=1)
                found.add(topic)
            except TopicAuthorizationFailedError:
                pass
    return found


@pytest.mark.parametrize("account", EVERYBODY, ids=lambda account: account.name)
async def test_everybody_reads_and_writes_what_the_table_says_and_nothing_else(
    ministry: Ministry, account: Account
) -> None:
    assert await readable(ministry, account.name) == may(account, "Read")
    assert await writable(ministry, account.name) == may(account, "Write")


@pytest.mark.parametrize("service", SERVICES)
async def test_idempotent_producers_of_services_need_no_more(
    ministry: Ministry, service: Service
) -> None:
    account = service_account(service)
    async with producing(ministry, account.name, idempotent=True) as producer:
        for topic in may(account, "Write"):
            await producer.send_and_wait(topic, b"once", key=b"seed", partition=1)


async def test_groups_of_others_are_refused(ministry: Ministry) -> None:
    async def joined(account: str, group: str) -> None:
        consumer = AIOKafkaConsumer(
            "mentoring.matching.events",
            **ministry.connection(account),
            group_id=group,
            auto_offset_reset="earliest",
        )
        try:
            await consumer.start()
            async with asyncio.timeout(PATIENCE):
                assert (await consumer.getone()).value is not None
                await consumer.commit()
        finally:
            await consumer.stop()

    await joined(TRESOR.name, "subscriber-tresor.dashboards")
    for group in ("mentoring.matching", "subscriber-tresor", "subscriber-tresors.x", "another"):
        with pytest.raises(GroupAuthorizationFailedError):
            await joined(TRESOR.name, group)
    with pytest.raises(GroupAuthorizationFailedError):
        await joined("mentoring-scheduling", "mentoring.matching")


@pytest.mark.parametrize("account", EVERYBODY, ids=lambda account: account.name)
async def test_nobody_deletes_topics_and_only_operators_make_them(
    ministry: Ministry, account: Account
) -> None:
    admin = AIOKafkaAdminClient(**ministry.connection(account.name))
    await admin.start()
    try:
        name = f"mentoring.by-{account.name}"
        made = (await admin.create_topics([NewTopic(name, 1, 1)])).topic_errors[0][1]
        assert (made == 0) == (account is OPERATOR)
        outside = (await admin.create_topics([NewTopic("elsewhere", 1, 1)])).topic_errors[0][1]
        assert for_code(outside) is TopicAuthorizationFailedError
        for topic in TOPICS:
            ((_, code),) = (await admin.delete_topics([topic])).topic_error_codes
            assert for_code(code) is TopicAuthorizationFailedError
    finally:
        await admin.close()


@pytest.mark.parametrize("mechanism", ["SCRAM-SHA-256", "SCRAM-SHA-512"])
async def test_operators_are_let_in_by_their_password_only(
    ministry: Ministry, mechanism: str
) -> None:
    settings = ministry.settings(OPERATOR.name, mechanism)
    assert (await connecte("topics", "plan", **settings)).code == 0
    wrong = await connecte("topics", "plan", **{**settings, "KAFKA_SASL_PASSWORD": "hush-hush"})
    assert (wrong.code, len(wrong.err.splitlines())) == (1, 1)
    assert "does not let us in" in wrong.err
    assert "hush-hush" not in wrong.err
    other = trustme.CA()
    other.cert_pem.write_to_path(ministry.authority.with_name("other.pem"))
    stranger = {"KAFKA_SSL_CAFILE": str(ministry.authority.with_name("other.pem"))}
    assert (await connecte("topics", "plan", **{**settings, **stranger})).code == 1
    subscriber_settings = ministry.settings(TRESOR.name)
    refused = await connecte("topics", "apply", **subscriber_settings)
    assert refused.code == 1
    assert "Authorization" in refused.err


async def test_services_work_with_their_own_accounts_and_operators_rebuild_them(
    ministry: Ministry, mongodb_uri: str, database: str, tmp_path: Path
) -> None:
    ports = dict(zip(SERVICES, free_ports(len(SERVICES)), strict=True))
    async with Mailbox(tmp_path / "mail") as mailbox, asyncio.timeout(120):
        terms = Terms(kafka=ministry.bootstrap, partitions=PARTITIONS)
        env = environment(
            terms, ministry.bootstrap, mongodb_uri, mailbox.port, ports, datetime.now(UTC)
        )
        env["CONNECTE_DATABASE_PREFIX"] = f"{database}_"
        env["LOG_LEVEL"] = "DEBUG"
        services = {name: ServiceProcess(name, tmp_path, env, ports[name]) for name in SERVICES}
        try:
            for name, service in services.items():
                service.settings = ministry.settings(service_account(name).name)
                service.start()
            await asyncio.gather(*(service.ready() for service in services.values()))
            await one_cohort({name: service.url for name, service in services.items()})
        finally:
            await asyncio.gather(*(service.stop() for service in services.values()))
    here = {"MONGODB_URI": mongodb_uri, "CONNECTE_DATABASE_PREFIX": f"{database}_"}
    for name, service in services.items():
        logged = service.child.log.read_text() if service.child else ""
        assert "AuthorizationFailed" not in logged, logged
        assert not [secret for secret in ministry.passwords.values() if secret in logged]
        done = await ministry.operate("rebuild", name, "--json", **here)
        assert done.code == 0, done.err


async def one_cohort(urls: dict[Service, str]) -> None:
    """A command that every service hears of, and a contact."""
    async with httpx.AsyncClient(timeout=30) as client:

        async def ask(service: Service, command: str, body: dict[str, Any]) -> None:
            url = f"{urls[service]}/commands/{command}?wait=20"
            answer = await client.post(url, json={"cohort_id": "pilot", **body})
            assert (answer.status_code, answer.json()["done"]) == (200, True), answer.text

        async def heard() -> bool:
            answers = [await client.get(f"{url}/cohorts/pilot") for url in urls.values()]
            return all(answer.status_code == 200 for answer in answers)

        await ask("matching", "OpenCohort", {"name": "Pilot"})
        contact = {"person_id": "p1", "name": "Camille Roux", "email": "camille@example.org"}
        await ask("notify", "PersonContact", contact)
        await eventually(heard)
