"""A valid record of every message type, built from the examples of its schema.

Always holds: the same type gives the same record, and what is built can be read again.
"""

import json
from datetime import UTC, datetime
from typing import Any, TypeVar

from schemas.base import Command, Message
from schemas.envelope import Record, encode
from schemas.sources import id_of, source_of
from schemas.topics import PARKED, PARTITIONS, PEOPLE, TOPICS, Topic, partition_of

M = TypeVar("M", bound=Message)

AT = datetime(2017, 3, 6, 9, tzinfo=UTC)


class NoExample(Exception):
    """A field has no example; the text is its path."""


def topic_of(kind: type[Message]) -> Topic:
    """The first topic of the table that carries a message."""
    return next(topic for topic in TOPICS.values() if kind in topic.types)


def message_of(kind: type[M]) -> M:
    """A message with the example of every field. Raises `NoExample`."""
    return kind.model_validate_json(json.dumps(example(kind.model_json_schema())))


def record(kind: type[Message], topic: Topic | None = None, sequence: int = 1) -> Record:
    """A record of a message on a topic (the first that carries it), at this place of its source."""
    topic = topic or topic_of(kind)
    message = message_of(kind)
    partition = _partition(message)
    _, service, *_ = topic.name.split(".")
    if issubclass(kind, Command):
        return encode(
            message,
            topic.name,
            partition,
            id=f"5f3c2a1e-7c1d-4c6a-9c57-{sequence:012x}",
            source=f"/mentoring/{'notify' if topic.name == PEOPLE else service}/http",
            time=AT,
        )
    stream = topic.name.rpartition(".")[2]
    # The parked topic is shared by the services, so its source names the service.
    owner = message.cohort_id if topic.name == PARKED else service
    return encode(
        message,
        topic.name,
        partition,
        id=id_of(owner, stream, partition, sequence),
        source=source_of(owner, stream, partition),
        time=AT,
        sequence=sequence,
        order=sequence - 1,
    )


def _partition(message: Message) -> int:
    """Its cohort's; what concerns a partition of a service names it."""
    if isinstance(named := getattr(message, "partition", None), int):
        return named
    if isinstance(origin := getattr(message, "origin", None), str):
        return int(origin.split("/")[-2])
    if isinstance(source := getattr(message, "source", None), str):
        return int(source.rpartition(".")[2])
    return partition_of(message.cohort_id, PARTITIONS)


def example(schema: dict[str, Any]) -> Any:
    """A value of a schema, every field of it taken from the examples. Raises `NoExample`."""
    return _value(schema, schema.get("$defs", {}), schema.get("title", ""))


def _value(part: dict[str, Any], shared: dict[str, Any], where: str) -> Any:
    if part.get("examples"):
        return part["examples"][0]
    match part:
        case {"const": constant}:
            return constant
        case {"$ref": str(reference)}:
            return _value(shared[reference.rpartition("/")[2]], shared, where)
        case {"anyOf": [first, *_]}:  # the other one is null
            return _value(first, shared, where)
        case {"type": "object", "properties": dict(fields)}:
            return {
                name: _value(field, shared, f"{where}.{name}") for name, field in fields.items()
            }
        case {"type": "array", "items": dict(item)}:
            return [_value(item, shared, f"{where}.0")]
        case _:
            raise NoExample(where)
