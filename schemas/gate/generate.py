"""Writes the catalogue: the published language for whoever does not read Python.

`schemas/catalogue/` has one JSON Schema per message type and version, the table of topics, and
an AsyncAPI document of the public topics. Always holds: the same language gives the same bytes.

The schemas say what a reader must accept: a field with a default may be absent, as it is in
events that were written before the field was added. Fields that a schema does not name are
allowed in events (a newer writer has them) and refused in commands.
"""

import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from pydantic.json_schema import GenerateJsonSchema, JsonSchemaValue, models_json_schema
from pydantic_core import CoreSchema

from schemas.base import LARGEST, Message
from schemas.envelope import SCHEMA_ROOT, type_name
from schemas.topics import PARTITIONS, TOPICS, Topic

CATALOGUE = Path(__file__).parents[1] / "catalogue"
DIALECT = "https://json-schema.org/draft/2020-12/schema"
API_VERSION = "1.0.0"
BINDING = "0.5.0"

Files = dict[str, str]
"""Path within the catalogue to content."""


class _Plain(GenerateJsonSchema):
    """Without a title on every field: it would only repeat the field's name. Nor with the bounds
    of 64 bits on every count (`schemas.base.Count`)."""

    def int_schema(self, schema: Any) -> JsonSchemaValue:
        found = super().int_schema(schema)
        edges = {"minimum": -LARGEST - 1, "maximum": LARGEST}
        return {key: value for key, value in found.items() if edges.get(key) != value}

    def field_title_should_be_set(self, schema: Any) -> bool:  # noqa: ARG002
        return False

    def generate(self, schema: CoreSchema, mode: Any = "validation") -> JsonSchemaValue:
        return {"$schema": DIALECT, **super().generate(schema, mode)}


def catalogue() -> Files:
    """The whole catalogue, as it has to be."""
    files = {
        schema_path(topic, kind): text(message_schema(kind))
        for topic in TOPICS.values()
        for kind in topic.types
    }
    files["topics.json"] = text(topics())
    files["asyncapi.json"] = text(_asyncapi([t for t in TOPICS.values() if t.audience == "public"]))
    return files


def write(directory: Path = CATALOGUE) -> list[str]:
    """Make `directory` the catalogue; the names of the files that were not current."""
    wanted = catalogue()
    changed = differing(directory, wanted)
    for name in changed:
        path = directory / name
        if name in wanted:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(wanted[name], encoding="utf-8", newline="\n")
        else:
            path.unlink()
    return changed


def differing(directory: Path = CATALOGUE, wanted: Files | None = None) -> list[str]:
    """Names of the files in `directory` that are missing, outdated, or of no message."""
    wanted = catalogue() if wanted is None else wanted
    present = {
        path.relative_to(directory).as_posix(): path.read_bytes()
        for path in directory.rglob("*.json")
    }
    expected = {name: content.encode() for name, content in wanted.items()}
    names = present.keys() | expected.keys()
    return sorted(name for name in names if present.get(name) != expected.get(name))


def topics() -> list[dict[str, Any]]:
    """The table of topics, in its order."""
    return [_row(topic) for topic in TOPICS.values()]


def messages() -> list[dict[str, Any]]:
    """Every message type with its version, topics and schema, by name."""
    rows: dict[str, dict[str, Any]] = {}
    for topic in TOPICS.values():
        for kind in topic.types:
            row = {
                "name": kind.__name__,
                "version": kind.version,
                "audience": topic.audience,
                "summary": _summary(kind),
                "schema": schema_path(topic, kind),
                "topics": [],
            }
            rows.setdefault(kind.__name__, row)["topics"].append(topic.name)
    return [rows[name] for name in sorted(rows)]


def schema_path(topic: Topic, kind: type[Message]) -> str:
    """Where the schema of a message lies in the catalogue: by who may read its topic."""
    return f"{topic.audience}/{kind.__name__}.v{kind.version}.json"


def schema_id(kind: type[Message]) -> str:
    """`$id` of a message's schema, and `ce_dataschema` of its records."""
    return f"{SCHEMA_ROOT}{kind.__name__}:{kind.version}"


def text(document: Any) -> str:
    """JSON as the catalogue has it."""
    return json.dumps(document, indent=2, sort_keys=True, ensure_ascii=False) + "\n"


def message_schema(kind: type[Message]) -> dict[str, Any]:
    """The JSON Schema of a message, as it is now."""
    return {
        **kind.model_json_schema(schema_generator=_Plain),
        "$id": schema_id(kind),
        "title": kind.__name__,
        "description": _description(kind),
    }


def _description(kind: type[Message]) -> str:
    """The docstring, each paragraph on one line."""
    lines = (kind.__doc__ or "").splitlines()
    paragraphs = "\n".join(line.strip() for line in lines).strip().split("\n\n")
    return "\n\n".join(" ".join(paragraph.splitlines()) for paragraph in paragraphs)


def _summary(kind: type[Message]) -> str:
    return _description(kind).split("\n", 1)[0]


def _row(topic: Topic) -> dict[str, Any]:
    return {
        "name": topic.name,
        "audience": topic.audience,
        "purpose": topic.purpose,
        "key": "{cohort_id}/{subject}",
        "partitions": PARTITIONS,
        "partitioned_by": "murmur2(cohort_id)",
        "cleanup": topic.config["cleanup.policy"],
        "retention_ms": topic.retention_ms,
        "max_message_bytes": topic.max_message_bytes,
        "types": [
            {
                "name": kind.__name__,
                "version": kind.version,
                "ce_type": type_name(kind),
                "subject": kind.subject_field,
                "schema": schema_path(topic, kind),
            }
            for kind in topic.types
        ],
    }


# --- AsyncAPI ---------------------------------------------------------------------------------

PROMISES = """\
The events that the reverse-mentoring platform publishes for everybody. Subscribers need nothing \
but these topics; ids are pseudonymous, and no name or address is on them.

Records are CloudEvents 1.0 in Kafka's binary mode: the attributes are headers (`ce_…`), the \
event is JSON in the value. A record's key is `cohort/subject`; its partition is the one that \
Kafka's default partitioner (murmur2) finds for the cohort's id. Every topic has as many partitions.

Order: everything about a cohort is on the same partition number of every topic, and on one topic \
in the order in which it happened. Between topics there is no order but `ce_time`.

Delivery is at least once. `ce_sequence` counts without gaps per `ce_source` (one source per topic \
and partition): keep the highest that you have handled, pass over what is not above it, and you \
have handled every event exactly once. A step of more than one is a gap: stop and report it.

Events are kept for ever, so a new subscriber reads the whole history from the beginning. Within a \
version fields are only ever added, with a default: ignore fields that you do not know, and event \
types too."""

_SERVER = {
    "host": "kafka.example.org:9093",
    "protocol": "kafka-secure",
    "description": "The broker of the deployment; its operators tell the address. A subscriber has "
    "an account of its own, which reads these topics, and commits offsets for groups whose ids "
    "begin with `subscriber-NAME.`; nothing else.",
    "security": [{"$ref": "#/components/securitySchemes/scram"}],
}
_SCRAM = {
    "type": "scramSha512",
    "description": "SASL/SCRAM-SHA-512 over TLS. The operators hand out name, password and CA.",
}

_HEADERS: Mapping[str, dict[str, Any]] = {
    "ce_specversion": {"const": "1.0", "description": "CloudEvents version."},
    "ce_id": {
        "type": "string",
        "description": "Unique in its source; the same when an event is published again.",
        "examples": ["matching.events.3.1042"],
    },
    "ce_source": {
        "type": "string",
        "pattern": "^/mentoring/[a-z]+/events/[0-9]+$",
        "description": "Service, stream and partition.",
        "examples": ["/mentoring/matching/events/3"],
    },
    "ce_type": {"type": "string", "description": "Type and version of the event."},
    "ce_time": {
        "type": "string",
        "format": "date-time",
        "description": "When it happened: UTC, to the millisecond.",
        "examples": ["2017-03-06T09:00:00.000Z"],
    },
    "ce_subject": {
        "type": "string",
        "description": "The record's key: cohort, and what the event is about.",
        "examples": ["bercy-2017/m-017~g-004"],
    },
    "ce_dataschema": {"type": "string", "description": "`$id` of the event's JSON Schema."},
    "ce_partitionkey": {
        "type": "string",
        "description": "The cohort.",
        "examples": ["bercy-2017"],
    },
    "content-type": {"const": "application/json", "description": "Of the value."},
    "ce_sequence": {
        "type": "string",
        "pattern": "^[0-9]{12,18}$",
        "description": "Counts from 1 without gaps per source.",
        "examples": ["000000001042"],
    },
    "ce_order": {
        "type": "string",
        "pattern": "^[0-9]{1,18}$",
        "description": "The publisher's own; not for subscribers.",
        "examples": ["1042"],
    },
    "ce_cause": {"type": "string", "description": "`ce_id` of the message that led to this one."},
    "ce_traceparent": {
        "type": "string",
        "description": "W3C Trace Context of the request that led to it, where there was one.",
        "examples": ["00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"],
    },
    "ce_copyof": {
        "type": "string",
        "description": "This is a copy, in an older version, of the event with this `ce_id`. Pass "
        "over it if you read the newer version.",
        "examples": ["matching.events.3.1043"],
    },
    "ce_authtype": {
        "type": "string",
        "description": "CloudEvents Auth Context: what kind of principal is behind it, where "
        "somebody is. Absent where a deadline decided, of what is anonymous, and of older events.",
        "examples": ["app_user"],
    },
    "ce_authid": {
        "type": "string",
        "description": "CloudEvents Auth Context: their pseudonym, or the name of a machine.",
        "examples": ["m-017"],
    },
    "ce_authrole": {
        "type": "string",
        "description": "In which role they asked for what led to it.",
        "examples": ["participant"],
    },
    "ce_authvia": {
        "type": "string",
        "description": "Through what: link, portal, api, roster or connecte.",
        "examples": ["link"],
    },
}
_OPTIONAL = {
    *("ce_order", "ce_cause", "ce_traceparent", "ce_copyof"),
    *("ce_authtype", "ce_authid", "ce_authrole", "ce_authvia"),
}


def _asyncapi(public: Iterable[Topic]) -> dict[str, Any]:
    channels: dict[str, Any] = {}
    operations: dict[str, Any] = {}
    kinds: dict[str, type[Message]] = {}
    for topic in public:
        name = _channel_name(topic)
        channels[name] = _channel(topic)
        operations[f"receive{name[0].upper()}{name[1:]}"] = {
            "action": "receive",
            "channel": {"$ref": f"#/channels/{name}"},
            "title": f"Receive {topic.purpose}",
            "messages": [
                {"$ref": f"#/channels/{name}/messages/{kind.__name__}"} for kind in topic.types
            ],
        }
        kinds |= {kind.__name__: kind for kind in topic.types}
    return {
        "asyncapi": "3.0.0",
        "id": "urn:mentoring:events",
        "info": {
            "title": "Reverse mentoring: public events",
            "version": API_VERSION,
            "description": PROMISES,
            "license": {"name": "MIT"},
        },
        "defaultContentType": "application/json",
        "servers": {"kafka": _SERVER},
        "channels": channels,
        "operations": operations,
        "components": {
            "securitySchemes": {"scram": _SCRAM},
            "messages": {name: _message(kind) for name, kind in kinds.items()},
            "schemas": {**_shared_schemas(kinds.values()), "CloudEvent": headers()},
        },
    }


def _channel_name(topic: Topic) -> str:
    """`mentoring.matching.events` is `matchingEvents`."""
    _, service, stream = topic.name.split(".")
    return f"{service}{stream.capitalize()}"


def _channel(topic: Topic) -> dict[str, Any]:
    return {
        "address": topic.name,
        "title": topic.name,
        "description": f"{topic.purpose[0].upper()}{topic.purpose[1:]}.",
        "messages": {
            kind.__name__: {"$ref": f"#/components/messages/{kind.__name__}"}
            for kind in topic.types
        },
        "bindings": {
            "kafka": {
                "topic": topic.name,
                "partitions": PARTITIONS,
                "topicConfiguration": {
                    "cleanup.policy": [topic.config["cleanup.policy"]],
                    "retention.ms": topic.retention_ms,
                    "max.message.bytes": topic.max_message_bytes,
                },
                "bindingVersion": BINDING,
            }
        },
    }


def _message(kind: type[Message]) -> dict[str, Any]:
    key = f"{{cohort_id}}/{{{kind.subject_field}}}"
    own = {"ce_type": {"const": type_name(kind)}, "ce_dataschema": {"const": schema_id(kind)}}
    return {
        "name": type_name(kind),
        "title": kind.__name__,
        "summary": _summary(kind),
        "contentType": "application/json",
        "headers": {
            "allOf": [
                {"$ref": "#/components/schemas/CloudEvent"},
                {"type": "object", "properties": own},
            ]
        },
        "payload": {"$ref": f"#/components/schemas/{kind.__name__}"},
        "bindings": {
            "kafka": {
                "key": {"type": "string", "description": f"`{key}`"},
                "bindingVersion": BINDING,
            }
        },
    }


def headers() -> dict[str, Any]:
    """The headers of a public record, as JSON Schema."""
    return {
        "type": "object",
        "description": "CloudEvents 1.0 attributes, as Kafka headers in UTF-8.",
        "properties": dict(_HEADERS),
        "required": [name for name in _HEADERS if name not in _OPTIONAL],
    }


def _shared_schemas(kinds: Iterable[type[Message]]) -> dict[str, Any]:
    """The payloads and the values that they share, each once."""
    _, document = models_json_schema(
        [(kind, "validation") for kind in kinds],
        ref_template="#/components/schemas/{model}",
        schema_generator=_Plain,
    )
    found: dict[str, Any] = document["$defs"]
    return found
