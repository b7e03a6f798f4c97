"""Rounds: as many pairs as possible, then the best score, and nothing that is not legal."""

from itertools import permutations

from schemas.commands import RunRound
from schemas.events import PairProposed, ProposalDeclined, RoundCompleted
from schemas.values import Window
from services.matching.scoring import above
from tests.matching.given import TUESDAY, manager, mentor, scenario
from tests.scenario import Scenario


def proposed(found: Scenario, round_id: str = "r1") -> list[str]:
    decision = found.when(RunRound(cohort_id="c", round_id=round_id))
    assert isinstance(decision, list)
    return sorted(event.pair_id for event in decision if isinstance(event, PairProposed))


def test_a_mentor_and_a_manager_who_fit_are_proposed_to_each_other() -> None:
    assert proposed(scenario(mentor("m1"), manager("g1"))) == ["m1~g1"]


def test_a_round_tells_who_waits_on_and_what_is_free() -> None:
    found = scenario(mentor("m1", capacity=3), manager("g1"), manager("g2", needs={"tiktok": 1}))
    decision = found.when(RunRound(cohort_id="c", round_id="r1"))
    assert isinstance(decision, list)
    completed = decision[-1]
    assert isinstance(completed, RoundCompleted)
    assert (completed.proposed, completed.managers_waiting, completed.places_free) == (1, 1, 2)


def test_the_same_round_runs_once() -> None:
    found = scenario(mentor("m1"), manager("g1"), manager("g2"))
    proposed(found)
    assert found.when(RunRound(cohort_id="c", round_id="r1")) == []


def test_a_mentor_takes_as_many_managers_as_they_offered() -> None:
    managers = [manager(f"g{i}") for i in range(5)]
    assert len(proposed(scenario(mentor("m1", capacity=2), *managers))) == 2


def test_nobody_is_proposed_without_a_skill_that_is_needed() -> None:
    assert proposed(scenario(mentor("m1"), manager("g1", needs={"twitter": 1}))) == []


def test_nobody_is_proposed_without_a_common_hour() -> None:
    assert proposed(scenario(mentor("m1"), manager("g1", availability=TUESDAY))) == []


def test_a_shared_half_hour_is_not_a_common_hour() -> None:
    late = (Window(day="mon", start="11:30", end="14:00"),)
    assert proposed(scenario(mentor("m1"), manager("g1", availability=late))) == []


def test_nobody_is_proposed_to_themselves() -> None:
    assert proposed(scenario(mentor("x"), manager("x"))) == []


def test_an_exclusion_holds_whichever_side_asked_for_it() -> None:
    assert proposed(scenario(mentor("m1", excludes=("g1",)), manager("g1"))) == []
    assert proposed(scenario(mentor("m1"), manager("g1", excludes=("m1",)))) == []


def test_the_reporting_line_is_kept_apart_at_any_height_when_the_policy_forbids_it() -> None:
    history = (mentor("m1", line_manager="g2"), manager("g2", line_manager="g1"), manager("g1"))
    assert proposed(scenario(*history)) == []
    assert proposed(scenario(*history, reporting_line="allow")) != []


def test_two_people_of_the_same_direct_manager_are_kept_apart() -> None:
    history = (mentor("m1", line_manager="boss"), manager("g1", line_manager="boss"))
    assert proposed(scenario(*history)) == []


def test_a_circle_in_the_reporting_line_ends() -> None:
    lines: dict[str, str | None] = {"a": "b", "b": "a", "z": None}
    assert above("a", lines.get) == {"a", "b"}
    assert above("z", lines.get) == set()


def test_a_declined_pair_is_never_proposed_again() -> None:
    found = scenario(mentor("m1"), manager("g1"))
    proposed(found)
    found.given(
        ProposalDeclined(
            cohort_id="c", pair_id="m1~g1", mentor_id="m1", manager_id="g1", by="manager"
        )
    )
    assert proposed(found, "r2") == []


def test_another_directorate_is_preferred() -> None:
    same = mentor("m1", directorate="INSEE")
    other = mentor("m2", directorate="DGFiP")
    assert proposed(scenario(same, other, manager("g1"))) == ["m2~g1"]


def test_the_order_of_arrival_changes_nothing() -> None:
    people = (mentor("m1"), mentor("m2", site="Lyon"), manager("g1"), manager("g2", site="Lyon"))
    results = {tuple(proposed(scenario(*order))) for order in permutations(people)}
    assert results == {("m1~g1", "m2~g2")}


def test_a_score_is_the_sum_of_its_reasons() -> None:
    found = scenario(mentor("m1"), manager("g1"))
    decision = found.when(RunRound(cohort_id="c", round_id="r1"))
    assert isinstance(decision, list)
    [pair] = [event for event in decision if isinstance(event, PairProposed)]
    assert round(sum(r.contribution for r in pair.reasons), 4) == pair.score
