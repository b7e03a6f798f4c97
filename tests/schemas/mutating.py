# ruff: noqa: E501  # sources, as they stand
"""Changes of the contract, each made in a copy of the sources, and what the gate says to it.

Always holds: the gate that is asked is that of the copy, with the released files of the copy, in a
process that has loaded nothing of ours before; so a change can be of code, of what was released, or
of both at once. The next change finds the copy as it was.

`python -m tests.schemas.mutating` writes the table of docs/changing-the-contract.md.
"""

import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs" / "changing-the-contract.md"
GOLDEN = "tests/schemas/golden"

ASKED = """
import gc, json, os, sys
from datetime import datetime
from pydantic import BaseModel, EmailStr

class Anything(BaseModel):
    at: datetime
    to: EmailStr

Anything.model_json_schema()
gc.disable()  # in processes that end at once
for _ in sys.stdin:
    if not (child := os.fork()):
        from schemas.gate.gate import check
        print(json.dumps([[f.field, f.what, f.remedy, f.others] for f in check()]), flush=True)
        os._exit(0)
    if os.waitpid(child, 0)[1]:
        print("null", flush=True)
"""
"""Asks the gate of where it is whenever it gets a line. What is others' is loaded once, ahead."""


@dataclass(frozen=True)
class Edit:
    """In a file, the first place that has a text gets another."""

    file: str
    old: str
    new: str


@dataclass(frozen=True)
class Change:
    """`what` is done; `field` is where the gate has to find it, or None where it has to pass."""

    what: str
    field: str | None
    edits: Sequence[Edit] = field(repr=False)

    def __str__(self) -> str:
        return self.what


def copied(to: Path) -> Path:
    """The sources that the gate looks at, compiled as they are: what is edited is so again."""
    shutil.copytree(ROOT / "schemas", to / "schemas")
    shutil.copytree(ROOT / GOLDEN, to / GOLDEN)
    return to


def made(change: Change, tree: Path) -> None:
    for edit in change.edits:
        path = tree / edit.file
        text = path.read_text(encoding="utf-8")
        assert edit.old in text, f"{change}: {edit.file} has no {edit.old!r}"
        path.write_text(text.replace(edit.old, edit.new, 1), encoding="utf-8")


@contextmanager
def made_for_once(change: Change, tree: Path) -> Iterator[None]:
    """It is taken back again: the files are what they were, to the time of their last change."""
    files = {tree / edit.file for edit in change.edits}
    before = [(path, path.read_bytes(), path.stat()) for path in files]
    try:
        made(change, tree)
        yield
    finally:
        for path, content, was in before:
            path.write_bytes(content)
            os.utime(path, ns=(was.st_atime_ns, was.st_mtime_ns))


Gate = Callable[[Change], list[list[str]]]
"""Gives (field, what, remedy, others) of all that the gate finds in a copy with this change."""


@contextmanager
def gate(directory: Path) -> Iterator[Gate]:
    """The gate of a copy below this directory: of each change in turn, and of that alone."""
    tree = copied(directory / "tree")
    environment = {"PYTHONPATH": str(tree), "PYTHONDONTWRITEBYTECODE": "1"}
    pipe = subprocess.PIPE
    command = (sys.executable, "-P", "-c", ASKED)
    with subprocess.Popen(
        command, cwd=tree, env=environment, stdin=pipe, stdout=pipe, text=True
    ) as process:
        to, back = process.stdin, process.stdout
        assert to is not None
        assert back is not None

        def says(change: Change) -> list[list[str]]:
            with made_for_once(change, tree):
                to.write("\n")
                to.flush()
                found: list[list[str]] | None = json.loads(back.readline())
            assert found is not None, f"{change}: the gate fails; why is on standard error"
            return found

        yield says
        to.close()


# What is edited where


def code(module: str, old: str, new: str) -> Edit:
    return Edit(f"schemas/{module}.py", old, new)


def breaking() -> Iterator[Change]:
    """Every change that somebody who reads or sends would stumble over."""

    def one(what: str, field: str, *edits: Edit) -> Change:
        return Change(what, field, edits)

    # Fields and values
    yield one(
        "a field of an event is renamed",
        "PairProposed.score",
        code(
            "matching",
            '    score: Annotated[float, described("Points of 100."',
            '    points: Annotated[float, described("Points of 100."',
        ),
    )
    yield one(
        "a field of an event is taken away",
        "SessionRescheduled.previously_at",
        code(
            "scheduling",
            '    previously_at: Annotated[Moment, described("When it would have begun.", "2017-03-19T09:00:00Z")]\n',
            "",
        ),
    )
    yield one(
        "an optional field of an event is taken away",
        "PairDissolved.reason",
        code("matching", '    reason: Reason = ""\n', ""),
    )
    yield one(
        "an event has a new field without a default",
        "PairFormed.place",
        code(
            "matching",
            "    manager_availability: Availability\n    mentor_site",
            '    manager_availability: Availability\n    place: Annotated[str, described("Where they meet.", "Paris Bercy")]\n    mentor_site',
        ),
    )
    yield one(
        "a command has a new field without a default",
        "DissolvePair.by",
        code(
            "matching",
            "    reason: Annotated[Reason, TIDY]\n",
            "    reason: Annotated[Reason, TIDY]\n    by: Side\n",
        ),
    )
    yield one(
        "a field with a default loses it",
        "ManagerEnrolled.enrolled_at",
        code(
            "matching",
            'described("Orders the waiting list; null in the oldest records.", "2017-03-01T09:00:00Z"),\n    ] = None',
            'described("Orders the waiting list; null in the oldest records.", "2017-03-01T09:00:00Z"),\n    ]',
        ),
    )
    yield one(
        "a required field may be absent",
        "SessionCompleted.completed",
        code(
            "scheduling",
            'described("Completed sessions of the pair so far.", 3, ge=1)]',
            'described("Completed sessions of the pair so far.", 3, ge=1)] = 1',
        ),
    )
    yield one(
        "a number becomes whole",
        "PairProposed.score",
        code(
            "matching",
            'score: Annotated[float, described("Points of 100.", 71.25,',
            'score: Annotated[int, described("Points of 100.", 71,',
        ),
    )
    yield one(
        "a number becomes a text",
        "RoundCompleted.proposed",
        code(
            "matching",
            'proposed: Annotated[Count, described("Pairs proposed.", 40, ge=0)]',
            'proposed: Annotated[str, described("Pairs proposed.", "40")]',
        ),
    )
    yield one(
        "a moment becomes a text",
        "PairStalled.since",
        code(
            "scheduling",
            "    since: Annotated[\n        Moment,",
            "    since: Annotated[\n        str,",
        ),
    )
    yield one(
        "a field may be null",
        "SessionConfirmed.by",
        code(
            "scheduling",
            'by: Annotated[Side, Field(description="Which side confirmed.")]',
            'by: Annotated[Side | None, Field(description="Which side confirmed.")]',
        ),
    )
    yield one(
        "a field may be null no more",
        "CohortMeasured.surveys.0.mean",
        code(
            "values",
            "mean: Annotated[float | None, described(",
            "mean: Annotated[float, described(",
        ),
    )
    yield one(
        "a list of values loses one",
        "ProposalExpired.cause",
        code("matching", 'Literal["deadline", "withdrawal"]', 'Literal["deadline"]'),
    )
    yield one(
        "a list of values of an event grows",
        "SessionCancelled.cause",
        code(
            "scheduling",
            'Literal["request", "pair_dissolved"]',
            'Literal["request", "pair_dissolved", "strike"]',
        ),
    )
    yield one(
        "a value is renamed",
        "PairDissolved.cause",
        code(
            "matching",
            '"mentor_withdrew", "manager_withdrew"]',
            '"mentor_left", "manager_withdrew"]',
        ),
    )
    yield one(
        "a limit is narrower",
        "PairProposed.score",
        code(
            "matching",
            '"Points of 100.", 71.25, ge=0, le=100',
            '"Points of 100.", 71.25, ge=0, le=99',
        ),
    )
    yield one(
        "a limit of an event is wider",
        "PairProposed.score",
        code(
            "matching",
            '"Points of 100.", 71.25, ge=0, le=100',
            '"Points of 100.", 71.25, ge=0, le=1000',
        ),
    )
    yield one(
        "a limit of a command is narrower",
        "DissolvePair.reason",
        code(
            "values",
            'StringConstraints(max_length=200, strip_whitespace=True),\n    described("Why, in a few words that name nobody.", "changed posts")',
            'StringConstraints(max_length=100, strip_whitespace=True),\n    described("Why, in a few words that name nobody.", "changed posts")',
        ),
    )
    yield one(
        "ids may be longer",
        "PairFormed.mentor_id",
        code("base", "[A-Za-z0-9._-]{0,47}", "[A-Za-z0-9._-]{0,63}"),
    )
    yield one(
        "a default is another",
        "CohortOpened.policy.proposal_days",
        code(
            "values",
            'described("Days to answer.", 10, ge=1, le=90)] = 10',
            'described("Days to answer.", 10, ge=1, le=90)] = 14',
        ),
    )
    yield one(
        "a field holds a list where it held one",
        "SessionConfirmed.by",
        code(
            "scheduling",
            'by: Annotated[Side, Field(description="Which side confirmed.")]',
            'by: Annotated[tuple[Side, ...], Field(description="Which side confirmed.")]',
        ),
    )
    yield one(
        "a value that others share has a new required field",
        "CohortMeasured.surveys.0.unit",
        code(
            "values",
            "    mean: Annotated[float | None",
            '    unit: Annotated[str, described("Of the mean.", "points")]\n    mean: Annotated[float | None',
        ),
    )
    # Types
    yield one(
        "a type is renamed",
        "PairStalled",
        code("scheduling", "class PairStalled(", "class PairStuck("),
    )
    yield one(
        "a type is taken away",
        "MentorResumed",
        code(
            "matching",
            'class MentorResumed(MentorEvent):\n    """A paused mentor is available again."""\n\n    audience = "public"\n\n\n',
            "",
        ),
    )
    yield one(
        "a type has a second version without a way from the first",
        "PairStalled",
        code(
            "scheduling",
            '    """No session took place for too long."""\n\n    audience = "public"',
            '    """No session took place for too long."""\n\n    audience = "public"\n    version: ClassVar[int] = 2',
        ),
    )
    yield one(
        "a public type becomes internal, and moves to another topic",
        "CohortMeasured",
        _audience("feedback", "CohortMeasured", "public", "internal"),
    )
    yield one(
        "an internal type becomes public, and moves to another topic",
        "RoundRequested",
        _audience("rounds", "RoundRequested", "internal", "public"),
    )
    yield one(
        "the prefix of every type is another",
        "ids.ce_type",
        code("envelope", 'TYPE_PREFIX = "fr.gouv.mentoring."', 'TYPE_PREFIX = "fr.gouv.mentorat."'),
    )
    yield one(
        "the ids of all schemas are others",
        "header ce_dataschema",
        code(
            "envelope",
            'SCHEMA_ROOT = "urn:mentoring:schema:"',
            'SCHEMA_ROOT = "https://schemas.example.org/"',
        ),
    )

    # Keys and partitions
    yield one(
        "an event is keyed by something else",
        "other types, key",
        code(
            "base",
            'class PairEvent(Event):\n    """What concerns a pair."""\n\n    subject_field: ClassVar[str] = "pair_id"',
            'class PairEvent(Event):\n    """What concerns a pair."""\n\n    subject_field: ClassVar[str] = "mentor_id"',
        ),
    )
    yield one(
        "one event is keyed by its cohort",
        "AvailabilityChanged, key",
        code(
            "matching",
            '    audience = "public"\n    subject_field: ClassVar[str] = "person_id"\n',
            '    audience = "public"\n',
        ),
    )
    yield one(
        "the form of every key is another",
        "key",
        code(
            "envelope",
            'return f"{message.cohort_id}/{message.subject}"',
            'return f"{message.cohort_id}:{message.subject}"',
        ),
    )
    yield one(
        "the partition function has another seed",
        "partition function",
        code("topics", "0x9747B28C ^ len(data)", "0x9747B28D ^ len(data)"),
    )
    yield one(
        "the partition function keeps the sign",
        "partition function",
        code(
            "topics",
            "(murmur2(cohort_id.encode()) & 0x7FFFFFFF) % partitions",
            "murmur2(cohort_id.encode()) % partitions",
        ),
    )
    yield one(
        "the partition function is another hash",
        "partition function",
        code(
            "topics",
            "(murmur2(cohort_id.encode()) & 0x7FFFFFFF) % partitions",
            "sum(cohort_id.encode()) % partitions",
        ),
    )
    yield one(
        "topics have more partitions",
        "mentoring.matching.events.partitions",
        code("topics", "PARTITIONS = 12", "PARTITIONS = 24"),
    )

    # Topics
    yield one(
        "a topic is renamed",
        "mentoring.people",
        code("topics", 'PEOPLE = "mentoring.people"', 'PEOPLE = "mentoring.persons"'),
    )
    yield one(
        "every topic of events is renamed",
        "mentoring.matching.events",
        code(
            "topics", 'else f"mentoring.{service}.{stream}"', 'else f"mentorat.{service}.{stream}"'
        ),
    )
    yield one(
        "a topic is for others than before",
        "mentoring.people.audience",
        code(
            "topics",
            '            PEOPLE,\n            "restricted",',
            '            PEOPLE,\n            "public",',
        ),
    )
    yield one(
        "a public topic becomes internal",
        "mentoring.scheduling.events.audience",
        code(
            "topics",
            '                    "public",\n                    PUBLIC_EVENTS[service],',
            '                    "internal",\n                    PUBLIC_EVENTS[service],',
        ),
    )
    yield one(
        "events are kept for a year",
        "mentoring.matching.events.retention.ms",
        code(
            "topics",
            "PUBLIC_EVENTS[service],\n                    FOREVER,",
            "PUBLIC_EVENTS[service],\n                    365 * _DAY,",
        ),
    )
    yield one(
        "commands are kept for a day",
        "mentoring.matching.commands.retention.ms",
        code("topics", "ASKED_DAYS * _DAY,", "1 * _DAY,"),
    )
    yield one(
        "commands are kept for longer than was said",
        "mentoring.matching.commands.retention.ms",
        code("topics", "ASKED_DAYS * _DAY,", "90 * _DAY,"),
    )
    yield one(
        "the topic of people is not compacted any more",
        "mentoring.people.cleanup.policy",
        code("topics", "            compacted=True,\n", ""),
    )
    yield one(
        "a topic of events is compacted",
        "mentoring.matching.events.cleanup.policy",
        code(
            "topics",
            '                    f"what happened in {service}",\n',
            '                    f"what happened in {service}",\n                    compacted=True,\n',
        ),
    )
    yield one(
        "records may be larger",
        "mentoring.matching.events.max.message.bytes",
        code(
            "topics",
            "max_message_bytes: int = 1024 * 1024",
            "max_message_bytes: int = 4 * 1024 * 1024",
        ),
    )
    yield one(
        "records have to be smaller",
        "mentoring.parked.max.message.bytes",
        code("topics", "max_message_bytes=8 * 1024 * 1024", "max_message_bytes=2 * 1024 * 1024"),
    )
    yield one(
        "topics are stored compressed",
        "mentoring.matching.events.compression.type",
        code("topics", '"compression.type": "uncompressed"', '"compression.type": "zstd"'),
    )

    # Headers, ids, sequences
    yield one(
        "a header is renamed where it is written and where it is read",
        "header ce_partitionkey",
        code(
            "envelope",
            '("ce_partitionkey", message.cohort_id.encode())',
            '("ce_cohort", message.cohort_id.encode())',
        ),
        code(
            "envelope",
            'found["ce_partitionkey"]',
            'found.get("ce_cohort", found.get("ce_partitionkey", ""))',
        ),
    )
    yield one(
        "a header is not written any more",
        "header content-type",
        code("envelope", '        ("content-type", b"application/json"),\n', ""),
    )
    yield one(
        "the prefix of headers is another",
        "headers.ce_id",
        code("gate/generate", '    "ce_id": {', '    "cloudEvents_id": {'),
        code("envelope", '("ce_id", id.encode())', '("cloudEvents_id", id.encode())'),
        code(
            "envelope",
            '_name(found, "ce_id")',
            '(found.get("cloudEvents_id") or found.get("ce_id", ""))',
        ),
    )
    yield one(
        "a header is promised no more",
        "headers.ce_sequence",
        code(
            "gate/generate",
            '    *("ce_order", "ce_cause",',
            '    *("ce_sequence", "ce_order", "ce_cause",',
        ),
    )
    yield one(
        "the content type is another",
        "header content-type",
        code("envelope", 'b"application/json"', 'b"application/cloudevents+json"'),
    )
    yield one(
        "sequences are written with fewer figures",
        "header ce_sequence",
        code("envelope", 'b"%012d" % sequence', 'b"%d" % sequence'),
    )
    yield one(
        "sequences count from 0",
        "ids.first ce_sequence",
        code("sources", "return sequence + 1", "return sequence + 1 if sequence else 0"),
    )
    yield one(
        "sequences go up by two",
        "ids.second ce_sequence",
        code("sources", "return sequence + 1", "return sequence + 2 if sequence else 1"),
    )
    yield one(
        "ids are made otherwise",
        "header ce_id",
        code(
            "sources",
            'return f"{service}.{stream}.{partition}.{sequence}"',
            'return f"{service}-{partition}-{sequence}"',
        ),
    )
    yield one(
        "sources are made otherwise",
        "header ce_source",
        code(
            "sources",
            'return f"/mentoring/{service}/{stream}/{partition}"',
            'return f"/mentoring/{service}/{partition}"',
        ),
    )
    yield one(
        "times are written without milliseconds",
        "header ce_time",
        code("envelope", 'timespec="milliseconds"', 'timespec="seconds"'),
    )
    yield one(
        "times are written with an offset",
        "header ce_time",
        code("envelope", '.replace("+00:00", "Z").encode()', ".encode()"),
    )
    yield one(
        "the id of a session is made otherwise",
        "ids.session_id",
        code("base", 'return f"{pair_id}~{number}"', 'return f"{pair_id}~s{number}"'),
    )
    yield one(
        "the id of a pair has the manager first",
        "ids.pair_id",
        code("base", 'return f"{mentor_id}~{manager_id}"', 'return f"{manager_id}~{mentor_id}"'),
    )

    # What is meant
    yield one(
        "minutes become hours, in words",
        "CohortOpened.CohortPolicy.session_minutes",
        code("values", '"Minutes of a session."', '"Hours of a session."'),
    )
    yield one(
        "UTC becomes local time, in words",
        "SessionPlanned.starts_at",
        code(
            "scheduling",
            '"When the session begins. UTC, to the millisecond."',
            '"When the session begins. Europe/Paris, to the millisecond."',
        ),
    )
    yield one(
        "a zone is put in",
        "SessionRescheduled.previously_at",
        code(
            "scheduling", '"When it would have begun."', '"When it would have begun, local time."'
        ),
    )
    yield one(
        "points of 100 become points of 10, in words",
        "PairProposed.score",
        code("matching", '"Points of 100.", 71.25', '"Points of 10.", 71.25'),
    )
    yield one(
        "a figure is counted from elsewhere, in words",
        "SessionCompleted.completed",
        code(
            "scheduling",
            '"Completed sessions of the pair so far."',
            '"Completed sessions of the pair before this one."',
        ),
    )
    yield one(
        "a count takes in others, in words",
        "CohortMeasured.mentors",
        code(
            "feedback",
            '"Mentors, those who left not counted."',
            '"Mentors, those who left counted."',
        ),
    )
    yield one(
        "a mean becomes a median, in words",
        "CohortMeasured.SurveyFigure.mean",
        code(
            "values", '"Mean of 1 to 5, to two decimals."', '"Median of 1 to 5, to two decimals."'
        ),
    )
    yield one(
        "an event says something else has happened",
        "MentorPaused",
        code(
            "matching",
            'class MentorPaused(MentorEvent):\n    """No new proposals for this mentor; standing pairs go on."""',
            'class MentorPaused(MentorEvent):\n    """No new proposals for this mentor; standing pairs end."""',
        ),
    )
    yield one(
        "a description is taken away",
        "PairStalled.since",
        code(
            "scheduling",
            "since: Annotated[\n        Moment,\n        described(",
            "since: Annotated[\n        Moment,\n        undescribed(",
        ),
        code(
            "scheduling",
            "class PairStalled(PairEvent):",
            'def undescribed(text: str, example: str) -> object:\n    return Field(description="", examples=[example])\n\n\nclass PairStalled(PairEvent):',
        ),
    )
    yield one(
        "a header means something else",
        "headers.ce_time",
        code(
            "gate/generate",
            '"When it happened: UTC, to the millisecond."',
            '"When it was published: UTC, to the millisecond."',
        ),
    )
    yield one(
        "a topic is told otherwise",
        "mentoring.people.purpose",
        code(
            "topics",
            '"how a person can be reached; a tombstone erases"',
            '"how a person can be reached; a tombstone pauses"',
        ),
    )
    yield one(
        "delivery is promised otherwise",
        "promises.delivery",
        code("gate/generate", "Delivery is at least once.", "Delivery is at most once."),
    )
    yield one(
        "events are kept otherwise than promised",
        "promises.events",
        code("gate/generate", "Events are kept for ever,", "Events are kept for two years,"),
    )

    # What was released
    yield from edited(one)


def _audience(module: str, kind: str, was: str, now: str) -> Edit:
    text = (ROOT / f"schemas/{module}.py").read_text(encoding="utf-8")
    start = text.index(f"class {kind}(")
    end = text.index(f'audience = "{was}"', start) + len(f'audience = "{was}"')
    part = text[start:end]
    return code(module, part, part.replace(f'audience = "{was}"', f'audience = "{now}"'))


def edited(one: Any) -> Iterator[Change]:
    """What was published is edited, alone or together with the code."""
    renamed = code(
        "matching",
        'managers_waiting: Annotated[Count, described("Managers left',
        'managers_left: Annotated[Count, described("Managers left',
    )
    document = json.loads((ROOT / "schemas/released.json").read_text(encoding="utf-8"))
    text = json.dumps(document["RoundCompleted"], indent=2, sort_keys=True, ensure_ascii=False)
    released = Edit(
        "schemas/released.json",
        *(
            part.replace("\n", "\n  ")
            for part in (text, text.replace("managers_waiting", "managers_left"))
        ),
    )
    records = [
        Edit(file.relative_to(ROOT).as_posix(), "managers_waiting", "managers_left")
        for file in sorted((ROOT / GOLDEN).glob("*/mentoring.matching.events.jsonl"))
        if "managers_waiting" in file.read_text(encoding="utf-8")
    ]
    yield one("a released schema is edited", "RoundCompleted.v1", released)
    yield one(
        "a released schema is edited together with the code", "RoundCompleted.v1", renamed, released
    )
    yield one(
        "a released schema, golden records and the code are edited together",
        "golden/2026-11-23/mentoring.matching.events.jsonl",
        renamed,
        released,
        *records,
    )
    sums = [
        Edit(f"{GOLDEN}/SHA256SUMS", _sha(ROOT / edit.file), _sha_of(edit, ROOT))
        for edit in records
    ]
    yield one(
        "and the list of golden records with them",
        "golden/2026-11-23",
        renamed,
        released,
        *records,
        *sums,
    )
    yield one(
        "a released schema is taken out",
        "MentorPaused.v1",
        Edit("schemas/released.json", '"MentorPaused"', '"MentorRested"'),
    )
    yield one(
        "a golden record is edited", "golden/2026-11-23/mentoring.matching.events.jsonl", records[0]
    )
    yield one(
        "the released contract is edited together with the code",
        "contract",
        code("topics", "ASKED_DAYS * _DAY,", "1 * _DAY,"),
        *(
            Edit(
                "schemas/contract.json", '"retention.ms": "604800000"', '"retention.ms": "86400000"'
            ),
        )
        * 4,
    )


def _sha(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def _sha_of(edit: Edit, root: Path) -> str:
    text = (root / edit.file).read_text(encoding="utf-8").replace(edit.old, edit.new, 1)
    return hashlib.sha256(text.encode()).hexdigest()


def passing() -> Iterator[Change]:
    """Every change that nobody has to do anything for."""

    def one(what: str, *edits: Edit) -> Change:
        return Change(what, None, edits)

    yield one("nothing is changed")
    yield one(
        "an event has a new field with a default",
        code(
            "matching",
            "    manager_availability: Availability\n    mentor_site",
            '    manager_availability: Availability\n    place: Annotated[str, described("Where they meet.", "Paris Bercy")] = ""\n    mentor_site',
        ),
    )
    yield one(
        "a value that events share has a new field with a default",
        code(
            "values",
            "    met: Annotated[bool",
            '    margin: Annotated[float, described("Above the threshold.", 0.5)] = 0.0\n    met: Annotated[bool',
        ),
    )
    yield one(
        "a command has a new field with a default",
        code(
            "matching",
            "    reason: Annotated[Reason, TIDY]\n",
            '    reason: Annotated[Reason, TIDY]\n    quietly: Annotated[bool, described("Without a letter.", False)] = False\n',
        ),
    )
    yield one(
        "there is a new public event",
        code(
            "scheduling",
            "class PairStalled(PairEvent):",
            'class PairRevived(PairEvent):\n    """Sessions take place again."""\n\n    audience = "public"\n\n\nclass PairStalled(PairEvent):',
        ),
    )
    yield one(
        "there is a new command",
        code(
            "scheduling",
            "class ReportAttendance(SessionCommand):",
            'class PraiseSession(SessionCommand):\n    """Somebody liked a session."""\n\n    by: Side\n\n\nclass ReportAttendance(SessionCommand):',
        ),
    )
    yield one(
        "a list of values of a command grows: only the platform reads it",
        code(
            "matching",
            "    reason: Annotated[Reason, TIDY]\n",
            '    reason: Annotated[Reason, TIDY]\n    mode: Annotated[Literal["now", "later"], described("When.", "now")] = "now"\n',
        ),
    )
    yield one(
        "a limit of a command is wider",
        code(
            "matching",
            "reason: Annotated[Reason, TIDY]",
            'reason: Annotated[str, described("Why, in a few words that name nobody.", "changed posts", max_length=400), TIDY]',
        ),
    )
    yield one(
        "a description is longer, with the same unit",
        code(
            "values",
            '"Minutes of a session."',
            '"Minutes of a session, whatever its subject: whole minutes."',
        ),
    )
    yield one(
        "an event is told in more words",
        code(
            "scheduling",
            '"""No session took place for too long."""',
            '"""No session took place for too long. A coordinator should speak with the two."""',
        ),
    )
    yield one(
        "an example is another",
        code("matching", '"Points of 100.", 71.25', '"Points of 100.", 64.5'),
    )
    yield one(
        "records have a header more",
        code(
            "gate/generate",
            '    "ce_copyof": {',
            '    "ce_severity": {"type": "string", "description": "How bad it is."},\n    "ce_copyof": {',
        ),
        code(
            "gate/generate",
            '    *("ce_order", "ce_cause",',
            '    *("ce_severity", "ce_order", "ce_cause",',
        ),
        code(
            "envelope",
            '        ("ce_partitionkey", message',
            '        ("ce_severity", b"0"),\n        ("ce_partitionkey", message',
        ),
    )
    yield one(
        "there is a new topic",
        code(
            "topics",
            "    rows.append(\n        Topic(\n            PARKED,",
            '    rows.append(Topic("mentoring.archive.private", "internal", (), FOREVER, "what is old"))\n    rows.append(\n        Topic(\n            PARKED,',
        ),
    )
    first, then = "Days between two figures.", "Days between one figure and the next."
    yield one(
        "a description is put in other words, twice, and somebody says that they mean the same",
        code("values", '"Days between figures."', f'"{then}"'),
        _agreed(
            *(
                (f"{of}.CohortPolicy.measure_days", was, now)
                for of in ("OpenCohort", "CohortOpened", "ChangePolicy", "PolicyChanged")
                for was, now in (("Days between figures.", first), (first, then))
            )
        ),
    )
    yield one(
        "commands are kept for longer, and somebody says so, of each topic",
        code("topics", "ASKED_DAYS * _DAY", "14 * _DAY"),
        _agreed(
            *(
                (f"mentoring.{service}.commands.retention.ms", "604800000", "1209600000")
                for service in ("matching", "scheduling", "feedback", "notify", "portal")
            )
        ),
    )


def _agreed(*changes: tuple[str, str, str]) -> Edit:
    """(place, was, now) of each, put before what was agreed on already."""
    rows = (
        f'\n[[change]]\nof = "{of}"\nwas = "{was}"\nnow = "{now}"\nbecause = "A test."\nothers = "nothing"\n'
        for of, was, now in changes
    )
    return Edit("schemas/agreed.toml", "\n[[change]]\n", "".join(rows) + "\n[[change]]\n")


# The page


def row(change: Change, found: Sequence[Sequence[str]]) -> str:
    """The change, what the gate says where it is, and what others have to do."""
    place, what, _, others = next(one for one in found if change.field and change.field in one[0])
    place = re.sub(r"and \d+ other types", "and others", place)  # each new type is one more
    told = [f"`{place}`: {what}" if len(what) < 200 else f"`{place}`: {what[:197]}…", others]
    return " | ".join(["", change.what, *(text.replace("|", "/") for text in told), ""]).strip()


def table(says: Gate) -> str:
    """The whole table, as the gate says it now."""
    lines = ["| change | what the gate says | what others have to do |", "| --- | --- | --- |"]
    lines += [row(change, says(change)) for change in BREAKING]
    return "\n".join(lines) + "\n"


BREAKING = list(breaking())
PASSING = list(passing())

if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as directory, gate(Path(directory)) as says:
        written = table(says)
    start, end = "<!-- generated: python -m tests.schemas.mutating -->\n", "<!-- end -->"
    before, rest = PAGE.read_text(encoding="utf-8").split(start)
    PAGE.write_text(f"{before}{start}\n{written}\n{end}{rest.partition(end)[2]}", encoding="utf-8")
