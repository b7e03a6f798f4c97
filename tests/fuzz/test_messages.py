"""Any message, through HTTP and as a record, on the real parts: handled, refused or parked.

`CONNECTE_FUZZ_SECONDS`: how long fresh seeds are tried (60 on a real Kafka, else 20).
"""

import json
import os
from typing import Any

import pytest
from pydantic import ValidationError

from schemas.topics import COMMANDS, TOPICS
from tests.fuzz.campaign import campaign, fresh_seed, once_found
from tests.fuzz.extremes import edges, sample, spots
from tests.fuzz.inputs import PARTITIONS, drawn, kept, read
from tests.fuzz.stage import is_fault

pytestmark = pytest.mark.journey

REAL = os.environ.get("CONNECTE_TEST_KAFKA") == "apache"
SECONDS = float(os.environ.get("CONNECTE_FUZZ_SECONDS", "60" if REAL else "20"))


async def test_whatever_is_sent_every_service_goes_on(kafka_if_real: str | None) -> None:
    told = await campaign(fresh_seed(), SECONDS, print, kafka_if_real)

    again = f"python -m tests.fuzz --seed {told.seed}; --replay {told.file}"
    assert not told.found, (again, told.found)
    assert told.answers["taken"] > 0
    assert told.answers["422"] > 0
    assert told.answers["200"] > 0


def test_a_seed_gives_the_same_inputs_again_and_a_file_keeps_them() -> None:
    for foreign in (False, True):
        inputs = drawn(7, 20, foreign=foreign)

        assert drawn(7, 20, foreign=foreign) == inputs
        assert read(kept(inputs)) == inputs
        assert {one.partition for one in inputs} <= set(range(PARTITIONS))


def test_what_was_once_a_fault_can_be_played() -> None:
    for path in once_found():
        assert read(path.read_text()), path


KINDS = [kind for kinds in COMMANDS.values() for kind in kinds]


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.__name__)
def test_there_is_something_within_and_beyond_the_bounds_of_every_field(kind: Any) -> None:
    taken, refused = set(), set()
    for where, part in spots(kind.model_json_schema(), sample(kind)):
        if len(where) != 1:
            continue
        for text in edges(part, sample(kind)[where[0]]):
            whole = json.dumps(sample(kind) | {where[0]: "HERE"}).replace('"HERE"', text)
            try:
                kind.model_validate_json(whole)
                taken.add(where)
            except ValidationError:
                refused.add(where)
    assert refused == {(name,) for name in sample(kind)}
    assert taken


def test_every_topic_that_a_service_reads_is_sent_something() -> None:
    inputs = [one for number in range(3) for one in drawn(number, 60, foreign=True)]

    assert {one.to for one in inputs if one.how == "record"} >= {
        *("mentoring.matching.events", "mentoring.scheduling.events", "mentoring.people"),
        *("mentoring.scheduling.private", "mentoring.feedback.private"),
        *(name for name in TOPICS if name.endswith(".commands")),
    }


def test_a_fault_in_a_log_is_seen_and_a_record_that_is_too_large_is_none() -> None:
    raised = "Traceback (most recent call last):\nKeyError"

    assert is_fault(json.dumps({"level": "ERROR", "exc_info": raised}))
    assert is_fault(json.dumps({"level": "CRITICAL", "message": "it ends"}))
    assert is_fault(raised)
    assert not is_fault(json.dumps({"level": "ERROR", "exc_info": f"{raised} RecordTooLarge"}))
    assert not is_fault(json.dumps({"level": "WARNING", "message": "parked: bad-data"}))
