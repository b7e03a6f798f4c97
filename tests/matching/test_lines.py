"""The reporting line as a directory has it: of everybody, whether or not they take part."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from schemas.lines import NameLineManager
from schemas.matching import (
    AcceptProposal,
    DeclineProposal,
    ProposePair,
    RunRound,
)
from services.chassis.domain import Refusal
from services.matching.views import Line, Pair
from tests.matching.given import manager, mentor, scenario, the
from tests.scenario import kinds, refusal

ROUND = RunRound(cohort_id="c", round_id="r1")


def name(person: str, chief: str | None) -> NameLineManager:
    return NameLineManager(cohort_id="c", person_id=person, line_manager=chief)


def test_a_line_is_kept_of_somebody_who_takes_no_part() -> None:
    found = scenario()
    assert kinds(found.when(name("chief", "head"))) == ["LineManagerNamed"]
    assert the(found, Line, "chief").line_manager == "head"


def test_the_newest_line_counts_and_the_same_one_again_changes_nothing() -> None:
    found = scenario()
    found.when(name("m1", "chief"))
    assert found.when(name("m1", "chief")) == []
    assert kinds(found.when(name("m1", None))) == ["LineManagerNamed"]
    assert the(found, Line, "m1").line_manager is None


def test_a_line_belongs_to_a_cohort_that_is_open() -> None:
    found = scenario()
    command = NameLineManager(cohort_id="other", person_id="m1", line_manager="g1")
    assert refusal(found.when(command)) == "unknown-cohort"


def test_nobody_reports_to_themselves() -> None:
    with pytest.raises(ValidationError, match="line_manager"):
        name("m1", "m1")


@pytest.mark.parametrize("between", [0, 1, 3, 7])
def test_no_round_pairs_two_of_one_line_though_those_between_take_no_part(between: int) -> None:
    found = scenario(mentor("m1"), manager("g1"))
    chain = ["m1", *(f"chief-{n}" for n in range(between)), "g1"]
    for below, above in pairwise(chain):
        found.when(name(below, above))
    assert "PairProposed" not in kinds(found.when(ROUND))


def test_no_round_pairs_a_mentor_with_somebody_below_them() -> None:
    found = scenario(mentor("m1"), manager("g1"))
    found.when(name("g1", "chief"))
    found.when(name("chief", "m1"))
    assert "PairProposed" not in kinds(found.when(ROUND))


def test_no_round_pairs_two_who_report_to_the_same_person() -> None:
    found = scenario(mentor("m1"), manager("g1"))
    found.when(name("m1", "chief"))
    found.when(name("g1", "chief"))
    assert "PairProposed" not in kinds(found.when(ROUND))


def test_what_a_directory_says_counts_before_what_somebody_said() -> None:
    found = scenario(mentor("m1", line_manager="g1"), manager("g1"))
    found.when(name("m1", "somebody-else"))
    assert "PairProposed" in kinds(found.when(ROUND))


def test_a_coordinator_cannot_propose_two_of_one_line_by_hand() -> None:
    found = scenario(mentor("m1"), manager("g1"))
    found.when(name("m1", "chief"))
    found.when(name("chief", "g1"))
    asked = ProposePair(cohort_id="c", pair_id="m1~g1", reason="they asked for it")
    assert refusal(found.when(asked)) == "kept-apart"


def test_where_the_policy_allows_it_the_line_is_no_hindrance() -> None:
    found = scenario(mentor("m1"), manager("g1"), reporting_line="allow")
    found.when(name("m1", "g1"))
    assert "PairProposed" in kinds(found.when(ROUND))


# --- where both have to agree to it ---------------------------------------------------------------


@pytest.mark.parametrize(
    ("lines", "relation"),
    [
        ([("m1", "chief"), ("chief", "g1")], "manager-above"),
        ([("g1", "m1")], "mentor-above"),
        ([("m1", "chief"), ("g1", "chief")], "same-manager"),
        ([("m1", "one"), ("g1", "other")], None),
    ],
)
def test_a_proposal_says_how_the_two_stand_to_each_other_where_both_have_to_agree(
    lines: list[tuple[str, str]], relation: str | None
) -> None:
    found = scenario(mentor("m1"), manager("g1"), reporting_line="both_consent")
    for below, above in lines:
        found.when(name(below, above))
    found.when(ROUND)
    assert the(found, Pair, "m1~g1").reporting_line == relation


def test_nobody_accepts_a_pair_of_one_line_without_having_agreed_to_the_line() -> None:
    found = scenario(mentor("m1", line_manager="g1"), manager("g1"), reporting_line="both_consent")
    found.when(ROUND)
    bare = AcceptProposal(cohort_id="c", pair_id="m1~g1", by="mentor")
    assert refusal(found.when(bare)) == "line-not-agreed"
    for side in ("mentor", "manager"):
        agreed = bare.model_copy(update={"by": side, "knowing_the_line": True})
        assert "ProposalAccepted" in kinds(found.when(agreed))
    assert the(found, Pair, "m1~g1").state == "formed"


def test_to_decline_a_pair_of_one_line_takes_nothing_but_a_no() -> None:
    found = scenario(mentor("m1", line_manager="g1"), manager("g1"), reporting_line="both_consent")
    found.when(ROUND)
    no = DeclineProposal(cohort_id="c", pair_id="m1~g1", by="manager")
    assert kinds(found.when(no)) == ["ProposalDeclined"]


def test_a_pair_of_one_line_that_is_made_by_hand_asks_for_it_too() -> None:
    found = scenario(mentor("m1"), manager("g1"), reporting_line="both_consent")
    found.when(name("m1", "chief"))
    found.when(name("chief", "g1"))
    found.when(ProposePair(cohort_id="c", pair_id="m1~g1", reason="both asked for it"))
    assert the(found, Pair, "m1~g1").reporting_line == "manager-above"


@pytest.mark.parametrize("policy", ["allow", "forbid"])
def test_under_another_policy_nobody_is_asked_for_it(policy: str) -> None:
    found = scenario(mentor("m1"), manager("g1"), reporting_line=policy)
    found.when(name("m1", "g1" if policy == "allow" else "nobody-here"))
    found.when(ROUND)
    assert the(found, Pair, "m1~g1").reporting_line is None


PEOPLE = ["m0", "m1", "m2", "g0", "g1", "g2", "x0", "x1", "x2"]
LINES = st.dictionaries(st.sampled_from(PEOPLE), st.sampled_from(PEOPLE))


@given(LINES)
def test_in_any_hierarchy_no_proposal_is_within_a_line(reports: dict[str, str]) -> None:
    found = scenario(*(mentor(f"m{n}") for n in range(3)), *(manager(f"g{n}") for n in range(3)))
    reports = {person: chief for person, chief in reports.items() if person != chief}
    for person, chief in reports.items():
        assert not isinstance(found.when(name(person, chief)), Refusal)

    def reaches(person: str, other: str) -> bool:
        seen: set[str] = set()
        while person in reports and person not in seen:
            seen.add(person)
            person = reports[person]
            if person == other:
                return True
        return False

    found.when(ROUND)
    for event in found.events:
        if type(event).__name__ == "PairProposed":
            one, other = event.mentor_id, event.manager_id  # type: ignore[attr-defined]
            assert not reaches(one, other) and not reaches(other, one)
            assert reports.get(one) is None or reports.get(one) != reports.get(other)
