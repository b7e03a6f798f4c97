"""How operators reach broker and databases: settings, connections, a service's domain."""

import logging
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from importlib import import_module
from typing import Annotated

from pydantic import Field, SecretStr
from pymongo.errors import ConfigurationError

from deploy.errors import OperationFailed
from deploy.operating.topics import admin_client
from schemas.topics import Service
from services.chassis.addresses import Brokers, MongoDb
from services.chassis.documents import CHASSIS_DOCUMENTS
from services.chassis.domain import Document, Domain
from services.chassis.log.kafka import KafkaLog
from services.chassis.settings import Settings, WrongSetting, load
from services.chassis.store.mongo import MongoStore

SERVICES: tuple[Service, ...] = ("matching", "scheduling", "feedback", "notify", "portal")


class Access(Settings):
    """The services' settings, as far as operators need them: nothing of HTTP, links or letters."""

    kafka: Annotated[Brokers, Field(alias="KAFKA_BOOTSTRAP_SERVERS")] = ""
    mongodb: Annotated[MongoDb, Field(alias="MONGODB_URI")] = SecretStr("")
    link_verify_key: Annotated[str, Field(alias="CONNECTE_LINK_VERIFY_KEY")] = ""

    @property
    def loopback(self) -> bool:
        """Nothing is served, so it does not matter who could reach it."""
        return True


def access(*, kafka: bool = False, mongodb: bool = False) -> Access:
    """The settings from the environment; WrongSetting names what is needed and missing."""
    # What cannot be reached is told in one line of ours.
    logging.getLogger("aiokafka").setLevel(logging.CRITICAL)
    found = load(Access)
    if kafka and not found.kafka:
        raise WrongSetting("KAFKA_BOOTSTRAP_SERVERS is not set")
    if mongodb and not found.mongodb.get_secret_value():
        raise WrongSetting("MONGODB_URI is not set")
    return found


async def check_partitions(access: Access, partitions: int, topics: Sequence[str]) -> None:
    """Every one of these topics exists with that many partitions, or OperationFailed."""
    async with admin_client(access.kafka_connection) as admin:
        described = await admin.describe_topics()  # all: asking for one can create it
    counts = {row["topic"]: len(row["partitions"]) for row in described if not row["error_code"]}
    for topic in (access.topic_prefix + topic for topic in topics):
        if topic not in counts:
            raise OperationFailed(f"the broker has no topic {topic}")
        if counts[topic] != partitions:
            raise OperationFailed(
                f"topic {topic} has {counts[topic]} partitions, not {partitions} "
                f"(CONNECTE_PARTITIONS)"
            )


def domain_of(service: Service) -> Domain:
    """What a service hands to the chassis."""
    domain: Domain = import_module(f"services.{service}.handlers").DOMAIN
    return domain


@asynccontextmanager
async def opened_store(
    access: Access, service: Service, generation: int | None = None
) -> AsyncIterator[MongoStore]:
    """A service's database: of the generation that is live, or of this one."""
    documents: tuple[type[Document], ...] = (*domain_of(service).documents, *CHASSIS_DOCUMENTS)
    database = f"{access.database_prefix}{service}"
    try:
        store = MongoStore(access.mongodb.get_secret_value(), database, documents, generation)
    except (ConfigurationError, ValueError):
        raise WrongSetting("MONGODB_URI is no address of a MongoDB") from None
    try:
        await store.open()
        yield store
    finally:
        await store.close()


@asynccontextmanager
async def opened_log(access: Access) -> AsyncIterator[KafkaLog]:
    """The broker, to publish and to read."""
    log = KafkaLog(
        access.kafka_connection, idempotent=access.kafka_idempotent, prefix=access.topic_prefix
    )
    try:
        yield log
    finally:
        await log.stop()
