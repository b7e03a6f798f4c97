"""The table of what a command leads to has everything, and what it has not is found in a log."""

from dataclasses import replace
from typing import get_args

import pytest

from deploy.trial.check.effects import EFFECTS, KNOWN, UNASKED
from deploy.trial.check.services import SERVICES
from deploy.trial.check.wire import OF_A_PARTITION, TO_A_PARTITION
from schemas.base import Event
from schemas.journal import CONTROL, PARKING, Heartbeat, StepCompleted
from schemas.topics import COMMANDS, PRIVATE_EVENTS, TOPICS, Service
from tests.deploy.trial.check.builder import COHORT, id_of
from tests.deploy.trial.check.stories import judged, names, whole_run

EVENTS = {kind for topic in TOPICS.values() for kind in topic.types if issubclass(kind, Event)}
EVERYWHERE: set[type[Event]] = {StepCompleted, Heartbeat, *PARKING}


def test_every_command_has_its_effect_in_the_table_and_nothing_else_has() -> None:
    assert set(EFFECTS) == {kind.__name__ for kinds in COMMANDS.values() for kind in kinds}


def test_every_event_is_the_effect_of_a_command_or_is_one_that_nobody_asks_for() -> None:
    assert {kind.__name__ for kind in EVENTS - EVERYWHERE} == KNOWN
    asked_for = {name for effect in EFFECTS.values() for name in effect.events}
    assert not asked_for & UNASKED


def test_what_shows_that_there_was_nothing_to_do_is_an_event() -> None:
    for effect in EFFECTS.values():
        assert set(effect.already) <= KNOWN


def test_what_belongs_to_a_partition_is_what_every_service_has() -> None:
    assert set(OF_A_PARTITION) == {kind.__name__ for kind in EVERYWHERE}
    assert set(TO_A_PARTITION) == {kind.__name__ for kind in CONTROL}
    """The portal has neither a command nor an event: copies of others' events are all it writes."""
    assert set(get_args(Service)) == {*SERVICES}
    assert COMMANDS["portal"] == PRIVATE_EVENTS["portal"][:-1] == ()


def test_a_command_that_the_table_does_not_have_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    run = whole_run()
    command = run.send("matching.commands", "PauseMentor", "m-1", mentor_id="m-1")
    run.write("matching", "MentorPaused", "m-1", {"mentor_id": "m-1"}, cause=id_of(command))
    assert judged(run).clean
    monkeypatch.delitem(EFFECTS, "PauseMentor")
    assert names(judged(run).lost, "PauseMentor", id_of(command), "does not know what it leads to")


def test_an_event_that_the_table_does_not_have_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    run = whole_run()
    run.fact("matching", "MentorPaused", "m-1", mentor_id="m-1")
    assert judged(run).clean
    known = KNOWN - {"MentorPaused"}
    monkeypatch.setattr("deploy.trial.check.effects.KNOWN", known)
    assert names(judged(run).lost, "MentorPaused", "does not know where it comes from")


def test_an_event_of_a_type_that_nobody_published_is_found_where_nobody_else_reads() -> None:
    run = whole_run()
    headers = {"ce_specversion": "1.0", "ce_id": "x", "ce_source": "/x", "ce_time": "2017-03-01"}
    headers |= {"ce_type": "fr.gouv.mentoring.MentorForgotten.v1", "ce_subject": f"{COHORT}/m-1"}
    stray = run.put("notify.private", b"{}", headers | {"ce_partitionkey": COHORT})
    run.write("feedback", "MentorForgotten", "m-1", {})
    lost = judged(run).lost
    assert names(lost, stray.origin, "is read by nobody")
    assert names(lost, "mentoring.feedback.events", "MentorForgotten")


def test_what_was_put_where_nobody_reads_on_purpose_is_no_finding() -> None:
    run = whole_run()
    stray = run.put("notify.private", b"no record of ours", {})
    known = judged(run, lambda evidence: replace(evidence, poison=frozenset({stray.origin})))
    assert not names(known.lost, stray.origin)
