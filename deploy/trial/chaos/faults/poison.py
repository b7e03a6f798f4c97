"""Records that no reader can accept, one kind each, under subjects of their own.

Always holds: every one carries the header `MARK`, by which whoever judges the run knows it.
"""

import json
import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from schemas.envelope import Record
from schemas.topics import partition_of

MARK = "chaos-poison"
COHORT = "poison"
LARGE = 1_000_000
"""Bytes: little less than what a topic takes."""

Headers = list[tuple[str, bytes | None]]


@dataclass(frozen=True, slots=True)
class Dose:
    """What goes wrong: `spoil` changes a good record's headers and value."""

    name: str
    topics: Sequence[str]
    spoil: Callable[[Headers, bytes, random.Random], tuple[Headers, bytes | None]]


COMMANDS = tuple(
    f"mentoring.{s}.commands" for s in ("matching", "scheduling", "feedback", "notify")
)
EVENTS = ("mentoring.matching.events", "mentoring.scheduling.events")
PRIVATE = tuple(f"mentoring.{s}.private" for s in ("matching", "scheduling", "feedback"))
READ = (*EVENTS, *PRIVATE)
EVERY = (*COMMANDS, *READ)
UNREAD = ("mentoring.notify.private", "mentoring.feedback.events")


def poisoned(number: str, draw: random.Random, partitions: int) -> tuple[str, Record]:
    """Some poison: what kind it is, and the record."""
    dose = draw.choice(DOSES)
    topic = draw.choice(dose.topics)
    right = partition_of(COHORT, partitions)
    partition = (right + 1) % partitions if dose.name == "wrong-partition" else right
    kind = _WISHES.get(topic, "PairFormed")
    headers: Headers = [
        ("ce_specversion", b"1.0"),
        ("ce_type", f"fr.gouv.mentoring.{kind}.v1".encode()),
        ("ce_id", f"poison-{number}".encode()),
        ("ce_source", b"/chaos/poison"),
        ("ce_time", b"2017-03-06T09:00:00.000Z"),
        ("ce_subject", f"{COHORT}/p-{number}".encode()),
        ("ce_partitionkey", COHORT.encode()),
    ]
    value = json.dumps({"cohort_id": COHORT, **_BODIES.get(kind, {})}).encode()
    spoilt, body = dose.spoil(headers, value, draw)
    # A record without a key holds nobody up; one with a key of its own holds up only itself.
    key = None if dose.name == "nothing" else f"{COHORT}/p-{number}".encode()
    if dose.name == "bad-tombstone":
        key = f"nobody-{number}".encode()
    return dose.name, Record(topic, partition, key, body, [*spoilt, (MARK, number.encode())])


_WISHES = {
    "mentoring.matching.commands": "PauseMentor",
    "mentoring.scheduling.commands": "ConfirmSession",
    "mentoring.feedback.commands": "AnswerSurvey",
    "mentoring.notify.commands": "RetryLetter",
    "mentoring.people": "PersonContact",
}
_BODIES: dict[str, dict[str, object]] = {
    "PauseMentor": {"mentor_id": "p-1"},
    "ConfirmSession": {"session_id": "p-1~p-2~1", "by": "mentor"},
    "AnswerSurvey": {"survey_id": "p-1~p-2~start~mentor", "scores": {"clarity": 3}},
    "RetryLetter": {"letter_id": "PairFormed:p-1~p-2:p-1"},
}


def _with(headers: Headers, name: str, value: bytes | None) -> Headers:
    return [(n, value if n == name else v) for n, v in headers]


def _without(headers: Headers, *names: str) -> Headers:
    return [(n, v) for n, v in headers if n not in names]


def _missing(headers: Headers, value: bytes, draw: random.Random) -> tuple[Headers, bytes]:
    return _without(headers, draw.choice(("ce_id", "ce_type", "ce_source", "ce_time"))), value


_BEYOND = (
    b'{"cohort_id":"poison","mentor_id":"p-1","capacity":9223372036854775808}',
    b'{"cohort_id":"poison","mentor_id":"p-1","capacity":1e999}',
    b'{"cohort_id":"poison","mentor_id":"p-1","capacity":NaN}',
    b'{"cohort_id":"poison","mentor_id":"\\ud800"}',
    b"[" * 20_000,
)
_TIMES = (b"0001-01-01T00:00:00+14:00", b"9999-12-31T23:59:59-14:00", b"2017-03-06", b"\xff")

DOSES: tuple[Dose, ...] = (
    Dose("header-missing", EVERY, _missing),
    Dose("header-null", EVERY, lambda h, v, _: (_with(h, "ce_subject", None), v)),
    Dose("header-bytes", EVERY, lambda h, v, _: (_with(h, "ce_id", b"\xff\xfe\x00"), v)),
    Dose("no-time", EVERY, lambda h, v, _: (_with(h, "ce_time", b"last Monday"), v)),
    Dose("nothing", EVERY, lambda _h, _v, _: ([], b"")),
    Dose(
        "unknown-type",
        COMMANDS,
        lambda h, v, _: (_with(h, "ce_type", b"fr.gouv.mentoring.Explode.v1"), v),
    ),
    Dose(
        "other-topic",
        COMMANDS,
        lambda h, v, _: (_with(h, "ce_type", b"fr.gouv.mentoring.PairFormed.v1"), v),
    ),
    Dose("null-value", COMMANDS, lambda h, _v, _: (h, None)),
    Dose("bad-json", COMMANDS, lambda h, v, _: (h, v[:-1])),
    Dose("bad-data", COMMANDS, lambda h, _v, _: (h, b'{"cohort_id":"poison","excess":true}')),
    Dose("bytes", COMMANDS, lambda h, _v, draw: (h, draw.randbytes(100_000))),
    Dose("beyond-bounds", COMMANDS, lambda h, _v, draw: (h, draw.choice(_BEYOND))),
    Dose("beyond-time", EVERY, lambda h, v, draw: (_with(h, "ce_time", draw.choice(_TIMES)), v)),
    Dose("large-value", COMMANDS, lambda h, _v, draw: (h, draw.randbytes(LARGE))),
    Dose("large-text", COMMANDS, lambda h, _v, _: (h, b'{"cohort_id":"%s"}' % (b"x" * LARGE))),
    Dose("large-header", EVERY, lambda h, v, _: ([*h, ("ce_note", b"n" * LARGE)], v[:-1])),
    Dose("wrong-partition", COMMANDS, lambda h, v, _: (h, v)),
    Dose("stranger", READ, lambda h, v, _: ([*h, ("ce_sequence", b"7")], v)),
    Dose("unread", UNREAD, lambda h, v, _: ([*h, ("ce_sequence", b"7")], v)),
    Dose("bad-contact", ("mentoring.people",), lambda h, v, _: (h, v)),
    Dose("bad-tombstone", ("mentoring.people",), lambda h, _v, _: (h, None)),
)
