"""A coordinator's own decisions: carried out, kept with their reason, and never against a rule."""

import pytest

from schemas.matching import (
    AcceptProposal,
    DeclineProposal,
    KeepApart,
    PairProposed,
    ProposePair,
    RunRound,
)
from services.chassis.domain import Decision
from services.matching.views import Manager, Override, Pair
from tests.matching.given import (
    TUESDAY,
    Matching,
    decided,
    formed,
    manager,
    mentor,
    proposed,
    scenario,
    the,
)
from tests.scenario import kinds, refusal


def propose(found: Matching, pair_id: str = "m1~g1") -> Decision:
    return found.when(ProposePair(cohort_id="c", pair_id=pair_id, reason="both asked for it"))


def keep_apart(found: Matching, pair_id: str = "m1~g1") -> Decision:
    return found.when(KeepApart(cohort_id="c", pair_id=pair_id, reason="they share an office"))


def test_a_pair_that_no_round_would_find_is_proposed_by_hand_with_its_reason() -> None:
    found = scenario(mentor("m1", skills={"wiki": 1}), manager("g1", availability=TUESDAY))
    assert kinds(propose(found)) == ["PairChosenByHand", "PairProposed"]
    event = found.events[-1]
    assert isinstance(event, PairProposed)
    assert event.round_id == "by-hand"
    assert round(sum(reason.contribution for reason in event.reasons), 4) == event.score
    assert the(found, Manager, "g1").state == "proposed"
    kept = the(found, Override, "m1~g1")
    assert (kept.decision, kept.reason) == ("proposed", "both asked for it")


def test_what_was_proposed_by_hand_becomes_a_pair_like_any_other() -> None:
    found = scenario(mentor("m1"), manager("g1"))
    propose(found)
    for side in ("mentor", "manager"):
        found.when(AcceptProposal(cohort_id="c", pair_id="m1~g1", by=side))
    assert the(found, Pair, "m1~g1").state == "formed"


@pytest.mark.parametrize(
    ("of_mentor", "of_manager"),
    [
        ({"excludes": ("g1",)}, {}),
        ({}, {"excludes": ("m1",)}),
        ({"line_manager": "g1"}, {}),
        ({}, {"line_manager": "m1"}),
        ({"line_manager": "boss"}, {"line_manager": "boss"}),
        ({"line_manager": "g2"}, {}),
    ],
)
def test_by_hand_too_nobody_is_proposed_who_is_to_be_kept_apart(
    of_mentor: dict[str, object], of_manager: dict[str, object]
) -> None:
    between = manager("g2", line_manager="g1")
    found = scenario(mentor("m1", **of_mentor), manager("g1", **of_manager), between)
    assert refusal(propose(found)) == "kept-apart"


def test_by_hand_the_reporting_line_may_be_crossed_where_the_policy_allows_it() -> None:
    people = mentor("m1", line_manager="g1"), manager("g1")
    assert "PairProposed" in kinds(propose(scenario(*people, reporting_line="allow")))


def test_nobody_is_proposed_to_themselves_by_hand() -> None:
    assert refusal(propose(scenario(mentor("x"), manager("x")), "x~x")) == "kept-apart"


def test_a_mentor_without_a_place_and_a_manager_who_does_not_wait_are_left_alone() -> None:
    found = formed()
    found.given(mentor("m2"), manager("g2"))
    assert refusal(propose(found, "m1~g2")) == "no-place"
    assert refusal(propose(found, "m2~g1")) == "not-waiting"


def test_who_declined_is_not_asked_again_by_hand() -> None:
    found = proposed()
    found.when(DeclineProposal(cohort_id="c", pair_id="m1~g1", by="mentor"))
    assert refusal(propose(found)) == "pair-known"


@pytest.mark.parametrize("decide", [propose, keep_apart])
def test_nothing_is_decided_about_people_whom_nobody_knows(decide: object) -> None:
    assert callable(decide)
    assert refusal(decide(scenario(mentor("m1")))) == "unknown-person"
    assert refusal(decide(scenario(manager("g1")))) == "unknown-person"


def test_a_pair_that_is_ruled_out_is_found_by_no_round_and_proposed_by_nobody() -> None:
    found = scenario(mentor("m1"), manager("g1"))
    assert kinds(keep_apart(found)) == ["PairKeptApart"]
    assert keep_apart(found) == []
    assert the(found, Override, "m1~g1").reason == "they share an office"
    events = decided(found.when(RunRound(cohort_id="c", round_id="r1")))
    assert "PairProposed" not in kinds(events)
    assert refusal(propose(found)) == "kept-apart"


def test_a_standing_pair_is_not_ruled_out_before_it_has_ended() -> None:
    assert refusal(keep_apart(proposed())) == "pair-standing"
    assert refusal(keep_apart(formed())) == "pair-standing"
