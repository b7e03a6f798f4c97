"""All that a run has left behind is read, to its end."""

from dataclasses import replace
from email.message import EmailMessage
from pathlib import Path
from typing import Any

from aiokafka import AIOKafkaProducer
from pymongo import AsyncMongoClient

from deploy.local.broker import embedded_broker
from deploy.local.mongodb import mongod
from deploy.made.events_page import DOMAINS
from deploy.operating.reach import domain_of
from deploy.operating.topics import create_topics
from deploy.trial.check import Evidence, Mail, Record, check, read_evidence
from deploy.trial.check.evidence import COLLECTIONS, UNREAD
from deploy.trial.check.services import MIRRORS, READS, SERVICES
from tests.deploy.trial.check.builder import COHORT, PARTITIONS
from tests.deploy.trial.check.stories import short_run


async def test_topics_databases_and_mailbox_are_read_to_their_end(tmp_path: Path) -> None:
    run = short_run()
    evidence = run.evidence()
    message = EmailMessage()
    message["Message-ID"] = "<1@example.org>"
    message["X-Connecte-Letter"], message["X-Connecte-Cohort"] = "a:b", COHORT
    message["Delivered-To"] = "ada@example.org"
    async with embedded_broker(tmp_path) as kafka, mongod(tmp_path) as server:
        connection = {"bootstrap_servers": kafka}
        await create_topics(connection, partitions=PARTITIONS)
        await _publish(connection, run.records)
        await _store(server.uri, evidence)
        read = await read_evidence(
            connection, server.uri, lambda: [message], PARTITIONS, redelivered_letters=2
        )
    assert sorted(read.records, key=lambda r: r.origin) == sorted(
        run.records, key=lambda r: r.origin
    )
    assert read.mails == [Mail(COHORT, "a:b", "<1@example.org>", "ada@example.org")]
    findings = check(replace(read, mails=run.mails))
    assert findings.clean, findings
    assert findings.redelivered_letters == 2


async def _publish(connection: dict[str, Any], records: list[Record]) -> None:
    producer = AIOKafkaProducer(**connection, linger_ms=5)
    await producer.start()
    try:
        for r in records:
            await producer.send(
                r.topic, r.value, key=r.key, partition=r.partition, headers=list(r.headers)
            )
        await producer.flush()
    finally:
        await producer.stop()


async def _store(uri: str, evidence: Evidence) -> None:
    client: AsyncMongoClient[dict[str, Any]] = AsyncMongoClient(uri)
    try:
        for service, collections in evidence.databases.items():
            for name, rows in collections.items():
                await client[f"connecte_{service}"][name].insert_many([dict(row) for row in rows])
    finally:
        await client.close()


def test_of_every_document_of_a_service_it_is_said_whether_it_is_read() -> None:
    for domain in (one for one in DOMAINS if one.name != "portal"):
        read, unread = COLLECTIONS[domain.name], UNREAD.get(domain.name, ())
        assert {kind.collection for kind in domain.documents} == {*read, *unread}
    shown = {kind.collection for kind in domain_of("portal").documents}
    assert COLLECTIONS["portal"].keys() <= shown


def test_each_service_has_to_have_handled_the_topics_that_it_reads() -> None:
    assert {name: set(topics) for name, topics in READS.items()} == {
        service: set(domain_of(service).reads) for service in SERVICES
    }
    assert set(MIRRORS) == {service for service in SERVICES if domain_of(service).tables}
