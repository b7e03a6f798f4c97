"""Which topics these are: a topic that was deleted and made again has another id.

aiokafka's own Metadata request ends at version 5, and ids came with 10: so one request of our own
(version 12; the types are those of Kafka's MetadataRequest.json and MetadataResponse.json).
"""

import logging
import uuid
from collections.abc import Collection
from io import BytesIO
from typing import Any

from aiokafka.client import AIOKafkaClient
from aiokafka.errors import IncompatibleBrokerVersion
from aiokafka.protocol.abstract import AbstractType
from aiokafka.protocol.api import Request, RequestStruct, Response
from aiokafka.protocol.types import Boolean, CompactArray, CompactString, Int16, Int32, Schema
from aiokafka.protocol.types import TaggedFields as Tags

from services.chassis.log.starting import nothing_left_open

logger = logging.getLogger(__name__)

_METADATA, _VERSION, _NOBODY = 3, 12, uuid.UUID(int=0)
_TEXT, _TAGS = CompactString("utf-8"), ("tags", Tags)


class _Uuid(AbstractType):  # type: ignore[misc]  # aiokafka is not typed
    @classmethod
    def encode(cls, value: uuid.UUID) -> bytes:
        return value.bytes

    @classmethod
    def decode(cls, data: BytesIO) -> uuid.UUID:
        return uuid.UUID(bytes=data.read(16))


_BROKER = (("node_id", Int32), ("host", _TEXT), ("port", Int32), ("rack", _TEXT), _TAGS)
_PARTITION = (
    *(("error_code", Int16), ("partition", Int32), ("leader", Int32), ("leader_epoch", Int32)),
    *((name, CompactArray(Int32)) for name in ("replicas", "isr", "offline")),
    _TAGS,
)
_TOPIC = (
    *(("error_code", Int16), ("topic", _TEXT), ("topic_id", _Uuid), ("is_internal", Boolean)),
    *(("partitions", CompactArray(*_PARTITION)), ("authorized_operations", Int32), _TAGS),
)


class _Answer(Response):  # type: ignore[misc]
    API_KEY, API_VERSION = _METADATA, _VERSION
    SCHEMA = Schema(
        *(("throttle_time_ms", Int32), ("brokers", CompactArray(*_BROKER)), ("cluster_id", _TEXT)),
        *(("controller_id", Int32), ("topics", CompactArray(*_TOPIC)), _TAGS),
    )


class _Question(RequestStruct):  # type: ignore[misc]
    API_KEY, API_VERSION, FLEXIBLE_VERSION, RESPONSE_TYPE = _METADATA, _VERSION, True, _Answer
    SCHEMA = Schema(
        ("topics", CompactArray(("topic_id", _Uuid), ("name", _TEXT), _TAGS)),
        *(("allow_auto_topic_creation", Boolean), ("include_operations", Boolean), _TAGS),
    )


class _TopicIds(Request[_Question]):  # type: ignore[misc]
    API_KEY = _METADATA

    def __init__(self, topics: Collection[str]) -> None:
        self._topics = topics

    def build(self, kind: type[_Question]) -> _Question:
        return kind([(_NOBODY, topic, {}) for topic in self._topics], False, False, {})


async def topic_ids(connection: dict[str, Any], topics: Collection[str]) -> dict[str, str]:
    """Topic to id, of those that exist; none of them where the broker is too old to tell."""
    client = AIOKafkaClient(**connection)
    try:
        with nothing_left_open():
            await client.bootstrap()
        answer = await client.send(client.get_random_node(), _TopicIds(topics))
    except (IncompatibleBrokerVersion, NotImplementedError):  # says aiokafka, of old versions
        logger.warning("the broker tells no topic ids: a topic that was made again goes unnoticed")
        return {}
    finally:
        await client.close()
    return {
        topic: str(found)
        for error, topic, found, *_ in answer.topics
        if error == 0 and found != _NOBODY
    }
