"""The rehearsal is what the services publish, with what a subscriber has to cope with."""

import json
from collections import Counter
from typing import Any

from docs.examples.python.fake_publisher import records
from schemas import envelope
from schemas.envelope import Unreadable
from schemas.topics import TOPICS
from tests.examples.make_rehearsal import (
    PLAN,
    REHEARSAL,
    UNKNOWN_TYPE,
    programme,
    public_rows,
    rehearsal,
)

COMMITTED = [json.loads(line) for line in REHEARSAL.read_text(encoding="utf-8").splitlines()]


def numbers(row: dict[str, Any]) -> tuple[str, int]:
    return row["headers"]["ce_source"], int(row["headers"]["ce_sequence"])


def test_the_committed_rehearsal_is_what_the_services_publish_today() -> None:
    assert rehearsal() == REHEARSAL.read_text(encoding="utf-8"), (
        "run: python -m tests.examples.make_rehearsal"
    )


def test_a_record_of_the_fake_publisher_has_the_bytes_of_the_real_one() -> None:
    world = programme()
    real = {
        (r.topic, r.key, r.value)
        for (topic, _), rows in world.log.records.items()
        if TOPICS[topic].audience == "public"
        for r in rows
    }
    fake = {(r.topic, r.key, r.value) for r in records()}
    surprises = fake - real
    assert len(surprises) == 1  # the value with an unknown field, under two types
    assert len(real - fake) == 1


def test_its_programme_has_two_pairs_of_which_one_graduates_and_one_is_dissolved() -> None:
    names = Counter(
        row["headers"]["ce_type"].removeprefix(envelope.TYPE_PREFIX)
        for row in public_rows(programme())
    )
    assert names["PairFormed.v1"] == 2
    assert names["PairGraduated.v1"] == names["PairDissolved.v1"] == 1
    assert names["SessionCompleted.v1"] == 4


def test_it_has_an_unknown_type_an_unknown_field_and_what_was_published_again() -> None:
    unknown = [r for r in COMMITTED if UNKNOWN_TYPE in r["headers"]["ce_type"]]
    newer = [r for r in COMMITTED if "added_later" in r["value"] and r not in unknown]
    again = [pair for pair, times in Counter(map(numbers, COMMITTED)).items() if times > 1]
    assert (len(unknown), len(newer), len(again)) == (1, 1, 3)


def test_its_sources_have_no_gap_and_its_offsets_neither() -> None:
    ends: Counter[tuple[str, int]] = Counter()
    last: Counter[str] = Counter()
    for row in COMMITTED:
        place = row["topic"], row["partition"]
        assert row["offset"] == ends[place]
        ends[place] += 1
        source, sequence = numbers(row)
        assert sequence <= last[source] + 1
        last[source] = max(sequence, last[source])
        assert 0 <= row["partition"] < PLAN.partitions


def test_a_service_of_ours_reads_all_of_it_but_the_unknown_type() -> None:
    refused = []
    for record in records():
        attributes = envelope.attributes(record.headers)
        try:
            message = envelope.decode(attributes, record.value)
        except Unreadable as why:
            refused.append((why.reason, attributes.type))
        else:
            assert envelope.key_of(message).encode() == record.key
    assert refused == [("unknown-type", f"{envelope.TYPE_PREFIX}{UNKNOWN_TYPE}.v1")]
