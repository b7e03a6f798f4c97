"""The topics of the one table on a broker: compared, created, altered.

Always holds: nothing here deletes a topic or gives it another number of partitions, and what could
lose records is altered only by a caller who has asked for it. Doing anything twice changes nothing.
"""

import asyncio
import time
from collections.abc import AsyncIterator, Collection, Iterable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any, Literal

from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from aiokafka.admin.config_resource import ConfigResource, ConfigResourceType
from aiokafka.client import AIOKafkaClient
from aiokafka.errors import for_code
from aiokafka.protocol.api import Request, RequestStruct, Response
from aiokafka.protocol.types import Array, Boolean, Int8, Int16, Int32, Schema, String

from deploy.errors import OperationFailed
from schemas.topics import Topic, named
from services.chassis.log.starting import nothing_left_open

OURS = "mentoring."
"""How the names of all topics begin, behind an installation's prefix."""
COPIES = 3  # of every topic, where there are as many brokers
SHOWN_SECONDS = 10.0  # within which a broker shows what it has done

TOPIC_ALREADY_EXISTS = 36


class TopicError(OperationFailed):
    """The broker refused something about a topic; the text names it and says why."""


Kind = Literal["create", "alter", "loss", "refused", "stranger"]
"""What `apply` does about a difference: it creates, it alters, it alters only where loss is
allowed, it refuses, or it only names a topic that is not in the table."""


@dataclass(frozen=True, slots=True)
class Found:
    """A topic as it is on the broker."""

    partitions: int
    copies: int
    config: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Difference:
    """What of a topic is not as the table says; `remark` is what has to be known before."""

    topic: str
    what: str
    found: str
    wanted: str
    kind: Kind
    remark: str = ""

    @property
    def document(self) -> dict[str, str]:
        """For machines."""
        shown = {"topic": self.topic, "what": self.what, "is": self.found}
        return {**shown, "should_be": self.wanted, "apply": self.kind, "remark": self.remark}


# --- what differs -------------------------------------------------------------------------------


def config_of(topic: Topic, copies: int) -> dict[str, str]:
    """The settings of a topic that has so many copies."""
    return {**topic.config, **topic.forgetting, "min.insync.replicas": str(max(1, copies - 1))}


def compare(
    found: Mapping[str, Found], partitions: int, copies: int, prefix: str = ""
) -> list[Difference]:
    """What is not as the table says, and what `apply` does about it."""
    differences: list[Difference] = []
    table = named(prefix)
    for name, topic in table.items():
        here = found.get(name)
        if here is None:
            wanted = f"partitions: {partitions}, copies: {copies}"
            differences.append(Difference(name, "topic", "missing", wanted, "create"))
        else:
            differences += _numbers(name, here, partitions, copies)
            wanted_config = config_of(topic, copies)
            differences += _settings(name, here, wanted_config)
    differences += (
        Difference(name, "topic", "there", "not in the table", "stranger")
        for name in sorted(found)
        if name.startswith(prefix + OURS) and name not in table
    )
    return differences


def _numbers(name: str, found: Found, partitions: int, copies: int) -> Iterable[Difference]:
    if found.partitions != partitions:
        yield Difference(
            *(name, "partitions", str(found.partitions), str(partitions), "refused"),
            "a cohort would be on another partition from then on, and its order would be lost",
        )
    if found.copies != copies:
        yield Difference(
            *(name, "copies", str(found.copies), str(copies), "refused"),
            "copies are moved by Kafka's own kafka-reassign-partitions.sh",
        )


def _settings(name: str, found: Found, wanted: Mapping[str, str]) -> Iterable[Difference]:
    for what, value in wanted.items():
        here = found.config.get(what, "not set")
        if set(here.split(",")) != set(value.split(",")):
            yield Difference(name, what, here, value, *_consequence(what, here, value, found))


def _consequence(what: str, here: str, value: str, found: Found) -> tuple[Kind, str]:
    """What altering a setting leads to."""
    less = _number(value) < _number(here)
    match what:
        case "cleanup.policy":
            return "loss", f"records that {value!r} does not keep are deleted"
        case "retention.ms" if less:
            return "loss", "records that are older are deleted"
        case "min.insync.replicas" if int(value) > found.copies:
            return "refused", "nothing could be written: it needs more copies first"
        case "min.insync.replicas" if less:
            return "alter", "what is acknowledged is then sure to be on fewer copies"
        case "max.message.bytes" if less:
            return "alter", "larger records are refused from then on"
        case "compression.type":
            return "alter", "batches that are too large inside are refused from then on"
        case _:
            return "alter", ""


def _number(value: str) -> float:
    """What has no bound is more than everything."""
    return float(value) if value.isdigit() else float("inf")


# --- on the broker ------------------------------------------------------------------------------


@asynccontextmanager
async def admin_client(connection: dict[str, Any]) -> AsyncIterator[AIOKafkaAdminClient]:
    """One that is there for as long as the block lasts."""
    admin = AIOKafkaAdminClient(**connection)
    try:
        with nothing_left_open():
            await admin.start()
        yield admin
    finally:
        await admin.close()


async def create_topics(
    connection: dict[str, Any], *, partitions: int, replication: int = 1, prefix: str = ""
) -> list[str]:
    """Create what is missing of the table; the names of what was created."""
    wanted = [
        NewTopic(
            topic.name,
            num_partitions=partitions,
            replication_factor=replication,
            topic_configs=config_of(topic, replication),
        )
        for topic in named(prefix).values()
    ]
    async with admin_client(connection) as admin:
        response = await admin.create_topics(wanted)
    created: list[str] = []
    for name, code, *reason in response.topic_errors:
        if code == 0:
            created.append(name)
        elif code != TOPIC_ALREADY_EXISTS:
            raise TopicError(f"topic {name}: error {code} {reason}")
    return created


async def copies_possible(connection: dict[str, Any]) -> int:
    """How many copies a topic is given if nobody says otherwise."""
    async with admin_client(connection) as admin:
        return min(COPIES, len((await admin.describe_cluster())["brokers"]))


async def found_topics(connection: dict[str, Any], prefix: str = "") -> dict[str, Found]:
    """The platform's topics on the broker, and others whose name begins like theirs."""
    async with admin_client(connection) as admin:
        # All of them: some brokers create what they are asked about by name.
        listed = await admin.describe_topics()
        rows = {row["topic"]: row["partitions"] for row in listed if not row["error_code"]}
        rows = {name: found for name, found in rows.items() if name.startswith(prefix + OURS)}
        configs = await _configs(admin, rows)
    return {
        name: Found(len(found), min(len(p["replicas"]) for p in found), configs[name])
        for name, found in rows.items()
    }


async def _configs(admin: Any, names: Collection[str]) -> dict[str, dict[str, str]]:
    if not names:
        return {}
    asked = [ConfigResource(ConfigResourceType.TOPIC, name) for name in names]
    configs: dict[str, dict[str, str]] = {}
    for answer in await admin.describe_configs(asked):
        for code, _, _, name, entries in answer.resources:
            if code:
                raise TopicError(f"topic {name}: its settings: {for_code(code).__name__}")
            configs[name] = {entry[0]: entry[1] for entry in entries}
    return configs


async def apply(
    connection: dict[str, Any],
    differences: Iterable[Difference],
    partitions: int,
    copies: int,
    prefix: str = "",
) -> None:
    """Create and alter what these differences say, and wait until the broker shows it."""
    differences = list(differences)
    if any(difference.kind == "create" for difference in differences):
        await create_topics(connection, partitions=partitions, replication=copies, prefix=prefix)
    settings: dict[str, dict[str, str]] = {}
    for difference in differences:
        if difference.kind in ("alter", "loss"):
            settings.setdefault(difference.topic, {})[difference.what] = difference.wanted
    if settings:
        await alter_settings(connection, settings)
    mended = {(difference.topic, difference.what) for difference in differences}
    deadline = time.monotonic() + SHOWN_SECONDS
    while True:
        left = compare(await found_topics(connection, prefix), partitions, copies, prefix)
        if not (hidden := mended & {(d.topic, d.what) for d in left}):
            return
        if time.monotonic() > deadline:
            names = ", ".join(sorted(topic for topic, _ in hidden))
            raise TopicError(f"the broker took it, and does not show it: {names}")
        await asyncio.sleep(0.1)


# --- one request that aiokafka has not --------------------------------------------------------

# Its own AlterConfigs takes back every setting that it does not name. This one, version 0 of
# IncrementalAlterConfigs, changes only what it names (Kafka's IncrementalAlterConfigsRequest.json).

_ALTER, _SET, _TEXT = 44, 0, String("utf-8")
_RESOURCE = (("resource_type", Int8), ("resource_name", _TEXT))


class _Altered(Response):  # type: ignore[misc]  # aiokafka is not typed
    API_KEY, API_VERSION = _ALTER, 0
    SCHEMA = Schema(
        ("throttle_time_ms", Int32),
        ("resources", Array(("error_code", Int16), ("error_message", _TEXT), *_RESOURCE)),
    )


class _Alteration(RequestStruct):  # type: ignore[misc]
    API_KEY, API_VERSION, RESPONSE_TYPE = _ALTER, 0, _Altered
    _SETTINGS = Array(("name", _TEXT), ("operation", Int8), ("value", _TEXT))
    SCHEMA = Schema(
        ("resources", Array(*_RESOURCE, ("configs", _SETTINGS))), ("validate_only", Boolean)
    )


class _Alter(Request[_Alteration]):  # type: ignore[misc]
    API_KEY = _ALTER

    def __init__(self, settings: Mapping[str, Mapping[str, str]]) -> None:
        self._settings = settings

    def build(self, kind: type[_Alteration]) -> _Alteration:
        resources = [
            (ConfigResourceType.TOPIC, topic, [(name, _SET, value) for name, value in rows.items()])
            for topic, rows in self._settings.items()
        ]
        return kind(resources, False)


async def alter_settings(
    connection: dict[str, Any], settings: Mapping[str, Mapping[str, str]]
) -> None:
    """Give topics these settings, and leave their others; raises TopicError for one refused."""
    client = AIOKafkaClient(**connection)
    try:
        with nothing_left_open():
            await client.bootstrap()
        answer = await client.send(client.get_random_node(), _Alter(settings))
    finally:
        await client.close()
    for code, message, _, name in answer.resources:
        if code:
            raise TopicError(f"topic {name}: {for_code(code).__name__} {message or ''}".rstrip())
