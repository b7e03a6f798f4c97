"""How a subscriber tests without a broker: the rehearsal in, the tables out."""

import random
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from fake_publisher import Record, records
from projection import Gap, Projection

OUTCOME = [
    ("rehearsal", "m-1~g-1", "graduated", 3),
    ("rehearsal", "m-2~g-2", "dissolved", 1),
]


@pytest.fixture
def projection() -> Iterator[Projection]:
    with closing(Projection(":memory:")) as found:
        yield found


def test_the_rehearsal_gives_two_pairs_with_their_sessions(projection: Projection) -> None:
    projection.take(records())
    assert projection.pairs() == OUTCOME


def test_a_program_that_dies_anywhere_counts_every_session_once(tmp_path: Path) -> None:
    whole = list(records())
    for size in (1, 5, 13):
        path = str(tmp_path / f"{size}.sqlite3")
        for begin in range(0, len(whole), size):
            with closing(Projection(path)) as projection:
                projection.take(whole[max(0, begin - 7) : begin + size])  # some of them again
        with closing(Projection(path)) as projection:
            assert projection.pairs() == OUTCOME


@pytest.mark.parametrize("seed", range(20))
def test_topics_may_come_in_any_order_among_each_other(projection: Projection, seed: int) -> None:
    chance = random.Random(seed)
    topics: dict[str, list[Record]] = {}
    for record in records():
        topics.setdefault(record.topic, []).append(record)
    while topics:
        topic = chance.choice(sorted(topics))
        projection.take([topics[topic].pop(0)])
        if not topics[topic]:
            del topics[topic]
    assert projection.pairs() == OUTCOME


def test_a_missing_event_is_reported_and_nothing_of_its_batch_is_kept(
    projection: Projection,
) -> None:
    whole = list(records())
    with pytest.raises(Gap, match="/mentoring/matching/events/2: 11 is followed by 13"):
        projection.take(r for r in whole if ("ce_sequence", b"000000000012") not in r.headers)
    assert projection.pairs() == []
