"""A round can wait until it is published, be called off meanwhile, and leave pairs out."""

from datetime import timedelta

import pytest

from schemas.base import Event
from schemas.matching import PairProposed, RunRound
from schemas.rounds import CallOffRound, PairsSimulated, RoundRequested
from schemas.values import BY_HAND
from services.chassis.domain import Decision
from services.matching.views import Manager, Round, Simulation
from tests.matching.given import Matching, decided, manager, mentor, scenario, the
from tests.scenario import NOW, Scenario, kinds, refusal


def asked(found: Matching, **more: object) -> Decision:
    """A round is asked for, and not searched yet."""
    command = {"cohort_id": "c", "round_id": "r1", **more}
    return Scenario.when(found, RunRound.model_validate(command))


def called_off(found: Matching) -> Decision:
    return found.when(CallOffRound(cohort_id="c", round_id="r1"))


def pairs_of(events: Decision) -> list[str]:
    found = []
    for event in decided(events):
        if isinstance(event, PairProposed):
            found.append(event.pair_id)
        elif isinstance(event, PairsSimulated):
            found += [f"{pair.mentor_id}~{pair.manager_id}" for pair in event.pairs]
    return sorted(found)


def test_a_round_to_be_published_later_is_due_then_and_not_before() -> None:
    found = scenario(mentor("m1"), manager("g1"))
    (event,) = decided(asked(found, in_minutes=15))
    assert isinstance(event, RoundRequested)
    assert event.begins_at == NOW + timedelta(minutes=15)
    assert the(found, Round, "r1").due_at == event.begins_at


def test_until_it_begins_it_can_be_called_off_and_afterwards_not() -> None:
    found = scenario(mentor("m1"), manager("g1"))
    asked(found, in_minutes=15)
    found.later(minutes=14)
    assert kinds(called_off(found)) == ["RoundCalledOff"]
    assert the(found, Round, "r1").due_at is None
    assert called_off(found) == []
    asked(found, in_minutes=15)
    found.later(minutes=15)
    assert refusal(called_off(found)) == "round-begun"


@pytest.mark.parametrize("mode", ["simulate", "publish"])
def test_what_was_called_off_can_be_asked_for_again(mode: str) -> None:
    found = scenario(mentor("m1"), manager("g1"))
    asked(found, in_minutes=15)
    called_off(found)
    assert kinds(asked(found, mode=mode)) == ["RoundRequested"]


def test_what_waits_can_be_published_sooner_and_not_later() -> None:
    found = scenario(mentor("m1"), manager("g1"))
    asked(found, in_minutes=15)
    assert asked(found, in_minutes=20) == []
    assert asked(found, mode="simulate") == []
    assert kinds(asked(found)) == ["RoundRequested"]
    assert the(found, Round, "r1").due_at == NOW


def test_there_is_nothing_to_call_off_of_a_round_that_nobody_is_to_publish() -> None:
    found = scenario(mentor("m1"), manager("g1"))
    assert refusal(called_off(found)) == "unknown-round"
    found.when(RunRound(cohort_id="c", round_id="r1", mode="simulate"))
    assert refusal(called_off(found)) == "round-not-waiting"
    found.when(RunRound(cohort_id="c", round_id="r1"))
    assert refusal(called_off(found)) == "round-not-waiting"


def test_pairs_that_a_round_leaves_out_are_not_formed_by_it_but_by_the_next() -> None:
    found = scenario(mentor("m1"), mentor("m2", directorate="INSEE"), manager("g1"))
    best = RunRound(cohort_id="c", round_id="r1", mode="simulate")
    assert pairs_of(found.when(best)) == ["m1~g1"]
    without = RunRound(cohort_id="c", round_id="r2", mode="simulate", besides=("m1~g1",))
    assert pairs_of(found.when(without)) == ["m2~g1"]
    assert pairs_of(found.when(RunRound(cohort_id="c", round_id="r2"))) == ["m2~g1"]
    assert the(found, Round, "r2").besides == ("m1~g1",)


def test_of_a_round_that_leaves_out_all_there_is_nobody_is_asked() -> None:
    found = scenario(mentor("m1"), manager("g1"))
    events: list[Event] = list(
        decided(found.when(RunRound(cohort_id="c", round_id="r1", besides=("m1~g1",))))
    )
    assert [type(event).__name__ for event in events[-1:]] == ["RoundCompleted"]
    assert pairs_of(events) == []
    assert pairs_of(found.when(RunRound(cohort_id="c", round_id="r2"))) == ["m1~g1"]


def test_a_simulation_shows_who_would_be_left_and_why() -> None:
    found = scenario(mentor("m1"), manager("g1"), manager("g2", needs={"tiktok": 1}))
    events = decided(found.when(RunRound(cohort_id="c", round_id="r1", mode="simulate")))
    left = [one for event in events if isinstance(event, PairsSimulated) for one in event.left]
    assert [(one.manager_id, one.waiting.cause) for one in left] == [("g2", "no-skill")]
    assert the(found, Simulation, "r1.2").left == tuple(left)
    assert the(found, Manager, "g2").waiting is None  # nobody is told


def test_no_round_is_called_what_pairs_by_hand_are_known_by() -> None:
    """Else people read of their pair that a coordinator chose it, and no reason."""
    found = scenario(mentor("m1"), manager("g1"))
    assert refusal(asked(found, round_id=BY_HAND)) == "reserved-round"
