"""How others read our records: by the catalogue alone, and by the library of CloudEvents.

No code of the project takes part but the names of its topics.
"""

import json
from collections import Counter
from collections.abc import Iterable, Sequence
from datetime import datetime
from functools import cache
from pathlib import Path
from typing import Any, Protocol

from cloudevents.core.bindings.kafka import KafkaMessage, from_binary_event
from jsonschema import Draft202012Validator

from schemas.topics import PEOPLE

CATALOGUE = Path(__file__).parents[2] / "schemas" / "catalogue"


class Record(Protocol):
    """What is read of a record."""

    @property
    def topic(self) -> str: ...
    @property
    def key(self) -> bytes | None: ...
    @property
    def value(self) -> bytes | None: ...
    @property
    def headers(self) -> Sequence[tuple[str, bytes | None]]: ...


@cache
def validators() -> dict[str, Draft202012Validator]:
    """`$id` to its validator: all the schemas of the catalogue."""
    found = {}
    for path in CATALOGUE.rglob("*.v*.json"):
        schema = json.loads(path.read_text(encoding="utf-8"))
        checker = Draft202012Validator.FORMAT_CHECKER
        found[schema["$id"]] = Draft202012Validator(schema, format_checker=checker)
    return found


def read_by_others(records: Iterable[Record]) -> Counter[str]:
    """Hold every record against the catalogue and the library; how many of each `ce_type`."""
    types: Counter[str] = Counter()
    for record in records:
        if record.topic == PEOPLE and record.value is None:
            continue  # a tombstone, by which a person is erased, is no event
        headers = {name: raw or b"" for name, raw in record.headers}
        assert len(headers) == len(record.headers), f"a header twice: {record.headers}"
        ce = {name: raw.decode() for name, raw in headers.items()}
        value = json.loads(record.value or b"")
        errors = [e.message for e in validators()[ce["ce_dataschema"]].iter_errors(value)]
        assert errors == [], f"{ce['ce_type']} {ce['ce_subject']}: {errors}"
        _, name, version = ce["ce_dataschema"].rsplit(":", 2)
        assert ce["ce_type"] == f"fr.gouv.mentoring.{name}.v{version}"
        _read_by_the_library(record, headers, ce, value)
        types[ce["ce_type"]] += 1
    return types


def _read_by_the_library(
    record: Record, headers: dict[str, bytes], ce: dict[str, str], value: Any
) -> None:
    event = from_binary_event(KafkaMessage(headers, record.key, record.value or b""))
    assert event.get_id() == ce["ce_id"]
    assert event.get_source() == ce["ce_source"]
    assert event.get_type() == ce["ce_type"]
    assert event.get_subject() == ce["ce_subject"]
    assert event.get_dataschema() == ce["ce_dataschema"]
    assert event.get_time() == datetime.fromisoformat(ce["ce_time"])
    assert event.get_datacontenttype() == "application/json"
    assert event.get_data() == value
    assert event.get_extension("sequence") == ce.get("ce_sequence")
