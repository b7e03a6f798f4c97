"""Whoever knows the catalogue, or the library of CloudEvents, can read every record."""

import pytest

from schemas.envelope import Record
from schemas.topics import PARKED, PEOPLE, TOPICS
from tests.examples.make_rehearsal import programme
from tests.journeys.reading import read_by_others
from tests.simulation.run import run_world
from tests.simulation.world import draw_plan


def test_every_record_of_whole_programmes_is_read_by_others() -> None:
    world = run_world(draw_plan(3).but(faults=()))
    assert world.found == []
    types = read_by_others(record for rows in world.log.records.values() for record in rows)
    assert len(types) > 40
    told = {topic for topic in TOPICS if "portal" not in topic}  # it decides nothing
    assert {topic for topic, _ in world.log.records} == told - {PARKED}


def test_a_record_that_others_cannot_read_is_found() -> None:
    rows = programme().log.records
    good = next(r for (topic, _), found in rows.items() if topic != PEOPLE for r in found)
    record = Record(good.topic, good.partition, good.key, good.value, good.headers)
    assert read_by_others([record]).total() == 1
    with pytest.raises(AssertionError, match="required property"):
        read_by_others([record._replace(value=b"{}")])
    for name in ("ce_id", "ce_time", "ce_dataschema"):
        headers = [(n, raw) for n, raw in record.headers if n != name]
        with pytest.raises((KeyError, ValueError)):
            read_by_others([record._replace(headers=headers)])
