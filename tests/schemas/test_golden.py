"""History stays readable: records that every earlier version wrote are read by today's code.

`golden/` has a folder for each version that wrote some, and `SHA256SUMS`, which lists every file.
Files are only ever added: `python -m tests.schemas.test_golden NAME` writes the records of today
into `golden/NAME` and adds them to the list.
"""

import json
import sys
from collections.abc import Iterator
from functools import cache
from importlib import import_module

import pytest
from jsonschema import Draft202012Validator

from schemas.base import Message
from schemas.envelope import attributes, decode
from schemas.gate.compatibility import released
from schemas.gate.golden import GOLDEN, SUMS, listed, sums
from schemas.gate.samples import record
from schemas.journal import StepCompleted
from schemas.topics import PARKED, TOPICS, Service
from services.chassis.domain import Domain, NotLoaded, One, State
from services.chassis.log.contract import Received
from services.chassis.step.journal import fold

LIST = GOLDEN / SUMS
WRITERS = sorted(path.name for path in GOLDEN.iterdir() if path.is_dir())
SERVICES: tuple[Service, ...] = ("matching", "scheduling", "feedback", "notify")


@cache
def records(writer: str) -> tuple[Received, ...]:
    """What a version wrote, topic by topic in the order of the table, each in its own order."""
    return tuple(rows(writer))


def rows(writer: str) -> Iterator[Received]:
    for topic in TOPICS:
        path = GOLDEN / writer / f"{topic}.jsonl"
        lines = path.read_text(encoding="utf-8").splitlines() if path.is_file() else []
        for offset, line in enumerate(lines):
            row = json.loads(line)
            headers = [(name, text.encode()) for name, text in row["headers"]]
            key, value = row["key"].encode(), row["value"].encode()
            yield Received(topic, row["partition"], offset, key, value, headers)


def read(row: Received) -> Message:
    return decode(attributes(row.headers), row.value)


def test_no_golden_record_was_changed_added_or_taken_away_unnoticed() -> None:
    assert sums() == listed(LIST.read_text())


@pytest.mark.parametrize("writer", WRITERS)
def test_every_record_of_a_version_is_read_by_todays_code(writer: str) -> None:
    assert len(records(writer)) > 60
    for row in records(writer):
        message = read(row)
        named = dict(row.headers)["ce_type"] or b""
        assert f".{type(message).__name__}.v".encode() in named
        assert row.key == f"{message.cohort_id}/{message.subject}".encode()


@pytest.mark.parametrize("writer", WRITERS)
def test_every_record_of_a_version_is_valid_under_the_released_schema(writer: str) -> None:
    versions = released()
    for row in records(writer):
        _, _, named = attributes(row.headers).type.rpartition("mentoring.")
        name, _, version = named.rpartition(".v")
        schema = versions[name][int(version)]
        Draft202012Validator(schema).validate(json.loads(row.value or b""))


def test_every_released_version_of_every_type_has_a_golden_record() -> None:
    written = {attributes(row.headers).type for writer in WRITERS for row in records(writer)}
    versions = {
        f"fr.gouv.mentoring.{name}.v{version}"
        for name, known in released().items()
        for version in known
    }
    assert versions <= written, "run: python -m tests.schemas.test_golden NAME"


def journal(domain: Domain, writer: str) -> Iterator[Message]:
    """What a service folds: its own events, and copies of what it learned."""
    for row in records(writer):
        message = read(row)
        own = row.topic in (*domain.tables, PARKED) or row.topic.split(".")[1] == domain.name
        if row.topic.endswith(".commands") or isinstance(message, StepCompleted):
            continue
        if own or type(message) in domain.learns:
            yield message


def folded(domain: Domain, state: State, message: Message) -> None:
    """Fold an event; what has not been folded before is not there."""
    while True:
        try:
            state.apply(fold(domain, state, message))
            break
        except NotLoaded as missing:
            state.undo()
            need = missing.need
            if isinstance(need, One):
                state.documents[need.kind, f"{need.cohort_id}/{need.id}"] = None
            else:
                state.wholes.add(need)
    state.keep()


@pytest.mark.parametrize("writer", WRITERS)
@pytest.mark.parametrize("service", SERVICES)
def test_the_journal_of_a_version_is_folded_by_todays_services(
    writer: str, service: Service
) -> None:
    domain: Domain = import_module(f"services.{service}.handlers").DOMAIN
    state = State()
    count = 0
    for message in journal(domain, writer):
        folded(domain, state, message)
        count += 1
    assert count >= 8
    assert sum(document is not None for document in state.documents.values()) >= 5


def write(name: str) -> None:
    """The records of today, as golden ones. What is there already must be as it is listed."""
    if sums() != listed(LIST.read_text()):
        sys.exit("a golden record is not as it is listed; nothing is written")
    directory = GOLDEN / name
    directory.mkdir()
    for topic in TOPICS.values():
        lines = []
        for number, kind in enumerate(topic.types):
            made = record(kind, topic, number + 1)
            row = {
                "partition": made.partition,
                "key": (made.key or b"").decode(),
                "headers": [[header, (raw or b"").decode()] for header, raw in made.headers],
                "value": (made.value or b"").decode(),
            }
            lines.append(json.dumps(row, ensure_ascii=False))
        (directory / f"{topic.name}.jsonl").write_text("\n".join(lines) + "\n", encoding="utf-8")
    LIST.write_text("".join(f"{digest}  {file}\n" for file, digest in sorted(sums().items())))


if __name__ == "__main__":
    write(sys.argv[1])
